"""Things that a station does at the press of a button: open a door, say no, start again, set its clock."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonDeviceClass, ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Door, Station
from .entity import DoorEntity, FaceAccessEntity, async_forget_unwired
from .hub.doors.wired import async_open, async_wired, held_door
from .hub.errors import raise_translated
from .hub.servers.coordinator import is_server
from .server import async_setup_buttons

PARALLEL_UPDATES = 1

type Command = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class FaceAccessButtonDescription(ButtonEntityDescription):
    """`command` finds what a press does, None for a station that cannot."""

    command: Callable[[Station], Command | None]


def _sync_clock(station: Station) -> Command | None:
    clock = station.clock
    return None if clock is None else lambda: clock.set(dt_util.now())


def _deny(station: Station) -> Command | None:
    door = held_door(station)
    return None if door is None else door.deny


BUTTONS = (
    FaceAccessButtonDescription(
        key="look_now",
        translation_key="look_now",
        command=lambda station: station.lookout.look if station.lookout else None,
    ),
    FaceAccessButtonDescription(key="deny_access", translation_key="deny_access", command=_deny),
    FaceAccessButtonDescription(
        key="sync_clock",
        translation_key="sync_clock",
        entity_category=EntityCategory.CONFIG,
        command=_sync_clock,
    ),
    FaceAccessButtonDescription(
        key="reboot",
        translation_key="reboot",
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        command=lambda station: station.power.reboot if station.power else None,
    ),
    FaceAccessButtonDescription(
        key="restart_application",
        translation_key="restart_application",
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        command=lambda station: station.power.restart_application if station.power else None,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a button for each door and for each thing that the station can do."""
    if is_server(entry):
        async_setup_buttons(entry, async_add_entities)
        return
    coordinator = entry.runtime_data
    async_forget_unwired(coordinator, Platform.BUTTON, "open_door")
    async_add_entities(OpenDoorButton(coordinator, door) for door in async_wired(coordinator))
    async_add_entities(
        StationButton(coordinator, description, command)
        for description in BUTTONS
        if (command := description.command(coordinator.station)) is not None
    )


class OpenDoorButton(DoorEntity, ButtonEntity):
    """Opens a door for its hold time."""

    def __init__(self, coordinator: FaceAccessCoordinator, door: Door) -> None:
        """Bind to the door."""
        super().__init__(coordinator, door, "open_door")

    @override
    @raise_translated
    async def async_press(self) -> None:
        """Open the door."""
        await async_open(self.coordinator, self._door)


class StationButton(FaceAccessEntity, ButtonEntity):
    """Has the station do something."""

    entity_description: FaceAccessButtonDescription

    def __init__(
        self, coordinator: FaceAccessCoordinator, description: FaceAccessButtonDescription, command: Command
    ) -> None:
        """Bind to what a press does."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._command = command

    @override
    @raise_translated
    async def async_press(self) -> None:
        """Do it."""
        await self._command()
