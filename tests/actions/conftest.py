"""A station in memory with every capability that actions need, and a short way to call them."""

from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
import json
from pathlib import Path
import string
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Sighting
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices import FAMILIES
from tests.fakes import SERIAL, FakeAudio, FakeDevice, FakeFamily

INTEGRATION = Path(__file__).parents[2] / "custom_components" / DOMAIN
EN = json.loads((INTEGRATION / "translations" / "en.json").read_text())
SOUNDS = ("NO0.pass.wav", "NO1.fail.wav", "10")

type Act = Callable[..., Coroutine[Any, Any, Any]]
type Fails = Callable[..., AbstractContextManager[None]]


@dataclass(kw_only=True)
class FullDevice(FakeDevice):
    """A device that also has a telephone, a card line, a schedule, a screensaver and records."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    past: list[Sighting] = field(default_factory=list)

    def full_station(self, **changes: Any) -> Any:
        parts = {
            "audio": SoundingAudio(self),
            "sip": FakeSip(self),
            "card_output": FakeCardOutput(self),
            "schedule": FakeSchedule(self),
            "screensaver": FakeScreensaver(self),
            "records": FakeRecords(self),
        }
        return replace(self.station(), **{**parts, **changes})


class SoundingAudio(FakeAudio):
    async def built_in(self) -> tuple[str, ...]:
        return SOUNDS


@dataclass
class FakeSip:
    device: FullDevice

    async def register(self, *, domain: str, port: int, username: str, password: str | None) -> None:
        self.device.do("register", domain, port, username, password)

    async def call(self, url: str) -> None:
        self.device.do("call", url)

    async def hang_up(self) -> None:
        self.device.do("hang_up")


@dataclass
class FakeCardOutput:
    device: FullDevice

    async def send(self, card: int, person_id: str | None = None) -> None:
        self.device.do("send", card, person_id)


@dataclass
class FakeSchedule:
    device: FullDevice

    async def read(self) -> list[dict[str, Any]]:
        return self.device.rules

    async def replace(self, rules: list[dict[str, Any]]) -> None:
        self.device.do("replace", rules)
        self.device.rules = rules

    async def add(self, rules: list[dict[str, Any]]) -> None:
        self.device.do("add", rules)
        self.device.rules = [*self.device.rules, *rules]


@dataclass
class FakeScreensaver:
    device: FullDevice

    async def list(self) -> tuple[str, ...]:
        return tuple(self.device.media)

    async def add(self, name: str, content: bytes) -> None:
        self.device.do("add_screensaver", name, content)
        self.device.media.append(name)

    async def remove(self, names: tuple[str, ...]) -> None:
        self.device.do("remove_screensavers", names)


@dataclass
class FakeRecords:
    device: FullDevice

    async def since(self, start: datetime, end: datetime) -> AsyncIterator[Sighting]:
        for sighting in self.device.past:
            yield sighting


@pytest.fixture
def device() -> FullDevice:
    return FullDevice()


@pytest.fixture
def changes() -> dict[str, Any]:
    """What the station has otherwise, for tests to override."""
    return {}


@pytest.fixture
async def coordinator(
    hass: HomeAssistant, device: FullDevice, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> FaceAccessCoordinator:
    """Set up an entry of the station in memory."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "media_source", {})
    monkeypatch.setitem(FAMILIES, "fake", FakeFamily(device.full_station(**changes)))  # type: ignore[arg-type]
    info = device.info
    data = {
        "family": "fake",
        "host": "192.0.2.1",
        "port": 1,
        "webhook_id": "w",
        "features": sorted({*device.settings, *device.facts}),
        "station": {name: getattr(info, name) for name in info.__slots__},
    }
    entry = MockConfigEntry(domain=DOMAIN, title="Front door", unique_id=SERIAL, data=data)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    device.commands.clear()
    loaded: FaceAccessCoordinator = entry.runtime_data
    return loaded


@pytest.fixture
def device_id(coordinator: FaceAccessCoordinator, device_registry: dr.DeviceRegistry) -> str:
    (found,) = dr.async_entries_for_config_entry(device_registry, coordinator.config_entry.entry_id)
    return found.id


@pytest.fixture
def act(hass: HomeAssistant, device_id: str) -> Act:
    """Call an action of the station in memory; its response where it gives one."""

    async def call(action: str, *, context: Context | None = None, **data: Any) -> Any:
        answers = action.startswith(("get_", "list_", "test_", "upload_"))
        return await hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": device_id, **data},
            blocking=True,
            return_response=answers,
            context=context,
        )

    return call


@contextmanager
def fails(key: str, **placeholders: str) -> Generator[None]:
    """Expect an error of ours, with these placeholders and a text that has a place for each and no other."""
    with pytest.raises(HomeAssistantError) as raised:
        yield
    err = raised.value
    assert (err.translation_domain, err.translation_key) == (DOMAIN, key)
    given = err.translation_placeholders or {}
    message = EN["exceptions"][key]["message"]
    assert {name for _, name, _, _ in string.Formatter().parse(message) if name} <= set(given)
    for name, value in placeholders.items():
        assert given[name] == value


def picture_file(size: tuple[int, int] = (40, 30), form: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    buffer = BytesIO()
    Image.new(mode, size, "red").save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture
def allowed(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder that Home Assistant may read."""
    folder = tmp_path / "allowed"
    folder.mkdir()
    hass.config.allowlist_external_dirs = {str(folder)}
    return folder
