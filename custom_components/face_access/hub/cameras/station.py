"""A watched camera as the house knows stations: settings of its recognition, and somebody who looks through it.

The settings are those of a panel, under the same keys; they are kept in the entry's options.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryError
from homeassistant.core import HomeAssistant, callback

from ...access import Similarity
from ...const import CONF_CAMERA, CONF_ENGINE, CONF_FAR, CONF_SETTINGS, DOMAIN, ENGINE_LOCAL
from ...coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from ...devices.errors import InvalidValueError, StationConnectionError
from ...devices.station import Reading, Setting, SettingKind, SettingValue, Station, StationInfo
from ..local.engine import async_get_local
from ..local.gallery import async_forget_people, async_get_gallery
from ..people.household import HousePeople
from ..servers.coordinator import async_searchers
from .eye import Eye
from .watching import Watching

DESCRIBED: Final[Mapping[str, Setting]] = {
    setting.key: setting
    for setting in (
        Setting(key="recognition", kind=SettingKind.TOGGLE),
        Setting(key="similarity", kind=SettingKind.CHOICE, options=tuple(Similarity)),
        Setting(key="recognition_mode", kind=SettingKind.CHOICE, options=("software", "antispoofing")),
        Setting(key="autostart", kind=SettingKind.TOGGLE),
    )
}
_DEFAULTS: Final[Mapping[str, SettingValue]] = {
    "recognition": True,
    "similarity": Similarity.NORMAL.value,
    "recognition_mode": "antispoofing",
    "autostart": True,
}
# The longer side of what the detector sees: faces are found from about a thirtieth of it on.
_NEAR, _FAR = 320, 640


def is_camera(entry: FaceAccessConfigEntry) -> bool:
    """Whether this is the entry of a watched camera, and no station's."""
    return CONF_CAMERA in entry.data


def is_watched_here(entry: FaceAccessConfigEntry) -> bool:
    """Whether this is the entry of a camera that the house's own engine looks through."""
    return entry.data.get(CONF_ENGINE) == ENGINE_LOCAL


