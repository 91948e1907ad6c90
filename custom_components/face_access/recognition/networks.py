"""The networks of an engine: chosen from a store, loaded on first use, run here or at an inference server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
import time

import numpy as np

from .errors import EngineAuthError, EngineError, EngineUnreachableError, GraphError, ModelUnusableError
from .inference import Address, InferenceServer, RemoteNet
from .inference.protocol import ServerInfo
from .models import Model, ModelInput, ModelRole
from .onnx import Graph, Net, Port, Runtime, load, parse
from .results import Floats, Pixels
from .store import LoadedModel, ModelStore


@dataclass(frozen=True, slots=True)
class Network:
    """One network with the file that it was made of."""

    net: Net
    source: LoadedModel

    @property
    def model(self) -> Model:
        """What is known of it."""
        return self.source.model

    def run(self, pixels: Pixels) -> dict[str, Floats]:
        """Look at one picture. Raises ModelUnusableError."""
        return self.run_all([pixels])[0]

    def run_all(self, pictures: Sequence[Pixels]) -> list[dict[str, Floats]]:
        """Look at several pictures of one size. Raises ModelUnusableError."""
        name = self.net.inputs[0].name
        try:
            return self.net.run_all([{name: prepare(pixels, self.model.input)} for pixels in pictures])
        except GraphError as err:
            raise ModelUnusableError(self.model.id, str(err)) from err

    def output(self, pictures: Sequence[Pixels]) -> list[Floats]:
        """Give the only output for each picture, of which a network of this kind has one."""
        return [found[self.net.outputs[0]] for found in self.run_all(pictures)]


def prepare(pixels: Pixels, wanted: ModelInput) -> Floats:
    """Make the input of a network, (1, 3, height, width), of RGB pixels (height, width, 3)."""
    channels = pixels.transpose(2, 0, 1)
    if wanted.color == "BGR":
        channels = channels[::-1]
    result: Floats = channels.astype(np.float32, order="C")
    std = np.array(wanted.std, np.float32)
    factor = np.float32(wanted.scale) / std
    addend = -np.array(wanted.mean, np.float32) / std
    if (factor != 1).any() or addend.any():
        result *= factor[:, None, None]
        result += addend[:, None, None]
    return result[np.newaxis]


class Networks:
    """Networks by role. For one thread; it blocks."""

    def __init__(
        self,
        store: ModelStore,
        runtime: Runtime | None,
        wanted: Mapping[ModelRole, str | None],
        server: InferenceServer | None = None,
    ) -> None:
        """`wanted` names models by id; roles that it leaves out take the store's defaults."""
        self._store = store
        self._runtime = runtime
        self._wanted = wanted
        self._server = server
        self._loaded: dict[ModelRole, tuple[Network, ...]] = {}
        self.used_at = float("-inf")
        """When any was last asked for, by `time.monotonic`."""

    def __bool__(self) -> bool:
        """Whether any is in memory."""
        return bool(self._loaded)

    def __getitem__(self, role: ModelRole) -> tuple[Network, ...]:
        """Give the networks of a role, and load them before. Raises ModelError."""
        self.used_at = time.monotonic()
        if role not in self._loaded:
            self._loaded[role] = tuple(self._open(model) for model in self._store.choose(role, self._wanted.get(role)))
        return self._loaded[role]

    def use(self, server: InferenceServer | None) -> None:
        """Run at another server from now on, or here."""
        self.clear()
        self._server = server

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why networks run here and not at the server, in words for the log. Any thread may ask."""
        if self._server is None:
            return ()
        nets = [network.net for networks in tuple(self._loaded.values()) for network in networks]
        said = (self._server.patience.trouble, *(net.trouble for net in nets if isinstance(net, RemoteNet)))
        return tuple(trouble for trouble in said if trouble is not None)

    def server_answered(self) -> None:
        """The server is there, whatever it was before: it may be asked at once. Any thread may say so."""
        if self._server is not None:
            self._server.patience.well()

    def clear(self) -> None:
        """Let the memory go, and the connection to the server."""
        self._loaded.clear()
        if self._server is not None:
            self._server.close()

    def _open(self, model: Model) -> Network:
        source = self._store.load(model)
        if self._server is not None:
            local = partial(load, source.data, self._runtime)
            return Network(RemoteNet(self._server, model.id, _graph(source), local), source)
        try:
            net = load(source.data, self._runtime)
        except GraphError as err:
            raise ModelUnusableError(model.id, str(err)) from err
        _one_input(net.inputs, model)
        return Network(net, source)


def _graph(source: LoadedModel) -> Graph:
    """Read a file without making it ready to run."""
    try:
        graph = parse(source.data)
    except GraphError as err:
        raise ModelUnusableError(source.model.id, str(err)) from err
    _one_input(graph.inputs, source.model)
    return graph


def _one_input(inputs: Sequence[Port], model: Model) -> None:
    if len(inputs) != 1:
        raise ModelUnusableError(model.id, "the network has several inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What an inference server is good for: of each model by id why the server cannot run it, None where it can."""

    server: ServerInfo
    models: Mapping[str, str | None]


def inspect(address: Address, store: ModelStore, roles: Sequence[ModelRole] = tuple(ModelRole)) -> Inspection:
    """Ask a server for the models that a store would choose. Blocks, with a connection of its own.

    Raises EngineUnreachableError, EngineAuthError and EngineProtocolError of the server as a whole, and ModelError of
    files that are missing here: what the server runs is checked against them.
    """
    server = InferenceServer(address)
    found: dict[str, str | None] = {}
    try:
        info = server.info()
        for model in [model for role in roles for model in store.choose(role)]:
            graph = _graph(store.load(model))
            try:
                server.batch(model.id, (*graph.inputs, *graph.outputs))
            except EngineUnreachableError, EngineAuthError:
                raise
            except EngineError as err:
                found[model.id] = str(err)
            else:
                found[model.id] = None
    finally:
        server.close()
    return Inspection(server=info, models=found)
