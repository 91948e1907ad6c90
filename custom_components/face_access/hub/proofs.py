"""Second factors that people of the household gave lately. In memory alone: after a restart they are asked again."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from homeassistant.const import STATE_HOME
from homeassistant.core import HomeAssistant

from ..access import Factor, Person, Proof
from ..people.model import Profile

# Longer than any door may be told to wait for a factor.
_KEPT: timedelta = timedelta(minutes=10)


class Proofs:
    """What was shown at doors and confirmed on phones; who is at home is looked up when it matters."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start with nothing given."""
        self._hass = hass
        self._given: deque[Proof] = deque()

    def add(self, factor: Factor, person: str, doors: Iterable[str], now: datetime) -> None:
        """A person gave a factor, at these doors, now."""
        while self._given and now - self._given[0].at > _KEPT:
            self._given.popleft()
        self._given.extend(Proof(factor=factor, person_id=person, door=door, at=now) for door in doors)

    def of(self, person: Person, profile: Profile | None, door: str, now: datetime) -> list[Proof]:
        """Find what a person gave for a door, presence included. Whoever is not known to be at home is away."""
        given = [proof for proof in self._given if proof.person_id == person.id and proof.door == door]
        if profile is not None and profile.linked is not None:
            state = self._hass.states.get(profile.linked)
            if state is not None and state.state == STATE_HOME:
                given.append(Proof(factor=Factor.PRESENCE, person_id=person.id, door=door, at=now))
        return given
