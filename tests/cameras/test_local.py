"""The house's one local engine: made once, asked from the event loop, closed with Home Assistant."""

import asyncio
from pathlib import Path
import threading
from unittest.mock import patch

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.requirements import RequirementsNotFound
import pytest

from custom_components.face_access.hub.local.engine import MODELS_VARIABLE, async_get_local
from custom_components.face_access.recognition.engine import Engine, Mode
from custom_components.face_access.recognition.errors import ModelMissingError, WorkerBusyError
from custom_components.face_access.recognition.models import ModelRole
from tests.recognition import toys


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)


async def test_two_at_once_get_the_same(hass: HomeAssistant) -> None:
    first, second = await asyncio.gather(async_get_local(hass), async_get_local(hass))
    assert first is second


async def test_a_question_is_answered_on_another_thread(hass: HomeAssistant) -> None:
    local = await async_get_local(hass)
    assert await local.ask(
        lambda engine: (type(engine), threading.current_thread() is not threading.main_thread())
    ) == (
        Engine,
        True,
    )


async def test_what_a_question_raises_arrives(hass: HomeAssistant) -> None:
    """Nothing was downloaded and nobody put anything there."""
    local = await async_get_local(hass)
    with pytest.raises(ModelMissingError) as error:
        await local.ask(lambda engine: engine.load(Mode.SOFTWARE))
    assert error.value.model == "yunet_n"


async def test_the_users_models(hass: HomeAssistant) -> None:
    toys.install(Path(hass.config.path("face_access/models")))
    local = await async_get_local(hass)
    assert (await local.ask(lambda engine: engine.origin)).embedder == "toy_embedder"


async def test_models_in_the_folder_that_the_environment_names(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(toys.install(tmp_path / "elsewhere")))
    local = await async_get_local(hass)
    assert (await local.ask(lambda engine: engine.origin)).detector == "toy_detector"


async def test_models_that_come_later(hass: HomeAssistant) -> None:
    """The engine forgets what it had loaded, and who depends on it hears of it."""
    toys.install(Path(hass.config.path("face_access/models")))
    local = await async_get_local(hass)
    heard: list[bool] = []
    stop = local.async_on_models_changed(lambda: heard.append(True))
    await local.ask(lambda engine: engine.load(Mode.SOFTWARE))
    await local.async_models_changed()
    assert heard == [True]
    assert not await local.ask(lambda engine: engine.loaded)
    stop()
    await local.async_models_changed()
    assert heard == [True]


async def test_accepted_licences_are_remembered(hass: HomeAssistant, hass_storage: dict[str, object]) -> None:
    local = await async_get_local(hass)
    assert local.accepted == frozenset()
    await local.async_accept(["yunet_n", "mobilefacenet"])
    assert local.store.accepted == {"yunet_n", "mobilefacenet"}
    await hass.async_stop(force=True)
    assert hass_storage["face_access.licences"]["data"] == {"accepted": ["mobilefacenet", "yunet_n"]}


async def test_accepted_before_the_restart(hass: HomeAssistant, hass_storage: dict[str, object]) -> None:
    hass_storage["face_access.licences"] = {"version": 1, "data": {"accepted": ["mine"]}}
    assert (await async_get_local(hass)).accepted == {"mine"}


async def test_home_assistant_stops(hass: HomeAssistant) -> None:
    """Who waits is told; the thread ends."""
    local = await async_get_local(hass)
    begun, go_on = threading.Event(), threading.Event()

    def slow(_engine: Engine) -> str:
        begun.set()
        go_on.wait(10)
        return "done"

    running = hass.async_create_background_task(local.ask(slow), "running")
    await hass.async_add_executor_job(begun.wait, 10)
    waiting = hass.async_create_background_task(local.ask(lambda engine: engine.origin), "waiting")
    await asyncio.sleep(0)
    hass.loop.call_later(0.05, go_on.set)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    with pytest.raises(WorkerBusyError):
        await waiting
    assert await running == "done"
    await hass.async_block_till_done()
    with pytest.raises(WorkerBusyError):
        await local.ask(lambda engine: engine.origin)
    assert not any(thread.name == "face_access recognition" for thread in threading.enumerate())


async def test_whoever_asked_may_go(hass: HomeAssistant) -> None:
    local = await async_get_local(hass)
    task = hass.async_create_background_task(local.ask(lambda _engine: threading.Event().wait(0.05)), "asked")
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await local.ask(lambda engine: engine.loaded) is False


@pytest.mark.parametrize("error", [RequirementsNotFound("face_access", ["numpy"]), ImportError("no numpy")])
async def test_numpy_cannot_be_had(hass: HomeAssistant, error: Exception) -> None:
    """Once it can, all is well."""
    with (
        patch("custom_components.face_access.hub.local.engine.async_process_requirements", side_effect=error),
        pytest.raises(ConfigEntryNotReady) as raised,
    ):
        await async_get_local(hass)
    assert raised.value.translation_key == "numpy_missing"
    assert (await async_get_local(hass)).store.models()[0].role is ModelRole.DETECTOR
