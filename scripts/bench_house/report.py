"""Results as Markdown: tables, the machine they come from, and their place in docs/performance.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
import math
import os
from pathlib import Path
import platform
import re
from typing import Final

from demo_house.house import ROOT

PAGE: Final = ROOT / "docs" / "performance.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measurement: a table whose first column names what was measured, and remarks below it."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    notes: Sequence[str] = field(default=())


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def ms(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{seconds * 1000:.2f} ms"


def times(ratio: float) -> str:
    """A ratio."""
    return f"{ratio:.2f}x"


def verdict(name: str, value: str, *, met: bool) -> str:
    """A target and whether it was met."""
    return f"Target: {name}. Measured: {value}, {'met' if met else '**missed**'}."


def machine(home_assistant: str | None = None) -> str:
    """The facts of the machine and of what ran on it."""
    cores = len(os.sched_getaffinity(0))
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = found[1] if (found := re.search(r"model name\s*:\s*(.+)", info)) else platform.machine()
    facts = f"{cores} cores of {model}, {platform.system()}, Python {platform.python_version()}"
    return f"{facts}, Home Assistant {home_assistant}" if home_assistant else facts


def render(result: Result, command: str, facts: str, load: float) -> str:
    """Write a result as Markdown, with the command that made it."""
    lines = [f"`{command}`, {datetime.now(UTC):%Y-%m-%d}: {facts}; load average before it {load:.2f}.", ""]
    lines += [_row(result.columns), _row(["---", *["---:"] * (len(result.columns) - 1)])]
    lines += [_row(row) for row in result.rows]
    if result.notes:
        lines += ["", *(f"- {note}" for note in result.notes)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(name: str, text: str) -> None:
    """Put a result into the page, in the place of the one before. Raises ValueError where the page has none for it."""
    begin, end = f"<!-- bench: {name} -->", f"<!-- end of bench: {name} -->"
    page = PAGE.read_text()
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{PAGE} has no place for {name}")
    PAGE.write_text(f"{head}{begin}\n{text}\n{end}{tail}")
