"""The form of one person: its fields in sections, what is chosen in them, and what they show of somebody known."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.const import Platform
from homeassistant.data_entry_flow import section
from homeassistant.helpers import selector
from homeassistant.util import dt as dt_util
import probatio as vol

from ..access import Role
from ..hub.people import input as field
from ..hub.people.photo_checks import (
    CHECK_DUPLICATES,
    CHECK_LIVENESS,
    CHECK_QUALITY,
    DEFAULT_SIMILARITY,
    MINIMUM_SIMILARITY,
)
from ..people.model import MAX_CARD, MAX_PHOTOS, PersonError, Profile, Storage

PHOTO: Final = "photo"
PHOTO_MEDIA: Final = "photo_media"
PHOTO_ENTITY: Final = "photo_entity"
PHOTO_SIGHTING: Final = "photo_sighting"
REPLACE_PHOTOS: Final = "replace_photos"
NO_CARD: Final = "no_card"
EVERY_DOOR: Final = "every_door"
NOTE: Final = "name"
NOTE_TEXT: Final = "text"
UPLOADS: Final = tuple(PHOTO if number == 1 else f"{PHOTO}_{number}" for number in range(1, MAX_PHOTOS + 1))
SECTIONS: Final = ("other_photos", "photo_checks", "access", "details")

type Options = list[selector.SelectOptionDict]


def person_schema(*, new: bool, doors: Options, sightings: Options) -> vol.Schema:
    """Make the form. What few people need is in sections that are closed at first."""
    photos, checks, access, details = SECTIONS
    fields: dict[vol.Marker, Any] = {vol.Required(field.NAME): selector.TextSelector()}
    if new:
        fields[vol.Optional(field.PERSON_ID)] = selector.TextSelector()
    fields |= {
        vol.Optional(PHOTO): _FILE,
        vol.Required(field.ROLE, default=Role.NORMAL): _choices(list(Role), "person_role"),
        vol.Required(photos): section(vol.Schema(_photos(sightings, new=new)), {"collapsed": True}),
        vol.Required(checks): section(vol.Schema(_CHECKS), {"collapsed": True}),
        vol.Required(access): section(vol.Schema(_access(doors, new=new)), {"collapsed": False}),
        vol.Required(details): section(vol.Schema(_details(new=new)), {"collapsed": True}),
    }
    return vol.Schema(fields)


def flat(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Take the fields out of their sections."""
    plain = {name: value for name, value in user_input.items() if name not in SECTIONS}
    for name in SECTIONS:
        plain |= user_input.get(name, {})
    return plain


