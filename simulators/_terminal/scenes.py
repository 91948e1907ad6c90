"""What happens before the terminal: faces, photos, cards, codes, the bell, the network, the mains."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from .control import ControlLink
from .core import AUDIO_LIST, Core
from .model import STAMP, Capture, Person
from .push import Uploader
from .recognition import NO_CARD, UNAUTHORISED, clean, decide, judge, measure
from .server import CommandServer
from .sip import Phone

_PLAUSIBLE_SCORE = 93
_MAX_RECORDS = 20000  # older ones are overwritten


class Scenes(Core):
    """The terminal with a world around it. Every scene is a coroutine; see `SCENES` in page.py for their arguments."""

    uploader: Uploader
    control: ControlLink
    phone: Phone
    server: CommandServer
    _tasks: set[asyncio.Task[Any]]
    _seen: dict[str, float]

    async def present_known(
        self,
        person_id: str = "0001",
        *,
        temperature: float | None = None,
        mask: bool | None = None,
        score: int = _PLAUSIBLE_SCORE,
        picture_bytes: int | None = None,
    ) -> Capture | None:
        """A registered person stands before the camera; None when the same face came again too soon."""
        return self._face(person_id, temperature, mask, score, picture_bytes)

    async def present_stranger(
        self, *, temperature: float | None = None, mask: bool | None = None, picture_bytes: int | None = None
    ) -> Capture | None:
        """Somebody nobody knows."""
        return self._face(None, temperature, mask, -1, picture_bytes)

    async def present_photo(self, person_id: str = "0001", *, score: int = _PLAUSIBLE_SCORE) -> Capture | None:
        """A photo of a registered person: with liveness detection a failed comparison, without it a match."""
        alive = bool(self.app["face"]["enable_alive"])
        return self._face(None if alive else person_id, None, None, score, None, seed=person_id, photo=True)

    async def swipe_card(self, card_no: int) -> Capture | None:
        """A card at the reader."""
        person = next((p for p in self.people.values() if card_no in p.cards), None)
        capture = self._capture("card", match_type=2, card=card_no)
        if person is None:
            capture.score, capture.reason = -1, NO_CARD
        else:
            capture.seed = person.id
            temperature, mask = measure(self, self.temperature, mask=self.mask)
            self._known(capture, person, 100, judge(self, person, temperature, mask=mask))
        return self._finish(capture)

    async def show_qr(self, data: str) -> Capture | None:
        """A QR code before the camera; None when its recognition is off or it repeats too soon."""
        control = self.app["qr_code_control"]
        if not control["enable"] or self._repeated(f"qr {data}", control["repeat_interval"]):
            return None
        return self._finish(self._capture("stranger", score=0, qr=data))

    async def ring(self, peer: str = "sip:house@127.0.0.1:5060") -> bool:
        """The bell button: a SIP call starts; False when there is one already."""
        self.note("scene", "bell")
        if self.phone.state != "idle":
            return False
        self.phone.call(peer)
        return True

    async def answer_call(self) -> bool:
        """The called side takes the call."""
        return self.phone.take()

    async def reject_call(self) -> bool:
        """The called side refuses the call."""
        return self.phone.reject()

    async def hang_up(self) -> bool:
        """The call ends."""
        return self.phone.hang_up()

    async def incoming_call(self, peer: str = "sip:house@127.0.0.1:5060") -> bool:
        """Somebody calls the terminal."""
        if self.phone.state != "idle":
            return False
        self.phone.incoming(peer)
        return True

    async def set_temperature(self, celsius: float) -> None:
        """How warm whoever comes next is."""
        self.temperature = celsius

    async def set_mask(self, *, mask: bool) -> None:
        """Whether whoever comes next wears a mask."""
        self.mask = mask

    async def set_clock(self, *, ahead: float) -> None:
        """The clock goes wrong by so many seconds (0: right again)."""
        self.clock_offset = ahead
        self.note("scene", f"the clock is {ahead:g} s ahead")
        self.save()

    async def put_on_schedule(self, person_id: str, kind: int) -> None:
        """Somebody changes at the device itself whose rule of passing a person follows (0: none)."""
        if person_id not in self.people:
            raise ValueError(f"nobody has the id {person_id}")
        self.people[person_id].kind = kind
        self.save()

    async def cut_network(self, seconds: float | None = None) -> None:
        """No network for a while, or until `restore_network`."""
        self.note("scene", "network cut")
        self.go_offline()
        if seconds is not None:
            self.background(self._back_after(seconds, booted=False))

    async def restore_network(self) -> None:
        """The network is back."""
        if not self.online:
            self.note("scene", "network restored")
            self.go_online(booted=False)

    async def power_cycle(self, seconds: float | None = None) -> None:
        """Off and on again: gone for as long as a reboot takes; waits until the device is back."""
        self.note("scene", "power cycle")
        self.phone.reset()
        self.uploads.clear()
        self.go_offline()
        await self._back_after(self.timings.reboot if seconds is None else seconds, booted=True)

    async def resend_last(self) -> dict[str, Any]:
        """Push the last transmission again, byte for byte; the answer is judged as the first one was."""
        capture = self.uploader.last
        if capture is None:
            raise RuntimeError("nothing was pushed yet")
        answer = await self.uploader.raw(capture.payload)
        accepted = self.uploader.receive(answer, capture, 0.0)
        return {"status": answer.status, "body": answer.body.decode(errors="replace"), "acknowledged": accepted}

    async def lose_push(self) -> bool:
        """Forget to push the newest capture, as a device of little memory does; False when it is too late for that."""
        queue = self.uploader.queue
        # The first one is on its way, or would be.
        if len(queue) < 2:
            return False
        queue.pop().queued = False
        self.save()
        return True

    async def wait_for_pushes(self, seconds: float = 10.0) -> None:
        """Wait until every capture is acknowledged; raise TimeoutError otherwise."""
        async with asyncio.timeout(seconds):
            while self.uploader.queue:
                await self.uploader.queue[0].delivered.wait()
                await asyncio.sleep(0)

    async def push_raw(self, body: bytes | str) -> dict[str, Any]:
        """Post any body to the upload URL."""
        answer = await self.uploader.raw(body.encode() if isinstance(body, str) else body)
        return {"status": answer.status, "body": answer.body.decode(errors="replace"), "chunked": answer.chunked}

    # How a scene becomes a record.

    def _face(
        self,
        person_id: str | None,
        temperature: float | None,
        mask: bool | None,
        score: int,
        picture_bytes: int | None,
        *,
        seed: str | None = None,
        photo: bool = False,
    ) -> Capture | None:
        """A face: compared, judged, recorded, and let in if the terminal decides so."""
        face, person = self.app["face"], self.people.get(person_id or "")
        who = seed or person_id or "stranger"
        if face["enable_dereplication"] and self._repeated(who, face["derep_timeout "]):
            return None
        measured, masked = measure(
            self, self.temperature if temperature is None else temperature, mask=self.mask if mask is None else mask
        )
        capture = self._capture(who, photo=photo, picture_bytes=picture_bytes)
        capture.temperature, capture.mask = measured, masked
        if not face["enable_match"]:
            capture.score, capture.reason = 0, 0
        elif person is None or not person.has_face or score < face["match_score"]:
            capture.score, capture.reason = -1, UNAUTHORISED
        else:
            self._known(capture, person, score, judge(self, person, measured, mask=masked))
        return self._finish(capture)

    def _repeated(self, who: str, seconds: float) -> bool:
        """Whether the same was seen less than `seconds` ago."""
        now, last = self.timestamp(), self._seen.get(who)
        if last is not None and 0 <= now - last < seconds:
            return True
        self._seen[who] = now
        return False

    def _capture(self, seed: str, **details: Any) -> Capture:
        """A new record, stamped with the device clock."""
        self.sequence += 1
        stamp = self.timestamp()
        local = self.local(stamp)
        cap_time = f"{local.strftime(STAMP)}.{local.microsecond // 1000:03d}"
        fresh: dict[str, Any] = {"score": -1, "reason": 0, "seed": seed, **details}
        return Capture(sequence=self.sequence, cap_time=cap_time, stamp=stamp, **fresh)

    def _known(self, capture: Capture, person: Person, score: int, reason: int) -> None:
        capture.match_type = capture.match_type or 1
        capture.person_id, capture.name, capture.role = person.id, person.name, person.role
        capture.score, capture.reason = score, reason

    def _finish(self, capture: Capture) -> Capture:
        """Decide at the terminal, keep the record, push it."""
        clean(self)
        decide(self, capture)
        self.records.append(capture)
        del self.records[:-_MAX_RECORDS]
        who = capture.person_id or capture.seed
        self.note("scene", f"record {capture.sequence}: {who}, score {capture.score}, reason {capture.reason}")
        if capture.opened:
            self.note("door", "opened by the terminal itself")
        sound = 0 if capture.reason == 0 and capture.score > 0 else 1
        self.play(f"NO{sound}.{AUDIO_LIST[sound]}.wav", 0.8)
        self.uploader.add(capture)
        self.save()
        return capture

    # On and off the network: filled in by SimulatedTerminal.

    def go_offline(self) -> None:
        """Cut every connection and stop the links."""
        raise NotImplementedError

    def go_online(self, *, booted: bool) -> None:
        """Start the links again; after a boot the device asks for an upgrade."""
        raise NotImplementedError

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something beside; it ends with the terminal."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _back_after(self, seconds: float, *, booted: bool) -> None:
        await asyncio.sleep(seconds)
        self.go_online(booted=booted)
