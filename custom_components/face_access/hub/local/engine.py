"""The house's local engine: one for all cameras and actions, on a thread of its own.

numpy comes with it, which takes its time to import and is not in every Home Assistant: no module of `recognition` that
needs it may be imported at the top of ours. Once `async_get_local` has answered, all of them are loaded, and an import
in a function costs nothing.
"""

import asyncio
from collections.abc import Callable, Collection
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.storage import Store
from homeassistant.requirements import RequirementsNotFound, async_process_requirements
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN
from ...recognition.errors import WorkerBusyError
from ...recognition.servers.kind import NetworkServer
from ...recognition.store import ModelStore
from ..house import folder

if TYPE_CHECKING:
    from ...recognition.engine import Engine
    from ...recognition.gallery import Gallery
    from ...recognition.worker import Worker

# Where a house keeps models elsewhere than in its config directory: tests and the demo do.
MODELS_VARIABLE: Final = "FACE_ACCESS_MODELS"
# Without a version: Home Assistant's own pin holds. Its images have it, and so has whoever plays streams.
_REQUIREMENTS: Final = ["numpy"]

_LOCAL: HassKey[asyncio.Task[Local]] = HassKey(f"{DOMAIN}_local")


class Local:
    """The engine with its models and the people that it compares with.

    `gallery` is set by whoever keeps the templates, None while nobody is enrolled; each frame takes it as it is then.
    """

    def __init__(self, store: ModelStore, worker: Worker, licences: Store[dict[str, Any]]) -> None:
        """Bind the parts; see `async_get_local`."""
        self.store = store
        self.worker = worker
        self.gallery: Gallery | None = None
        self.fetching = asyncio.Lock()
        """Held while models are downloaded: two who write one file destroy each other's."""
        self._licences = licences
        self._listeners: list[CALLBACK_TYPE] = []

    async def ask[T](self, question: Callable[[Engine], T]) -> T:
        """Put a question to the engine, on its own thread and before all frames; it may block there.

        Raises what the question raises, and WorkerBusyError when too many wait or Home Assistant stops.
        """
        future = self.worker.ask(question)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if future.cancelled() and task is not None and not task.cancelling():
                # Not whoever asked was cancelled: the worker has been closed.
                raise WorkerBusyError("recognition is closed") from None
            raise

    async def async_use(self, networks: NetworkServer | None) -> None:
        """Run networks at a server, and here whenever it is away; None for here alone. Raises WorkerBusyError."""
        from ...recognition.inference import Address  # noqa: PLC0415

        wanted = None
        if networks is not None:
            wanted = Address(url=networks.url, token=networks.token, verify=networks.verify)
        await self.ask(lambda engine: engine.use(wanted))
        for listener in tuple(self._listeners):
            listener()

    # Models

    @property
    def accepted(self) -> frozenset[str]:
        """Ids of the models whose licences the household has accepted."""
        return self.store.accepted

    async def async_accept(self, models: Collection[str]) -> None:
        """Remember that the household accepts the licences of these models (ids), over restarts too."""
        self.store.accept(models)
        await self._licences.async_save({"accepted": sorted(self.store.accepted)})

    async def async_models_changed(self) -> None:
        """Have the engine read its models anew, and tell who depends on them. Raises WorkerBusyError."""
        await self.ask(lambda engine: engine.unload())
        for listener in tuple(self._listeners):
            listener()

    @callback
    def async_on_models_changed(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Hear when models were added or replaced: templates may be of another one now. The way to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)


async def async_get_local(hass: HomeAssistant) -> Local:
    """Give the house's local engine, made at the first call. No model is loaded yet.

    Raises ConfigEntryNotReady when numpy cannot be had.
    """
    if (task := hass.data.get(_LOCAL)) is None:
        # A task, so that two cameras set up at once wait for the same engine.
        task = hass.data[_LOCAL] = hass.async_create_task(_make(hass), "face_access local engine", eager_start=True)
    try:
        return await asyncio.shield(task)
    except (RequirementsNotFound, ImportError) as err:
        hass.data.pop(_LOCAL, None)
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="numpy_missing") from err


async def _make(hass: HomeAssistant) -> Local:
    licences: Store[dict[str, Any]] = Store(hass, 1, f"{DOMAIN}.licences")
    accepted = (await licences.async_load() or {}).get("accepted", ())
    await async_process_requirements(hass, DOMAIN, _REQUIREMENTS, is_built_in=False)
    home = folder(hass)
    users = Path(os.environ.get(MODELS_VARIABLE) or home / "models")
    store = ModelStore(home / "models-downloaded", users, accepted=accepted)
    local = Local(store, await hass.async_add_import_executor_job(_make_worker, store), licences)

    async def close(_event: Event) -> None:
        hass.data.pop(_LOCAL, None)
        await hass.async_add_executor_job(local.worker.close)

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, close)
    return local


def _make_worker(store: ModelStore) -> Worker:
    """Import all that needs numpy, which takes a third of a second, and make the thread's keeper."""
    from ...recognition import compare, register  # noqa: F401, PLC0415
    from ...recognition.engine import Engine  # noqa: PLC0415
    from ...recognition.worker import Worker  # noqa: PLC0415
    from ..cameras import local_eye, server_eye  # noqa: F401, PLC0415

    return Worker(Engine(store))
