"""An inference server: who it is, whether it is there, and when it is worth asking again.

What fails is left alone for a while: the server as a whole where it cannot be reached or refuses the login, one model
where only that is missing, different or broken. The log says once that it is so and once that it is over.
"""

from collections.abc import Sequence
import logging
import time
from typing import Final
from urllib.parse import quote

from ..errors import (
    EngineAuthError,
    EngineError,
    EngineLimitError,
    EngineProtocolError,
    EngineRefusedError,
    EngineUnreachableError,
)
from ..onnx.graph import Array, Port
from . import protocol
from .address import Address
from .connection import Answer, Connection
from .protocol import ServerInfo

_LOGGER = logging.getLogger(__name__)

BATCH: Final = 16
"""Pictures in one request where the server takes any number: as many as faces are looked at."""


class Patience:
    """Whether something may be tried: not for `retry` seconds after it failed.

    Says once that it failed, and once more that it is back.
    """

    def __init__(self, name: str, retry: float) -> None:
        self._name = name
        self._retry = retry
        self._until = 0.0
        self.reason: str | None = None

    @property
    def over(self) -> bool:
        """Whether it may be tried."""
        return time.monotonic() >= self._until

    @property
    def trouble(self) -> str | None:
        """What failed and why, until it has gone well again."""
        return None if self.reason is None else f"{self._name}: {self.reason}"

    def failed(self, err: EngineError) -> None:
        """Leave it alone from now on."""
        if self.reason is None:
            _LOGGER.warning(
                "%s: %s; networks run here instead, and it is asked again every %.0f seconds",
                self._name,
                err,
                self._retry,
            )
        self.reason = str(err)
        self._until = time.monotonic() + self._retry

    def well(self) -> None:
        """It worked."""
        if self.reason is not None:
            _LOGGER.info("%s works again", self._name)
            self.reason = None
        self._until = 0.0


class InferenceServer:
    """Blocks, and is for one thread. Errors are those of engines: they hold neither picture nor token."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.patience = Patience(f"Inference server {address.host}", address.retry)
        self.session = 0
        """Grows whenever the server may have become another one: what was learnt of its models is then void."""
        self._connection = Connection(address)
        self._info: ServerInfo | None = None

    def close(self) -> None:
        """Hang up, and ask again who it is before the next run."""
        self._connection.close()
        self._info = None
        self.session += 1

    def info(self) -> ServerInfo:
        """Ask whether it is live and ready, and who it is; the answer is kept. Raises EngineError."""
        if self._info is None:
            self._is("/health/live", "live", EngineUnreachableError, "the server is not live")
            self._is("/health/ready", "ready", EngineUnreachableError, "the server is not ready")
            self._info = protocol.server_info(self._get("", "the server's description").body)
        return self._info

    def batch(self, model: str, ports: Sequence[Port]) -> int:
        """Ask whether a model is ready and is the same as ours; `ports` are the input and the outputs of our file.

        Gives how many pictures it takes at once. Raises EngineError: the model is missing, not ready, or another one.
        """
        self.info()
        path = _path(model)
        self._is(f"{path}/ready", "ready", EngineProtocolError, f"the model {model} is not ready")
        found = self._get(path, f"the model {model}")
        count = protocol.compatible(ports, protocol.model_info(found.body))
        return BATCH if count is None else min(count, BATCH)

    def infer(self, model: str, ports: Sequence[Port], array: Array) -> dict[str, Array]:
        """Run a model on pictures, (n, 3, height, width). Gives all outputs for all of them. Raises EngineError."""
        binary = self.address.binary
        if binary is None:
            binary = self.info().binary
        names = [port.name for port in ports[1:]]
        body, headers = protocol.request(ports[0].name, array, names, binary=binary)
        answer = self._connection.request("POST", f"{_path(model)}/infer", body, headers)
        _accepted(answer, f"the model {model}")
        return protocol.response(answer.body, answer.headers, ports[1:], len(array))

    def _get(self, path: str, what: str) -> Answer:
        answer = self._connection.request("GET", path)
        _accepted(answer, what)
        return answer

    def _is(self, path: str, key: str, error: type[EngineError], otherwise: str) -> None:
        answer = self._connection.request("GET", path)
        if answer.status in (401, 403):
            raise EngineAuthError("the server wants another token")
        if answer.status != 200:
            raise error(f"{otherwise} ({answer.status})")
        # Triton and OpenVINO say it by the status alone, KServe's own server in words.
        if answer.body.lstrip()[:1] == b"{" and protocol.read_json(answer.body).get(key) is False:
            raise error(otherwise)


def _path(model: str) -> str:
    return f"/models/{quote(model, safe='')}"


def _accepted(answer: Answer, what: str) -> None:
    """Raise what a status means. The server's own words may quote the picture: they are left out."""
    status = answer.status
    if status == 200:
        return
    if status in (401, 403):
        raise EngineAuthError("the server wants another token")
    if status == 429:
        raise EngineLimitError("429")
    if status in (502, 503, 504):
        raise EngineUnreachableError(f"the server is not ready ({status})")
    if 400 <= status < 600:
        raise EngineRefusedError(str(status), what)
    raise EngineProtocolError(f"the status {status} means nothing here")
