"""What a station shall know of the household: whoever may pass one of its doors, and whoever is to be turned away."""

from collections.abc import Iterator

from ..access import DoorMode, Role
from ..coordinator import FaceAccessCoordinator
from ..devices.station import Enrolment
from ..people.model import Profile
from ..people.plan import Wanted
from ..people.store import PeopleStore
from .doors import async_wired
from .identity import Identity


def wanted(coordinator: FaceAccessCoordinator, store: PeopleStore, identity: Identity) -> Iterator[Wanted]:
    """Find everybody whom a station shall know, as it is now.

    Nobody can be given to a station without a face or a card; one who came from there has them there.
    """
    # Only by never letting anybody in does a station that decides by itself mind that this door never opens.
    shut = coordinator.decides_itself and coordinator.policy().mode is DoorMode.NEVER
    there = {holding.person for holding in store.holdings(coordinator.serial).values()}
    doors = {coordinator.door_id(door.number): door.number for door in async_wired(coordinator)}
    for profile in tuple(store.profiles.values()):
        blocked = profile.role is Role.BLOCKED
        numbers = [number for door, number in doors.items() if profile.doors is None or door in profile.doors]
        if (blocked or numbers) and (profile.photos or profile.card is not None or profile.id in there):
            # A station can be told of one door or of all, wired or not: of two out of three, the first is safe.
            every = len(numbers) == len(doors) > 1
            yield _wanted_one(profile, identity, None if blocked or every else numbers[0], shut=shut)


def _wanted_one(profile: Profile, identity: Identity, door: int | None, *, shut: bool) -> Wanted:
    person = identity.person(profile)
    return Wanted(
        person=profile.id,
        enrolment=Enrolment(
            key=profile.key,
            name=profile.name,
            role=profile.role,
            card=profile.card,
            valid_from=profile.valid_from,
            valid_until=profile.valid_until,
            # A station may decide by itself: it must know as well that this is not the time.
            suspended=shut or not person.enabled or person.schedule_on is False,
            text=profile.text,
            door=door,
        ),
        photos=profile.photos,
    )
