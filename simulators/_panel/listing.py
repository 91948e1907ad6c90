"""Lists in pages: sorted and filtered by flat parameters (Android 2.x) or by expressions (Camdroid)."""

from collections.abc import Callable, Mapping, Sequence
import json
import operator
import re
from typing import Any, Final

from .errors import wrong

FLAT: Final = frozenset(
    {"limit", "page_number", "sort_field", "sort_type", "filter_field", "filter_type", "filter_format", "filter_value"}
)
EXPRESSION: Final = frozenset({"limit", "page_number", "order_by", "filter"})
PARAMETERS: Final = {"flat": FLAT, "expression": EXPRESSION, "both": FLAT | EXPRESSION}
LIMITS: Final = (10, 20, 30, 50)
_TOKEN: Final = re.compile(r"\s*(?:'([^']*)'|([()])|([^\s()']+))")
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "nq": operator.ne,
    "gt": operator.gt,
    "lt": operator.lt,
    "ge": operator.ge,
    "le": operator.le,
}

type Item = Mapping[str, Any]
type Test = Callable[[Item], bool]


def page(
    items: Sequence[Item], query: Mapping[str, str], style: str, *, fields: Sequence[str], sort: str, option: str
) -> dict[str, Any]:
    """One page of a list, as a panel answers it; raise `Refusal` with the documented text for a wrong parameter.

    `fields` are the (dotted) names that may be filtered and sorted by, `sort` the one used unless told otherwise,
    `option` is `list_option` or `list_options`.
    """
    required = style == "expression"
    limit = _number(query, "limit", 10, "Wrong pagination limit", required=required)
    number = _number(query, "page_number", 1, "Wrong page number", required=required)
    if limit not in LIMITS:
        raise wrong("Wrong pagination limit")
    if number < 1:
        raise wrong("Wrong page number")
    found = list(filter(_test(query, fields), items))
    field, descending = _order(query, fields, sort)
    found.sort(key=lambda item: _sortable(value_of(item, field)))
    if descending:
        found.reverse()
    start = (number - 1) * limit
    pagination = {
        "total_items": len(found),
        "items_limit": limit,
        "total_pages": max(1, -(-len(found) // limit)),
        "current_page": number,
    }
    options = {
        "pagination": pagination,
        "filter": {"available_fields": [{"field_name": name} for name in fields]},
        "sort": {"field": field, "type": "desc" if descending else "asc"},
    }
    return {"list_items": list(found[start : start + limit]), option: options}


def value_of(item: Item, field: str) -> Any:
    """The value under a dotted name, None where there is none."""
    value: Any = item
    for part in field.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _number(query: Mapping[str, str], name: str, default: int, text: str, *, required: bool) -> int:
    raw = query.get(name)
    if raw is None and not required:
        return default
    if raw is None or not raw.isascii() or not raw.isdigit():
        raise wrong(text)
    return int(raw)


def _known(name: str, fields: Sequence[str], text: str) -> str:
    """The full name of a field: the last part of a dotted one will do."""
    for field in fields:
        if name in (field, field.rsplit(".", 1)[-1]):
            return field
    raise wrong(text)


def _order(query: Mapping[str, str], fields: Sequence[str], sort: str) -> tuple[str, bool]:
    """The field to sort by, and whether downwards."""
    if "order_by" in query:
        name, _, direction = query["order_by"].strip().partition(" ")
        kind = direction.strip() or "asc"
    else:
        name, kind = query.get("sort_field", sort), query.get("sort_type", "asc")
    if kind not in {"asc", "desc"}:
        raise wrong("Wrong sort type")
    return _known(name, fields, "Wrong sort field"), kind == "desc"


def _test(query: Mapping[str, str], fields: Sequence[str]) -> Test:
    """What an item must be to be listed."""
    if "filter" in query:
        return Expression(query["filter"], fields).test
    given = {name for name in ("filter_field", "filter_type", "filter_value") if name in query}
    if not given and "filter_format" not in query:
        return lambda _item: True
    if "filter_field" not in query:
        raise wrong("Wrong filter field")
    field = _known(query["filter_field"], fields, "Wrong filter field")
    if query.get("filter_type") != "equal":
        raise wrong("Wrong filter type")
    if query.get("filter_format", "string") != "string":
        raise wrong("Wrong filter format")
    if "filter_value" not in query:
        raise wrong("Wrong filter value")
    wanted = query["filter_value"]
    return lambda item: _as_text(value_of(item, field)) == wanted


class Expression:
    """A filter such as `identifier_number eq '123' and not lock eq 'all'`."""

    def __init__(self, text: str, fields: Sequence[str]) -> None:
        self._fields = fields
        self._tokens: list[tuple[str, bool]] = []  # the text, and whether it stood in quotes
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise wrong("Wrong filter format")
            quoted, bracket, word = match.groups()
            self._tokens.append((bracket or word, False) if quoted is None else (quoted, True))
            position = match.end()
        self.test = self._any()
        if self._tokens:
            raise wrong("Wrong filter format")

    def _next(self) -> tuple[str, bool]:
        if not self._tokens:
            raise wrong("Wrong filter format")
        return self._tokens.pop(0)

    def _take(self, word: str) -> bool:
        """Whether the next word is this one; it is then gone."""
        if self._tokens and self._tokens[0] == (word, False):
            self._tokens.pop(0)
            return True
        return False

    def _any(self) -> Test:
        tests = [self._all()]
        while self._take("or"):
            tests.append(self._all())
        return lambda item: any(test(item) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda item: all(test(item) for test in tests)

    def _one(self) -> Test:
        if self._take("not"):
            inner = self._one()
            return lambda item: not inner(item)
        if self._take("("):
            group = self._any()
            if not self._take(")"):
                raise wrong("Wrong filter format")
            return group
        field = _known(self._next()[0], self._fields, "Wrong filter field")
        compare = _COMPARE.get(self._next()[0])
        if compare is None:
            raise wrong("Wrong filter type")
        raw, quoted = self._next()
        if not quoted and not raw.lstrip("-").isdigit():
            raise wrong("Wrong filter value")
        wanted: Any = raw if quoted else int(raw)

        def test(item: Item) -> bool:
            value = value_of(item, field)
            if isinstance(wanted, str):
                return compare(_as_text(value), wanted)
            return isinstance(value, int) and compare(value, wanted)

        return test


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _sortable(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, then texts by alphabet."""
    if isinstance(value, int | float):
        return False, float(value), ""
    return True, 0.0, _as_text(value)
