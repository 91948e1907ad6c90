"""The stream of the camera: RTSP (RFC 2326) with the pictures inside the connection itself (RTP over TCP, H.264).

Whoever watches shows the account of `/device/settings/rtsp`, by Digest or Basic; size and rate are those of
`/device/settings/video`, and with `is_audio_enabled` there is a second track, of silence.
"""

import asyncio
import base64
import binascii
from collections.abc import Iterator, Mapping
import contextlib
from dataclasses import dataclass, field
from functools import lru_cache
import hashlib
import hmac
import random
import re
import secrets
import struct
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .._terminal import pictures
from . import h264
from .settings import RTSP, VIDEO

if TYPE_CHECKING:
    from .core import Core

PATH: Final = "/ch01"
_REALM: Final = "panel"
_METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
_PAIR: Final = re.compile(r'(\w+)="([^"]*)"')
_INTERLEAVED: Final = re.compile(r"interleaved=(\d{1,3})-(\d{1,3})")
_MAX_HEAD: Final = 16 * 1024
_MAX_SIZE: Final = (1920, 1088)
_PACKET: Final = 1400
_CLOCK: Final = 90000
_AUDIO_CLOCK: Final = 8000
_VIDEO_TYPE: Final = 96
_AUDIO_TYPE: Final = 0  # PCMU
_SILENCE: Final = b"\xff"
_KEY_EVERY: Final = 2.0  # seconds
_FRAGMENT: Final = 28
_TRACK: Final = re.compile(r".*/track([12])/?")


@lru_cache(maxsize=8)
def _key_pictures(visitor: str, photo: bool, form: h264.Format) -> tuple[bytes, bytes]:
    """What the camera sees, in the two forms that take turns."""
    image = pictures.draw(visitor, photo=photo)
    return h264.key_picture(image, form, 0), h264.key_picture(image, form, 1)


def _fragments(unit: bytes) -> Iterator[tuple[bytes, bool]]:
    """A unit in packets (RFC 6184): whole where it fits, else in pieces; and whether it is the last piece."""
    if len(unit) <= _PACKET:
        yield unit, True
        return
    kind, rest = unit[0], unit[1:]
    for start in range(0, len(rest), _PACKET):
        end = start + _PACKET >= len(rest)
        place = (0x80 if start == 0 else 0) | (0x40 if end else 0)
        yield bytes((kind & 0xE0 | _FRAGMENT, place | kind & 0x1F)) + rest[start : start + _PACKET], end


@dataclass
class _Track:
    """Packets of one track, on one channel of the connection."""

    channel: int
    kind: int
    sequence: int = field(default_factory=lambda: random.getrandbits(16))
    source: int = field(default_factory=lambda: random.getrandbits(32))
    begin: int = field(default_factory=lambda: random.getrandbits(31))

    def packet(self, payload: bytes, moment: int, *, last: bool) -> bytes:
        """One packet as it goes over the connection; `moment` counts from the start in the clock of the track."""
        self.sequence = (self.sequence + 1) % 2**16
        marked = self.kind | (0x80 if last else 0)
        head = struct.pack(">BBHII", 0x80, marked, self.sequence, (self.begin + moment) % 2**32, self.source)
        return struct.pack(">cBH", b"$", self.channel, len(head) + len(payload)) + head + payload


