"""Face recognition, exactly as documented: who has autostart, who has 3D, and what is written."""

from typing import Any

import pytest

from custom_components.face_access.access import Similarity
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.faces import FaceMode, FaceSettings, available_modes
from custom_components.face_access.devices.panel.info import parse_info

from .conftest import INFO, Running, ScriptedPanel

PATH = "/access/general/facerecognition"
AA = parse_info(INFO)
BI = parse_info({**INFO, "device_model": "bi06fb"})
OLD_BI = parse_info({**INFO, "device_model": "bi06fb", "api_version": "2.0.0"})
ALONE = parse_info({**INFO, "device_model": "av08fb"})
ALL = tuple(FaceMode)


async def test_an_aa_panel(running: Running) -> None:
    pair = await running("AA-12FB")
    assert await pair.client.faces.read() == FaceSettings(
        enabled=False, similarity=Similarity.LOW, mode=FaceMode.HARDWARE, autostart=True, modes=ALL, told="3D"
    )
    await pair.client.faces.write(enabled=True, similarity=Similarity.HIGH, mode=FaceMode.ANTISPOOFING, autostart=False)
    assert await pair.client.faces.read() == FaceSettings(
        enabled=True,
        similarity=Similarity.HIGH,
        mode=FaceMode.ANTISPOOFING,
        autostart=False,
        modes=ALL,
        told="antispoofing",
    )
    # What was not asked for stays.
    await pair.client.faces.write(similarity=Similarity.NORMAL)
    assert (await pair.client.faces.read()).enabled is True


@pytest.mark.parametrize("model", ["BI-06FB", "AV-08FB"])
async def test_panels_without_autostart(running: Running, model: str) -> None:
    pair = await running(model)
    await pair.client.faces.write(enabled=True, similarity=Similarity.HIGH)
    faces = await pair.client.faces.read()
    assert (faces.enabled, faces.similarity, faces.autostart) == (True, Similarity.HIGH, None)
    with pytest.raises(InvalidValueError):
        await pair.client.faces.write(autostart=True)


async def test_an_individual_panel_has_no_3d(running: Running) -> None:
    pair = await running("AV-08FB")
    assert (await pair.client.faces.read()).modes == (FaceMode.SOFTWARE, FaceMode.ANTISPOOFING)
    with pytest.raises(InvalidValueError):
        await pair.client.faces.write(mode=FaceMode.HARDWARE)
    assert pair.panel.count("POST", PATH) == 0


async def test_an_individual_panel_that_stands_on_3d(running: Running) -> None:
    pair = await running("AV-08FB")
    pair.panel.settings.values["face"]["mode"] = "3D"
    await pair.client.faces.write(enabled=True)
    assert (await pair.client.faces.read()).mode is FaceMode.SOFTWARE


@pytest.mark.parametrize("model", ["AA-07", "AV-03BD"])
async def test_panels_without_faces(running: Running, model: str) -> None:
    pair = await running(model)
    with pytest.raises(StationUnsupportedError):
        await pair.client.faces.read()
    with pytest.raises(StationUnsupportedError):
        await pair.client.faces.write(enabled=True)
    pair.panel.clear_violations()


@pytest.mark.parametrize(
    ("raw", "info", "modes"),
    [
        ({"available_modes": ["software", "3D", "antispoofing"]}, AA, ALL),
        ({"available_modes": ["antispoofing", "software"]}, AA, (FaceMode.SOFTWARE, FaceMode.ANTISPOOFING)),
        ({}, AA, ALL),
        ({}, BI, ALL),
        ({}, OLD_BI, (FaceMode.SOFTWARE, FaceMode.HARDWARE)),
        ({"available_modes": ["software", "3D"]}, ALONE, (FaceMode.SOFTWARE,)),
        ({"available_modes": "software"}, AA, ALL),
        ({"available_modes": [None, 5]}, AA, ALL),
    ],
)
def test_available_modes(raw: dict[str, Any], info: Any, modes: tuple[FaceMode, ...]) -> None:
    assert available_modes(raw, info) == modes


async def test_what_an_aa_panel_is_written(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on(f"GET {PATH}", (200, {"enable": True, "similarity": "low", "mode": "software"}))
    scripted.on(f"POST {PATH}", (200, ""))
    await client.faces.write(similarity=Similarity.HIGH)
    assert scripted.of(PATH)[-1].json == {"enable": True, "similarity": "high", "mode": "software", "autostart": False}


async def test_what_a_bi_panel_is_written(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /api/info", (200, {**INFO, "device_model": "bi06fb"}))
    scripted.on(f"GET {PATH}", (200, {"enable": True, "similarity": "low", "mode": "software", "autostart": True}))
    scripted.on(f"POST {PATH}", (200, ""))
    await client.faces.write(enabled=False)
    assert scripted.of(PATH)[-1].json == {"enable": False, "similarity": "low", "mode": "software"}


@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        (400, "Wrong JSON body", StationRefusedError, "wrong_body"),
        (400, "Wrong JSON body: no value for `autostart`", StationRefusedError, "missing_field"),
        (400, "Wrong JSON body: value `enable` was of the wrong type", StationRefusedError, "wrong_type"),
        (
            400,
            "Wrong similarity field=x. Available values: [low, normal, high]",
            StationRefusedError,
            "wrong_similarity",
        ),
        (400, "Wrong mode field=antispoofing. Available values: [software, 3D]", StationRefusedError, "wrong_mode"),
        (403, "Administrator rights required", StationForbiddenError, None),
        (404, "This feature is disabled on your device", StationUnsupportedError, None),
    ],
)
async def test_refusals(
    scripted: ScriptedPanel, client: PanelClient, status: int, error: str, kind: type[StationError], code: str | None
) -> None:
    scripted.on(f"GET {PATH}", (200, {"enable": True, "similarity": "low", "mode": "3D", "autostart": True}))
    scripted.on(f"POST {PATH}", (status, {"error": error}))
    with pytest.raises(kind) as raised:
        await client.faces.write(enabled=False)
    assert getattr(raised.value, "code", None) == code


@pytest.mark.parametrize("raw", [{}, {"enable": True}, {"enable": True, "similarity": "odd", "mode": "software"}])
async def test_nothing_is_written_over_what_was_not_told(
    scripted: ScriptedPanel, client: PanelClient, raw: dict[str, Any]
) -> None:
    scripted.on(f"GET {PATH}", (200, raw))
    with pytest.raises(StationProtocolError):
        await client.faces.write(autostart=True)


async def test_a_mode_of_later_firmware_is_kept(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on(f"GET {PATH}", (200, {"enable": True, "similarity": "low", "mode": "hybrid", "autostart": True}))
    scripted.on(f"POST {PATH}", (200, ""))
    await client.faces.write(enabled=False)
    assert scripted.of(PATH)[-1].json["mode"] == "hybrid"


def test_a_mode_that_is_not_known_is_not_written() -> None:
    with pytest.raises(StationProtocolError):
        FaceSettings(enabled=True, similarity=Similarity.LOW).body(AA)
