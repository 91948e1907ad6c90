"""What the terminal itself decides about who stands before it: why not, or open."""

from typing import Any, Final

from .core import Core
from .handlers import moment
from .model import Capture, Person
from .settings import minutes

BLACKLISTED: Final = -2
EXPIRED: Final = -3
SCHEDULE: Final = -4
TEMPERATURE: Final = -6
MASK: Final = -7
NO_CARD: Final = -9
UNAUTHORISED: Final = -11

ONLINE: Final = 2  # match_mode: the server decides
# gate_mode: which of them a face, a card or anybody passing opens alone.
_BY_FACE: Final = frozenset({1, 7, 8, 10, 13, 20})
_BY_CARD: Final = frozenset({4, 7, 9})
_BY_ANYBODY: Final = 6
_WHITELIST_ONLY: Final = 7


def judge(core: Core, person: Person, temperature: float | None, *, mask: bool | None) -> int:
    """The `match_failed_reson` of a person the terminal knows: 0, or why the person may not pass."""
    face = core.app["face"]
    if person.role == 2:
        return BLACKLISTED
    if not _valid(core, person):
        return EXPIRED
    if person.kind and not _scheduled(core, person.kind):
        return SCHEDULE
    if temperature is not None and temperature > _celsius(face["body_temperature"]):
        return TEMPERATURE
    if mask is False and face["mask"]["must_wear_mask"]:
        return MASK
    return 0


def _celsius(body: dict[str, Any]) -> float:
    """The limit above which nobody passes; it is written in the unit that the device shows."""
    limit = float(body["limit"])
    return (limit - 32) / 1.8 if body["fahrenheit_unit"] else limit


def _valid(core: Core, person: Person) -> bool:
    """Whether now is within the term of the person, by the device clock."""
    now = core.local()
    if person.term == "never" or (person.term != "forever" and now > moment(person.term, "term")):
        return False
    return person.term_start == "useless" or now >= moment(person.term_start, "term_start")


def _scheduled(core: Core, kind: int) -> bool:
    """Whether now is in a section of the rule (end exclusive); weekly rules start on Monday; no rule, no entry."""
    now = core.local()
    rule = next((rule for rule in core.schedule if rule["kind"] == kind), None)
    if rule is None:
        return False
    day = rule["days"][0 if rule["mode"] == "daily" else now.weekday()]
    minute = now.hour * 60 + now.minute
    return any(minutes(part["start"]) <= minute < minutes(part["end"]) for part in day["sections"])


def clean(core: Core) -> None:
    """Forget people whose term is over, when the device is told to (name_list.auto_clean)."""
    if core.app["name_list"]["auto_clean"]:
        now = core.local()
        gone = [
            p.id for p in core.people.values() if p.term not in {"forever", "never"} and now > moment(p.term, "term")
        ]
        for person_id in gone:
            del core.people[person_id]


def decide(core: Core, capture: Capture) -> None:
    """Open by the terminal's own decision, in automatic and offline mode only."""
    gate = core.app["gate_control"]
    if gate["match_mode"] == ONLINE:
        return
    mode, person = gate["gate_mode"], core.people.get(capture.person_id or "")
    accepted = person is not None and capture.reason == 0 and capture.score > 0
    opens = mode in (_BY_CARD if capture.match_type == 2 else _BY_FACE)
    if mode == _WHITELIST_ONLY and person is not None and person.role != 1:
        opens = False
    if (accepted and opens) or (mode == _BY_ANYBODY and capture.match_type != 2):
        capture.opened = True
        cards = person.cards if person else set[int]()
        core.doors.pass_person(capture.person_id, next(iter(cards), None))


def measure(core: Core, temperature: float, *, mask: bool) -> tuple[float | None, bool | None]:
    """What the sensors report: nothing while their switch is off."""
    body = core.app["face"]["body_temperature"]
    measured = round(temperature + body["correction_value"], 1) if body["enable"] else None
    return measured, mask if core.app["face"]["mask"]["enable"] else None
