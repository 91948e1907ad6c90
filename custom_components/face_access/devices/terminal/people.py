"""The people that a terminal knows: list, put, change, delete (HTTP API 2.1)."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from ..errors import InvalidValueError, StationRefusedError
from ..values import as_int, as_objects, check_number, check_text, to_base64
from .caller import LONG_TIMEOUT, Caller, Effect
from .codes import ReplyCode
from .paging import MAX_PAGE_SIZE, Page, all_items, check_page
from .person import PersonData, PersonQuery, Role, StoredPerson, UpdateFlags, UploadMode, parse_person
from .values import CUSTOMER_TEXT_LIMIT, ID_LIMIT, Term, card_fields, check_term, image_format

NAME_LIMIT: Final = 63
SHORT_NAME_LIMIT: Final = 15
MAX_KIND: Final = 15
MAX_IMAGE: Final = 10 * 1024 * 1024
_MAX_ROLE: Final = 255
_MAX_NORMALISED: Final = 5
_NORMALISED_SIZE: Final = 150


class People:
    """Commands on the list of people."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def page(
        self, number: int = 1, size: int = MAX_PAGE_SIZE, query: PersonQuery | None = None
    ) -> Page[StoredPerson]:
        """Read one page of the people that meet every condition of `query` (2.1.1); `size` is 1 to 20."""
        fields = check_page(number, size) | (query or PersonQuery()).fields()
        reply = await self._call("request persons", fields, timeout=LONG_TIMEOUT)
        items = tuple(parse_person(item) for item in as_objects(reply.get("persons")))
        total = as_int(reply.get("total"))
        return Page(items=items, number=number, total=len(items) if total is None else total)

    def all(self, query: PersonQuery | None = None, size: int = MAX_PAGE_SIZE) -> AsyncIterator[StoredPerson]:
        """Read everybody who meets `query`, page by page."""
        return all_items(lambda number: self.page(number, size, query), lambda person: person.id, size)

    async def count(self, query: PersonQuery | None = None) -> int:
        """Read how many people meet `query`."""
        return (await self.page(1, 1, query)).total

    async def upload(self, person: PersonData, mode: UploadMode = UploadMode.AUTO) -> None:
        """Put a person by their photo, or without one (2.1.2). What is None keeps its value or gets its default.

        Raises StationRefusedError, among them `record_exists` (mode ADD), `record_not_found` (mode MODIFY),
        `limit_reached`, and what is wrong with the photo.
        """
        fields = {"id": _id(person), "upload_mode": mode.value, **_plain(person, NAME_LIMIT)}
        if person.role is not None:
            fields["role"] = check_number("role", int(person.role), 1, 2)
        if person.photo is not None:
            fields["reg_image"] = _image("photo", person.photo)
        if len(person.normalised) > 1:
            raise InvalidValueError("normalised", "must be one picture at most")
        if person.normalised:
            fields["normal_image"] = to_base64(person.normalised[0])
        if person.thumbnail is not None:
            fields["thumb_image"] = _image("thumbnail", person.thumbnail, png=False)
        effect = Effect.ACT if mode is UploadMode.ADD else Effect.SET
        await self._call("upload person", fields, effect=effect, timeout=LONG_TIMEOUT)

    async def add(self, person: PersonData, *, cover: bool = False) -> None:
        """Add a person by normalised pictures and a thumbnail (2.1.3); `cover` replaces one with the same id."""
        fields = _whole(person) | _features() | _thumbnails(person) | _normalised(person)
        await self._call("add person", fields | {"cover": cover}, effect=_adding(cover=cover), timeout=LONG_TIMEOUT)

    async def add_jpg(self, person: PersonData, *, cover: bool = False) -> None:
        """Add a person by a JPEG photo (2.1.6); `cover` replaces one with the same id."""
        if person.photo is None:
            raise InvalidValueError("photo", "is missing")
        fields = _whole(person) | _photos(person)
        await self._call("add person jpg", fields | {"cover": cover}, effect=_adding(cover=cover), timeout=LONG_TIMEOUT)

    async def update(self, person: PersonData, flags: UpdateFlags | None = None) -> None:
        """Change what `flags` name, or else what is not None (2.1.4)."""
        flags = _flags(person, flags, normalised=person.normalised or None, thumbnail=person.thumbnail)
        fields = _chosen(person, flags)
        if flags & UpdateFlags.THUMBNAIL:
            fields |= _thumbnails(person)
        if flags & UpdateFlags.NORMALISED:
            fields |= _features() | _normalised(person)
        await self._call("update person", fields, effect=Effect.SET, timeout=LONG_TIMEOUT)

    async def update_jpg(self, person: PersonData, flags: UpdateFlags | None = None) -> None:
        """Change what `flags` name, or else what is not None, with the JPEG photo for either picture flag (2.1.7)."""
        flags = _flags(person, flags, normalised=person.photo, thumbnail=person.photo)
        fields = _chosen(person, flags)
        if flags & (UpdateFlags.THUMBNAIL | UpdateFlags.NORMALISED):
            fields |= _photos(person)
        await self._call("update person jpg", fields, effect=Effect.SET, timeout=LONG_TIMEOUT)

    async def delete(self, person_id: str) -> bool:
        """Delete one person (2.1.5); return False where there was none. After it, there is none."""
        fields = {"flag": -1, "id": check_text("id", person_id, ID_LIMIT, empty=False)}
        try:
            await self._call("delete person(s)", fields, effect=Effect.SET)
        except StationRefusedError as err:
            if err.code != ReplyCode.RECORD_NOT_FOUND.key:
                raise
            return False
        return True

    async def delete_role(self, role: Role) -> None:
        """Delete everybody of a role (2.1.5)."""
        fields = {"flag": check_number("role", int(role), 0, 2), "id": ""}
        await self._call("delete person(s)", fields, effect=Effect.SET, timeout=LONG_TIMEOUT)

    async def delete_all(self) -> None:
        """Delete everybody (2.1.5)."""
        await self._call("delete person(s)", {"flag": 3, "id": ""}, effect=Effect.SET, timeout=LONG_TIMEOUT)


