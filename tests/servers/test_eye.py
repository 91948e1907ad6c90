"""A server as an eye: one frame under way, the newest waits, errors make it pause, and what is left is told."""

import asyncio
from dataclasses import replace
from itertools import count
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Sighting, Similarity
from custom_components.face_access.hub.cameras import server_eye
from custom_components.face_access.hub.cameras.server_eye import ServerEye, Wish
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.recognition.errors import (
    EngineError,
    EngineProtocolError,
    EngineUnreachableError,
    PhotoRefusedError,
    PictureError,
    RecognitionError,
)
from custom_components.face_access.recognition.interface import Judgement, Match, Score, SeenFace
from custom_components.face_access.recognition.pace import Rule
from custom_components.face_access.recognition.servers.vote import ServerTracker
from custom_components.face_access.recognition.terms import Box, FaceLiveness
from simulators._sight import next_picture
from simulators._terminal import pictures
from tests.conftest import settle, until

from .test_people import name_somebody, synced

ANNA = pictures.panorama("anna")


class Searching:
    """A search that a test answers."""

    thresholds: dict[Similarity, float] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, Similarity, bool]] = []
        self.answer: tuple[SeenFace, ...] | RecognitionError = ()
        self.open = asyncio.Event()
        self.open.set()

    async def search(self, picture: bytes, similarity: Similarity, *, liveness: bool = False, limit: int = 3) -> Any:
        self.asked.append((picture, similarity, liveness))
        await self.open.wait()
        if isinstance(self.answer, RecognitionError):
            raise self.answer
        return self.answer


class Looking:
    """An eye, and what it says."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, people: Any) -> None:
        self.hass = hass
        self.sightings: list[Sighting] = []
        self.troubles: list[RecognitionError | None] = []
        self.checks = 0
        self.numbers = count()
        self.search = Searching()
        coordinator = entry.runtime_data
        coordinator.engine = replace(coordinator.engine, search=self.search)
        self.wish = Wish(similarity=Similarity.HIGH, antispoofing=True)
        self.eye = ServerEye(
            hass,
            entry.entry_id,
            people.store,
            "porch",
            wish=lambda: self.wish,
            report=self.sightings.append,
            trouble=self.troubles.append,
            check_soon=self._check,
        )

    def _check(self) -> None:
        self.checks += 1

    def offer(self, content: bytes | None = None, *, on_motion: bool = False) -> None:
        """Show this picture, or another of Anna."""
        self.eye.offer(self.taken() if content is None else content, dt_util.utcnow(), on_motion=on_motion)

    def taken(self, content: bytes = ANNA) -> bytes:
        """A picture as a camera takes it: no two in a row are the same."""
        return next_picture(content, next(self.numbers) % 16)

    async def show(self, *contents: bytes) -> None:
        for content in contents or (ANNA,):
            asked = len(self.search.asked)
            self.offer(self.taken(content))
            await until(lambda before=asked: len(self.search.asked) > before)
            await settle(self.hass)


@pytest.fixture
async def looking(hass: HomeAssistant, smartface_entry: MockConfigEntry) -> Looking:
    return Looking(hass, smartface_entry, await async_get_people(hass))


def face(key: str | None = None, box: Box | None = None) -> SeenFace:
    score = Score(value=80, maximum=100, threshold=40)
    matches = () if key is None else (Match(key=key, score=score),)
    return SeenFace(matches=matches, liveness=Judgement(state=FaceLiveness.LIVE), box=box)


async def test_one_frame_at_a_time_and_the_newest_waits(hass: HomeAssistant, looking: Looking) -> None:
    looking.search.open.clear()
    frames = [looking.taken() for _ in range(9)]
    looking.offer(frames[0])
    await until(lambda: looking.search.asked)
    for frame in frames[1:]:
        looking.offer(frame)
    looking.search.open.set()
    await settle(hass)
    assert [picture for picture, _, _ in looking.search.asked] == [frames[0], frames[8]]
    assert looking.search.asked[0][1:] == (Similarity.HIGH, True)


async def test_a_close_up_where_the_server_says_where(
    hass: HomeAssistant, looking: Looking, smartface_entry: MockConfigEntry
) -> None:
    """And the whole picture where the place is outside of it."""
    people = await async_get_people(hass)
    anna = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    looking.search.answer = (face(anna.key, Box(x=200, y=100, width=150, height=200)),)
    await looking.show(ANNA, ANNA)
    (sighting,) = looking.sightings
    assert sighting.pictures.scene == looking.search.asked[-1][0]
    assert sighting.pictures.face is not None
    assert len(sighting.pictures.face) < len(ANNA)
    looking.sightings.clear()
    looking.search.answer = (face(box=Box(x=9000, y=9000, width=10, height=10)),)
    looking.eye._tracker._followed.clear()
    await looking.show(ANNA, ANNA, ANNA)
    (sighting,) = looking.sightings
    assert (sighting.pictures.face, sighting.pictures.scene) == (None, looking.search.asked[-1][0])


async def test_what_nobody_thought_of_does_not_blind_the_camera(
    looking: Looking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged with where it happened, told as trouble, and the next frame begins anew."""

    def stumble(*_args: object) -> None:
        raise IndexError("pop from an empty deque")

    looking.search.answer = (face(),)
    with monkeypatch.context() as patch:
        patch.setattr(ServerTracker, "observe", stumble)
        await looking.show()
    (trouble,) = looking.troubles
    assert isinstance(trouble, EngineProtocolError)
    (record,) = (record for record in caplog.records if record.exc_info)
    assert record.exc_info[0] is IndexError
    caplog.clear()
    looking.eye._not_before = float("-inf")
    await looking.show(ANNA, ANNA, ANNA)
    assert looking.troubles[-1] is None
    assert len(looking.sightings) == 1


