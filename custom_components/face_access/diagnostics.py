"""What helps to find a fault, without a word about who came by."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_SSL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant

from .const import CONF_BROKER_PASSWORD, CONF_BROKER_URL, CONF_FEATURES
from .coordinator import FaceAccessConfigEntry
from .devices.station import SettingKind
from .hub.people import HousePeople, async_get_people
from .hub.people_entry import is_people

# Addresses, ids that open webhooks, and what the device is called: all of the entry's data but this is private.
_OPEN_DATA = {"family", "port", "push", CONF_FEATURES, CONF_SSL, CONF_VERIFY_SSL}


def _people(people: HousePeople) -> dict[str, Any]:
    profiles = people.store.profiles.values()
    return {
        "people": len(profiles),
        "roles": Counter(profile.role.value for profile in profiles),
        "photo_storage": Counter(profile.storage.value for profile in profiles),
        "photos": sum(len(profile.photos) for profile in profiles),
        "stations": [
            {
                **asdict(worker.progress),
                "online": worker.coordinator.last_update_success,
                "reasons": Counter(
                    holding.code
                    for holding in people.store.holdings(worker.coordinator.serial).values()
                    if holding.code is not None
                ),
            }
            for worker in people.workers.values()
        ],
    }


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> dict[str, Any]:
    """Say what the station is, has and does; of people, only how many there are."""
    if is_people(entry):
        return _people(await async_get_people(hass))
    coordinator = entry.runtime_data
    station = coordinator.station
    described = station.settings.described if station.settings else {}
    texts = {key for key, setting in described.items() if setting.kind is SettingKind.TEXT}
    sighting = coordinator.last_sighting
    offset = coordinator.data.clock_offset
    return {
        "data": async_redact_data(entry.data, set(entry.data) - _OPEN_DATA),
        "options": async_redact_data(entry.options, {CONF_BROKER_PASSWORD, CONF_BROKER_URL}),
        "station": {
            "manufacturer": station.info.manufacturer,
            "model": station.info.model,
            "hardware": station.info.hardware,
            "firmware": station.info.firmware,
            "capabilities": sorted(
                name for name in station.__dataclass_fields__ if getattr(station, name) not in (None, (), False)
            ),
        },
        "online": coordinator.last_update_success,
        "calls_us": coordinator.queued,
        "news": None
        if (ladder := coordinator.ladder) is None
        else {"webhook": ladder.webhook, "broker": ladder.broker, "asks": ladder.asks},
        "clock_offset_seconds": None if offset is None else offset.total_seconds(),
        "settings": async_redact_data(dict(coordinator.data.settings), texts),
        "facts": dict(coordinator.data.facts),
        "last_sighting": None
        if sighting is None
        else {
            "verdict": sighting.verdict,
            "refused": sighting.refused,
            "liveness": sighting.liveness,
            "compared": sighting.score is not None,
            "has_picture": sighting.pictures.best is not None,
        },
    }
