"""What helps to find a fault, without a word about who came by."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_SSL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant

from .access import Sighting
from .const import CONF_BROKER_PASSWORD, CONF_BROKER_URL, CONF_DOOR, CONF_ENGINE, CONF_FEATURES, CONF_TRIGGERS
from .coordinator import FaceAccessConfigEntry
from .devices.station import SettingKind, Station
from .hub.cameras.watching import Watching
from .hub.local.gallery import HouseGallery, async_gallery
from .hub.people.entry import is_people
from .hub.people.household import HousePeople, async_get_people
from .hub.servers.coordinator import CONF_SERVER, ServerCoordinator, is_server

# Addresses, ids that open webhooks, and what the device is called: all of the entry's data but this is private.
_OPEN_DATA = {"family", "port", "push", CONF_ENGINE, CONF_FEATURES, CONF_SSL, CONF_VERIFY_SSL}
# Of a server's entry: what says how it is used, and not where or as whom.
_OPEN_SERVER_DATA = {
    CONF_SERVER,
    CONF_VERIFY_SSL,
    "channel",
    "check_duplicates",
    "check_liveness",
    "check_photos",
    "keep_pictures",
    "liveness_for",
    "server_photos",
    "several_faces",
    "pictures_leave_house",
}
# Entities say what they are called, a door's name its station's serial number; a broker has an address and an account.
_PRIVATE_OPTIONS = {CONF_BROKER_PASSWORD, CONF_BROKER_URL, CONF_DOOR, CONF_TRIGGERS}


def _people(people: HousePeople, gallery: HouseGallery | None) -> dict[str, Any]:
    profiles = people.store.profiles.values()
    return {
        "people": len(profiles),
        "roles": Counter(profile.role.value for profile in profiles),
        "server_photos": Counter(profile.storage.value for profile in profiles),
        "photos": sum(len(profile.photos) for profile in profiles),
        "stations": [
            {
                **asdict(worker.progress),
                "online": worker.coordinator.last_update_success,
                "reasons": Counter(
                    holding.code
                    for holding in people.store.holdings(worker.coordinator.serial).values()
                    if holding.code is not None
                ),
            }
            for worker in people.workers.values()
        ],
        "recognition": None if gallery is None else _gallery(gallery),
    }


def _gallery(gallery: HouseGallery) -> dict[str, Any]:
    codes = (one.code for photos in gallery.learned.values() for one in photos.values() if one.code is not None)
    return {
        **asdict(gallery.progress),
        "error": None if gallery.error is None else str(gallery.error),
        "photos": Counter(codes),
    }


def _server(entry: ConfigEntry[Any], people: HousePeople) -> dict[str, Any]:
    coordinator: ServerCoordinator = entry.runtime_data
    data = entry.data
    worker = people.workers.get(coordinator.serial)
    return {
        "data": async_redact_data(data, set(data) - _OPEN_SERVER_DATA),
        "options": dict(entry.options),
        "server": {
            "kind": coordinator.kind.name,
            "version": coordinator.data.version,
            "capabilities": sorted(coordinator.engine.capabilities),
        },
        "online": coordinator.last_update_success,
        "people": None if worker is None else asdict(worker.progress),
        "networks": None if coordinator.lending is None else coordinator.lending.diagnostics,
    }


def _watching(entry: FaceAccessConfigEntry) -> dict[str, Any] | None:
    """Say how a camera is watched; None for a station, and for a camera that is not."""
    lookout = entry.runtime_data.station.lookout
    loaded = entry.state is ConfigEntryState.LOADED
    return lookout.diagnostics if loaded and isinstance(lookout, Watching) else None


def _station(station: Station) -> dict[str, Any]:
    return {
        "manufacturer": station.info.manufacturer,
        "model": station.info.model,
        "hardware": station.info.hardware,
        "firmware": station.info.firmware,
        "capabilities": sorted(
            name for name in station.__dataclass_fields__ if getattr(station, name) not in (None, (), False)
        ),
    }


def _sighting(sighting: Sighting) -> dict[str, Any]:
    """Say what came of a sighting, and nothing of whom it shows."""
    return {
        "verdict": sighting.verdict,
        "refused": sighting.refused,
        "liveness": sighting.liveness,
        "compared": sighting.score is not None,
        "has_picture": sighting.pictures.best is not None,
    }


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> dict[str, Any]:
    """Say what the station is, has and does; of people, only how many there are."""
    if is_people(entry):
        return _people(await async_get_people(hass), async_gallery(hass))
    if is_server(entry):
        return _server(entry, await async_get_people(hass))
    coordinator = entry.runtime_data
    settings = coordinator.station.settings
    described = settings.described if settings else {}
    texts = {key for key, setting in described.items() if setting.kind is SettingKind.TEXT}
    offset = coordinator.data.clock_offset
    return {
        "data": async_redact_data(entry.data, set(entry.data) - _OPEN_DATA),
        "options": async_redact_data(entry.options, _PRIVATE_OPTIONS),
        "station": _station(coordinator.station),
        "online": coordinator.last_update_success,
        "calls_us": coordinator.queued,
        "news": None
        if (ladder := coordinator.ladder) is None
        else {"webhook": ladder.webhook, "broker": ladder.broker, "asks": ladder.asks},
        "watching": _watching(entry),
        "clock_offset_seconds": None if offset is None else offset.total_seconds(),
        "settings": async_redact_data(dict(coordinator.data.settings), texts),
        "facts": dict(coordinator.data.facts),
        "last_sighting": None if coordinator.last_sighting is None else _sighting(coordinator.last_sighting),
    }
