"""What a station is told of people: who may pass which of its doors, and who is only known there."""

from ...access import DoorMode, Person, Role
from ...coordinator import FaceAccessCoordinator
from ...devices.station import Enrolment
from ...people.model import Profile
from ..doors.wired import async_wired


class Enrolments:
    """What one station shall know of people, by the policies that its doors have now."""

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Look at the doors of a station that is loaded."""
        wired = async_wired(coordinator)
        self._doors = {coordinator.door_id(door.number): door.number for door in wired}
        never = {door.number for door in wired if coordinator.policy(door.number).mode is DoorMode.NEVER}
        # Only by letting nobody in there does a station that decides by itself mind that a door never opens.
        self._shut = never if coordinator.decides_itself else set()

    def of(self, profile: Profile, person: Person) -> Enrolment | None:
        """Find what to tell of a person, as they are now; None for whoever may pass no door and is not turned away."""
        permitted = [number for door, number in self._doors.items() if person.doors is None or door in person.doors]
        blocked = person.role is Role.BLOCKED
        if not (blocked or permitted):
            return None
        passed = [number for number in permitted if number not in self._shut]
        # A station can be told of one door or of all, wired or not: of two out of three, the first is safe.
        every = len(passed) == len(self._doors) > 1
        return Enrolment(
            key=profile.key,
            name=profile.name,
            role=profile.role,
            card=profile.card,
            valid_from=profile.valid_from,
            valid_until=profile.valid_until,
            # A station may decide by itself: it must know as well that this is not the time.
            suspended=(not passed and not blocked) or not person.enabled or person.schedule_on is False,
            text=profile.text,
            door=None if blocked or every else (passed or permitted)[0],
        )
