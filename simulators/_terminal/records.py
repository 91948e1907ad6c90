"""The records that the terminal keeps: chapter 2.2.2."""

import base64
from typing import Any, Final

from . import pictures
from .core import Core
from .handlers import Handler, page, pair
from .model import Capture


def _request(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.2.2: the records that meet every condition, oldest first, by page."""
    times = pair(request, "time_start", "time_end")
    scores = pair(request, "score_start", "score_end")
    state, fuzzy = request.get("upload_state"), request.get("fuzzy_flag", 0) == 1
    found = [
        record
        for record in core.records
        if (times is None or times[0] <= record.stamp <= times[1])
        and (scores is None or scores[0] <= record.score <= scores[1])
        and (state is None or record.uploaded == (state == 1))
        and _text_matches(request.get("id"), record.person_id, fuzzy=fuzzy)
        and _text_matches(request.get("name"), record.name, fuzzy=fuzzy)
    ]
    shown = page(found, request["page_no"], request["page_size"])
    return {
        "total": len(found),
        "page_no": request["page_no"],
        "count": len(shown),
        "records": [_print(core, record, request) for record in shown],
    }


def _text_matches(wanted: str | None, actual: str | None, *, fuzzy: bool) -> bool:
    return wanted is None or (actual is not None and (wanted in actual if fuzzy else wanted == actual))


def _print(core: Core, record: Capture, request: dict[str, Any]) -> dict[str, Any]:
    """A record as 2.2.2.2 prints it. The key of the close-up is not printed there: named after its flag."""
    person = core.people.get(record.person_id or "")
    printed: dict[str, Any] = {
        "match_failed_reson": record.reason,
        "match_type": record.match_type,
        "score": record.score,
        "sequence": record.sequence,
        "time": record.cap_time,
        "upload_state": int(record.uploaded),
    }
    if record.temperature is not None:
        printed["body_temp"] = record.temperature
    if record.person_id is not None:
        printed |= {
            "customer_id": person.customer_text if person else "",
            "id": record.person_id,
            "name": record.name,
            "person_name_ext": "",
            "role": record.role,
        }
        if request["reg_image_flag"] == 1 and person and person.thumbnail():
            printed["reg_image"] = base64.b64encode(person.thumbnail()).decode()
    if request["face_image_flag"] == 1 and record.match_type != 2:
        closeup = pictures.closeup(record.seed, bool(record.mask), record.photo)
        printed["face_image"] = base64.b64encode(closeup).decode()
    return printed


HANDLERS: Final[dict[str, Handler]] = {"request records": _request}
