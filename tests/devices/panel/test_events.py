"""What the keys of the log mean to the house, and that no number leaves it."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import (
    Alarm,
    AlarmKind,
    Booted,
    CallChanged,
    CallState,
    ContactMoved,
    DoorMoved,
    EventKey,
    Liveness,
    Method,
    Missed,
    Passage,
    Reason,
    Ring,
    Sighting,
    Verdict,
)
from custom_components.face_access.devices.panel.events import WANTED, Context, translate
from custom_components.face_access.devices.panel.log import MAX_TIME, LogEntry, parse_entry, parse_link_event
from simulators._panel.events import keys_of

NOW = 1_780_000_000_000
CONTEXT = Context(serial="S", clock_offset=timedelta(hours=1))
AT = datetime.fromtimestamp(NOW / 1000, UTC) - timedelta(hours=1)
# Whether a call is under way is nothing to look back at.
CALLS = ("incoming_call", "outgoing_call_missed", "outgoing_call_web")
# Of no interest: who logs in, and lifts.
IGNORED = {
    "successful_login_api_call",
    "incorrect_login_api_call",
    "successful_login_gui_settings",
    "incorrect_login_gui_settings",
    "lift_call_success",
    "lift_call_error",
    "lift_module_access_error",
    "bond_lift_request",
}


def told(key: str, *, live: bool = True, **model: Any) -> tuple[Any, ...]:
    return translate(LogEntry(time=NOW, key=key, model=model), CONTEXT, live=live)


def passage(key: str, **model: Any) -> Passage:
    return next(event for event in told(key, **model) if isinstance(event, Passage))


@pytest.mark.parametrize("family", ["android", "camdroid"])
def test_every_documented_key_means_something_or_is_left_out_on_purpose(family: Any) -> None:
    assert keys_of(family) - set(WANTED) <= IGNORED
    assert not set(WANTED) & IGNORED
    for key in keys_of(family):
        assert bool(told(key)) == (key not in IGNORED), key


def test_the_bell() -> None:
    assert told("outgoing_call") == (
        Ring(source="S", at=AT),
        CallChanged(source="S", state=CallState.CALLING),
    )


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("incoming_call", CallState.INCOMING),
        ("outgoing_call_missed", CallState.IDLE),
        ("outgoing_call_web", CallState.CALLING),
    ],
)
def test_a_call_that_nobody_at_the_door_began_is_no_bell(key: str, state: CallState) -> None:
    assert told(key) == (CallChanged(source="S", state=state),)


@pytest.mark.parametrize(
    ("key", "model", "method"),
    [
        ("access_granted_by_valid_identifier", {"type": "card"}, Method.CARD),
        ("access_granted_by_valid_identifier", {"type": "ukey"}, Method.CARD),
        ("access_granted_by_valid_identifier", {"type": "inputCode"}, Method.CODE),
        ("access_granted_by_valid_identifier", {"type": "qr"}, Method.QR),
        ("access_granted_by_valid_identifier", {"type": "license_plate"}, Method.PLATE),
        ("access_granted_by_valid_identifier", {"type": "retina"}, Method.IDENTIFIER),
        ("access_granted_by_valid_identifier", {}, Method.IDENTIFIER),
        ("access_granted_by_shared_identifier", {}, Method.IDENTIFIER),
        ("multi_access_granted", {}, Method.IDENTIFIER),
        ("access_granted_by_valid_face_identifier", {"type": "card"}, Method.FACE),
        ("access_granted_by_api_call", {}, Method.API),
        ("access_granted_by_call_host", {}, Method.CALL),
        ("access_granted_by_master_code", {}, Method.MASTER_CODE),
        ("access_granted_by_remote_server_api_call", {}, Method.REMOTE_SERVER),
        ("lock_was_opened_by_exit_btn", {}, Method.EXIT_BUTTON),
        ("lock_was_opened_by_free_access_button", {}, Method.FREE_ACCESS),
        ("emergency_lock_is_opened", {}, Method.EMERGENCY),
    ],
)
def test_how_somebody_came_in(key: str, model: dict[str, Any], method: Method) -> None:
    found = passage(key, lock=1, owner=" Ann ", number="12345678", **model)
    assert found == Passage(source="S", at=AT, granted=True, method=method, owner="Ann", doors=("S_1",))
    moved = DoorMoved(source="S", door="S_1", open=True)
    # For how long a door is held the log does not say: whoever held it did.
    assert (moved in told(key, lock=1, **model)) == (method is not Method.EMERGENCY)


@pytest.mark.parametrize(
    ("key", "model", "method", "reason"),
    [
        ("access_denied_by_unknown_card", {"card": "1"}, Method.CARD, Reason.UNKNOWN),
        ("access_denied_by_unknown_qr_code", {}, Method.QR, Reason.UNKNOWN),
        ("access_denied_by_not_valid_input_code", {}, Method.CODE, Reason.UNKNOWN),
        ("access_denied_by_not_valid_identifier", {"type": "card"}, Method.CARD, Reason.NOT_PERMITTED),
        ("access_denied_by_remote_server_api_call", {}, Method.REMOTE_SERVER, Reason.NOT_PERMITTED),
        ("access_denied_by_web_api_call", {}, Method.API, Reason.DEVICE),
        ("access_denied_by_not_valid_face_identifier", {}, Method.FACE, Reason.UNKNOWN),
        ("access_denied_by_not_valid_face_identifier", {"owner": "Ann"}, Method.FACE, Reason.NOT_PERMITTED),
    ],
)
def test_how_somebody_was_turned_away(key: str, model: dict[str, Any], method: Method, reason: Reason) -> None:
    found = passage(key, lock=1, **model)
    assert (found.granted, found.method, found.reason, found.doors) == (False, method, reason, ())
    assert not any(isinstance(event, DoorMoved) for event in told(key, lock=1, **model))


@pytest.mark.parametrize(
    ("lock", "doors"),
    [(0, ("S_1", "S_2")), ("all", ("S_1", "S_2")), ("second", ("S_2",)), (7, ("S_7",)), (9, ()), (None, ()), ("x", ())],
)
def test_which_doors_opened(lock: Any, doors: tuple[str, ...]) -> None:
    assert passage("access_granted_by_api_call", lock=lock).doors == doors


def test_a_face_is_a_sighting_as_well() -> None:
    sighting = told("access_granted_by_valid_face_identifier", owner="Ann", lock=1)[0]
    assert isinstance(sighting, Sighting)
    assert (sighting.person_name, sighting.verdict, sighting.refused) == ("Ann", Verdict.GRANTED, None)
    assert (sighting.realtime, sighting.liveness, sighting.captured_at) == (True, Liveness.UNCHECKED, AT)
    denied = told("access_denied_by_not_valid_face_identifier")[0]
    assert isinstance(denied, Sighting)
    assert (denied.person_id, denied.verdict, denied.refused) == (None, Verdict.DENIED, Reason.UNKNOWN)
    assert denied.key != sighting.key


@pytest.mark.parametrize(
    ("key", "event"),
    [
        ("door_was_opened", ContactMoved(source="S", at=AT, open=True)),
        ("door_sensor_was_opened", ContactMoved(source="S", at=AT, open=True)),
        ("door_was_closed", ContactMoved(source="S", at=AT, open=False)),
        ("door_sensor_was_closed", ContactMoved(source="S", at=AT, open=False)),
        ("door_was_not_closed_too_long", Alarm(source="S", at=AT, kind=AlarmKind.DOOR_LEFT_OPEN)),
        ("lock_is_opened_too_long", Alarm(source="S", at=AT, kind=AlarmKind.DOOR_LEFT_OPEN)),
        ("tamper_event", Alarm(source="S", at=AT, kind=AlarmKind.TAMPER)),
        ("sip_registration_lost", Alarm(source="S", at=AT, kind=AlarmKind.SIP_LOST)),
        ("device_booted", Booted(source="S", at=AT)),
    ],
)
def test_what_moves_and_warns(key: str, event: Any) -> None:
    assert told(key) == (event,)


def test_history_rings_nothing_and_moves_nothing() -> None:
    left = {key: told(key, live=False, lock=1, owner="Ann") for key in WANTED}
    # What is over is wrapped up, so that nobody can take it for news.
    assert {type(event) for events in left.values() for event in events} == {Booted, Missed, Sighting}
    assert {key for key, events in left.items() if not events} == set(CALLS)
    sighting, passage = left["access_granted_by_valid_face_identifier"]
    assert isinstance(sighting, Sighting)
    assert not sighting.realtime
    assert isinstance(passage, Missed)
    assert passage.event == Passage(source="S", at=AT, granted=True, method=Method.FACE, owner="Ann", doors=("S_1",))


def test_events_are_told_apart_by_the_panels_own_time() -> None:
    """Not by ours, which comes of a clock that is corrected now and then."""
    raw = {"timestamp": NOW, "name": {"key": "outgoing_call"}}
    link = {"created_at": NOW, "code": "outgoing_call"}
    for entry, approximate in ((parse_entry(raw), False), (parse_link_event(link), True)):
        assert entry is not None
        ring = translate(entry, CONTEXT)[0]
        assert isinstance(ring, Ring)
        assert ring.key == EventKey(name="outgoing_call", moment=NOW, approximate=approximate)


SECRET = "73129846"


@pytest.mark.parametrize("key", WANTED)
@pytest.mark.parametrize("name", ["number", "card", "code", "identifier_number", "input_code"])
def test_no_number_is_in_an_event_or_an_entry(key: str, name: str) -> None:
    model = {name: SECRET, "lock": 1, "type": "card"}
    raw = {"timestamp": NOW, "category": "access", "name": {"key": key}, "info": {"text": SECRET, "model": model}}
    entry = parse_entry(raw)
    link = parse_link_event({"created_at": NOW, "code": key, "info": model})
    assert entry is not None
    assert link is not None
    for found in (entry, link):
        assert SECRET not in repr(found)
        for live in (True, False):
            assert SECRET not in repr(translate(found, CONTEXT, live=live))


# Whatever a log holds

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(WANTED) | st.text(max_size=12)
_MODEL = st.dictionaries(st.sampled_from(("lock", "owner", "number", "type", "card")), _JSON)


@given(
    st.fixed_dictionaries(
        {"timestamp": st.integers(-10, MAX_TIME * 2) | _JSON, "name": st.fixed_dictionaries({"key": _KEYS}) | _JSON},
        optional={"category": _JSON, "info": st.fixed_dictionaries({"model": _MODEL | _JSON}) | _JSON},
    ),
    st.timedeltas(),
)
def test_no_log_entry_breaks_it(raw: dict[str, Any], offset: timedelta) -> None:
    entry = parse_entry(raw)
    if entry is None:
        return
    assert 0 <= entry.time <= MAX_TIME
    for live in (True, False):
        for event in translate(entry, Context(serial="S", clock_offset=offset), live=live):
            assert (event.event if isinstance(event, Missed) else event).source == "S"
            assert repr(event)


@given(st.dictionaries(st.sampled_from(("code", "created_at", "info", "category")), _JSON | _MODEL | _KEYS))
def test_no_management_event_breaks_it(raw: dict[str, Any]) -> None:
    if (entry := parse_link_event(raw)) is not None:
        assert json.dumps(entry.key)
        translate(entry, CONTEXT)
