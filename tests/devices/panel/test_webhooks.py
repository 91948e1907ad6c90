"""Webhooks kept on a panel: made, found again, renewed and removed; and what no panel takes."""

from datetime import timedelta
import json
from typing import Any

import pytest

from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.events import WANTED
from custom_components.face_access.devices.panel.inbox import PanelInbox
from custom_components.face_access.devices.panel.state import PanelState
from custom_components.face_access.devices.panel.webhooks import Webhook, parse_webhook
from custom_components.face_access.devices.station import PushTarget
from simulators._panel.events import keys_of

from .conftest import SERIAL, Pair, Running, ScriptedPanel

TARGET = PushTarget(host="127.0.0.1", port=9, path="api/webhook/secret-id")
WITH_WEBHOOKS = ["AA-12FB", "AV-08FB"]
HOOK = Webhook(
    url="http://127.0.0.1:9/x",
    events=("log.outgoing_call",),
    secret="a secret of sixteen",
    timeout=timedelta(seconds=3),
    headers={"X-House": "1"},
    description="Somebody",
)


def inbox_of(pair: Pair) -> PanelInbox:
    return PanelInbox(PanelState(pair.client, pair.panel.serial))


@pytest.mark.parametrize("model", WITH_WEBHOOKS)
async def test_a_webhook_is_made_read_changed_tested_and_deleted(running: Running, model: str) -> None:
    pair = await running(model)
    webhooks = pair.client.webhooks
    uid = await webhooks.create(HOOK)
    found = await webhooks.read(uid)
    assert (found.uid, found.url, found.events, found.timeout) == (uid, HOOK.url, HOOK.events, HOOK.timeout)
    assert pair.panel.webhooks.items[uid]["headers"] == '{"X-House": "1"}'
    assert [one.uid for one in await webhooks.list()] == [uid]
    await webhooks.update(uid, Webhook(url=HOOK.url, events=HOOK.events, active=False))
    assert not (await webhooks.read(uid)).active
    assert "HTTP None" in await webhooks.test(uid)
    deliveries = await webhooks.deliveries(uid)
    assert (await webhooks.delivery(deliveries[0]["event_uid"]))["event_type"] == "test"
    await webhooks.delete(uid)
    with pytest.raises(StationRefusedError) as raised:
        await webhooks.read(uid)
    assert raised.value.code == "no_webhook"


@pytest.mark.parametrize("model", ["BI-06FB", "AA-07", "AV-03BD"])
async def test_older_firmware_and_camdroid_have_none(running: Running, model: str) -> None:
    pair = await running(model)
    with pytest.raises(StationUnsupportedError):
        await inbox_of(pair).redirect(TARGET)
    assert not any("/webhooks" in path for _method, path, _status in pair.panel.requests)


async def test_a_panel_without_the_inferred_paths(running: Running) -> None:
    """The lists and the creation stand in no document: where they are not, panels are polled."""
    pair = await running(inferred=False)
    with pytest.raises(StationUnsupportedError):
        await inbox_of(pair).redirect(TARGET)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"events": ()}, "events"),
        ({"url": "x"}, "url"),
        ({"url": "http://" + "x" * 2000}, "url"),
        ({"secret": "short"}, "secret"),
        ({"secret": "x" * 129}, "secret"),
        ({"timeout": timedelta(milliseconds=999)}, "timeout"),
        ({"timeout": timedelta(seconds=31)}, "timeout"),
        ({"headers": {"Authorization": "x"}}, "headers"),
        ({"headers": {"HOST": "x"}}, "headers"),
        ({"description": "x" * 1001}, "description"),
    ],
)
def test_webhooks_that_no_panel_takes(changes: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"url": HOOK.url, "events": HOOK.events, **changes}
    with pytest.raises(InvalidValueError) as raised:
        Webhook(**given).body()
    assert raised.value.field == field


def test_the_smallest_webhook() -> None:
    body = Webhook(url="http://x", events=("log.x",), active=False).body()
    assert body == {"url": "http://x", "status": "disabled", "event_types": ["log.x"]}


@pytest.mark.parametrize(
    ("raw", "timeout"),
    [({"timeout": 30001}, None), ({"timeout": -1}, None), ({"timeout": "5"}, timedelta(milliseconds=5)), ({}, None)],
)
def test_a_webhook_of_any_quality(raw: dict[str, Any], timeout: timedelta | None) -> None:
    found = parse_webhook({"url": "http://x", "event_types": ["a", 7, None, ""], "uid": "3", **raw})
    assert found is not None
    assert (found.timeout, found.uid, found.events) == (timeout, 3, ("a", "7"))
    assert parse_webhook(raw) is None


