"""A camera that looks at a door: it opens for a live, recognised, permitted person, and never by mistake."""

from dataclasses import replace
from datetime import datetime, timedelta
import sqlite3
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.face_access.access import Role
from custom_components.face_access.hub.cameras import watched
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile
from simulators.terminal import SimulatedTerminal
from tests.conftest import SERIAL, set_policy, settle, until
from tests.recognition import toys
from tests.test_condition import ask

from .conftest import ALICE, CAROL, PlayedCamera, has_seen, look, preferring

DOOR = f"{SERIAL}_1"
ALICE_COMES = toys.portrait((ALICE, 20, 10))
FACE = "event.porch_face"


@pytest.fixture
async def door(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, camera_entry: MockConfigEntry
) -> MockConfigEntry:
    """The camera, told to open the terminal's door; it looks only when it is asked to."""
    await preferring(
        hass, camera_entry, door=DOOR, door_mode="open", settings={"autostart": False}, frames_per_second=5
    )
    return camera_entry


async def decided(hass: HomeAssistant, porch: PlayedCamera, picture: bytes = ALICE_COMES) -> tuple[str, str | None]:
    """Let somebody come before the camera: what the event says of them."""
    porch.pictures = (picture,)
    await look(hass)
    await until(lambda: hass.states.get(FACE).state != "unknown")
    await settle(hass)
    said = hass.states.get(FACE).attributes
    return said["verdict"], said["reason"]


async def test_opens(
    hass: HomeAssistant, door: MockConfigEntry, porch: PlayedCamera, terminal: SimulatedTerminal, alice: Profile
) -> None:
    """Once, for as long as somebody stands there; the door's own entities know of it, and the logbook says who."""
    told = async_capture_events(hass, "face_access_decided")
    assert await decided(hass, porch) == ("granted", None)
    await until(lambda: len(terminal.openings) == 1)
    assert hass.states.get("lock.front_door_door").state == "open"
    await until(lambda: told)
    assert (told[0].data["name"], told[0].data["person"], told[0].data["granted"]) == ("Porch", "Alice", True)
    await look(hass)
    await settle(hass)
    assert len(terminal.openings) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"door_mode": "notify_only"}, ("none", None)),
        ({"door_mode": "never"}, ("denied", "policy")),
        ({"minimum_score": 100.5}, ("denied", "similarity")),
        ({"second_factors": ["credential"]}, ("denied", "second_factor")),
        ({"settings": {"autostart": False, "recognition_mode": "software"}}, ("denied", "liveness")),
        ({"door": "gone_1"}, ("denied", "device")),
        ({"door": f"{SERIAL}_4"}, ("denied", "device")),
    ],
)
async def test_does_not_open(
    hass: HomeAssistant,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    options: dict[str, object],
    expected: tuple[str, str | None],
) -> None:
    """By preference of the household, or because that door is not there."""
    await preferring(hass, door, **options)
    assert await decided(hass, porch) == expected
    assert terminal.openings == []


async def test_nothing_is_chosen(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    camera_entry: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
) -> None:
    """By default a door is told of, at most."""
    await preferring(hass, camera_entry, settings={"autostart": False})
    assert await decided(hass, porch) == ("none", None)
    await preferring(hass, camera_entry, door=DOOR)
    assert await decided(hass, porch) == ("none", None)
    assert terminal.openings == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"enabled": False}, "disabled"),
        ({"role": "blocked"}, "blocked"),
        ({"valid_until": dt_util.utcnow() - timedelta(days=1)}, "expired"),
        ({"doors": frozenset({f"{SERIAL}_2"})}, "not_permitted"),
        ({"schedule": "schedule.never"}, "schedule"),
    ],
)
async def test_not_for_everybody(
    hass: HomeAssistant,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    changes: dict[str, object],
    reason: str,
) -> None:
    people = await async_get_people(hass)
    if "role" in changes:
        changes = {"role": Role(changes["role"])}
    await people.async_update(replace(people.store.profiles["alice"], **changes))
    assert await decided(hass, porch) == ("denied", reason)
    assert terminal.openings == []


@pytest.mark.parametrize(
    ("picture", "kind"),
    [(toys.portrait((CAROL, 20, 10)), "stranger"), (toys.portrait((ALICE, 20, 10), light=60), "spoof")],
    ids=["stranger", "spoof"],
)
async def test_not_for_strangers_and_photos(
    hass: HomeAssistant,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    picture: bytes,
    kind: str,
) -> None:
    porch.pictures = (picture,)
    await look(hass)
    await has_seen(hass, kind)
    await settle(hass)
    assert terminal.openings == []


