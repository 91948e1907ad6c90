"""The models that watching a camera takes: licences first, then the download; repairs when something is amiss later."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import hashlib
import json
from pathlib import Path
from unittest.mock import Mock

from aiohttp import web as server_module
from aiohttp.test_utils import TestServer
from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, FlowResultType
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.flows import camera
from custom_components.face_access.hub.local import models
from custom_components.face_access.hub.local.engine import MODELS_VARIABLE, Local, async_get_local
from custom_components.face_access.recognition import networks, store
from custom_components.face_access.recognition.engine import Mode
from custom_components.face_access.recognition.errors import ModelLicenceError, ModelUnusableError
from custom_components.face_access.recognition.models import Model, ModelFile, parse
from tests.conftest import issue_id, press, repair, until
from tests.recognition import toys

from .conftest import ALICE, PlayedCamera, has_seen, look

FILES = {name: make() for name, make in toys.FILES.items()}
ISSUES = ("model_missing", "model_damaged", "model_licence", "model_unusable")


class Publisher:
    """Serves the files of models. `broken` breaks off after that many bytes, once; `status` answers that instead."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.asked: list[tuple[str, str | None]] = []
        self.broken: int | None = None
        self.arrived = asyncio.Event()
        self.status: int | None = None

    async def handle(self, request: server_module.Request) -> server_module.StreamResponse:
        name = request.match_info["name"]
        self.asked.append((name, request.headers.get("Range")))
        if self.status is not None:
            return server_module.Response(status=self.status)
        begin = int((request.headers.get("Range") or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        content = self.files[name]
        response = server_module.StreamResponse(status=206 if begin else 200)
        response.content_length = len(content) - begin
        if begin:
            response.headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        await response.prepare(request)
        if self.broken is not None:
            await response.write(content[begin : begin + self.broken])
            self.broken = None
            await self.arrived.wait()
            request.transport.close()
            return response
        await response.write(content[begin:])
        return response


@pytest.fixture
async def publisher(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publisher]:
    """Publish toys in the place of the real models: nothing is here yet."""
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    publisher = Publisher()
    app = server_module.Application()
    app.router.add_get("/{name}", publisher.handle)
    async with TestServer(app, host="127.0.0.1") as running:
        address = str(running.make_url("/"))

        def published(model: Model) -> Model:
            content = FILES[model.id]
            file = ModelFile(
                name=f"{model.id}.onnx",
                url=f"{address}{model.id}",
                size=None if model.id == "toy_far" else len(content),
                sha256=hashlib.sha256(content).hexdigest(),
            )
            return replace(model, users=False, default=True, files=(file,))

        models = parse(json.dumps({"models": toys.DESCRIPTIONS}), users=True)
        monkeypatch.setattr(store, "manifest", lambda: tuple(published(model) for model in models))
        yield publisher


async def begin(hass: HomeAssistant) -> dict:
    """Choose the camera on the porch."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "camera"})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "camera")
    return await hass.config_entries.flow.async_configure(result["flow_id"], {"camera": "camera.porch"})


async def go_on(hass: HomeAssistant, result: dict, answer: dict | None = None) -> dict:
    """Answer a step, and wait for what is being done."""
    result = await hass.config_entries.flow.async_configure(result["flow_id"], answer)
    while result["type"] in (FlowResultType.SHOW_PROGRESS, FlowResultType.SHOW_PROGRESS_DONE):
        assert result["type"] is FlowResultType.SHOW_PROGRESS_DONE or result["progress_action"] == "download_models"
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(result["flow_id"])
    await hass.async_block_till_done()
    return result


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry) -> dict:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )


def users_folder(hass: HomeAssistant) -> Path:
    return Path(hass.config.path("face_access/models"))


def downloaded(hass: HomeAssistant) -> Path:
    return Path(hass.config.path("face_access/models-downloaded"))


def raised(hass: HomeAssistant, entry: MockConfigEntry) -> str | None:
    """Name the issue about models that is raised, of which there is one at most."""
    found = [key for key in ISSUES if ir.async_get(hass).async_get_issue(DOMAIN, issue_id(key, entry)) is not None]
    assert len(found) <= 1
    return found[0] if found else None


async def test_download(hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher) -> None:
    """Nothing is fetched without a yes; then everything once, and never again."""
    result = await begin(hass)
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "models")
    said = result["description_placeholders"]["models"]
    assert said.count("MIT") == said.count("to be downloaded") == 4
    assert "toy_embedder" in said
    result = await go_on(hass, result, {"accept": False})
    assert result["errors"] == {"accept": "not_accepted"}
    assert publisher.asked == []
    result = await go_on(hass, result, {"accept": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Porch"
    assert {name for name, _ in publisher.asked} == set(FILES)
    assert {file.name for file in downloaded(hass).iterdir()} == {f"{name}.onnx" for name in FILES}
    await look(hass)
    asked = len(publisher.asked)
    await hass.config_entries.async_reload(result["result"].entry_id)
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "seen")
    assert len(publisher.asked) == asked
    assert raised(hass, result["result"]) is None


async def test_download_breaks_off(hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher) -> None:
    """It says why, and goes on where it was."""
    result = await begin(hass)
    publisher.broken = 1000
    progress = []

    @callback
    def told(event: Event) -> None:
        progress.append(event.data["progress"])
        publisher.arrived.set()

    hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, told)
    result = await go_on(hass, result, {"accept": True})
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "not_downloaded")
    assert "toy_detector" in result["description_placeholders"]["problem"]
    result = await go_on(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert ("toy_detector", "bytes=1000-") in publisher.asked
    assert 0 < progress[0] < progress[-1] <= 1


async def test_something_else_arrives(hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher) -> None:
    """The hash decides, and nothing of it stays."""
    publisher.files["toy_embedder"] = FILES["toy_embedder"][:-1] + b"!"
    result = await go_on(hass, await begin(hass), {"accept": True})
    assert result["step_id"] == "not_downloaded"
    assert "SHA-256" in result["description_placeholders"]["problem"]
    assert not (downloaded(hass) / "toy_embedder.onnx").exists()
    publisher.status = 404
    result = await go_on(hass, result, {})
    assert "404" in result["description_placeholders"]["problem"]


async def test_abandoned(hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher) -> None:
    """A download that nobody waits for ends."""
    result = await begin(hass)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"accept": True})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert hass.config_entries.async_entries(DOMAIN) == []


async def test_second_camera_asks_nothing(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, local_accepted: None
) -> None:
    """What was accepted and is here already need not be shown again; the same camera is not watched twice."""
    await go_on(hass, await begin(hass))
    result = await begin(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")


@pytest.fixture
async def local_accepted(hass: HomeAssistant, publisher: Publisher) -> None:
    await (await async_get_local(hass)).async_accept(FILES)


async def test_own_files(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, hass_client: ClientSessionGenerator
) -> None:
    """They are used, and shown as the user's; the rest is downloaded. What nobody measured is said to be so."""
    users_folder(hass).mkdir(parents=True)
    (users_folder(hass) / "toy_embedder.onnx").write_bytes(toys.embedder(64))
    result = await begin(hass)
    said = result["description_placeholders"]["models"]
    assert (said.count("your own file"), said.count("to be downloaded")) == (1, 3)
    result = await go_on(hass, result, {"accept": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "toy_embedder" not in {name for name, _ in publisher.asked}
    entry = result["result"]
    issue = (DOMAIN, issue_id("model_unmeasured", entry))
    issues = ir.async_get(hass).issues
    await until(lambda: issue in issues)
    assert issues[issue].translation_placeholders == {"name": "Porch", "model": "toy_embedder"}
    assert issues[issue].severity is ir.IssueSeverity.WARNING
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert diagnostics["watching"]["unmeasured_model"] == "toy_embedder"
    # The one that was measured comes back.
    (users_folder(hass) / "toy_embedder.onnx").write_bytes(FILES["toy_embedder"])
    await (await async_get_local(hass)).async_models_changed()
    await until(lambda: issue not in issues)


async def test_own_models_alone(hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher) -> None:
    """Nothing to accept, nothing to download."""
    toys.install(users_folder(hass))
    result = await begin(hass)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert publisher.asked == []


async def test_own_models_that_go(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, hass_client: ClientSessionGenerator
) -> None:
    """Whoever never accepted a licence is asked before the repair downloads anything."""
    toys.install(users_folder(hass))
    entry = (await begin(hass))["result"]
    for file in users_folder(hass).iterdir():
        file.unlink()
    local = await async_get_local(hass)
    await local.async_models_changed()
    await until(lambda: raised(hass, entry) == "model_missing")
    with pytest.raises(ModelLicenceError):
        await models.async_fetch(hass, local)
    client = await hass_client()
    data = {"handler": DOMAIN, "issue_id": issue_id("model_missing", entry)}
    flow = await (await client.post("/api/repairs/issues/fix", json=data)).json()
    assert (flow["type"], flow["step_id"]) == ("form", "models")
    assert flow["description_placeholders"]["models"].count("MIT") == 4
    flow = await press(hass_client, flow, {"accept": False})
    assert flow["errors"] == {"accept": "not_accepted"}
    assert (publisher.asked, local.accepted) == ([], frozenset())
    flow = await press(hass_client, flow, {"accept": True})
    assert flow["type"] == "create_entry"
    assert local.accepted == set(FILES)
    await until(lambda: raised(hass, entry) is None)


async def test_own_descriptions_break_while_a_model_lacks(
    hass: HomeAssistant,
    porch: PlayedCamera,
    publisher: Publisher,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The repair says that it cannot, and downloads nothing."""
    entry = await watched(hass, publisher)
    (downloaded(hass) / "toy_detector.onnx").unlink()
    await (await async_get_local(hass)).async_models_changed()
    await until(lambda: raised(hass, entry) == "model_missing")
    asked = list(publisher.asked)
    monkeypatch.setattr(models, "needed", Mock(side_effect=ModelUnusableError("models.json", "broken")))
    flow = await repair(hass, hass_client, "model_missing", entry)
    assert flow["errors"] == {"base": "cannot_fix"}
    assert publisher.asked == asked


async def test_two_fetch_at_once(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, local_accepted: None
) -> None:
    """Two cameras, two repairs: each file is fetched once, and both find it."""
    local = await async_get_local(hass)
    await asyncio.gather(models.async_fetch(hass, local), models.async_fetch(hass, local))
    assert sorted(name for name, _ in publisher.asked) == sorted(FILES)
    assert {file.name for file in downloaded(hass).iterdir()} == {f"{name}.onnx" for name in FILES}


@pytest.mark.parametrize(
    ("written", "reason"), [("{", "models_unreadable"), (json.dumps({"models": toys.DESCRIPTIONS}), "models_lacking")]
)
async def test_own_descriptions_that_are_wrong(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, written: str, reason: str
) -> None:
    """Described and not there: no other model is taken in their place."""
    users_folder(hass).mkdir(parents=True)
    (users_folder(hass) / "models.json").write_text(written)
    result = await begin(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, reason)


async def test_no_numpy(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_hass: HomeAssistant) -> Local:
        raise ConfigEntryNotReady

    monkeypatch.setattr(camera, "async_get_local", fail)
    result = await begin(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "numpy_missing")


@pytest.mark.parametrize("error", [OSError("dead"), HomeAssistantError("dead"), None])
async def test_camera_without_pictures(
    hass: HomeAssistant, porch: PlayedCamera, models: Path, error: Exception | None
) -> None:
    porch.error, porch.pictures = error, (None,)
    result = await begin(hass)
    assert result["errors"] == {"camera": "no_picture"}
    porch.error, porch.pictures = None, (toys.portrait(),)
    result = await go_on(hass, result, {"camera": "camera.porch"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_reconfigured(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, local_accepted: None
) -> None:
    """A model that went is fetched again, and the camera may be another one; what it saw stays."""
    entry = (await go_on(hass, await begin(hass)))["result"]
    other = PlayedCamera(toys.portrait())
    other._attr_name, other._attr_unique_id = "Garden", "garden"
    await hass.data[DATA_COMPONENT].async_add_entities([other])
    (downloaded(hass) / "toy_far.onnx").unlink()
    result = await reconfigure(hass, entry)
    assert result["step_id"] == "camera"
    result = await go_on(hass, result, {"camera": "camera.garden"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert (downloaded(hass) / "toy_far.onnx").exists()
    await until(lambda: other.taken > 1)
    assert entry.unique_id.startswith("camera_")


async def watched(hass: HomeAssistant, publisher: Publisher) -> MockConfigEntry:
    """Watch the camera on the porch with models that were downloaded."""
    await (await async_get_local(hass)).async_accept(FILES)
    result = await begin(hass)
    if result["type"] is not FlowResultType.CREATE_ENTRY:
        result = await go_on(hass, result)
    return result["result"]


@pytest.mark.parametrize(
    ("content", "key"), [(None, "model_missing"), (b"something else", "model_damaged")], ids=["missing", "damaged"]
)
async def test_a_model_goes(
    hass: HomeAssistant,
    porch: PlayedCamera,
    publisher: Publisher,
    hass_client: ClientSessionGenerator,
    content: bytes | None,
    key: str,
) -> None:
    """An issue names it, nobody is recognised without it, and one press fetches it again."""
    entry = await watched(hass, publisher)
    file = downloaded(hass) / "toy_detector.onnx"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    await (await async_get_local(hass)).async_models_changed()
    await until(lambda: raised(hass, entry) == key)
    with pytest.raises(HomeAssistantError) as error:
        await look(hass)
    assert error.value.translation_key == key
    publisher.status = 503
    flow = await repair(hass, hass_client, key, entry)
    assert flow["errors"] == {"base": "cannot_fix"}
    publisher.status = None
    flow = await repair(hass, hass_client, key, entry)
    assert flow["type"] == "create_entry"
    await until(lambda: raised(hass, entry) is None)
    await look(hass)


async def test_a_model_goes_while_nobody_looks(hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher) -> None:
    """The next picture finds out."""
    entry = await watched(hass, publisher)
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "seen")
    (downloaded(hass) / "toy_embedder.onnx").unlink()
    # As after five minutes in which nobody came.
    await (await async_get_local(hass)).ask(lambda engine: engine.unload())
    await look(hass)
    await until(lambda: raised(hass, entry) == "model_missing")


async def test_a_model_that_is_not_free(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, hass_client: ClientSessionGenerator
) -> None:
    """Put there later: used only once the household has said that it may be."""
    entry = await watched(hass, publisher)
    description = {**toys.DESCRIPTIONS[1], "id": "mine", "noncommercial": True, "files": [{"name": "mine.onnx"}]}
    users_folder(hass).mkdir(parents=True)
    (users_folder(hass) / "models.json").write_text(json.dumps({"models": [description]}))
    (users_folder(hass) / "mine.onnx").write_bytes(toys.embedder())
    local = await async_get_local(hass)
    await local.async_models_changed()
    await until(lambda: raised(hass, entry) == "model_licence")
    # Another camera would be asked in its flow.
    result = await reconfigure(hass, entry)
    result = await go_on(hass, result, {"camera": "camera.porch"})
    assert result["step_id"] == "models"
    hass.config_entries.flow.async_abort(result["flow_id"])
    flow = await repair(hass, hass_client, "model_licence", entry)
    assert flow["type"] == "create_entry"
    await until(lambda: raised(hass, entry) is None)
    assert (await local.ask(lambda engine: engine.origin)).embedder == "mine"


async def test_a_model_that_is_none(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, hass_client: ClientSessionGenerator
) -> None:
    """The user's own, so only they can put it right."""
    entry = await watched(hass, publisher)
    users_folder(hass).mkdir(parents=True)
    (users_folder(hass) / "toy_embedder.onnx").write_bytes(b"no network")
    local = await async_get_local(hass)
    await local.async_models_changed()
    await until(lambda: raised(hass, entry) == "model_unusable")
    (users_folder(hass) / "toy_embedder.onnx").unlink()
    await local.async_models_changed()
    await until(lambda: raised(hass, entry) is None)


async def test_what_nobody_foresaw(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in the networks, the household hears that nobody is recognised, and when it is over."""
    entry = await watched(hass, publisher)
    local = await async_get_local(hass)
    with monkeypatch.context() as broken:
        broken.setattr(networks, "load", lambda *_: {}["unforeseen"])
        await local.async_models_changed()
        await until(lambda: raised(hass, entry) == "model_unusable")
    await local.async_models_changed()
    await until(lambda: raised(hass, entry) is None)


async def test_a_described_file_that_is_damaged(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher, hass_client: ClientSessionGenerator
) -> None:
    """A download would not help: the user's own file counts."""
    entry = await watched(hass, publisher)
    content = toys.embedder()
    described = {
        **toys.DESCRIPTIONS[1],
        "files": [{"name": "mine.onnx", "sha256": hashlib.sha256(content).hexdigest()}],
    }
    users_folder(hass).mkdir(parents=True)
    (users_folder(hass) / "models.json").write_text(json.dumps({"models": [described]}))
    (users_folder(hass) / "mine.onnx").write_bytes(content[:-1])
    await (await async_get_local(hass)).async_models_changed()
    await until(lambda: raised(hass, entry) == "model_damaged")
    flow = await repair(hass, hass_client, "model_damaged", entry)
    assert flow["errors"] == {"base": "cannot_fix"}


async def test_liveness_is_not_needed_in_mode_software(
    hass: HomeAssistant, porch: PlayedCamera, publisher: Publisher
) -> None:
    """Choosing that mode is a remedy of its own."""
    entry = await watched(hass, publisher)
    (downloaded(hass) / "toy_near.onnx").unlink()
    local = await async_get_local(hass)
    await local.async_models_changed()
    await until(lambda: raised(hass, entry) == "model_missing")
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.porch_recognition_mode", "option": Mode.SOFTWARE},
        blocking=True,
    )
    await until(lambda: raised(hass, entry) is None)
    await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
