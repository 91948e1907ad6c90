"""Kinds of servers as data: what makes two the same, and what can go wrong before anybody is asked."""

import io
import sys
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from PIL import Image, ImageEnhance
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Similarity
from custom_components.face_access.hub.local.engine import Local
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.hub.servers.people import async_rebuild
from custom_components.face_access.recognition.errors import (
    EngineAuthError,
    EngineError,
    EngineRefusedError,
    PhotoRefusedError,
    WorkerBusyError,
)
from custom_components.face_access.recognition.interface import Member
from custom_components.face_access.recognition.servers.kind import FieldKind, usable_list
from custom_components.face_access.recognition.servers.table import SERVERS
from custom_components.face_access.recognition.terms import FaceLiveness
from simulators._smartface import operations
from simulators._terminal import pictures
from simulators.inference import SimulatedInferenceServer
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.smartface import SimulatedSmartFace
from tests.conftest import settle

from .conftest import Start, add, begin, go_on
from .test_people import name_somebody, synced

SCANS = {
    "compare_url": "http://127.0.0.1:1",
    "records_url": "http://127.0.0.1:1",
    "authorize_url": "http://127.0.0.1:1/auth",
    "token_url": "http://127.0.0.1:1/token",
}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_kind_is_whole(kind: str) -> None:
    """What it needs can be asked for, what is secret is asked for again, and consent is given by hand."""
    found = SERVERS[kind]
    assert found.name
    assert found.maker
    keys = [field.key for field in found.fields]
    assert len(keys) == len(set(keys))
    for field in found.fields:
        assert (field.kind is FieldKind.CHOICE) == bool(field.options)
        assert field.kind is not FieldKind.SECRET or (field.login and not field.place and field.default is None)
        assert not field.consent or (field.kind is FieldKind.TOGGLE and field.default is False)
    assert found.leaves_house == any(field.consent for field in found.fields)
    assert found.probe_every.total_seconds() >= 60


def test_a_place_has_no_secret() -> None:
    """It becomes the unique id of an entry."""
    values = {"url": "http://a/", "watchlist": "w", "token": "secret", "client_secret": "secret"}
    assert SERVERS["smartface"].place(values) == "http://a|w"


@pytest.mark.parametrize(
    ("name", "good"), [("a", True), ("A_b-c.1", True), ("", False), ("a b", False), ("..", False), ("a..", True)]
)
def test_names_of_lists(name: str, good: bool) -> None:
    assert usable_list(name) is good
    assert usable_list("a" * 101) is False


async def test_the_face_scan_service_before_anybody_signed_in(hass: HomeAssistant) -> None:
    """No request without a token, and nothing is changed that the service writes by itself."""
    made = SERVERS["face_scan"].make(async_get_clientsession(hass), SCANS, None)
    with pytest.raises(EngineAuthError):
        await made.engine.probe()
    assert made.scans is not None
    with pytest.raises(EngineRefusedError):
        await made.scans.update("00000000-0000-4000-8000-000000000000", {"id": "another"})


