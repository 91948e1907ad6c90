"""What panels send by themselves: deliveries, publications, questions; and that a failure of ours opens nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import hashlib
import hmac
import json
import logging
from typing import Any

from aiohttp import web
from hypothesis import given, settings as limits, strategies as st
import pytest

from custom_components.face_access.access import (
    Decision,
    DoorMoved,
    Method,
    Missed,
    Passage,
    Reason,
    Ring,
    StationEvent,
)
from custom_components.face_access.devices.panel.events import WANTED
from custom_components.face_access.devices.panel.inbox import PanelInbox
from custom_components.face_access.devices.panel.push import PanelMessage, Receiver
from custom_components.face_access.devices.panel.remote import PATIENCE, parse_question
from custom_components.face_access.devices.panel.state import PanelState
from custom_components.face_access.devices.panel.webhooks import signature_fits
from custom_components.face_access.devices.station import PushTarget
from simulators.panel import MODELS, SimulatedPanel

from .conftest import Pair, Running

SECRET = "a secret of sixteen"
NOW = 1_780_000_000_000
CARD = "73129846"
LOCAL = b'{"handled": false}'


def state_of(pair: Pair) -> PanelState:
    return PanelState(pair.client, pair.panel.serial)


def receiver(secret: str | None = SECRET) -> Receiver:
    """One without a panel: it is only to understand."""
    made = Receiver(PanelState(_NoClient(), "S"))  # type: ignore[arg-type]
    made.secret = secret
    return made


def news(message: PanelMessage) -> tuple[StationEvent, ...]:
    """What of a message is more than history."""
    return tuple(event for event in message.events if not isinstance(event, Missed))


class _NoClient:
    log = None


def delivery(key: str = "outgoing_call", *, at: int = NOW, **more: Any) -> bytes:
    item = {"timestamp": at, "name": {"key": key}, "info": {"model": {}}}
    return json.dumps({"event_type": f"log.{key}", "event_id": 1, "created_at": at, "data": item, **more}).encode()


def stamped(seconds: float = 0, attempt: int | None = None) -> dict[str, str]:
    moment = datetime.fromtimestamp(NOW / 1000 + seconds, UTC)
    more = {} if attempt is None else {"x-webhook-attempt": str(attempt)}
    return {"x-webhook-timestamp": moment.isoformat(), **more}


@asynccontextmanager
async def listening(handle: Callable[[bytes, dict[str, str]], bytes]) -> AsyncIterator[PushTarget]:
    """A server of ours that hands over what comes."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=handle(await request.read(), dict(request.headers)))

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield PushTarget(host="127.0.0.1", port=runner.addresses[0][1], path="api/webhook/secret-id")
    await runner.cleanup()


# Webhooks of a panel


@pytest.mark.parametrize("signed", ["body", "timestamp.body"])
async def test_deliveries_of_a_panel_are_understood_and_genuine(running: Running, signed: str) -> None:
    pair = await running(signed=signed)
    inbox = PanelInbox(state_of(pair))
    messages: list[PanelMessage] = []

    def handle(body: bytes, headers: dict[str, str]) -> bytes:
        messages.append(inbox.receive(body, headers))
        return messages[-1].answer()

    async with listening(handle) as target:
        await inbox.redirect(target)
        await pair.panel.ring()
        await pair.panel.swipe_card()
        await pair.panel.idle()
        events = [event for message in messages for event in message.events]
        assert len([event for event in events if isinstance(event, Ring)]) == 1
        passages = [event for event in events if isinstance(event, Passage)]
        assert [(one.method, one.owner, one.granted) for one in passages] == [(Method.CARD, "Bob Mason", True)]
        assert inbox.receiver.verified
        # The same delivery again, as when our answer was lost, and the log that tells the same.
        await pair.panel.resend_webhook()
        assert messages[-1].events == ()
        assert messages[-1].problem is None
        assert {message.serial for message in messages} == {pair.panel.serial}


async def test_what_a_webhook_told_the_poll_does_not_tell_again(running: Running) -> None:
    pair = await running()
    state = state_of(pair)
    inbox = PanelInbox(state)
    assert await state.journal.poll() == ()
    async with listening(lambda body, headers: inbox.receive(body, headers).answer()) as target:
        await inbox.redirect(target)
        await pair.panel.ring()
        await pair.panel.idle()
    assert [entry.key for entry in await state.journal.poll()] == []
    await pair.panel.tamper()
    assert [entry.key for entry in await state.journal.poll()] == ["tamper_event"]


