"""Kinds of servers as data: what makes two the same, and what can go wrong before anybody is asked."""

import sys

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import pytest

from custom_components.face_access.hub.local import Local
from custom_components.face_access.hub.people import async_get_people
from custom_components.face_access.hub.server_people import async_rebuild
from custom_components.face_access.recognition.errors import (
    EngineAuthError,
    EngineError,
    EngineRefusedError,
    WorkerBusyError,
)
from custom_components.face_access.recognition.server_kind import FieldKind, usable_list
from custom_components.face_access.recognition.servers import SERVERS
from simulators.inference import SimulatedInferenceServer
from simulators.smartface import SimulatedSmartFace
from tests.conftest import settle

from .conftest import Start, add, begin, go_on

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


@pytest.mark.parametrize(("name", "good"), [("a", True), ("A_b-c.1", True), ("", False), ("a b", False), ("ü", False)])
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
