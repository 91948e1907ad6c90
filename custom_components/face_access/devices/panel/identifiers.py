"""Commands on the identifiers of a panel (`/access/identifier`), and the enrolment of faces from photos."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any, Final

from ..errors import StationError, StationProtocolError, StationRefusedError
from ..values import as_int, as_objects, as_text
from .caller import Caller
from .identifier import Identifier, IdentifierType, check_photo, types_of
from .judge import BUSY, NO_IDENTIFIER, UNREADABLE, UPLOAD_FAILED
from .paging import MAX_LIMIT, ListQuery, Page, all_items, parse_page
from .transport import LONG_TIMEOUT, Effect, Request

_ROOT: Final = "/access/identifier"
_ITEM: Final = f"{_ROOT}/item"
_LINK: Final = f"{_ROOT}/items/link"
_OLD_ITEM: Final = "/access/identifiers/item"
_OLD_LIST: Final = "/access/identifiers/items/list"
# No document shows this path.
_BY_TYPE: Final = "/access/identifiers"
# The schema says one name, the sample another.
_PARTS: Final = ("file", "status")
_UPLOADS: Final = 5
_PAUSE: Final = 3.0
_LANGUAGES: Final = frozenset({"en", "ru", "es", "pl", "nl", "fr", "uk"})


class Identifiers:
    """Commands on identifiers."""

    def __init__(self, caller: Caller, *, pause: float = _PAUSE) -> None:
        """Bind to a panel. `pause` is how long to wait while it works on another photo, in seconds."""
        self._caller = caller
        self._pause = pause
        self._enrolling = asyncio.Lock()

    async def types(self) -> tuple[IdentifierType, ...]:
        """Name the kinds that this panel knows."""
        return types_of(await self._caller.info())

    # One by one

    async def create(self, identifier: Identifier) -> int:
        """Create an identifier; its uid. Raises InvalidValueError."""
        body = identifier.body(await self._caller.info())
        reply = await self._caller.send("POST", _ROOT, body, effect=Effect.ACT, secret=True)
        uid = as_int(reply.get("uid"))
        if uid is None or uid < 0:
            raise StationProtocolError("the panel did not number the new identifier")
        return uid

    async def read(self, uid: int) -> Identifier:
        """Read an identifier."""
        root = _OLD_ITEM if (await self._caller.info()).old_paths else _ITEM
        identifier = Identifier.parse(await self._caller.get(f"{root}/{uid}", secret=True), uid)
        if identifier is None:
            raise StationProtocolError("the identifier is of an unknown kind")
        return identifier

    async def update(self, uid: int, identifier: Identifier) -> None:
        """Write an identifier anew. Raises InvalidValueError."""
        body = identifier.body(await self._caller.info())
        await self._caller.send("PATCH", f"{_ITEM}/{uid}", body, secret=True)

    async def delete(self, uid: int) -> None:
        """Delete an identifier."""
        await self._caller.send("DELETE", f"{_ITEM}/{uid}")

    async def delete_many(self, uids: Iterable[int]) -> None:
        """Delete several identifiers."""
        await self._caller.send("DELETE", f"{_ROOT}/items", {"uid_items": list(uids)})

    async def reset_passes(self, uid: int) -> None:
        """Give an identifier all its passes again."""
        await self._caller.send("POST", f"{_ITEM}/{uid}/passes/reset")

    async def qr_code(self, uid: int, language: str = "en") -> bytes:
        """Make the picture (PNG) of a QR identifier; the words around it in English where the language is unknown."""
        query = {"locale": language if language in _LANGUAGES else "en"}
        return (await self._caller.ask(Request(method="GET", path=f"{_ITEM}/{uid}/qr", query=query))).body

    async def attach_profile(self, uid: int, profile: int) -> None:
        """Bind an identifier to a time profile."""
        await self._caller.send("POST", f"{_ITEM}/{uid}/timeprofile/{profile}")

    async def detach_profile(self, uid: int, profile: int) -> None:
        """Free an identifier from a time profile."""
        await self._caller.send("DELETE", f"{_ITEM}/{uid}/timeprofile/{profile}")

    async def attach_apartment(self, uid: int, apartment: int) -> None:
        """Bind an identifier to an apartment."""
        await self._caller.send("POST", f"/apartment/item/{apartment}/identifier/{uid}")

    async def detach_apartment(self, uid: int) -> None:
        """Free an identifier from its apartment."""
        await self._caller.send("POST", f"/apartment/item/unbind/identifier/{uid}")

    # Lists

    async def page(self, query: ListQuery) -> Page:
        """Read a page as printed: numbers among it."""
        info = await self._caller.info()
        path = _OLD_LIST if info.old_paths else f"{_ROOT}/items"
        return parse_page(await self._caller.get(path, query.parameters(info), secret=True))

    def all(self, equal: tuple[str, str] | None = None) -> AsyncIterator[Identifier]:
        """Read every identifier, or those where a field has a value: `("identifier_type", "card")`."""
        return _parsed(all_items(lambda number: self.page(ListQuery(page=number, equal=equal))))

    async def of_type(self, kind: IdentifierType, number: str | None = None) -> tuple[Identifier, ...]:
        """Read those of a kind, by the call of the newest API. Its path is inferred: StationUnsupportedError without.

        It answers with a list, or with the one that was asked for.
        """

        async def fetch(page: int) -> Page:
            query = {"type": kind.value, "limit": str(MAX_LIMIT), "page_number": str(page)}
            if number is not None:
                query["number"] = number
            reply = await self._caller.get(_BY_TYPE, query, secret=True)
            return Page(items=(reply,)) if "identifier_type" in reply else parse_page(reply)

        return tuple([item async for item in _parsed(all_items(fetch))])

    # By the ids of whoever manages several panels

    async def upsert_linked(self, identifiers: Iterable[Identifier]) -> dict[str, str]:
        """Create or replace identifiers by their `link_id`; what became of each, in the panel's words.

        Raises InvalidValueError.
        """
        info = await self._caller.info()
        chosen = tuple(identifiers)
        body = {"list_items": [identifier.link_body(info) for identifier in chosen]}
        # What it says of a photo is for people to read; what it says of a number or of a template may repeat it.
        secret = any(identifier.number for identifier in chosen)
        return _results(await self._caller.send("POST", _LINK, body, secret=secret))

    def linked(self) -> AsyncIterator[Identifier]:
        """Read every identifier that has a `link_id`. Devices leave out the uids here, and do not filter."""

        async def fetch(number: int) -> Page:
            query = ListQuery(page=number).parameters(await self._caller.info())
            return parse_page(await self._caller.get(_LINK, query, secret=True))

        return _parsed(all_items(fetch))

    async def delete_linked(self, link_ids: Iterable[str]) -> dict[str, str]:
        """Delete identifiers by their `link_id`; what became of each, in the panel's words."""
        return _results(await self._caller.send("DELETE", _LINK, {"link_ids": list(link_ids)}))

    # Faces

    async def enrol(self, identifier: Identifier, photo: bytes) -> int:
        """Create a face from a photo (JPEG); its uid. One at a time: the panel makes one template at a time.

        Raises InvalidValueError. A face that could not be made leaves nothing on the panel.
        """
        check_photo(photo)
        async with self._enrolling:
            uid = await self.create(identifier)
            try:
                await self._upload(uid, photo)
            except BaseException:
                with suppress(StationError):
                    await self.delete(uid)
                raise
        return uid

    async def upload_photo(self, uid: int, photo: bytes) -> None:
        """Upload the photo (JPEG) for a face that was created and has none yet. Raises InvalidValueError."""
        check_photo(photo)
        async with self._enrolling:
            await self._upload(uid, photo)

    async def _upload(self, uid: int, photo: bytes) -> None:
        try:
            await self._upload_as(uid, photo, _PARTS[0])
        except StationRefusedError as first:
            if first.code not in (UNREADABLE, UPLOAD_FAILED):
                raise
            try:
                await self._upload_as(uid, photo, _PARTS[1])
            except StationRefusedError as second:
                # The first try may have used up what was created for it: then it was the photo after all.
                raise (first if second.code == NO_IDENTIFIER else second) from None

    async def _upload_as(self, uid: int, photo: bytes, part: str) -> None:
        """Upload, and wait while the panel works on another photo."""
        path = f"{_ITEM}/face/file/{uid}"
        request = Request(method="POST", path=path, photo=photo, part=part, effect=Effect.ACT, timeout=LONG_TIMEOUT)
        for _ in range(_UPLOADS - 1):
            try:
                await self._caller.ask(request)
            except StationRefusedError as err:
                if err.code != BUSY:
                    raise
                await asyncio.sleep(self._pause)
            else:
                return
        await self._caller.ask(request)


async def _parsed(items: AsyncIterator[dict[str, Any]]) -> AsyncIterator[Identifier]:
    async for raw in items:
        if (identifier := Identifier.parse(raw)) is not None:
            yield identifier


def _results(reply: dict[str, Any]) -> dict[str, str]:
    found = ((as_text(item.get("link_id")), item) for item in as_objects(reply.get("result")))
    return {link: as_text(item.get("status")) or "" for link, item in found if link}
