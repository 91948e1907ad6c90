"""The device as configuration client (1.1.3): heartbeats, commands in the answers, results in the next request."""

import asyncio
from typing import Any

import aiohttp

from .commands import encode, execute, parse
from .core import Core
from .push import Answer, framing, heartbeat, post


class ControlLink:
    """One question and answer after the other, for as long as the control service is on."""

    def __init__(self, core: Core, session: aiohttp.ClientSession) -> None:
        self.core = core
        self.heartbeats = 0  # sent
        self.results = 0  # sent
        self.instant = 0  # answers without a command that came too soon
        self._session = session
        self._wake = asyncio.Event()
        self._result: tuple[str, bytes] | None = None  # where the command came from, what came of it

    def wake(self) -> None:
        """The control settings may have changed."""
        self._wake.set()

    def forget(self) -> None:
        """A device that starts anew remembers no result."""
        self._result = None

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            self._wake.clear()
            url = self.core.control_url()
            if self._result is None and url is None:
                await self._wake.wait()
                continue
            await self._ask(url or "")

    async def _ask(self, url: str) -> None:
        """Send the last result, or a heartbeat, and act on the answer. No answer in time: ask again."""
        core, result = self.core, self._result
        if result is None:
            target, body = url, heartbeat(core, gps=True)
            self.heartbeats += 1
        else:  # a command may have switched this link off or moved it: its result goes where it came from
            target, body = result
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            answer = await post(self._session, target, body, core.timings.heartbeat_wait)
        except TimeoutError:
            self._sent(result)
            return
        except (aiohttp.ClientError, OSError) as err:
            core.note("link", f"control: {type(err).__name__}")
            await asyncio.sleep(core.timings.heartbeat_retry)
            return
        self._sent(result)
        self._handle(answer, target, loop.time() - started, after_result=result is not None)
        await asyncio.sleep(core.timings.reconnect)

    def _sent(self, result: tuple[str, bytes] | None) -> None:
        """The request reached the server."""
        if result is not None:
            self.results += 1
            self._result = None

    def _handle(self, answer: Answer, target: str, seconds: float, *, after_result: bool) -> None:
        """Carry out the command of an answer; watch for the endless loop the document warns of."""
        core = self.core
        if problem := framing(answer):
            core.violation(f"control: {problem}")
            return
        command = self._command(answer)
        if command is not None:
            self._result = (target, encode(execute(core, command)))
        elif answer.status != 200:
            core.note("link", f"control: HTTP {answer.status}")
        elif not after_result and seconds < core.timings.instant:
            self.instant += 1
            core.violation(f"control: a heartbeat was answered without a command after {seconds:.2f} s")

    def _command(self, answer: Answer) -> bytes | None:
        """The command in an answer; None for an empty answer and for the answer of 2.7.1.2."""
        if answer.status != 200 or not answer.body.strip():
            return None
        try:
            content: dict[str, Any] = parse(answer.body)
        except ValueError:
            return answer.body  # answered with code 3, as any other request that is not JSON
        if content.get("reply") == "ACK":
            if str(content.get("cmd")).strip() != "heart beat":
                self.core.violation(f"control: the answer acknowledges {content.get('cmd')!r}")
            return None
        return answer.body
