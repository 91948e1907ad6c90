"""The remote upgrade (2.11): the device asks, downloads, checks the md5 and starts the new firmware."""

import asyncio
import hashlib
import re
from typing import Any

import aiohttp

from .commands import encode, parse
from .core import Core
from .fields import PROTOCOL, UPGRADE_ANSWER
from .push import Answer, framing, post
from .schema import DOWNLOAD, INTEGRITY, MISMATCH, OK, Refusal, check_object, illegal


class Upgrader:
    """Asks on the control link, or on the data link when there is no control link."""

    def __init__(self, core: Core, session: aiohttp.ClientSession) -> None:
        self.core = core
        self.asked = 0
        self._session = session

    async def ask(self) -> bool:
        """Ask once; return whether new firmware was installed (the caller then restarts the device)."""
        core = self.core
        url = core.control_url() or core.upload_url()
        if url is None or not core.app["remote_upgrader"]["enable"]:
            return False
        self.asked += 1
        request = {
            "version": PROTOCOL,
            "cmd": "ask_upgrade",
            "device_sn": core.serial,
            "device_no": core.app["device_info"]["device_no"],
            "last_upgrade_code": core.last_upgrade_code,
            "firmware": core.firmware,
        }
        try:
            answer = await post(self._session, url, encode(request), core.timings.push_timeout)
        except (TimeoutError, aiohttp.ClientError, OSError) as err:
            core.note("link", f"ask_upgrade: {type(err).__name__}")
            return False
        offer = self._offer(answer)
        if offer is None:
            return False
        core.last_upgrade_code = await self._install(offer)
        core.note("link", f"upgrade ended with code {core.last_upgrade_code}")
        core.save()
        return core.last_upgrade_code == OK

    def _offer(self, answer: Answer) -> dict[str, Any] | None:
        """The offer in an answer, None when there is none or nothing to do."""
        if answer.status != 200 or not answer.body:
            self.core.note("link", f"ask_upgrade: no answer (HTTP {answer.status})")
            return None
        try:
            offer = _read(answer)
        except (Refusal, ValueError) as err:
            self.core.violation(f"answer to ask_upgrade: {err}")
            return None
        if offer["code"] != OK or offer["upgrade_type"] == "none":
            return None
        newer = _numbers(offer["firmware"]["appversion"]) > _numbers(self.core.firmware["appversion"])
        return offer if newer or offer["upgrade_type"] == "force" else None

    async def _install(self, offer: dict[str, Any]) -> int:
        """Download and check; return the upgrade code (0, 9, 10 or 11)."""
        core, new = self.core, offer["firmware"]
        if any(new[key] != core.firmware[key] for key in ("system", "platform", "board")):
            return MISMATCH
        try:
            async with asyncio.timeout(60), self._session.get(offer["upgrade_file"]["url"]) as response:
                package = await response.read()
                if "Transfer-Encoding" in response.headers:
                    core.violation("the upgrade file is sent chunked")
                if response.status != 200:
                    return DOWNLOAD
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as err:
            core.note("link", f"upgrade file: {type(err).__name__}")
            return DOWNLOAD
        if hashlib.md5(package, usedforsecurity=False).hexdigest() != offer["upgrade_file"]["md5sum"]:
            return INTEGRITY
        core.firmware = dict(new)
        return OK


def _read(answer: Answer) -> dict[str, Any]:
    """The answer of 2.11.1.1; raise `Refusal` or ValueError when it is something else."""
    if problem := framing(answer):
        raise illegal(problem)
    offer = parse(answer.body)
    check_object(offer, UPGRADE_ANSWER)
    if offer["upgrade_type"] != "none" and not {"upgrade_file", "firmware"} <= offer.keys():
        raise illegal("upgrade_file or firmware: missing")
    return offer


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers in a version text, to compare two."""
    return tuple(int(part) for part in re.findall(r"\d+", version))
