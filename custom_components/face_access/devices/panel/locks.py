"""The locks: opened once, held open, closed again, denied; how long, how late, and by which DTMF code."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..errors import InvalidValueError
from ..values import as_int, as_text, check_number, check_text
from .caller import Caller
from .transport import Effect

ALL: Final = 0
# The schema says a week, the text a day: what both allow.
MAX_HOLD: Final = 86400
MAX_UNLOCK: Final = 604800
MAX_OPEN_TIME: Final = 40
MAX_DELAY: Final = 9
_ROOT: Final = "/access/general/lock"
_ALL_SETTINGS: Final = "/access/locks/settings"
_NAMES: Final[Mapping[str, int]] = {"all": ALL, "first": 1, "second": 2}


def lock_name(number: int) -> str:
    """Write which lock, where a panel wants a word: it is no bit mask. Raises InvalidValueError."""
    for name, known in _NAMES.items():
        if known == number:
            return name
    raise InvalidValueError("lock", "must be 0 for all, 1 or 2", "bounds", low=0, high=2)


def read_lock(value: Any) -> int | None:
    """Read which lock: a number, or `first`, `second`, `all`."""
    if isinstance(value, str) and value.strip().lower() in _NAMES:
        return _NAMES[value.strip().lower()]
    number = as_int(value)
    return number if number is not None and 0 <= number <= 8 else None


class Locks:
    """Commands on the locks. 0 is all; 1 and 2 exist, and on Camdroid panels with relay modules up to 8."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def open(self, lock: int = 1, *, seconds: int | None = None) -> None:
        """Open once; the panel locks again by itself. `seconds` (0 to 604800) for once, on Camdroid panels only."""
        await self._check(lock)
        query = {}
        if seconds is not None:
            if (await self._caller.info()).android:
                raise InvalidValueError("seconds", "can be chosen on Camdroid panels only")
            query["unlockTime"] = str(check_number("seconds", seconds, 0, MAX_UNLOCK))
        await self._caller.act(f"{_ROOT}/open/remote/accepted/{lock}", query)

    async def deny(self) -> None:
        """Show and say that access is denied."""
        await self._caller.act(f"{_ROOT}/open/remote/denied")

    async def open_for_server(self, lock: int = 1) -> None:
        """Open on behalf of the remote access server: logged as its word."""
        await self._check(lock)
        await self._caller.act(f"{_ROOT}/open/remote/control/accepted/{lock}")

    async def deny_for_server(self) -> None:
        """Deny on behalf of the remote access server."""
        await self._caller.act(f"{_ROOT}/open/remote/control/denied")

    async def hold_open(self, seconds: int, lock: int = ALL) -> None:
        """Hold open for 1 to 86400 seconds ("emergency"), or until `release`. Never sent twice: it opens."""
        await self._check(lock)
        order = {"lock_number": lock, "unlock_time": check_number("seconds", seconds, 1, MAX_HOLD)}
        await self._caller.send("POST", f"{_ROOT}/open/emergency", {"locks": [order]}, effect=Effect.ACT)

    async def release(self, locks: Iterable[int] = (ALL,)) -> None:
        """End holding open. On Android panels the path is inferred from Camdroid's."""
        numbers = list(locks)
        for lock in numbers:
            await self._check(lock)
        await self._caller.send("POST", f"{_ROOT}/close/emergency", {"locks": numbers})

    async def open_time(self, lock: int) -> int | None:
        """Read how long one opening lasts, in seconds."""
        return as_int((await self._caller.get(_of("timeout", lock))).get("lock_timeout"))

    async def set_open_time(self, lock: int, seconds: int) -> None:
        """Set how long one opening lasts: 1 to 40 s."""
        body = {"lock_timeout": check_number("seconds", seconds, 1, MAX_OPEN_TIME)}
        await self._caller.send("POST", _of("timeout", lock), body)

    async def delay(self, lock: int) -> int | None:
        """Read how long after the command it opens, in seconds."""
        return as_int((await self._caller.get(_of("delay", lock))).get("lock_delay"))

    async def set_delay(self, lock: int, seconds: int) -> None:
        """Set how long after the command it opens: 0 to 9 s."""
        body = {"lock_delay": check_number("seconds", seconds, 0, MAX_DELAY)}
        await self._caller.send("POST", _of("delay", lock), body)

    async def dtmf(self, lock: int) -> str | None:
        """Read the code that opens it during a call: a secret."""
        return as_text((await self._caller.get(_of("dtmf", lock), secret=True)).get("dtmf_code"))

    async def set_dtmf(self, lock: int, code: str) -> None:
        """Set the code that opens it during a call: 1 to 8 of 0-9, * and #."""
        if not 1 <= len(code) <= 8 or set(code) - set("0123456789*#"):
            raise InvalidValueError("code", "must be 1 to 8 of 0-9, * and #")
        await self._caller.send("POST", _of("dtmf", lock), {"dtmf_code": code}, secret=True)

    async def all_settings(self) -> dict[str, Any]:
        """Read the settings of all locks at once, as printed. Camdroid panels only, and the path is inferred."""
        return await self._caller.get(_ALL_SETTINGS, secret=True)

    async def type(self) -> tuple[str, ...]:
        """Read the kinds of the locks (electromagnetic, electromechanical), on Camdroid panels."""
        listed = (await self._caller.get(f"{_ROOT}/type")).get("locks")
        items = listed if isinstance(listed, list) else []
        return tuple(check_text("type", as_text(item.get("type")) or "") for item in items if isinstance(item, dict))

    async def _check(self, lock: int) -> None:
        highest = (await self._caller.info()).locks
        if not 0 <= lock <= highest:
            raise InvalidValueError("lock", f"must be from 0 for all to {highest}", "bounds", low=0, high=highest)


def _of(what: str, lock: int) -> str:
    """Settings exist for the two locks of the panel itself."""
    if lock not in (1, 2):
        raise InvalidValueError("lock", "must be 1 or 2")
    return f"{_ROOT}/{what}/{lock}"
