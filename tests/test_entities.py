"""Every entity of a simulated terminal: which there are, and that each does at the device what it says."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
import math
from pathlib import Path
import struct
from typing import Any
from unittest.mock import patch
import wave

from aiohttp import web as web_module
from homeassistant.components.tts import TextToSpeechEntity
from homeassistant.components.tts.const import DATA_COMPONENT
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.face_access import update
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.station import SettingKind
from custom_components.face_access.devices.terminal.settings import APP_ROWS, SCREENSAVER, STREAM_ROWS, VOLUME
from custom_components.face_access.hub import firmware
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, add_direct, free_port, settle, until
from .test_push import seen

# What every setting is at the device (HTTP API 2.3): where it is, and our words with the device's values.
# Written from the document, not from the integration's own table.
type Cases = tuple[tuple[object, object], ...]
TOGGLE: Cases = ((True, True), (False, False))


def same(*values: object) -> Cases:
    return tuple((value, value) for value in values)


def bit(mask: int) -> Cases:
    """One bit; the others stay as they are."""
    return ((True, 7 | mask), (False, 7 & ~mask), (True, 7 | mask))


DEVICE: dict[str, tuple[str, Cases]] = {
    "recognition": ("face.enable_match", TOGGLE),
    "liveness": ("face.enable_alive", TOGGLE),
    "similarity": ("face.match_score", (("low", 70), ("high", 90), ("normal", 80))),
    "recognition_mode": ("face.enable_alive", (("software", False), ("antispoofing", True))),
    "match_score": ("face.match_score", same(70, 100)),
    "deduplication": ("face.enable_dereplication", TOGGLE),
    "repeat_time": ("face.derep_timeout ", same(60, 3)),
    "min_face_size": ("face.min_face_size", same(1080, 1)),
    "name_privacy": ("face.name_privacy", TOGGLE),
    "picture_form": ("face.pic_form", same("overall", "closeup", "none", "both")),
    "output_template": ("face.enable_output_reg", TOGGLE),
    "output_feature": ("face.enable_output_feature", TOGGLE),
    "detect_age": ("face.enable_age", TOGGLE),
    "detect_sex": ("face.enable_sex", TOGGLE),
    "audio_flip_interval": ("face.audio_flip_interval", same(0, 1440)),
    "temperature_check": ("face.body_temperature.enable", TOGGLE),
    "temperature_limit": ("face.body_temperature.limit", same(30, 45, 37.3)),
    "temperature_outdoor": ("face.body_temperature.outdoor", TOGGLE),
    "temperature_multi_frame": ("face.body_temperature.multi_frame_confir", TOGGLE),
    "temperature_range_min": ("face.body_temperature.range_min", same(20, 35.5)),
    "temperature_range_max": ("face.body_temperature.range_max", same(45, 41.9)),
    "temperature_correction": ("face.body_temperature.correction_value", same(-5, 5, 0.25)),
    "temperature_fahrenheit": ("face.body_temperature.fahrenheit_unit", TOGGLE),
    "mask_check": ("face.mask.enable", TOGGLE),
    "mask_required": ("face.mask.must_wear_mask", TOGGLE),
    "mask_alarm": ("face.mask.no_mask_alarm", TOGGLE),
    "remote_upgrade": ("remote_upgrader.enable", TOGGLE),
    "gate_output": ("gate_control.output_mode", same("wiegand", "gpio")),
    "gate_mode": (
        "gate_control.gate_mode",
        (
            ("uninitialized", 0),
            ("face", 1),
            ("id_card", 2),
            ("face_and_id_card", 3),
            ("card", 4),
            ("face_and_card", 5),
            ("any_face", 6),
            ("face_or_id_card_allowed", 7),
            ("face_or_id_card", 8),
            ("card_with_picture", 9),
            ("face_or_face_and_id_card", 10),
            ("id_card_allowed", 11),
            ("any_id_card", 12),
            ("face_or_any_id_card", 13),
            ("face_or_rfid", 20),
        ),
    ),
    "match_mode": ("gate_control.match_mode", (("online", 2), ("offline", 3), ("auto", 1))),
    "relay_state": ("gate_control.gpio_state", (("normally_open", 1), ("normally_closed", 0))),
    "hold_time": ("gate_control.gpio_retention_time", ((0.5, 500), (5, 5000), (2.3, 2300))),
    "relay_linked": ("gate_control.gpio_linked", TOGGLE),
    "card_linked": ("gate_control.wg_linked", TOGGLE),
    "card_protocol": ("gate_control.wg_protocol", same("wg34", "wg26")),
    "led_mode": ("led_control.led_mode", (("on", 1), ("off", 3), ("auto", 2))),
    "led_brightness": ("led_control.led_brightness", same(1, 100)),
    "led_sensitivity": ("led_control.led_sensitivity", same("low", "high", "mid")),
    "screen_title": ("lcd_control.lcd_title", same("Grüezi 门", "")),
    "screen_mirror": ("lcd_control.led_mirror", TOGGLE),
    "display_title": ("lcd_control.lcd_display_item", bit(0x01)),
    "display_time": ("lcd_control.lcd_display_item", bit(0x02)),
    "display_ip": ("lcd_control.lcd_display_item", bit(0x04)),
    "display_people": ("lcd_control.lcd_display_item", bit(0x08)),
    "display_serial": ("lcd_control.lcd_display_item", bit(0x10)),
    "display_card": ("lcd_control.lcd_display_item", bit(0x20)),
    "display_signal": ("lcd_control.lcd_display_item", bit(0x40)),
    "display_count": ("lcd_control.lcd_display_item", bit(0x80)),
    "qr_code": ("qr_code_control.enable", TOGGLE),
    "qr_interval": ("qr_code_control.repeat_interval", same(0, 255)),
    "auto_clean": ("name_list.auto_clean", TOGGLE),
    "device_number": ("device_info.device_no", same("17 b")),
    "position_number": ("device_info.addr_no", same("gate 3")),
    "position_name": ("device_info.addr_name", same("Öst-Eingang")),
    "max_exposure": ("image.max_exposure", same(300, 9900)),
    "max_gain": ("image.max_gain", same(0, 40)),
    "contrast": ("image.contrast", same(0, 128)),
    "saturation": ("image.saturation", same(1, 255)),
    "brightness": ("image.brightness", same(1, 100)),
    "bitrate": ("video.bitrate", same(1024, 4096)),
    "volume": ("volume", same(0, 100)),
    "screensaver": ("screensaver", same("extinguish", "media", "none")),
}
SETTINGS = {row.setting.key: row.setting for row in (*APP_ROWS, *STREAM_ROWS, VOLUME, SCREENSAVER)}
# Printed among what can be written and not among what can be read (2.3.1, 2.3.2): no entity can show it.
NEVER_READ = {"temperature_fast"}
# Read only while something else is on (2.3.1).
NEEDS = {"repeat_time": {"enable_dereplication": True}}
PLATFORMS = {
    SettingKind.TOGGLE: Platform.SWITCH,
    SettingKind.CHOICE: Platform.SELECT,
    SettingKind.NUMBER: Platform.NUMBER,
    SettingKind.TEXT: Platform.TEXT,
}


@pytest.fixture
def all_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable the rare entities too."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


def find(hass: HomeAssistant, platform: str, key: str) -> str:
    """Find an entity by its key."""
    found = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{SERIAL}-{key}")
    assert found is not None, f"no {platform} {key}"
    return found


def at_the_device(terminal: SimulatedTerminal, path: str) -> object:
    """Look where the setting is in the terminal's memory."""
    if "." not in path:
        return getattr(terminal, path)
    memory = terminal.stream if path.startswith(("image.", "video.")) else terminal.app
    for key in path.split("."):
        memory = memory[key]
    return memory


