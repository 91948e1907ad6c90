"""Steps of the check: what comes twice, what makes no sense, and what Home Assistant tells the terminal."""

import asyncio
from collections import Counter
import json
import re
from secrets import token_urlsafe
from typing import Final

from .doorstep import ALICE, Doorstep
from .steps import CheckError, expect
from .watch import PATIENCE

_BROKEN: Final = '{"cmd": "face", "sequence_no": 77, "cap_time": "2026/01/01 00:00:00.000", "match'
_INCOMPLETE: Final = '{"cmd": "face"}'


async def same_again(door: Doorstep) -> None:
    """A terminal that missed our answer sends the same again: a door that it opened must not open again."""
    view = door.view
    async with door.step("the same push again: acknowledged, and nothing happens"):
        await door.seen("recognised", "present_known", person_id=ALICE)
        await door.opened("online gateway")
        since = view.watch.now
        answer = await view.station.scene("resend_last")
        expect(answer["acknowledged"], True, f"the acknowledgement of {answer['body']}")
        await door.shut()
        await door.no_event(since)


async def garbage(door: Doorstep) -> None:
    """What cannot be read is acknowledged all the same, and does not fill the log."""
    view = door.view
    async with door.step("garbage to the webhook: acknowledged, logged once"):
        since, logged = view.watch.now, len(_complaints(door))
        for body in (_BROKEN, _BROKEN, "[1, 2", _INCOMPLETE):
            answer = await view.station.scene("push_raw", body=body)
            expect((answer["status"], answer["chunked"]), (200, False), "status and chunking of the answer")
            acknowledgement = json.loads(answer["body"])
            expect((acknowledgement["reply"], acknowledgement["code"]), ("ACK", 0), "the acknowledgement")
            if body is _BROKEN:
                named = acknowledgement.get("sequence_no"), acknowledgement.get("cap_time")
                expect(named, (77, "2026/01/01 00:00:00.000"), "the record that it acknowledges")
        # The log is written by a thread, in order: when the last problem is there, all are.
        async with asyncio.timeout(PATIENCE):
            while not any("incomplete" in line for line in _complaints(door)[logged:]):
                await asyncio.sleep(0.05)
        expect(len(_complaints(door)) - logged, 2, "the number of lines in the log about two kinds of garbage")
        await door.shut()
        await door.no_event(since)


def _complaints(door: Doorstep) -> list[str]:
    """Lines of Home Assistant's log about what this terminal sent."""
    log = door.view.house.child.log.read_text(errors="replace")
    return re.findall(rf"{door.view.station.place.name} sent something unusable.*", log)


async def speaks(door: Doorstep) -> None:
    """What Home Assistant tells the terminal is there when the action is over."""
    view = door.view
    async with door.step("spoken words and shown text arrive at the terminal"):
        await view.command("notify", "speak", "notify.send_message", message="Good evening")
        await view.action("say", message="Once more")
        await view.command("notify", "screen", "notify.send_message", message="Parcel, please")
        await view.action("show_text", message="Back at six", duration=20)
        state = await view.station.state()
        expect([item["text"] for item in state["spoken"]][-2:], ["Good evening", "Once more"], "what it spoke")
        expect([item["text"] for item in state["texts"]][-2:], ["Parcel, please", "Back at six"], "what it showed")


async def telephones(door: Doorstep) -> None:
    """The bell is heard in Home Assistant; a call that Home Assistant wants is made, and is no bell."""
    view = door.view
    call, bell = view.entity("sensor", "call_state"), view.entity("event", "doorbell")
    async with door.step("the bell rings in Home Assistant"):
        since = view.watch.now
        await view.station.scene("ring")
        await view.watch.until(bell, since=since, what="the bell")
        await view.watch.until(call, since=since, such=lambda new: new["state"] == "ringing", what="ringing")
        await view.action("sip_hangup")
        await view.watch.until(call, since=since, such=lambda new: new["state"] == "idle", what="the end")
    async with door.step("a SIP call is made"):
        since = view.watch.now
        await view.action("sip_register", domain="127.0.0.1", username="door", password=token_urlsafe(8))
        await view.action("sip_call", url="sip:house@127.0.0.1:5060")
        sip = (await view.station.state())["sip"]
        expect((sip["registered"], sip["peer"]), (True, "sip:house@127.0.0.1:5060"), "account and peer")
        await view.watch.until(call, since=since, such=lambda new: new["state"] == "ringing", what="ringing")
        await view.action("sip_hangup")
        await view.watch.until(call, since=since, such=lambda new: new["state"] == "idle", what="the end")
        expect((await view.station.state())["sip"]["state"], "idle", "the call at the terminal")
        await door.no_event(since, "doorbell")


async def no_violations(door: Doorstep) -> None:
    """The terminal saw nothing that its protocol forbids."""
    async with door.step("the terminal found nothing to complain about"):
        violations = Counter[str]((await door.view.station.state())["violations"])
        expect(dict(violations), {}, "the list of violations with their numbers")


async def forgive_the_restart(door: Doorstep) -> None:
    """Forget what Home Assistant's core did while it started.

    It answers a webhook that nobody has registered yet with an empty 200 at once, which no integration can change.
    """
    violations = (await door.view.station.state())["violations"]
    if others := [text for text in violations if "a heartbeat was answered without a command" not in text]:
        raise CheckError(f"the terminal complains about the restart: {others}")
    await door.view.station.scene("clear_violations")
