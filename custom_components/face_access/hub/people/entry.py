"""The config entry "People": one per house, with a subentry for each person.

A subentry holds a person's id and nothing else. What is known of them is in the store, and photos never leave it. The
entry remembers by their keys who was ever on the list: whoever was and is not is deleted, and goes from the store too.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
import sqlite3
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import SOURCE_SYSTEM, ConfigEntry, ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_call_later

from ...const import DOMAIN, LOGGER
from ...people.model import PersonError, Profile
from .household import HousePeople, async_get_people
from .issues import async_report_undeleted

CONF_PEOPLE: Final = "people"
CONF_PERSON: Final = "person_id"
CONF_LISTED: Final = "listed"
RETRY_AFTER: Final = 60.0
SUBENTRY_PERSON: Final = "person"
PEOPLE_PLATFORMS: Final = [Platform.EVENT, Platform.IMAGE, Platform.SENSOR, Platform.SWITCH]
_SIGNAL_LINKED: Final = f"{DOMAIN}_people_linked"


def is_people(entry: ConfigEntry[Any]) -> bool:
    """Whether this is the entry of the people, and no station's."""
    return CONF_PEOPLE in entry.data


@callback
def async_entry(hass: HomeAssistant) -> ConfigEntry[Any] | None:
    """Find the entry of the people."""
    return next((entry for entry in hass.config_entries.async_entries(DOMAIN) if is_people(entry)), None)


async def async_ensure_entry(hass: HomeAssistant) -> ConfigEntry[Any]:
    """Find the entry of the people, or make it: an action may be the first to name somebody."""
    if (entry := async_entry(hass)) is None:
        await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_SYSTEM})
        entry = async_entry(hass)
    if entry is None:
        raise RuntimeError("the entry of the people could not be made")
    return entry


async def async_setup(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Bring the people in. What a hard stop left different between store and subentries is mended."""
    people = await async_get_people(hass)
    entry.runtime_data = people
    linked = {subentry.data[CONF_PERSON]: subentry.subentry_id for subentry in _of_persons(entry)}
    for person, subentry_id in linked.items():
        if person not in people.store.profiles:
            hass.config_entries.async_remove_subentry(entry, subentry_id)
    deleted = _deleted(entry, people)
    for profile in tuple(people.store.profiles.values()):
        if profile not in deleted:
            async_link(hass, entry, profile)
    _remember(hass, entry, people)
    await hass.config_entries.async_forward_entry_setups(entry, PEOPLE_PLATFORMS)
    deletions = _Deletions(hass, entry, people)

    async def updated(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Somebody was added or deleted in Home Assistant's own list: follow."""
        _remember(hass, entry, people)
        await deletions.async_follow()
        async_dispatcher_send(hass, _SIGNAL_LINKED)

    entry.async_on_unload(entry.add_update_listener(updated))
    entry.async_on_unload(deletions.async_stop)
    await deletions.async_follow()
    return True


class _Deletions:
    """Removes from the house whom somebody deleted in Home Assistant's own list, however often that has to be tried."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], people: HousePeople) -> None:
        """Bind to the list and to the people of the house."""
        self._hass = hass
        self._entry = entry
        self._people = people
        self._one_at_a_time = asyncio.Lock()
        self._stop_retry: CALLBACK_TYPE | None = None
        self._stopped = False

    async def async_follow(self, _now: datetime | None = None) -> None:
        """Remove everybody who is deleted. Whom the store keeps is told of, and removed a little later."""
        async with self._one_at_a_time:
            self._async_cancel_retry()
            for profile in _deleted(self._entry, self._people):
                try:
                    # An action may be quicker.
                    with suppress(PersonError):
                        await self._people.async_remove(profile.id)
                except sqlite3.Error as err:
                    LOGGER.error("somebody deleted could not be removed from the store: %s", type(err).__name__)
            kept = _deleted(self._entry, self._people)
            async_report_undeleted(self._hass, [profile.name for profile in kept])
            if kept and not self._stopped:
                self._stop_retry = async_call_later(self._hass, RETRY_AFTER, self.async_follow)

    @callback
    def async_stop(self) -> None:
        """Try no more: the next start of the entry will."""
        self._stopped = True
        self._async_cancel_retry()

    @callback
    def _async_cancel_retry(self) -> None:
        if self._stop_retry is not None:
            self._stop_retry()
            self._stop_retry = None


async def async_unload(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Let the entities go. Stations go on knowing everybody."""
    return await hass.config_entries.async_unload_platforms(entry, PEOPLE_PLATFORMS)


async def async_remove(hass: HomeAssistant) -> None:
    """The household wants no people any more: photos are biometric data and go with the entry."""
    people = await async_get_people(hass)
    async_report_undeleted(hass, ())
    for person in tuple(people.store.profiles):
        await people.async_remove(person)


@callback
def async_link(hass: HomeAssistant, entry: ConfigEntry[Any], profile: Profile) -> None:
    """Show a person in the list of the entry, under their name of today."""
    subentry = async_subentry(entry, profile.id)
    if subentry is not None:
        hass.config_entries.async_update_subentry(entry, subentry, title=profile.name)
    else:
        subentry = ConfigSubentry(
            data=MappingProxyType({CONF_PERSON: profile.id}),
            subentry_type=SUBENTRY_PERSON,
            title=profile.name,
            unique_id=profile.id,
        )
        hass.config_entries.async_add_subentry(entry, subentry)
        _write_listed(hass, entry, {*entry.data.get(CONF_LISTED, ()), profile.key})
    devices = dr.async_get(hass)
    device = devices.async_get_device_by_identifier(device_identifier(profile), entry.entry_id)
    if device is not None:
        devices.async_update_device(device.id, name=profile.name)


@callback
def async_unlink(hass: HomeAssistant, entry: ConfigEntry[Any], person: str) -> None:
    """Take a person off the list of the entry, with their device."""
    if (subentry := async_subentry(entry, person)) is not None:
        hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)