async def choose(hass: HomeAssistant, key: str, value: Any) -> str:
    """Set a setting as a user does; its entity."""
    kind = SETTINGS[key].kind
    entity = find(hass, PLATFORMS[kind], key)
    action, data = {
        SettingKind.TOGGLE: ("turn_on" if value else "turn_off", {}),
        SettingKind.CHOICE: ("select_option", {"option": value}),
        SettingKind.NUMBER: ("set_value", {"value": value}),
        SettingKind.TEXT: ("set_value", {"value": value}),
    }[kind]
    await hass.services.async_call(PLATFORMS[kind], action, {"entity_id": entity, **data}, blocking=True)
    return entity


def shown(hass: HomeAssistant, entity: str) -> object:
    """Read a setting's state as the value that it stands for."""
    state = hass.states.get(entity).state
    match entity.partition(".")[0]:
        case "switch":
            return {"on": True, "off": False}[state]
        case "number":
            return float(state)
        case _:
            return state


def description(hass: HomeAssistant, entity: er.RegistryEntry) -> dict[str, Any]:
    """Describe an entity by what matters to its users; nothing that changes by the day."""
    state = hass.states.get(entity.entity_id)
    words = {
        "name": entity.original_name,
        "category": entity.entity_category,
        "device class": entity.original_device_class,
        "disabled": entity.disabled_by,
        "features": entity.supported_features or None,
        "unit": entity.unit_of_measurement,
        **(entity.capabilities or {}),
    }
    if state is not None and not entity.unique_id.endswith(("traffic_received", "traffic_sent")):
        words["state"] = state.state
    return {
        str(key): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in words.items()
        if value is not None
    }


