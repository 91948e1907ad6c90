"""docs/engines.md says what the engines do."""

from pathlib import Path
import re

import pytest

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition import kby, opencv_fr, smartface
from custom_components.face_access.recognition.remote.words import Unfit

ENGINES = (Path(__file__).parents[2] / "docs" / "engines.md").read_text()


def section(title: str) -> str:
    return ENGINES.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "thresholds"),
    [
        ("SmartFace", smartface.THRESHOLDS),
        ("OpenCV FR Server", opencv_fr.THRESHOLDS),
        ("KBY-AI, self-hosted", kby.THRESHOLDS),
    ],
)
def test_thresholds_are_those_that_are_used(title: str, thresholds: dict[Similarity, float]) -> None:
    found = re.findall(r"^\| (low|normal|high) \| ([\d.]+) \|", section(title), re.MULTILINE)
    assert {Similarity(word): float(number) for word, number in found} == thresholds


def test_every_word_for_an_unfit_picture_is_described() -> None:
    found = set(re.findall(r"`(\w+)`", section("What every engine does alike")))
    assert found == set(Unfit)


def test_table_has_every_engine_and_property() -> None:
    rows = [
        line.strip("|").split("|") for line in section("Which engine for whom").splitlines() if line.startswith("|")
    ]
    assert {len(row) for row in rows} == {7}
    assert {row[0].strip() for row in rows} >= {"accuracy", "liveness", "hardware", "licence", "what it cannot do"}
