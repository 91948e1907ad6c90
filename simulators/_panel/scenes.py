"""What happens before the panel: visitors, cards, codes, the bell, the door, the screwdriver, network and mains."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from .core import Core
from .listing import value_of
from .locks import lock_number
from .remote import Verdict
from .settings import DAYS, MASTER_CODE

_DENIALS: Final = {
    "card": "access_denied_by_unknown_card",
    "ukey": "access_denied_by_unknown_card",
    "inputCode": "access_denied_by_not_valid_input_code",
    "qr": "access_denied_unknown_identifier",
}
_ASKED_AS: Final = {"card": "card", "ukey": "card", "inputCode": "input_code", "qr": "qr"}


class Scenes(Core):
    """The panel with a world around it. Every scene is a coroutine; SCENES in page.py names them."""

    # Calls.

    async def ring(self, apartment: int = 1, *, visitor: str = "visitor") -> bool:
        """The bell: the panel calls an apartment; False while there is a call."""
        if not self.model.has("keypad") and apartment > self.model.buttons:
            raise ValueError(f"{self.model.name} has {self.model.buttons} buttons")
        self._see(visitor)
        self.note("scene", f"bell, apartment {apartment}")
        return self.calls.call(str(apartment), apartment_address=str(apartment))

    async def answer(self) -> bool:
        """The called side takes the call."""
        return self.calls.answer()

    async def cancel(self) -> bool:
        """The visitor gives up, or nobody answers."""
        return self.calls.end(missed=self.calls.state == "dialling")

    async def hang_up(self) -> bool:
        """The call ends."""
        return self.calls.end()

    async def host_dials(self, code: str = "#") -> int | None:
        """The called side sends a DTMF code; the lock that opens."""
        return self.calls.open_by_host(code)

    # Faces.

    async def present_known(self, owner: str | None = None, *, started: bool = False) -> str | None:
        """Somebody enrolled comes; the log key, None when the panel does not look. `started`: by hand at the panel."""
        uid = self._face_of(owner)
        self._see(value_of(self.identifiers.items[uid], "identifier_owner.name"))
        if not self._looks(started=started):
            return None
        if not self.identifiers.valid(uid):
            return self._denied("access_denied_by_not_valid_face_identifier", owner=self._owner(uid))
        return self._granted(uid, "access_granted_by_valid_face_identifier")

    async def present_stranger(self, *, visitor: str = "stranger", started: bool = False) -> str | None:
        """Somebody nobody knows."""
        self._see(visitor)
        if not self._looks(started=started):
            return None
        return self._denied("access_denied_by_not_valid_face_identifier")

    async def present_photo(self, owner: str | None = None, *, started: bool = False) -> str | None:
        """A photo of somebody enrolled: let in by software alone, not by 3D and antispoofing."""
        uid = self._face_of(owner)
        self._see(value_of(self.identifiers.items[uid], "identifier_owner.name"), photo=True)
        if not self._looks(started=started):
            return None
        if self.faces.tells_photos:
            return self._denied("access_denied_by_not_valid_face_identifier")
        return self._granted(uid, "access_granted_by_valid_face_identifier")

    # Cards and codes.

    async def swipe_card(self, number: str = "12345678") -> str:
        """A card at the reader; the log key."""
        return await self._identify("card", number)

    async def enter_code(self, code: str = "4711") -> str:
        """A code at the keypad: the master code, or somebody's."""
        if not self.model.has("keypad"):
            raise ValueError(f"{self.model.name} has no keypad")
        master = self.settings.values[MASTER_CODE]
        if master["input_code_enable"] and master["input_code_number"] == code:
            self.locks.open(0, "access_granted_by_master_code")
            self.journal.write("access_granted_by_master_code", lock=0)
            return "access_granted_by_master_code"
        return await self._identify("inputCode", code)

    async def show_qr(self, number: str = "91c615e3-1040-4815-8ecb-039a18b756b5") -> str:
        """A QR code before the camera."""
        return await self._identify("qr", number)

    # Doors.

    async def press_exit(self, lock: int = 1) -> None:
        """The exit button inside."""
        self.locks.open(lock, "lock_was_opened_by_exit_btn")
        self.journal.write("lock_was_opened_by_exit_btn", lock=lock)

    async def press_free_access(self) -> bool:
        """The free access button; False outside its times."""
        if not self.model.has("free_access"):
            raise ValueError(f"{self.model.name} has no free access")
        values = self.settings.values["/access/freeaccess"]
        moment = datetime.fromtimestamp(self.timestamp(), UTC)
        second = moment.hour * 3600 + moment.minute * 60 + moment.second
        for day in values["days"]:
            now = DAYS[(moment.weekday() + 1) % 7] == day["day"] and day["time_from"] <= second <= day["time_to"]
            if values["enable"] and day["enable"] and now:
                lock = lock_number(day["lock"])
                self.locks.open(lock, "lock_was_opened_by_free_access_button")
                self.journal.write("lock_was_opened_by_free_access_button", lock=lock)
                return True
        return False

    async def open_door(self) -> bool:
        """Somebody goes through: the door opens. Without an unlocking before, it is forced."""
        return self.door.open()

    async def close_door(self) -> bool:
        """The door closes."""
        return self.door.close()

    async def tamper(self) -> None:
        """The panel is taken off the wall."""
        self.journal.write("tamper_event")

    # The panel itself.

    async def wrong_gui_login(self) -> None:
        """Somebody tries passwords at the panel."""
        self.journal.write("incorrect_login_gui_settings")

    async def set_password(self, password: str, username: str = "admin") -> None:
        """The password is changed at the panel; tokens of before end."""
        self.accounts.set_password(username, password)

    async def expire_tokens(self) -> int:
        """Every token ends; how many there were."""
        count = len(self.accounts.tokens)
        self.accounts.tokens.clear()
        return count

    async def remove_webhooks(self) -> int:
        """Somebody else removes every webhook; how many there were."""
        count = len(self.webhooks.items)
        self.webhooks.items.clear()
        self.save()
        return count

    async def set_clock(self, ahead: float = 0.0) -> None:
        """The clock goes wrong by so many seconds (0: right again)."""
        self.clock_offset = ahead
        self.save()

    async def lose_sip(self) -> None:
        """The SIP server is gone."""
        self.calls.lose()

    async def restore_sip(self) -> None:
        """It is back."""
        self.calls.register()

    async def offer_firmware(self, version: str | None = "3.27.0") -> None:
        """The vendor has newer firmware."""
        self.firmware_offered = version

    async def change_face(self, **values: Any) -> None:
        """Somebody changes the face settings in the panel's own pages."""
        self.settings.values["face"].update(values)
        self.save()

    async def fail(
        self,
        path: str,
        status: int = 500,
        *,
        method: str = "",
        body: str = "",
        content_type: str = "text/plain",
        times: int = 1,
        after: bool = False,
    ) -> None:
        """The next calls whose path contains `path` fail; with `after` they are carried out and the answer is lost."""
        self.failures.append(
            {
                "path": path,
                "status": status,
                "method": method,
                "body": body,
                "content_type": content_type,
                "times": times,
                "after": after,
            }
        )

    async def resend_webhook(self) -> int | None:
        """The last webhook delivery again, as after a lost answer."""
        return await self.webhooks.resend_last()

    # Network and mains.

    async def cut_network(self, seconds: float | None = None) -> None:
        """No network for a while, or until `restore_network`."""
        self.note("scene", "network cut")
        self.go_offline()
        if seconds is not None:
            self.background(self._back_after(seconds))

    async def restore_network(self) -> None:
        """The network is back."""
        self.go_online()

    async def power_cycle(self, seconds: float | None = None) -> None:
        """Off and on again; returns when the panel is back."""
        self.note("scene", "power cycle")
        self.mqtt.status("offline")
        self.go_offline()
        self.locks.reset()
        self.calls.reset()
        self.accounts.tokens.clear()
        await asyncio.sleep(self.timings.reboot if seconds is None else seconds)
        self.boot()
        self.go_online()

    def boot(self) -> None:
        """Start: a new recognition mode takes effect, and the log says so."""
        self.booted_at = self.timestamp()
        self.faces.boot()
        self.journal.write("device_booted")
        self.calls.register()

    def go_offline(self) -> None:
        """Cut every connection."""
        raise NotImplementedError

    def go_online(self) -> None:
        """Answer again."""
        raise NotImplementedError

    async def _back_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.go_online()

    # How a scene ends.

    def _see(self, visitor: str, *, photo: bool = False) -> None:
        self.visitor, self.visitor_photo = visitor, photo

    def _looks(self, *, started: bool) -> bool:
        """Whether the panel recognises faces; on an AA panel it can be started by hand."""
        by_hand = started and self.model.kind == "aa" and self.settings.values["face"]["enable"]
        return self.model.has("face") and (self.faces.looks or bool(by_hand))

    def _face_of(self, owner: str | None) -> int:
        for uid, item in self.identifiers.items.items():
            known = item["identifier_type"] == "face_id" and item["enrolled"]
            if known and owner in (None, item["identifier_owner"]["name"]):
                return uid
        raise ValueError(f"no face of {owner or 'anybody'} is enrolled")

    def _owner(self, uid: int) -> str:
        name: str = self.identifiers.items[uid]["identifier_owner"]["name"]
        return name

    def _granted(self, uid: int, key: str, **model: Any) -> str:
        """Let somebody in by an identifier."""
        item = self.identifiers.items[uid]
        lock = lock_number(item["lock"])
        self.identifiers.passed(uid)
        self.locks.open(lock, key, owner=self._owner(uid))
        self.journal.write(key, lock=lock, owner=self._owner(uid), **model)
        return key

    def _denied(self, key: str, **model: Any) -> str:
        self.locks.deny()
        self.journal.write(key, **model)
        return key

    async def _identify(self, kind: str, number: str) -> str:
        """A card or code: the remote access server is asked first, then the panel decides."""
        verdict = await self.remote.ask(_ASKED_AS[kind], number)
        if verdict is not None:
            return self._by_server(verdict)
        uid = self.identifiers.find(kind, number)
        if uid is None and kind == "card":
            uid = self.identifiers.find("ukey", number)
        if uid is None:
            return self._denied(self._unknown(kind), **({"card": number} if kind == "card" else {}))
        details = {"number": number, "type": kind, "apartment_address": ""}
        if not self.identifiers.valid(uid):
            return self._denied("access_denied_by_not_valid_identifier", owner=self._owner(uid), **details)
        return self._granted(uid, "access_granted_by_valid_identifier", **details)

    def _unknown(self, kind: str) -> str:
        if kind == "qr" and self.model.family == "camdroid":
            return "access_denied_by_unknown_qr_code"
        return _DENIALS[kind]

    def _by_server(self, verdict: Verdict) -> str:
        if not verdict.granted:
            return self._denied("access_denied_by_remote_server_api_call")
        self.locks.open(verdict.lock, "access_granted_by_remote_server_api_call")
        self.journal.write("access_granted_by_remote_server_api_call", lock=verdict.lock)
        return "access_granted_by_remote_server_api_call"
