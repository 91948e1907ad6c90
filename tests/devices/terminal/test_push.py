"""Whatever a terminal sends, it is acknowledged, and nothing in it opens a door by mistake."""

from datetime import UTC, datetime, timedelta
import json
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings, strategies as st
import pytest

from custom_components.face_access.access import (
    CallChanged,
    CallState,
    Decision,
    DoorMode,
    DoorPolicy,
    FirmwareReported,
    Liveness,
    Reason,
    Ring,
    Role,
    Sighting,
    Verdict,
    decide,
)
from custom_components.face_access.access.naming import kind_of
from custom_components.face_access.devices.station import Greeting, ScreenText
from custom_components.face_access.devices.terminal.push import REFUSALS, Context, TerminalMessage, receive
from custom_components.face_access.devices.values import as_int

SERIAL = "0123A1-0000C4-0001EE"
ZONE = ZoneInfo("Europe/Prague")
PLAIN = Context(time_zone=ZONE, match_score=80, liveness=True)
ONLINE = Context(time_zone=ZONE, match_score=80, liveness=True, online_mode=True)
CONTEXTS = st.builds(
    Context,
    time_zone=st.just(ZONE),
    clock_offset=st.timedeltas(min_value=timedelta(days=-30000), max_value=timedelta(days=30000)),
    match_score=st.none() | st.floats(0, 100),
    liveness=st.booleans(),
    online_mode=st.booleans(),
)
# A machine that is busy with other tests is no reason to fail.
FUZZ = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
HELLO = Greeting(speech="Hello", text=ScreenText(text="Hello"))

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-12, 101)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(), max_size=12)
    | st.sampled_from(["1", "0", "-3", "yes", "useless", "0001", "2026/11/21 10:00:00.123", "0001/01/01 00:00:00"])
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw an object of which any part may be missing, or be anything."""
    return st.fixed_dictionaries({}, optional={key: values | _JSON for key, values in fields.items()})


_MATCHES = maybe(
    person_id=st.just("0001"),
    person_name=st.just("Alice"),
    person_role=st.sampled_from([0, 1, 2, 3, "1"]),
    person_attr=st.sampled_from(["permanent_list", "invalid_list"]),
    is_encryption=st.booleans(),
)
_FIELDS = {
    "cmd": st.sampled_from(["face", "face "]),
    "device_sn": st.just(SERIAL),
    "sequence_no": st.integers(0, 10**6),
    "cap_time": st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)).map(  # noqa: DTZ001
        lambda moment: f"{moment.year:04}/{moment:%m/%d %H:%M:%S}.123"
    ),
    "is_realtime": st.sampled_from([0, 1]),
    "match_result": st.integers(-1, 101),
    "match_failed_reson": st.integers(-12, 0),
    "match_failed_reason": st.integers(-12, 0),
    "match": _MATCHES,
    "person": maybe(temperatur=st.floats(30, 110), has_mask=st.booleans(), wg_card_id=st.integers(0, 2**32)),
    "closeup_pic": maybe(data=st.just("/9j/AAAA")),
    "overall_pic": maybe(data=st.text(max_size=8)),
}


def face(**changes: Any) -> dict[str, Any]:
    """Make a push of somebody known; None takes a field away."""
    body = {
        "version": "0.2",
        "cmd": "face",
        "sequence_no": 17,
        "device_sn": SERIAL,
        "cap_time": "2026/07/01 12:00:00.250",
        "is_realtime": 1,
        "match_result": 91,
        "match_failed_reson": 0,
        "match": {"person_id": "0001", "person_name": "Alice", "person_role": 1},
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def altered(drawn: tuple[dict[str, Any], set[str]]) -> dict[str, Any]:
    """Put something else into some fields of a good push, or take them away."""
    others, fields = drawn
    kept = {key: value for key, value in face().items() if key not in fields}
    return kept | {key: value for key, value in others.items() if key in fields}


_ALTERED = st.tuples(maybe(**_FIELDS), st.sets(st.sampled_from(sorted(_FIELDS)), max_size=4)).map(altered)
FACES = maybe(**_FIELDS) | _ALTERED
ANYTHING = (
    FACES
    | st.dictionaries(st.text(max_size=8), _JSON, max_size=4)
    | maybe(
        cmd=st.sampled_from(["sip event", "ask_upgrade", "heart beat", "new thing", "face"]),
        device_sn=st.just(SERIAL),
        sip_event=st.integers(-1, 8),
        firmware=maybe(appversion=st.just("1.0")),
    )
)


def read(body: dict[str, Any], context: Context = PLAIN) -> TerminalMessage:
    return receive(json.dumps(body).encode(), context)


def sighting(body: dict[str, Any], context: Context = PLAIN) -> Sighting:
    (event,) = read(body, context).events
    assert isinstance(event, Sighting)
    return event


def acknowledged(message: TerminalMessage, **more: Any) -> dict[str, Any]:
    """Read an acknowledgement as strictly as a device does."""

    def no_constant(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    answer = json.loads(message.answer(**more).decode("utf-8"), parse_constant=no_constant)
    assert isinstance(answer, dict)
    assert (answer["reply"], answer["code"]) == ("ACK", 0)
    assert isinstance(answer["cmd"], str)
    return answer


@FUZZ
@given(st.binary(max_size=300) | ANYTHING.map(json.dumps).map(lambda text: text.encode()[:-3]), CONTEXTS)
@example(b"", PLAIN)
@example(b"[" * 100_000, PLAIN)
@example(b'{"cmd": "face", "sequence_no": ' + b"9" * 5000 + b"}", PLAIN)
@example(b'{"sequence_no": 7, "cap_time": "\xff\xfe', PLAIN)
def test_any_bytes_are_acknowledged(body: bytes, context: Context) -> None:
    message = receive(body, context)
    acknowledged(message)
    acknowledged(message, greeting=HELLO)


@FUZZ
@given(ANYTHING, CONTEXTS)
@example(face(sequence_no="\ud800", cap_time="\udfff", cmd="face"), PLAIN)
@example(face(cap_time="0001/01/01 00:00:00"), PLAIN)
@example(face(cap_time="9999/12/31 23:59:59"), Context(time_zone=UTC, clock_offset=timedelta(days=-400)))
@example({"cmd": "\ud800", "device_sn": "\ud800"}, PLAIN)
@example({"cmd": "ask_upgrade", "device_sn": SERIAL, "firmware": {"appversion": "\ud800"}}, PLAIN)
def test_any_object_is_understood_and_acknowledged(body: dict[str, Any], context: Context) -> None:
    message = read(body, context)
    answer = acknowledged(message, decision=Decision(reason=None), greeting=HELLO)
    for event in message.events:
        assert event.source == message.serial
        hash(event)
        if isinstance(event, Sighting):
            kind_of(event)
            # All of it can be stored, and shown.
            assert -(2**63) <= event.key.sequence < 2**63
            for text in (event.source, event.key.captured, event.person_id, event.person_name):
                (text or "").encode()
            assert event.captured_at.tzinfo is UTC
            event.captured_at.timestamp()
    if not message.asks_decision:
        assert "gateway_ctrl" not in answer


@FUZZ
@given(_SCALARS, _SCALARS, CONTEXTS)
@example("\ud800", 10**30, PLAIN)
def test_number_and_time_are_repeated_to_the_letter(sequence: Any, captured: Any, context: Context) -> None:
    """Whatever they are: a device that finds another value stays on the record for ever."""
    answer = acknowledged(read({"cmd": "face ", "sequence_no": sequence, "cap_time": captured}, context))
    assert answer == {"reply": "ACK", "cmd": "face", "code": 0, "sequence_no": sequence, "cap_time": captured}
    assert type(answer["sequence_no"]) is type(sequence)


@FUZZ
@given(FACES, CONTEXTS)
@example(face(match_failed_reson="-3x"), PLAIN)
@example(face(match_failed_reson=0, match_failed_reason=-4), PLAIN)
@example(face(match=None), PLAIN)
def test_nobody_is_said_to_be_granted_whom_the_device_refused(body: dict[str, Any], context: Context) -> None:
    """No combination of fields with a no, without a score or without an identity is a yes."""
    for event in read(body, context).events:
        assert isinstance(event, Sighting)
        if event.verdict is not Verdict.GRANTED:
            continue
        assert not context.online_mode
        assert event.refused is None
        for key in ("match_failed_reson", "match_failed_reason"):
            given_reason = body.get(key)
            assert given_reason is None or as_int(given_reason) >= 0
        assert 0 < float(body["match_result"]) <= 100
        assert body["match"]["person_id"] not in (None, "")
        assert as_int(body["match"].get("person_role")) != 2


@FUZZ
@given(FACES, CONTEXTS)
@example(face(match_failed_reson=[0]), ONLINE)
def test_nothing_broken_opens_the_door(body: dict[str, Any], context: Context) -> None:
    """Our own decision on any body, at a door that opens for everybody known and asks for nothing more."""
    message = read(body, context)
    for event in message.events:
        assert isinstance(event, Sighting)
        policy = DoorPolicy(mode=DoorMode.OPEN, liveness_required=False)
        if not decide(event, message.person, f"{SERIAL}_1", event.captured_at, policy).granted:
            continue
        assert body["device_sn"] == SERIAL or isinstance(body["device_sn"], (str, int, float))
        assert event.realtime
        assert body["is_realtime"] in (1, True, "1", "yes", "on", "true")
        assert as_int(body.get("match_failed_reson", 0) or 0) >= 0
        assert message.person is not None
        assert message.person.id == event.person_id
        assert message.person.role in (Role.NORMAL, Role.ALLOWED)
        assert event.score is not None
        assert event.score >= (context.match_score or 0)


@pytest.mark.parametrize(("number", "reason"), REFUSALS.items())
def test_every_reason_of_the_document(number: int, reason: Reason) -> None:
    seen = sighting(face(match_failed_reson=number))
    assert (seen.refused, seen.verdict) == (reason, Verdict.DENIED)


@pytest.mark.parametrize(
    ("changes", "refused", "verdict"),
    [
        ({}, None, Verdict.GRANTED),
        ({"match_result": 0}, None, Verdict.NONE),
        ({"match_result": -1}, Reason.UNKNOWN, Verdict.DENIED),
        ({"match_result": 101}, Reason.UNKNOWN, Verdict.DENIED),
        ({"match_result": None}, Reason.UNKNOWN, Verdict.DENIED),
        ({"match_result": "91"}, None, Verdict.GRANTED),
        ({"match_failed_reson": -99}, Reason.DEVICE, Verdict.DENIED),
        ({"match_failed_reson": "no"}, Reason.DEVICE, Verdict.DENIED),
        ({"match_failed_reson": {}}, Reason.DEVICE, Verdict.DENIED),
        ({"match_failed_reson": -3.5}, Reason.DEVICE, Verdict.DENIED),
        ({"match_failed_reson": None}, None, Verdict.GRANTED),
        ({"match_failed_reson": None, "match_failed_reason": -4}, Reason.SCHEDULE, Verdict.DENIED),
        ({"match_failed_reson": 0, "match_failed_reason": -4}, Reason.SCHEDULE, Verdict.DENIED),
        ({"match": {"person_id": "0003", "person_role": 2}}, Reason.BLOCKED, Verdict.DENIED),
        ({"match": {}}, None, Verdict.NONE),
        ({"match": None}, None, Verdict.NONE),
        ({"match": [1, 2]}, None, Verdict.NONE),
    ],
    ids=str,
)
def test_outcome(changes: dict[str, Any], refused: Reason | None, verdict: Verdict) -> None:
    seen = sighting(face(**changes))
    assert (seen.refused, seen.verdict) == (refused, verdict)


def test_online_mode_judges_nobody_by_itself() -> None:
    """The device asks; that it matched is no yes."""
    message = read(face(), ONLINE)
    (seen,) = message.events
    assert isinstance(seen, Sighting)
    assert seen.verdict is Verdict.NONE
    assert message.asks_decision
    assert "gateway_ctrl" not in acknowledged(message)
    assert "gateway_ctrl" not in acknowledged(message, decision=Decision(reason=Reason.POLICY))
    answer = acknowledged(message, decision=Decision(reason=None), door=2)
    assert answer["gateway_ctrl"] == {
        "device_type": "gpio",
        "device_no": 2,
        "ctrl_mode": "force",
        "person_id": "0001",
    }


def test_a_decision_that_nobody_asked_for_opens_nothing() -> None:
    assert "gateway_ctrl" not in acknowledged(read(face()), decision=Decision(reason=None))


def test_greeting() -> None:
    """Silence where there is nothing to say; a text on the screen without a voice."""
    message = read(face(), ONLINE)
    assert acknowledged(message, greeting=Greeting()).keys() == {"reply", "cmd", "code", "sequence_no", "cap_time"}
    shown = acknowledged(message, greeting=Greeting(text=ScreenText(text="Grüezi", duration=timedelta(seconds=2))))
    assert "tts" not in shown
    assert (shown["Text_display"]["text"], shown["Text_display"]["alive_time"]) == ("Grüezi", 2000)


@pytest.mark.parametrize("liveness", [True, False])
def test_liveness_is_what_the_device_checks(liveness: bool) -> None:
    context = Context(time_zone=ZONE, liveness=liveness)
    assert sighting(face(), context).liveness is (Liveness.LIVE if liveness else Liveness.UNCHECKED)
    assert sighting(face(match_result=-1), context).liveness is Liveness.UNCHECKED


def test_encrypted_identity_is_nobodys_name() -> None:
    """The device let somebody in; who it was cannot be read."""
    match = {"person_id": "c2VjcmV0", "person_name": "c2VjcmV0", "person_role": 1, "is_encryption": True}
    message = read(face(match=match), ONLINE)
    assert message.person is None
    seen = sighting(face(match=match))
    assert (seen.person_id, seen.person_name, seen.verdict) == (None, None, Verdict.GRANTED)


@pytest.mark.parametrize("flag", [2, "aes", None, []])
def test_what_is_perhaps_encrypted_is_nobodys_name(flag: object) -> None:
    match = {"person_id": "c2VjcmV0", "person_name": "c2VjcmV0", "person_role": 1, "is_encryption": flag}
    assert sighting(face(match=match)).person_id is None


def test_a_match_by_card_is_no_live_face() -> None:
    """The device may have let the card decide: nobody's face was looked at."""
    context = Context(time_zone=ZONE, liveness=True)
    for card in ({"wg_card_id": 8}, {"long_card_id": 2**60}, {"wg_card_id": "x"}):
        assert sighting(face(person=card), context).liveness is Liveness.UNCHECKED
    for none in ({"wg_card_id": 0}, {"wg_card_id": None}, {"long_card_id": ""}):
        assert sighting(face(person=none), context).liveness is Liveness.LIVE