@pytest.mark.parametrize("reply", [{}, {"item_uid": "x"}])
async def test_a_webhook_without_a_number(scripted: ScriptedPanel, client: PanelClient, reply: dict[str, Any]) -> None:
    scripted.on("POST /webhooks", (200, reply))
    scripted.on("GET /webhooks/3", (200, {"url": ""}))
    with pytest.raises(StationProtocolError):
        await client.webhooks.create(HOOK)
    with pytest.raises(StationProtocolError):
        await client.webhooks.read(3)


# Events that a panel does not know


@pytest.mark.parametrize("model", WITH_WEBHOOKS)
async def test_every_event_that_the_panel_knows_is_asked_for(running: Running, model: str) -> None:
    """It refuses all of them for one that it does not know; names begin alike, and the bell must not go with one."""
    pair = await running(model)
    await inbox_of(pair).redirect(TARGET)
    asked = next(iter(pair.panel.webhooks.items.values()))["event_types"]
    assert {event.removeprefix("log.") for event in asked} == set(WANTED) & keys_of("android")
    assert "log.outgoing_call" in asked


@pytest.mark.parametrize(
    "text",
    [
        "Wrong event_types field=log.outgoing_call_web",
        "Unknown event `log.outgoing_call_web`",
        "Wrong JSON body: 'log.outgoing_call_web'",
    ],
)
async def test_an_event_that_is_named_is_left_out(scripted: ScriptedPanel, client: PanelClient, text: str) -> None:
    scripted.on("POST /webhooks", (400, {"error": text}), (200, {"item_uid": 1}))
    hook = Webhook(url=HOOK.url, events=("log.outgoing_call", "log.outgoing_call_web"))
    assert await client.webhooks.create_with(hook, ()) == 1
    assert [asked.json["event_types"] for asked in scripted.of("/webhooks")] == [
        list(hook.events),
        ["log.outgoing_call"],
    ]


async def test_where_none_is_named_the_essential_ones_are_left(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("POST /webhooks", (400, {"error": "Wrong event_types field"}), (200, {"item_uid": 1}))
    hook = Webhook(url=HOOK.url, events=("log.a", "log.b"))
    assert await client.webhooks.create_with(hook, ("log.b",)) == 1
    assert scripted.of("/webhooks")[1].json["event_types"] == ["log.b"]


@pytest.mark.parametrize(
    "text", ["Wrong event_types field", "Wrong url field=x", "No", "Wrong event_types field=log.a"]
)
async def test_a_refusal_that_nothing_can_be_done_about(
    scripted: ScriptedPanel, client: PanelClient, text: str
) -> None:
    scripted.on("POST /webhooks", (400, {"error": text}))
    with pytest.raises(StationRefusedError):
        await client.webhooks.create_with(Webhook(url=HOOK.url, events=("log.a",)), ("log.a",))
    assert len(scripted.of("/webhooks")) == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    "text", ["Cannot reach http://127.0.0.1:9/api/webhook/secret-id", "Weak: a secret of sixteen", "Wrong url field=x"]
)
async def test_a_refusal_keeps_address_and_secret_to_itself(
    scripted: ScriptedPanel, client: PanelClient, method: str, text: str
) -> None:
    scripted.on(f"{method} /webhooks{'/1' if method == 'PUT' else ''}", (400, {"error": text}))
    with pytest.raises(StationRefusedError) as raised:
        await (client.webhooks.create(HOOK) if method == "POST" else client.webhooks.update(1, HOOK))
    told = f"{raised.value!r} {raised.value.detail} {HOOK!r}"
    assert "secret" not in told
    assert raised.value.__cause__ is None


# Ours among others


async def test_others_are_left_alone(running: Running) -> None:
    pair = await running()
    other = await pair.client.webhooks.create(HOOK)
    inbox = inbox_of(pair)
    previous = await inbox.redirect(TARGET)
    assert previous is not None
    assert len(pair.panel.webhooks.items) == 2
    await inbox.restore(previous, TARGET)
    assert list(pair.panel.webhooks.items) == [other]
    await inbox.restore({}, TARGET)
    assert list(pair.panel.webhooks.items) == [other]


