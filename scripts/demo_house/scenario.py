"""What the check plays in the house, one step after the other, at each of the two terminals."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_urlsafe
from typing import Any, Final

from .api import Json
from .steps import CheckError, expect, step
from .views import View, until

ALICE: Final = "0001"
BOB: Final = "0002"
_ENTITIES: Final = (
    ("binary_sensor", "online"),
    ("button", "open_door"),
    ("camera", "camera"),
    ("event", "face"),
    ("image", "last_sighting"),
    ("lock", "door"),
    ("notify", "screen"),
    ("notify", "speak"),
    ("select", "match_mode"),
    ("sensor", "last_person"),
)
# Long enough for a push that was swallowed wrongly, or an event that came wrongly, to show.
_QUIET: Final = 1.5


@dataclass
class Play:
    """The scenario at one terminal."""

    view: View
    openings: list[Json] = field(default_factory=list)

    def step(self, name: str) -> Any:
        """A step of the check, named after where it happens."""
        return step(f"{self.view.station.place.name}: {name}")

    async def set_up(self) -> None:
        """Its entities appear; it asks Home Assistant who may come in."""
        view = self.view
        async with self.step("its entities are there"):
            await view.refresh()
            for domain, key in _ENTITIES:
                view.entity(domain, key)
            await view.until_state("binary_sensor", "online", "on")
        async with self.step("it asks Home Assistant who may come in"):
            await view.api.options(
                view.entry_id, {"doors": 1, "door_mode": "open", "liveness_required": True, "local_only": True}
            )
            await view.until_state("binary_sensor", "online", "on")
            await view.command("select", "match_mode", "select.select_option", option="online")
            await view.until_state("select", "match_mode", "online")
            await view.command("switch", "liveness", "switch.turn_on")
            await view.until_state("switch", "liveness", "on")

    async def visitors(self) -> None:
        """Who may come in comes in, and nobody else."""
        async with self.step("a known face: event, picture and sensor, and the door opens"):
            await self._known()
        async with self.step("open_door moves the relay"):
            await self.view.command("button", "open_door", "button.press")
            await self._opened("gpio")
            await self.view.action("open_door", door=1)
            await self._opened("gpio")
        async with self.step("a stranger: seen, and the door stays shut"):
            await self._seen("stranger", "present_stranger")
            await self._nothing_opened()
        async with self.step("the terminal says no (temperature, mask): the door stays shut"):
            await self._refused()

    async def _known(self) -> None:
        event = await self._seen("recognised", "present_known", person_id=ALICE)
        attributes = event["attributes"]
        expect(attributes["person"], "Alice Gardner", "the event's person")
        expect(attributes["picture"], self.view.entity("image", "last_sighting"), "the event's picture")
        expect((await self.view.state("sensor", "last_person"))["state"], "Alice Gardner", "the last person")
        image = await self.view.state("image", "last_sighting")
        if image["last_updated"] > event["last_updated"]:
            raise CheckError("the event fired before its picture was there")
        picture = await self.view.api.get(f"/api/image_proxy/{image['entity_id']}")
        if not isinstance(picture, bytes) or not picture.startswith(b"\xff\xd8"):
            raise CheckError("the last sighting is no JPEG")
        await self._opened("online")

    async def _refused(self) -> None:
        view = self.view
        for key in ("temperature_check", "mask_check", "mask_required"):
            await view.command("switch", key, "switch.turn_on")
            await view.until_state("switch", key, "on")
        hot = await self._seen("denied", "present_known", person_id=ALICE, temperature=39.4, mask=True)
        expect(hot["attributes"]["reason"], "temperature", "the reason")
        bare = await self._seen("denied", "present_known", person_id=ALICE, temperature=36.4, mask=False)
        expect(bare["attributes"]["reason"], "mask", "the reason")
        await self._nothing_opened()
        for key in ("mask_required", "mask_check", "temperature_check"):
            await view.command("switch", key, "switch.turn_off")

    async def closed_hours(self) -> None:
        """Somebody whose schedule allows no hour of this day. Only a terminal that can be called takes our person."""
        async with self.step("the terminal says no (schedule): the door stays shut"):
            hour = f"{(datetime.now(UTC).astimezone().hour + 12) % 24:02d}"
            sections = [{"start": f"{hour}:00", "end": f"{hour}:59"}]
            rule = {"kind": 1, "name": "other hours", "mode": "daily", "days": [sections]}
            await self.view.action("set_schedule", rules=[rule])
            await self.view.station.vendor_command("update person", id=BOB, kind=1, update_flags=0x08)
            event = await self._seen("denied", "present_known", person_id=BOB)
            expect(event["attributes"]["reason"], "schedule", "the reason")
            await self._nothing_opened()

    async def pushes(self) -> None:
        """What comes twice is seen once; what makes no sense is acknowledged."""
        view = self.view
        async with self.step("the same push again: acknowledged, and nothing happens"):
            before = await view.state("event", "face")
            answer = await view.station.scene("resend_last")
            expect(answer["acknowledged"], True, f"the acknowledgement of {answer}")
            await self._nothing_happens(before)
        async with self.step("garbage: acknowledged, and logged once"):
            logged = self._complaints()
            for body in ("{", "{"):
                answer = await view.station.scene("push_raw", body=body)
                expect((answer["status"], answer["chunked"]), (200, False), "status and chunking of the answer")
            await self._nothing_happens(before)
            expect(self._complaints() - logged, 1, "the number of lines about it in the log")

    def _complaints(self) -> int:
        log = self.view.house.child.log.read_text(errors="replace")
        return sum("sent something unusable" in line for line in log.splitlines())

    async def speaks(self) -> None:
        """What Home Assistant tells the terminal arrives there."""
        view = self.view
        async with self.step("spoken words and shown text arrive"):
            await view.command("notify", "speak", "notify.send_message", message="Good evening")
            await self._at_terminal("the words", lambda state: "Good evening" in str(state["spoken"]))
            await view.command("notify", "screen", "notify.send_message", message="Parcel, please")
            await self._at_terminal("the text", lambda state: "Parcel, please" in str(state["texts"]))
            await view.action("say", message="Once more")
            await self._at_terminal("the words", lambda state: "Once more" in str(state["spoken"]))
        async with self.step("a SIP call is made"):
            await view.action("sip_register", domain="127.0.0.1", username="door", password=token_urlsafe(8))
            await view.action("sip_call", url="sip:house@127.0.0.1:5060")
            await self._at_terminal("the call", lambda state: bool(state["sip"]["calls"]))

    # Home Assistant is away

    async def three_faces(self) -> None:
        """Somebody known, a stranger, somebody known."""
        await self.view.station.scene("present_known", person_id=ALICE)
        await self.view.station.scene("present_stranger")
        await self.view.station.scene("present_known", person_id=BOB)

    async def caught_up(self, since: datetime, before: Json) -> None:
        """History has all three, each once, and none of them did anything."""
        async with self.step("history has all three, and nothing opened"):
            await self.view.until_state("binary_sensor", "online", "on")
            await until(lambda: self._missed(since), "three sightings in history", patience=40)
            await asyncio.sleep(_QUIET)
            await self._missed(since)
            after = await self.view.state("event", "face")
            expect(after["state"], before["state"], "the time of the last event")
            await self._nothing_opened()

    async def _missed(self, since: datetime) -> list[Json] | None:
        answer = await self.view.action("get_records", response=True, start=since.isoformat())
        records: list[Json] = answer["records"]
        if len(records) < 3:
            return None
        expect([record["person_id"] for record in records], [BOB, None, ALICE], "who passed, newest first")
        expect({record["live"] for record in records}, {False}, "whether they count as live")
        return records

    async def no_violations(self) -> None:
        """The terminal saw nothing that its protocol forbids."""
        async with self.step("the terminal found nothing to complain about"):
            expect((await self.view.station.state())["violations"], [], "the list of violations")

    # What steps are made of

    async def _seen(self, kind: str, scene: str, **arguments: Any) -> Json:
        """Play a scene and wait for its event, which must be of that kind."""
        before = await self.view.state("event", "face")
        await self.view.station.scene(scene, **arguments)
        event = await self.view.until_other("event", "face", before)
        expect(event["attributes"]["event_type"], kind, "the event's type")
        return event

    async def _at_terminal(self, what: str, arrived: Callable[[Json], bool]) -> None:
        async def look() -> bool | None:
            return arrived(await self.view.station.state()) or None

        await until(look, f"{what} at the terminal")

    async def _opened(self, why: str) -> None:
        """Exactly one opening since the last look, on that word."""

        async def look() -> list[Json] | None:
            openings: list[Json] = (await self.view.station.state())["openings"]
            return openings if len(openings) > len(self.openings) else None

        openings = await until(look, "the relay")
        new, self.openings = openings[len(self.openings) :], openings
        if len(new) != 1 or why not in new[0]["reason"]:
            raise CheckError(f"the relay moved otherwise than once by {why!r}: {new}")

    async def _nothing_opened(self) -> None:
        await asyncio.sleep(_QUIET)
        openings = (await self.view.station.state())["openings"]
        expect(openings[len(self.openings) :], [], "the list of new openings")

    async def _nothing_happens(self, before: Json) -> None:
        await self._nothing_opened()
        after = await self.view.state("event", "face")
        expect(after["last_updated"], before["last_updated"], "the time of the last event")


async def play(views: list[View], restart: Callable[[], Any], stop: Callable[[], Any]) -> None:
    """Play everything; the first thing that is not as it must be raises."""
    plays = [Play(view) for view in views]
    for one in plays:
        await one.set_up()
        await one.visitors()
        if not one.view.station.place.calls:
            await one.closed_hours()
        await one.pushes()
        await one.speaks()
    since = datetime.now(UTC)
    before = [await one.view.state("event", "face") for one in plays]
    async with step("Home Assistant stops, and three faces pass at each terminal"):
        await stop()
        for one in plays:
            await one.three_faces()
    async with step("Home Assistant starts again"):
        await restart()
    for one, last in zip(plays, before, strict=True):
        await one.caught_up(since, last)
        await one.no_violations()
