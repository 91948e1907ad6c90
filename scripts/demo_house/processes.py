"""Child processes that end when the demo ends, however it ends."""

import asyncio
from asyncio.subprocess import STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
import ctypes
from itertools import repeat
import os
from pathlib import Path
import signal
import socket
import sys
from typing import Final

from aiohttp import ClientError

_START_TIMEOUT: Final = 30.0
_STOP_TIMEOUT: Final = 30.0
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


class ChildError(Exception):
    """A child process ended that should run, or did not come up. Its text ends with the last lines of its log."""


_given: set[int] = set()


def free_port(first: int | None = None, host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on, nor was given before: the first one from `first` on, or any."""
    for port in repeat(0, 100) if first is None else range(first, first + 100):
        with socket.socket() as probe:
            # As the servers will: otherwise a port whose last connection has just closed counts as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        if found not in _given:
            _given.add(found)
            return found
    raise ChildError(f"no free port between {first} and {first + 99 if first else 65535}")


def _die_with_parent() -> None:
    """Ask Linux to end this child even when the demo itself is killed and can clean up nothing."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One process with a log file, in a session of its own so that Ctrl-C reaches the demo alone."""

    def __init__(
        self, name: str, command: list[str], *, cwd: Path, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        """Describe the process; `start` runs it."""
        self.name = name
        self.log = log
        self._command = command
        self._cwd = cwd
        self._env = {**os.environ, **(env or {})}
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process; its log goes on where it ended."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._cwd,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    async def come_up(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Start the process and wait until it can be asked. Raises ChildError."""
        await self.start()
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while self.running:
                    try:
                        await ask()
                    except ClientError:
                        await asyncio.sleep(0.1)
                    else:
                        return
        except TimeoutError:
            raise self.failed(f"did not come up within {_START_TIMEOUT:.0f} s") from None
        raise self.failed(f"ended with exit code {await self.wait()}")

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""
        if self._process is None:
            raise ChildError(f"{self.name} was never started")
        return await self._process.wait()

    async def stop(self) -> None:
        """End it gently, or by force after half a minute, with whatever it started itself."""
        if self._process is None:
            return
        if self.running:
            self._process.terminate()
            try:
                async with asyncio.timeout(_STOP_TIMEOUT):
                    await self._process.wait()
            except TimeoutError:
                print(f"{self.name} did not stop within {_STOP_TIMEOUT:.0f} s and was killed", file=sys.stderr)
        with suppress(ProcessLookupError):  # the usual case: nothing of its session is left
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None and self.running:
            os.killpg(self._process.pid, signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing where it does not run."""
        if self._process is not None and self.running:
            # Not by asyncio's way, which may be in the middle of hearing that it ended: this is called from threads.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def tail(self, lines: int = 40) -> str:
        """Return the end of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def failed(self, problem: str) -> ChildError:
        """Describe what went wrong with it."""
        return ChildError(f"{self.name} {problem}\n{self.tail()}")