def async_subentry(entry: ConfigEntry[Any], person: str) -> ConfigSubentry | None:
    """Find a person's subentry."""
    return next((each for each in _of_persons(entry) if each.data[CONF_PERSON] == person), None)


@callback
def async_on_linked(hass: HomeAssistant, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
    """Hear whenever the list of people may be another one."""
    return async_dispatcher_connect(hass, _SIGNAL_LINKED, listener)


def async_profiles(entry: ConfigEntry[Any]) -> dict[str, Profile]:
    """Find everybody on the list, by the id of their subentry."""
    people: HousePeople = entry.runtime_data
    found = {each.subentry_id: people.store.profiles.get(each.data[CONF_PERSON]) for each in _of_persons(entry)}
    return {subentry_id: profile for subentry_id, profile in found.items() if profile is not None}


def device_identifier(profile: Profile) -> tuple[str, str]:
    """Name a person's device: by the key, which stays when everything else changes."""
    return (DOMAIN, f"person_{profile.key}")


def _deleted(entry: ConfigEntry[Any], people: HousePeople) -> list[Profile]:
    """Find who was on the list, is not any more, and is still in the store."""
    shown = {subentry.data[CONF_PERSON] for subentry in _of_persons(entry)}
    listed = set(entry.data.get(CONF_LISTED, ()))
    return [each for each in people.store.profiles.values() if each.key in listed and each.id not in shown]


@callback
def _remember(hass: HomeAssistant, entry: ConfigEntry[Any], people: HousePeople) -> None:
    """Write down who is on the list, and forget whoever was and is gone from the store as well."""
    shown = {subentry.data[CONF_PERSON] for subentry in _of_persons(entry)}
    listed = set(entry.data.get(CONF_LISTED, ()))
    profiles = people.store.profiles.values()
    _write_listed(hass, entry, {each.key for each in profiles if each.id in shown or each.key in listed})


@callback
def _write_listed(hass: HomeAssistant, entry: ConfigEntry[Any], keys: set[str]) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_LISTED: sorted(keys)})


def _of_persons(entry: ConfigEntry[Any]) -> list[ConfigSubentry]:
    return [each for each in entry.subentries.values() if each.subentry_type == SUBENTRY_PERSON]
