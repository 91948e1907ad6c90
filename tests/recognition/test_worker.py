"""One thread for all cameras: the latest frame wins, the pace is bounded, and a fault stays where it happened."""

from collections.abc import Callable, Iterator
from itertools import pairwise
import logging
import threading
import time

import pytest

from custom_components.face_access.recognition import networks, worker as working
from custom_components.face_access.recognition.engine import Engine, Mode
from custom_components.face_access.recognition.errors import PictureError
from custom_components.face_access.recognition.worker import Load, Worker, WorkerBusyError

PATIENCE = 30


@pytest.fixture
def worker(toy_engine: Engine) -> Iterator[Worker]:
    one = Worker(toy_engine)
    yield one
    one.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


class Gate:
    """Holds the worker until it is opened."""

    def __init__(self, worker: Worker) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        worker.ask(self._wait)
        assert self.reached.wait(PATIENCE)

    def _wait(self, engine: Engine) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)


def test_answers_questions(worker: Worker, toy_engine: Engine) -> None:
    assert worker.ask(lambda engine: engine).result(PATIENCE) is toy_engine
    assert worker.ask(lambda engine: threading.current_thread().name).result(PATIENCE) == "face_access recognition"


def test_an_error_goes_to_who_asked(worker: Worker) -> None:
    def fail(engine: Engine) -> None:
        raise PictureError("damaged")

    with pytest.raises(PictureError, match="damaged"):
        worker.ask(fail).result(PATIENCE)
    assert worker.ask(lambda engine: 1).result(PATIENCE) == 1


def test_the_latest_frame_wins(worker: Worker) -> None:
    gate, seen = Gate(worker), []
    for number in range(10):
        worker.submit("camera", lambda engine, number=number: seen.append(number))
    gate.opened.set()
    until(lambda: bool(seen))
    load = worker.load("camera")
    assert load is not None
    until(lambda: worker.load("camera").frames == 1)  # type: ignore[union-attr]
    assert seen == [9]
    assert worker.load("camera").dropped == 9  # type: ignore[union-attr]


def test_cameras_take_turns_and_questions_go_first(worker: Worker) -> None:
    gate, seen = Gate(worker), []
    for camera in ("a", "b", "c"):
        worker.submit(camera, lambda engine, camera=camera: seen.append(camera))
    answer = worker.ask(lambda engine: seen.append("question"))
    gate.opened.set()
    answer.result(PATIENCE)
    until(lambda: len(seen) == 4)
    assert seen == ["question", "a", "b", "c"]


def test_the_pace_is_bounded(worker: Worker) -> None:
    times: list[float] = []
    while len(times) < 4:
        worker.submit("camera", lambda engine: times.append(time.monotonic()), rate=5)
        time.sleep(0.005)
    pauses = [after - before for before, after in pairwise(times)]
    assert min(pauses) >= 0.19
    for rate in (0, 5.5):
        with pytest.raises(ValueError, match="rate"):
            worker.submit("camera", lambda engine: None, rate=rate)


def test_a_fault_stays_with_its_camera_and_is_logged_once(worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    def fail(engine: Engine) -> None:
        raise PictureError("damaged")

    def fault(engine: Engine) -> None:
        raise KeyError("ours")

    frames = 0
    with caplog.at_level(logging.WARNING):
        for job in (fail, fail, lambda engine: None, fail):
            worker.submit("bad", job)
            frames += 1
            until(lambda wanted=frames: worker.load("bad").frames == wanted)  # type: ignore[union-attr,misc]
        worker.submit("worse", fault)
        until(lambda: worker.load("worse").frames == 1)  # type: ignore[union-attr]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "ERROR"]
    assert worker.ask(lambda engine: 1).result(PATIENCE) == 1


def test_idle_networks_are_let_go_and_come_back(toy_engine: Engine) -> None:
    worker = Worker(toy_engine, idle=0.05)
    worker.ask(lambda engine: engine.load(Mode.SOFTWARE)).result(PATIENCE)
    until(lambda: worker._thread is None)
    assert not toy_engine.loaded
    worker.ask(lambda engine: engine.load(Mode.SOFTWARE)).result(PATIENCE)
    assert toy_engine.loaded
    worker.close()
    assert not toy_engine.loaded


def test_frames_in_which_nothing_moves_keep_no_networks(toy_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now[0]

    def question(asked: Callable[[Engine], object]) -> bool:
        """Whether networks are in memory after it."""
        worker.ask(asked).result(PATIENCE)
        return worker.ask(lambda engine: engine.loaded).result(PATIENCE)

    worker = Worker(toy_engine, idle=300)
    monkeypatch.setattr(networks, "time", Clock)
    monkeypatch.setattr(working, "time", Clock)
    assert question(lambda engine: engine.load(Mode.SOFTWARE))
    for seconds in range(2, 300, 2):
        now[0] = 1000.0 + seconds
        assert question(lambda engine: None)
    now[0] = 1298.0
    assert question(lambda engine: engine.load(Mode.SOFTWARE)), "loaded already, and used"
    now[0] = 1302.0
    assert question(lambda engine: None)
    now[0] = 1598.0
    assert not question(lambda engine: None)
    worker.close()


def test_too_many_questions_are_refused(worker: Worker) -> None:
    gate = Gate(worker)
    futures = [worker.ask(lambda engine: 1) for _ in range(32)]
    with pytest.raises(WorkerBusyError, match="too much"):
        worker.ask(lambda engine: 1)
    gate.opened.set()
    assert [future.result(PATIENCE) for future in futures] == [1] * 32


def test_cancelled_questions_are_not_asked(worker: Worker) -> None:
    gate, asked = Gate(worker), []
    future = worker.ask(lambda engine: asked.append(1))
    assert future.cancel()
    gate.opened.set()
    worker.ask(lambda engine: 1).result(PATIENCE)
    assert asked == []


def test_closing_ends_everything(toy_engine: Engine) -> None:
    worker = Worker(toy_engine)
    gate, seen = Gate(worker), []
    waiting = worker.ask(lambda engine: seen.append("question"))
    worker.submit("camera", lambda engine: seen.append("frame"))
    closing = threading.Thread(target=worker.close)
    closing.start()
    until(waiting.cancelled)
    gate.opened.set()
    closing.join(PATIENCE)
    assert worker._thread is None
    worker.submit("camera", lambda engine: seen.append("late"))
    with pytest.raises(WorkerBusyError, match="closed"):
        worker.ask(lambda engine: 1)
    assert seen == []
    worker.close()


def test_a_forgotten_camera_is_not_looked_at(worker: Worker) -> None:
    gate, seen = Gate(worker), []
    worker.submit("camera", lambda engine: seen.append(1))
    worker.forget("camera")
    worker.forget("camera")
    gate.opened.set()
    worker.ask(lambda engine: 1).result(PATIENCE)
    assert seen == []
    assert worker.load("camera") is None


def test_load_is_a_median(worker: Worker) -> None:
    gate = Gate(worker)
    worker.submit("camera", lambda engine: None)
    assert worker.load("camera") == Load(frames=0, dropped=0, seconds=None)
    gate.opened.set()
    until(lambda: worker.load("camera").frames == 1)  # type: ignore[union-attr]
    seconds = worker.load("camera").seconds  # type: ignore[union-attr]
    assert seconds is not None
    assert seconds >= 0