async def test_what_is_left_is_told(hass: HomeAssistant, looking: Looking) -> None:
    """Once, without a picture of somebody who is gone; with nobody seen there is nothing to tell."""
    looking.eye.settle()
    assert looking.sightings == []
    looking.search.answer = (face(),)
    await looking.show()
    looking.eye.settle()
    looking.eye.settle()
    (sighting,) = looking.sightings
    assert (sighting.person_id, sighting.pictures.best) == (None, None)


async def test_no_picture_is_kept(hass: HomeAssistant, looking: Looking) -> None:
    """Of anybody, once a frame was looked at."""
    looking.search.answer = (face(),)
    await looking.show()
    kept = {name: value for name, value in vars(looking.eye).items() if isinstance(value, bytes | tuple)}
    assert kept == {}


async def test_a_picture_of_before_is_not_sent_again(hass: HomeAssistant, looking: Looking) -> None:
    """Whatever is written after its pixels; who is gone meanwhile is told of."""
    looking.search.answer = (face(),)
    one, two = looking.taken(), looking.taken()
    for number in range(3):
        for content in (one, two):
            looking.offer(content + b"moment %d" % number)
            await settle(hass)
    assert len(looking.search.asked) == 2
    looking.eye._tracker.rule = Rule(within=0.0)
    looking.offer(one)
    await settle(hass)
    assert len(looking.sightings) == 1


async def test_an_error_makes_it_pause(hass: HomeAssistant, looking: Looking) -> None:
    """Frames that come meanwhile are dropped, until the server was looked at again."""
    error = EngineProtocolError("odd")
    looking.search.answer = error
    await looking.show()
    assert looking.troubles == [error]
    looking.offer()
    await settle(hass)
    assert len(looking.search.asked) == 1
    looking.search.answer = ()
    await looking.eye.check()
    await looking.show()
    assert len(looking.search.asked) == 2


async def test_away_is_away_until_there_is_a_sign_of_life(hass: HomeAssistant, looking: Looking) -> None:
    """Nothing is sent meanwhile, and the camera hears that the server went."""
    looking.search.answer = EngineUnreachableError("gone")
    await looking.show()
    looking.search.answer = ()
    assert looking.checks == 1
    with pytest.raises(EngineUnreachableError):
        await looking.eye.check()
    looking.offer()
    await settle(hass)
    assert len(looking.search.asked) == 1


async def test_it_recovers_by_itself(hass: HomeAssistant, looking: Looking) -> None:
    looking.search.answer = EngineProtocolError("odd")
    await looking.show()
    looking.search.answer = ()
    looking.eye._not_before = float("-inf")
    await looking.show()
    assert looking.troubles[-1] is None


