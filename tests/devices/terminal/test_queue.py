"""The link to a terminal that asks for its commands: order, hand-outs, results, and what is never handed out."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import json
import logging
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.face_access.devices.errors import StationConnectionError, StationError, StationTimeoutError
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.queue import QueuedLink, is_control
from simulators.terminal import SimulatedTerminal

from .conftest import ControlServer

HEARTBEAT = {"version": "0.2", "cmd": "heart beat", "device_sn": "A"}
NOTHING = {"reply": "ACK", "cmd": "heart beat", "code": 0}
HOLD = 0.1


@pytest.fixture
async def link() -> AsyncIterator[QueuedLink]:
    """Make a link with a short hold."""
    made = QueuedLink(hold=HOLD, window=1)
    yield made
    await made.close()
    # Questions that no test waits for.
    left = [task for task in asyncio.all_tasks() if task.get_name() == "question"]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def ask(link: QueuedLink, body: dict[str, Any] | bytes = HEARTBEAT) -> asyncio.Task[dict[str, Any]]:
    """Let the device send a request."""

    async def exchange() -> dict[str, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = json.loads(await link.exchange(content))
        assert isinstance(answer, dict)
        return answer

    return asyncio.create_task(exchange(), name="question")


def order(
    link: QueuedLink, cmd: str = "x", *, timeout: float = 1, idempotent: bool = True, **fields: Any
) -> asyncio.Task[dict[str, Any]]:
    """Ask for a command."""
    body = {"version": "0.2", "cmd": cmd, **fields}
    return asyncio.create_task(link.request(body, timeout=timeout, idempotent=idempotent))


def result(command: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Write the result of a command."""
    return {"reply": "ACK", "cmd": command["cmd"], "code": 0, "command_id": command["command_id"], **more}


async def breathe(times: int = 5) -> None:
    """Let everything that is ready run."""
    for _ in range(times):
        await asyncio.sleep(0)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_heartbeat_is_held_and_then_acknowledged(link: QueuedLink) -> None:
    started = now()
    assert await ask(link) == NOTHING
    assert HOLD * 0.9 <= now() - started < HOLD * 3


async def test_waiting_command_is_answered_at_once_and_its_result_comes_next(link: QueuedLink) -> None:
    waiting = order(link, a=1)
    await breathe()
    started = now()
    command = await ask(link)
    assert now() - started < HOLD / 2
    assert (command["cmd"], command["a"]) == ("x", 1)
    question = ask(link, result(command, answer=42))
    assert (await waiting)["answer"] == 42
    assert await question == NOTHING


async def test_command_reaches_a_held_question_at_once(link: QueuedLink) -> None:
    question = ask(link)
    await breathe()
    waiting = order(link)
    command = await question
    ask(link, result(command))
    assert (await waiting)["code"] == 0


async def test_commands_go_in_order_one_in_flight(link: QueuedLink) -> None:
    waiting = [order(link, n=n) for n in range(3)]
    await breathe()
    body: dict[str, Any] = HEARTBEAT
    seen = []
    for _ in range(3):
        command = await ask(link, body)
        seen.append(command["n"])
        body = result(command, n=command["n"])
    question = ask(link, body)
    assert seen == [0, 1, 2]
    assert [reply["n"] for reply in await asyncio.gather(*waiting)] == [0, 1, 2]
    await question


async def test_second_command_waits_for_the_result_of_the_first(link: QueuedLink) -> None:
    first, second = order(link, n=1), order(link, n=2)
    await breathe()
    command = await ask(link)
    # A result that fits nothing is a question as well, but there is a command in flight.
    assert await ask(link, {"reply": "ACK", "cmd": "x", "code": 0, "command_id": "other"}) == NOTHING
    assert not first.done()
    following = await ask(link, result(command))
    assert following["n"] == 2
    await first
    second.cancel()


