"""Steps of the check at a panel: who rings, who comes in by what, and what the door does."""

from typing import Any, Final

from .panels import Panel
from .patience import until
from .steps import expect, step
from .views import View

_BOB: Final = "Bob Mason"
_CARD: Final = "12345678"
_UNKNOWN_CARD: Final = "99999999"
_HELD_FOR: Final = 3600


class Porch:
    """One panel and what can be seen at it. Every opening has to be accounted for."""

    def __init__(self, panel: Panel, view: View) -> None:
        """Begin with a panel whose relay has not moved yet."""
        self.panel = panel
        self.view = view
        self._openings = 0

    @property
    def name(self) -> str:
        """What the steps call it."""
        return f"{self.panel.place.name} ({self.panel.place.model})"

    async def told(self, kind: str, since: int, *, such: dict[str, Any]) -> dict[str, Any]:
        """Wait for the access event after a mark of the watch that is of that kind, with those attributes."""
        wanted = {"event_type": kind, **such}
        state = await self.view.watch.until(
            self.view.entity("event", "access"),
            since=since,
            such=lambda new: wanted.items() <= new["attributes"].items(),
            what=f"{kind} with {such}",
        )
        attributes: dict[str, Any] = state["attributes"]
        return attributes

    async def new_openings(self) -> list[tuple[int, float]]:
        """Which lock opened for how many seconds since the last look."""
        openings = (await self.panel.state())["openings"]
        new = [(opening["lock"], opening["seconds"]) for opening in openings[self._openings :]]
        self._openings = len(openings)
        return new

    async def opened_once(self) -> None:
        """See that lock 1 opened once since the last look, and no other."""
        expect([lock for lock, _ in await self.new_openings()], [1], "the list of locks that opened")


async def arrives(porch: Porch) -> None:
    """Its entities are there; what it lacks is found out by asking, once, and is no complaint later."""
    view = porch.view
    async with step(f"{porch.name}: its entities are there") as measured:
        await view.refresh()
        await view.until("binary_sensor", "online", "on")
        for domain, key in (("lock", "door_1"), ("event", "doorbell"), ("event", "access"), ("image", "last_visitor")):
            view.entity(domain, key)
        states = await view.api.states()
        away = [entity for entity in view.enabled if entity not in states or states[entity]["state"] == "unavailable"]
        expect(away, [], "the list of entities that are not available")
        if porch.panel.place.webhooks:
            await until(lambda: webhooks_work(porch), "a webhook that was tried out")
        measured.append(f"{len(view.enabled)} enabled")


async def webhooks_work(porch: Porch) -> bool:
    """Whether the panel has exactly one webhook, and Home Assistant took a delivery of it."""
    state = await porch.panel.state()
    here = {webhook["uid"] for webhook in state["webhooks"]}
    taken = {delivery["webhook_uid"] for delivery in state["deliveries"] if delivery["status"] == "delivered"}
    return len(here) == 1 and here <= taken


async def rings(porch: Porch) -> None:
    """The bell rings once, however the news gets here, and the visitor is photographed."""
    view = porch.view
    async with step(f"{porch.name}: rings once, and the visitor has a new picture"):
        since, bell, image = view.watch.now, view.entity("event", "doorbell"), view.entity("image", "last_visitor")
        expect(await porch.panel.scene("ring"), True, "whether the panel calls")
        await view.watch.until(bell, since=since, what="the bell")
        await view.watch.until(image, since=since, what="a picture")
        picture = await view.api.get(f"/api/image_proxy/{image}")
        expect(isinstance(picture, bytes) and len(picture) > 100, True, "whether the picture is one")
        await porch.panel.scene("cancel")
        # News come in order: when what happened after the ring is here, a second ring would be as well.
        await porch.panel.scene("swipe_card", number=_UNKNOWN_CARD)
        await porch.told("denied", since, such={"method": "card"})
        await view.watch.settle()
        expect([state["attributes"]["event_type"] for state in view.watch.of(bell, since=since)], ["ring"], "the bell")
        expect(await porch.new_openings(), [], "the list of openings")


async def opens(porch: Porch) -> None:
    """By action, by button and by lock; each once."""
    view = porch.view
    async with step(f"{porch.name}: open_door, the button and the lock each move the relay once"):
        await view.action("open_door")
        await porch.opened_once()
        await view.command("button", "open_door_1", "button.press")
        await porch.opened_once()
        await view.command("lock", "door_1", "lock.open")
        await porch.opened_once()
        await view.until("lock", "door_1", "open")


async def holds(porch: Porch) -> None:
    """Open for an hour, and closed before it is over."""
    view = porch.view
    async with step(f"{porch.name}: held open for an hour, and closed again"):
        await view.action("hold_door_open", duration=_HELD_FOR)
        expect(await porch.new_openings(), [(1, _HELD_FOR)], "the list of openings")
        await view.until("lock", "door_1", "open")
        await view.action("close_door")
        await view.until("lock", "door_1", "unknown")
        expect((await porch.panel.state())["locks"][0]["open"], False, "whether the door stays open")


async def denies(porch: Porch) -> None:
    """The panel says no, and the door stays shut."""
    async with step(f"{porch.name}: denied, and the door stays shut"):
        before = (await porch.panel.state())["denials"]
        await porch.view.action("deny_access")
        expect((await porch.panel.state())["denials"] - before, 1, "the number of denials")
        expect(await porch.new_openings(), [], "the list of openings")


async def shows_card(porch: Porch) -> None:
    """Somebody with a card comes in; nothing in Home Assistant knows its number."""
    view = porch.view
    async with step(f"{porch.name}: a card opens, and its number is told to nobody"):
        since = view.watch.now
        await porch.panel.scene("swipe_card", number=_CARD)
        await porch.told("granted", since, such={"method": "card", "owner": _BOB})
        expect(len(await porch.new_openings()), 1, "the number of openings")
        said = f"{await view.api.states()}{view.watch.changes}"
        expect([card for card in (_CARD, _UNKNOWN_CARD) if card in said], [], "the list of numbers that were told")
