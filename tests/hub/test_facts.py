"""What a station just told holds until it is read again."""

from datetime import UTC, datetime

import pytest

from custom_components.face_access.access import Alarm, AlarmKind, ContactMoved
from custom_components.face_access.devices.station import Reading
from custom_components.face_access.hub.news.facts import after

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
READ = Reading(settings={"volume": 3}, facts={"door_open": True, "door_left_open": True, "sip_registered": True})


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (ContactMoved(source="a", at=NOW, open=True), {}),
        (ContactMoved(source="a", at=NOW, open=False), {"door_open": False, "door_left_open": False}),
        (Alarm(source="a", at=NOW, kind=AlarmKind.SIP_LOST), {"sip_registered": False}),
        (Alarm(source="a", at=NOW, kind=AlarmKind.DOOR_LEFT_OPEN), {}),
        (Alarm(source="a", at=NOW, kind=AlarmKind.TAMPER), {}),
    ],
)
def test_event_changes_what_it_speaks_of(event: ContactMoved | Alarm, told: dict[str, bool]) -> None:
    changed = after(READ, event)
    assert changed.facts == {**READ.facts, **told}
    assert changed.settings == READ.settings


def test_facts_that_were_never_read_stay_away() -> None:
    """A panel without a sensor does not get one from a log entry."""
    assert after(Reading(), ContactMoved(source="a", at=NOW, open=True)) == Reading()
