"""The device as data client: captures are pushed in order, each until it is acknowledged as 2.2.1.2 demands."""

import asyncio
import base64
from collections import deque
from dataclasses import dataclass
import json
from typing import Any

import aiohttp

from . import aes, pictures
from .commands import encode, parse
from .core import Core
from .fields import ACK_EXTRAS, PROTOCOL
from .model import Capture, Person
from .recognition import ONLINE
from .schema import Refusal, check_object


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a request of the device: status, body, and how the body was framed."""

    status: int
    body: bytes
    chunked: bool
    has_length: bool


async def post(session: aiohttp.ClientSession, url: str, body: bytes, seconds: float) -> Answer:
    """POST as the device does; raise TimeoutError or aiohttp.ClientError."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    async with (
        asyncio.timeout(seconds),
        session.post(url, data=body, headers=headers, allow_redirects=False) as response,
    ):
        content = await response.read()
        chunked = "Transfer-Encoding" in response.headers
        return Answer(response.status, content, chunked, "Content-Length" in response.headers)


def framing(answer: Answer) -> str | None:
    """What is wrong with the framing of an answer (1.2.1, rule 8)."""
    if answer.chunked:
        return "the answer is chunked"
    return None if answer.has_length else "the answer has no Content-Length"


def acknowledgement(answer: Answer, capture: Capture) -> dict[str, Any]:
    """The answer to a push when it acknowledges this capture; raise ValueError saying what is wrong with it."""
    if answer.status != 200:
        raise ValueError(f"HTTP {answer.status}")
    if problem := framing(answer):
        raise ValueError(problem)
    if not answer.body:
        raise ValueError("empty answer")
    ack = parse(answer.body)
    wanted = {"reply": "ACK", "code": 0, "sequence_no": capture.sequence, "cap_time": capture.cap_time}
    for key, value in wanted.items():
        if ack.get(key) != value or type(ack.get(key)) is not type(value):
            raise ValueError(f"{key} is {ack.get(key)!r}, not {value!r}")
    if not isinstance(ack.get("cmd"), str) or ack["cmd"].strip() != "face":
        raise ValueError(f"cmd is {ack.get('cmd')!r}")
    return ack


