"""Checks of request bodies against description tables, with the panel's own error texts."""

from collections.abc import Callable, Mapping
from typing import Any

from .._terminal.schema import Field
from .errors import missing, not_one_of, wrong, wrong_type

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "number": (int, float),
    "bool": (bool,),
    "str": (str,),
    "base64": (str,),
    "object": (dict,),
    "list": (list,),
}

type Unknown = Callable[[str], None]


def check_body(body: Any, fields: Mapping[str, Field], unknown: Unknown) -> dict[str, Any]:
    """Return the fields of `body` that the table has; raise `Refusal` for the first that is wrong.

    A panel ignores fields that it does not know. `unknown` is told their names: to send one is a mistake all the same.
    """
    if not isinstance(body, dict):
        raise wrong("Wrong JSON body")
    for name in body.keys() - fields.keys():
        unknown(name)
    kept: dict[str, Any] = {}
    for name, spec in fields.items():
        if name in body:
            kept[name] = _check(body[name], spec, name, unknown)
        elif not spec.optional:
            raise missing(name)
    return kept


def _check(value: Any, spec: Field, name: str, unknown: Unknown) -> Any:
    """One value: its type, then its range."""
    if not isinstance(value, _TYPES[spec.type]) or (isinstance(value, bool) and spec.type != "bool"):
        raise wrong_type(name)
    if spec.choices and value not in spec.choices:
        raise not_one_of(name, value, spec.choices)
    if spec.type == "object":
        # A group without a table is kept as it comes: its body is not documented.
        return check_body(value, spec.fields, unknown) if spec.fields else value
    if not _fits(value, spec):
        raise wrong(f"Wrong {name} value")
    if isinstance(value, list) and (item := spec.item):
        return [_check(entry, item, name, unknown) for entry in value]
    return value


def _fits(value: Any, spec: Field) -> bool:
    """Whether a value of the right type is in its range and has its form."""
    if spec.type == "bool":
        return True
    size: float = len(value) if isinstance(value, str | list) else value
    if (spec.low is not None and size < spec.low) or (spec.high is not None and size > spec.high):
        return False
    return spec.pattern is None or bool(spec.pattern.fullmatch(value))
