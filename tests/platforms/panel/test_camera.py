"""The eye of panels: photos in whatever format they come, and a stream where there is one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from homeassistant.components.camera import CameraEntityFeature, async_get_image, async_get_stream_source
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.devices.panel import capabilities
from custom_components.face_access.hub.stream import async_answers
from simulators.panel import SimulatedPanel
from tests.conftest import free_port, settle, until
from tests.panels import add_panel

from .conftest import Find

CAMERA = "camera.gate_camera"
RTSP = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, PLAY\r\n\r\n"


@asynccontextmanager
async def answering(answer: bytes, heard: list[bytes]) -> AsyncIterator[int]:
    """Serve one answer to whoever comes; the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    ("panel_model", "content_type"),
    [("AA-12FB", "image/webp"), ("AV-08FB", "image/jpeg"), ("AV-03BD", "image/webp")],
)
async def test_photo(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, content_type: str
) -> None:
    """All panels say JPEG; one of these sends base64."""
    image = await async_get_image(hass, CAMERA)
    assert image.content_type == content_type
    assert image.content[:2] in (b"RI", b"\xff\xd8")
    assert len(panel.camera.taken) == 1


async def test_no_photo(hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel) -> None:
    await panel.fail("/photo/file", 404)
    with pytest.raises(HomeAssistantError):
        await async_get_image(hass, CAMERA)


async def test_a_stream_is_offered_where_somebody_serves_one(
    hass: HomeAssistant,
    web: str,
    panel: SimulatedPanel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[bytes] = []
    panel.settings.values["/device/settings/rtsp"].update(username="viewer", password="s:cret/1")
    async with answering(RTSP, heard) as port:
        monkeypatch.setattr(capabilities, "STREAM_PORT", port)
        await add_panel(hass, panel)
        await until(lambda: hass.states.get(CAMERA).attributes["supported_features"] & CameraEntityFeature.STREAM)
    assert heard[0].startswith(f"OPTIONS rtsp://127.0.0.1:{port}/ch01 RTSP/1.0".encode())
    assert b"cret" not in heard[0]
    assert await async_get_stream_source(hass, CAMERA) == f"rtsp://viewer:s%3Acret%2F1@127.0.0.1:{port}/ch01"
    assert "cret" not in caplog.text
    assert "cret" not in str(hass.states.async_all())


async def test_a_stream_elsewhere_is_an_option(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel
) -> None:
    """The panel's own: ports and paths of most models are in no document."""
    flow = await hass.config_entries.options.async_init(panel_entry.entry_id)
    fields = {str(key): value for key, value in flow["data_schema"].schema.items()}
    given = {key: value for key, value in flow["data_schema"]({}).items() if key in fields}
    port = int(panel.stream.url.rpartition(":")[2].partition("/")[0])
    await hass.config_entries.options.async_configure(
        flow["flow_id"], {**given, "stream_port": port, "stream_path": "ch01"}
    )
    await until(lambda: hass.states.get(CAMERA).attributes.get("supported_features") == CameraEntityFeature.STREAM)
    assert await async_get_stream_source(hass, CAMERA) == panel.stream.url


async def test_no_stream_is_offered_where_nobody_serves_one(
    hass: HomeAssistant, web: str, panel: SimulatedPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stills are there all the same."""
    monkeypatch.setattr(capabilities, "STREAM_PORT", free_port())
    await add_panel(hass, panel)
    await settle(hass)
    assert not hass.states.get(CAMERA).attributes["supported_features"]
    assert (await async_get_image(hass, CAMERA)).content


async def test_a_panel_that_does_not_tell_who_may_watch(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, find: Find
) -> None:
    await panel.fail("/device/settings/rtsp", 404)
    assert await async_get_stream_source(hass, find("camera", "camera")) is None


@pytest.mark.parametrize("answer", [b"", b"RT", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_another_server_is_no_stream(socket_enabled: None, answer: bytes) -> None:
    async with answering(answer, []) as port:
        assert not await async_answers(f"rtsp://127.0.0.1:{port}/ch01")


async def test_nobody_is_no_stream(socket_enabled: None) -> None:
    assert not await async_answers(f"rtsp://127.0.0.1:{free_port()}/ch01")
