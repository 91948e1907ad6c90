"""Adding and changing people in Home Assistant's own lists: the entry "People", and a form for each person."""

from collections.abc import Iterable, Mapping
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
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import selector
from homeassistant.util import dt as dt_util
import probatio as vol

from ..actions.media import MEDIA, async_load_pictures
from ..const import DOMAIN, LOGGER
from ..coordinator import FaceAccessCoordinator
from ..hub.doors.wired import async_wired
from ..hub.history.shown_in import async_note_shown
from ..hub.house import async_get_history
from ..hub.people import input as field
from ..hub.people.entry import CONF_PEOPLE, CONF_PERSON, async_link
from ..hub.people.household import HousePeople
from ..hub.people.photo_checks import Checks
from ..hub.picture_of import async_picture_of
from ..people.model import PersonError, Profile
from .person_form import (
    PHOTO_ENTITY,
    PHOTO_MEDIA,
    PHOTO_SIGHTING,
    REPLACE_PHOTOS,
    UPLOADS,
    flat,
    person_schema,
    shown,
    suggested,
    understood,
)

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
                profile = await self._async_add(flat(user_input))
            except (PersonError, HomeAssistantError, sqlite3.Error) as err:
                _explain(err, errors, placeholders)
            else:
                return self.async_create_entry(title=profile.name, data={CONF_PERSON: profile.id}, unique_id=profile.id)
        schema = await self._async_schema()
        schema = self.add_suggested_values_to_schema(schema, suggested(schema, flat(user_input or {})))
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
                profile = await self._async_change(profile, flat(user_input))
            except (PersonError, HomeAssistantError, sqlite3.Error) as err:
                _explain(err, errors, placeholders)
            else:
                async_link(self.hass, entry, profile)
                return self.async_abort(reason="reconfigure_successful")
        schema = await self._async_schema(profile)
        values = shown(profile) if user_input is None else flat(user_input)
        schema = self.add_suggested_values_to_schema(schema, suggested(schema, values))
        placeholders = {
            "name": profile.name,
            "person_id": profile.id,
            "photos": str(len(profile.photos)),
        } | placeholders
        return self.async_show_form(
            step_id="reconfigure", data_schema=schema, errors=errors, description_placeholders=placeholders
        )

    @property
    def _people(self) -> HousePeople:
        people: HousePeople = self._get_entry().runtime_data
        return people

    async def _async_add(self, user_input: Mapping[str, Any]) -> Profile:
        people = self._people
        profile = field.new_profile(people, understood(user_input)).checked()
        if profile.id in people.store.profiles:
            # Before the pictures are loaded: what was uploaded must still be there for another id.
            raise PersonError("person_exists")
        pictures = await self._async_pictures(user_input)
        profile = await field.async_add(self.hass, people, profile, pictures, Checks.of(user_input))
        await self._async_remember(profile, user_input)
        return profile

    async def _async_change(self, profile: Profile, user_input: Mapping[str, Any]) -> Profile:
        changed = field.changed(profile, understood(user_input, profile)).checked()
        pictures, add = await self._async_pictures(user_input), not user_input.get(REPLACE_PHOTOS)
        checks = Checks.of(user_input)
        profile = await field.async_update(self.hass, self._people, changed, pictures, checks, add=add)
        await self._async_remember(profile, user_input)
        return profile

    async def _async_remember(self, profile: Profile, user_input: Mapping[str, Any]) -> None:
        """Note whom the chosen sightings show: their pictures go with the person."""
        chosen = user_input.get(PHOTO_SIGHTING)
        await async_note_shown(self.hass, profile.id, [int(chosen)] if chosen else (), _media(user_input))

    async def _async_pictures(self, user_input: Mapping[str, Any]) -> list[bytes]:
        """Collect the pictures that were chosen. What was uploaded is taken once: it is gone afterwards."""
        uploads = [user_input[name] for name in UPLOADS if name in user_input]
        pictures = [await self.hass.async_add_executor_job(_read_upload, self.hass, upload) for upload in uploads]
        pictures += await async_load_pictures(self.hass, {MEDIA: _media(user_input)})
        if entity_id := user_input.get(PHOTO_ENTITY):
            pictures.append(await async_picture_of(self.hass, entity_id))
        if sighting := user_input.get(PHOTO_SIGHTING):
            history = await async_get_history(self.hass)
            if (picture := await history.picture(int(sighting))) is None:
                raise PersonError("photo_gone")
            pictures.append(picture)
        return pictures

    async def _async_schema(self, known: Profile | None = None) -> vol.Schema:
        doors = async_doors(self.hass, chosen=() if known is None else known.doors or ())
        return person_schema(new=known is None, doors=doors, sightings=await _async_sightings(self.hass))


@callback
def async_doors(hass: HomeAssistant, *, chosen: Iterable[str] = ()) -> list[selector.SelectOptionDict]:
    """Name every wired door of the house, and those that are `chosen` also while their station is away."""
    found: list[selector.SelectOptionDict] = []
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        if not isinstance(coordinator := entry.runtime_data, FaceAccessCoordinator):
            continue
        wired = async_wired(coordinator)
        for door in wired:
            label = entry.title if len(wired) == 1 else f"{entry.title} {door.number}"
            found.append(selector.SelectOptionDict(value=coordinator.door_id(door.number), label=label))
    away = sorted(set(chosen) - {door["value"] for door in found})
    return found + [selector.SelectOptionDict(value=door, label=door) for door in away]


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


def _media(user_input: Mapping[str, Any]) -> list[str]:
    return [medium["media_content_id"] for medium in user_input.get(PHOTO_MEDIA) or ()]


def _read_upload(hass: HomeAssistant, upload: str) -> bytes:
    try:
        with process_uploaded_file(hass, upload) as path:
            return path.read_bytes()
    except (ValueError, KeyError, OSError) as err:
        # Also one that another form takes at the same time.
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