async def test_a_test_of_the_webhook_is_no_event(running: Running) -> None:
    pair = await running()
    inbox = PanelInbox(state_of(pair))
    seen: list[PanelMessage] = []

    def handle(body: bytes, headers: dict[str, str]) -> bytes:
        seen.append(inbox.receive(body, headers))
        return seen[-1].answer()

    async with listening(handle) as target:
        await inbox.redirect(target)
        uid = next(iter(pair.panel.webhooks.items))
        assert "HTTP 200" in await pair.client.webhooks.test(uid)
    assert [(message.problem, message.events) for message in seen] == [(None, ())]


def test_a_late_delivery_is_history_by_the_clock_of_the_panel() -> None:
    assert news(receiver().receive(delivery(), stamped(2)))
    late = receiver().receive(delivery(), stamped(31))
    assert news(late) == ()
    assert [type(event) for event in late.events] == [Missed]
    # The panel's clock is wrong by years, and it says both times by it.
    assert receiver().receive(delivery(at=1000), {"X-Webhook-Timestamp": "1970-01-01T00:00:03Z"}).events


def test_a_later_attempt_goes_by_our_clock_where_the_panels_is_known() -> None:
    """Nothing tells whether a later attempt says its own time or that of the first one."""
    minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    at, sent = round(minute_ago.timestamp() * 1000), (minute_ago + timedelta(seconds=1)).isoformat()
    for known, events in ((False, True), (True, False)):
        for attempt, is_news in (("2", events), ("1", True)):
            each = receiver()
            each._state.clock_known = known
            headers = {"X-Webhook-Timestamp": sent, "X-Webhook-Attempt": attempt}
            assert bool(news(each.receive(delivery(at=at), headers))) is is_news


def test_a_delivery_that_is_played_again_is_no_news() -> None:
    """Its signature fits for ever; what it tells was news days ago."""
    for sent in (datetime.now(UTC) - timedelta(days=3), datetime.now(UTC) + timedelta(days=3)):
        each = receiver()
        each._state.clock_known = True
        headers = {"X-Webhook-Timestamp": (sent + timedelta(seconds=1)).isoformat()}
        assert news(each.receive(delivery(at=round(sent.timestamp() * 1000)), headers)) == ()


def test_an_event_of_the_future_is_no_news() -> None:
    assert news(receiver().receive(delivery(at=NOW + 3_600_000), stamped(0))) == ()


def test_without_a_webhook_of_ours_nobody_delivers() -> None:
    """Who knows the address, but not the secret that nobody was given, is not the panel."""
    message = receiver(None).receive(delivery("access_granted_by_valid_face_identifier"), stamped(1))
    assert message.events == ()
    assert message.problem == "the signature does not fit"


@pytest.mark.parametrize("stamp", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_without_a_time_of_sending_our_clock_decides(stamp: str) -> None:
    now = round(datetime.now(UTC).timestamp() * 1000)
    for known, at, live in ((False, NOW, True), (True, now, True), (True, now - 60_000, False)):
        each = receiver()
        each._state.clock_known = known
        assert bool(news(each.receive(delivery(at=at), {"X-Webhook-Timestamp": stamp}))) is live


def test_a_time_without_a_zone_is_utc() -> None:
    assert receiver().receive(delivery(at=0), {"X-Webhook-Timestamp": "1970-01-01T00:00:05"}).events


@pytest.mark.parametrize(
    "data",
    [
        {"info": {"model": {"owner": "Ann", "lock": 2}}},
        {"info": {"owner": "Ann", "lock": 2}},
        {"model": {"owner": "Ann", "lock": 2}},
        {"owner": "Ann", "lock": 2},
        {"timestamp": NOW, "owner": "Ann", "lock": 2},
    ],
)
def test_data_of_any_likely_shape(data: dict[str, Any]) -> None:
    """What a real delivery holds is not documented."""
    key = "access_granted_by_valid_identifier"
    events = receiver().receive(delivery(key, data=data), stamped()).events
    assert [(event.owner, event.doors) for event in events if isinstance(event, Passage)] == [("Ann", ("S_2",))]


def test_a_delivery_without_a_time_is_a_problem() -> None:
    message = receiver().receive(b'{"event_type": "log.outgoing_call", "created_at": "soon"}')
    assert (message.events, message.problem) == ((), "an event without a time")


# Signatures


@pytest.mark.parametrize("join", [b"", b".", None])
def test_signatures_count_with_and_without_the_time(join: bytes | None) -> None:
    """The document does not say which bytes are signed."""
    body, stamp = b'{"a": 1}', "2026-07-01T12:00:00Z"
    text = body if join is None else stamp.encode() + join + body
    good = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
    headers = {"x-webhook-signature": good.upper(), "x-webhook-timestamp": stamp}
    assert signature_fits(body, headers, SECRET)
    assert not signature_fits(body + b" ", headers, SECRET)
    assert not signature_fits(body, headers, "another secret!!")
    assert not signature_fits(body, {}, SECRET)
    assert not signature_fits(body, {"X-Webhook-Signature": "é"}, SECRET)


def test_a_wrong_signature_is_only_logged_until_a_genuine_one_was_seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    each = receiver(SECRET)
    for second in range(3):
        assert each.receive(delivery(at=NOW + second * 1000), stamped()).events
    assert caplog.text.count("not signed as expected") == 1
    assert SECRET not in caplog.text
    body = delivery(at=NOW + 9000)
    good = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert each.receive(body, {**stamped(9), "X-Webhook-Signature": good}).events
    for headers in ({}, {"X-Webhook-Signature": good}):
        message = each.receive(delivery(at=NOW + 20_000), stamped(20) | headers)
        assert (message.events, message.problem) == ((), "the signature does not fit")


# Questions


@pytest.mark.parametrize(
    ("kind", "method"),
    [("card", Method.CARD), ("input_code", Method.CODE), ("qr", Method.QR), ("retina", Method.IDENTIFIER)],
)
def test_what_a_panel_asks_about(kind: str, method: Method) -> None:
    message = receiver().receive(json.dumps({"identifier_type": kind, "identifier_number": CARD}).encode())
    assert message.question is not None
    assert (message.question.method, message.question.number, message.asks_decision) == (method, CARD, True)
    assert CARD not in repr(message)
    assert message.events == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"identifier_type": "card"}',
        b'{"identifier_type": "card", "identifier_number": ""}',
        b'{"identifier_type": 7, "identifier_number": []}',
        b'{"identifier_number": "73129846"}',
        b'{"identifier_type": "card", "identifier_number": "73129846"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        b'"' + b"x" * 2_000_000 + b'"',
    ],
)
def test_a_question_that_cannot_be_read_is_left_to_the_panel(body: bytes) -> None:
    message = receiver().receive(body)
    assert not message.asks_decision
    assert message.problem is not None
    assert CARD not in f"{message!r} {message.problem}"
    for decision in (None, Decision(reason=None), Decision(reason=Reason.BLOCKED)):
        assert message.answer(decision) == LOCAL


@pytest.mark.parametrize("reason", [None, *Reason])
@pytest.mark.parametrize("door", [-1, 0, 1, 2, 8, 9])
def test_only_a_decision_of_the_household_is_an_opinion(reason: Reason | None, door: int) -> None:
    message = receiver().receive(b'{"identifier_type": "card", "identifier_number": "73129846"}')
    answer = json.loads(message.answer(Decision(reason=reason), door=door))
    if reason is None:
        granted = {"handled": True, "access": {"granted": True, "lock_number": door}}
        # Never all locks at once, and none that no panel has.
        assert answer == (granted if 1 <= door <= 8 else {"handled": False})
    elif answer["handled"]:
        assert answer["access"]["granted"] is False
    asked = {Reason.UNKNOWN, Reason.NOTIFY_ONLY, Reason.POLICY}
    assert reason not in asked or answer == {"handled": False}
    assert CARD.encode() not in message.answer(Decision(reason=reason), door=door)


def test_a_card_alone_is_not_enough_where_the_household_wants_two_factors() -> None:
    message = receiver().receive(b'{"identifier_type": "card", "identifier_number": "73129846"}')
    answer = json.loads(message.answer(Decision(reason=Reason.SECOND_FACTOR)))
    assert answer == {"handled": True, "access": {"granted": False, "lock_number": 0}}


def test_without_a_decision_the_panel_decides() -> None:
    message = receiver().receive(b'{"identifier_type": "card", "identifier_number": "73129846"}')
    assert message.answer() == LOCAL
    assert PATIENCE == 10


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize(
    ("decision", "key", "opened"),
    [
        (Decision(reason=None), "access_granted_by_remote_server_api_call", [2]),
        (Decision(reason=Reason.EXPIRED), "access_denied_by_remote_server_api_call", []),
        (None, "access_granted_by_valid_identifier", [1]),
        (Decision(reason=Reason.UNKNOWN), "access_granted_by_valid_identifier", [1]),
    ],
)
async def test_a_panel_acts_on_the_answer(
    running: Running, model: str, decision: Decision | None, key: str, opened: list[int]
) -> None:
    pair = await running(model)
    inbox = PanelInbox(state_of(pair))
    async with listening(lambda body, _headers: inbox.receive(body).answer(decision, door=2)) as target:
        await pair.client.remote.write(f"http://127.0.0.1:{target.port}/{target.path}")
        assert await pair.panel.swipe_card() == key
    assert [opening.lock for opening in pair.panel.openings] == opened
    assert [question.status for question in pair.panel.remote.questions] == [200]


# Brokers


async def test_publications_of_a_panel_are_understood(running: Running) -> None:
    pair = await running()
    each = Receiver(state_of(pair))
    await pair.client.system.set_broker("mqtt://127.0.0.1:1883", "secret")
    await pair.panel.ring()
    await pair.panel.swipe_card()
    told = [each.publication(payload.encode()) for topic, payload in pair.panel.mqtt.publications if "request" in topic]
    assert len([event for events in told for event in events if isinstance(event, Ring)]) == 1
    assert any(isinstance(event, DoorMoved) for events in told for event in events)
    assert CARD not in repr(told)
    # What came this way is not told again by another.
    again = [each.publication(payload.encode()) for _topic, payload in pair.panel.mqtt.publications]
    assert not any(again)


def test_events_are_found_wherever_they_stand() -> None:
    """How requests are wrapped on the broker is not documented."""
    event = {"code": "outgoing_call", "created_at": NOW}
    shapes: tuple[Any, ...] = (
        {"events": [event]},
        {"body": {"events": [event, 7, {"code": 1}]}},
        {"body": json.dumps({"events": [event]})},
        {"a": {"b": {"c": {"d": {"events": [event]}}}}},
    )
    for shape in shapes:
        found = receiver().publication(json.dumps(shape).encode())
        assert [type(one) for one in found][:1] == [Ring], shape
    deep: Any = {"events": [event]}
    for _ in range(6):
        deep = {"x": deep}
    assert receiver().publication(json.dumps(deep).encode()) == ()
    assert receiver().publication(b"online") == ()


# Whatever comes


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(
    (
        *("event_type", "event_id", "created_at", "data", "identifier_type", "identifier_number", "timestamp", "name"),
        *("info", "model", "events", "code", "owner", "lock", "key"),
    )
)
_TIMES = st.integers(-5, 2**70)
_VALUES = _JSON | _TIMES | st.sampled_from(tuple(f"log.{key}" for key in WANTED) + WANTED)
_BODY = st.dictionaries(_NAMES, st.recursive(_VALUES, lambda v: st.dictionaries(_NAMES, v, max_size=5), max_leaves=8))
_HEADERS = st.dictionaries(
    st.sampled_from(("X-Webhook-Timestamp", "X-Webhook-Attempt", "X-Webhook-Signature")),
    st.text(max_size=12) | st.datetimes(timezones=st.just(UTC) | st.none()).map(str),
)


@given(_BODY, _HEADERS, st.booleans())
@limits(max_examples=300)
def test_no_body_breaks_it(body: dict[str, Any], headers: dict[str, str], clock_known: bool) -> None:
    each = receiver(SECRET)
    each._state.clock_known = clock_known
    raw = json.dumps(body).encode()
    message = each.receive(raw, headers)
    assert message.asks_decision == (parse_question(json.loads(raw)) is not None)
    assert not (message.asks_decision and message.events)
    assert json.loads(message.answer()) == {"handled": False}
    each.publication(raw)


@given(st.binary(max_size=60), _HEADERS)
def test_no_bytes_break_it(body: bytes, headers: dict[str, str]) -> None:
    each = receiver()
    assert each.receive(body, headers).answer() == LOCAL
    each.publication(body)


async def test_a_late_message_after_an_outage_rings_nobody(running: Running) -> None:
    """The panel kept trying while we were away."""
    pair = await running()
    panel: SimulatedPanel = pair.panel
    inbox = PanelInbox(state_of(pair))
    seen: list[PanelMessage] = []
    refused = 0

    def handle(body: bytes, headers: dict[str, str]) -> bytes:
        nonlocal refused
        if not refused:
            refused += 1
            panel.clock_offset += timedelta(minutes=5).total_seconds()
            raise web.HTTPServiceUnavailable
        seen.append(inbox.receive(body, headers))
        return seen[-1].answer()

    async with listening(handle) as target:
        await inbox.redirect(target)
        await panel.ring()
        await panel.idle()
    assert [news(message) for message in seen] == [()]
    assert [type(event) for event in seen[0].events] == [Missed]