class _Watcher:
    """One connection."""

    def __init__(self, core: Core, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.core, self.reader, self.writer = core, reader, writer
        self.nonce = secrets.token_hex(16)
        self.session = secrets.token_hex(8)
        self.tracks: dict[int, _Track] = {}
        self.player: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answer until the other side goes or ends the session."""
        try:
            while (head := await self._head()) is not None:
                method, url, headers = head
                status, more, body = self._answer(method, url, headers)
                self.core.note("in", f"RTSP {method}: {status}")
                self._reply(status, headers.get("cseq", "0"), more, body)
                await self.writer.drain()
                if method == "TEARDOWN":
                    return
                if method == "PLAY" and status == 200 and self.player is None:
                    self.player = self.core.background(self._play())
        except ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError:
            pass  # whoever watches has gone, or speaks something else
        finally:
            self.close()

    def close(self) -> None:
        """End it."""
        if self.player is not None:
            self.player.cancel()
        self.writer.close()

    async def _head(self) -> tuple[str, str, dict[str, str]] | None:
        """The next request; what comes on the channels (reports of the receiver) is passed over. None at the end."""
        while (first := await self.reader.read(1)) == b"$":
            _channel, size = struct.unpack(">BH", await self.reader.readexactly(3))
            await self.reader.readexactly(size)
        if not first:
            return None
        text = (first + await self.reader.readuntil(b"\r\n\r\n")).decode("utf-8", errors="replace")
        line, *lines = text.strip().split("\r\n")
        method, _, rest = line.partition(" ")
        pairs = (each.partition(":") for each in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = headers.get("content-length", "0")
        await self.reader.readexactly(int(length) if length.isdigit() and int(length) <= _MAX_HEAD else 0)
        return method.upper(), rest.partition(" ")[0], headers

    def _reply(self, status: int, number: str, more: Mapping[str, str], body: str) -> None:
        headers = {"CSeq": number, **more} | ({"Content-Length": str(len(body.encode()))} if body else {})
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.writer.write(f"RTSP/1.0 {status} {_REASONS[status]}\r\n{lines}\r\n{body}".encode())

    def _answer(self, method: str, url: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of an answer."""
        known = method == "OPTIONS" or self._is_known(method, headers.get("authorization", ""))
        if not known or not urlsplit(url).path.startswith(PATH):
            asked = {"WWW-Authenticate": f'Digest realm="{_REALM}", nonce="{self.nonce}"'}
            return (404, {}, "") if known else (401, asked, "")
        match method:
            case "OPTIONS":
                return 200, {"Public": _METHODS}, ""
            case "DESCRIBE":
                told = {"Content-Base": f"{url.rstrip('/')}/", "Content-Type": "application/sdp"}
                return 200, told, self._description()
            case "SETUP":
                return self._set_up(url, headers.get("transport", ""))
            case "PLAY":
                return self._begin(url)
        status = 200 if method in ("GET_PARAMETER", "TEARDOWN") else 405
        return status, {"Session": self.session}, ""

    def _begin(self, url: str) -> tuple[int, dict[str, str], str]:
        """Say with which packets the tracks begin."""
        if not self.tracks:
            return 455, {}, ""
        begins = (
            f"url={url.rstrip('/')}/track{number};seq={(track.sequence + 1) % 2**16};rtptime={track.begin}"
            for number, track in self.tracks.items()
        )
        return 200, {"Session": self.session, "RTP-Info": ",".join(begins)}, ""

    def _set_up(self, url: str, transport: str) -> tuple[int, dict[str, str], str]:
        match, channels = _TRACK.fullmatch(urlsplit(url).path), _INTERLEAVED.search(transport)
        if match is None:
            return 404, {}, ""
        if "RTP/AVP/TCP" not in transport or channels is None:
            return 461, {}, ""
        number, channel = int(match[1]), int(channels[1])
        if channel > 254:
            return 461, {}, ""
        self.tracks[number] = _Track(channel, _VIDEO_TYPE if number == 1 else _AUDIO_TYPE)
        told = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        return 200, {"Transport": told, "Session": f"{self.session};timeout=60"}, ""

    def _is_known(self, method: str, given: str) -> bool:
        values = self.core.settings.values[RTSP]
        user, password = values["username"], values["password"]
        if given.startswith("Basic "):
            try:
                return hmac.compare_digest(base64.b64decode(given[6:], validate=True), f"{user}:{password}".encode())
            except binascii.Error:
                return False
        pairs = dict(_PAIR.findall(given))
        secret = _md5(f"{user}:{_REALM}:{password}")
        wanted = _md5(f"{secret}:{self.nonce}:{_md5(f'{method}:{pairs.get("uri", "")}')}")
        return pairs.get("username") == user and hmac.compare_digest(
            pairs.get("response", "").encode(), wanted.encode()
        )

    def _description(self) -> str:
        sets = [base64.b64encode(unit).decode() for unit in (h264.sequence_set(self.form), h264.picture_set())]
        lines = [
            *("v=0", f"o=- {self.session_number} 1 IN IP4 {self.core.host}", "s=Panel", "t=0 0", "a=control:*"),
            *(f"m=video 0 RTP/AVP {_VIDEO_TYPE}", f"a=rtpmap:{_VIDEO_TYPE} H264/{_CLOCK}"),
            f"a=fmtp:{_VIDEO_TYPE} packetization-mode=1;profile-level-id=42C028;sprop-parameter-sets={','.join(sets)}",
            *(f"a=framerate:{self.form.fps}", "a=control:track1"),
        ]
        if self.core.settings.values[RTSP].get("is_audio_enabled"):
            lines += [f"m=audio 0 RTP/AVP {_AUDIO_TYPE}", f"a=rtpmap:0 PCMU/{_AUDIO_CLOCK}", "a=control:track2"]
        return "\r\n".join([*lines, ""])

    @property
    def session_number(self) -> int:
        """The session as a number."""
        return int(self.session, 16)

    @property
    def form(self) -> h264.Format:
        """Size and rate, as set on the panel; both sides are even."""
        values = self.core.settings.values[VIDEO]
        width, height = (int(side) for side in values["video_resolution"].split("x"))
        return h264.Format(min(width, _MAX_SIZE[0]) & ~1, min(height, _MAX_SIZE[1]) & ~1, values["fps"])

    async def _play(self) -> None:
        """Send picture after picture, each in its time."""
        form, begun, keys = self.form, time.monotonic(), 0
        every = max(1, round(form.fps * _KEY_EVERY))
        with contextlib.suppress(ConnectionError):
            for number in range(2**62):
                await asyncio.sleep(begun + number / form.fps - time.monotonic())
                if number % every == 0:
                    units = await self._key(form, keys % 2)
                    keys += 1
                else:
                    units = (h264.same_picture(form, number % every),)
                self._send_picture(units, round(number * _CLOCK / form.fps))
                self._send_silence(number, form.fps)
                await self.writer.drain()

    async def _key(self, form: h264.Format, number: int) -> tuple[bytes, ...]:
        shown = await asyncio.to_thread(_key_pictures, self.core.visitor, self.core.visitor_photo, form)
        return h264.sequence_set(form), h264.picture_set(), shown[number]

    def _send_picture(self, units: tuple[bytes, ...], moment: int) -> None:
        if (track := self.tracks.get(1)) is None:
            return
        for unit in units:
            for payload, end in _fragments(unit):
                self.writer.write(track.packet(payload, moment, last=end and unit is units[-1]))

    def _send_silence(self, number: int, fps: int) -> None:
        if (track := self.tracks.get(2)) is None:
            return
        start, end = (each * _AUDIO_CLOCK // fps for each in (number, number + 1))
        self.writer.write(track.packet(_SILENCE * (end - start), start, last=False))


_REASONS: Final = {
    200: "OK",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Stream:
    """Listens for whoever wants to watch; keeps the port while the panel is off the network."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.port = 0
        self._server: asyncio.Server | None = None
        self._watchers: set[_Watcher] = set()

    @property
    def watchers(self) -> int:
        """How many are watching now."""
        return sum(watcher.player is not None for watcher in self._watchers)

    @property
    def url(self) -> str:
        """The address, with the account in clear."""
        values = self.core.settings.values[RTSP]
        return f"rtsp://{values['username']}:{values['password']}@{self.core.host}:{self.port}{PATH}"

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.core.online:
            writer.transport.abort()
            return
        watcher = _Watcher(self.core, reader, writer)
        self._watchers.add(watcher)
        try:
            await watcher.serve()
        finally:
            self._watchers.discard(watcher)

    def drop(self) -> None:
        """Cut every connection."""
        for watcher in list(self._watchers):
            watcher.writer.transport.abort()
            watcher.close()

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
        self.drop()
