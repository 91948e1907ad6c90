"""The entities of a person: each person of the household is a service device."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
import sqlite3
from typing import Any, override

from homeassistant.components.event import EventEntity
from homeassistant.components.image import ImageEntity
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.components.switch import SwitchEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .access import Sighting
from .access.naming import SightingKind, denial, kind_of
from .const import DOMAIN, SCORE_SCALE
from .hub.people.entry import async_on_linked, async_profiles, device_identifier
from .hub.people.household import HousePeople
from .hub.people.issues import async_refusal_text
from .hub.picture import content_type
from .people.holding import HoldingState
from .people.model import PersonError, Profile

type Make = Callable[[HomeAssistant, HousePeople, Profile], Iterable[Entity]]


@callback
def async_setup_people(
    hass: HomeAssistant, entry: ConfigEntry[Any], async_add_entities: AddConfigEntryEntitiesCallback, make: Make
) -> None:
    """Add the entities of everybody, and of whoever comes later."""
    people: HousePeople = entry.runtime_data
    known: set[str] = set()

    @callback
    def add() -> None:
        profiles = async_profiles(entry)
        known.intersection_update(profile.key for profile in profiles.values())
        for subentry_id, profile in profiles.items():
            if profile.key not in known:
                known.add(profile.key)
                async_add_entities(make(hass, people, profile), config_subentry_id=subentry_id)

    add()
    entry.async_on_unload(async_on_linked(hass, add))


def make_events(_hass: HomeAssistant, people: HousePeople, profile: Profile) -> Iterable[Entity]:
    """Make what fires when the person is seen."""
    return [PersonEvent(people, profile)]


def make_images(hass: HomeAssistant, people: HousePeople, profile: Profile) -> Iterable[Entity]:
    """Make the picture."""
    return [PersonImage(hass, people, profile)]


def make_sensors(_hass: HomeAssistant, people: HousePeople, profile: Profile) -> Iterable[Entity]:
    """Make when and where the person was last seen, and who knows them."""
    return [PersonLastSeen(people, profile), PersonLastDoor(people, profile), PersonKnownAt(people, profile)]


def make_switches(_hass: HomeAssistant, people: HousePeople, profile: Profile) -> Iterable[Entity]:
    """Make the switch of their access."""
    return [PersonAccess(people, profile)]


class PersonEntity(Entity):
    """An entity of a person, who may change or be seen at any time."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, people: HousePeople, profile: Profile, key: str) -> None:
        """Bind to a person."""
        self._people = people
        self._person = profile.id
        self._attr_translation_key = f"person_{key}"
        self._attr_unique_id = f"person-{profile.key}-{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={device_identifier(profile)}, name=profile.name, entry_type=DeviceEntryType.SERVICE
        )

    @property
    def _profile(self) -> Profile | None:
        return self._people.store.profiles.get(self._person)

    @property
    @override
    def available(self) -> bool:
        """Gone when the person is: the entity itself goes a moment later."""
        return self._profile is not None

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the house."""
        await super().async_added_to_hass()
        self.async_on_remove(self._people.async_subscribe(self._person, self._async_take))

    @callback
    def _async_take(self, sighting: Sighting | None) -> None:
        """Take in a change of the person (None) or a sighting."""
        self.async_write_ha_state()


class PersonLastSeen(PersonEntity, SensorEntity):
    """When the person was last recognised, anywhere."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP

    def __init__(self, people: HousePeople, profile: Profile) -> None:
        """Bind to a person."""
        super().__init__(people, profile, "last_seen")

    @property
    @override
    def native_value(self) -> datetime | None:
        seen = self._people.seen.get(self._person)
        return None if seen is None else seen.at


class PersonLastDoor(PersonEntity, SensorEntity):
    """Where the person was last recognised."""

    def __init__(self, people: HousePeople, profile: Profile) -> None:
        """Bind to a person."""
        super().__init__(people, profile, "last_door")

    @property
    @override
    def native_value(self) -> str | None:
        seen = self._people.seen.get(self._person)
        return None if seen is None else seen.place


