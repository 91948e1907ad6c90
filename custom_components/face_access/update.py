"""Firmware for a station: from files that the household provides, or news of what its vendor has."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.components.update import UpdateDeviceClass, UpdateEntity, UpdateEntityFeature
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Firmware, SettingValue
from .entity import FaceAccessEntity
from .hub.errors import raise_translated
from .hub.firmware import FirmwareFile, async_find, async_offered, is_newer

PARALLEL_UPDATES = 1

# A station asks when it likes, then fetches, writes and starts again.
OFFERED_FOR: Final = timedelta(minutes=30)
CHECK_EVERY: Final = 5.0
# Facts of a reading: the firmware that runs, and the newest that the vendor has.
INSTALLED: Final = "firmware"
LATEST: Final = "latest_firmware"


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the update of a station that takes firmware from us, or knows what its vendor has."""
    coordinator = entry.runtime_data
    if (firmware := coordinator.station.firmware) is not None:
        async_add_entities([FirmwareUpdate(coordinator, firmware)], update_before_add=True)
    elif LATEST in coordinator.features:
        async_add_entities([FirmwareNews(coordinator)])


class FirmwareNews(FaceAccessEntity, UpdateEntity):
    """The firmware of a station that asks its vendor by itself. Installed at the station: no call for that is known."""

    _attr_translation_key = "firmware"
    _attr_device_class = UpdateDeviceClass.FIRMWARE

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Bind to the station."""
        super().__init__(coordinator, "firmware")

    @property
    @override
    def installed_version(self) -> str | None:
        return _text(self.coordinator.data.facts.get(INSTALLED)) or self.coordinator.station.info.firmware

    @property
    @override
    def latest_version(self) -> str | None:
        """What the vendor has; unknown while the station cannot ask."""
        return _text(self.coordinator.data.facts.get(LATEST))

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Compare as versions are written everywhere here, whatever a vendor adds to them."""
        return is_newer(latest_version, installed_version)

    @override
    async def async_added_to_hass(self) -> None:
        """Put what runs on the device page."""
        await super().async_added_to_hass()
        self._async_note_installed()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._async_note_installed()
        super()._handle_coordinator_update()

    @callback
    def _async_note_installed(self) -> None:
        """A station that was updated says so at its next reading, and its device page with it."""
        installed, device = self.installed_version, self.device_entry
        if installed is not None and device is not None:
            dr.async_get(self.hass).async_update_device(device.id, sw_version=installed)


def _text(value: SettingValue | None) -> str | None:
    return value if isinstance(value, str) else None


class FirmwareUpdate(FaceAccessEntity, UpdateEntity):
    """The firmware. Nobody publishes it: on offer is the newest file for this model in our folder (hub/firmware.py)."""

    _attr_translation_key = "firmware"
    _attr_device_class = UpdateDeviceClass.FIRMWARE
    _attr_supported_features = UpdateEntityFeature.INSTALL

    def __init__(self, coordinator: FaceAccessCoordinator, firmware: Firmware) -> None:
        """Bind to the station's firmware."""
        super().__init__(coordinator, "firmware")
        self._firmware = firmware
        self._files: tuple[FirmwareFile, ...] = ()
        self._leaving = False

    @property
    @override
    def should_poll(self) -> bool:
        """Look for new files from time to time, whatever the station does."""
        return True

    @override
    async def async_update(self) -> None:
        """Look into the folder."""
        self._files = await async_find(self.hass, self.coordinator.station.info.model)
        self._async_note_installed()

    @property
    @override
    def installed_version(self) -> str | None:
        """What the station said, now or before a restart; unknown until it did."""
        return self._firmware.installed or (device.sw_version if (device := self._device) else None)

    @property
    def _device(self) -> dr.DeviceEntry | None:
        """The device page as it is now."""
        found = dr.async_get(self.hass).async_get(self.device_entry.id) if self.device_entry else None
        return found if isinstance(found, dr.DeviceEntry) else None

    @callback
    def _async_note_installed(self) -> None:
        """Put what the station said on its device page, where it survives a restart."""
        installed = self._firmware.installed
        if installed is not None and (device := self._device) is not None and device.sw_version != installed:
            dr.async_get(self.hass).async_update_device(device.id, sw_version=installed)

    @property
    @override
    def latest_version(self) -> str | None:
        """The newest file's version, or the installed one when there is nothing newer."""
        newest = self._newest()
        return self.installed_version if newest is None else newest.version

    @override
    def version_is_newer(self, latest_version: str, installed_version: str) -> bool:
        """Compare as the folder is compared."""
        return is_newer(latest_version, installed_version)

    def _newest(self) -> FirmwareFile | None:
        newest, version = None, self.installed_version
        for file in self._files:
            if version is None or is_newer(file.version, version):
                newest, version = file, file.version
        return newest

    @override
    @raise_translated
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        """Offer the newest file and wait until the station runs it, or says what went wrong."""
        file = self._newest()
        if TYPE_CHECKING:
            assert file is not None  # Home Assistant refuses to install where there is nothing newer
        async with async_offered(self.coordinator, self._firmware, file):
            await self._async_wait(file.version)
        self._async_note_installed()

    async def _async_wait(self, wanted: str) -> None:
        """Wait until the station runs another version than before. It tells of that with its next question only."""
        before = self._firmware.installed
        # It keeps telling the code of an older attempt until there is a new one.
        known_code = self._firmware.last_code
        try:
            async with asyncio.timeout(OFFERED_FOR.total_seconds()):
                # Any other version is an end: what the file's name calls the wanted one is only somebody's word.
                while (installed := self._firmware.installed) != wanted and before in (None, installed):
                    before = installed
                    self._check(known_code)
                    await asyncio.sleep(CHECK_EVERY)
        except TimeoutError as err:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="firmware_expired") from err

    def _check(self, known_code: int | None) -> None:
        """Raise what speaks against waiting on."""
        if (code := self._firmware.last_code) not in (None, 0, known_code):
            placeholders = {"code": str(code)}
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key="firmware_failed", translation_placeholders=placeholders
            )
        if self._leaving:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="firmware_interrupted")

    @override
    async def async_will_remove_from_hass(self) -> None:
        """End a wait that nobody will see the end of."""
        self._leaving = True
        await super().async_will_remove_from_hass()