class Uploader:
    """The data link. `queue` holds the captures that are not acknowledged yet, oldest first."""

    def __init__(self, core: Core, session: aiohttp.ClientSession, *, resend: bool = True) -> None:
        """With `resend` off a failed push is given up (its record stays with upload_state 0)."""
        self.core = core
        self.resend = resend
        self.last: Capture | None = None
        self.queue: deque[Capture] = deque(record for record in core.records if record.queued and not record.uploaded)
        self._session = session
        self._stuck = False  # the last transmission failed
        self._wake = asyncio.Event()

    def add(self, capture: Capture) -> None:
        """Queue a new capture, when captures are pushed at all."""
        if self.core.upload_url() is not None:
            capture.queued, capture.live = True, self.core.online and not self._stuck
            self.queue.append(capture)
            self._wake.set()

    def wake(self) -> None:
        """The upload settings may have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Push for ever; a capture that is not acknowledged holds up those behind it."""
        while True:
            self._wake.clear()
            while self.queue and (url := self.core.upload_url()):
                self._stuck = not await self.transmit(self.queue[0], url) and self.resend
                if not self._stuck:
                    self.queue.popleft()
                else:
                    await asyncio.sleep(self.core.timings.push_resend)
            await self._wake.wait()

    async def transmit(self, capture: Capture, url: str) -> bool:
        """Send one capture once; return whether it was acknowledged."""
        core = self.core
        age = core.timestamp() - capture.stamp
        capture.realtime = capture.live and capture.attempts == 0 and abs(age) <= core.timings.realtime
        capture.attempts += 1
        if self.last is not None:
            self.last.payload = b""  # only the last transmission can be repeated
        self.last, capture.payload = capture, build(core, capture)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            answer = await post(self._session, url, capture.payload, core.timings.push_timeout)
        except (TimeoutError, aiohttp.ClientError, OSError) as err:
            core.note("link", f"push {capture.sequence}: {type(err).__name__}")
            return False
        return self.receive(answer, capture, loop.time() - started)

    def receive(self, answer: Answer, capture: Capture, latency: float) -> bool:
        """Judge the answer to a push and obey what it carries; return whether it acknowledges."""
        try:
            ack = acknowledgement(answer, capture)
        except ValueError as err:
            if answer.status != 200 or not answer.body:  # an outage, not a wrong acknowledgement
                self.core.note("link", f"push {capture.sequence}: {err}")
            else:
                self.core.violation(f"answer to push {capture.sequence}: {err}")
            return False
        capture.uploaded, capture.latency, capture.answer = True, latency, ack
        capture.delivered.set()
        self.core.note("out", f"push {capture.sequence} acknowledged")
        self._obey(ack, capture)
        self.core.save()
        return True

    def _obey(self, ack: dict[str, Any], capture: Capture) -> None:
        """Gate, voice and screen text in the answer; a part that is wrong is not obeyed."""
        core, good = self.core, dict[str, Any]()
        for key in ack.keys() - {"reply", "cmd", "code", "sequence_no", "cap_time"}:
            try:
                check_object({key: ack[key]}, ACK_EXTRAS)
                good[key] = ack[key]
            except Refusal as err:
                core.violation(f"answer to push {capture.sequence}: {err.desc}")
        if "gateway_ctrl" in good and core.app["gate_control"]["match_mode"] == ONLINE:
            realtime = capture.realtime is True
            if problem := core.gate(good["gateway_ctrl"], "online gateway", is_realtime=realtime):
                core.violation(f"answer to push {capture.sequence}: gateway_ctrl: {problem}")
            else:
                capture.opened = True
        if "tts" in good:
            core.speak(good["tts"]["text"], "push answer")
        if "Text_display" in good:
            core.show_text(good["Text_display"], "push answer")

    async def raw(self, body: bytes) -> Answer:
        """Post any body to the upload URL."""
        url = self.core.upload_url()
        if url is None:
            raise RuntimeError("captures are not pushed: upload_info has no HTTP URL")
        return await post(self._session, url, body, self.core.timings.push_timeout)


def build(core: Core, capture: Capture) -> bytes:
    """The body of a push (2.2.1.1), spelled as the document prints it."""
    face, info = core.app["face"], core.app["device_info"]
    fahrenheit = face["body_temperature"]["fahrenheit_unit"]
    person: dict[str, Any] = {
        "sex": "female" if face["enable_sex"] else "",
        "age": 34 if face["enable_age"] else 0,
        "hat": "none",
        "face_quality": 0 if capture.match_type == 2 else 88,
        "turn_angle": 2,
        "rotate_angle": -1,
    }
    if capture.temperature is not None:
        value = capture.temperature * 1.8 + 32 if fahrenheit else capture.temperature
        person["temperatur"] = round(value, 1)
    if capture.mask is not None:
        person["has_mask"] = capture.mask
    if capture.card is not None:
        person["wg_card_id" if capture.card < 2**32 else "long_card_id"] = capture.card
    body: dict[str, Any] = {
        "version": PROTOCOL,
        "cmd": "face",
        "sequence_no": capture.sequence,
        "device_no": info["device_no"],
        "device_sn": core.serial,
        "addr_no": info["addr_no"],
        "addr_name": info["addr_name"],
        "cap_time": capture.cap_time,
        "is_realtime": int(bool(capture.realtime)),
        "match_failed_reson": capture.reason,
        "match_result": capture.score,
        **_pictures(core, capture),
        "video_flag": False,
        "person": person,
    }
    if capture.person_id is not None:
        body["match"] = _match(core, capture)
    if face["enable_output_feature"]:
        body["feature_data"] = [round(((i * 7919) % 1000) / 1000, 3) for i in range(513)]
    if capture.qr is not None:
        body["qr_code"] = {"qr_type": "QR-Code", "qr_data": capture.qr}
    return encode(body)


