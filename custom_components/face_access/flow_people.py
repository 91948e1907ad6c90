"""Adding and changing people in Home Assistant's own lists: the entry "People", and a form for each person."""

from collections.abc import Mapping
import sqlite3
from typing import Any

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import selector
from homeassistant.util import dt as dt_util
import probatio as vol

from .access import Role
from .const import DOMAIN, LOGGER
from .coordinator import FaceAccessCoordinator
from .hub import people_input as field
from .hub.doors import async_wired
from .hub.house import async_get_history
from .hub.people import HousePeople
from .hub.people_entry import CONF_PEOPLE, CONF_PERSON, async_link
from .hub.photo_checks import CHECK_DUPLICATES, CHECK_LIVENESS, CHECK_QUALITY, Checks
from .hub.picture_of import async_picture_of
from .people.model import MAX_CARD, MAX_PHOTOS, PersonError, Profile, Storage

PHOTO = "photo"
PHOTO_ENTITY = "photo_entity"
PHOTO_SIGHTING = "photo_sighting"
REPLACE_PHOTOS = "replace_photos"
NO_CARD = "no_card"
_UPLOADS = tuple(PHOTO if number == 1 else f"{PHOTO}_{number}" for number in range(1, MAX_PHOTOS + 1))
_OFFERED_SIGHTINGS = 20