@pytest.mark.parametrize(
    "twice",
    [
        '"match_failed_reson": 0, "match_failed_reson ": -6',
        '"match_failed_reson": -6, "match_failed_reson": 0',
        '"match_result": 88, "match_result ": -1',
        '"is_realtime": 1, "is_realtime ": 0',
        '"match": {"person_id": "0001", "person_role": 2}, "match ": {"person_id": "0001", "person_role": 1}',
    ],
)
def test_a_key_with_a_stray_space_that_contradicts_its_twin_opens_nothing(twice: str) -> None:
    """Whichever is meant, nobody comes in by the other one."""
    whole = face()
    for key in ("match_failed_reson", "match_result", "is_realtime", "match"):
        if f'"{key}"' in twice:
            whole.pop(key, None)
    body = json.dumps(whole)[:-1] + f", {twice}}}"
    for context in (PLAIN, ONLINE):
        message = receive(body.encode(), context)
        (event,) = message.events
        assert isinstance(event, Sighting)
        assert event.verdict is not Verdict.GRANTED or not event.realtime
        policy = DoorPolicy(mode=DoorMode.OPEN, liveness_required=False)
        assert not decide(event, message.person, f"{SERIAL}_1", event.captured_at, policy).granted
        assert message.acknowledgement["sequence_no"] == whole["sequence_no"]


