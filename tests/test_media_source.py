"""Sightings in the media browser, and their pictures for those alone who may see them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
import sqlite3
from typing import Any
from unittest.mock import patch

from aiohttp.test_utils import TestClient
from homeassistant.auth.models import User
from homeassistant.components import media_source
from homeassistant.components.media_player import BrowseError
from homeassistant.components.media_source import BrowseMediaSource, Unresolvable
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.face_access.access import Liveness, Pictures, Reason, Sighting, SightingKey, Verdict
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.history.store import History
from custom_components.face_access.hub.history.views import media_id
from custom_components.face_access.hub.house import async_get_history
from custom_components.face_access.media_source import PAGE
from simulators.terminal import SimulatedTerminal
from tests.conftest import SERIAL, until

ROOT = f"media-source://{DOMAIN}"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def picture(color: str = "red", side: int = 640) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (side, side), color).save(buffer, "JPEG")
    return buffer.getvalue()


FACE, SCENE = picture("red"), picture("blue", 800)


def seen(minute: int, *, source: str = "GATE", **facts: Any) -> Sighting:
    moment = NOON + timedelta(minutes=minute)
    made = Sighting(
        source=source,
        key=SightingKey(sequence=minute, captured=moment.isoformat()),
        captured_at=moment,
        realtime=True,
        pictures=Pictures(face=FACE),
    )
    return replace(made, **facts)


def known(minute: int, name: str | None = "Anna Berg", **facts: Any) -> Sighting:
    return seen(minute, person_id="7", person_name=name, score=91.5, verdict=Verdict.GRANTED, **facts)


@pytest.fixture
async def history(hass: HomeAssistant) -> AsyncIterator[History]:
    """A house in Berlin, before it has any station."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    for component in ("http", "media_source", DOMAIN):
        assert await async_setup_component(hass, component, {})
    return await async_get_history(hass)


@pytest.fixture(autouse=True)
def this_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """The year of the sightings, whichever it is when the tests run."""
    monkeypatch.setattr("custom_components.face_access.media_source._this_year", lambda: 2026)


async def browse(hass: HomeAssistant, path: str = "") -> BrowseMediaSource:
    found = await media_source.async_browse_media(hass, f"{ROOT}/{path}" if path else ROOT)
    assert isinstance(found, BrowseMediaSource)
    return found


def titles(folder: BrowseMediaSource) -> list[str]:
    return [child.title for child in folder.children or ()]


def identifiers(folder: BrowseMediaSource) -> list[str | None]:
    return [child.identifier for child in folder.children or ()]


async def test_the_ways_in(hass: HomeAssistant, history: History) -> None:
    root = await browse(hass)
    assert titles(root) == ["By day", "By device", "By person", "Strangers"]
    for child in root.children or ():
        assert titles(await browse(hass, child.identifier)) == []


async def test_by_day_in_the_time_of_the_house(hass: HomeAssistant, history: History) -> None:
    """What is still the first in UTC is the second in Berlin."""
    await history.add(known(0), live=True)
    await history.add(seen(11 * 60 + 30, verdict=Verdict.DENIED, refused=Reason.UNKNOWN), live=True)
    days = await browse(hass, "days")
    assert titles(days) == ["2026-11-02 (1)", "2026-11-01 (1)"]
    (tile,) = (await browse(hass, "days/2026-11-01")).children or ()
    assert tile.title == "13:00:00 · Anna Berg · GATE · Recognized"
    assert tile.can_play
    assert not tile.can_expand
    assert titles(await browse(hass, "days/2026-11-02")) == ["00:30:00 · GATE · Stranger"]
    assert titles(await browse(hass, "days/2026-11-03")) == []


async def test_a_clock_of_1970_has_its_day(hass: HomeAssistant, history: History) -> None:
    """Midnight in Berlin was in 1969 elsewhere."""
    await history.add(known(0, captured_at=datetime(1969, 12, 31, 23, tzinfo=UTC)), live=True)
    assert titles(await browse(hass, "days")) == ["1970-01-01 (1)"]
    for path in ("days/1970-01-01", "stations/GATE"):
        assert len(titles(await browse(hass, path))) == 1


async def test_by_station_and_person(hass: HomeAssistant, history: History) -> None:
    MockConfigEntry(domain=DOMAIN, title="Garden gate", unique_id="GATE").add_to_hass(hass)
    strange = "a/b %2F ../ä"
    await history.add(known(0), live=True)
    await history.add(known(1, "zoe", source="DOOR"), live=True)
    await history.add(known(2, strange, source="DOOR"), live=True)
    await history.add(known(3, None, source="DOOR"), live=True)
    await history.add(known(4, liveness=Liveness.SPOOF), live=True)
    await history.add(seen(5, refused=Reason.MASK, verdict=Verdict.DENIED), live=True)
    stations = await browse(hass, "stations")
    assert titles(stations) == ["DOOR (3)", "Garden gate (3)"]
    assert titles(await browse(hass, "stations/GATE")) == [
        "11-01 13:05 · Denied",
        "11-01 13:04 · Not a live face",
        "11-01 13:00 · Anna Berg · Recognized",
    ]
    people = await browse(hass, "people")
    assert titles(people) == ["7 (1)", f"{strange} (1)", "Anna Berg (1)", "zoe (1)"]
    found = await browse(hass, (people.children or [])[1].identifier or "")
    assert found.title == strange
    assert titles(found) == ["11-01 13:02 · DOOR · Recognized"]
    assert titles(await browse(hass, "strangers/all")) == [
        "11-01 13:05 · Garden gate · Denied",
        "11-01 13:04 · Garden gate · Not a live face",
    ]


