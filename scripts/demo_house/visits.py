"""Steps of the check: who comes to the door, and who comes in."""

from datetime import UTC, datetime
from typing import Final

from .doorstep import ALICE, BOB, Doorstep
from .steps import CheckError, expect

_ENTITIES: Final = (
    ("binary_sensor", "online"),
    ("button", "open_door_1"),
    ("camera", "camera"),
    ("event", "doorbell"),
    ("event", "face"),
    ("image", "last_sighting"),
    ("lock", "door_1"),
    ("media_player", "speaker"),
    ("notify", "screen"),
    ("notify", "speak"),
    ("select", "match_mode"),
    ("sensor", "last_person"),
    ("update", "firmware"),
)
# Between the terminal's push and the answer that opens its door.
_DECIDED_WITHIN: Final = 0.3


async def arrives(door: Doorstep) -> None:
    """Its entities are there, and every one of them has something to say."""
    view = door.view
    async with door.step("its entities are there") as measured:
        await view.refresh()
        for domain, key in _ENTITIES:
            view.entity(domain, key)
        await view.until("binary_sensor", "online", "on")
        states = await view.api.states()
        away = [entity for entity in view.enabled if entity not in states or states[entity]["state"] == "unavailable"]
        expect(away, [], "the list of entities that are not available")
        measured.append(f"{len(view.enabled)} enabled")


async def known_face(door: Doorstep) -> None:
    """Somebody whom the terminal knows and lets in by itself, as it comes from the factory."""
    view = door.view
    async with door.step("a known face: picture, sensor and event are right"):
        since = view.watch.now
        await door.present("present_known", person_id=ALICE)
        event = await door.event("recognised", since)
        expect((event["person"], event["verdict"]), ("Alice Gardner", "granted"), "who came, with what outcome")
        expect((await view.state("sensor", "last_person"))["state"], "Alice Gardner", "the last person")
        image, face = view.entity("image", "last_sighting"), view.entity("event", "face")
        expect(event["picture"], image, "the event's picture")
        if view.watch.place(image, since=since) > view.watch.place(face, since=since):
            raise CheckError("the event fired before its picture was there")
        if await view.api.get(f"/api/image_proxy/{image}") != await view.station.face():
            raise CheckError("the last sighting is not the picture that the terminal took")
        await door.opened("local match")


async def opening(door: Doorstep) -> None:
    """The door opens by action, by button and by lock."""
    view = door.view
    async with door.step("open_door, the button and the lock each move the relay once"):
        since, lock = view.watch.now, view.entity("lock", "door_1")
        await view.action("open_door", door=1)
        await door.opened("gpio control")
        await view.watch.until(lock, since=since, such=lambda new: new["state"] == "open", what="open")
        await view.command("button", "open_door_1", "button.press")
        await door.opened("gpio control")
        await view.command("lock", "door_1", "lock.open")
        await door.opened("gpio control")


async def stranger(door: Doorstep) -> None:
    """Somebody whom the terminal does not know."""
    async with door.step("a stranger: denied, and the door stays shut"):
        event = await door.seen("stranger", "present_stranger")
        expect((event["person"], event["verdict"]), (None, "denied"), "who came, with what outcome")
        await door.shut()
        # Who was here last stays true.
        expect((await door.view.state("sensor", "last_person"))["state"], "Alice Gardner", "the last person")


async def online(door: Doorstep) -> None:
    """The terminal asks Home Assistant who may come in, and waits for the answer."""
    view = door.view
    async with door.step("online: asked only to notify, Home Assistant lets nobody in"):
        await view.select("match_mode", "online")
        await view.turn("liveness", "on")
        event = await door.seen("recognised", "present_known", person_id=ALICE)
        expect(event["verdict"], "none", "the verdict")
        await door.shut()
    async with door.step("online: asked to open, it opens for a known live face") as measured:
        await view.options(door_mode="open", liveness_required=True)
        since = view.watch.now
        capture = await door.present("present_known", person_id=ALICE)
        expect((await door.event("recognised", since))["verdict"], "granted", "the verdict")
        expect((await door.opened("online gateway"))["person_id"], ALICE, "whom the door opened for")
        expect("Alice Gardner" in str((await view.station.state())["spoken"]), True, "whether the terminal greets them")
        measured.append(f"decided in {capture['latency'] * 1000:.0f} ms")
        if capture["latency"] > _DECIDED_WITHIN:
            raise CheckError(f"the decision took {capture['latency']:.3f} s instead of {_DECIDED_WITHIN} s at most")
    async with door.step("online: not for a stranger, nor for a photo"):
        for scene in ("present_stranger", "present_photo"):
            await door.seen("stranger", scene)
            await door.shut()
    async with door.step("online: not for a match whose liveness nobody checked"):
        await view.turn("liveness", "off")
        event = await door.seen("denied", "present_photo", person_id=ALICE)
        expect(event["reason"], "liveness", "the reason")
        await door.shut()
        await view.turn("liveness", "on")


async def refused(door: Doorstep) -> None:
    """The terminal's own no, while Home Assistant would open for the same face."""
    view = door.view
    async with door.step("the terminal's no (temperature, mask, schedule) never opens"):
        for key in ("temperature_check", "mask_check", "mask_required"):
            await view.turn(key, "on")
        event = await door.seen("denied", "present_known", person_id=ALICE, temperature=39.4, mask=True)
        expect((event["reason"], event["temperature"]), ("temperature", 39.4), "the reason")
        await door.shut()
        event = await door.seen("denied", "present_known", person_id=ALICE, temperature=36.4, mask=False)
        expect((event["reason"], event["mask"]), ("mask", False), "the reason")
        await door.shut()
        for key in ("mask_required", "mask_check", "temperature_check"):
            await view.turn(key, "off")
        now = datetime.now(UTC).astimezone()
        section = {"start": f"{(now.hour + 12) % 24:02d}:00", "end": f"{(now.hour + 12) % 24:02d}:59"}
        await view.action(
            "set_schedule", rules=[{"kind": 1, "name": "other hours", "mode": "daily", "days": [[section]]}]
        )
        await view.station.scene("put_on_schedule", person_id=BOB, kind=1)
        expect((await door.seen("denied", "present_known", person_id=BOB))["reason"], "schedule", "the reason")
        await door.shut()
        await view.station.scene("put_on_schedule", person_id=BOB, kind=0)
