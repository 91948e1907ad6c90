"""Watching a camera: which one, the models that it takes with their licences, and the household's preferences."""

import asyncio
from collections.abc import Mapping
from typing import Any
import uuid

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.event import EventDeviceClass
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlow, ConfigFlowResult, OptionsFlowWithReload
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import entity_registry as er, selector, translation
import probatio as vol

from ..const import (
    CONF_CAMERA,
    CONF_DOOR,
    CONF_ENGINE,
    CONF_FAR,
    CONF_FEATURES,
    CONF_RATE,
    CONF_SETTINGS,
    CONF_TRIGGERS,
    DEFAULT_RATE,
    DOMAIN,
    ENGINE_LOCAL,
    LOGGER,
)
from ..hub.cameras.station import DESCRIBED
from ..hub.local.engine import Local, async_get_local
from ..hub.local.models import ModelState, Needed, async_fetch, async_needed, unaccepted
from ..hub.picture_of import async_picture_of
from ..hub.servers.coordinator import async_searchers
from ..recognition.errors import ModelError
from .forms import policy_fields
from .options import KEEP_FIELDS
from .people import async_doors

ACCEPT = "accept"
CAMERA_SCHEMA = vol.Schema(
    {vol.Required(CONF_CAMERA): selector.EntitySelector(selector.EntitySelectorConfig(domain=Platform.CAMERA))}
)


def camera_schema(hass: HomeAssistant) -> vol.Schema:
    """Make the form of a camera, with the recognition servers that can be chosen where there are any."""
    servers = async_searchers(hass)
    if not servers:
        return CAMERA_SCHEMA
    options = [selector.SelectOptionDict(value=entry.entry_id, label=entry.title) for entry in servers]
    choice = selector.SelectSelector(
        selector.SelectSelectorConfig(
            options=[selector.SelectOptionDict(value=ENGINE_LOCAL, label="Home Assistant"), *options]
        )
    )
    return CAMERA_SCHEMA.extend({vol.Required(CONF_ENGINE, default=ENGINE_LOCAL): choice})


MODELS_SCHEMA = vol.Schema({vol.Required(ACCEPT, default=False): selector.BooleanSelector()})
_MEGABYTE = 1_000_000
_FASTEST = 5


