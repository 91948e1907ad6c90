"""Identifiers: cards, keys, codes, QR codes, number plates and faces, their owners and how long they count."""

import asyncio
import base64
import binascii
from collections.abc import Mapping
import hashlib
from io import BytesIO
import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from PIL import Image, UnidentifiedImageError

from .._terminal import pictures
from .._terminal.schema import DECODE, TOO_LARGE, Field, Refusal as Judgement, array, flag, group, integer, one_of, text
from .bodies import check_body
from .errors import missing, wrong
from .listing import page
from .qr import png
from .settings import MASTER_CODE

if TYPE_CHECKING:
    from .core import Core

CAPACITY: Final = 5000
_DECIMAL: Final = re.compile(r"[0-9]{1,10}")
_HEX: Final = re.compile(r"([0-9A-Fa-f]{2}[:-]){1,7}[0-9A-Fa-f]{2}")
_CODE: Final = re.compile(r"[0-9]+")
_LIST_FIELDS: Final = (
    "identifier_uid",
    "identifier_type",
    "identifier_number",
    "identifier_owner.name",
    "identifier_owner.type",
    "lock",
    "link_id",
)
_VALID: Final = group(
    optional=True,
    time=group(
        optional=True,
        is_permanent=flag(),
        **{"from": integer(0, optional=True), "to": integer(0, optional=True)},
    ),
    passes=group(optional=True, is_permanent=flag(), max_passes=integer(1, optional=True)),
)
_PHOTO_LOW: Final = (320, 240)
_PHOTO_HIGH: Final = (5120, 2700)

type Item = dict[str, Any]