async def test_question_of_a_dead_connection_gets_no_command(link: QueuedLink) -> None:
    old = ask(link)
    await breathe()
    new = ask(link)
    await breathe()
    waiting = order(link)
    started = now()
    assert await old == NOTHING
    assert now() - started < HOLD / 2
    command = await new
    assert command["cmd"] == "x"
    ask(link, result(command))
    await waiting


async def test_cancelled_question_swallows_no_command(link: QueuedLink) -> None:
    question = ask(link)
    await breathe()
    waiting = order(link)
    await asyncio.sleep(0)
    question.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        # Whether it was cancelled in time or had the command already: it is there for the next one or was returned.
        command = await question
        ask(link, result(command))
    if not question.cancelled():
        return
    command = await ask(link)
    ask(link, result(command))
    assert (await waiting)["code"] == 0


async def test_question_cancelled_before_the_command_came(link: QueuedLink) -> None:
    question = ask(link)
    await breathe()
    question.cancel()
    await breathe()
    waiting = order(link)
    await breathe()
    command = await ask(link)
    ask(link, result(command))
    await waiting


async def test_command_that_timed_out_is_never_handed_out(link: QueuedLink) -> None:
    with pytest.raises(StationConnectionError, match="not sent") as error:
        await order(link, timeout=0.02)
    assert not isinstance(error.value, StationTimeoutError)
    assert not link._queue
    assert await ask(link) == NOTHING


async def test_command_whose_caller_gave_up_is_never_handed_out(link: QueuedLink) -> None:
    waiting, other = order(link, n=1), order(link, n=2)
    await breathe()
    waiting.cancel()
    command = await ask(link)
    assert command["n"] == 2
    other.cancel()


async def test_command_given_up_in_the_same_moment_as_the_question_comes_is_not_handed_out(link: QueuedLink) -> None:
    waiting = order(link)
    await breathe()
    question = ask(link)
    # The question runs first, while the cancelled command still stands in the queue.
    waiting.cancel()
    assert await question == NOTHING


async def test_link_closed_in_the_same_moment_as_a_command_is_given_up(link: QueuedLink) -> None:
    waiting, other = order(link), order(link)
    await breathe()
    waiting.cancel()
    await link.close()
    with pytest.raises(StationConnectionError):
        await other
    assert waiting.cancelled()


async def test_late_result_is_ignored(link: QueuedLink) -> None:
    waiting = order(link, timeout=0.05, idempotent=False)
    await breathe()
    command = await ask(link)
    with pytest.raises(StationTimeoutError):
        await waiting
    other = order(link, n=2)
    await breathe()
    following = await ask(link, result(command, wrong=True))
    assert following["n"] == 2
    ask(link, result(following, right=True))
    assert "right" in await other


async def test_time_for_the_result_begins_with_the_hand_out(link: QueuedLink) -> None:
    waiting = order(link, timeout=0.2)
    await asyncio.sleep(0.15)
    command = await ask(link)
    await asyncio.sleep(0.15)
    ask(link, result(command))
    assert (await waiting)["code"] == 0


async def test_restart_hands_an_idempotent_command_out_again_and_fails_the_others(link: QueuedLink) -> None:
    first, second = order(link, n=1), order(link, n=2, idempotent=False)
    await breathe()
    command = await ask(link)
    again = await ask(link)
    assert again == command
    following = await ask(link, result(again))
    assert following["n"] == 2
    await first
    assert await ask(link) == NOTHING
    with pytest.raises(StationTimeoutError):
        await second


async def test_device_that_restarts_for_ever_is_left(link: QueuedLink) -> None:
    waiting = order(link)
    await breathe()
    for _ in range(3):
        assert (await ask(link))["cmd"] == "x"
    assert await ask(link) == NOTHING
    with pytest.raises(StationTimeoutError):
        await waiting


async def test_result_without_command_id_is_told_by_its_command(link: QueuedLink) -> None:
    waiting = order(link, "upload file")
    await breathe()
    await ask(link)
    ask(link, {"reply": "ACK", "cmd": " set hardware info ", "code": 0, "command_id": ""})
    assert (await waiting)["code"] == 0


