"""Convolution and pooling as their definitions say, one output at a time: slow, and independent of what is tested."""

import numpy as np


def conv(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    *,
    strides: tuple[int, ...] = (1, 1),
    pads: tuple[int, ...] = (0, 0, 0, 0),
    dilations: tuple[int, ...] = (1, 1),
    group: int = 1,
) -> np.ndarray:
    outputs, depth, high, wide = w.shape
    padded = np.pad(x[0].astype(np.float64), ((0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    rows = (padded.shape[1] - dilations[0] * (high - 1) - 1) // strides[0] + 1
    columns = (padded.shape[2] - dilations[1] * (wide - 1) - 1) // strides[1] + 1
    out = np.zeros((1, outputs, rows, columns))
    for channel in range(outputs):
        first = channel // (outputs // group) * depth
        for row in range(rows):
            for column in range(columns):
                top, left = row * strides[0], column * strides[1]
                seen = padded[
                    first : first + depth,
                    top : top + dilations[0] * (high - 1) + 1 : dilations[0],
                    left : left + dilations[1] * (wide - 1) + 1 : dilations[1],
                ]
                out[0, channel, row, column] = (seen * w[channel]).sum() + (0 if b is None else b[channel])
    return out


def max_pool(
    x: np.ndarray, kernel: tuple[int, ...], strides: tuple[int, ...], pads: tuple[int, ...] = (0, 0, 0, 0)
) -> np.ndarray:
    padded = np.pad(x[0], ((0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=-np.inf)
    rows = (padded.shape[1] - kernel[0]) // strides[0] + 1
    columns = (padded.shape[2] - kernel[1]) // strides[1] + 1
    out = np.zeros((1, len(padded), rows, columns), x.dtype)
    for row in range(rows):
        for column in range(columns):
            top, left = row * strides[0], column * strides[1]
            out[0, :, row, column] = padded[:, top : top + kernel[0], left : left + kernel[1]].max(axis=(1, 2))
    return out