async def test_a_webhook_whose_secret_is_remembered_is_let_be(running: Running) -> None:
    """Nothing is written at a start; what was seen to be signed is never again taken unsigned."""
    pair = await running()
    first = inbox_of(pair)
    assert first.memory == {}
    await first.redirect(TARGET)
    first.receiver.verified = True
    memory = json.loads(json.dumps(dict(first.memory)))
    writes = pair.panel.webhooks.items.copy()
    inbox = inbox_of(pair)
    inbox.recall(memory)
    assert inbox.memory == first.memory
    assert await inbox.redirect(TARGET) is None
    assert pair.panel.webhooks.items == writes
    forged = json.dumps({"event_type": "log.outgoing_call", "event_id": 1, "created_at": 1, "data": {}}).encode()
    assert inbox.receive(forged, {}).problem == "the signature does not fit"
    # Perhaps it is the panel, which has another secret by now: it gets ours once more, the same.
    before = pair.panel.count("PUT", f"/webhooks/{next(iter(writes))}")
    assert await inbox.redirect(TARGET) is None
    assert pair.panel.count("PUT", f"/webhooks/{next(iter(writes))}") == before + 1
    ((_, after),) = pair.panel.webhooks.items.items()
    assert after["secret"] == memory["secret"]


@pytest.mark.parametrize(
    "memory", [{}, {"secret": None}, {"secret": "", "verified": "yes"}, {"secret": [], "other": 1}]
)
async def test_a_memory_of_no_use(running: Running, memory: dict[str, Any]) -> None:
    inbox = inbox_of(await running())
    inbox.recall(memory)
    assert (inbox.receiver.secret, inbox.receiver.verified, inbox.memory) == (None, False, {})


async def test_after_a_restart_that_nobody_remembers_the_webhook_gets_a_new_secret(running: Running) -> None:
    pair = await running()
    await inbox_of(pair).redirect(TARGET)
    ((uid, before),) = pair.panel.webhooks.items.items()
    inbox = inbox_of(pair)
    assert await inbox.redirect(TARGET) is None
    ((same, after),) = pair.panel.webhooks.items.items()
    assert (same, after["event_types"]) == (uid, before["event_types"])
    assert after["secret"] == inbox.receiver.secret != before["secret"]
    # And from then on it is let be.
    await inbox.redirect(TARGET)
    assert pair.panel.webhooks.items[uid]["secret"] == inbox.receiver.secret


async def test_our_address_moves_and_our_webhook_with_it(running: Running) -> None:
    pair = await running()
    inbox = inbox_of(pair)
    await inbox.redirect(TARGET)
    moved = PushTarget(host="::1", port=8, path=TARGET.path, secure=True)
    assert not await inbox.points_to(moved)
    assert await inbox.redirect(moved) is None
    assert [item["url"] for item in pair.panel.webhooks.items.values()] == ["https://[::1]:8/api/webhook/secret-id"]
    assert await inbox.points_to(moved)


async def test_the_webhook_is_tried_out(running: Running) -> None:
    pair = await running()
    inbox = inbox_of(pair)
    await inbox.prove(TARGET)
    assert pair.panel.webhooks.tests == 0
    await inbox.redirect(TARGET)
    await inbox.prove(TARGET)
    assert pair.panel.webhooks.tests == 1


async def test_one_that_was_switched_off_or_doubled_is_put_right(running: Running) -> None:
    pair = await running()
    inbox = inbox_of(pair)
    await inbox.redirect(TARGET)
    items = pair.panel.webhooks.items
    first = next(iter(items.values()))
    items[7] = dict(first)
    first["status"] = "disabled"
    assert await inbox.redirect(TARGET) is None
    assert [item["status"] for item in items.values()] == ["active"]


async def test_a_webhook_that_could_not_be_made_leaves_no_secret(running: Running) -> None:
    pair = await running()
    inbox = inbox_of(pair)
    await pair.panel.fail("/webhooks", 403, method="POST", body=json.dumps({"error": "Administrator rights required"}))
    with pytest.raises(Exception, match="administrator"):
        await inbox.redirect(TARGET)
    assert inbox.receiver.secret is None


async def test_ours_without_a_number_cannot_be_called_by_one(scripted: ScriptedPanel, client: PanelClient) -> None:
    inbox = PanelInbox(PanelState(client, SERIAL))
    scripted.on("POST /webhooks", (200, {"item_uid": 1}))
    scripted.on("GET /webhooks", (200, {"list_items": []}))
    previous = await inbox.redirect(TARGET)
    assert previous is not None
    mark = scripted.of("/webhooks")[-1].json["description"]
    scripted.on("GET /webhooks", (200, {"list_items": [{"url": "http://x", "description": mark}]}))
    await inbox.restore(previous, TARGET)
    assert not any(asked.method == "DELETE" for asked in scripted.asked)


async def test_panels_ask_for_no_commands(client: PanelClient) -> None:
    with pytest.raises(StationProtocolError):
        await PanelInbox(PanelState(client, SERIAL)).exchange(b"")
