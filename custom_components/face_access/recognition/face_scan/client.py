"""The face scan service of DMS Workspace: compares two pictures in its cloud and keeps a record of it.

Its pages name neither the addresses in production nor how a list is asked for, so both are the caller's. It has no
call to delete a record.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

import aiohttp

from ..errors import (
    EngineAuthError,
    EngineError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineUnableError,
)
from ..remote.http import Answer, Http, Part, Request, for_header
from ..remote.pictures import checked
from ..remote.status import as_picture, refused_by
from ..remote.values import first_of, words
from .records import Channel, Scan, ScanPage, ScanRecord, check_id, page, record, scan

COMPARE_ADDRESS: Final = "https://dmsworkspace-gateway-backend-int.dmsworkspace.com/face-recognition-sdk"
"""The only address in the vendor's pages: that of an environment for integration."""
MAX_REFERENCE: Final = 200
_COMPARE_PATH: Final = "/v1/compare_face"
_NO_PICTURE: Final = frozenset({400, 401, 403, 405, 406, 415, 422})
"""What a service that takes pictures may say to a request without any, and a web server of another kind does not."""
_TIMEOUT: Final = 30.0
_WORDS: Final = ("message", "error_description", "detail", "error", "title")


class TokenProvider(Protocol):
    """Gives the token for the next request, refreshed where its time is nearly over.

    `refused` is a token that the service did not take: it must not come back; where it is the current one still, it is
    refreshed whatever its time. Raises EngineAuthError where the household has to log in again, EngineUnreachableError
    where the login cannot be reached.
    """

    async def __call__(self, refused: str | None = None) -> str:
        """Give the token."""


class FaceScanClient:
    """The service as one account sees it. Every method may raise EngineError of any kind."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        token: TokenProvider,
        *,
        compare: str = COMPARE_ADDRESS,
        records: str | None = None,
        verify: bool = True,
    ) -> None:
        """Compare at `compare` + `/v1/compare_face`; read and change records at `records` + `/v1/face-recognition`.

        Raises EngineAddressError.
        """
        self._token = token
        self._compare = Http(session, compare, verify=verify)
        self._records = Http(session, records, verify=verify) if records is not None else None

    @property
    def has_records(self) -> bool:
        """Whether records can be asked for: their address is known."""
        return self._records is not None

    async def log_in(self) -> None:
        """Prove that the service is there, and the login as far as that goes without leaving a picture.

        What takes pictures is asked without one, which it refuses in whatever way: that says that it is there. The
        login is proved by a list of records, where there is an address for it.
        """
        request = Request(method="GET", path=_COMPARE_PATH, repeatable=True)
        token = for_header(await self._token())
        answer = await self._compare.send(_with(request, token))
        worded = answer.status == 404 and await answer.object_or_none() is not None
        if answer.ok:
            raise EngineProtocolError("what answers there compares no pictures")
        if answer.status not in _NO_PICTURE and not worded:
            raise await _refusal(answer, token, known=False)
        if self._records is not None:
            await self.list(page=0, size=1)

    async def compare(self, first: bytes | str, second: bytes | str, *, channel: Channel, reference: str) -> Scan:
        """Compare two pictures with a face each; the service keeps the result under `reference` and its id.

        Never repeated by itself but for a refused token: each leaves a record. Raises NoFaceError, PictureError.
        """
        text = " ".join(reference.split())
        if not text or len(text) > MAX_REFERENCE:
            raise EngineRefusedError("reference", f"wants 1 to {MAX_REFERENCE} letters")
        form = (
            Part(name="file1", picture=checked(first)),
            Part(name="file2", picture=checked(second)),
            Part(name="channel", text=channel.value),
            Part(name="reference", text=text),
        )
        request = Request(method="POST", path=_COMPARE_PATH, form=form, timeout=_TIMEOUT)
        return scan(await (await self._ask(self._compare, request)).json())

    async def get(self, scan_id: str) -> ScanRecord:
        """Read a record. Raises EngineNotFoundError."""
        path = f"/v1/face-recognition/{check_id(scan_id)}"
        request = Request(method="GET", path=path, repeatable=True)
        return self._same(scan_id, record(await (await self._ask(self._recorded(), request, known=True)).json()))

    async def update(self, changed: ScanRecord) -> ScanRecord:
        """Write a record, all of it: take it from `get` and change what shall change. Raises EngineNotFoundError."""
        path = f"/v1/face-recognition/{check_id(changed.id)}"
        request = Request(method="PUT", path=path, json=changed.body, repeatable=True)
        return self._same(changed.id, record(await (await self._ask(self._recorded(), request, known=True)).json()))

    async def list(
        self, *, page: int | None = None, size: int | None = None, query: Mapping[str, str] | None = None
    ) -> ScanPage:
        """Read some records.

        How the service names what is asked for is in no document: `page` (from 0) and `size` are a guess, `query` is
        sent as it is.
        """
        asked = {name: str(value) for name, value in (("page", page), ("size", size)) if value is not None}
        request = Request(method="GET", path="/v1/face-recognition", query={**asked, **(query or {})}, repeatable=True)
        return _page(await (await self._ask(self._recorded(), request)).json())

    def _recorded(self) -> Http:
        if self._records is None:
            raise EngineUnableError("the address of the records is not known")
        return self._records

    @staticmethod
    def _same(scan_id: str, found: ScanRecord) -> ScanRecord:
        if found.id != check_id(scan_id):
            raise EngineProtocolError("id is that of another record")
        return found

    async def _ask(self, http: Http, request: Request, *, known: bool = False) -> Answer:
        """Send with a token; if that is refused, once more with another. `known` is whether a 404 is about a record."""
        token = for_header(await self._token())
        answer = await http.send(_with(request, token))
        if answer.status == 401:
            token = for_header(await self._token(token))
            answer = await http.send(_with(request, token))
        if answer.ok:
            return answer
        raise await _refusal(answer, token, known=known)


_page = page


def _with(request: Request, token: str) -> Request:
    return replace(request, headers={"Authorization": f"Bearer {token}"})


async def _refusal(answer: Answer, token: str, *, known: bool) -> EngineError | Exception:
    """Make the error of an answer; what its body holds is in no document."""
    message = await _message(answer, token)
    if answer.status == 401:
        return EngineAuthError("the service does not take the login")
    if answer.status == 404 and known:
        return EngineNotFoundError("HTTP 404", message)
    return as_picture(refused_by(answer.status, message=message))


async def _message(answer: Answer, token: str) -> str:
    return words(first_of(await answer.object_or_none() or {}, _WORDS), token)