@pytest.mark.parametrize("other", [{"reply": "ACK", "cmd": "y", "code": 0}, {"reply": "ACK", "cmd": "face", "code": 0}])
async def test_result_of_another_command_is_ignored(link: QueuedLink, other: dict[str, Any]) -> None:
    waiting = order(link, timeout=0.2)
    await breathe()
    await ask(link)
    ask(link, other)
    with pytest.raises(StationTimeoutError):
        await waiting


async def test_result_without_the_reply_mark_is_a_result(link: QueuedLink) -> None:
    waiting = order(link, "sip call")
    await breathe()
    command = await ask(link)
    ask(link, {"version": "0.21", "cmd": "sip call", "code": 0, "command_id": command["command_id"]})
    assert (await waiting)["code"] == 0


async def test_result_of_a_heartbeat_that_we_asked_for_is_no_heartbeat(link: QueuedLink) -> None:
    waiting = order(link, "heart beat", idempotent=False)
    await breathe()
    ask(link, result(await ask(link)))
    assert (await waiting)["code"] == 0


async def test_results_of_an_earlier_run_fit_no_command_of_this_one() -> None:
    ids = set()
    for _ in range(2):
        link = QueuedLink(hold=HOLD)
        waiting = order(link)
        await breathe()
        ids.add((await ask(link))["command_id"])
        waiting.cancel()
    assert len(ids) == 2


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"cmd": "what"}', b"\xff" * 50])
async def test_garbage_is_answered_late_gets_no_command_and_is_logged_once(
    link: QueuedLink, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    waiting = order(link)
    await breathe()
    started = now()
    with caplog.at_level(logging.INFO):
        assert await asyncio.gather(ask(link, body), ask(link, body)) == [NOTHING, NOTHING]
    assert now() - started >= HOLD * 0.9
    assert len([record for record in caplog.records if record.name.endswith("queue")]) == 1
    assert link.last_seen is None
    ask(link, result(await ask(link)))
    await waiting


async def test_silent_device_fails_commands_at_once() -> None:
    link = QueuedLink(hold=0.01, window=0.1)
    assert link.online is False
    # It has its time to ask after we started.
    with pytest.raises(StationConnectionError, match="did not ask"):
        await order(link, timeout=0.02)
    await ask(link)
    assert link.online is True
    assert link.last_seen is not None
    await asyncio.sleep(0.15)
    assert link.online is False
    with pytest.raises(StationConnectionError, match="for a while"):
        await order(link, timeout=5)
    question = ask(link)
    await breathe()
    assert link.online is True
    await question


async def test_heartbeats_are_heard() -> None:
    heard: list[Any] = []
    link = QueuedLink(hold=0.01, on_seen=heard.append)
    await ask(link)
    await ask(link, {"reply": "ACK", "cmd": "x", "code": 0})
    assert heard == [HEARTBEAT]


async def test_closing_fails_what_waits_and_answers_the_held_question(link: QueuedLink) -> None:
    first, second = order(link, n=1), order(link, n=2)
    await breathe()
    command = await ask(link)
    question = ask(link, {"reply": "ACK", "cmd": "x", "code": 0, "command_id": "other"})
    await breathe()
    started = now()
    await link.close()
    for waiting in (first, second):
        with pytest.raises(StationConnectionError, match="closed"):
            await waiting
    assert await question == NOTHING
    assert now() - started < HOLD / 2
    with pytest.raises(StationConnectionError, match="closed"):
        await order(link)
    # The device asks again at once, and must not be driven into a loop.
    started = now()
    await ask(link, result(command))
    assert now() - started >= HOLD * 0.9
    await link.close()


@pytest.mark.parametrize(
    ("body", "control"),
    [
        (HEARTBEAT, True),
        ({"cmd": "heart beat "}, True),
        ({"reply": "ACK", "cmd": "gpio control"}, True),
        ({"version": "0.21", "cmd": "sip call", "code": 0}, True),
        ({"cmd": "face", "sequence_no": 1}, False),
        ({"cmd": "sip event"}, False),
        ({"cmd": "ask_upgrade"}, False),
        ({}, False),
    ],
)
def test_pushes_are_told_from_questions(body: dict[str, Any], control: bool) -> None:
    assert is_control(body) is control


async def test_commands_survive_a_restart_of_the_terminal(
    queued: tuple[QueuedLink, ControlServer], simulated: SimulatedTerminal
) -> None:
    client = TerminalClient(queued[0])
    await client.system.reboot()
    assert await client.people.count() == 3
    assert simulated.control.instant == 0


async def test_commands_of_many_callers_all_arrive(
    queued: tuple[QueuedLink, ControlServer], simulated: SimulatedTerminal
) -> None:
    client = TerminalClient(queued[0])
    await asyncio.gather(*(client.audio.say(str(n)) for n in range(20)))
    assert [spoken["text"] for spoken in simulated.spoken] == [str(n) for n in range(20)]


class Model:
    """What must hold, whatever happens in whatever order."""

    def __init__(self) -> None:
        self.link = QueuedLink(hold=0.002, window=60)
        self.orders: list[tuple[asyncio.Task[dict[str, Any]], bool]] = []
        self.questions: list[asyncio.Task[None]] = []
        self.handed: list[int] = []
        self.last: dict[str, Any] | None = None

    def order(self, *, idempotent: bool, timeout: float) -> None:
        task = order(self.link, timeout=timeout, idempotent=idempotent, n=len(self.orders))
        self.orders.append((task, idempotent))

    async def ask(self, body: dict[str, Any] | bytes) -> None:
        """One exchange as the device has it: what comes out of it was handed to the device."""
        answer = await ask(self.link, body)
        if "n" not in answer:
            assert answer == NOTHING
            return
        number = answer["n"]
        task, idempotent = self.orders[number]
        assert not task.done(), "handed out after its caller gave up"
        assert idempotent or number not in self.handed, "an act was handed out twice"
        assert not self.handed or number >= max(self.handed), "out of order"
        self.handed.append(number)
        self.last = answer

    async def play(self, step: str, pick: int) -> None:
        """Let one thing happen; `pick` chooses among what there is."""
        match step:
            case "act" | "set":
                self.order(idempotent=step == "set", timeout=5)
            case "short":
                self.order(idempotent=False, timeout=0.001)
            case "heartbeat":
                await self.ask(HEARTBEAT)
            case "parallel":
                self.questions.append(asyncio.create_task(self.ask(HEARTBEAT)))
            case "result" | "stale result":
                await self.ask(result(self.last or {"cmd": "x", "command_id": "none"}))
                if step == "result":
                    self.last = None
            case "garbage":
                await self.ask(b"\xff{")
            case "cancel order" if self.orders:
                self.orders[pick % len(self.orders)][0].cancel()
            case "cancel question" if self.questions:
                self.questions[pick % len(self.questions)].cancel()
            case "wait":
                await asyncio.sleep(0.004)


_STEPS = st.lists(
    st.sampled_from(
        (
            "act",
            "set",
            "short",
            "heartbeat",
            "result",
            "stale result",
            "garbage",
            "cancel order",
            "cancel question",
            "parallel",
            "wait",
            "step",
        )
    ),
    max_size=30,
)


@given(_STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_events_keeps_the_promises(steps: list[str]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[str]) -> None:
    model = Model()
    for step in steps:
        await model.play(step, len(steps))
        await asyncio.sleep(0)
    await model.link.close()
    outcomes = await asyncio.gather(*(task for task, _ in model.orders), return_exceptions=True)
    assert all(isinstance(outcome, (dict, StationError, asyncio.CancelledError)) for outcome in outcomes)
    for outcome in await asyncio.gather(*model.questions, return_exceptions=True):
        assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome
