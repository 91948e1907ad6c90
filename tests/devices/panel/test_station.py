"""A panel as a station: read, set, hear of it by poll and by webhook, and answer its questions."""

from datetime import timedelta
import hashlib
import hmac
import json

import aiohttp
import pytest

from custom_components.face_access.access import Decision, Reason, Ring
from custom_components.face_access.devices.panel import FAMILY
from custom_components.face_access.devices.panel.inbox import PanelInbox
from custom_components.face_access.devices.station import HeldDoor, PushTarget, Station
from simulators.panel import MODELS

from .conftest import Pair, Running, link_to

TARGET = PushTarget(host="127.0.0.1", port=9, path="api/webhook/secret-id")


async def station_of(pair: Pair, session: aiohttp.ClientSession) -> Station:
    link = link_to(session, pair.panel.port)
    return FAMILY.station(link, await FAMILY.identify(link))


@pytest.mark.parametrize("model", list(MODELS))
async def test_reading_and_the_feed(running: Running, session: aiohttp.ClientSession, model: str) -> None:
    pair = await running(model)
    station = await station_of(pair, session)
    reading = await station.reader.read()
    assert ("recognition" in reading.settings) == MODELS[model].has("face")
    assert ("autostart" in reading.settings) == (MODELS[model].has("face") and MODELS[model].kind == "aa")
    assert reading.settings["volume"] == 4
    assert reading.clock_offset == timedelta()
    # Asking again does not ask for what the panel lacks.
    pair.panel.clear_violations()
    assert await station.reader.read() == reading
    assert station.feed is not None
    assert await station.feed.poll() == ()
    await pair.panel.ring()
    assert any(isinstance(event, Ring) for event in await station.feed.poll())
    assert await station.feed.poll() == ()


async def test_settings_and_doors(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    station = await station_of(pair, session)
    await station.reader.read()
    assert station.settings is not None
    for key, value in (("recognition", True), ("similarity", "high"), ("recognition_mode", "software"), ("volume", 2)):
        await station.settings.write(key, value)
        assert (await station.reader.read()).settings[key] == value
    assert station.settings.described["recognition_mode"].needs_restart
    door = station.doors[0]
    assert isinstance(door, HeldDoor)
    await door.hold_open(timedelta(minutes=1))
    assert pair.panel.locks.is_open(1)
    await door.release()
    assert not pair.panel.locks.is_open(1)


async def test_the_webhook_is_made_found_restored_and_removed(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    station = await station_of(pair, session)
    previous = await station.inbox.redirect(TARGET)
    assert previous is not None
    assert "secret-id" not in str(previous)
    assert await station.inbox.redirect(TARGET) is None
    assert await station.inbox.points_to(TARGET)
    await pair.panel.remove_webhooks()
    assert not await station.inbox.points_to(TARGET)
    assert await station.inbox.redirect(TARGET) is not None
    await station.inbox.restore(previous, TARGET)
    assert pair.panel.webhooks.items == {}


async def test_signatures_count_from_the_first_genuine_one(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    inbox = (await station_of(pair, session)).inbox
    assert isinstance(inbox, PanelInbox)
    inbox.receiver.secret = "a secret of sixteen"

    def delivery(number: int) -> bytes:
        item = {"timestamp": pair.panel.milliseconds() + number, "name": {"key": "outgoing_call"}}
        return json.dumps({"event_type": "log.outgoing_call", "event_id": number, "data": item}).encode()

    assert inbox.receive(delivery(1), {"X-Webhook-Signature": "0" * 64}).events
    signed = delivery(2)
    good = hmac.new(b"a secret of sixteen", signed, hashlib.sha256).hexdigest()
    assert inbox.receive(signed, {"X-Webhook-Signature": good}).events
    forged = inbox.receive(delivery(3), {"X-Webhook-Signature": "0" * 64})
    assert (forged.events, forged.problem) == ((), "the signature does not fit")
    # The same again, as when our answer was lost.
    assert inbox.receive(signed, {"X-Webhook-Signature": good}).events == ()


@pytest.mark.parametrize(
    ("decision", "answer"),
    [
        (None, {"handled": False}),
        (Decision(reason=Reason.UNKNOWN), {"handled": False}),
        (Decision(reason=Reason.POLICY), {"handled": False}),
        (Decision(reason=Reason.EXPIRED), {"handled": True, "access": {"granted": False, "lock_number": 0}}),
        (Decision(reason=None), {"handled": True, "access": {"granted": True, "lock_number": 2}}),
    ],
)
async def test_questions(
    running: Running, session: aiohttp.ClientSession, decision: Decision | None, answer: object
) -> None:
    inbox = (await station_of(await running(), session)).inbox
    message = inbox.receive(b'{"identifier_number": "4711", "identifier_type": "card"}')
    assert message.asks_decision
    assert "4711" not in repr(message)
    assert json.loads(message.answer(decision, door=2)) == answer


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b"[" * 5000, b'{"event_type": "log.x"}'])
async def test_bodies_of_no_use(running: Running, session: aiohttp.ClientSession, body: bytes) -> None:
    message = (await station_of(await running(), session)).inbox.receive(body)
    assert (message.events, message.asks_decision) == ((), False)
    assert message.problem is not None
