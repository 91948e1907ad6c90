"""One connection to a simulated inference server: what is asked, and the answer, right or wrong as it is told to be."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import socket
import struct
from typing import TYPE_CHECKING, Any, Final, override
from urllib.parse import unquote

from .faults import BODIES, WRITTEN
from .model import BrokenRuleError, Model, Written, read, write

if TYPE_CHECKING:
    from ..inference import SimulatedInferenceServer

_HEADER: Final = "Inference-Header-Content-Length"


class Listener(ThreadingHTTPServer):
    """Listens; each connection has a thread of its own."""

    daemon_threads = False  # the end waits for each connection's thread

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no event."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    simulated: SimulatedInferenceServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @override
    def setup(self) -> None:
        super().setup()
        self.simulated.opened(self.connection)

    @override
    def finish(self) -> None:
        self.simulated.closed(self.connection)
        super().finish()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """The output of a test belongs to the test."""

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.simulated.violations.append("a POST without a length")
            self.close_connection = True
            return
        self._handle(self.rfile.read(int(length)))

    def _handle(self, body: bytes) -> None:
        server = self.simulated
        server.requests.append(f"{self.command} {self.path}")
        try:
            self._route(self._parts(), body)
        except BrokenRuleError as err:
            if err.status == 400:
                server.violations.append(f"{self.command} {self.path}: {err}")
            self._send(err.status, json.dumps({"error": str(err)}).encode())

    def _parts(self) -> list[str]:
        server = self.simulated
        if server.token is not None and self.headers.get("Authorization") != f"Bearer {server.token}":
            raise BrokenRuleError("another token", 401)
        if not self.path.startswith(f"{server.prefix}/v2"):
            raise BrokenRuleError("no such path", 404)
        return [unquote(part) for part in self.path.removeprefix(f"{server.prefix}/v2").strip("/").split("/")]

    def _route(self, parts: list[str], body: bytes) -> None:
        server = self.simulated
        match self.command, parts:
            case "GET", [""]:
                extensions = ["binary_tensor_data"] if server.binary else []
                described = {"name": "simulator", "version": "2.0", "extensions": extensions}
                self._json(described if server.server_metadata is None else server.server_metadata)
            case "GET", ["health", "live"]:
                self._healthy("live", server.live)
            case "GET", ["health", "ready"]:
                self._healthy("ready", server.ready)
            case "GET", ["models", name, "ready"]:
                self._healthy("ready", self._model(name).ready)
            case "GET", ["models", name]:
                described = self._model(name).metadata(name)
                self._json(described if server.model_metadata is None else server.model_metadata)
            case "POST", ["models", name, "infer"]:
                self._infer(name, body)
            case _:
                raise BrokenRuleError("no such path", 404)

    def _model(self, name: str) -> Model:
        if (model := self.simulated.models.get(name)) is None:
            raise BrokenRuleError(f"no model {name}", 404)
        return model

    def _healthy(self, key: str, well: bool) -> None:
        if self.simulated.speaks_of_readiness:
            self._json({key: well})
        else:
            self._send(200 if well else 503, b"")

    def _infer(self, name: str, body: bytes) -> None:
        model, server = self._model(name), self.simulated
        if not (server.ready and model.ready):
            raise BrokenRuleError("not ready", 503)
        asked = read(model, body, self.headers.get(_HEADER), binary=server.binary)
        if self.headers.get("Content-Type") not in ("application/json", "application/octet-stream"):
            raise BrokenRuleError("another type of content")
        model.batches.append(len(asked.array))
        written = write(name, asked, model.run(asked.array))
        fault = server.fault
        if fault is None:
            self._answer(written)
        elif fault in WRITTEN:
            WRITTEN[fault](written)
            self._answer(written)
        elif fault in BODIES:
            self._send(200, BODIES[fault])
        elif fault.startswith("status_"):
            self._send(int(fault.removeprefix("status_")), b"")
        else:
            self._misbehave(fault, written)

    def _misbehave(self, fault: str, written: Written) -> None:
        self.close_connection = True
        write_ = self.wfile.write
        match fault:
            case "slow":
                self.simulated.released.wait(30)
            case "drip":
                write_(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not self.simulated.released.wait(0.01):
                    write_(b" ")
            case "close_before_answer":
                # With a reset in the place of an orderly end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "close_in_body":
                write_(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"outputs": [')
            case "close_after_answer":
                self._answer(written)
                self.close_connection = True
            case "not_http":
                write_(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)
            case "endless_headers":
                write_(b"HTTP/1.1 200 OK\r\n" + b"X-More: 1\r\n" * 1000)
            case "endless_body":
                write_(b"HTTP/1.1 200 OK\r\n\r\n")
                for _ in range(20):
                    write_(bytes(1024 * 1024))
            case "announced_endless_body":
                write_(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")

    def _answer(self, written: Written) -> None:
        head = json.dumps(written.content).encode()
        if not written.tail and written.head_length is None:
            self._send(200, head)
            return
        length = len(head) if written.head_length is None else written.head_length
        self._send(200, head + written.tail, {_HEADER: str(length), "Content-Type": "application/octet-stream"})

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode())

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
