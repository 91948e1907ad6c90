"""Networks small enough to be understood, with the inputs and outputs of the real ones, and pictures that they know.

The detector takes every red square for the middle of a face, the liveness networks take what is bright for live, and
the embedder tells patterns apart. They go the same way as real files: through a user's folder with descriptions.
"""

from io import BytesIO
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .onnx_files import Network

MARK = 24
"""Pixels of a red square, at multiples of which it has to lie: one cell of the detector in a picture 960 wide."""
SIZE = (960, 540)


def detector() -> bytes:
    network = Network(
        {"input": [1, 3, "h", "w"]},
        {f"{part}_{stride}": [] for part in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32)},
    )
    eyes_nose_mouth = [-1.7, -1, 2.7, -1, 0.5, 1.2, -1.3, 3.5, 2.3, 3.5]
    for stride in (8, 16, 32):
        red = np.array([-0.5, -0.5, 1]).reshape(1, 3, 1, 1) * np.ones((1, 3, stride, stride)) / (255 * stride**2)
        for part, bias in (
            ("cls", [0]),
            ("obj", [0]),
            ("bbox", [0.5, 0.5, math.log(8), math.log(9)]),
            ("kps", eyes_nose_mouth),
        ):
            sees = part in ("cls", "obj") and stride == 8
            weights = red if sees else np.zeros((len(bias), 3, stride, stride))
            name = f"{part}_{stride}"
            inputs = ["input", network.constant(f"{name}.w", weights), network.constant(f"{name}.b", bias)]
            network.add("Conv", inputs, f"{name}.c", strides=[stride, stride])
            network.add("Transpose", [f"{name}.c"], f"{name}.t", perm=[0, 2, 3, 1])
            network.add("Reshape", [f"{name}.t", network.constant(f"{name}.s", [1, -1, len(bias)], "int64")], name)
    for name in network.outputs:
        network.outputs[name] = [1, "cells", {"bbox": 4, "kps": 10}.get(name.split("_")[0], 1)]  # type: ignore[index]
    return network.data


def liveness() -> bytes:
    """Live above a green of 100."""
    network = Network({"input": ["n", 3, 80, 80]}, {"logits": ["n", 3]})
    network.add("GlobalAveragePool", ["input"], "mean")
    network.add("Flatten", ["mean"], "flat")
    network.add("MatMul", ["flat", network.constant("w", [[0, 0, 0], [0, 0.3, 0], [0, 0, 0]])], "scaled")
    network.add("Add", ["scaled", network.constant("b", [[0, -30, 0]])], "logits")
    return network.data


def embedder(size: int = 128, batch: int | str = "n") -> bytes:
    rng = np.random.default_rng(11)
    kernels = rng.standard_normal((8, 3, 16, 16))
    kernels -= kernels.mean(axis=(2, 3), keepdims=True)
    network = Network({"input": [batch, 3, 112, 112]}, {"output": [batch, size]})
    network.add("Conv", ["input", network.constant("w", kernels)], "c", strides=[16, 16])
    network.add("Flatten", ["c"], "f")
    mixing = rng.standard_normal((8, 7, 7, size))
    mixing[:, 3:5, 2:5] = 0  # the red square itself says nothing
    network.add("MatMul", ["f", network.constant("m", mixing.reshape(392, size))], "output")
    return network.data


def described(role: str, name: str, color: str, size: list[int] | None, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "role": role,
        "licence": "MIT",
        "noncommercial": False,
        "files": [{"name": f"{name}.onnx"}],
        "input": {"size": size, "color": color},
        **more,
    }


RATES = ("1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6", "1e-8")
DESCRIPTIONS = [
    described("detector", "toy_detector", "BGR", None),
    described(
        "embedder",
        "toy_embedder",
        "RGB",
        [112, 112],
        cosine_at_fmr=dict(zip(RATES, (0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6), strict=True)),
    ),
    described("liveness", "toy_near", "BGR", [80, 80], crop=1.5),
    described("liveness", "toy_far", "BGR", [80, 80], crop=2.0),
]
FILES = {"toy_detector": detector, "toy_embedder": embedder, "toy_near": liveness, "toy_far": liveness}


def install(folder: Path) -> Path:
    """Put the networks and their descriptions into a user's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        (folder / f"{name}.onnx").write_bytes(make())
    (folder / "models.json").write_text(json.dumps({"models": DESCRIPTIONS}))
    return folder


def portrait(
    *people: tuple[int, int, int], light: float = 140, grey: bool = False, size: tuple[int, int] = SIZE
) -> bytes:
    """A picture of some people as (seed of the face, column, line of its mark): a pattern each, on plain noise.

    `light` is the mean brightness around everybody: below 100 the liveness networks doubt them.
    """
    rng = np.random.default_rng(99)
    canvas = rng.normal(light, 12, (size[1], size[0], 3))
    for seed, column, line in people:
        # Of one colour all over, as skin is: more than one would look like a mask.
        blocks = np.random.default_rng(seed).uniform(-45, 45, (10, 10, 1)) + np.array([20, 0, -15])
        face = Image.fromarray((blocks + 128).astype(np.uint8)).resize((300, 380), Image.Resampling.BICUBIC)
        x, y = column * MARK + MARK // 2 - 150, line * MARK + MARK // 2 - 170
        top, left = max(0, y), max(0, x)
        part = np.asarray(face, float)[top - y : size[1] - y, left - x : size[0] - x] - 128
        canvas[top : top + part.shape[0], left : left + part.shape[1]] += part
    if grey:
        canvas = canvas.mean(axis=2, keepdims=True).repeat(3, axis=2)
    for _, column, line in people:
        canvas[line * MARK : (line + 1) * MARK, column * MARK : (column + 1) * MARK] = (255, 0, 0)
    stream = BytesIO()
    Image.fromarray(canvas.clip(0, 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()
