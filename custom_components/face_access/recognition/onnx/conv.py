"""Convolution in numpy: 1x1 as one matrix product, depthwise as shifted sums, everything else as columns and a product.

The work goes in blocks that stay in a core's cache together with the bias and the activation that follow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..errors import GraphError
from .graph import Array, Node
from .maps import MAX_ELEMENTS, Floats, Map, Pool
from .prepare import Activation

_BLOCK: Final = 65_536
"""Elements of a block: 256 KB, in half of the second-level cache of a small machine. Measured best of 64 to 512 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How a kernel moves: vertical and horizontal numbers; pads are top, left, bottom, right."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Size of what it makes. Raises GraphError when the kernel does not fit."""
        top, left, bottom, right = self.pads
        rows = (height + top + bottom - self.dilations[0] * (self.kernel[0] - 1) - 1) // self.strides[0] + 1
        columns = (width + left + right - self.dilations[1] * (self.kernel[1] - 1) - 1) // self.strides[1] + 1
        if rows < 1 or columns < 1:
            raise GraphError("a kernel is larger than what it moves over")
        return rows, columns


def window(node: Node, kernel: tuple[int, ...]) -> Window:
    """Read the window of a Conv or pool. Raises GraphError for what is not two-dimensional or out of proportion."""
    automatic = node.attributes.get("auto_pad", "NOTSET")
    if automatic not in ("NOTSET", "VALID"):
        raise GraphError("automatic padding is not supported")
    if node.attributes.get("ceil_mode", 0):
        raise GraphError("rounding sizes up is not supported")
    strides = _pair(node, "strides", 1)
    dilations = _pair(node, "dilations", 1)
    # VALID is no padding at all, whatever stands beside it.
    pads = (0, 0, 0, 0) if automatic == "VALID" else node.attributes.get("pads", (0, 0, 0, 0))
    if not isinstance(pads, tuple) or len(pads) != 4 or any(not 0 <= pad <= 64 for pad in pads) or len(kernel) != 2:
        raise GraphError("a window is not two-dimensional")
    if not 1 <= min(kernel) <= max(kernel) <= 64:
        raise GraphError("a kernel's size is out of range")
    top, left, bottom, right = (int(pad) for pad in pads)
    return Window(kernel=(kernel[0], kernel[1]), strides=strides, pads=(top, left, bottom, right), dilations=dilations)


def _pair(node: Node, name: str, default: int) -> tuple[int, int]:
    found = node.attributes.get(name, (default, default))
    if not isinstance(found, tuple) or len(found) != 2 or any(not 1 <= number <= 64 for number in found):
        raise GraphError(f"{name} are out of range")
    return int(found[0]), int(found[1])


@dataclass(frozen=True, slots=True)
class _Tap:
    """One element of the kernel: where its input begins in which rows."""

    rows: Floats
    offset: int