async def test_a_house_without_numpy(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form says no, and does not break."""
    monkeypatch.setitem(sys.modules, "custom_components.face_access.recognition.inference", None)
    made = SERVERS["inference"].make(async_get_clientsession(hass), {"url": "http://127.0.0.1:1"}, None)
    with pytest.raises(EngineError):
        await made.engine.probe()


async def test_recognition_that_is_too_busy(
    hass: HomeAssistant, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server for networks is tried again later."""

    async def busy(_local: Local, _networks: object) -> None:
        raise WorkerBusyError("busy")

    with SimulatedInferenceServer({}) as server:
        entry = await add(hass, "inference", url=server.url)
        assert await hass.config_entries.async_unload(entry.entry_id)
        with monkeypatch.context() as patched:
            patched.setattr(Local, "async_use", busy)
            assert not await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        await settle(hass)


async def test_nothing_to_rebuild(hass: HomeAssistant, started: Start) -> None:
    """A server that removes people by itself is left as it is."""
    server = await started(SimulatedSmartFace())
    entry = await add(hass, "smartface", url=server.url)
    before = len(server.requests)
    await async_rebuild(await async_get_people(hass), entry.runtime_data)
    assert len(server.requests) == before


async def test_spaces_are_no_address(hass: HomeAssistant, web: str) -> None:
    """A field that is needed and holds nothing but spaces."""
    flow = await go_on(hass, await begin(hass, "smartface"), url="   ")
    assert flow["errors"] == {"url": "missing"}


@pytest.mark.parametrize(
    ("choice", "detectors"),
    [
        ("distant", ["liveness_distant_cpu_remote"]),
        ("nearby", ["liveness_nearby_cpu_remote"]),
        ("both", ["liveness_distant_cpu_remote", "liveness_nearby_cpu_remote"]),
    ],
)
async def test_what_checks_for_live_faces(
    hass: HomeAssistant,
    smartface: SimulatedSmartFace,
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    detectors: list[str],
) -> None:
    """The server is asked for the detectors that were chosen, and its word counts."""
    asked: list[list[str]] = []
    check = operations.liveness.check

    def noted(seen: Any, wanted: list[str], config: Any) -> dict[str, Any]:
        asked.append(wanted)
        return check(seen, wanted, config)

    monkeypatch.setattr(operations.liveness, "check", noted)
    entry = await add(hass, "smartface", url=smartface.url, liveness_for=choice)
    liveness = entry.runtime_data.engine.liveness
    assert (await liveness.check(pictures.panorama("anna"))).state is FaceLiveness.LIVE
    assert (await liveness.check(pictures.panorama("anna", photo=True))).state is FaceLiveness.SPOOF
    assert asked == [detectors, detectors]


@pytest.mark.parametrize("checks", [True, False])
async def test_limits_of_the_server_for_photos(hass: HomeAssistant, started: Start, checks: bool) -> None:
    """From 4.29 on it refuses weak photos, unless it is told not to."""
    server = await started(SimulatedSmartFace(version="4.29"))
    entry = await add(hass, "smartface", url=server.url, check_photos=checks)
    image = Image.open(io.BytesIO(pictures.panorama("anna")))
    weak = io.BytesIO()
    ImageEnhance.Contrast(image).enhance(0.3).save(weak, "JPEG", quality=95)
    put = entry.runtime_data.engine.register.put(Member(key="anna", name="Anna"), (weak.getvalue(),))
    if checks:
        with pytest.raises(PhotoRefusedError):
            await put
    else:
        await put
    assert ("anna" in server.members) is not checks


@pytest.mark.parametrize(("several", "path"), [(True, "/multi-face-search"), (False, "/face-search")])
async def test_one_face_or_several(hass: HomeAssistant, opencv: SimulatedOpenCvFr, several: bool, path: str) -> None:
    """Which of its two searches is asked."""
    entry = await add(hass, "opencv_fr", url=opencv.url, api_key=opencv.api_key, several_faces=several)
    await entry.runtime_data.engine.search.search(pictures.panorama("anna"), Similarity.NORMAL)
    searched = [where for _, where, _ in opencv.requests if "search" in where]
    assert searched == [path]


async def test_what_engines_say_of_themselves(
    hass: HomeAssistant, smartface_entry: MockConfigEntry, opencv_entry: MockConfigEntry, kby_entry: MockConfigEntry
) -> None:
    """The flags are what the answers have, and what the diagnostics name."""
    people = await async_get_people(hass)
    await name_somebody(people, "anna")
    anna = pictures.panorama("anna")
    for entry in (smartface_entry, opencv_entry, kby_entry):
        engine = entry.runtime_data.engine
        compared = await engine.verify.verify(anna, anna, Similarity.NORMAL)
        assert (compared.score is not None) is engine.verify_score
        face = compared.first
        if engine.search is not None:
            await synced(people, entry)
            (face,) = await engine.search.search(anna, Similarity.NORMAL)
            assert (face.matches[0].group is not None) is engine.groups
        assert (face.box is not None) is engine.boxes
        register = engine.register
        for name in ("lists", "deletes"):
            assert (name in engine.capabilities) is (register is not None and getattr(register, name))
    assert smartface_entry.runtime_data.engine.capabilities >= {"boxes", "deletes", "groups", "lists", "verify_score"}
