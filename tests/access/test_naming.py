"""Every sighting has one kind, and a photo of a resident never passes for the resident."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.face_access.access import Liveness, Reason, Sighting, SightingKey, Verdict
from custom_components.face_access.access.naming import SightingKind, denial, kind_of, recognised_name

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ANNA: dict[str, Any] = {"person_id": "7", "person_name": "Anna", "score": 90.0}


def sighting(**facts: Any) -> Sighting:
    key = SightingKey(sequence=1, captured="2026/11/20 12:00:00")
    return Sighting(source="door", key=key, captured_at=NOW, realtime=True, **facts)


@pytest.mark.parametrize(
    ("facts", "kind", "reason"),
    [
        ({}, SightingKind.SEEN, None),
        ({"person_id": "7", "score": None}, SightingKind.SEEN, None),
        ({"person_id": "7", "score": 0.0}, SightingKind.SEEN, None),
        (ANNA, SightingKind.RECOGNISED, None),
        ({**ANNA, "verdict": Verdict.GRANTED}, SightingKind.RECOGNISED, None),
        ({**ANNA, "verdict": Verdict.DENIED}, SightingKind.DENIED, Reason.DEVICE),
        ({**ANNA, "refused": Reason.MASK}, SightingKind.DENIED, Reason.MASK),
        ({**ANNA, "refused": Reason.UNKNOWN}, SightingKind.DENIED, Reason.UNKNOWN),
        ({"refused": Reason.UNKNOWN}, SightingKind.STRANGER, Reason.UNKNOWN),
        ({"refused": Reason.UNAUTHORIZED}, SightingKind.STRANGER, Reason.UNAUTHORIZED),
        ({"refused": Reason.TEMPERATURE}, SightingKind.DENIED, Reason.TEMPERATURE),
        ({"verdict": Verdict.DENIED}, SightingKind.DENIED, Reason.DEVICE),
        ({"liveness": Liveness.SPOOF}, SightingKind.SPOOF, Reason.SPOOF),
        ({"refused": Reason.SPOOF}, SightingKind.SPOOF, Reason.SPOOF),
        ({**ANNA, "liveness": Liveness.SPOOF, "refused": Reason.MASK}, SightingKind.SPOOF, Reason.SPOOF),
        ({**ANNA, "liveness": Liveness.SPOOF, "verdict": Verdict.GRANTED}, SightingKind.SPOOF, Reason.SPOOF),
    ],
)
def test_kind_and_reason(facts: dict[str, Any], kind: SightingKind, reason: Reason | None) -> None:
    assert kind_of(sighting(**facts)) is kind
    assert denial(sighting(**facts)) is reason


def test_name_of_whom_the_source_recognised() -> None:
    assert recognised_name(sighting(**ANNA)) == "Anna"
    assert recognised_name(sighting(**ANNA, refused=Reason.TEMPERATURE)) == "Anna"
    assert recognised_name(sighting(person_id="7", score=90.0)) == "7"
    assert recognised_name(sighting(person_name="Anna")) is None
    assert recognised_name(sighting(**ANNA, liveness=Liveness.SPOOF)) is None