class PeopleFlowMixin(ConfigFlow):
    """The steps that make the entry of the people: by hand, or because an action needs it."""

    async def async_step_people(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Make the entry; one is enough for a house."""
        await self.async_set_unique_id(CONF_PEOPLE)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title="People", data={CONF_PEOPLE: True})

    async def async_step_system(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Make the entry for an action that was the first to name somebody."""
        return await self.async_step_people()


class PersonFlow(ConfigSubentryFlow):
    """The form of one person."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add a person."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                profile = await self._async_add(user_input)
            except (PersonError, HomeAssistantError, sqlite3.Error) as err:
                _explain(err, errors, placeholders)
            else:
                return self.async_create_entry(title=profile.name, data={CONF_PERSON: profile.id}, unique_id=profile.id)
        schema = await self._async_schema(new=True)
        schema = self.add_suggested_values_to_schema(schema, _without_photos(user_input or {}))
        return self.async_show_form(
            step_id="user", data_schema=schema, errors=errors, description_placeholders=placeholders
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change a person."""
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        profile = self._people.store.profiles.get(self._get_reconfigure_subentry().data[CONF_PERSON])
        if profile is None:
            return self.async_abort(reason="person_unknown")
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            try:
                profile = await self._async_change(profile, user_input)
            except (PersonError, HomeAssistantError, sqlite3.Error) as err:
                _explain(err, errors, placeholders)
            else:
                async_link(self.hass, entry, profile)
                return self.async_abort(reason="reconfigure_successful")
        schema = await self._async_schema(new=False)
        schema = self.add_suggested_values_to_schema(schema, _without_photos(user_input or _shown(profile)))
        placeholders |= {"person_id": profile.id, "photos": str(len(profile.photos))}
        return self.async_show_form(
            step_id="reconfigure", data_schema=schema, errors=errors, description_placeholders=placeholders
        )

    @property
    def _people(self) -> HousePeople:
        people: HousePeople = self._get_entry().runtime_data
        return people

    async def _async_add(self, user_input: Mapping[str, Any]) -> Profile:
        people = self._people
        profile = field.new_profile(people, _understood(user_input, new=True)).checked()
        if profile.id in people.store.profiles:
            raise PersonError("person_exists")
        photos = await self._async_photos(profile, user_input)
        if not photos and profile.card is None:
            raise PersonError("person_photo_missing")
        profile = await people.async_add(profile, photos)
        await self._async_remember(profile, user_input)
        return profile

    async def _async_change(self, profile: Profile, user_input: Mapping[str, Any]) -> Profile:
        people = self._people
        changed = field.changed(profile, _understood(user_input, new=False)).checked()
        photos = await self._async_photos(profile, user_input)
        if photos and not user_input.get(REPLACE_PHOTOS):
            photos = [*await people.store.photos(profile.id), *photos]
        profile = await people.async_update(changed, photos or None)
        await self._async_remember(profile, user_input)
        return profile

    async def _async_remember(self, profile: Profile, user_input: Mapping[str, Any]) -> None:
        """Note whom the chosen sighting shows: its picture goes with the person."""
        if sighting := user_input.get(PHOTO_SIGHTING):
            await (await async_get_history(self.hass)).enrolled(int(sighting), profile.id)

    async def _async_photos(self, profile: Profile, user_input: Mapping[str, Any]) -> list[bytes]:
        pictures = await self._async_pictures(user_input)
        return await field.async_prepare(self.hass, self._people, profile.id, pictures, Checks.of(user_input))

    async def _async_pictures(self, user_input: Mapping[str, Any]) -> list[bytes]:
        """Collect the pictures that were chosen. What was uploaded is taken once: it is gone afterwards."""
        uploads = [user_input[name] for name in _UPLOADS if name in user_input]
        pictures = [await self.hass.async_add_executor_job(_read_upload, self.hass, upload) for upload in uploads]
        if entity_id := user_input.get(PHOTO_ENTITY):
            pictures.append(await async_picture_of(self.hass, entity_id))
        if sighting := user_input.get(PHOTO_SIGHTING):
            history = await async_get_history(self.hass)
            if (picture := await history.picture(int(sighting))) is None:
                raise PersonError("photo_gone")
            pictures.append(picture)
        return pictures

    async def _async_schema(self, *, new: bool) -> vol.Schema:
        fields: dict[vol.Marker, Any] = {vol.Required(field.NAME): selector.TextSelector()}
        if new:
            fields[vol.Optional(field.PERSON_ID)] = selector.TextSelector()
        file = selector.FileSelector(selector.FileSelectorConfig(accept="image/*"))
        fields |= {vol.Optional(name): file for name in _UPLOADS}
        fields[vol.Optional(PHOTO_ENTITY)] = selector.EntitySelector(
            selector.EntitySelectorConfig(domain=[Platform.CAMERA, Platform.IMAGE])
        )
        if sightings := await _async_sightings(self.hass):
            fields[vol.Optional(PHOTO_SIGHTING)] = _select(sightings)
        if not new:
            fields[vol.Optional(REPLACE_PHOTOS, default=False)] = selector.BooleanSelector()
        for check in (CHECK_DUPLICATES, CHECK_LIVENESS, CHECK_QUALITY):
            fields[vol.Optional(check, default=False)] = selector.BooleanSelector()
        fields |= _facts(async_doors(self.hass))
        if not new:
            fields[vol.Optional(NO_CARD, default=False)] = selector.BooleanSelector()
        return vol.Schema(fields)


def _facts(doors: list[selector.SelectOptionDict]) -> dict[vol.Marker, Any]:
    secret = selector.TextSelector(selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD))
    return {
        vol.Required(field.ROLE, default=Role.NORMAL): selector.SelectSelector(
            selector.SelectSelectorConfig(options=list(Role), translation_key="person_role")
        ),
        vol.Optional(field.DOORS): selector.SelectSelector(selector.SelectSelectorConfig(options=doors, multiple=True)),
        vol.Optional(field.VALID_FROM): selector.DateTimeSelector(),
        vol.Optional(field.VALID_UNTIL): selector.DateTimeSelector(),
        vol.Optional(field.SCHEDULE): selector.EntitySelector(selector.EntitySelectorConfig(domain="schedule")),
        vol.Optional(field.CARD): secret,
        vol.Optional(field.TEXT): selector.TextSelector(),
        vol.Optional(field.LINKED): selector.EntitySelector(selector.EntitySelectorConfig(domain="person")),
        vol.Required(field.STORAGE, default=Storage.FULL): selector.SelectSelector(
            selector.SelectSelectorConfig(options=list(Storage), translation_key="photo_storage")
        ),
    }


