"""The edge that stations call: two webhooks per station, for what it sees and for what it shall do.

A body is accepted in any state and always acknowledged, since a terminal that gets no acknowledgement resends the same
record for ever (HTTP API 2.2.1.2). What is acknowledged has been stored first.
"""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

from aiohttp import ClientError, web
from homeassistant.components import webhook
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ...access import Decision, Reason, Sighting, StationEvent
from ...const import (
    CONF_CONTROL_ID,
    CONF_DENIED_TEXT,
    CONF_GRANTED_TEXT,
    CONF_LOCAL_ONLY,
    DEFAULT_DENIED_TEXT,
    DEFAULT_GRANTED_TEXT,
    DOMAIN,
    LIVE_WITHIN,
    LOGGER,
)
from ...coordinator import FaceAccessCoordinator
from ...devices.station import Greeting, Message, ScreenText
from .. import issues
from ..doors import questions
from ..doors.judgement import Asked
from . import push_target
from .intake import Intake

# Panorama, close-up and template of the largest sensors in base64 stay below this; a video does not and is not wanted.
BODY_LIMIT = 12 * 1024 * 1024
# From this size on, reading JSON and pictures takes milliseconds.
_LARGE = 1024 * 1024
_READ_TIMEOUT = 20
# How long a question is held that gets no command: an instant answer would make the device ask again at once (1.1.3).
_HOLD = 10


