"""The models that watching a camera needs: which there are, and fetching those that are not here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ...recognition.download import download
from ...recognition.errors import ModelDamagedError, ModelLicenceError, ModelMissingError
from ...recognition.models import Model, ModelFile, ModelRole, downloads
from ...recognition.store import ModelOrigin, ModelStore
from .engine import Local

type Progress = Callable[[float], None]
"""Called with the share of all bytes that is here, 0 to 1."""

# Of a file whose publisher names no size; it only shapes the progress that is shown.
_ASSUMED_SIZE = 2_000_000


class ModelState(StrEnum):
    """Where a model stands; the words of translations (`common`, with `model_` before)."""

    YOURS = "yours"
    HERE = "here"
    WANTED = "wanted"
    """It can be downloaded."""
    LACKING = "lacking"
    """It is not here, or the user's file is damaged, and only the user can put that right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One model that is needed."""

    model: Model
    state: ModelState


def needed(store: ModelStore) -> list[Needed]:
    """List the models for all modes. Reads files: not for the event loop. Raises ModelError.

    A file that was downloaded and is damaged counts as wanted.
    """
    return [_look(store, model) for role in ModelRole for model in store.choose(role)]


def _look(store: ModelStore, model: Model) -> Needed:
    try:
        state = ModelState.YOURS if store.load(model).origin is ModelOrigin.USER else ModelState.HERE
    except ModelLicenceError:
        state = ModelState.YOURS
    except ModelMissingError:
        state = ModelState.WANTED if downloads([model]) else ModelState.LACKING
    except ModelDamagedError:
        yours = store.find(model).origin is ModelOrigin.USER
        state = ModelState.LACKING if yours or not downloads([model]) else ModelState.WANTED
    return Needed(model=model, state=state)


def unaccepted(local: Local, models: Sequence[Needed]) -> list[str]:
    """Name the models whose licence the household still has to accept: those to be fetched, and those not free."""
    return [
        one.model.id
        for one in models
        if (one.state is ModelState.WANTED or one.model.noncommercial) and one.model.id not in local.accepted
    ]


async def async_needed(hass: HomeAssistant, local: Local) -> list[Needed]:
    """List the models for all modes. Raises ModelError for descriptions of the user's that are wrong."""
    return await hass.async_add_executor_job(needed, local.store)


async def async_fetch(hass: HomeAssistant, local: Local, progress: Progress | None = None) -> None:
    """Fetch what is not here, and have the engine use it; whoever asks meanwhile waits, and finds it.

    Raises ModelLicenceError, with nothing fetched, while the household has not accepted a licence. Raises ModelError:
    of what could not be fetched the rest goes on where it broke off, at the next call.
    """
    async with local.fetching:
        await _async_fetch(hass, local, progress)


async def _async_fetch(hass: HomeAssistant, local: Local, progress: Progress | None) -> None:
    found = await async_needed(hass, local)
    if missing := unaccepted(local, found):
        raise ModelLicenceError(missing[0], "nobody has accepted its licence")
    files = downloads([one.model for one in found if one.state is ModelState.WANTED])
    session, here = async_get_clientsession(hass), 0
    total = sum(_size(file) for _, file in files)
    for model, file in files:

        def tell(bytes_: int, _of: int | None, before: int = here) -> None:
            if progress is not None:
                progress(min(1.0, (before + bytes_) / total))

        await download(session, model, file, local.store.downloaded, tell)
        here += _size(file)
    for one in await async_needed(hass, local):
        if one.state is ModelState.LACKING:
            # Says what is wrong with it.
            await hass.async_add_executor_job(local.store.load, one.model)
    await local.async_models_changed()


async def async_accept(local: Local, model: str) -> None:
    """Accept the licence of a model (id) that is here already, and use it. Raises WorkerBusyError."""
    await local.async_accept([model])
    await local.async_models_changed()


def _size(file: ModelFile) -> int:
    return file.size or _ASSUMED_SIZE