async def async_forget_camera(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> None:
    """Let go of what was learned for the cameras that the local engine looks through, once the last is removed."""
    others = (other for other in hass.config_entries.async_entries(DOMAIN) if other.entry_id != entry.entry_id)
    if is_watched_here(entry) and not any(is_watched_here(other) for other in others):
        await async_forget_people(hass)


class CameraSettings:
    """How the camera is watched. `listener` hears the key of what was written."""

    described = DESCRIBED

    def __init__(self, hass: HomeAssistant, entry: FaceAccessConfigEntry) -> None:
        """Bind to the entry that keeps them."""
        self._hass = hass
        self._entry = entry
        self.listener: Callable[[str], None] | None = None

    @property
    def values(self) -> dict[str, SettingValue]:
        """All of them as they are; what an entry of another version says that is none of ours goes by the default."""
        kept: Mapping[str, Any] = self._entry.options.get(CONF_SETTINGS, {})
        return {
            key: kept[key] if key in kept and _fits(DESCRIBED[key], kept[key]) else value
            for key, value in _DEFAULTS.items()
        }

    @property
    def enabled(self) -> bool:
        """Whether anybody is recognised at all."""
        return bool(self.values["recognition"])

    @property
    def similarity(self) -> Similarity:
        """How alike somebody must be."""
        return Similarity(str(self.values["similarity"]))

    @property
    def antispoofing(self) -> bool:
        """Whether a face must prove live."""
        return self.values["recognition_mode"] == "antispoofing"

    @property
    def autostart(self) -> bool:
        """Whether the camera is looked at without being asked to."""
        return bool(self.values["autostart"])

    async def write(self, key: str, value: SettingValue) -> None:
        """Write one. Raises InvalidValueError."""
        if not _fits(DESCRIBED[key], value):
            options = ", ".join(DESCRIBED[key].options) or "on, off"
            raise InvalidValueError(key, f"must be one of {options}", "choice", options=options)
        options_now = {**self._entry.options, CONF_SETTINGS: {**self.values, key: value}}
        self._hass.config_entries.async_update_entry(self._entry, options=options_now)
        if self.listener is not None:
            self.listener(key)


def _fits(setting: Setting, value: object) -> bool:
    return isinstance(value, bool) if setting.kind is SettingKind.TOGGLE else value in setting.options


class CameraReader:
    """Reads what there is to read: whether the camera is there, and the settings."""

    def __init__(self, info: StationInfo, settings: CameraSettings, watching: Watching) -> None:
        """Bind to one camera."""
        self._info = info
        self._settings = settings
        self._watching = watching

    async def info(self) -> StationInfo:
        """Say what it is."""
        return self._info

    async def read(self) -> Reading:
        """Read everything. Raises StationConnectionError."""
        await self.ping()
        return Reading(settings=self._settings.values)

    async def ping(self) -> timedelta:
        """Look whether the camera is there; it has no clock but ours. Raises StationConnectionError."""
        if not self._watching.there:
            raise StationConnectionError("the camera is not available")
        return timedelta()


@callback
def async_make_camera(hass: HomeAssistant, entry: FaceAccessConfigEntry) -> tuple[Station, Watching]:
    """Make the station that a camera's entry describes. Nothing is looked at yet."""
    settings = CameraSettings(hass, entry)
    watching = Watching(hass, entry, settings)
    info = StationInfo(
        serial=entry.unique_id or entry.entry_id, name=entry.title, manufacturer="Face Access", model="Watched camera"
    )
    station = Station(
        info=info, doors=(), reader=CameraReader(info, settings, watching), settings=settings, lookout=watching
    )
    return station, watching


async def async_make_eye(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, watching: Watching, people: HousePeople
) -> Eye:
    """Find who looks through the camera: the engine that the entry names. Raises ConfigEntryNotReady."""
    entry = coordinator.config_entry
    if not is_watched_here(entry):
        # Its numpy finds out whether anything moves.
        await async_get_local(hass)
        return _make_server_eye(hass, coordinator, watching, people)
    # From now on everybody with a photo is learned.
    gallery = await async_get_gallery(hass)
    local = gallery.local
    # Only now: numpy comes with them.
    from ...recognition.engine import Mode, Settings  # noqa: PLC0415
    from .local_eye import LocalEye  # noqa: PLC0415

    def settings() -> Settings:
        found = watching.settings.values
        return Settings(
            similarity=watching.settings.similarity,
            mode=Mode(str(found["recognition_mode"])),
            detector_size=_FAR if entry.options.get(CONF_FAR) else _NEAR,
        )

    entry.async_on_unload(local.async_on_models_changed(watching.async_check_soon))
    entry.async_on_unload(gallery.async_use(lambda: watching.settings.similarity))
    eye = LocalEye(
        hass,
        local,
        people.store,
        coordinator.serial,
        settings=settings,
        report=watching.async_report,
        trouble=watching.async_trouble,
    )
    # Here already: what follows of the set-up may fail.
    entry.async_on_unload(eye.stop)
    return eye


def _make_server_eye(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, watching: Watching, people: HousePeople
) -> Eye:
    """Look through the server that the entry names, be it there or not. Raises ConfigEntryError where it cannot be."""
    entry = coordinator.config_entry
    server: str = entry.data[CONF_ENGINE]
    if server not in {found.entry_id for found in async_searchers(hass)}:
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key="engine_unknown")
    # Only now: numpy comes with it, and both were loaded on another thread.
    from .server_eye import ServerEye, Wish  # noqa: PLC0415

    def wish() -> Wish:
        return Wish(similarity=watching.settings.similarity, antispoofing=watching.settings.antispoofing)

    eye = ServerEye(
        hass,
        server,
        people.store,
        coordinator.serial,
        wish=wish,
        report=watching.async_report,
        trouble=watching.async_trouble,
        check_soon=watching.async_check_soon,
    )
    entry.async_on_unload(eye.stop)
    return eye