class Conv:
    """One convolution with its bias and activation; keeps the rearranged input of strided kernels between runs."""

    def __init__(self, node: Node, weights: Array, bias: Array | None, activation: Activation | None) -> None:
        group = node.attributes.get("group", 1)
        if weights.ndim != 4 or not isinstance(group, int) or group < 1 or weights.shape[0] % group:
            raise GraphError("a convolution is not two-dimensional, or its groups do not divide it")
        self.window = window(node, weights.shape[2:])
        if bias is not None and bias.shape != (len(weights),):
            raise GraphError("a convolution's bias does not fit it")
        self._group = group
        self._inputs: int = weights.shape[1] * group
        self._outputs: int = weights.shape[0]
        self._depthwise = weights.shape[1] == 1 and group == self._outputs > 1
        if self._depthwise:
            self._weights = weights.reshape(group, -1).T[:, :, np.newaxis].copy()
        else:
            # Rows in the order of the columns: tap by tap, the channels within.
            self._weights = weights.transpose(0, 2, 3, 1).reshape(group, self._outputs // group, -1).copy()
        self._bias = None if bias is None else bias.reshape(-1, 1).astype(np.float32)
        self._finish = Finish(self._bias, activation, self._outputs)
        self._split: Split | None = None

    @property
    def spreads(self) -> bool:
        """Whether a pixel of the output depends on the neighbours of that pixel: then the margins must be zero."""
        return self.window.kernel != (1, 1)

    def work(self, height: int, width: int) -> int:
        """Multiplications for an input of this size."""
        rows, columns = self.window.output(height, width)
        each = self._inputs // self._group * self.window.kernel[0] * self.window.kernel[1]
        return rows * columns * self._outputs * each

    def clear(self) -> None:
        """Let go what is kept between runs."""
        self._split = None

    def run(self, source: Map, pool: Pool) -> Map:
        """Compute. Raises GraphError when the input does not fit."""
        if source.channels != self._inputs:
            raise GraphError(f"a convolution of {self._inputs} channels is given {source.channels}")
        rows, columns = self.window.output(source.height, source.width)
        target = pool.take(self._outputs, rows, columns)
        if self._depthwise and (rows, columns) == (1, 1) and not any(self.window.pads):
            self._reduce(source, target)
            return target
        taps, pitch = self._taps(source, rows, columns, pool)
        if pitch == target.pitch:
            self._convolve(taps, target.flat)
        else:
            wide = np.empty((self._outputs, rows * pitch), np.float32)
            self._convolve(taps, wide)
            target.pixels[:] = wide.reshape(-1, rows, pitch)[:, :, :columns]
        return target

    def _reduce(self, source: Map, target: Map) -> None:
        """A depthwise kernel as large as its input."""
        height, width = self.window.kernel
        down, right = self.window.dilations
        seen = source.pixels[:, : height * down : down, : width * right : right].reshape(self._outputs, -1)
        target.flat[:, 0] = np.einsum("cn,nc->c", seen, self._weights[:, :, 0])
        self._finish(target.flat, 0)

    def _taps(self, source: Map, rows: int, columns: int, pool: Pool) -> tuple[list[_Tap], int]:
        """Find where each element of the kernel reads, and the pitch of what comes out."""
        shifts = self._shifts()
        same = self.window.strides == (1, 1) and (rows, columns) == (source.height, source.width)
        if same and all(abs(y) <= 1 and abs(x) <= 1 for y, x in shifts):
            return [_Tap(source.buffer, source.base + y * source.pitch + x) for y, x in shifts], source.pitch
        size = (source.height, source.width)
        if self._split is None or self._split.size != size:
            self._split = Split(self.window, size, (rows, columns), self._inputs, shifts, pool=pool)
        return self._split.taps(source)

    def _shifts(self) -> list[tuple[int, int]]:
        (height, width), (down, right), (top, left, _, _) = self.window.kernel, self.window.dilations, self.window.pads
        return [(y * down - top, x * right - left) for y in range(height) for x in range(width)]

    def _convolve(self, taps: list[_Tap], out: Floats) -> None:
        if self._depthwise:
            self._depthwise_sums(taps, out)
        elif len(taps) == 1:
            self._products(taps[0], out)
        else:
            self._column_products(taps, out)

    def _depthwise_sums(self, taps: list[_Tap], out: Floats) -> None:
        length = out.shape[1]
        step = max(1, _BLOCK // length)
        scratch = np.empty((min(step, len(out)), length), np.float32)
        first, *others = [tap.rows[:, tap.offset : tap.offset + length] for tap in taps]
        for low in range(0, len(out), step):
            block = out[low : low + step]
            high = low + len(block)
            np.multiply(first[low:high], self._weights[0, low:high], out=block)
            for rows, weights in zip(others, self._weights[1:], strict=True):
                product = scratch[: high - low]
                np.multiply(rows[low:high], weights[low:high], out=product)
                np.add(block, product, out=block)
            self._finish(block, low)

    def _products(self, tap: _Tap, out: Floats) -> None:
        """A kernel of one pixel: the matrix of weights times the pixels."""
        columns = tap.rows[:, tap.offset : tap.offset + out.shape[1]]
        step = _columns(max(len(out), self._inputs))
        for begin in range(0, out.shape[1], step):
            self._product(columns[:, begin : begin + step], out[:, begin : begin + step])

    def _column_products(self, taps: list[_Tap], out: Floats) -> None:
        """Any kernel: what it sees of each pixel as one column of a matrix, times the matrix of weights."""
        depth = self._inputs * len(taps)
        step = min(_columns(max(len(out), depth)), out.shape[1])
        scratch = np.empty((self._group, len(taps), self._inputs // self._group, step), np.float32)
        for begin in range(0, out.shape[1], step):
            block = out[:, begin : begin + step]
            seen = scratch[..., : block.shape[1]]
            for index, tap in enumerate(taps):
                low = tap.offset + begin
                seen[:, index] = tap.rows[:, low : low + block.shape[1]].reshape(self._group, -1, block.shape[1])
            self._product(seen.reshape(depth, -1), block)

    def _product(self, columns: Floats, out: Floats) -> None:
        if self._group == 1:
            np.matmul(self._weights[0], columns, out=out)
        else:
            grouped = columns.reshape(self._group, -1, columns.shape[1])
            out[:] = np.matmul(self._weights, grouped).reshape(out.shape)
        self._finish(out, 0)


def _columns(height: int) -> int:
    """How many columns of this height make a block: long rows keep numpy's own cost per operation small."""
    return max(1024, 4 * _BLOCK // height)


class Finish:
    """Adds the bias and applies the activation in place, to some of the channels."""

    def __init__(self, bias: Floats | None, activation: Activation | None, channels: int) -> None:
        self._bias = bias
        self._activation = activation
        self._slope: Floats | None = None
        self._simple = False
        if activation is not None and activation.slope is not None:
            if len(activation.slope) not in (1, channels):
                raise GraphError("slopes do not fit their channels")
            self._slope = np.broadcast_to(activation.slope, (channels, 1)).astype(np.float32)
            # max(x, slope * x) is the same as the definition where no slope is above one, at half its cost.
            self._simple = bool((self._slope <= 1).all())

    def __call__(self, block: Floats, low: int) -> None:
        """Finish the channels from `low` on."""
        high = low + len(block)
        if self._bias is not None:
            np.add(block, self._bias[low:high], out=block)
        if self._slope is not None:
            slope = self._slope[low:high]
            if self._simple:
                np.maximum(block, block * slope, out=block)
            else:
                np.add(np.maximum(block, 0), np.minimum(block, 0) * slope, out=block)
        elif self._activation is not None:
            # One clip is faster than a maximum, even with one side open.
            np.clip(block, np.float32(self._activation.low), np.float32(self._activation.high), out=block)


class Split:
    """The input of a strided or wide kernel, sorted so that each element of the kernel reads contiguous rows again.

    With stride 2 there are four sorts of pixels (even and odd lines and columns), and every element of the kernel sees
    only one of them. Each sort becomes rows of its own with the zeros that padding asks for.
    """

    def __init__(
        self,
        window: Window,
        size: tuple[int, int],
        output: tuple[int, int],
        channels: int,
        shifts: list[tuple[int, int]],
        *,
        pool: Pool,
    ) -> None:
        self.size = size
        vertical, horizontal = window.strides
        cells = [(divmod(y, vertical), divmod(x, horizontal)) for y, x in shifts]
        top, bottom = min(y for (y, _), _ in cells), max(y for (y, _), _ in cells)
        left, right = min(x for _, (x, _) in cells), max(x for _, (x, _) in cells)
        height = output[0] + bottom - top
        # At least one more than the output is wide: then a result can be written where it belongs at once.
        self.pitch = output[1] + max(1, right - left)
        sorts = sorted({(y, x) for (_, y), (_, x) in cells})
        length = height * self.pitch + right - left
        if len(sorts) * channels * length > MAX_ELEMENTS:
            raise GraphError("a convolution's input is too large")
        pool.count(len(sorts) * channels * length)
        self._rows = {sort: np.zeros((channels, length), np.float32) for sort in sorts}
        self._copies = list(self._plan(window.strides, (top, left), (height, self.pitch)))
        self._taps = [
            _Tap(self._rows[y_sort, x_sort], (y - top) * self.pitch + x - left) for (y, y_sort), (x, x_sort) in cells
        ]

    def _plan(
        self, strides: tuple[int, int], origin: tuple[int, int], grid: tuple[int, int]
    ) -> Iterator[tuple[Floats, tuple[slice, slice]]]:
        for sort, rows in self._rows.items():
            lines = _overlap(self.size[0], strides[0], sort[0], origin[0], grid[0])
            columns = _overlap(self.size[1], strides[1], sort[1], origin[1], grid[1])
            if lines is None or columns is None:
                continue
            cells = rows[:, : grid[0] * grid[1]].reshape(len(rows), *grid)
            yield cells[:, lines[0], columns[0]], (lines[1], columns[1])

    def taps(self, source: Map) -> tuple[list[_Tap], int]:
        """Sort an input and say where each element of the kernel reads, and the pitch of the rows."""
        pixels = source.pixels
        for cells, (lines, columns) in self._copies:
            cells[:] = pixels[:, lines, columns]
        return self._taps, self.pitch


def _overlap(size: int, stride: int, sort: int, origin: int, cells: int) -> tuple[slice, slice] | None:
    """Where cells `origin`, `origin` + 1, ... meet the pixels `sort`, `sort` + `stride`, ...: slices of both."""
    first = max(0, origin)
    last = min((size - 1 - sort) // stride, origin + cells - 1)
    if last < first:
        return None
    begin, end = first * stride + sort, last * stride + sort + 1
    return slice(first - origin, last - origin + 1), slice(begin, end, stride)