class Edge:
    """The webhooks of one station."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
        """Bind to a station's coordinator."""
        self._hass = hass
        self._coordinator = coordinator
        self._inbox = coordinator.station.expect_inbox()
        self._intake = Intake(hass, coordinator)
        self._problems: set[str] = set()
        # What a station asks about opens its first door.
        self._asked = Asked(door=coordinator.door_id(1), judge=partial(coordinator.async_decide, door=1))

    @callback
    def async_register(self) -> None:
        """Open both webhooks until the entry is unloaded."""
        entry = self._coordinator.config_entry
        handlers: dict[str, webhook.HandlerType] = {entry.data[CONF_WEBHOOK_ID]: self._handle_push}
        if control_id := entry.data.get(CONF_CONTROL_ID):
            handlers[control_id] = self._handle_control
        for webhook_id, handler in handlers.items():
            webhook.async_register(
                self._hass,
                DOMAIN,
                entry.title,
                webhook_id,
                handler,
                local_only=entry.options.get(CONF_LOCAL_ONLY, True),
                allowed_methods=("POST",),
            )
            entry.async_on_unload(partial(webhook.async_unregister, self._hass, webhook_id))

    async def _handle_push(self, _hass: HomeAssistant, _webhook_id: str, request: web.Request) -> web.Response:
        message = await self._understand(await read_body(request), request.headers)
        if message.asks_command and message.problem is None:
            # Both addresses were mixed up at the device. Answered at once, it would ask again without end (1.1.3).
            self._log_once("it asks for commands at the address for pushes")
            await asyncio.sleep(_HOLD)
        return respond(await self._take(message))

    async def _handle_control(self, _hass: HomeAssistant, _webhook_id: str, request: web.Request) -> web.Response:
        body = await read_body(request)
        message = await self._understand(body, request.headers)
        if not message.asks_command:
            return respond(await self._take(message))
        # A command goes only to the station it is for; what says nothing usable gets none.
        nameless = message.serial is None and message.problem is not None
        if nameless or (message.serial is not None and not self._is_ours(message)):
            if message.problem is not None:
                self._log_once(message.problem)
            await asyncio.sleep(_HOLD)
            return respond(message.answer())
        self._coordinator.async_seen()
        return respond(await self._inbox.exchange(body))

    async def _understand(self, body: bytes, headers: Mapping[str, str]) -> Message:
        """Parse a body; a large one in a thread, since it would hold up the event loop."""
        if len(body) < _LARGE:
            return self._inbox.receive(body, headers)
        return await self._hass.async_add_executor_job(self._inbox.receive, body, headers)

    async def async_report(self, events: Iterable[StationEvent]) -> None:
        """Take in what the station told when it was asked, or over a broker: like a push that nobody waits behind."""
        told: list[StationEvent] = []
        for event in events:
            if isinstance(event, Sighting):
                await self._intake.async_take(event)
            elif self._intake.async_tell(event):
                told.append(event)
        await self._intake.async_keep(told)

    async def _take(self, message: Message) -> bytes:
        """Take in a push and give its acknowledgement, whatever happens on the way."""
        if message.problem is not None:
            self._log_once(message.problem)
        if not self._is_ours(message):
            return message.answer()
        if message.question is not None:
            return await questions.async_answer(self._coordinator, message, message.question)
        issues.push_arrived(self._hass, self._coordinator.config_entry)
        # Before it is acknowledged: what was seen to be genuine counts after a hard stop too.
        push_target.async_remember(self._hass, self._coordinator.config_entry, self._coordinator.station)
        if message.problem is None:
            self._coordinator.pushed.set()
        asked = self._asked if message.asks_decision else None
        decision = None
        told: list[StationEvent] = []
        try:
            for event in message.events:
                if isinstance(event, Sighting):
                    decision = await self._intake.async_take(event, message.person, asked)
                elif self._intake.async_tell(event):
                    told.append(event)
            await self._intake.async_keep(told)
        except Exception:  # noqa: BLE001 (logged whole; see below)
            # Our own fault must not leave the device resending; what was lost is fetched again from its records.
            LOGGER.exception("%s: a push could not be handled", self._coordinator.name)
            self._coordinator.catch_up.async_missed(dt_util.utcnow() - LIVE_WITHIN)
        return message.answer(decision, self._greeting(message, decision))

    def _greeting(self, message: Message, decision: Decision | None) -> Greeting | None:
        """Find what the station says to somebody that it asked about."""
        if decision is None or decision.reason in (Reason.NOTIFY_ONLY, Reason.REPEATED):
            return None
        options = self._coordinator.config_entry.options
        if decision.granted:
            text = options.get(CONF_GRANTED_TEXT, DEFAULT_GRANTED_TEXT)
        else:
            text = options.get(CONF_DENIED_TEXT, DEFAULT_DENIED_TEXT)
        # Not str.format: the text is the user's, and a stray brace in it must not break the acknowledgement.
        text = text.replace("{name}", message.person.name if message.person else "").strip(" ,")
        return Greeting(speech=text, text=ScreenText(text=text)) if text else None

    def _is_ours(self, message: Message) -> bool:
        """Check that the station is the one this address was given to."""
        if message.serial is None:
            return False
        if message.serial == self._coordinator.serial:
            return True
        issues.wrong_station(self._hass, self._coordinator.config_entry, message.serial)
        return False

    def _log_once(self, problem: str) -> None:
        """Log each kind of unusable body once: a broken device would fill the log."""
        if problem not in self._problems:
            self._problems.add(problem)
            LOGGER.warning("%s sent something unusable (%s); it was acknowledged", self._coordinator.name, problem)


async def read_body(request: web.Request) -> bytes:
    """Read a body up to the limit. What comes of a longer or broken one still names the record to acknowledge."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_READ_TIMEOUT):
            while size < BODY_LIMIT and (part := await request.content.read(BODY_LIMIT - size)):
                parts.append(part)
                size += len(part)
    except (TimeoutError, ClientError, ConnectionError) as err:
        LOGGER.debug("a body broke off after %d bytes: %s", size, type(err).__name__)
    return b"".join(parts)


def respond(body: bytes) -> web.Response:
    """Answer with a fixed length: terminals cannot read a chunked body (HTTP API 1.2.1, note 8)."""
    return web.Response(body=body, content_type="application/json", charset="utf-8")