async def test_another_years_sightings_say_so(
    hass: HomeAssistant, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.face_access.media_source._this_year", lambda: 2027)
    await history.add(known(2), live=True)
    (tile,) = (await browse(hass, "stations/GATE")).children or ()
    assert tile.title.startswith("2026-11-01 13:02 · Anna Berg")


async def test_a_name_is_cut_where_nothing_breaks(hass: HomeAssistant, history: History) -> None:
    name = "e\u0301" * 200
    await history.add(known(0, f"\u202e{name}\n"), live=True)
    (tile,) = (await browse(hass, "people")).children or ()
    shown = tile.title.removesuffix(" (1)")
    assert shown == "e\u0301" * 19 + "…"
    # Cut on the screen alone: the folder is still this person's.
    assert len(titles(await browse(hass, tile.identifier or ""))) == 1


async def test_thousands_come_in_pages(hass: HomeAssistant, history: History) -> None:
    """Each sighting once, though new ones come while somebody looks."""
    total = 2 * PAGE + 5
    for number in range(total):
        await history.add(known(number), live=True)
    found: list[str | None] = []
    path: str | None = "stations/GATE"
    pages = 0
    while path:
        folder = await browse(hass, path)
        await history.add(known(10_000 + pages), live=True)
        names = identifiers(folder)
        more = (folder.children or [])[-1]
        path = more.identifier if more.title == "Older" else None
        found += names[:-1] if path else names
        pages += 1
    assert pages == 3
    assert len(found) == len(set(found)) == total


async def test_days_come_in_pages(hass: HomeAssistant, history: History) -> None:
    for number in range(PAGE + 2):
        await history.add(known(number * 24 * 60), live=True)
    days = await browse(hass, "days")
    assert len(titles(days)) == PAGE + 1
    rest = await browse(hass, (days.children or [])[-1].identifier or "")
    assert titles(rest) == ["2026-11-02 (1)", "2026-11-01 (1)"]


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "days/today",
        "days/20261101",
        "days/0001-01-01",
        "days/9999-12-31",
        "days/2026-11-01/x",
        "days/2026-11-01/1/2",
        "stations/GATE/-1",
        "stations/GATE/" + "9" * 30,
        "strangers/some",
        "strangers",
        "sighting/1",
        "sighting/1-0000000000000000",
        "sighting/../../secrets.yaml",
    ],
)
async def test_what_is_not_there(hass: HomeAssistant, history: History, path: str) -> None:
    await history.add(known(0), live=True)
    with pytest.raises(BrowseError):
        await browse(hass, path)


@pytest.mark.parametrize("tail", ["", "/scene", "/thumbnail", "/scene/1"])
async def test_only_a_picture_that_is_there_is_played(hass: HomeAssistant, history: History, tail: str) -> None:
    await history.add(known(0, pictures=Pictures()), live=True)
    (past,) = await history.list(source=None)
    (tile,) = (await browse(hass, "days/2026-11-01")).children or ()
    assert not tile.can_play
    assert tile.thumbnail is None
    assert media_id(past) is None
    with pytest.raises(Unresolvable):
        await media_source.async_resolve_media(hass, f"{ROOT}/sighting/{past.reference}{tail}", None)
    with pytest.raises(Unresolvable):
        await media_source.async_resolve_media(hass, f"{ROOT}/days/2026-11-01", None)


async def test_a_broken_history_says_so(hass: HomeAssistant, history: History) -> None:
    await history.add(known(0), live=True)
    (past,) = await history.list(source=None)
    broken = sqlite3.OperationalError("disk")
    with patch.object(History, "sources", side_effect=broken), pytest.raises(BrowseError):
        await browse(hass, "stations")
    with patch.object(History, "find", side_effect=broken), pytest.raises(Unresolvable):
        await media_source.async_resolve_media(hass, media_id(past), None)


# The view


@pytest.fixture
async def client(hass: HomeAssistant, history: History, hass_client: ClientSessionGenerator) -> TestClient[Any, Any]:
    return await hass_client()


async def kept(history: History, sighting: Sighting) -> str:
    """Keep a sighting; the path of its pictures."""
    await history.add(sighting, live=True)
    (past, *_) = await history.list(source=None)
    return f"/api/{DOMAIN}/sighting/{past.reference}"


