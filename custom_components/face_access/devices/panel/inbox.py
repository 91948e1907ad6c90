"""How a panel reaches us: one webhook of ours on it, found again by a mark, and understood by the receiver."""

from collections.abc import Mapping
from datetime import timedelta
import hashlib
import secrets
from typing import Any, Final

from ..errors import StationProtocolError, StationUnsupportedError
from ..station import PushTarget
from ..values import as_text
from .capabilities import target_url
from .events import WANTED
from .push import PanelMessage, Receiver
from .state import PanelState
from .webhooks import EVENT_PREFIX, Webhook

_MARK_KEY: Final = "webhook"
_SECRET: Final = "secret"  # noqa: S105 (a name)
_VERIFIED: Final = "verified"
_NAME: Final = "Face Access"
_TIMEOUT: Final = timedelta(seconds=10)
_EVENTS: Final = tuple(f"{EVENT_PREFIX}{key}" for key in WANTED)
# What every panel with webhooks surely knows: the bell, and who was let in or not.
_ESSENTIAL: Final = tuple(
    f"{EVENT_PREFIX}{key}"
    for key in (
        "outgoing_call",
        "access_granted_by_valid_identifier",
        "access_granted_by_valid_face_identifier",
        "access_denied_by_not_valid_identifier",
        "access_denied_by_not_valid_face_identifier",
        "access_denied_by_unknown_card",
        "door_sensor_was_opened",
        "door_sensor_was_closed",
    )
)


class PanelInbox:
    """The panel's pushes. `receiver` knows what they are signed with, and whether a signature ever fitted."""

    asking = False
    # Its questions carry what there is to know about them.
    asks_decisions = False

    def __init__(self, state: PanelState) -> None:
        """Bind to a panel."""
        self._state = state
        self.receiver = Receiver(state)

    def receive(self, body: bytes, headers: Mapping[str, str] | None = None) -> PanelMessage:
        """Understand what was sent. Never raises."""
        return self.receiver.receive(body, headers)

    @property
    def memory(self) -> Mapping[str, Any]:
        """What to know over restarts: what our webhook signs with, and whether this panel was seen to sign."""
        known = {_SECRET: self.receiver.secret, _VERIFIED: self.receiver.verified}
        return {key: value for key, value in known.items() if value}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Know again what `memory` said."""
        self.receiver.secret = as_text(memory.get(_SECRET)) or None
        self.receiver.verified = memory.get(_VERIFIED) is True

    async def exchange(self, body: bytes) -> bytes:
        """Panels ask for no commands."""
        raise StationProtocolError("panels do not ask for commands")

    async def redirect(self, target: PushTarget) -> Mapping[str, Any] | None:
        """Make our webhook, or make it ours again; how to find it, None if it was there already.

        It is written anew where nobody knows the secret that it signs with, or something came that did not fit.
        Raises StationUnsupportedError on a panel without webhooks.
        """
        self._check((await self._state.client.system.info()).webhooks)
        wanted = self._webhook(target)
        found = await self._ours(_mark(target))
        for stale in found[1:]:
            await self._delete(stale)
        if not found:
            await self._create(wanted)
            return {_MARK_KEY: _mark(target)}
        first = found[0]
        if self.receiver.secret is None or self.receiver.doubtful or not _is_at(first, wanted):
            # Its events are those that the panel took when it was made.
            renewed = Webhook(
                url=wanted.url,
                events=first.events or wanted.events,
                secret=wanted.secret,
                timeout=wanted.timeout,
                description=wanted.description,
            )
            await self._state.client.webhooks.update(first.uid or 0, renewed)
            self.receiver.secret, self.receiver.doubtful = wanted.secret, False
        return None

    async def restore(self, previous: Mapping[str, Any], ours: PushTarget) -> None:
        """Remove our webhook; others stay. It is found by its mark, wherever somebody made it point since."""
        for webhook in await self._ours(str(previous.get(_MARK_KEY, ""))):
            await self._delete(webhook)
        self.receiver.secret = None

    async def points_to(self, target: PushTarget) -> bool:
        """Ask the panel whether our webhook is there and active."""
        wanted = self._webhook(target)
        return any(_is_at(webhook, wanted) for webhook in await self._ours(_mark(target)))

    async def prove(self, target: PushTarget) -> None:
        """Let the panel send a test over our webhook. Raises StationUnsupportedError where it cannot."""
        for webhook in (await self._ours(_mark(target)))[:1]:
            await self._state.client.webhooks.test(webhook.uid or 0)

    async def _create(self, wanted: Webhook) -> None:
        # Known before the panel is told: the first delivery may be faster than the answer.
        self.receiver.secret = wanted.secret
        try:
            await self._state.client.webhooks.create_with(wanted, _ESSENTIAL)
        except BaseException:
            self.receiver.secret = None
            raise

    async def _delete(self, webhook: Webhook) -> None:
        if webhook.uid is not None:
            await self._state.client.webhooks.delete(webhook.uid)

    async def _ours(self, mark: str) -> list[Webhook]:
        """Find our webhooks: those with our mark and a number to call them by."""
        name = f"{_NAME} {mark}"
        listed = await self._state.client.webhooks.list()
        return [webhook for webhook in listed if mark and webhook.description == name and webhook.uid is not None]

    def _webhook(self, target: PushTarget) -> Webhook:
        return Webhook(
            url=target_url(target),
            events=_EVENTS,
            secret=self.receiver.secret or secrets.token_hex(32),
            timeout=_TIMEOUT,
            description=f"{_NAME} {_mark(target)}",
        )

    @staticmethod
    def _check(available: bool) -> None:
        if not available:
            raise StationUnsupportedError("webhooks need an Android panel with firmware 3.25.8")


def _mark(target: PushTarget) -> str:
    """Name our webhook without telling its path. The address may change, the path does not."""
    return hashlib.sha256(target.path.encode()).hexdigest()[:16]


def _is_at(webhook: Webhook, wanted: Webhook) -> bool:
    return webhook.active and webhook.url == wanted.url