def _match(core: Core, capture: Capture) -> dict[str, Any]:
    """Who was matched; name and id are encrypted when 2.15 says so."""
    person = core.people.get(capture.person_id or "") or Person(id=capture.person_id or "", name=capture.name)
    kinds = {"forever": "permanent_list", "never": "invalid_list"}
    texts = [person.id, person.name]
    if core.aes_enabled:
        texts = [base64.b64encode(aes.encrypt(text.encode(), core.aes_key)).decode() for text in texts]
    match: dict[str, Any] = {
        "is_encryption": core.aes_enabled,
        "person_id": texts[0],
        "person_name": texts[1],
        "person_role": person.role,
        "origin ": "software",
        "person_attr": kinds.get(person.term, "temporary_list"),
        "customer_text": person.customer_text,
    }
    if core.app["face"]["enable_output_reg"] and person.thumbnail():
        match |= {"format": "jpg", "image": base64.b64encode(person.thumbnail()).decode()}
    return match


def _pictures(core: Core, capture: Capture) -> dict[str, Any]:
    """Panorama and close-up, as far as pic_form wants them."""
    form = core.app["face"]["pic_form"]
    x, y, width, height = pictures.FACE_BOX
    look = (capture.seed, bool(capture.mask), capture.photo)
    overall, closeup = form in {"overall", "both"}, form in {"closeup", "both"}
    parts: dict[str, Any] = {"overall_pic_flag": overall, "closeup_pic_flag": closeup}
    size = {"face_width": width, "face_height": height}
    if overall:
        scale = 2 if capture.picture_bytes else 1
        box = {"face_x": x * scale, "face_y": y * scale, **{key: value * scale for key, value in size.items()}}
        data = base64.b64encode(pictures.panorama(*look, capture.picture_bytes)).decode()
        parts["overall_pic"] = {"format": "jpg", "data": data, **box}
    if closeup:
        data = base64.b64encode(pictures.closeup(*look)).decode()
        parts["closeup_pic"] = {"format": "jpg", "data": data, "face_x": 0, "face_y": 0, **size}
    return parts


class UploadHeartbeat:
    """The optional heartbeat on the data link (2.7); its answer may come at once."""

    def __init__(self, core: Core, session: aiohttp.ClientSession) -> None:
        self.core = core
        self._session = session

    async def run(self) -> None:
        """Send a heartbeat every period while captures are pushed."""
        while True:
            if url := self.core.upload_url():
                if url == self.core.control_url():
                    self.core.violation("one URL for upload and control while the upload heartbeat is on")
                await self._beat(url)
            await asyncio.sleep(self.core.timings.upload_heartbeat)

    async def _beat(self, url: str) -> None:
        body = heartbeat(self.core, gps=False)
        try:
            answer = await post(self._session, url, body, self.core.timings.push_timeout)
        except (TimeoutError, aiohttp.ClientError, OSError) as err:
            self.core.note("link", f"upload heartbeat: {type(err).__name__}")
            return
        problem = framing(answer)
        if problem is None and answer.status == 200 and answer.body:
            try:
                reply = parse(answer.body)
            except ValueError:
                reply = {}
            if (reply.get("reply"), str(reply.get("cmd")).strip(), reply.get("code")) != ("ACK", "heart beat", 0):
                problem = "not the answer of 2.7.1.2"
        if problem:
            self.core.violation(f"upload heartbeat: {problem}")


def heartbeat(core: Core, *, gps: bool) -> bytes:
    """The body of a heartbeat (2.7.1.1)."""
    beat: dict[str, Any] = {
        "version": PROTOCOL,
        "cmd": "heart beat",
        "ip": "127.0.0.1",
        "device_sn": core.serial,
        **core.app["device_info"],
    }
    if gps and core.hardware["FourG"]["moduler_4g"] == "YES":
        beat["gps"] = {"n": "50.087465", "e": "14.421253", "strength": 7}
    return json.dumps(beat, ensure_ascii=False).encode()
