"""One call of an action on people, and whom it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant

from ..hub.people import input as field
from ..hub.people.household import HousePeople
from ..people.model import PersonError, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleRequest:
    """One call. `data` holds its fields as the action's schema left them."""

    hass: HomeAssistant
    people: HousePeople
    data: Mapping[str, Any]

    def profile(self) -> Profile:
        """Find the person that the call names. Raises PersonError."""
        if (profile := self.people.store.profiles.get(self.data[field.PERSON_ID])) is None:
            raise PersonError("person_unknown")
        return profile
