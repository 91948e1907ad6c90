"""Face Access: intercom panels, face terminals and face recognition at the door."""

from homeassistant.const import CONF_HOST, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .actions import async_setup_actions
from .const import DOMAIN, MINOR_VERSION, VERSION
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .hub import issues
from .hub.cameras.station import async_forget_camera, async_make_camera, async_make_eye, is_camera
from .hub.doors.policies import per_door
from .hub.history.views import SightingPictureView
from .hub.history.visits import async_get_visits
from .hub.house import async_close_link, async_get_history, async_keep_history, async_make_station, async_open_link
from .hub.news import farewell, push_target
from .hub.news.edge import Edge
from .hub.news.ladder import Ladder
from .hub.people import entry as people_entry
from .hub.people.household import async_get_people
from .hub.servers import entry as server_entry
from .hub.servers.coordinator import is_server

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS: list[Platform] = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CAMERA,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.LOCK,
    Platform.MEDIA_PLAYER,
    Platform.NOTIFY,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TEXT,
    Platform.UPDATE,
]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions and the view that serves pictures, and begin to remember who was at the door."""
    async_setup_actions(hass)
    hass.http.register_view(SightingPictureView())
    async_get_visits(hass)
    return True


async def async_migrate_entry(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> bool:
    """Bring an entry of an earlier version up to date. Raises ConfigEntryError for one of a later version.

    That one may keep a door shut in ways that nobody knows here, so nothing of it opens.
    """
    if (entry.version, entry.minor_version) > (VERSION, MINOR_VERSION):
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key="later_version")
    is_station = not (is_camera(entry) or people_entry.is_people(entry) or is_server(entry))
    options = per_door(entry.options) if is_station else entry.options
    hass.config_entries.async_update_entry(entry, options=options, minor_version=MINOR_VERSION)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> bool:
    """Bring one station in."""
    if people_entry.is_people(entry):
        return await people_entry.async_setup(hass, entry)
    if is_server(entry):
        return await server_entry.async_setup(hass, entry)
    history = await async_get_history(hass)
    people = await async_get_people(hass)
    watching = None
    if is_camera(entry):
        station, watching = async_make_camera(hass, entry)
    else:
        link = async_open_link(hass, entry.data)
        if CONF_HOST in entry.data:
            entry.async_on_unload(link.close)
        station = async_make_station(hass, entry.data, link)
        push_target.async_recall(entry, station)
    coordinator = FaceAccessCoordinator(hass, entry, station, history)
    entry.runtime_data = coordinator
    await async_keep_history(hass, entry, history)
    issues.clear_all(hass, entry)
    await coordinator.async_start()
    people.async_attach(coordinator)
    eye = None if watching is None else await async_make_eye(hass, coordinator, watching, people)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if watching is not None and eye is not None:
        watching.async_start(coordinator, eye)
        return True
    # Last: what is pushed earlier would be acknowledged and heard by no entity. Unanswered, the device sends it again.
    edge = Edge(hass, coordinator)
    edge.async_register()
    if station.feed is not None:
        coordinator.ladder = Ladder(hass, coordinator, edge, station.feed)
        coordinator.ladder.async_start()
    coordinator.async_resume()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> bool:
    """Let a station go, leaving it as we found it."""
    if people_entry.is_people(entry):
        return await people_entry.async_unload(hass, entry)
    if is_server(entry):
        return await server_entry.async_unload(hass, entry)
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    coordinator = entry.runtime_data
    if coordinator.ladder is not None:
        # First: it would renew what is taken back here.
        await coordinator.ladder.async_stop()
    await farewell.async_take_back(hass, entry, coordinator.station)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> None:
    """Forget all that the station saw: its pictures are biometric data and go with it."""
    if people_entry.is_people(entry):
        await people_entry.async_remove(hass)
        return
    if is_server(entry):
        await server_entry.async_remove(hass, entry)
        return
    issues.clear_all(hass, entry)
    issues.restarted(hass, entry)
    if is_camera(entry):
        await async_forget_camera(hass, entry)
    else:
        await farewell.async_try_once_more(hass, entry)
    await async_close_link(hass, entry.data)
    if entry.unique_id is not None:
        history = await async_get_history(hass)
        await history.forget(entry.unique_id)
        await (await async_get_people(hass)).async_forget_station(entry.unique_id)