async def test_pictures_are_served_and_kept_by_nobody(client: TestClient[Any, Any], history: History) -> None:
    path = await kept(history, known(0, pictures=Pictures(face=FACE, scene=SCENE)))
    for part, content in (("face", FACE), ("scene", SCENE)):
        response = await client.get(f"{path}/{part}")
        assert response.status == 200
        assert await response.read() == content
        assert response.content_type == "image/jpeg"
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    small = await (await client.get(f"{path}/thumbnail")).read()
    with Image.open(BytesIO(small)) as opened:
        assert max(opened.size) <= 320


async def test_what_is_no_picture_runs_nowhere(client: TestClient[Any, Any], history: History) -> None:
    path = await kept(history, known(0, pictures=Pictures(face=b"<script>alert(1)</script>")))
    response = await client.get(f"{path}/thumbnail")
    assert response.content_type == "image/jpeg"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("change", ["guess", "part", "number", "gone", "none"])
async def test_nothing_is_found_by_guessing(client: TestClient[Any, Any], history: History, change: str) -> None:
    pictures = Pictures() if change == "none" else Pictures(face=FACE)
    path = await kept(history, known(0, pictures=pictures))
    good, tail = path, "face"
    match change:
        case "guess":
            path = path[:-1] + ("0" if path[-1] != "0" else "1")
        case "part":
            tail = "template"
        case "number":
            path = path.rpartition("-")[0]
        case "gone":
            await history.forget("GATE")
            # A number is never given again: what it named stays gone.
            assert await kept(history, known(0)) != good
    assert (await client.get(f"{path}/{tail}")).status == 404


async def test_strangers_to_the_house_get_nothing(
    history: History, hass_client_no_auth: ClientSessionGenerator
) -> None:
    path = await kept(history, known(0))
    client = await hass_client_no_auth()
    for part in ("face", "scene", "thumbnail"):
        assert (await client.get(f"{path}/{part}")).status == 401


async def test_a_broken_history_is_no_missing_picture(client: TestClient[Any, Any], history: History) -> None:
    path = await kept(history, known(0))
    with patch.object(History, "picture", side_effect=sqlite3.OperationalError("disk")):
        assert (await client.get(f"{path}/face")).status == 503


# The whole way, with a terminal


async def test_from_the_terminal_to_the_browser(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """A face is pushed, browsed by its person, and its picture opened by the signed address alone."""
    assert await async_setup_component(hass, "media_source", {})
    capture = await terminal.present_known("0001")
    assert capture is not None
    await capture.wait()
    history = entry.runtime_data.history
    await until(lambda: entry.runtime_data.last_sighting)
    (past,) = await history.list(source=SERIAL)
    websocket = await hass_ws_client()
    await websocket.send_json_auto_id({"type": "media_source/browse_media", "media_content_id": f"{ROOT}/people"})
    (person,) = (await websocket.receive_json())["result"]["children"]
    await websocket.send_json_auto_id(
        {"type": "media_source/browse_media", "media_content_id": person["media_content_id"]}
    )
    (tile,) = (await websocket.receive_json())["result"]["children"]
    assert tile["media_content_id"] == media_id(past)
    await websocket.send_json_auto_id({"type": "media_source/resolve_media", "media_content_id": media_id(past)})
    resolved = (await websocket.receive_json())["result"]
    assert resolved["mime_type"] == "image/jpeg"
    client = await hass_client_no_auth()
    assert await (await client.get(resolved["url"])).read() == await history.picture(past.id)
    assert (await client.get(resolved["url"].partition("?")[0])).status == 401


async def test_a_user_who_may_not_see_the_station(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    hass_read_only_user: User,
    hass_read_only_access_token: str,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
) -> None:
    await history.add(known(0, source=SERIAL), live=True)
    (past,) = await history.list(source=None)
    client = await hass_client(hass_read_only_access_token)
    path = f"/api/{DOMAIN}/sighting/{past.reference}/face"
    websocket = await hass_ws_client(hass, hass_read_only_access_token)
    message = {"type": "media_source/browse_media", "media_content_id": f"{ROOT}/days"}

    async def may() -> tuple[bool, bool]:
        await websocket.send_json_auto_id(dict(message))
        return (await client.get(path)).status == 200, (await websocket.receive_json())["success"]

    assert await may() == (True, True)
    hass_read_only_user.mock_policy({})
    assert await may() == (False, False)
    # What no device of ours saw is an administrator's alone.
    hass_read_only_user.mock_policy({"entities": True})
    assert await may() == (True, True)
    await history.add(known(1, source="GONE"), live=True)
    path = path.replace(past.reference, (await history.list(source="GONE"))[0].reference)
    assert await may() == (False, False)


async def test_both_pictures_of_a_sighting(hass: HomeAssistant, history: History) -> None:
    await history.add(known(0, pictures=Pictures(face=FACE, scene=SCENE)), live=True)
    (tile,) = (await browse(hass, "people/Anna%20Berg")).children or ()
    assert tile.can_play
    assert tile.can_expand
    both = await browse(hass, tile.identifier or "")
    assert titles(both) == ["Close-up", "Whole scene"]
    for child, tail in zip(both.children or (), ("face", "scene"), strict=True):
        play = await media_source.async_resolve_media(hass, child.media_content_id, None)
        assert play.url.endswith(f"/{tail}")
        assert play.mime_type == "image/jpeg"
