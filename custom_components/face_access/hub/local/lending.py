"""An inference server that lends its machine to local recognition: whether the networks really run there.

They run here wherever the server cannot do it, so nobody would notice: a model may be missing there, or be another one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ...const import LOGGER
from ...recognition.errors import EngineError, ModelError
from ...recognition.servers.kind import NetworkServer
from .. import issues
from .engine import Local

LOOK_EVERY: Final = timedelta(minutes=1)
_HIDDEN: Final = "**"


class Lending:
    """What one server runs of our networks, from `async_start` until its entry is unloaded."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], local: Local, server: NetworkServer) -> None:
        """Bind to the entry of a server. numpy is there: `local` could not be otherwise."""
        from ...recognition.inference import Address  # noqa: PLC0415

        self._hass = hass
        self._entry = entry
        self._local = local
        self._address = Address(url=server.url, token=server.token, verify=server.verify)
        self._models: Mapping[str, str | None] = {}
        self._said: str | None = None
        self._looking = False

    @callback
    def async_start(self) -> None:
        """Look at the server's models now, whenever ours change or the server goes or comes, and while one is amiss."""
        on_unload = self._entry.async_on_unload
        on_unload(self._entry.runtime_data.async_add_listener(self._async_look_soon))
        on_unload(self._local.async_on_models_changed(self._async_look_soon))
        on_unload(async_track_time_interval(self._hass, self._async_tick, LOOK_EVERY, cancel_on_shutdown=True))
        on_unload(lambda: issues.networks_here(self._hass, self._entry, None))
        self._async_look_soon()

    @property
    def problems(self) -> tuple[str, ...]:
        """Why networks run here and not there, in words for the log; none where all is well."""
        troubles = self._local.worker.troubles
        lacking = {model: why for model, why in self._models.items() if why is not None}
        # What was found out by running a network is said more exactly.
        unsaid = [f"{model}: {why}" for model, why in lacking.items() if not any(model in said for said in troubles)]
        return (*troubles, *unsaid)

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What helps to find out why networks run here; the server's name is left out."""
        return {
            "models": dict(self._models),
            "troubles": [said.replace(self._address.host, _HIDDEN) for said in self._local.worker.troubles],
        }

    @callback
    def _async_tick(self, _now: datetime) -> None:
        """Look again only where there is something to be found out: asking reads all models from the disk."""
        if self._said is not None or self.problems:
            self._async_look_soon()

    @callback
    def _async_look_soon(self) -> None:
        if not self._looking:
            self._looking = True
            name = f"face_access networks at {self._entry.title}"
            self._entry.async_create_background_task(self._hass, self._look(), name, eager_start=False)

    async def _look(self) -> None:
        try:
            await self._inspect()
        finally:
            self._looking = False
        problem = "; ".join(self.problems) or None
        if problem != self._said:
            self._said = problem
            issues.networks_here(self._hass, self._entry, problem)

    async def _inspect(self) -> None:
        from ...recognition.networks import inspect  # noqa: PLC0415

        try:
            found = await self._hass.async_add_executor_job(inspect, self._address, self._local.store)
        except ModelError as err:
            # Nothing here to compare with; whoever wants the model says so.
            LOGGER.debug("%s: its models were not looked at: %s", self._entry.title, err)
            self._models = {}
        except EngineError as err:
            # That it is away is what *Online* says.
            LOGGER.debug("%s: its models were not looked at: %s", self._entry.title, err)
        else:
            self._models = found.models
            # What was wrong with the server as a whole is over.
            self._local.worker.server_answered()