def _adding(*, cover: bool) -> Effect:
    """Adding twice fails where it does not replace."""
    return Effect.SET if cover else Effect.ACT


def _id(person: PersonData) -> str:
    return check_text("id", person.id, ID_LIMIT, empty=False)


def _plain(person: PersonData, name_limit: int) -> dict[str, Any]:
    """Check and write what all variants write alike, as far as it is there; the role is not among it."""
    fields: dict[str, Any] = {}
    if person.name is not None:
        fields["name"] = check_text("name", person.name, name_limit)
    if person.kind is not None:
        fields["kind"] = check_number("kind", person.kind, 0, MAX_KIND)
    if person.card is not None:
        fields |= card_fields(person.card, long=person.long_card, short_key="wg_card_id", long_key="long_card_id")
    if person.start is not None:
        fields["term_start"] = check_term("start", person.start, Term.USELESS)
    if person.end is not None:
        fields["term"] = check_term("end", person.end, Term.FOREVER, Term.NEVER)
    if person.customer_text is not None:
        fields["customer_text"] = check_text("customer_text", person.customer_text, CUSTOMER_TEXT_LIMIT)
    return fields


def _role(person: PersonData) -> int:
    return check_number("role", int(Role.ALLOWED if person.role is None else person.role), 0, _MAX_ROLE)


def _whole(person: PersonData) -> dict[str, Any]:
    """Write a person for the variants that want every field, with the defaults of 2.1.2.1."""
    defaults = {"name": "", "kind": 0, "term": Term.FOREVER.value, "customer_text": ""}
    return {"id": _id(person), "role": _role(person), **defaults, **_plain(person, SHORT_NAME_LIMIT)}


def _flags(
    person: PersonData, flags: UpdateFlags | None, *, normalised: object | None, thumbnail: object | None
) -> UpdateFlags:
    """Find which items to update, and check that each of them is there."""
    present = {
        UpdateFlags.NAME: person.name,
        UpdateFlags.ROLE: person.role,
        UpdateFlags.CARD: person.card,
        UpdateFlags.END: person.end,
        UpdateFlags.START: person.start,
        UpdateFlags.KIND: person.kind,
        UpdateFlags.CUSTOMER_TEXT: person.customer_text,
        UpdateFlags.NORMALISED: normalised,
        UpdateFlags.THUMBNAIL: thumbnail,
    }
    if flags is None:
        flags = UpdateFlags(sum(flag for flag, value in present.items() if value is not None))
    if not flags:
        raise InvalidValueError("flags", "name nothing to update")
    for flag, value in present.items():
        if flags & flag and value is None:
            raise InvalidValueError((flag.name or "").lower(), "is to be updated, but is missing")
    return flags


_FLAGGED: Final[Mapping[UpdateFlags, tuple[str, ...]]] = {
    UpdateFlags.NAME: ("name",),
    UpdateFlags.CARD: ("wg_card_id", "long_card_id"),
    UpdateFlags.END: ("term",),
    UpdateFlags.START: ("term_start",),
    UpdateFlags.KIND: ("kind",),
    UpdateFlags.CUSTOMER_TEXT: ("customer_text",),
}


def _chosen(person: PersonData, flags: UpdateFlags) -> dict[str, Any]:
    """Write the id, the flags and the items that they name."""
    keys = {key for flag, names in _FLAGGED.items() if flags & flag for key in names}
    plain = {key: value for key, value in _plain(person, SHORT_NAME_LIMIT).items() if key in keys}
    role = {"role": _role(person)} if flags & UpdateFlags.ROLE else {}
    return {"id": _id(person), "update_flags": flags.value, **role, **plain}


def _features() -> dict[str, Any]:
    """Write the feature data, which is used no longer but must be there (2.1.3.1)."""
    return {"feature_unit_size": 0, "feature_num": 0, "feature_data": []}


def _image(field: str, image: bytes, *, png: bool = True) -> str:
    """Check a picture by its content and size (codes 35 and 36), and write it."""
    image_format(field, image, png=png)
    if len(image) > MAX_IMAGE:
        raise InvalidValueError(field, f"must be at most {MAX_IMAGE} bytes, not {len(image)}")
    return to_base64(image)


def _images(field: str, image: bytes | None) -> dict[str, Any]:
    images = [] if image is None else [{"format": "jpg", "image_data": _image(field, image, png=False)}]
    return {"image_num": len(images), "reg_images": images}


def _thumbnails(person: PersonData) -> dict[str, Any]:
    return _images("thumbnail", person.thumbnail)


def _photos(person: PersonData) -> dict[str, Any]:
    return _images("photo", person.photo)


def _normalised(person: PersonData) -> dict[str, Any]:
    """Write the normalised pictures: 150 x 150 pixels, one to five."""
    if len(person.normalised) > _MAX_NORMALISED:
        raise InvalidValueError("normalised", f"must be at most {_MAX_NORMALISED} pictures")
    size = {"width": _NORMALISED_SIZE, "height": _NORMALISED_SIZE}
    images = [{**size, "image_data": to_base64(image)} for image in person.normalised]
    return {"norm_image_num": len(images), "norm_images": images}
