"""Lets the test harness, made for one Home Assistant, run with a newer one. Loaded before every other plugin."""

# Since 2026.11 Home Assistant puts another library in httpx's place, so it comes before whatever imports httpx.
from homeassistant.components import logger
from homeassistant.components.logger import helpers as logger_helpers
from homeassistant.helpers import entity_registry, restore_state

# The harness looks for names where 2026.10 had them.
if not hasattr(logger, "_clear_logger_overwrites"):
    logger._clear_logger_overwrites = logger_helpers._clear_logger_overwrites

# It puts states to restore where 2026.10 kept them; since 2026.11 they move to the registry entry once there is one.
if hasattr(restore_state, "_entity_registry_entry_created_filter"):

    def _remember(data: restore_state.RestoreStateData, states: dict[str, restore_state.StoredState]) -> None:
        data.last_states_by_entity_id = dict(states)
        data.hass.bus.async_listen(
            entity_registry.EVENT_ENTITY_REGISTRY_UPDATED,
            data._async_entity_registry_entry_created,
            event_filter=restore_state._entity_registry_entry_created_filter,
        )

    restore_state.RestoreStateData.last_states = property(lambda data: data.last_states_by_entity_id, _remember)
