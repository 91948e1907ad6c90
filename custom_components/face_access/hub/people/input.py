"""What a form or an action says about a person, as a profile; and where the photos in it come from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.util import slugify

from ...access import Role
from ...people.model import MAX_PHOTOS, PersonError, Profile, Storage, digest, new_key
from ...people.photos import prepare
from .household import HousePeople
from .photo_checks import Checks, async_check_photos

# One word per thing, in forms, actions and answers alike.
PERSON_ID: Final = "person_id"
NAME: Final = "name"
ROLE: Final = "role"
ENABLED: Final = "enabled"
VALID_FROM: Final = "valid_from"
VALID_UNTIL: Final = "valid_until"
DOORS: Final = "doors"
SCHEDULE: Final = "schedule"
CARD: Final = "card"
TEXT: Final = "text"
LINKED: Final = "linked_person"
METADATA: Final = "metadata"
STORAGE: Final = "photo_storage"

# Fields of the input that a profile takes as they are, None for the default.
_PLAIN: Final[Mapping[str, str]] = {
    NAME: "name",
    ENABLED: "enabled",
    VALID_FROM: "valid_from",
    VALID_UNTIL: "valid_until",
    SCHEDULE: "schedule",
    CARD: "card",
    TEXT: "text",
    LINKED: "linked",
    METADATA: "metadata",
}
_DEFAULTS: Final[Mapping[str, Any]] = {"enabled": True, "text": "", "metadata": {}}


def changed(profile: Profile, data: Mapping[str, Any]) -> Profile:
    """Take over what the input has; a field that is there as None goes back to its default."""
    changes: dict[str, Any] = {}
    for field, name in _PLAIN.items():
        if field in data:
            changes[name] = _DEFAULTS.get(name) if data[field] is None else data[field]
    if ROLE in data:
        changes["role"] = Role(data[ROLE] or Role.NORMAL)
    if STORAGE in data:
        changes["storage"] = Storage(data[STORAGE] or Storage.FULL)
    if DOORS in data:
        # Nothing said is every door, and a choice of none is none: an emptied list must not let somebody in anywhere.
        changes["doors"] = None if data[DOORS] is None else frozenset(data[DOORS])
    if "name" in changes:
        changes["name"] = str(changes["name"] or "").strip()
    return replace(profile, **changes)


def new_profile(people: HousePeople, data: Mapping[str, Any]) -> Profile:
    """Describe a new person. Without an id they get one that is made of the name."""
    person = data.get(PERSON_ID) or _free_id(people.store.profiles, str(data.get(NAME) or ""))
    return changed(Profile(id=person, key=new_key(), name=""), data)


def _free_id(taken: Collection[str], name: str) -> str:
    stem = slugify(name)[:48].strip("_") or "person"
    return next(
        person
        for number in range(1, len(taken) + 2)
        if (person := stem if number == 1 else f"{stem}_{number}") not in taken
    )


async def async_prepare(
    hass: HomeAssistant, people: HousePeople, person: str, pictures: Sequence[bytes], checks: Checks
) -> list[bytes]:
    """Make pictures ready to be kept: nobody else's, and as `checks` want them. Raises PersonError."""
    if len(pictures) > MAX_PHOTOS:
        raise PersonError("person_photos_too_many", limit=str(MAX_PHOTOS))
    photos = [await hass.async_add_executor_job(prepare, picture) for picture in pictures]
    names = {digest(photo) for photo in photos}
    for profile in people.store.profiles.values():
        if profile.id != person and not names.isdisjoint(profile.photos):
            raise PersonError("person_duplicate", person=profile.id)
    await async_check_photos(hass, person, photos, checks)
    return photos


async def async_add(
    hass: HomeAssistant, people: HousePeople, profile: Profile, pictures: Sequence[bytes], checks: Checks
) -> Profile:
    """Add a person with pictures as they came. Raises PersonError and sqlite3.Error."""
    if profile.id in people.store.profiles:
        raise PersonError("person_exists")
    photos = await async_prepare(hass, people, profile.id, pictures, checks)
    if not photos and profile.card is None:
        raise PersonError("person_photo_missing")
    return await people.async_add(profile, photos)


async def async_update(
    hass: HomeAssistant,
    people: HousePeople,
    profile: Profile,
    pictures: Sequence[bytes],
    checks: Checks,
    *,
    add: bool,
) -> Profile:
    """Change a person; `add` puts new photos after the old ones. Raises PersonError and sqlite3.Error."""
    photos = await async_prepare(hass, people, profile.id, pictures, checks)
    if photos and add:
        photos = [*await people.store.photos(profile.id), *photos]
    return await people.async_update(profile, photos or None)


def described(profile: Profile) -> dict[str, Any]:
    """Give what may be shown of a person: neither card nor photos."""
    return {
        PERSON_ID: profile.id,
        NAME: profile.name,
        ROLE: profile.role.value,
        ENABLED: profile.enabled,
        VALID_FROM: _time(profile.valid_from),
        VALID_UNTIL: _time(profile.valid_until),
        DOORS: None if profile.doors is None else sorted(profile.doors),
        SCHEDULE: profile.schedule,
        TEXT: profile.text,
        LINKED: profile.linked,
        METADATA: dict(profile.metadata),
        STORAGE: profile.storage.value,
        "has_card": profile.card is not None,
        "photos": len(profile.photos),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