def test_a_serial_number_with_stray_spaces_is_the_same() -> None:
    assert read(face(device_sn=f" {SERIAL} ")).serial == SERIAL


def test_nobody_is_known_without_a_role_that_we_know() -> None:
    for role in (None, 7, "x"):
        assert read(face(match={"person_id": "0001", "person_role": role})).person is None


@pytest.mark.parametrize(
    ("attribute", "enabled"),
    [
        ("permanent_list", True),
        ("temporary_list", True),
        (" permanent_list ", True),
        ("none", True),
        ("invalid_list", False),
        ("invalid_list ", False),
        ("unknown", False),
        ("new_list", False),
        ("", False),
        (None, False),
    ],
)
def test_only_a_list_that_is_valid_lets_somebody_in(attribute: str | None, enabled: bool) -> None:
    match = {"person_id": "0001", "person_role": 1, "person_attr": attribute}
    person = read(face(match=match)).person
    assert person is not None
    assert (person.name, person.enabled) == ("0001", enabled)


@pytest.mark.parametrize(
    ("raw", "read_as"), [(36.6, 36.6), ("36.6", 36.6), (98.6, 37.0), (0, None), ("warm", None), (None, None)]
)
def test_temperature(raw: object, read_as: float | None) -> None:
    """Celsius, or Fahrenheit where nobody could live in Celsius."""
    assert sighting(face(person={"temperatur": raw})).temperature == read_as


