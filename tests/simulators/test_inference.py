"""The simulated inference server: networks of files as they are, and its control API as a process."""

import asyncio
import json
from pathlib import Path
import sys
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest

from custom_components.face_access.recognition.errors import EngineError
from custom_components.face_access.recognition.inference import Address, InferenceServer
from custom_components.face_access.recognition.onnx import load, parse
from simulators.inference import SimulatedInferenceServer
from tests.recognition import toys

pytest.importorskip("onnxruntime")


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.mark.parametrize("name", list(toys.FILES))
def test_a_network_of_a_file(tmp_path: Path, socket_enabled: None, name: str) -> None:
    """Described as the file says, and with the numbers that the file gives here."""
    from simulators._inference.networks import network

    data = toys.FILES[name]()
    (tmp_path / "network.onnx").write_bytes(data)
    graph, here = parse(data), load(data, "numpy")
    (port,) = graph.inputs
    shape = [1, *(size or 64 for size in port.shape[1:])]
    array = np.random.default_rng(3).uniform(0, 255, shape).astype(np.float32)
    with SimulatedInferenceServer({name: network(tmp_path / "network.onnx")}) as simulated:
        server = InferenceServer(Address(url=simulated.url))
        assert server.batch(name, (*graph.inputs, *graph.outputs)) >= 1
        there = server.infer(name, (*graph.inputs, *graph.outputs), array)
        server.close()
    expected = here.run({port.name: array})
    assert there.keys() == expected.keys()
    for output, numbers in expected.items():
        np.testing.assert_allclose(there[output], numbers, rtol=1e-3, atol=1e-3)
    assert simulated.violations == []


def test_what_a_network_cannot_take(tmp_path: Path, socket_enabled: None) -> None:
    """An answer like another, and no broken connection."""
    from simulators._inference.networks import network

    data = toys.FILES["toy_detector"]()
    (tmp_path / "network.onnx").write_bytes(data)
    graph = parse(data)
    with SimulatedInferenceServer({"toy_detector": network(tmp_path / "network.onnx")}) as simulated:
        server = InferenceServer(Address(url=simulated.url))
        with pytest.raises(EngineError, match="500"):
            server.infer("toy_detector", (*graph.inputs, *graph.outputs), np.zeros((1, 3, 1, 1), np.float32))
        server.close()


def test_misbehaving() -> None:
    server = SimulatedInferenceServer({})
    server.misbehave(fault="status_503")
    assert server.state["fault"] == "status_503"
    with pytest.raises(ValueError, match="is none of"):
        server.misbehave(fault="smoke")
    server.misbehave()
    assert server.state["fault"] is None


async def test_as_a_process(tmp_path: Path, socket_enabled: None) -> None:
    (tmp_path / "far.onnx").write_bytes(toys.FILES["toy_far"]())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.inference", "--port", "0", "--page-port", "0"),
        *("--network", f"toy_far={tmp_path / 'far.onnx'}"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        lines = [(await asyncio.wait_for(process.stdout.readline(), 30)).decode().split() for _ in range(2)]
        assert [line[0] for line in lines] == ["inference", "page"]
        url, page = (line[1] for line in lines)

        def ask(where: str, body: Any = None) -> Any:
            with urlopen(Request(where, None if body is None else json.dumps(body).encode())) as answer:
                return json.load(answer)

        described = await asyncio.to_thread(ask, f"{url}/v2/models/toy_far")
        assert (described["name"], described["inputs"][0]["datatype"]) == ("toy_far", "FP32")
        await asyncio.to_thread(ask, f"{page}scene/misbehave", {"fault": "status_500"})
        state = await asyncio.to_thread(ask, f"{page}state")
        assert (state["fault"], state["pictures"], state["violations"]) == ("status_500", {"toy_far": 0}, [])
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0