class Identifiers:
    """`items` maps uids to bodies with what the panel keeps besides: passes left, profiles, apartment, face."""

    def __init__(self, core: Core, *, seeded: bool) -> None:
        self.core = core
        self.items: dict[int, Item] = {}
        self.last_uid = 0
        self.apartments: tuple[int, ...] = (1, 2, 3)
        self.enrolling = 0
        if seeded:
            self._seed()

    @property
    def types(self) -> tuple[str, ...]:
        """The types that the model knows."""
        types = ["card", "ukey", "inputCode", "qr"]
        if self.core.model.family == "camdroid" or self.core.model.since("2.5.0"):
            types.append("license_plate")
        if self.core.model.has("face"):
            types.append("face_id")
        return tuple(types)

    # One by one.

    def create(self, body: Any) -> int:
        """Keep a new identifier; its uid."""
        checked = self._checked(body, _fields(self.types))
        self._refuse_double(checked, None)
        return self._keep(checked)

    def get(self, uid: int) -> Item:
        """One identifier; raise `Refusal` 400 when there is none."""
        if uid not in self.items:
            raise wrong("Wrong identifier-uid")
        return self.items[uid]

    def update(self, uid: int, body: Any) -> None:
        """Replace an identifier; its face stays."""
        item = self.get(uid)
        checked = self._checked(body, _fields(self.types))
        self._refuse_double(checked, uid)
        item.update(checked)
        item["passes_left"] = _max_passes(checked)
        self.core.save()

    def delete(self, uid: int) -> None:
        """Remove an identifier."""
        self.get(uid)
        del self.items[uid]
        self.core.save()

    def delete_many(self, uids: list[int]) -> None:
        """Remove several; those that do not exist are passed over."""
        for uid in uids:
            self.items.pop(uid, None)
        self.core.save()

    def reset_passes(self, uid: int) -> None:
        """Give an identifier all its passes again."""
        item = self.get(uid)
        item["passes_left"] = _max_passes(item)
        self.core.save()

    def qr(self, uid: int) -> bytes:
        """The picture (png) of a QR identifier."""
        item = self.get(uid)
        if item["identifier_type"] != "qr":
            raise wrong("Wrong identifier type")
        return png(item["identifier_number"])

    def show(self, uid: int) -> Item:
        """An identifier as it is read."""
        item = self.items[uid]
        shown = {name: item[name] for name in ("identifier_owner", "identifier_type", "identifier_number", "lock")}
        shown["valid"] = item.get("valid", {"time": {"is_permanent": True}, "passes": {"is_permanent": True}})
        shown["time_profiles"] = {"count": len(item["profiles"]), "uid_items": item["profiles"]}
        if item["apartment"] is not None:
            shown["apartment"] = {"uid": item["apartment"]}
        shown["additional"] = {"passes_left": item["passes_left"]}
        if "link_id" in item:
            shown["link_id"] = item["link_id"]
        return shown

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the list."""
        items = [{"identifier_uid": uid, **self.show(uid)} for uid in self.items]
        style = self.core.model.filters
        return page(items, query, style, fields=_LIST_FIELDS, sort="identifier_uid", option="list_option")

    def by_type(self, query: Mapping[str, str]) -> dict[str, Any]:
        """The call of the newest API: all of a type, or one of a number."""
        if query.get("type") not in self.types:
            raise wrong("Wrong type")
        found = [
            {"identifier_uid": uid, **self.show(uid)}
            for uid, item in self.items.items()
            if item["identifier_type"] == query["type"]
            and query.get("number", item["identifier_number"]) == item["identifier_number"]
        ]
        paging = {name: value for name, value in query.items() if name in {"limit", "page_number", "sort_type"}}
        return page(found, paging, "flat", fields=_LIST_FIELDS, sort="identifier_uid", option="list_option")

    # By the ids of an outside manager.

    def upsert(self, body: Any) -> list[dict[str, Any]]:
        """Create or replace several by their `link_id`; what became of each."""
        fields = {**_fields(self.types, linked=True)}
        entries = check_body({"list_items": body.get("list_items")} if isinstance(body, dict) else body, _LINKED, _keep)
        results = []
        for entry in entries["list_items"]:
            checked = self._checked(entry, fields)
            _uuid(checked["link_id"], "link_id")
            photo = checked.pop("face_image", None)
            number = _template(_from_base64(photo)) if photo is not None else checked["identifier_number"]
            checked["identifier_number"] = number
            known = next((uid for uid, item in self.items.items() if item.get("link_id") == checked["link_id"]), None)
            if known is None and len(self.items) >= CAPACITY:
                results.append({"link_id": checked["link_id"], "status": "Identifiers exceeded"})
                continue
            uid = self._keep(checked, known)
            self.items[uid]["enrolled"] = photo is not None or self.items[uid]["enrolled"]
            results.append({"link_id": checked["link_id"], "status": "Created" if known is None else "Updated"})
        return results

    def delete_linked(self, body: Any) -> list[dict[str, Any]]:
        """Remove by `link_id`; what became of each."""
        checked = check_body(body, {"link_ids": array(text())}, _keep)
        results = []
        for link in checked["link_ids"]:
            uids = [uid for uid, item in self.items.items() if item.get("link_id") == link]
            self.delete_many(uids)
            results.append({"link_id": link, "status": "Deleted" if uids else "Not found"})
        return results

    def linked(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of those with a `link_id`. Devices leave out the uids and ignore `link_id` in the query."""
        items = [self.show(uid) for uid, item in self.items.items() if "link_id" in item]
        style = self.core.model.filters
        fields = tuple(field for field in _LIST_FIELDS if field != "identifier_uid")
        return page(items, query, style, fields=fields, sort="link_id", option="list_option")

    # Faces.

    async def enrol(self, uid: int, data: bytes) -> None:
        """Make the template of a face from a photo, for the temporary identifier that was created before."""
        item = self.items.get(uid)
        if item is None or item["identifier_type"] != "face_id" or item["enrolled"]:
            raise wrong("Wrong identifier-uid. Missed temporary identifier for adding faceId")
        if self.enrolling:
            self.core.violation("a photo was uploaded while another was being enrolled")
            raise wrong("Loading file in progress. Wait for result")
        self.enrolling += 1
        try:
            await asyncio.sleep(self.core.timings.enrol)
            template = _template(data)
        finally:
            self.enrolling -= 1
        item["identifier_number"], item["enrolled"] = template, True
        self.core.save()

    # What a scene asks.

    def find(self, kind: str, number: str) -> int | None:
        """The uid of a type and number; cards are compared without their separators."""
        wanted = _plain(kind, number)
        for uid, item in self.items.items():
            if item["identifier_type"] == kind and _plain(kind, item["identifier_number"]) == wanted:
                return uid
        return None

    def valid(self, uid: int) -> bool:
        """Whether an identifier counts now: its time, its passes, its profiles."""
        item, now = self.items[uid], self.core.timestamp()
        span = item.get("valid", {}).get("time")
        if span and not span["is_permanent"] and not span["from"] <= now < span["to"]:
            return False
        left = item["passes_left"]
        return left != 0 and self.core.profiles.allows(item["profiles"], now)

    def passed(self, uid: int) -> None:
        """Somebody went in with it."""
        left = self.items[uid]["passes_left"]
        if left is not None:
            self.items[uid]["passes_left"] = left - 1

    def _keep(self, checked: Item, known: int | None = None) -> int:
        if known is None:
            self.last_uid += 1
            known = self.last_uid
            self.items[known] = {"profiles": [], "apartment": None, "enrolled": False}
        self.items[known].update(checked)
        self.items[known]["passes_left"] = _max_passes(checked)
        self.core.save()
        return known

    def _checked(self, body: Any, fields: Mapping[str, Field]) -> Item:
        checked = check_body(
            body, fields, lambda name: self.core.violation(f"an identifier has no field {name!r} to write")
        )
        kind, number = checked["identifier_type"], checked["identifier_number"]
        if not _number_fits(kind, number):
            raise wrong("Wrong identifier_number value")
        if kind == "face_id" and number and not _is_base64(number):
            self.core.violation("the template of a face is not base64")
        span = checked.get("valid", {}).get("time")
        if span and not span["is_permanent"]:
            for name in ("from", "to"):
                if name not in span:
                    raise missing(name)
            if span["from"] > span["to"]:
                raise wrong("Wrong time range: from is later than to")
        passes = checked.get("valid", {}).get("passes")
        if passes and not passes["is_permanent"] and "max_passes" not in passes:
            raise missing("max_passes")
        return checked

    def _refuse_double(self, checked: Item, uid: int | None) -> None:
        """No two identifiers of a type may have one number; a code may not be the master code."""
        kind, number = checked["identifier_type"], checked["identifier_number"]
        if kind == "face_id":
            return
        if self.find(kind, number) not in (None, uid):
            raise wrong("Identifier with this number already exists")
        master = self.core.settings.values.get(MASTER_CODE, {})
        if kind == "inputCode" and master.get("input_code_enable") and master["input_code_number"] == number:
            raise wrong("Input code is already used as master code")

    def _seed(self) -> None:
        """The people every new panel knows: a face, a card, a code, a guest's QR code, and a card that has expired."""
        always: Item = {"time": {"is_permanent": True}, "passes": {"is_permanent": True}}
        over: Item = {"time": {"is_permanent": False, "from": 1, "to": 2}, "passes": {"is_permanent": True}}
        seeds = [
            ("Bob Mason", "owner", "card", "12345678", always),
            ("Carol Fisher", "owner", "inputCode", "4711", always),
            ("Dan Guest", "guest", "qr", "91c615e3-1040-4815-8ecb-039a18b756b5", always),
            ("Mallory Pike", "owner", "card", "87654321", over),
        ]
        if self.core.model.has("face"):
            template = base64.b64encode(hashlib.sha256(b"Alice Gardner").digest()).decode()
            seeds.insert(0, ("Alice Gardner", "owner", "face_id", template, always))
        for name, owner, kind, number, valid in seeds:
            uid = self._keep(
                {
                    "identifier_owner": {"name": name, "type": owner},
                    "identifier_type": kind,
                    "identifier_number": number,
                    "lock": "first",
                    "valid": valid,
                }
            )
            self.items[uid]["enrolled"] = kind == "face_id"


