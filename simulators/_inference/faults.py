"""What a simulated inference server does wrong when it is told to: each by a name, one at a time."""

from collections.abc import Callable, Mapping
import json
from typing import Any, Final

from .model import Written

type Change = Callable[[Written], None]


def _each(written: Written, **changes: Any) -> None:
    for entry in written.content["outputs"]:
        entry.update(changes)


def _wrong_shape(written: Written) -> None:
    _each(written, shape=[1, 3])


def _wrong_rank(written: Written) -> None:
    for entry in written.content["outputs"]:
        entry["shape"] = [*entry["shape"], 1]


def _wrong_batch(written: Written) -> None:
    for entry in written.content["outputs"]:
        entry["shape"] = [entry["shape"][0] + 1, *entry["shape"][1:]]


def _huge_shape(written: Written) -> None:
    _each(written, shape=[1, 2**40])


def _negative_shape(written: Written) -> None:
    _each(written, shape=[-1, 3])


def _wrong_datatype(written: Written) -> None:
    _each(written, datatype="FP16")


def _short_tensor(written: Written) -> None:
    written.tail = written.tail[:-4]
    for entry in written.content["outputs"]:
        if "data" in entry:
            entry["data"] = entry["data"][:-1]


def _other_size(written: Written) -> None:
    """Announce and send one number less than the shape says."""
    _short_tensor(written)
    for entry in written.content["outputs"]:
        if "parameters" in entry:
            entry["parameters"]["binary_data_size"] -= 4


def _long_tail(written: Written) -> None:
    written.tail += b"\0\0\0\0"


def _lie_about_size(written: Written) -> None:
    _each(written, parameters={"binary_data_size": 10**12})


def _negative_size(written: Written) -> None:
    _each(written, parameters={"binary_data_size": -4})


def _missing_output(written: Written) -> None:
    written.content["outputs"] = []


def _twice(written: Written) -> None:
    written.content["outputs"] *= 2


def _no_name(written: Written) -> None:
    _each(written, name=None)


def _no_list(written: Written) -> None:
    written.content["outputs"] = {"output": 1}


def _as_list(written: Written, number: Any) -> None:
    written.tail = b""
    for entry in written.content["outputs"]:
        entry.pop("parameters", None)
        count = 1
        for size in entry["shape"]:
            count *= size
        entry["data"] = [number] * count


def _texts(written: Written) -> None:
    _as_list(written, "0.5")


def _truths(written: Written) -> None:
    _as_list(written, True)


def _not_numbers(written: Written) -> None:
    _as_list(written, float("nan"))


def _too_large_numbers(written: Written) -> None:
    _as_list(written, 1e300)


def _huge_numbers(written: Written) -> None:
    _as_list(written, 10**400)


def _ragged(written: Written) -> None:
    _as_list(written, 0)
    _each(written, data=[[0.5], [0.5, 0.5]])


def _no_data(written: Written) -> None:
    _as_list(written, 0)
    _each(written, data="0.5")


def _head_beyond(written: Written) -> None:
    written.head_length = 10**6


def _head_in_the_middle(written: Written) -> None:
    written.head_length = 20


WRITTEN: Final[Mapping[str, Change]] = {
    change.__name__.removeprefix("_"): change
    for change in (
        _wrong_shape,
        _wrong_rank,
        _wrong_batch,
        _huge_shape,
        _negative_shape,
        _wrong_datatype,
        _short_tensor,
        _other_size,
        _long_tail,
        _lie_about_size,
        _negative_size,
        _missing_output,
        _twice,
        _no_name,
        _no_list,
        _texts,
        _truths,
        _not_numbers,
        _too_large_numbers,
        _huge_numbers,
        _ragged,
        _no_data,
        _head_beyond,
        _head_in_the_middle,
    )
}
"""Faults of an answer's content."""

BODIES: Final[Mapping[str, bytes]] = {
    "not_json": b"<html>Bad gateway</html>",
    "not_an_object": b"[1, 2]",
    "deep": b"[" * 200_000,
    "empty": b"",
    "not_text": b"\xff\xfe\x00{",
    "other_object": json.dumps({"predictions": [1]}).encode(),
}
"""Faults that put another body in the answer's place."""

WIRE: Final = (
    "slow",
    "drip",
    "close_before_answer",
    "close_in_body",
    "close_after_answer",
    "not_http",
    "endless_headers",
    "endless_body",
    "announced_endless_body",
)
"""Faults of the connection. After `close_after_answer` it looks kept and is closed, which a client must bear."""
