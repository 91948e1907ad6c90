"""Repair issues of people: one for each whom a station cannot learn, and one for whoever cannot be removed."""

from collections.abc import Collection
import re
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_exception_message

from ...const import DOMAIN
from ...people.refusal import Refusal
from ...people.register import CANNOT_REMOVE
from ...people.store import PeopleStore
from ..issues import clear_others

PEOPLE_UNDELETED: Final = "people_undeleted"
PERSON_REFUSED: Final = "person_refused"
# What a device says stands in a text of Markdown, and must not become a link, a picture or a tag there.
_PUNCTUATION: Final = re.compile(r"[!-/:-@\[-`{-~]")
_NOTHING: Final = "-"


@callback
def async_report_refusals(hass: HomeAssistant, store: PeopleStore, target: str, name: str) -> None:
    """Raise an issue for each person whom a target of this name refused, and clear those that are gone."""
    current: set[str] = set()
    for holding in store.holdings(target).values():
        # Who cannot be removed one by one is told of as one (hub/servers/people.py).
        if (refusal := holding.refusal) is None or refusal.code == CANNOT_REMOVE:
            continue
        profile = store.profiles.get(holding.person)
        issue_id = f"{_prefix(target)}{holding.key}"
        current.add(issue_id)
        async_raise_refusal(
            hass,
            issue_id,
            person=holding.person if profile is None else profile.name,
            station=name,
            refusal=refusal,
        )
    clear_others(hass, _prefix(target), current)


@callback
def async_raise_refusal(hass: HomeAssistant, issue_id: str, *, person: str, station: str, refusal: Refusal) -> None:
    """Raise the issue of one person at one station."""
    words, field = (_PUNCTUATION.sub(r"\\\g<0>", text) for text in (refusal.words, refusal.field))
    reason = async_refusal_text(Refusal(refusal.code, words, field))
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=PERSON_REFUSED,
        translation_placeholders={"person": person, "station": station, "reason": reason},
    )


@callback
def async_clear_refusals(hass: HomeAssistant, serial: str) -> None:
    """Forget what a station that is gone refused."""
    clear_others(hass, _prefix(serial), ())


@callback
def async_report_undeleted(hass: HomeAssistant, names: Collection[str]) -> None:
    """Say whom the household deleted and the store still has: they are still let in. Nobody clears it."""
    if not names:
        ir.async_delete_issue(hass, DOMAIN, PEOPLE_UNDELETED)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        PEOPLE_UNDELETED,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=PEOPLE_UNDELETED,
        translation_placeholders={"persons": ", ".join(sorted(names))},
    )


def _prefix(serial: str) -> str:
    return f"{PERSON_REFUSED}_{serial}_"


@callback
def async_refusal_text(refusal: Refusal) -> str:
    """Say why in words, with those of the device where it has some: plain text, for no place that takes markup."""
    values = {"detail": refusal.words or _NOTHING, "field": refusal.field or _NOTHING}
    return async_get_exception_message(DOMAIN, f"refused_{refusal.code}", values).removesuffix(f" ({_NOTHING})")