async def test_entities(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion
) -> None:
    """All of them as a new user gets them: names, categories, limits, states, and which are disabled."""
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert {
        f"{entity.domain} {entity.unique_id.removeprefix(SERIAL)}": description(hass, entity)
        for entity in sorted(entities, key=lambda entity: entity.entity_id)
    } == snapshot


async def test_terminal_without_4g(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, entity_registry: er.EntityRegistry
) -> None:
    """Nothing of the mobile network, and all the rest."""
    terminal.hardware["FourG"]["moduler_4g"] = "NO"
    entry = await add_direct(hass, terminal)

    def keys() -> set[str]:
        entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
        return {entity.unique_id.removeprefix(f"{SERIAL}-") for entity in entities}

    without = keys()
    terminal.hardware["FourG"]["moduler_4g"] = "YES"
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert keys() - without == {"signal_strength", "operator", "traffic_received", "traffic_sent"}
    assert not without - keys()
    assert hass.states.get("sensor.front_door_mobile_signal").state == "-67"


async def test_the_dull_ones_are_disabled(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """A device page of a hundred lines is none; every setting is there for who looks for it."""
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    by_key = {entity.unique_id.removeprefix(f"{SERIAL}-"): entity for entity in entities}
    assert by_key.keys() >= DEVICE.keys() - NEEDS.keys()
    enabled = [key for key, entity in by_key.items() if not entity.disabled_by]
    assert len(enabled) < 45
    for key, setting in SETTINGS.items():
        if key in by_key:
            assert (by_key[key].disabled_by is not None) == setting.rare, key


def test_every_setting_is_here() -> None:
    """A new row of the integration's table gets a row of this one."""
    assert DEVICE.keys() == SETTINGS.keys() - NEVER_READ


@pytest.mark.parametrize("key", DEVICE)
async def test_setting_reaches_the_device(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, all_enabled: None, key: str
) -> None:
    """Each value of it, the limits of numbers included; and its entity shows what the device then has."""
    terminal.app["face"] |= NEEDS.get(key, {})
    await add_direct(hass, terminal, push=False)
    path, cases = DEVICE[key]
    if SETTINGS[key].kind is SettingKind.CHOICE:
        assert {ours for ours, _ in cases} == set(SETTINGS[key].options)
    for ours, theirs in cases:
        entity = await choose(hass, key, ours)
        assert at_the_device(terminal, path) == theirs
        assert type(at_the_device(terminal, path)) is type(theirs) or isinstance(theirs, (int, float))
        await settle(hass)
        assert shown(hass, entity) == ours


async def test_what_is_the_same_is_not_written(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Choosing what is chosen costs the device's flash nothing."""
    terminal.commands.clear()
    await choose(hass, "led_mode", "auto")
    assert "update app params" not in terminal.commands


async def test_device_refuses(hass: HomeAssistant, web: str, terminal: SimulatedTerminal, all_enabled: None) -> None:
    """The user reads why, and the entity shows what the device has."""
    await add_direct(hass, terminal, push=False)
    entity = find(hass, "number", "temperature_range_min")
    with pytest.raises(HomeAssistantError) as error:
        await choose(hass, "temperature_range_min", 45)
    assert error.value.translation_key.startswith("refused_")
    assert hass.states.get(entity).state == "36.0"
    assert terminal.app["face"]["body_temperature"]["range_min"] == 36.0
    terminal.clear_violations()


async def test_text_is_too_long(hass: HomeAssistant, web: str, terminal: SimulatedTerminal, all_enabled: None) -> None:
    """Bytes are counted, not characters: told with limit and length, and nothing is sent."""
    await add_direct(hass, terminal, push=False)
    with pytest.raises(ServiceValidationError) as error:
        await choose(hass, "position_name", "门" * 33)
    assert error.value.translation_placeholders == {
        "field": "device_info.addr_name",
        "limit": "95",
        "length": "99",
    }
    assert terminal.app["device_info"]["addr_name"] == "Front door"


async def test_device_goes_away_while_it_is_written(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """The write fails and says so; the entity is unavailable, and right again when the device is back."""
    terminal.go_offline()
    with pytest.raises(HomeAssistantError) as error:
        await choose(hass, "volume", 10)
    assert error.value.translation_key == "cannot_connect"
    assert hass.states.get("number.front_door_volume").state == "unavailable"
    await terminal.restore_network()
    await entry.runtime_data.async_refresh()
    assert hass.states.get("number.front_door_volume").state == "50"


async def test_deduplication_brings_its_time_along(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, all_enabled: None
) -> None:
    """The device has the time only while it is on: the new entity comes by itself."""
    await add_direct(hass, terminal, push=False)
    assert hass.states.get("number.front_door_time_between_repeats") is None
    await choose(hass, "deduplication", True)
    await settle(hass)
    assert hass.states.get("number.front_door_time_between_repeats").state == "3"


async def test_camera(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, hass_client: ClientSessionGenerator
) -> None:
    """A picture of this moment, through Home Assistant's proxy."""
    client = await hass_client()
    response = await client.get("/api/camera_proxy/camera.front_door_camera")
    assert (response.status, response.content_type) == (200, "image/jpeg")
    assert Image.open(BytesIO(await response.read())).format == "JPEG"
    assert terminal.commands.count("snapshot") == 1


async def test_image(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, hass_client: ClientSessionGenerator
) -> None:
    """The close-up of the last visitor, to the byte."""
    from simulators._terminal import pictures

    await seen(hass, await terminal.present_known("0001"))
    client = await hass_client()
    response = await client.get("/api/image_proxy/image.front_door_last_sighting")
    assert (response.status, response.content_type) == (200, "image/jpeg")
    assert await response.read() == pictures.closeup("0001", False, False)


@pytest.mark.parametrize("action", ["open", "unlock"])
async def test_lock(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, action: str) -> None:
    """Open for the hold time that the device has, then nobody knows."""
    await hass.services.async_call("lock", action, {"entity_id": "lock.front_door_door"}, blocking=True)
    assert [(opening.port, opening.seconds) for opening in terminal.openings] == [(1, 1.0)]
    await settle(hass)
    assert hass.states.get("lock.front_door_door").state == "open"
    async_fire_time_changed(hass, datetime.now(UTC) + timedelta(seconds=1))
    assert hass.states.get("lock.front_door_door").state == "unknown"


async def test_second_relay(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """Two doors are wired: each lock has its own."""
    from simulators._terminal.doors import Doors

    terminal.doors = Doors(2, lambda: terminal.app["gate_control"], terminal.local_time)
    entry = await add_direct(hass, terminal)
    hass.config_entries.async_update_entry(entry, options={"doors": 2})
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    await hass.services.async_call("button", "press", {"entity_id": find(hass, "button", "open_door_2")}, blocking=True)
    assert [opening.port for opening in terminal.openings] == [2]


async def test_relay_that_is_not_there(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """The household says two, the device has one: its refusal is told, and no lock claims to be open."""
    hass.config_entries.async_update_entry(entry, options={"doors": 2})
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    lock = find(hass, "lock", "door_2")
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call("lock", "open", {"entity_id": lock}, blocking=True)
    assert error.value.translation_key.startswith("refused_")
    assert hass.states.get(lock).state == "unknown"
    assert terminal.openings == []
    terminal.clear_violations()


async def test_set_clock(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """The button sets it to the house's time."""
    terminal.clock_offset = 1234
    await hass.services.async_call("button", "press", {"entity_id": "button.front_door_set_clock"}, blocking=True)
    assert abs(terminal.clock_offset) < 2


@pytest.mark.parametrize("key", ["reboot", "restart_application"])
async def test_restart(hass: HomeAssistant, web: str, terminal: SimulatedTerminal, all_enabled: None, key: str) -> None:
    """The device goes, and comes back."""
    await add_direct(hass, terminal)
    await hass.services.async_call("button", "press", {"entity_id": find(hass, "button", key)}, blocking=True)
    await until(lambda: not terminal.online)
    await until(lambda: terminal.online)


async def test_speak_and_show(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Messages are heard and read at the door."""
    for entity in ("notify.front_door_speak", "notify.front_door_screen"):
        await hass.services.async_call(
            "notify", "send_message", {"entity_id": entity, "message": "Bitte läuten"}, blocking=True
        )
    assert [words["text"] for words in terminal.spoken] == ["Bitte läuten"]
    assert [display["text"] for display in terminal.texts] == ["Bitte läuten"]


def tone(seconds: float, rate: int = 22050, channels: int = 2) -> bytes:
    """Make a WAV of another kind than the one that the device gets."""
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        for frame in range(round(seconds * rate)):
            sample = struct.pack("<h", round(8000 * math.sin(frame / 20)))
            sound.writeframes(sample * channels)
    return file.getvalue()


async def test_media_player(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Any sound from the web arrives as a whole WAV of its length."""

    async def sound(_request: web_module.Request) -> web_module.Response:
        return web_module.Response(body=tone(1.5), content_type="audio/wav")

    app = web_module.Application()
    app.router.add_get("/bell.wav", sound)
    runner = web_module.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web_module.TCPSite(runner, "127.0.0.1", port).start()
    await hass.services.async_call(
        "media_player",
        "play_media",
        {
            "entity_id": "media_player.front_door_speaker",
            "media_content_id": f"http://127.0.0.1:{port}/bell.wav",
            "media_content_type": "music",
        },
        blocking=True,
    )
    await runner.cleanup()
    assert [played["name"] for played in terminal.audio] == ["stream"]
    assert terminal.audio[0]["seconds"] == pytest.approx(1.5, abs=0.05)
    assert hass.states.get("media_player.front_door_speaker").state == "playing"
    async_fire_time_changed(hass, datetime.now(UTC) + timedelta(seconds=2))
    assert hass.states.get("media_player.front_door_speaker").state == "idle"


class Voice(TextToSpeechEntity):
    """A voice that says everything in a tone of 0.8 s."""

    _attr_name = "Voice"
    _attr_default_language = "en"
    _attr_supported_languages = ["en"]  # noqa: RUF012

    def get_tts_audio(self, message: str, language: str, options: dict[str, Any]) -> tuple[str, bytes]:
        return "wav", tone(0.8)


@pytest.fixture
async def voice(hass: HomeAssistant, tmp_path: Path) -> str:
    """Add a voice to Home Assistant."""
    await async_setup_component(hass, "http", {})
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})

    assert await async_setup_component(hass, "tts", {})
    await hass.data[DATA_COMPONENT].async_add_entities([Voice()])
    return "tts.voice"


async def test_announcement(hass: HomeAssistant, voice: str, web: str, terminal: SimulatedTerminal) -> None:
    """Any voice of Home Assistant is heard at the door."""
    await add_direct(hass, terminal)
    await hass.services.async_call(
        "tts",
        "speak",
        {
            "entity_id": voice,
            "media_player_entity_id": "media_player.front_door_speaker",
            "message": "The parcel is behind the shed",
            "cache": False,
        },
        blocking=True,
    )
    await settle(hass)
    assert [played["seconds"] for played in terminal.audio] == [pytest.approx(0.8, abs=0.15)]  # an MP3 on its way


async def test_volume_of_the_media_player(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """The same volume as the number's."""
    await hass.services.async_call(
        "media_player",
        "volume_set",
        {"entity_id": "media_player.front_door_speaker", "volume_level": 0.3},
        blocking=True,
    )
    assert terminal.volume == 30
    assert hass.states.get("media_player.front_door_speaker").attributes["volume_level"] == 0.3
    assert hass.states.get("number.front_door_volume").state == "30"


@pytest.fixture
async def firmware_file(hass: HomeAssistant) -> Iterator[Path]:
    """Put a newer firmware for the simulated board into the folder."""
    await async_setup_component(hass, "http", {})
    # Once the test's server runs, its router takes no view any more; the real one does.
    firmware._async_view(hass)
    file = Path(hass.config.path(DOMAIN)) / "firmware" / "FSAN_02_0.11.0.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"new firmware" * 10000)
    with patch.object(update, "CHECK_EVERY", 0.05):
        yield file


UPDATE = "update.front_door_firmware"


async def test_firmware_is_installed(
    hass: HomeAssistant,
    firmware_file: Path,
    web: str,
    terminal: SimulatedTerminal,
    device_registry: dr.DeviceRegistry,
) -> None:
    """Offered, asked for, downloaded, checked by its md5, started, and shown."""
    entry = await add_direct(hass, terminal)
    await terminal.ask_upgrade()
    await settle(hass)
    state = hass.states.get(UPDATE)
    assert (state.state, state.attributes["installed_version"]) == ("on", "0.10.2")
    assert state.attributes["latest_version"] == "0.11.0"
    terminal.app["remote_upgrader"]["enable"] = False
    installing = hass.async_create_task(
        hass.services.async_call("update", "install", {"entity_id": UPDATE}, blocking=True)
    )
    await until(lambda: terminal.app["remote_upgrader"]["enable"])
    assert await terminal.ask_upgrade()
    async with asyncio.timeout(10):
        await installing
    assert terminal.firmware["appversion"] == "0.11.0"
    await settle(hass)
    state = hass.states.get(UPDATE)
    assert (state.state, state.attributes["installed_version"]) == ("off", "0.11.0")
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.sw_version == "0.11.0"


async def test_firmware_arrives_damaged(
    hass: HomeAssistant, firmware_file: Path, web: str, terminal: SimulatedTerminal
) -> None:
    """The device finds another md5 and keeps what it has; the user reads its error code."""
    await add_direct(hass, terminal)
    await terminal.ask_upgrade()
    with patch.object(firmware, "_look_into", return_value=("0" * 32, datetime(2026, 1, 1))):  # noqa: DTZ001
        installing = hass.async_create_task(
            hass.services.async_call("update", "install", {"entity_id": UPDATE}, blocking=True)
        )
        await until(lambda: hass.data[firmware._VIEW].offered)
        await settle_offer()
        assert not await terminal.ask_upgrade()
        code = terminal.last_upgrade_code
        assert code != 0
        await terminal.ask_upgrade()
        with pytest.raises(HomeAssistantError) as error:
            await installing
    assert error.value.translation_key == "firmware_failed"
    assert error.value.translation_placeholders == {"code": str(code)}
    assert terminal.firmware["appversion"] == "0.10.2"
    assert hass.data[firmware._VIEW].offered == {}


async def settle_offer() -> None:
    """Let the offer's command reach the device."""
    await asyncio.sleep(0.1)