class PersonKnownAt(PersonEntity, SensorEntity):
    """How many stations know the person; why others do not."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_state_class = SensorStateClass.MEASUREMENT

    def __init__(self, people: HousePeople, profile: Profile) -> None:
        """Bind to a person."""
        super().__init__(people, profile, "known_at")

    @override
    async def async_added_to_hass(self) -> None:
        """Hear how far stations are."""
        await super().async_added_to_hass()
        self.async_on_remove(self._people.known_at.async_listen(self._person, self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> int:
        return len(self._named(HoldingState.HELD))

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        known = self._people.known_at.async_of(self._person)
        return {
            "stations": self._named(HoldingState.HELD),
            "waiting": self._named(HoldingState.PENDING),
            "refused": {
                self._people.async_station_name(serial): async_refusal_text(refusal)
                for serial, (_, refusal) in known.items()
                if refusal is not None
            },
        }

    def _named(self, state: HoldingState) -> list[str]:
        known = self._people.known_at.async_of(self._person)
        return sorted(self._people.async_station_name(serial) for serial, (found, _) in known.items() if found is state)


class PersonAccess(PersonEntity, SwitchEntity):
    """Whether the person may come in at all."""

    def __init__(self, people: HousePeople, profile: Profile) -> None:
        """Bind to a person."""
        super().__init__(people, profile, "access")

    @property
    @override
    def is_on(self) -> bool | None:
        profile = self._profile
        return None if profile is None else profile.enabled

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Let them in again."""
        await self._async_enable(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Shut them out, here and on every station."""
        await self._async_enable(False)

    async def _async_enable(self, enabled: bool) -> None:
        profile = self._profile
        if profile is None:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="person_unknown")
        try:
            await self._people.async_update(replace(profile, enabled=enabled))
        except (PersonError, sqlite3.Error) as err:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="person_not_written") from err


class PersonImage(PersonEntity, ImageEntity):
    """The picture of when the person was last recognised."""

    def __init__(self, hass: HomeAssistant, people: HousePeople, profile: Profile) -> None:
        """Bind to a person."""
        PersonEntity.__init__(self, people, profile, "picture")
        ImageEntity.__init__(self, hass)
        self._picture: bytes | None = None
        self._show()

    @property
    @override
    def entity_picture(self) -> str | None:
        """Where the picture is; None before there is one, where the entity would be shown as a broken picture."""
        return None if self._picture is None else super().entity_picture

    @override
    async def async_image(self) -> bytes | None:
        """Give the picture, encoded as it came."""
        return self._picture

    @override
    @callback
    def _async_take(self, sighting: Sighting | None) -> None:
        if self._show():
            self.async_write_ha_state()

    def _show(self) -> bool:
        seen = self._people.seen.get(self._person)
        if seen is None or seen.picture is None or seen.picture == self._picture:
            return False
        self._picture = seen.picture
        self._attr_content_type = content_type(seen.picture)
        self._attr_image_last_updated = seen.at
        return True


class PersonEvent(PersonEntity, EventEntity):
    """Fires whenever the person is seen: let in or turned away."""

    _attr_event_types = [kind.value for kind in SightingKind]  # noqa: RUF012

    def __init__(self, people: HousePeople, profile: Profile) -> None:
        """Bind to a person."""
        super().__init__(people, profile, "seen")

    @override
    @callback
    def _async_take(self, sighting: Sighting | None) -> None:
        if sighting is None:
            return
        attributes = {
            "station": self._people.async_station_name(sighting.source),
            "score": sighting.score,
            "scale": None if sighting.score is None else SCORE_SCALE,
            "verdict": sighting.verdict,
            "reason": denial(sighting),
            "liveness": sighting.liveness,
        }
        self._trigger_event(kind_of(sighting), attributes)
        self.async_write_ha_state()
