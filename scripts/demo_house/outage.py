"""Steps of the check: Home Assistant is away while faces pass, and nothing of it is lost or repeated."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from .api import Json
from .doorstep import ALICE, BOB, Doorstep
from .steps import expect
from .watch import Watch


class Outage:
    """One absence of Home Assistant, as one station lives through it."""

    def __init__(self, door: Doorstep) -> None:
        """Nothing has happened yet."""
        self.door = door
        self._began = datetime.now(UTC)
        self._before: dict[str, Any] = {}

    async def begins(self) -> None:
        """Remember what Home Assistant shows, the moment before it stops."""
        self._began = datetime.now(UTC)
        self._before = await self._shown()

    async def three_faces(self) -> None:
        """Somebody known, a stranger, somebody known. The stranger is never pushed: only the records tell of them."""
        station = self.door.view.station
        await station.scene("present_known", person_id=ALICE)
        await station.scene("present_stranger")
        expect(await station.scene("lose_push"), True, "whether the terminal forgot to push the stranger")
        await station.scene("present_known", person_id=BOB)

    async def ends(self, watch: Watch) -> None:
        """History has all three in order, each once, and none of them did anything."""
        door, view = self.door, self.door.view
        async with door.step("history has all three in order, nothing opened, no event fired"):
            view.watch = watch
            await view.until("binary_sensor", "online", "on")
            await view.station.scene("wait_for_pushes", seconds=30)
            await view.action("get_records", response=True, fetch=True)
            answer = await view.action("get_records", response=True, fetch=True, start=self._began.isoformat())
            expect(answer["fetched"], 0, "the number of records that were missing still")
            records: list[Json] = answer["records"]
            expect([record["person_id"] for record in records], [BOB, None, ALICE], "who passed, newest first")
            expect({record["live"] for record in records}, {False}, "whether they count as live")
            expect({record["picture"] for record in records}, {True}, "whether they have pictures")
            await door.shut()
            expect(await self._shown(), self._before, "what Home Assistant shows")

    async def _shown(self) -> dict[str, Any]:
        """What shows that something was taken for live: the times of the last events, the last face and its picture."""
        view = self.door.view
        states = {
            key: (await view.state(*key.split(".")))["state"]
            for key in ("event.face", "event.doorbell", "sensor.last_person", "sensor.last_seen", "sensor.last_denial")
        }
        picture: bytes = await view.api.get(f"/api/image_proxy/{view.entity('image', 'last_sighting')}")
        return {**states, "picture": sha256(picture).hexdigest()}

    async def life_goes_on(self) -> None:
        """Who comes now is seen and let in as before."""
        async with self.door.step("whoever comes now is let in as before"):
            await self.door.seen("recognised", "present_known", person_id=ALICE)
            await self.door.opened("online gateway")
