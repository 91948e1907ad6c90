"""Firmware from the folder, offered, served and awaited."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
import hashlib
from http import HTTPStatus
from pathlib import Path
import shutil
from typing import Any

from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT_DOMAIN, SERVICE_UPDATE_ENTITY
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.face_access import update
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.hub.firmware import is_newer
from tests.fakes import FakeDevice

from .conftest import SetUp

type Find = Callable[[str, str], str]

CONTENT = b"firmware" * 50_000


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("1.1", "1.0"),
        ("0.10.2", "0.9.9"),
        ("0.10.3beta", "0.10.2beta"),
        ("0.10.2", "0.10.2beta"),
        ("0.10.2beta", "0.10.2alpha"),
        ("1.2.1", "1.2"),
        ("V1.3", "1.2"),
        ("2.0_20260101", "2.0_20251231"),
        ("1.0", ""),
    ],
)
def test_newer(newer: str, older: str) -> None:
    assert is_newer(newer, older)
    assert not is_newer(older, newer)


def test_same_version_is_not_newer() -> None:
    assert not is_newer("V1.2beta", "v1.2BETA")


@pytest.fixture
def firmware_folder(hass: HomeAssistant) -> Iterator[Path]:
    folder = Path(hass.config.path(DOMAIN)) / "firmware"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def files(firmware_folder: Path) -> Path:
    """Two that fit, and some that do not."""
    for name in (
        "Model X-1_1.1.bin",
        "model_x_1_0.9.bin",
        "Model Y_9.0.bin",
        "Model X-1.bin",
        "_2.0.bin",
        "Model X-1_2.0",
    ):
        (firmware_folder / name).write_bytes(name.encode())
    (firmware_folder / "MODEL X-1_1.10.2beta.tar.gz").write_bytes(CONTENT)
    (firmware_folder / "Model X-1_3.0.bin").mkdir()
    return firmware_folder


def start(hass: HomeAssistant, entity: str) -> asyncio.Task[Any]:
    return hass.async_create_task(
        hass.services.async_call("update", "install", {"entity_id": entity}, blocking=True), eager_start=True
    )


async def offered(device: FakeDevice) -> URL:
    await device.offered.wait()
    assert device.offers[-1] is not None
    return URL(device.offers[-1].url)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "CHECK_EVERY", 0.01)


@pytest.fixture
async def address(hass: HomeAssistant) -> None:
    await hass.config.async_update(internal_url="http://192.0.2.9:8123")


async def test_nothing_to_install(hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find) -> None:
    state = hass.states.get(entity_id("update", "firmware"))
    assert (state.state, state.attributes["installed_version"], state.attributes["latest_version"]) == (
        "off",
        "1.0",
        "1.0",
    )


async def test_install(
    hass: HomeAssistant,
    files: Path,
    address: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    hass_client_no_auth: ClientSessionGenerator,
    device_registry: dr.DeviceRegistry,
) -> None:
    entity = entity_id("update", "firmware")
    state = hass.states.get(entity)
    assert (state.state, state.attributes["latest_version"]) == ("on", "1.10.2beta")
    task = start(hass, entity)
    url = await offered(device)
    (offer,) = device.offers
    assert (offer.version, offer.md5) == ("1.10.2beta", hashlib.md5(CONTENT).hexdigest())
    assert str(url.origin()) == "http://192.0.2.9:8123"
    assert hass.states.get(entity).attributes["in_progress"] is True
    client = await hass_client_no_auth()
    response = await client.get(url.path)
    assert response.status == HTTPStatus.OK
    assert response.headers["Content-Length"] == str(len(CONTENT))
    assert await response.read() == CONTENT
    assert (await client.get(url.with_name("guess").path)).status == HTTPStatus.NOT_FOUND
    coordinator.station.firmware.installed = "1.10.2beta"
    await task
    assert device.offers[-1] is None
    assert (await client.get(url.path)).status == HTTPStatus.NOT_FOUND
    state = hass.states.get(entity)
    assert (state.state, state.attributes["in_progress"]) == ("off", False)
    (entry_device,) = dr.async_entries_for_config_entry(device_registry, coordinator.config_entry.entry_id)
    assert entry_device.sw_version == "1.10.2beta"


async def test_device_says_no(
    hass: HomeAssistant,
    files: Path,
    address: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """The code of an older attempt is not the answer to this one."""
    entity = entity_id("update", "firmware")
    device.firmware_code = 10
    task = start(hass, entity)
    url = await offered(device)
    await asyncio.sleep(0.05)
    assert not task.done()
    device.firmware_code = 11
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert (error.value.translation_key, error.value.translation_placeholders) == ("firmware_failed", {"code": "11"})
    assert device.offers[-1] is None
    assert (await (await hass_client_no_auth()).get(url.path)).status == HTTPStatus.NOT_FOUND
    state = hass.states.get(entity)
    assert (state.state, state.attributes["in_progress"]) == ("on", False)


async def test_trying_again(
    hass: HomeAssistant,
    files: Path,
    address: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    entity = entity_id("update", "firmware")
    first = start(hass, entity)
    old = await offered(device)
    device.firmware_code = 11
    with pytest.raises(HomeAssistantError):
        await first
    device.offers.clear()
    second = start(hass, entity)
    new = await offered(device)
    client = await hass_client_no_auth()
    assert (await client.get(old.path)).status == HTTPStatus.NOT_FOUND
    assert await (await client.get(new.path)).read() == CONTENT
    device.firmware_code = 0
    coordinator.station.firmware.installed = "1.10.2beta"
    await second


async def test_firmware_that_was_never_told(
    hass: HomeAssistant,
    files: Path,
    address: None,
    device: FakeDevice,
    set_up: SetUp,
    entity_id: Find,
) -> None:
    """A terminal says what it runs when it asks for more, and it may ask only once that is allowed: by an offer."""
    device.info = replace(device.info, firmware=None)
    coordinator = await set_up(device.station())
    entity = entity_id("update", "firmware")
    state = hass.states.get(entity)
    assert (state.state, state.attributes["installed_version"]) == (STATE_UNKNOWN, None)
    assert state.attributes["latest_version"] == "1.10.2beta"
    task = start(hass, entity)
    await offered(device)
    coordinator.station.firmware.installed = "0.9"
    await asyncio.sleep(0.05)
    assert not task.done(), "what it ran all along is not news"
    coordinator.station.firmware.installed = "1.10.3 as the vendor calls it"
    await task
    assert hass.states.get(entity).attributes["installed_version"] == "1.10.3 as the vendor calls it"
    await hass.config_entries.async_unload(coordinator.config_entry.entry_id)
    await set_up(device.station())
    assert hass.states.get(entity).attributes["installed_version"] == "1.10.3 as the vendor calls it"


async def test_device_never_asks(
    hass: HomeAssistant,
    files: Path,
    address: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(update, "OFFERED_FOR", timedelta(seconds=0.05))
    with pytest.raises(HomeAssistantError) as error:
        await start(hass, entity_id("update", "firmware"))
    assert error.value.translation_key == "firmware_expired"
    assert device.offers[-1] is None


async def test_reload_withdraws_the_offer(
    hass: HomeAssistant,
    files: Path,
    address: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
) -> None:
    task = start(hass, entity_id("update", "firmware"))
    await offered(device)
    assert await hass.config_entries.async_unload(coordinator.config_entry.entry_id)
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "firmware_interrupted"
    assert device.offers[-1] is None


async def test_file_that_went_away(
    hass: HomeAssistant,
    files: Path,
    address: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
) -> None:
    (files / "MODEL X-1_1.10.2beta.tar.gz").unlink()
    with pytest.raises(HomeAssistantError) as error:
        await start(hass, entity_id("update", "firmware"))
    assert error.value.translation_key == "firmware_missing"
    assert device.offers == []


async def test_without_an_address(
    hass: HomeAssistant,
    files: Path,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hass.config, "api", None)
    monkeypatch.setattr(hass.config, "internal_url", None)
    monkeypatch.setattr(hass.config, "external_url", None)
    with pytest.raises(HomeAssistantError) as error:
        await start(hass, entity_id("update", "firmware"))
    assert error.value.translation_key == "no_url"
    assert device.offers == []


async def test_file_that_came_later(
    hass: HomeAssistant, firmware_folder: Path, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    entity = entity_id("update", "firmware")
    assert hass.states.get(entity).state == "off"
    (firmware_folder / "Model X-1_1.1.bin").write_bytes(b"x")
    assert await async_setup_component(hass, HOMEASSISTANT_DOMAIN, {})
    await hass.services.async_call(HOMEASSISTANT_DOMAIN, SERVICE_UPDATE_ENTITY, {"entity_id": [entity]}, blocking=True)
    assert hass.states.get(entity).attributes["latest_version"] == "1.1"


async def test_folder_that_is_none(
    hass: HomeAssistant,
    firmware_folder: Path,
    device: FakeDevice,
    set_up: SetUp,
    entity_id: Find,
    caplog: pytest.LogCaptureFixture,
) -> None:
    firmware_folder.rmdir()
    firmware_folder.write_text("a file")
    await set_up(device.station())
    assert hass.states.get(entity_id("update", "firmware")).state == "off"
    assert "firmware folder cannot be read" in caplog.text
    firmware_folder.unlink()


async def test_station_that_does_not_name_its_model(
    hass: HomeAssistant, files: Path, device: FakeDevice, set_up: SetUp, entity_id: Find
) -> None:
    device.info = replace(device.info, model=None)
    await set_up(device.station())
    assert hass.states.get(entity_id("update", "firmware")).state == "off"


async def test_station_without_firmware(hass: HomeAssistant, device: FakeDevice, set_up: SetUp) -> None:
    await set_up(device.station(firmware=None))
    assert hass.states.async_entity_ids("update") == []