@pytest.mark.parametrize(
    ("attributes", "card"),
    [({"wg_card_id": 1}, True), ({"long_card_id": 2**60}, True), ({"wg_card_id": 0}, False), ({}, False)],
)
def test_card_is_mentioned_and_never_kept(attributes: dict[str, Any], card: bool) -> None:
    seen = sighting(face(person=attributes))
    assert seen.card is card
    assert str(2**60) not in repr(seen)


def test_time_is_put_on_our_clock() -> None:
    """Local summer time, and a device whose clock is an hour ahead."""
    assert sighting(face()).captured_at == datetime(2026, 7, 1, 10, 0, 0, 250000, tzinfo=UTC)
    ahead = Context(time_zone=ZONE, clock_offset=timedelta(hours=1))
    assert sighting(face(), ahead).captured_at == datetime(2026, 7, 1, 9, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence_no": None},
        {"sequence_no": "x"},
        {"sequence_no": 2**63},
        {"cap_time": None},
        {"cap_time": "yesterday"},
        {"cap_time": "0001/01/01 00:00:00"},
        {"device_sn": None},
        {"device_sn": ""},
    ],
    ids=str,
)
def test_incomplete_sighting_is_none(changes: dict[str, Any]) -> None:
    message = read(face(**changes))
    assert message.events == ()
    assert message.problem == "incomplete sighting"


