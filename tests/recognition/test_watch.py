"""A camera playing pictures: who is enrolled is recognised, a stranger is not, and a doubtful face opens nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
import time

from PIL import Image
import pytest

from custom_components.face_access.access import DoorMode, DoorPolicy, Liveness, Person, Reason, Role, Sighting, decide
from custom_components.face_access.access.naming import SightingKind, kind_of
from custom_components.face_access.recognition import watch as watching
from custom_components.face_access.recognition.engine import Engine, Settings
from custom_components.face_access.recognition.enrolment import enrol
from custom_components.face_access.recognition.errors import PictureError
from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.pace import Rule
from custom_components.face_access.recognition.watch import Household, Known, Watch
from custom_components.face_access.recognition.worker import Worker
from simulators._sight import next_picture

from .toys import portrait

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ALICE, CAROL = 1, 3
POLICY = DoorPolicy(mode=DoorMode.OPEN, freshness=timedelta(days=1))
PATIENCE = 60


class House:
    """A household of one person, and what its camera reported."""

    def __init__(self, engine: Engine) -> None:
        (enrolment,) = enrol(engine, [portrait((ALICE, 20, 10))])
        assert enrolment.template is not None
        self.gallery: Gallery | None = Gallery.of({"p1": [enrolment.template]}, engine.origin)
        self.people = {"p1": Known(name="Alice", role=Role.ALLOWED)}
        self.seen: list[Sighting] = []
        self.worker = Worker(engine)
        self.numbers = count()

    def watch(self, *, on_motion: bool = False) -> Watch:
        household = Household(settings=Settings, gallery=lambda: self.gallery, known=self.people.get)
        return Watch("camera.door", self.worker, household, self.seen.append, on_motion=on_motion)

    def play(self, watch: Watch, *frames: bytes) -> None:
        """Show frames as a camera that takes each of them."""
        self.show(watch, *(next_picture(data, next(self.numbers) % 16) for data in frames))

    def show(self, watch: Watch, *frames: bytes) -> None:
        for number, data in enumerate(frames):
            looked = self.frames(watch)
            watch.offer(data, NOW + timedelta(seconds=number))
            end = time.monotonic() + PATIENCE
            while self.frames(watch) == looked:
                assert time.monotonic() < end
                time.sleep(0.005)

    def frames(self, watch: Watch) -> int:
        load = self.worker.load(watch.source)
        return 0 if load is None else load.frames


@pytest.fixture
def house(toy_engine: Engine) -> Iterator[House]:
    one = House(toy_engine)
    yield one
    one.worker.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """The camera's clock, which a test moves: how long a frame takes must not matter."""
    now = [1000.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            now[0] += 0.2
            return now[0]

    monkeypatch.setattr(watching, "time", Clock)

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def test_somebody_enrolled_may_come_in(house: House, clock: Callable[[float], None]) -> None:
    house.play(house.watch(), *[portrait((ALICE, 20, 10))] * 3)
    (seen,) = house.seen
    assert (seen.person_id, seen.person_name, seen.role) == ("p1", "Alice", Role.ALLOWED)
    assert (seen.source, seen.key.sequence, seen.liveness) == ("camera.door", 1, Liveness.LIVE)
    assert seen.captured_at == NOW + timedelta(seconds=1)
    assert decide(seen, Person(id="p1", name="Alice"), "door", NOW, POLICY).granted
    assert seen.pictures.scene == next_picture(portrait((ALICE, 20, 10)), 1)
    assert seen.pictures.face is not None
    with Image.open(BytesIO(seen.pictures.face)) as face:
        assert face.format == "JPEG"
    assert "pictures" not in repr(seen)


@pytest.mark.parametrize(
    ("frames", "kind", "reason"),
    [
        ([portrait((CAROL, 20, 10))] * 3, SightingKind.STRANGER, Reason.UNKNOWN),
        ([portrait((ALICE, 20, 10), light=60)] * 2, SightingKind.SPOOF, Reason.SPOOF),
    ],
)
def test_nobody_else_may(
    house: House, clock: Callable[[float], None], frames: list[bytes], kind: SightingKind, reason: Reason
) -> None:
    house.play(house.watch(), *frames)
    (seen,) = house.seen
    assert kind_of(seen) is kind
    assert decide(seen, Person(id="p1", name="Alice"), "door", NOW, POLICY).reason is reason


def test_who_left_was_seen(house: House, clock: Callable[[float], None]) -> None:
    watch = house.watch()
    house.play(watch, portrait((ALICE, 20, 10)))
    clock(10)
    house.play(watch, portrait())
    (seen,) = house.seen
    assert (seen.person_id, kind_of(seen), seen.captured_at) == (None, SightingKind.SEEN, NOW)
    assert seen.pictures.face is not None


def test_of_who_left_among_others_there_is_no_picture(house: House, clock: Callable[[float], None]) -> None:
    watch = house.watch()
    house.play(watch, portrait((ALICE, 8, 10), (CAROL, 30, 10)), *[portrait((CAROL, 30, 10))] * 2)
    clock(2.5)
    house.play(watch, portrait((CAROL, 30, 10)))
    assert [kind_of(seen) for seen in house.seen] == [SightingKind.STRANGER, SightingKind.SEEN]
    assert house.seen[0].pictures.face is not None
    assert house.seen[1].pictures.face is None


def test_without_anybody_enrolled_faces_are_seen(house: House, clock: Callable[[float], None]) -> None:
    house.gallery = None
    house.play(house.watch(), *[portrait((ALICE, 20, 10))] * 3)
    assert [kind_of(seen) for seen in house.seen] == [SightingKind.SEEN]


def test_somebody_removed_meanwhile_has_no_name(house: House, clock: Callable[[float], None]) -> None:
    house.people.clear()
    house.play(house.watch(), *[portrait((ALICE, 20, 10))] * 2)
    assert [(seen.person_id, seen.person_name) for seen in house.seen] == [("p1", None)]


def test_looks_only_while_something_moves(house: House, clock: Callable[[float], None]) -> None:
    watch = house.watch(on_motion=True)
    house.play(watch, *[portrait((ALICE, 20, 10))] * 4)
    assert house.seen == []
    house.play(watch, *[portrait((ALICE, 10, 10))] * 3)
    assert [seen.person_id for seen in house.seen] == ["p1"]
    clock(100)
    for _ in range(30):  # what stands still becomes background
        house.play(watch, portrait((ALICE, 10, 10)))
        clock(1)
    house.play(watch, portrait((ALICE, 10, 10)))
    assert watch._last is None


def test_stops(house: House) -> None:
    watch = house.watch()
    house.play(watch, portrait())
    watch.stop()
    assert house.worker.load(watch.source) is None


def test_no_frames_come_any_more(house: House, clock: Callable[[float], None]) -> None:
    """What was seen in a single frame is told once somebody says that there are no more; only once."""
    watch = house.watch()
    house.play(watch, portrait((ALICE, 20, 10)))
    assert house.seen == []
    for _ in range(2):
        watch.settle()
        house.worker.ask(lambda _engine: None).result(PATIENCE)
    (seen,) = house.seen
    assert seen.person_id is None
    assert seen.pictures.best is not None
    assert watch._last is None, "no picture is kept of who is gone"


def test_a_patient_rule(house: House, clock: Callable[[float], None]) -> None:
    """On a slow machine the frames that agree lie further apart."""
    watch = house.watch()
    watch.follow(Rule(needed=2, of=3, within=20, strangers=2))
    house.play(watch, portrait((ALICE, 20, 10)))
    clock(10)
    house.play(watch, portrait((ALICE, 20, 10)))
    assert [one.person_name for one in house.seen] == ["Alice"]
    assert house.seen[0].household


def written_beside(picture: bytes, text: bytes) -> bytes:
    """A JPEG with a comment in front of its pixels, and something after their end."""
    return picture[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text + picture[2:] + text


@pytest.mark.parametrize("different", [1, 2, 8])
def test_pictures_of_before_agree_with_nobody(house: House, clock: Callable[[float], None], different: int) -> None:
    """Whatever is written beside the pixels, and however many a camera gives in turn."""
    alice, nobody = portrait((ALICE, 20, 10)), portrait()
    shown = [next_picture(alice if number == 0 else nobody, number) for number in range(different)] * 3
    watch = house.watch()
    watch.follow(Rule(within=100))
    house.show(watch, *(written_beside(data, b"moment %d" % number) for number, data in enumerate(shown)))
    assert house.seen == []
    house.show(watch, next_picture(alice, 9))
    assert [one.person_name for one in house.seen] == ["Alice"]


def test_who_left_a_camera_that_hangs_is_told_of(house: House, clock: Callable[[float], None]) -> None:
    watch = house.watch()
    house.play(watch, portrait((ALICE, 20, 10)))
    clock(10)
    house.show(watch, written_beside(next_picture(portrait((ALICE, 20, 10)), 0), b"later"))
    assert [kind_of(seen) for seen in house.seen] == [SightingKind.SEEN]


def test_trouble_is_heard_of(house: House, clock: Callable[[float], None]) -> None:
    """Each time, and once that it is over."""
    watch, heard = house.watch(), []
    watch.trouble = heard.append
    house.show(watch, portrait(), b"no picture", b"none either", portrait(), portrait())
    assert [type(one) for one in heard] == [PictureError, PictureError, type(None)]


def test_awake_while_something_moves(house: House, clock: Callable[[float], None]) -> None:
    watch = house.watch(on_motion=True)
    house.play(watch, portrait())
    assert not watch.awake
    house.play(watch, portrait((ALICE, 20, 10)))
    assert watch.awake
    clock(watching.LINGER + 1)
    assert not watch.awake


def test_awake_until_the_next_picture_where_they_are_rare(house: House, clock: Callable[[float], None]) -> None:
    watch = house.watch(on_motion=True)
    watch.follow(Rule().at(6))
    house.play(watch, portrait(), portrait((ALICE, 20, 10)))
    clock(watching.LINGER + 1)
    house.play(watch, portrait((ALICE, 20, 10)))
    assert [one.person_name for one in house.seen] == ["Alice"]
