"""Sends the requests of all command groups, judges the answers, and reads their JSON."""

import asyncio
from collections.abc import Iterable, Mapping
import json
from typing import Any, Final

from ..errors import StationProtocolError
from .info import PanelInfo
from .judge import judge
from .link import PanelLink
from .transport import TIMEOUT, Answer, Effect, Request

# From this size on, JSON is read in a thread: the event loop must not wait for it.
_LARGE: Final = 256 * 1024


class Caller:
    """What all command groups share. Every method may raise any StationError."""

    def __init__(self, link: PanelLink) -> None:
        """Bind to a link."""
        self._link = link
        self.changing = asyncio.Lock()
        """Held from reading to writing back: two changes at once must not undo each other."""

    async def info(self) -> PanelInfo:
        """Who the panel is, as it last said."""
        return self._link.info or await self._link.identify()

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, *, secret: bool = False, timeout: float = TIMEOUT
    ) -> dict[str, Any]:
        """Read an object. A list in its place counts as an object's `list_items`."""
        answer = await self.ask(Request(method="GET", path=path, query=query or {}, timeout=timeout), secret=secret)
        reply = await _json(answer)
        if isinstance(reply, dict):
            return reply
        if isinstance(reply, list):
            return {"list_items": reply}
        raise StationProtocolError(f"the answer of {path} is no object")

    async def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        effect: Effect = Effect.SET,
        secret: bool = False,
    ) -> dict[str, Any]:
        """Change something; what the answer holds, empty where it is no object."""
        request = Request(method=method, path=path, query=query or {}, body=body, effect=effect)
        answer = await self.ask(request, secret=secret)
        try:
            reply = await _json(answer)
        except StationProtocolError:
            # Many of these calls answer with nothing at all, or with a sentence.
            return {}
        return reply if isinstance(reply, dict) else {}

    async def act(self, path: str, query: Mapping[str, str] | None = None) -> None:
        """Do something by a GET, once."""
        await self.ask(Request(method="GET", path=path, query=query or {}, effect=Effect.ACT))

    async def change(
        self,
        path: str,
        changes: Mapping[str, Any],
        *,
        method: str = "POST",
        read_only: Iterable[str] = (),
        secret: bool = False,
    ) -> None:
        """Read an object, change some fields and write it back whole, without those that can only be read.

        Spellings differ between versions, so what was read is the pattern for what is written.
        """
        async with self.changing:
            current = await self.get(path, secret=secret)
            kept = {key: value for key, value in current.items() if key not in set(read_only)}
            await self.send(method, path, {**kept, **changes}, secret=secret)

    async def ask(self, request: Request, *, secret: bool = False) -> Answer:
        """Send a request and pass an answer that means yes."""
        answer = await self._link.call(request)
        judge(answer, secret=secret)
        return answer


async def _json(answer: Answer) -> Any:
    if len(answer.body) > _LARGE:
        return await asyncio.to_thread(_decode, answer.body)
    return _decode(answer.body)


def _decode(body: bytes) -> Any:
    try:
        # Names that were cut through a character are read as far as they go. NaN is no JSON: read as missing.
        return json.loads(body.decode("utf-8", errors="replace"), strict=False, parse_constant=lambda _name: None)
    except ValueError, RecursionError:
        # Not chained: the exception holds the whole text, and with it names and numbers.
        raise StationProtocolError("the answer is not JSON") from None
