"""Second factors that people of the household gave lately. In memory alone: after a restart they are asked again."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from homeassistant.const import STATE_HOME
from homeassistant.core import HomeAssistant, callback

from ...access import Factor, Method, Passage, Person, Proof, Reason, Sighting
from ...const import LIVE_WITHIN
from ...people.model import Profile

# Longer than any door may be told to wait for a factor.
KEPT: Final = timedelta(minutes=10)
# What somebody must have with them or know. A number plate is there for all to read; an identifier may be the face.
_CREDENTIALS = frozenset({Method.CARD, Method.CODE, Method.QR})
# A card is no live face: what is missing in it as a face says nothing against it as a card.
_NOT_THE_CARDS = (None, Reason.LIVENESS, Reason.SIMILARITY, Reason.SECOND_FACTOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """One factor that was given, good for one of these doors."""

    factor: Factor
    person: str
    doors: frozenset[str]
    at: datetime


class Proofs:
    """What was shown at doors and confirmed on phones; who is at home is looked up when it matters.

    Each is good for one opening: whoever comes back shows the card again.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Start with nothing given."""
        self._hass = hass
        self._given: deque[_Given] = deque()

    @callback
    def add(self, factor: Factor, person: str, doors: Collection[str], at: datetime, now: datetime) -> bool:
        """A person gave a factor at these doors; False for what counts for nothing, since it is too long ago.

        Clocks of stations are a little ahead at times: what is given cannot have been given later than it is known.
        """
        if abs(now - at) > LIVE_WITHIN:
            return False
        while self._given and now - self._given[0].at > KEPT:
            self._given.popleft()
        self._given.append(_Given(factor=factor, person=person, doors=frozenset(doors), at=min(at, now)))
        return True

    @callback
    def of(self, person: Person, profile: Profile | None, door: str, now: datetime) -> list[Proof]:
        """Find what a person gave for a door, presence included. Whoever is not known to be at home is away."""
        found = [(one.factor, one.at) for one in self._given if one.person == person.id and door in one.doors]
        if profile is not None and profile.linked is not None:
            state = self._hass.states.get(profile.linked)
            if state is not None and state.state == STATE_HOME:
                found.append((Factor.PRESENCE, now))
        return [Proof(factor=factor, person_id=person.id, door=door, at=at) for factor, at in found]

    @callback
    def forget(self, person: str) -> None:
        """Drop all that a person gave."""
        self._given = deque(one for one in self._given if one.person != person)

    @callback
    def spend(self, person: str, door: str) -> None:
        """A door opened for what a person gave: it is used up, at the other doors of the station too."""
        self._given = deque(one for one in self._given if one.person != person or door not in one.doors)


def shown_in(event: Sighting | Passage) -> bool:
    """Whether a live report says that a card or a code was accepted: what was turned away proves nothing."""
    if isinstance(event, Passage):
        return event.granted and event.method in _CREDENTIALS
    return event.card and event.recognised and event.refused in _NOT_THE_CARDS