def _fields(types: tuple[str, ...], *, linked: bool = False) -> dict[str, Field]:
    extra = {
        "link_id": text(),
        "apartment_link_id": text(optional=True),
        "face_image": text(optional=True),
        "time_profiles": group(optional=True, link_ids=array(text(), optional=True)),
        "additional": group(optional=True, passes_left=integer(0, optional=True)),
    }
    return {
        "identifier_owner": group(name=text(low=1), type=one_of("owner", "guest")),
        "identifier_type": one_of(*types),
        "identifier_number": text(),
        "lock": one_of("first", "second", "all"),
        "valid": _VALID,
        **(extra if linked else {}),
    }


_LINKED: Final = {"list_items": array(group())}


def _keep(_name: str) -> None:
    """Unknown names are judged elsewhere."""


def _number_fits(kind: str, number: str) -> bool:
    match kind:
        case "card" | "ukey":
            return bool(_DECIMAL.fullmatch(number) or _HEX.fullmatch(number))
        case "inputCode":
            return bool(_CODE.fullmatch(number))
        case "qr":
            return _is_uuid(number)
        case "license_plate":
            return 1 <= len(number) <= 100
    return True


def _plain(kind: str, number: str) -> str:
    return re.sub("[:-]", "", number).lower() if kind in {"card", "ukey"} else number


def _max_passes(item: Item) -> int | None:
    """How often an identifier opens; None without a limit."""
    passes = item.get("valid", {}).get("passes")
    return None if not passes or passes["is_permanent"] else passes["max_passes"]


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _uuid(value: str, name: str) -> None:
    if not _is_uuid(value):
        raise wrong(f"Wrong {name} value")


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error, ValueError:
        return False
    return True


def _from_base64(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as err:
        raise wrong("Wrong image file") from err


def _template(data: bytes) -> str:
    """Make a template of a photo; raise `Refusal` with the documented texts."""
    if not data.startswith(b"\xff\xd8"):
        raise wrong("Wrong file format")
    try:
        size = Image.open(BytesIO(data), formats=["JPEG"]).size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as err:
        raise wrong("Wrong image file") from err
    if size[0] < _PHOTO_LOW[0] or size[1] < _PHOTO_LOW[1] or size[0] > _PHOTO_HIGH[0] or size[1] > _PHOTO_HIGH[1]:
        raise wrong("Wrong image file")
    try:
        pictures.inspect(data, ["JPEG"])
    except Judgement as err:
        unread = err.code in (DECODE, TOO_LARGE)
        raise wrong("Wrong image file" if unread else "Face hasn't been detected on image") from err
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
