"""Webhooks of Android panels from firmware 3.25.8: kept on the panel, signed, delivered with retries (`/webhooks`)."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
import hashlib
import hmac
import json
import re
from typing import Any, Final

from ..errors import InvalidValueError, StationProtocolError, StationRefusedError
from ..values import as_int, as_list, as_text, check_number, check_text
from .caller import Caller
from .judge import WRONG_VALUE
from .paging import ListQuery, Page, all_items, parse_page
from .transport import LONG_TIMEOUT, Effect, Request

SIGNATURE: Final = "X-Webhook-Signature"
TIMESTAMP: Final = "X-Webhook-Timestamp"
ATTEMPT: Final = "X-Webhook-Attempt"
EVENT_PREFIX: Final = "log."
_ROOT: Final = "/webhooks"
_REFUSED_EVENT: Final = "event_types"
_WORD: Final = re.compile(r"[\w.]+")
# Set by the panel itself, and refused from us.
_OWN_HEADERS: Final = frozenset({"host", "authorization", "user-agent", "content-type", "content-length", "connection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook. The address is as good as a password where its path is."""

    url: str = field(repr=False)
    events: tuple[str, ...]
    active: bool = True
    secret: str | None = field(default=None, repr=False)
    timeout: timedelta | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    description: str | None = None
    uid: int | None = None

    def body(self) -> dict[str, Any]:
        """Build the object to write. Raises InvalidValueError."""
        if not self.events:
            raise InvalidValueError("events", "must not be empty")
        body: dict[str, Any] = {
            "url": check_text("url", self.url, 2000),
            "status": "active" if self.active else "disabled",
            "event_types": list(self.events),
        }
        if len(self.url) < 4:
            raise InvalidValueError("url", "is too short")
        if self.secret is not None:
            if not 16 <= len(self.secret) <= 128:
                raise InvalidValueError("secret", "must have 16 to 128 characters")
            body["secret"] = self.secret
        if self.timeout is not None:
            body["timeout"] = check_number("timeout", round(self.timeout.total_seconds() * 1000), 1000, 30000)
        if self.headers:
            body["headers"] = _write_headers(self.headers)
        if self.description is not None:
            body["description"] = check_text("description", self.description, 1000)
        return body


def _write_headers(headers: Mapping[str, str]) -> str:
    """Write further headers: an object inside a text."""
    for name in headers:
        if name.lower() in _OWN_HEADERS:
            raise InvalidValueError("headers", f"{name} is set by the panel itself")
    return json.dumps(dict(headers))


def parse_webhook(raw: Mapping[str, Any], uid: int | None = None) -> Webhook | None:
    """Read a webhook; None for one without an address."""
    if not (url := as_text(raw.get("url"))):
        return None
    timeout = as_int(raw.get("timeout"))
    events = (as_text(event) for event in as_list(raw.get("event_types")) or ())
    return Webhook(
        uid=next((number for key in ("item_uid", "uid") if (number := as_int(raw.get(key))) is not None), uid),
        url=url,
        events=tuple(event for event in events if event),
        active=as_text(raw.get("status")) != "disabled",
        secret=as_text(raw.get("secret")) or None,
        timeout=None if timeout is None or not 0 <= timeout <= 30000 else timedelta(milliseconds=timeout),
        description=as_text(raw.get("description")) or None,
    )


