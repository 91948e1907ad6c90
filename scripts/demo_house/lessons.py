"""Steps of the check: people of the household: learned by every device, let in or not, and forgotten."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from .api import Json
from .doorstep import Doorstep
from .household import ANNA, CARD, EVA, EVERYBODY, OTTO, PAUL, PAUL_ALONE, Household, Resident
from .panels import Panel
from .patience import until
from .porch import Porch
from .stations import Station
from .steps import CheckError, expect, step

_WELCOME: Final = "Welcome home, Anna Berg."


class Lessons:
    """One household and all the devices that can learn it."""

    def __init__(self, household: Household, stations: Sequence[Station]) -> None:
        """Bind to devices that recognise faces."""
        self.household = household
        self.stations = stations

    async def learned(self, resident: Resident, *, state: str | None) -> bool:
        """Whether every device is that far with somebody; None for devices that need not know them."""
        found = (await self.household.stations()).get(resident.name, {})
        names = {station.place.name for station in self.stations}
        return {name: found.get(name) for name in names} == dict.fromkeys(names, state)

    async def knowing(self, resident: Resident) -> list[str]:
        """Which devices have somebody, by what is really on them."""
        return [station.place.name for station in self.stations if await _key(station, resident) is not None]


async def _key(station: Station, resident: Resident) -> str | None:
    """Find the id of somebody on a device; None where it has no face of theirs."""
    state = await station.state()
    if isinstance(station, Panel):
        faces = [each for each in state["identifiers"] if each["type"] == "face_id" and each["enrolled"]]
        return next((str(each["uid"]) for each in faces if each["owner"] == resident.name), None)
    return next((str(each["id"]) for each in state["people"] if each["name"] == resident.name), None)


async def learns(lessons: Lessons) -> None:
    """Added by forms, with photos; on every device soon after."""
    names = {station.place.name for station in lessons.stations}
    async with step("People: four are added by their forms, with drawn photos"):
        expect(await lessons.household.begin(), True, "whether the list is new")
        for resident in EVERYBODY:
            await lessons.household.add(resident)
    async with step(f"People: all {len(names)} devices that know faces have them") as measured:
        for resident in (ANNA, OTTO, EVA):
            await until(partial(lessons.learned, resident, state="held"), f"{resident.name} everywhere")
            expect(set(await lessons.knowing(resident)), names, f"the devices that have {resident.name}")
        measured.append(", ".join(sorted(names)))


async def explains(lessons: Lessons, door: Doorstep) -> None:
    """A photo that a device cannot use stops nobody else, and its reason is told until there is a better one."""
    async with step("People: a photo that devices refuse is a repair issue with their reason, until there is another"):
        await until(lambda: lessons.learned(PAUL, state="refused"), "a refusal by everybody")
        issues = await _refusals(door)
        told = {issue["translation_placeholders"]["station"] for issue in issues}
        expect(told, {station.place.name for station in lessons.stations}, "the devices that complain")
        if not all("face" in issue["translation_placeholders"]["reason"].lower() for issue in issues):
            raise CheckError(f"the reasons are {issues}")
        await lessons.household.give_photo(PAUL, PAUL_ALONE)
        await until(lambda: lessons.learned(PAUL, state="held"), "Paul everywhere")
        await until(lambda: _none(_refusals(door)), "an end of the issues")


async def _refusals(door: Doorstep) -> list[Json]:
    async with door.view.api.socket() as socket:
        issues = (await socket.command("repairs/list_issues"))["issues"]
    return [issue for issue in issues if issue["translation_key"] == "person_refused"]


async def _none(found: Any) -> bool:
    return not await found


async def welcomes(door: Doorstep) -> None:
    """The door opens if its policy says so, and only then somebody is welcomed: by the blueprint, with our trigger."""
    view = door.view
    async with door.step("somebody of the household: not let in by a door that only notifies"):
        await view.options(door_mode="notify_only")
        anna = await _key(view.station, ANNA)
        event = await door.seen("recognised", "present_known", person_id=anna)
        expect((event["person"], event["verdict"]), (ANNA.name, "none"), "who came, with what outcome")
        await door.shut()
    async with door.step("let in by one that opens, and welcomed by name (blueprint)"):
        await view.options(door_mode="open")
        used = {"station": view.device_id, "own_voice": view.entity("notify", "speak")}
        blueprint = {"path": "face_access/welcome.yaml", "input": used}
        await view.api.post("/api/config/automation/config/welcome", {"alias": "Welcome", "use_blueprint": blueprint})
        event = await door.seen("recognised", "present_known", person_id=anna)
        expect((event["person"], event["verdict"]), (ANNA.name, "granted"), "who came, with what outcome")
        await door.opened("online gateway")
        await until(lambda: _spoke(door, _WELCOME), "a welcome by name")


async def _spoke(door: Doorstep, words: str) -> bool:
    return words in [item["text"] for item in (await door.view.station.state())["spoken"]]


async def refuses(door: Doorstep) -> None:
    """Who is blocked and whose time is over stay outside; event and logbook say why, and nobody is welcomed."""
    view = door.view
    for resident, reason, word in ((OTTO, "blocked", "Blocked"), (EVA, "expired", "Expired")):
        async with door.step(f"{reason}: not let in, and the logbook says why"):
            began = datetime.now(UTC)
            event = await door.seen("denied", "present_known", person_id=await _key(view.station, resident))
            expect((event["person"], event["reason"]), (resident.name, reason), "who came, with what reason")
            await door.shut()
            await until(partial(_told, door, resident.name, word, began), "a line in the logbook")
            spoken = [item["text"] for item in (await view.station.state())["spoken"]]
            expect([text for text in spoken if f"Welcome home, {resident.name}" in text], [], "the welcomes")


async def _told(door: Doorstep, who: str, why: str, since: datetime) -> bool:
    async with door.view.api.socket() as socket:
        lines = await socket.command(
            "logbook/get_events", start_time=since.isoformat(), device_ids=[door.view.device_id]
        )
    return any(who in message and why in message for line in lines if (message := line.get("message")))


async def at_panel(porch: Porch) -> None:
    """A panel decides by itself: it opens for whom we gave it, and for nobody who is blocked."""
    view, panel = porch.view, porch.panel
    async with step(f"{porch.name}: opens for somebody of the household, and not for who is blocked or expired"):
        await view.refresh()
        await porch.new_openings()
        await view.turn("recognition", "on")
        for resident, kind, opened in ((ANNA, "recognised", {1}), (OTTO, "denied", set()), (EVA, "denied", set())):
            since = view.watch.now
            await panel.scene("present_known", owner=resident.name)
            state = await view.watch.until(view.entity("event", "face"), since=since, what="a face")
            attributes = state["attributes"]
            found = (attributes["event_type"], attributes["person"])
            expect(found, (kind, resident.name), "what is told of who came")
            expect({lock for lock, _ in await porch.new_openings()}, opened, "the locks that opened")


async def by_card(porch: Porch, *, opens: bool) -> None:
    """A panel that knows no faces learns cards, and forgets them with the person."""
    word = (
        "opens for the card of somebody of the household"
        if opens
        else "the card of somebody who was removed is unknown"
    )
    async with step(f"{porch.name}: {word}"):
        await porch.new_openings()
        await porch.panel.scene("swipe_card", number=CARD)
        expect([lock for lock, _ in await porch.new_openings()], [1] if opens else [], "the locks that opened")


async def forgets(lessons: Lessons, door: Doorstep) -> None:
    """Who is removed is gone for the decision at once, and from every device; that was read back."""
    async with step("People: removed from the list, gone from every device"):
        anna = await _key(door.view.station, ANNA)
        before = await lessons.knowing(ANNA)
        expect(len(before), len(lessons.stations), "the number of devices that have Anna")
        await lessons.household.remove(ANNA)
        await until(lambda: _none(lessons.knowing(ANNA)), "an end of Anna on every device")
        answer = await door.view.api.action("face_access.sync_people", {}, response=True)
        late = [each for each in answer["stations"] if each["leaving"] or not each["done"]]
        expect(late, [], "the list of devices where somebody is still leaving")
        if ANNA.name in await lessons.household.stations():
            raise CheckError("Home Assistant still knows her")
    async with door.step("who was removed is a stranger, and the door stays shut"):
        if anna is None:
            raise CheckError("Anna was not at the door's terminal")
        # She stands there all the same, and the terminal does not know her.
        await door.seen("stranger", "present_known", person_id=anna)
        await door.shut()
