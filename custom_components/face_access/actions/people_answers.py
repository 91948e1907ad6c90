"""What actions answer about people and how far everybody is with them: no card, no photo, no template."""

from collections.abc import Mapping
from typing import Any, cast

from homeassistant.core import HomeAssistant, ServiceResponse, callback
from homeassistant.util.json import JsonObjectType

from ..hub.local.gallery import HouseGallery, async_gallery
from ..hub.people import input as field
from ..hub.people.issues import async_refusal_text
from ..hub.people.photo_checks import Checks
from ..hub.people.sync import TargetWorker
from ..people.gallery import TARGET, photo_code
from ..people.holding import Holding, HoldingState
from ..people.model import Profile
from ..people.plan import Progress
from ..people.refusal import Refusal
from .people_request import PeopleRequest


def checked(request: PeopleRequest, profile: Profile, pictures: list[bytes]) -> ServiceResponse:
    """Answer with a person, and with what their new photos were checked for."""
    checks = Checks.of(request.data) if pictures else Checks()
    return cast("JsonObjectType", {**person(request, profile), "photo_checks": checks.result()})


def person(request: PeopleRequest, profile: Profile) -> dict[str, Any]:
    """Give a person, and how far each station and Home Assistant's own recognition are with them."""
    store = request.people.store
    stations = [
        {"station": worker.coordinator.config_entry.title, **_state(holding)}
        for worker in request.people.workers.values()
        for holding in store.holdings(worker.coordinator.serial).values()
        if holding.person == profile.id
    ]
    return {**field.described(profile), "stations": stations, "recognition": _learned(request.hass, profile)}


def progress(worker: TargetWorker) -> dict[str, Any]:
    """How far a station is with everybody."""
    return {
        "station": worker.coordinator.config_entry.title,
        "online": worker.coordinator.last_update_success,
        **_counts(worker.progress),
        "done": worker.done.is_set(),
    }


def learning(gallery: HouseGallery) -> dict[str, Any]:
    """How far recognition is with everybody."""
    return {**_counts(gallery.progress), "done": gallery.done.is_set() and gallery.error is None}


def _counts(progress: Progress) -> dict[str, int]:
    return {
        "total": progress.total,
        "synced": progress.held,
        "refused": progress.refused,
        "waiting": progress.waiting,
        "leaving": progress.leaving,
    }


def _state(holding: Holding) -> dict[str, Any]:
    return {
        "state": holding.state.value,
        "code": holding.code,
        "reason": None if holding.refusal is None else async_refusal_text(holding.refusal),
    }


@callback
def _learned(hass: HomeAssistant, profile: Profile) -> dict[str, Any] | None:
    """Say which of their photos recognition cannot use, too; None where there is no recognition, or no photo."""
    if (gallery := async_gallery(hass)) is None or not profile.photos:
        return None
    holdings = gallery.people.store.holdings(TARGET).values()
    holding = next((one for one in holdings if one.person == profile.id), None)
    photos = gallery.learned.get(profile.id, {})
    return {
        **(_NOT_YET if holding is None else _state(holding)),
        "photos": [
            {"photo": number, "code": code, "reason": async_refusal_text(Refusal(photo_code(code)))}
            for number, name in enumerate(profile.photos, start=1)
            if name in photos and (code := photos[name].code) is not None
        ],
    }


_NOT_YET: Mapping[str, Any] = {"state": HoldingState.PENDING.value, "code": None, "reason": None}
