"""Webhooks: which the panel keeps, and how it delivers to them, signed and with retries."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from .._terminal.schema import Field, array, integer, one_of, text
from .bodies import check_body
from .errors import wrong
from .events import keys_of
from .listing import page

if TYPE_CHECKING:
    from .core import Core

AGENT: Final = "BAS-IP-Webhook-Service/1.0"
_REFUSED_HEADERS: Final = frozenset(
    {"host", "authorization", "user-agent", "content-type", "content-length", "connection", "accept", "cookie"}
)
_FIELDS: Final[dict[str, Field]] = {
    "url": text(2000, low=4, pattern=r"https?://\S+"),
    "status": one_of("active", "disabled"),
    "event_types": array(text(), 1),
    "secret": text(128, low=16, optional=True),
    "timeout": integer(1000, 30000, optional=True),
    "headers": text(optional=True),
    "description": text(1000, optional=True),
}
_RETRIES: Final = "retries"  # the name of this field is not visible in the document
_TIMEOUT: Final = 5000
_DELIVERIES: Final = 2000

type Item = dict[str, Any]


class Webhooks:
    """`items` maps uids to webhooks, `deliveries` is what was sent, newest last."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.items: dict[int, Item] = {}
        self.deliveries: list[Item] = []
        self.tests = 0
        self.session: aiohttp.ClientSession | None = None
        self._events = 0
        self._queues: dict[int, asyncio.Queue[Item]] = {}
        core.journal.listeners.append(self._on_event)

    @property
    def event_types(self) -> frozenset[str]:
        """What can be subscribed to."""
        return frozenset(f"log.{key}" for key in keys_of(self.core.model.family))

    @property
    def pending(self) -> int:
        """Deliveries that are not decided yet."""
        return sum(1 for delivery in self.deliveries if delivery["status"] == "pending")

    def create(self, body: Any) -> int:
        """Keep a new webhook; its uid."""
        checked = self._checked(body)
        uid = max(self.items, default=0) + 1
        self.items[uid] = checked
        self.core.save()
        return uid

    def get(self, uid: int) -> Item:
        """One webhook; raise `Refusal` 400 when there is none."""
        if uid not in self.items:
            raise wrong("Wrong webhook uid")
        return self.items[uid]

    def update(self, uid: int, body: Any) -> None:
        """Replace a webhook."""
        self.get(uid)
        self.items[uid] = self._checked(body)
        self.core.save()

    def delete(self, uid: int) -> None:
        """Remove a webhook; what waits for it is never sent."""
        self.get(uid)
        del self.items[uid]
        self.core.save()

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the webhooks."""
        items = [{"item_uid": uid, **item} for uid, item in self.items.items()]
        return page(items, query, "flat", fields=("item_uid", "url", "status"), sort="item_uid", option="list_options")

    def deliveries_of(self, uid: int, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of what was sent to a webhook."""
        self.get(uid)
        items = [shown(delivery) for delivery in self.deliveries if delivery["webhook_uid"] == uid]
        fields = ("event_uid", "event_type", "status", "created_at")
        return page(items, query, "flat", fields=fields, sort="event_uid", option="list_options")

    def delivery(self, uid: int) -> Item:
        """One delivery."""
        for delivery in self.deliveries:
            if delivery["event_uid"] == uid:
                return shown(delivery)
        raise wrong("Wrong webhook event uid")

    async def test(self, uid: int) -> str:
        """Send a test at once, whatever the status; a trace of it as HTML."""
        self.get(uid)
        self.tests += 1
        delivery = self._delivery(uid, "test", {"test": "success"})
        await self._attempt(delivery)
        delivery["status"] = "delivered" if _accepted(delivery) else "failed"
        return f"<pre>POST {self.items[uid]['url']}\nHTTP {delivery['response_code']}</pre>"

    async def resend_last(self) -> int | None:
        """Send the last delivery again, as when its answer was lost on the way; the status it got."""
        if not self.deliveries:
            return None
        await self._attempt(self.deliveries[-1])
        code: int | None = self.deliveries[-1]["response_code"]
        return code

    def start(self, session: aiohttp.ClientSession) -> None:
        """Deliver from now on."""
        self.session = session
        self._queues.clear()

    def stop(self) -> None:
        """Power or network is gone: what was not delivered is lost."""
        self.session = None
        self._queues.clear()
        for delivery in self.deliveries:
            if delivery["status"] == "pending":
                delivery["status"] = "failed"

    def _checked(self, body: Any) -> Item:
        fields = {**_FIELDS, _RETRIES: integer(0, 5, optional=True)}
        checked = check_body(body, fields, lambda name: self.core.violation(f"a webhook has no field {name!r}"))
        for name in checked["event_types"]:
            if name not in self.event_types:
                raise wrong(f"Wrong event_types field={name}")
        if "headers" in checked:
            _check_headers(checked["headers"])
        return checked

    def _on_event(self, item: Item) -> None:
        """Queue a log entry for every webhook that wants it."""
        kind = f"log.{item['name']['key']}"
        for uid, webhook in self.items.items():
            if webhook["status"] != "active" or kind not in webhook["event_types"] or self.session is None:
                continue
            delivery = self._delivery(uid, kind, item)
            if uid not in self._queues:
                self._queues[uid] = asyncio.Queue()
                self.core.background(self._deliver(self._queues[uid]))
            self._queues[uid].put_nowait(delivery)

    def _delivery(self, uid: int, kind: str, data: Mapping[str, Any]) -> Item:
        self._events += 1
        created = self.core.milliseconds()
        body = {"event_type": kind, "event_id": self._events, "created_at": created, "data": data}
        delivery: Item = {
            "event_uid": self._events,
            "webhook_uid": uid,
            "event_type": kind,
            "created_at": created,
            "status": "pending",
            "attempts": 0,
            "response_code": None,
            "payload": json.dumps(body).encode(),
        }
        self.deliveries.append(delivery)
        del self.deliveries[:-_DELIVERIES]
        return delivery

    async def _deliver(self, queue: asyncio.Queue[Item]) -> None:
        """Deliver to one webhook, one after another."""
        while self.session is not None:
            delivery = await queue.get()
            while delivery["status"] == "pending":
                webhook = self.items.get(delivery["webhook_uid"])
                if webhook is None or webhook["status"] != "active" or delivery["attempts"] > webhook.get(_RETRIES, 3):
                    delivery["status"] = "failed"
                    break
                await self._attempt(delivery)
                if _accepted(delivery):
                    delivery["status"] = "delivered"
                elif delivery["status"] == "pending":
                    await asyncio.sleep(self.core.timings.webhook_retry)

    async def _attempt(self, delivery: Item) -> None:
        """Send once; the answer's status is kept, None without an answer."""
        webhook, payload = self.get(delivery["webhook_uid"]), delivery["payload"]
        delivery["attempts"] += 1
        stamp = datetime.fromtimestamp(self.core.timestamp(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {
            **json.loads(webhook.get("headers") or "{}"),
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "X-Webhook-Timestamp": stamp,
            "X-Webhook-Attempt": str(delivery["attempts"]),
        }
        if secret := webhook.get("secret"):
            signed = payload if self.core.signed == "body" else stamp.encode() + b"." + payload
            headers["X-Webhook-Signature"] = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        delivery["response_code"] = await self._post(webhook, payload, headers)
        self.core.note("out", f"webhook {delivery['event_type']}: {delivery['response_code']}")

    async def _post(self, webhook: Item, payload: bytes, headers: dict[str, str]) -> int | None:
        if self.session is None or not self.core.online:
            return None
        timeout = aiohttp.ClientTimeout(total=webhook.get("timeout", _TIMEOUT) / 1000)
        try:
            async with self.session.post(webhook["url"], data=payload, headers=headers, timeout=timeout) as answer:
                await answer.read()
                return answer.status
        except aiohttp.ClientError, TimeoutError, OSError:
            return None


def shown(delivery: Item) -> Item:
    """A delivery as it is listed."""
    return {**delivery, "payload": delivery["payload"].decode()}


def _accepted(delivery: Item) -> bool:
    return delivery["response_code"] is not None and 200 <= delivery["response_code"] < 300


def _check_headers(raw: str) -> None:
    """Extra headers are a JSON object in a string; the standard ones may not be set."""
    try:
        headers = json.loads(raw)
    except ValueError as err:
        raise wrong("Wrong headers value") from err
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise wrong("Wrong headers value")
    for name in headers:
        if name.lower() in _REFUSED_HEADERS:
            raise wrong(f"Wrong headers value: {name} is not allowed")