def test_pictures() -> None:
    """JPEG and PNG; anything else is none. Neither is in any repr."""
    body = face(closeup_pic={"data": "/9j/AAAA"}, overall_pic={"data": "R0lGODlh"})
    seen = sighting(body)
    assert (seen.pictures.face, seen.pictures.scene) == (b"\xff\xd8\xff\x00\x00\x00", None)
    message = read(body)
    assert "/9j/" not in repr(message)
    assert "xff" not in repr(message)


@pytest.mark.parametrize(
    ("number", "state", "rings"),
    [
        (0, CallState.IDLE, False),
        (1, CallState.CALLING, True),
        (2, CallState.RINGING, False),
        (3, CallState.REJECTED, False),
        (4, CallState.CONNECTED, False),
        (5, CallState.INCOMING, False),
        (6, CallState.CONNECTED, False),
    ],
)
def test_calls(number: int, state: CallState, rings: bool) -> None:
    events = read({"cmd": "sip event", "device_sn": SERIAL, "sip_event": number}).events
    assert [type(event) for event in events] == ([Ring] if rings else []) + [CallChanged]
    assert events[-1] == CallChanged(source=SERIAL, state=state)


@pytest.mark.parametrize("serial", [SERIAL, None])
def test_question_for_firmware(serial: str | None) -> None:
    body = {"cmd": "ask_upgrade", "firmware": {"appversion": "1.0"}, **({"device_sn": serial} if serial else {})}
    message = read(body)
    assert message.upgrade == body
    assert message.events == ((FirmwareReported(source=SERIAL),) if serial else ())


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        (b'{"cmd": "heart beat"}', True),
        (b'{"reply": "ACK", "cmd": "gpio control", "code": 0}', True),
        (b"garbage", True),
        (b'{"cmd": "new thing"}', True),
        (b'{"cmd": "face", "sequence_no": 3', False),
        (b'{"cmd": "face"}', False),
        (b'{"cmd": "sip event", "sip_event": 1}', False),
    ],
)
def test_questions_are_told_from_pushes(body: bytes, asks: bool) -> None:
    """What is no push is held like a question: answered at once, it would come again at once (1.1.3)."""
    assert receive(body, PLAIN).asks_command is asks