def suggested(schema: vol.Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put values into the sections of their fields, as the form takes them for suggestions.

    What was uploaded is gone by now, and a card number is not sent back to a browser.
    """
    shown = {name: value for name, value in values.items() if name not in (*UPLOADS, field.CARD)}
    return shown | {
        str(key): {str(inner): shown[str(inner)] for inner in value.schema.schema if str(inner) in shown}
        for key, value in schema.schema.items()
        if isinstance(value, section)
    }


def understood(values: Mapping[str, Any], known: Profile | None = None) -> dict[str, Any]:
    """Turn the form's values into a person's, of one who is `known` or new. Raises PersonError.

    What the form shows and is empty is to be nothing.
    """
    data: dict[str, Any] = {
        name: values.get(name)
        for name in (field.NAME, field.ROLE, field.SCHEDULE, field.TEXT, field.LINKED, field.STORAGE)
    }
    if known is None and values.get(field.PERSON_ID):
        data[field.PERSON_ID] = values[field.PERSON_ID].strip()
    for name in (field.VALID_FROM, field.VALID_UNTIL):
        data[name] = _moment(values.get(name))
    data[field.METADATA] = _metadata(values.get(field.METADATA) or [])
    data |= _doors(values, known)
    # The number is never shown: an empty field keeps it.
    if values.get(NO_CARD):
        data[field.CARD] = None
    elif card := (values.get(field.CARD) or "").strip():
        data[field.CARD] = _card(card)
    return data


def shown(profile: Profile) -> dict[str, Any]:
    """What the form shows of a person; the card never."""
    values = {name: value for name, value in field.described(profile).items() if value is not None}
    for name, moment in ((field.VALID_FROM, profile.valid_from), (field.VALID_UNTIL, profile.valid_until)):
        if moment is not None:
            values[name] = f"{dt_util.as_local(moment):%Y-%m-%d %H:%M:%S}"
    values[field.METADATA] = [{NOTE: name, NOTE_TEXT: text} for name, text in profile.metadata.items()]
    return values


_FILE: Final = selector.FileSelector(selector.FileSelectorConfig(accept="image/*"))

_CHECKS: Final[Mapping[vol.Marker, Any]] = {
    vol.Optional(CHECK_DUPLICATES, default=False): selector.BooleanSelector(),
    vol.Optional(MINIMUM_SIMILARITY, default=DEFAULT_SIMILARITY): selector.NumberSelector(
        selector.NumberSelectorConfig(min=0, max=1, step=0.01, mode=selector.NumberSelectorMode.SLIDER)
    ),
    vol.Optional(CHECK_LIVENESS, default=False): selector.BooleanSelector(),
    vol.Optional(CHECK_QUALITY, default=False): selector.BooleanSelector(),
}


def _photos(sightings: Options, *, new: bool) -> dict[vol.Marker, Any]:
    fields: dict[vol.Marker, Any] = {vol.Optional(name): _FILE for name in UPLOADS if name != PHOTO}
    fields[vol.Optional(PHOTO_MEDIA)] = selector.MediaSelector(
        selector.MediaSelectorConfig(accept=["image/*"], multiple=True)
    )
    fields[vol.Optional(PHOTO_ENTITY)] = _entity(Platform.CAMERA, Platform.IMAGE)
    if sightings:
        fields[vol.Optional(PHOTO_SIGHTING)] = selector.SelectSelector(
            selector.SelectSelectorConfig(options=sightings, mode=selector.SelectSelectorMode.DROPDOWN)
        )
    if not new:
        fields[vol.Optional(REPLACE_PHOTOS, default=False)] = selector.BooleanSelector()
    fields[vol.Required(field.STORAGE, default=Storage.FULL)] = _choices(list(Storage), "photo_storage")
    return fields


def _access(doors: Options, *, new: bool) -> dict[vol.Marker, Any]:
    fields: dict[vol.Marker, Any] = {
        vol.Optional(field.DOORS): selector.SelectSelector(selector.SelectSelectorConfig(options=doors, multiple=True))
    }
    if not new:
        fields[vol.Optional(EVERY_DOOR, default=False)] = selector.BooleanSelector()
    return fields | {
        vol.Optional(field.VALID_FROM): selector.DateTimeSelector(),
        vol.Optional(field.VALID_UNTIL): selector.DateTimeSelector(),
        vol.Optional(field.SCHEDULE): _entity("schedule"),
    }


def _details(*, new: bool) -> dict[vol.Marker, Any]:
    secret = selector.TextSelector(selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD))
    text = selector.ObjectSelectorField(required=True, selector=selector.TextSelector())
    notes = selector.ObjectSelectorConfig(
        fields={NOTE: text, NOTE_TEXT: text},
        multiple=True,
        label_field=NOTE,
        description_field=NOTE_TEXT,
        translation_key="person_metadata",
    )
    fields: dict[vol.Marker, Any] = {vol.Optional(field.CARD): secret}
    if not new:
        fields[vol.Optional(NO_CARD, default=False)] = selector.BooleanSelector()
    return fields | {
        vol.Optional(field.TEXT): selector.TextSelector(),
        vol.Optional(field.LINKED): _entity("person"),
        vol.Optional(field.METADATA): selector.ObjectSelector(notes),
    }


def _choices(options: Sequence[Role] | Sequence[Storage], key: str) -> selector.SelectSelector:
    return selector.SelectSelector(selector.SelectSelectorConfig(options=list(options), translation_key=key))


def _entity(*domains: str) -> selector.EntitySelector:
    return selector.EntitySelector(selector.EntitySelectorConfig(domain=list(domains)))


def _doors(values: Mapping[str, Any], known: Profile | None) -> dict[str, list[str] | None]:
    """Find which doors the form gives. To somebody known, every one only where that is said."""
    if chosen := values.get(field.DOORS):
        return {field.DOORS: None if values.get(EVERY_DOOR) else chosen}
    if known is None or values.get(EVERY_DOOR):
        return {field.DOORS: None}
    if known.doors:
        # Whoever takes away the last door hardly means all of them.
        raise PersonError("person_doors_missing")
    return {}


def _card(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_CARD)):
        raise PersonError("person_card_invalid")
    return int(text)


def _metadata(notes: Sequence[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for note in notes:
        name = note[NOTE].strip()
        if not name or name in found:
            raise PersonError("person_metadata_twice", note=name)
        found[name] = note[NOTE_TEXT]
    return found


def _moment(text: str | None) -> Any:
    if not text:
        return None
    if (moment := dt_util.parse_datetime(text)) is None:
        raise PersonError("person_time_invalid")
    try:
        return dt_util.as_utc(moment)
    except OverflowError:
        raise PersonError("person_time_invalid") from None
