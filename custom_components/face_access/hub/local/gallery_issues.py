"""Repair issues of local recognition's people: who may be taken for whom, and photos that show somebody else."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOMAIN
from ...people.findings import Learned
from ...people.gallery import TARGET
from ...people.model import Profile
from ..issues import clear_others
from ..people.issues import async_clear_refusals

if TYPE_CHECKING:
    from ...recognition.gallery import Confusable

CONFUSABLE: Final = "people_confusable"
ODD_PHOTO: Final = "photo_of_another"
_UNLIKE: Final = "FACE_UNLIKE_OTHERS"
# Whoever has more pairs has a model that cannot tell people apart: those most alike say so.
_MOST: Final = 20


@callback
def async_report_confusable(hass: HomeAssistant, profiles: Mapping[str, Profile], pairs: Sequence[Confusable]) -> None:
    """Raise an issue for each two people whom recognition may take for each other, and clear those that are over."""
    current: dict[str, dict[str, str]] = {}
    for pair in pairs[:_MOST]:
        if (first := profiles.get(pair.first)) is None or (second := profiles.get(pair.second)) is None:
            continue
        issue_id = f"{CONFUSABLE}_{'_'.join(sorted((first.key, second.key)))}"
        current[issue_id] = {"first": first.name, "second": second.name}
    _report(hass, CONFUSABLE, current)


@callback
def async_report_odd_photos(
    hass: HomeAssistant, profiles: Mapping[str, Profile], learned: Mapping[str, Mapping[str, Learned]]
) -> None:
    """Raise an issue for each person of whose photos some seem to show somebody else."""
    current: dict[str, dict[str, str]] = {}
    for person, photos in learned.items():
        if (profile := profiles.get(person)) is None:
            continue
        odd = [
            str(number)
            for number, name in enumerate(profile.photos, start=1)
            if name in photos and photos[name].code == _UNLIKE
        ]
        if odd:
            current[f"{ODD_PHOTO}_{profile.key}"] = {"person": profile.name, "photos": ", ".join(odd)}
    _report(hass, ODD_PHOTO, current)


@callback
def async_clear_gallery(hass: HomeAssistant) -> None:
    """Local recognition is over, and all that it found at fault."""
    async_clear_refusals(hass, TARGET)
    _report(hass, CONFUSABLE, {})
    _report(hass, ODD_PHOTO, {})


def _report(hass: HomeAssistant, key: str, current: Mapping[str, dict[str, str]]) -> None:
    clear_others(hass, f"{key}_", current)
    for issue_id, placeholders in current.items():
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders=placeholders,
        )
