"""Taking over the people that a station has and the household has not."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ...coordinator import FaceAccessCoordinator
from ...devices.errors import NOT_TRANSFERABLE, InvalidValueError, StationRefusedError
from ...devices.station import Enrolment, TakesOver
from ...people.model import PersonError, Profile, digest
from ...people.refusal import INVALID, Refusal
from ..doors.wired import async_wired
from . import input as people_input
from .household import HousePeople
from .issues import async_refusal_text
from .photo_checks import Checks, said
from .sync import TargetWorker

NOT_TAKEN_OVER: Final = "person_not_taken_over"

type Result = tuple[dict[str, Any], Profile | None]
"""What came of one person, as an action answers it, and the new person."""


async def async_import_station(
    hass: HomeAssistant, people: HousePeople, worker: TargetWorker, checks: Checks
) -> list[Result]:
    """Take over everybody; what came of each, and the new person. Raises StationError and sqlite3.Error.

    They keep the station's id there, and what lets them in is left as it is; every other station learns of them. Whom
    it lets in on terms of its own stays with it.
    """
    work = _Import(hass=hass, people=people, worker=worker, checks=checks)
    results = [await work.one(held) for held in await worker.sync.foreign()]
    if isinstance(station := worker.people, TakesOver):
        others = [held async for held in station.others()]
        results += [await work.one(held, partial(station.take_over, held)) for held in others]
    return results


async def _nothing() -> None:
    """Whom the station lets others keep needs nothing to be done there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    """One import of one station's people."""

    hass: HomeAssistant
    people: HousePeople
    worker: TargetWorker
    checks: Checks

    async def one(self, held: Enrolment, take_over: Callable[[], Awaitable[None]] = _nothing) -> Result:
        """Take over one; what cannot be said or kept of them stops nobody else. Raises StationError, sqlite3.Error."""
        place = {"key": held.key, "name": held.name}
        try:
            profile = await self._add(held, take_over)
        except PersonError as err:
            return {**place, "result": err.code, **said(err)}, None
        except StationRefusedError as err:
            return {
                **place,
                "result": NOT_TAKEN_OVER,
                "reason": async_refusal_text(Refusal.of(err, figures=held.card is None)),
            }, None
        except InvalidValueError:
            return {**place, "result": NOT_TAKEN_OVER, "reason": async_refusal_text(Refusal(INVALID))}, None
        return {**place, "result": "added", "person_id": profile.id}, profile

    async def _add(self, held: Enrolment, take_over: Callable[[], Awaitable[None]]) -> Profile:
        if not held.transferable:
            raise StationRefusedError(NOT_TRANSFERABLE)
        profile = people_input.new_profile(self.people, _described(self.worker, held)).checked()
        picture = await self.worker.people.photo(held.key)
        pictures = [] if picture is None else [picture]
        photos = await people_input.async_prepare(self.hass, self.people, profile.id, pictures, self.checks)
        await take_over()
        # Written down with the person: else the next round would give the station the same person a second time.
        holding = self.worker.sync.adopted(profile.id, held, tuple(map(digest, photos)))
        return await self.people.async_add(profile, photos, holding)


def _described(worker: TargetWorker, held: Enrolment) -> dict[str, Any]:
    """Say of a person what the station says. Raises PersonError for one who passes a door alone that is not wired."""
    return {
        people_input.NAME: held.name or held.key,
        people_input.ROLE: held.role,
        people_input.CARD: held.card,
        people_input.VALID_FROM: held.valid_from,
        people_input.VALID_UNTIL: held.valid_until,
        people_input.ENABLED: not held.suspended,
        people_input.TEXT: held.text,
        people_input.DOORS: _doors(worker, held),
    }


def _doors(worker: TargetWorker, held: Enrolment) -> list[str] | None:
    """Find which of the station's doors somebody may pass; None for a server, which has none."""
    coordinator = worker.coordinator
    if not isinstance(coordinator, FaceAccessCoordinator):
        return None
    wired = [door.number for door in async_wired(coordinator)]
    if held.door is not None and held.door not in wired:
        raise PersonError("person_door_not_wired")
    return [coordinator.door_id(number) for number in wired if held.door in (None, number)]