def _select(options: list[selector.SelectOptionDict]) -> selector.SelectSelector:
    return selector.SelectSelector(
        selector.SelectSelectorConfig(options=options, mode=selector.SelectSelectorMode.DROPDOWN)
    )


@callback
def async_doors(hass: HomeAssistant) -> list[selector.SelectOptionDict]:
    """Name every wired door of the house."""
    found: list[selector.SelectOptionDict] = []
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        if not isinstance(coordinator := entry.runtime_data, FaceAccessCoordinator):
            continue
        wired = async_wired(coordinator)
        for door in wired:
            label = entry.title if len(wired) == 1 else f"{entry.title} {door.number}"
            found.append(selector.SelectOptionDict(value=coordinator.door_id(door.number), label=label))
    return found


async def _async_sightings(hass: HomeAssistant) -> list[selector.SelectOptionDict]:
    """Offer the newest sightings that have a picture."""
    history = await async_get_history(hass)
    past = await history.list(source=None, limit=_OFFERED_SIGHTINGS * 5)
    names = {entry.unique_id: entry.title for entry in hass.config_entries.async_entries(DOMAIN)}
    return [
        selector.SelectOptionDict(
            value=str(one.id),
            label=" · ".join(
                filter(
                    None,
                    (
                        f"{dt_util.as_local(one.captured_at):%x %X}",
                        names.get(one.source),
                        one.person_name,
                    ),
                )
            ),
        )
        for one in past
        if one.picture
    ][:_OFFERED_SIGHTINGS]


def _understood(user_input: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """Turn the form's values into a person's. What the form shows and is empty is to be nothing. Raises PersonError."""
    data: dict[str, Any] = {
        name: user_input.get(name)
        for name in (field.NAME, field.ROLE, field.DOORS, field.SCHEDULE, field.TEXT, field.LINKED, field.STORAGE)
    }
    if new and user_input.get(field.PERSON_ID):
        data[field.PERSON_ID] = user_input[field.PERSON_ID].strip()
    for name in (field.VALID_FROM, field.VALID_UNTIL):
        data[name] = _moment(user_input.get(name))
    # The number is never shown: an empty field keeps it.
    if user_input.get(NO_CARD):
        data[field.CARD] = None
    elif card := (user_input.get(field.CARD) or "").strip():
        data[field.CARD] = _card(card)
    return data


def _card(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_CARD)):
        raise PersonError("person_card_invalid")
    return int(text)


def _moment(text: str | None) -> Any:
    if not text:
        return None
    if (moment := dt_util.parse_datetime(text)) is None:
        raise PersonError("person_time_invalid")
    try:
        return dt_util.as_utc(moment)
    except OverflowError:
        raise PersonError("person_time_invalid") from None


def _shown(profile: Profile) -> dict[str, Any]:
    """What the form shows of a person; the card never."""
    local = {
        name: None if moment is None else f"{dt_util.as_local(moment):%Y-%m-%d %H:%M:%S}"
        for name, moment in ((field.VALID_FROM, profile.valid_from), (field.VALID_UNTIL, profile.valid_until))
    }
    shown = {name: value for name, value in field.described(profile).items() if value is not None}
    return shown | {name: value for name, value in local.items() if value is not None}


def _without_photos(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """What was uploaded is gone by now, and a card number is not sent back to a browser."""
    return {name: value for name, value in user_input.items() if name not in (*_UPLOADS, field.CARD)}


def _read_upload(hass: HomeAssistant, upload: str) -> bytes:
    try:
        with process_uploaded_file(hass, upload) as path:
            return path.read_bytes()
    except (ValueError, OSError) as err:
        raise PersonError("photo_gone") from err


def _explain(
    err: PersonError | HomeAssistantError | sqlite3.Error, errors: dict[str, str], placeholders: dict[str, str]
) -> None:
    if isinstance(err, PersonError):
        errors["base"] = err.code
        placeholders |= err.placeholders
        return
    LOGGER.debug("a person could not be written: %s", type(err).__name__)
    errors["base"] = "photo_gone" if isinstance(err, HomeAssistantError) else "person_not_written"
