"""A simulated inference server (Open Inference Protocol, version 2), stricter than any real one: as class and process.

As a process: `python -m simulators.inference --port 8000 --page-port 8001 --network yunet_n=yunet_n_dynamic.onnx`.
In a test:    `with SimulatedInferenceServer({"name": Model(...)}) as server: ... server.url`.
`violations` lists what the client did that the protocol forbids; a test asserts that it is empty. `fault` makes answers
wrong: see `FAULTS`.
"""

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
import socket
import ssl
import threading
from types import TracebackType
from typing import Any, Final, Self

from ._inference.connection import Handler, Listener
from ._inference.faults import BODIES, WIRE, WRITTEN
from ._inference.model import Array, Model
from ._page import ScenePage
from ._process import parser, run

__all__ = ["FAULTS", "Array", "Model", "SimulatedInferenceServer", "main"]

FAULTS: Final = (*WRITTEN, *BODIES, *WIRE, "status_500", "status_503", "status_429", "status_302", "status_204")
_SCENES: Final = frozenset({"misbehave", "clear_violations"})


class SimulatedInferenceServer:
    """One server on loopback. All attributes may be changed while it runs."""

    def __init__(
        self,
        models: Mapping[str, Model],
        *,
        binary: bool = True,
        token: str | None = None,
        prefix: str = "",
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        """`prefix` is a path before `/v2`, as a gateway has it; with `token` every request must bring it."""
        self.models = models
        self.binary = binary
        self.token = token
        self.prefix = prefix
        self._tls = tls
        self.live = self.ready = True
        self.speaks_of_readiness = False
        """Whether readiness is told in words, with a status of 200 either way, as KServe's own server does it."""
        self.server_metadata: Any = None
        """What stands in the place of the server's description, where it is not None."""
        self.model_metadata: Any = None
        self.fault: str | None = None
        self.requests: list[str] = []
        self.connections = 0
        self.violations: list[str] = []
        self.released = threading.Event()
        """Set to let go of a client that a slow answer holds."""
        self._server: Listener | None = None
        self._thread: threading.Thread | None = None
        self._host = host
        self._port = port
        self._open: set[socket.socket] = set()
        self._stopping = False

    @property
    def url(self) -> str:
        """Where it listens, or did."""
        return f"http{'s' if self._tls else ''}://{self._host}:{self._port}{self.prefix}"

    @property
    def state(self) -> dict[str, Any]:
        """What a test or a person wants to see."""
        return {
            "url": self.url,
            "pictures": {name: sum(model.batches) for name, model in self.models.items()},
            "fault": self.fault,
            "connections": self.connections,
            "violations": self.violations,
            "requests": self.requests[-50:],
            "scenes": sorted(_SCENES),
        }

    def misbehave(self, *, fault: str | None = None) -> None:
        """Make answers wrong from now on in one of `FAULTS`, or right again."""
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"{fault} is none of {', '.join(FAULTS)}")
        self.fault = fault

    def clear_violations(self) -> None:
        """Forget what the peer did wrong so far."""
        self.violations.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, after a stop on the same port again."""
        handler = type("Handler", (Handler,), {"simulated": self})
        self._server = Listener((self._host, self._port), handler)
        self._port = self._server.server_address[1]
        self.released.clear()
        self._stopping = False
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go away, with all connections."""
        self.released.set()
        if self._server is None or self._thread is None:
            return
        self._stopping = True
        self._server.shutdown()
        self._thread.join()
        self.drop()
        self._server.server_close()
        self._server = None

    def drop(self) -> None:
        """Close all connections, as a server does with those that are quiet for long."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was quicker

    def opened(self, connection: socket.socket) -> None:
        """Note a connection. One that comes while the server goes is closed at once."""
        self.connections += 1
        self._open.add(connection)
        if self._stopping:
            connection.shutdown(socket.SHUT_RDWR)

    def closed(self, connection: socket.socket) -> None:
        """Forget one."""
        self._open.discard(connection)


class _Process:
    """The server with its page."""

    def __init__(self, server: SimulatedInferenceServer, host: str, page_port: int | None) -> None:
        self.server = server
        self.page = ScenePage(server, "simulators._servers", _SCENES, lambda: server.state)
        self._host = host
        self._page_port = page_port

    @property
    def page_url(self) -> str | None:
        """Where the page and the control API are, if there is one."""
        return f"http://{self._host}:{self.page.port}/" if self._page_port is not None else None

    async def start(self) -> None:
        """Listen."""
        self.server.start()
        if self._page_port is not None:
            await self.page.start(self._host, self._page_port)

    async def stop(self) -> None:
        """Go away."""
        await self.page.stop()
        await asyncio.to_thread(self.server.stop)


def _named(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not name or not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FILE of a file that is there")
    return name, Path(path)


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    options = parser("inference", "A simulated inference server.", 8000)
    options.add_argument(
        "--network", type=_named, action="append", default=[], metavar="NAME=FILE", help="an ONNX file"
    )
    options.add_argument("--token", help="what every request must bring")
    given = options.parse_args(argv)
    models: dict[str, Model] = {}
    if given.network:
        # Wanted for networks alone.
        from ._inference.networks import network  # noqa: PLC0415

        models = {name: network(path) for name, path in given.network}
    server = SimulatedInferenceServer(models, token=given.token, host=given.host, port=given.port)
    process = _Process(server, given.host, given.page_port)
    run(process, {"inference": lambda: server.url, "page": lambda: process.page_url})


if __name__ == "__main__":
    main()