class CameraFlowMixin(ConfigFlow):
    """The steps that bring a camera in, and those that change one."""

    _camera: str
    _engine: str
    _title: str
    _local: Local
    _models: list[Needed]
    _fetching: asyncio.Task[None] | None = None
    _problem: str = ""

    async def async_step_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which camera, and try it."""
        errors: dict[str, str] = {}
        if user_input is not None:
            entity_id = user_input[CONF_CAMERA]
            known = er.async_get(self.hass).async_get(entity_id)
            # By the id of its registry entry, so that it may be renamed.
            self._camera = entity_id if known is None else known.id
            self._engine = user_input.get(CONF_ENGINE, ENGINE_LOCAL)
            self._async_abort_entries_match({CONF_CAMERA: self._camera})
            if await self._gives_pictures(entity_id):
                state = self.hass.states.get(entity_id)
                self._title = entity_id if state is None else state.name
                # A server brings its own models.
                return await (self._choose_models() if self._engine == ENGINE_LOCAL else self.async_step_watch())
            errors[CONF_CAMERA] = "no_picture"
        suggested = user_input or {CONF_CAMERA: self._watched_now, CONF_ENGINE: self._engine_now}
        schema = self.add_suggested_values_to_schema(camera_schema(self.hass), suggested)
        return self.async_show_form(step_id="camera", data_schema=schema, errors=errors)

    @property
    def _watched_now(self) -> str | None:
        """The camera that the entry to be changed has."""
        if self.source != SOURCE_RECONFIGURE:
            return None
        return er.async_resolve_entity_id(er.async_get(self.hass), self._get_reconfigure_entry().data[CONF_CAMERA])

    @property
    def _engine_now(self) -> str:
        """Who looks through the camera that is to be changed."""
        if self.source != SOURCE_RECONFIGURE:
            return ENGINE_LOCAL
        engine: str = self._get_reconfigure_entry().data[CONF_ENGINE]
        return engine

    async def _gives_pictures(self, entity_id: str) -> bool:
        try:
            return bool(await async_picture_of(self.hass, entity_id))
        except Exception as err:  # noqa: BLE001 - whatever a camera's own integration raises
            LOGGER.debug("%s gives no picture: %s", entity_id, err)
            return False

    # The models

    async def _choose_models(self) -> ConfigFlowResult:
        try:
            self._local = await async_get_local(self.hass)
            self._models = await async_needed(self.hass, self._local)
        except ConfigEntryNotReady:
            return self.async_abort(reason="numpy_missing")
        except ModelError as err:
            return self.async_abort(reason="models_unreadable", description_placeholders={"problem": str(err)})
        if lacking := [one.model.id for one in self._models if one.state is ModelState.LACKING]:
            return self.async_abort(reason="models_lacking", description_placeholders={"models": ", ".join(lacking)})
        return await (self.async_step_models() if unaccepted(self._local, self._models) else self._fetch_or_finish())

    async def async_step_models(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what will be downloaded from whom under which licence; nothing is fetched without a yes."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[ACCEPT]:
                await self._local.async_accept(unaccepted(self._local, self._models))
                return await self._fetch_or_finish()
            errors[ACCEPT] = "not_accepted"
        placeholders = {"models": await async_describe(self.hass, self._models)}
        return self.async_show_form(
            step_id="models", data_schema=MODELS_SCHEMA, errors=errors, description_placeholders=placeholders
        )

    async def _fetch_or_finish(self) -> ConfigFlowResult:
        if any(one.state is ModelState.WANTED for one in self._models):
            return await self.async_step_download()
        return await self.async_step_watch()

    async def async_step_download(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Fetch the models, with progress."""
        if self._fetching is None:
            fetching = async_fetch(self.hass, self._local, self.async_update_progress)
            self._fetching = self.hass.async_create_task(fetching, "face_access models")
        if not self._fetching.done():
            return self.async_show_progress(
                step_id="download", progress_action="download_models", progress_task=self._fetching
            )
        task, self._fetching = self._fetching, None
        if isinstance(err := task.exception(), ModelError):
            self._problem = str(err)
            return self.async_show_progress_done(next_step_id="not_downloaded")
        task.result()
        return self.async_show_progress_done(next_step_id="watch")

    async def async_step_not_downloaded(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what went wrong, and offer to go on where the download broke off."""
        if user_input is None:
            placeholders = {"problem": self._problem}
            return self.async_show_form(step_id="not_downloaded", description_placeholders=placeholders)
        return await self.async_step_download()

    async def async_step_watch(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """All that is needed is here: watch the camera."""
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            changed = {CONF_CAMERA: self._camera, CONF_ENGINE: self._engine}
            return self.async_update_reload_and_abort(entry, data_updates=changed)
        # Of our making: what the camera saw stays, also when another camera takes its place.
        await self.async_set_unique_id(f"camera_{uuid.uuid4().hex[:12]}")
        data = {CONF_CAMERA: self._camera, CONF_ENGINE: self._engine, CONF_FEATURES: sorted(DESCRIBED)}
        return self.async_create_entry(title=self._title, data=data)

    @callback
    def _async_abandon(self) -> None:
        """End a download that nobody waits for any more; the next one goes on from there."""
        if self._fetching is not None:
            self._fetching.cancel()


async def async_describe(hass: HomeAssistant, models: list[Needed]) -> str:
    """List models for a form: who made them, under which licence, how large, and where they stand."""
    words = await translation.async_get_translations(hass, hass.config.language, "common", {DOMAIN})
    lines = []
    for one in models:
        model, size = one.model, next((file.size for file in one.model.files if file.size), None)
        made = model.id if model.attribution == "-" else model.attribution
        linked = model.licence_url.startswith("https://")
        licence = f"[{model.licence}]({model.licence_url})" if linked else model.licence
        key = f"component.{DOMAIN}.common.model_{one.state}"
        facts = [made, licence, *([f"{size / _MEGABYTE:.1f} MB"] if size else []), words.get(key, one.state)]
        lines.append(f"- {', '.join(facts)}")
    return "\n".join(lines)


_TRIGGERS = selector.EntitySelector(
    selector.EntitySelectorConfig(
        multiple=True,
        filter=[
            {
                "domain": Platform.BINARY_SENSOR,
                "device_class": [
                    BinarySensorDeviceClass.MOTION,
                    BinarySensorDeviceClass.OCCUPANCY,
                    BinarySensorDeviceClass.PRESENCE,
                ],
            },
            {"domain": Platform.EVENT, "device_class": [EventDeviceClass.DOORBELL, EventDeviceClass.MOTION]},
        ],
    )
)
_RATE = vol.All(
    selector.NumberSelector(
        selector.NumberSelectorConfig(min=1, max=_FASTEST, step=1, mode=selector.NumberSelectorMode.SLIDER)
    ),
    vol.Coerce(int),
)


def options_schema(doors: list[selector.SelectOptionDict]) -> vol.Schema:
    """Make the form of the preferences, with the doors that can be chosen."""
    return vol.Schema(
        {
            vol.Optional(CONF_TRIGGERS, default=[]): _TRIGGERS,
            vol.Required(CONF_RATE, default=DEFAULT_RATE): _RATE,
            vol.Required(CONF_FAR, default=False): selector.BooleanSelector(),
            vol.Optional(CONF_DOOR): selector.SelectSelector(
                # A list of buttons has none for no door.
                selector.SelectSelectorConfig(options=doors, mode=selector.SelectSelectorMode.DROPDOWN)
            ),
            **policy_fields(),
            **KEEP_FIELDS,
        }
    )


class CameraOptionsFlow(OptionsFlowWithReload):
    """The household's preferences for one watched camera."""

    async def async_step_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all of them at once."""
        options = self.config_entry.options
        if user_input is not None:
            # The settings are entities, and stay as they are.
            kept = {CONF_SETTINGS: options[CONF_SETTINGS]} if CONF_SETTINGS in options else {}
            return self.async_create_entry(data={**user_input, **kept})
        schema = self.add_suggested_values_to_schema(options_schema(self._doors(options)), options)
        return self.async_show_form(step_id="camera", data_schema=schema)

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin with the only form."""
        return await self.async_step_camera(user_input)

    def _doors(self, options: Mapping[str, Any]) -> list[selector.SelectOptionDict]:
        """Offer every door, and the one that is chosen also while its station is away."""
        return async_doors(self.hass, chosen=filter(None, [options.get(CONF_DOOR)]))