async def test_somebody_was_removed(
    hass: HomeAssistant, door: MockConfigEntry, porch: PlayedCamera, terminal: SimulatedTerminal, alice: Profile
) -> None:
    """And the gallery still knows them: nobody's door."""
    await (await async_get_people(hass)).async_remove("alice")
    assert await decided(hass, porch) == ("denied", "unknown")
    assert terminal.openings == []


async def test_a_picture_that_stands_still(
    hass: HomeAssistant, door: MockConfigEntry, porch: PlayedCamera, terminal: SimulatedTerminal, alice: Profile
) -> None:
    """A camera that hangs shows for ever who was there once: one picture agrees with itself alone."""
    porch.frozen = True
    assert await decided(hass, porch) == ("denied", "unknown")
    assert porch.taken >= 3
    assert hass.states.get(FACE).attributes["person"] is None
    for _ in range(2):
        await look(hass)
        await settle(hass)
    assert terminal.openings == []


@pytest.mark.parametrize("repeats", [2, 3])
async def test_every_picture_twice(
    hass: HomeAssistant,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    repeats: int,
) -> None:
    """A camera that gives the picture of before until it has a new one opens once, as every other."""
    porch.repeats = repeats
    assert await decided(hass, porch) == ("granted", None)
    await until(lambda: len(terminal.openings) == 1)
    await look(hass)
    await settle(hass)
    assert len(terminal.openings) == 1


async def test_a_picture_that_was_long_on_its_way(
    hass: HomeAssistant, door: MockConfigEntry, porch: PlayedCamera, terminal: SimulatedTerminal, alice: Profile
) -> None:
    """Whoever stood there may be gone."""
    eye = door.runtime_data.station.lookout._eye
    offer = eye.offer

    def late(content: bytes, captured_at: datetime, *, on_motion: bool) -> None:
        offer(content, captured_at - timedelta(seconds=12), on_motion=on_motion)

    with patch.object(eye, "offer", late):
        assert await decided(hass, porch) == ("denied", "stale")
    assert terminal.openings == []


async def test_the_condition_tells_the_cameras_own_choice(
    hass: HomeAssistant, entry: MockConfigEntry, door: MockConfigEntry
) -> None:
    """Whatever the door's device does with the faces that it sees itself."""
    set_policy(hass, entry, door_mode="never")
    target = {"entity_id": [FACE, "switch.porch_face_recognition"]}
    assert await ask(hass, "door_policy", target, policy="open", behavior="all")
    assert not await ask(hass, "door_policy", target, policy=["never", "notify_only"])


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({"door_mode": "never"}, ("denied", "policy")),
        ({"second_factors": ["presence"]}, ("denied", "second_factor")),
        ({"door_mode": "notify_only"}, ("granted", None)),
        # Another door's.
        ({"door": 2, "door_mode": "never"}, ("granted", None)),
        # Another scale.
        ({"minimum_score": 100.5}, ("granted", None)),
    ],
)
async def test_what_the_door_asks_for_counts_too(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    theirs: dict[str, object],
    expected: tuple[str, str | None],
) -> None:
    """A camera is no way around it."""
    set_policy(hass, entry, **theirs)
    assert await decided(hass, porch) == expected
    await settle(hass)
    assert bool(terminal.openings) is (expected[0] == "granted")


async def test_the_door_is_away(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It could not be asked to open: the log says so."""
    await terminal.cut_network()
    await decided(hass, porch)
    await until(lambda: "did not open its door" in caplog.text)
    await terminal.restore_network()
    assert terminal.openings == []


async def test_the_disk_is_full(
    hass: HomeAssistant, door: MockConfigEntry, porch: PlayedCamera, terminal: SimulatedTerminal, alice: Profile
) -> None:
    """What cannot be stored opens nothing."""
    with patch.object(door.runtime_data.history, "add", side_effect=sqlite3.OperationalError("full")):
        assert await decided(hass, porch) == ("denied", "not_stored")
    assert terminal.openings == []


async def test_the_door_goes_while_it_is_to_be_opened(
    hass: HomeAssistant, door: MockConfigEntry, porch: PlayedCamera, terminal: SimulatedTerminal, alice: Profile
) -> None:
    opens = watched.Watched._open

    async def too_late(self: watched.Watched, name: str) -> None:
        with patch.object(watched, "async_find", return_value=None):
            await opens(self, name)

    with patch.object(watched.Watched, "_open", too_late):
        assert await decided(hass, porch) == ("granted", None)
    assert terminal.openings == []