@pytest.mark.parametrize("error", [PictureError("no picture"), PhotoRefusedError("413", ("too_large",))])
async def test_one_picture_that_is_none_is_no_trouble_of_the_server(
    hass: HomeAssistant, looking: Looking, error: RecognitionError, caplog: pytest.LogCaptureFixture
) -> None:
    """The next is looked at as always; the log says it once, until one is looked at again."""
    looking.search.answer = error
    await looking.show(ANNA, ANNA)
    assert len(looking.search.asked) == 2
    warned = [record for record in caplog.records if "did not look at a frame" in record.message]
    assert [record.levelno for record in warned] == [logging.WARNING, logging.DEBUG]
    looking.search.answer = ()
    await looking.show()
    assert (len(looking.search.asked), looking.troubles) == (3, [error, error])
    looking.search.answer = error
    await looking.show()
    assert sum(record.levelno == logging.WARNING and "frame" in record.message for record in caplog.records) == 2


async def test_the_score_that_is_asked_for_now(
    hass: HomeAssistant, looking: Looking, smartface_entry: MockConfigEntry
) -> None:
    """On the scale that the server showed; where it has no such level, or is away, nobody can tell."""
    people = await async_get_people(hass)
    anna = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    looking.search.thresholds = {Similarity.HIGH: 60, Similarity.LOW: 20}
    assert looking.eye.threshold is None
    looking.search.answer = (face(anna.key),)
    await looking.show(ANNA, ANNA)
    assert looking.eye.threshold == 60
    looking.wish = Wish(similarity=Similarity.LOW, antispoofing=True)
    assert looking.eye.threshold == 20
    looking.wish = Wish(similarity=Similarity.NORMAL, antispoofing=True)
    assert looking.eye.threshold is None
    await hass.config_entries.async_unload(smartface_entry.entry_id)
    looking.wish = Wish(similarity=Similarity.HIGH, antispoofing=True)
    assert looking.eye.threshold is None


async def test_a_server_that_cannot_search(
    hass: HomeAssistant, looking: Looking, smartface_entry: MockConfigEntry
) -> None:
    coordinator = smartface_entry.runtime_data
    coordinator.engine = replace(coordinator.engine, search=None)
    with pytest.raises(EngineError):
        await looking.eye.check()


async def test_motion(hass: HomeAssistant, looking: Looking) -> None:
    """Nothing is sent while nothing moves, and a picture that is none moves nothing."""
    assert not looking.eye.awake
    for content in (ANNA, ANNA, b"no picture"):
        looking.offer(content, on_motion=True)
        await settle(hass)
    assert looking.search.asked == []
    assert isinstance(looking.troubles[-1], PictureError)


async def test_stopped(hass: HomeAssistant, looking: Looking, smartface_entry: MockConfigEntry) -> None:
    """In the middle of a frame: nothing is told any more, nothing is asked, nothing is heard."""
    looking.search.open.clear()
    looking.search.answer = (face(),)
    looking.offer()
    await until(lambda: looking.search.asked)
    looking.eye.stop()
    looking.search.open.set()
    looking.offer()
    await settle(hass)
    checks = looking.checks
    await hass.config_entries.async_unload(smartface_entry.entry_id)
    assert (len(looking.search.asked), looking.sightings, looking.checks) == (1, [], checks)


async def test_a_camera_that_rarely_has_a_new_picture(
    hass: HomeAssistant, looking: Looking, smartface_entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pictures count until the next one."""
    monkeypatch.setattr(server_eye, "PATIENT", Rule(within=0.0))
    people = await async_get_people(hass)
    anna = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    looking.search.answer = (face(anna.key),)
    looking.eye.follow(6.0, slow=False)
    await looking.show()
    await asyncio.sleep(0.3)
    await looking.show()
    assert [sighting.person_name for sighting in looking.sightings] == [anna.name]


async def test_it_has_no_pace_of_its_own(looking: Looking) -> None:
    """This machine is not slow because a server is."""
    looking.eye.follow(0.0, slow=True)
    assert looking.eye.seconds is None
