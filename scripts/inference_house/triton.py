"""Starts NVIDIA Triton with our networks on loopback: `with Triton(environment, folder) as triton: ... triton.url`."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Final, Self

from custom_components.face_access.recognition.onnx import Graph, Port, parse

ROOT: Final = Path(__file__).parents[2]
_START: Final = 60.0
_STOP: Final = 10.0


class TritonError(RuntimeError):
    """Triton is not there or does not start."""


def environment() -> Path:
    """Find what scripts/inference has made. Raises TritonError which says how to get it."""
    command = [str(ROOT / "scripts" / "inference"), "--where"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - our script
    if found.returncode:
        raise TritonError(found.stderr.strip())
    return Path(found.stdout.strip())


def free_port() -> int:
    """Find a port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def config(name: str, graph: Graph, most: int) -> str:
    """Describe a network to Triton. `most` pictures go at once where the network leaves their number open."""
    batched = graph.inputs[0].shape[0] is None

    def ports(found: tuple[Port, ...]) -> str:
        entries = []
        for port in found:
            sizes = port.shape[1:] if batched else port.shape
            dims = ", ".join("-1" if size is None else str(size) for size in sizes)
            entries.append(f'  {{ name: "{port.name}", data_type: TYPE_FP32, dims: [ {dims} ] }}')
        return ",\n".join(entries)

    return (
        f'name: "{name}"\nbackend: "python"\nmax_batch_size: {most if batched else 0}\n'
        f"input [\n{ports(graph.inputs)}\n]\noutput [\n{ports(graph.outputs)}\n]\n"
    )


class Triton:
    """One server; `networks` are files by the names that they get there."""

    def __init__(self, venv: Path, networks: Mapping[str, Path], *, port: int | None = None, most: int = 16) -> None:
        self._venv = venv
        self._networks = networks
        self._most = most
        self.port = port or free_port()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it is ready. Raises TritonError with the end of its log."""
        folder = self._folder = Path(tempfile.mkdtemp(prefix="triton-"))
        site = next(self._venv.glob("lib/python3.*/site-packages"))
        server = site / "pytriton" / "tritonserver"
        version = site.parent.name.removeprefix("python")
        backend = folder / "backends" / "python"
        shutil.copytree(server / "backends" / "python", backend)
        stub = backend / "triton_python_backend_stub"
        shutil.copy(server / "python_backend_stubs" / version / stub.name, stub)
        stub.chmod(0o755)
        for name, path in self._networks.items():
            self._install(folder / "models" / name, path)
        library = Path((self._venv / ".library").read_text().strip()).parent
        log = (folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - our own environment
                [
                    str(server / "bin" / "tritonserver"),
                    f"--model-repository={folder / 'models'}",
                    f"--backend-directory={folder / 'backends'}",
                    "--http-address=127.0.0.1",
                    f"--http-port={self.port}",
                    "--allow-grpc=false",
                    "--allow-metrics=false",
                    "--exit-timeout-secs=1",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    "PATH": f"{self._venv / 'bin'}:{os.environ.get('PATH', os.defpath)}",
                    "LD_LIBRARY_PATH": f"{site / 'nvidia_pytriton.libs'}:{library}",
                },
                start_new_session=True,
            )
        self._wait()

    def _install(self, folder: Path, path: Path) -> None:
        (folder / "1").mkdir(parents=True)
        data = path.read_bytes()
        (folder / "1" / "network.onnx").write_bytes(data)
        shutil.copy(Path(__file__).parent / "model.py", folder / "1" / "model.py")
        (folder / "config.pbtxt").write_text(config(folder.name, parse(data), self._most))

    def _wait(self) -> None:
        until = time.monotonic() + _START
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                break
            connection = HTTPConnection("127.0.0.1", self.port, timeout=1)
            try:
                connection.request("GET", "/v2/health/ready")
                if connection.getresponse().status == 200:
                    return
            except OSError, HTTPException:
                pass  # not yet
            finally:
                connection.close()
            time.sleep(0.05)
        log = "" if self._folder is None else (self._folder / "log").read_text("utf-8", "replace")
        self.stop()
        raise TritonError(f"Triton does not start: {log[-1500:]}")

    def stop(self) -> None:
        """End it, with the processes of its models."""
        if (process := self._process) is not None:
            self._process = None
            process.terminate()  # it ends the processes of its models, if it is let
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def main() -> int:
    """Serve a folder of networks, each by the name of its file, until a signal."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    networks = {path.stem: path for path in sorted(folder.glob("*.onnx"))}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way Triton is ended first
    try:
        with Triton(environment(), networks, port=port) as triton:
            print(f"{triton.url} serves {', '.join(networks) or 'nothing'}", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 130
    except TritonError as err:
        print(err, file=sys.stderr)
        return 1
    return 0
