"""Repair issues of people: one for each whom a station cannot learn."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_exception_message

from ..const import DOMAIN
from ..coordinator import FaceAccessCoordinator
from ..people.store import HoldingState, PeopleStore

PERSON_REFUSED: Final = "person_refused"


@callback
def async_report_refusals(hass: HomeAssistant, store: PeopleStore, coordinator: FaceAccessCoordinator) -> None:
    """Raise an issue for each person whom the station refused, and clear those that are gone."""
    prefix = f"{PERSON_REFUSED}_{coordinator.serial}_"
    current: set[str] = set()
    for holding in store.holdings(coordinator.serial).values():
        if holding.state is not HoldingState.REFUSED or holding.code is None:
            continue
        profile = store.profiles.get(holding.person)
        issue_id = f"{prefix}{holding.key}"
        current.add(issue_id)
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=PERSON_REFUSED,
            translation_placeholders={
                "person": holding.person if profile is None else profile.name,
                "station": coordinator.config_entry.title,
                "reason": async_refusal_text(holding.code),
            },
        )
    registry = ir.async_get(hass)
    stale = [issue for domain, issue in registry.issues if domain == DOMAIN and issue.startswith(prefix)]
    for issue_id in stale:
        if issue_id not in current:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_refusal_text(code: str) -> str:
    """Say why in words."""
    return async_get_exception_message(DOMAIN, f"refused_{code}", {"detail": "-"})