def signature_fits(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Whether a delivery is signed with `secret`: HMAC-SHA256 in hex.

    The document does not say whether the time is signed as well, so three ways count; none can be made without the
    secret.
    """
    given = header(headers, SIGNATURE).strip().lower()
    stamp = header(headers, TIMESTAMP).encode()
    signed = (body, stamp + b"." + body, stamp + body)
    sums = [hmac.new(secret.encode(), text, hashlib.sha256).hexdigest() for text in signed]
    return any(hmac.compare_digest(given.encode(), good.encode()) for good in sums)


def header(headers: Mapping[str, str], name: str) -> str:
    """Find a header, however it is written; empty where there is none."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


class Webhooks:
    """Commands on webhooks. The paths of all but those for a single webhook are inferred."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def list(self) -> tuple[Webhook, ...]:
        """Read all webhooks."""
        found = [parse_webhook(raw) async for raw in self._pages(_ROOT)]
        return tuple(webhook for webhook in found if webhook is not None)

    async def read(self, uid: int) -> Webhook:
        """Read a webhook."""
        webhook = parse_webhook(await self._caller.get(f"{_ROOT}/{uid}", secret=True), uid)
        if webhook is None:
            raise StationProtocolError("the webhook has no address")
        return webhook

    async def create(self, webhook: Webhook) -> int:
        """Create a webhook; its uid. Sent once: a second one would deliver everything twice."""
        with _unmentioned(webhook):
            reply = await self._caller.send("POST", _ROOT, webhook.body(), effect=Effect.ACT)
        uid = as_int(reply.get("item_uid", reply.get("uid")))
        if uid is None:
            raise StationProtocolError("the panel did not number the new webhook")
        return uid

    async def create_with(self, webhook: Webhook, essential: Iterable[str]) -> int:
        """Create a webhook with as many of its events as this panel knows: it refuses all for one that it does not.

        An event that is named in the refusal is left out; where none is named, the `essential` ones are left.
        """
        events = list(webhook.events)
        while True:
            try:
                return await self.create(replace(webhook, events=tuple(events)))
            except StationRefusedError as err:
                fewer = _without_refused(events, err, frozenset(essential))
                if len(fewer) >= len(events) or not fewer:
                    raise
                events = fewer

    async def update(self, uid: int, webhook: Webhook) -> None:
        """Write a webhook anew."""
        with _unmentioned(webhook):
            await self._caller.send("PUT", f"{_ROOT}/{uid}", webhook.body())

    async def delete(self, uid: int) -> None:
        """Delete a webhook."""
        await self._caller.send("DELETE", f"{_ROOT}/{uid}")

    async def test(self, uid: int) -> str:
        """Let the panel send a test; what it says about it, as HTML."""
        path = f"{_ROOT}/{uid}/test"
        request = Request(method="POST", path=path, effect=Effect.ACT, timeout=LONG_TIMEOUT)
        return (await self._caller.ask(request)).body.decode("utf-8", errors="replace")

    async def deliveries(self, uid: int) -> tuple[dict[str, Any], ...]:
        """Read what was sent, as printed: bodies with numbers in them among it."""
        return tuple([raw async for raw in self._pages(f"{_ROOT}/{uid}/events")])

    async def delivery(self, event_uid: int) -> dict[str, Any]:
        """Read one delivery, as printed."""
        return await self._caller.get(f"{_ROOT}/events/{event_uid}", secret=True)

    def _pages(self, path: str) -> AsyncIterator[dict[str, Any]]:
        async def fetch(number: int) -> Page:
            query = ListQuery(page=number).parameters(await self._caller.info())
            return parse_page(await self._caller.get(path, query, secret=True))

        return all_items(fetch)


@contextmanager
def _unmentioned(webhook: Webhook) -> Iterator[None]:
    """Keep the address and the secret out of a refusal; which event is refused may be told."""
    try:
        yield
    except StationRefusedError as err:
        detail = err.detail or ""
        if "://" in detail or (webhook.secret is not None and webhook.secret in detail):
            raise StationRefusedError(err.code, None, err.field) from None
        raise


def _without_refused(events: list[str], err: StationRefusedError, essential: frozenset[str]) -> list[str]:
    """Leave out the event that a refusal names; or, where it says no more than that events are wrong, the rest."""
    # Whole words: one event's name begins another's.
    named = {word.strip(".") for word in _WORD.findall(err.detail or "")} & set(events)
    if named:
        return [event for event in events if event not in named]
    if err.code != WRONG_VALUE or err.field != _REFUSED_EVENT:
        return events
    return [event for event in events if event in essential]
