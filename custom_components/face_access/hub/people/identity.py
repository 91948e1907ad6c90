"""Who somebody is: the household's person behind what a station calls them, or behind a card."""

from collections.abc import Mapping
from dataclasses import replace

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant, callback

from ...access import Method, Person, Pictures, Sighting
from ...devices.station import Question
from ...people.model import Profile, is_new_key
from ...people.store import PeopleStore
from .sync import TargetWorker


class Identity:
    """Finds people by what was seen of them."""

    def __init__(self, hass: HomeAssistant, store: PeopleStore, workers: Mapping[str, TargetWorker]) -> None:
        """Bind to a store that is open, and to who keeps each station at what it shall know."""
        self._hass = hass
        self._store = store
        self._workers = workers

    def person(self, profile: Profile) -> Person:
        """Give what the decision looks at. A schedule that cannot be read is off: doors fail closed."""
        schedule_on = None
        if profile.schedule is not None:
            state = self._hass.states.get(profile.schedule)
            schedule_on = state is not None and state.state == STATE_ON
        return profile.person(schedule_on=schedule_on)

    @callback
    def async_identify(self, sighting: Sighting, known: Person | None = None) -> tuple[Sighting, Person | None]:
        """Put the household's name to a sighting; `known` is whom the station itself knows under that id.

        One whom the household gave to the station and has since removed is nobody, whatever the station says.
        """
        if sighting.person_id is None:
            return sighting, known
        if sighting.household:
            return self._of_household(sighting, self._store.profiles.get(sighting.person_id), known)
        found = self._named_by(sighting.source, sighting.person_id)
        if not found and not self._is_gone(sighting, sighting.person_id):
            return sighting, known
        profiles = [profile for person in found if (profile := self._store.profiles.get(person)) is not None]
        if not profiles:
            # Removed, and the station has not heard, or has them back, as from a backup: what it tells is told, but no
            # picture of them is kept.
            return replace(sighting, pictures=Pictures()), None
        if len(found) > 1:
            # Two people of one name, on a station that tells names alone: it may be either.
            return sighting, None
        (profile,) = profiles
        named = replace(sighting, person_id=profile.id, person_name=profile.name, household=True)
        return named, self._agreed(profile, known)

    @callback
    def async_find_shown(self, question: Question) -> Person | None:
        """Find whose card that is; nobody's where two people have it."""
        if question.method is not Method.CARD or not question.number.isdecimal():
            return None
        found = [profile for profile in self._store.profiles.values() if profile.card == int(question.number)]
        return self.person(found[0]) if len(found) == 1 else None

    def _of_household(
        self, sighting: Sighting, profile: Profile | None, known: Person | None
    ) -> tuple[Sighting, Person | None]:
        if profile is not None:
            return sighting, self._agreed(profile, known)
        # Removed while the frame was under way: the household has forgotten them, and learns nothing new.
        return replace(sighting, person_id=None, person_name=None, household=False, pictures=Pictures()), None

    def _named_by(self, source: str, alias: str) -> set[str]:
        """Find whom a station means by a name or an id."""
        holdings = self._store.holdings(source).values()
        found = {self._store.whose(holding) for holding in holdings if holding.alias == alias}
        if not found and (owner := self._store.person_of(alias)) is not None:
            # Our key on a station that has not heard of it yet, or not again: it is theirs wherever it turns up.
            found = {owner}
        return found

    def _is_gone(self, sighting: Sighting, key: str) -> bool:
        """Whether a station names one whom the household gave to it and who is gone: by its own word it would open."""
        if self._store.gone(sighting.source, key) is None:
            return is_new_key(key)
        worker = self._workers.get(sighting.source)
        if sighting.realtime and worker is not None and worker.done.is_set():
            # They are back: a station that decides by itself must not know them either.
            worker.async_wake(look=True)
        return True

    def _agreed(self, profile: Profile, known: Person | None) -> Person:
        """What the station holds against somebody counts as well."""
        person = self.person(profile)
        return replace(person, enabled=False) if known is not None and not known.enabled else person
