"""What a panel publishes on Home Assistant's own broker arrives once, and its silence is noticed."""

from datetime import timedelta
import json
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_mqtt_message
from pytest_homeassistant_custom_component.typing import MqttMockHAClient

from custom_components.face_access.access import Passage, Ring
from custom_components.face_access.hub.news.ladder import Rung
from simulators.panel import SimulatedPanel

from .conftest import settle, until
from .panels import add_panel
from .test_panel_ladder import Ear, issue, ladder_of, polled

MANAGEMENT = "/network/management/server"


@pytest.fixture
def expected_lingering_timers() -> bool:
    """The mocked MQTT client never closes its socket: its timer outlives the test by a second."""
    return True


@pytest.fixture
async def listening(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    mqtt_mock: MqttMockHAClient,
    quick_ladder: None,
) -> MockConfigEntry:
    """A panel whose owner has it speak to the broker, and Home Assistant told to listen there."""
    entry = await add_panel(hass, panel, push=False)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(flow["flow_id"], {"broker": True})
    await settle(hass)
    await until(lambda: ladder_of(entry).broker is Rung.OPEN)
    panel.settings.values[MANAGEMENT].update(
        is_enabled=True, protocol="mqtt", settings={"url": "x", "password": "", "is_logging_enabled": True}
    )
    panel.mqtt.on_publish = lambda topic, payload: async_fire_mqtt_message(hass, topic, payload)
    return entry


async def test_ring_arrives_once_over_the_broker(
    hass: HomeAssistant, panel: SimulatedPanel, listening: MockConfigEntry
) -> None:
    """From the first one on, nobody has to ask."""
    ear = Ear(listening)
    assert ladder_of(listening).asks
    await panel.ring()
    await until(lambda: ladder_of(listening).broker is Rung.PROVEN)
    assert not ladder_of(listening).asks
    ladder_of(listening)._now()
    await polled(panel, 1)
    assert ear.count(Ring) == 1


async def test_rubbish_on_the_broker(hass: HomeAssistant, panel: SimulatedPanel, listening: MockConfigEntry) -> None:
    """Anybody may publish anything; what the broker kept from before is no news."""
    ear = Ear(listening)
    topic = f"server/request/v0/{panel.serial}"
    event = {"created_at": panel.milliseconds(), "category": "info", "code": "outgoing_call", "info": {}}
    payload = json.dumps({"body": {"events": [event]}})
    async_fire_mqtt_message(hass, topic, payload, retain=True)
    for rubbish in (b"\xff\xfe", b"", b"[1]", b'{"events": 3}'):
        async_fire_mqtt_message(hass, topic, rubbish)
    await settle(hass)
    assert ear.heard == []


async def test_broker_falls_silent(hass: HomeAssistant, panel: SimulatedPanel, listening: MockConfigEntry) -> None:
    """The panel went back to its cloud: what it did not publish is found by asking, and the household is told."""
    await panel.ring()
    await until(lambda: ladder_of(listening).broker is Rung.PROVEN)
    panel.settings.values[MANAGEMENT]["is_enabled"] = False
    with patch("custom_components.face_access.hub.news.ladder._ON_ITS_WAY", timedelta()):
        ear = Ear(listening)
        await panel.press_exit()
        await until(lambda: ladder_of(listening).broker is Rung.LEAKING)
    assert ear.count(Passage) == 1
    await until(lambda: issue(hass, "broker_missing", listening) is not None)


async def test_mqtt_is_not_there(hass: HomeAssistant, panel: SimulatedPanel, listening: MockConfigEntry) -> None:
    """Told, and the panel is asked; the option can still be taken back."""
    (mqtt,) = hass.config_entries.async_entries("mqtt")
    await hass.config_entries.async_unload(mqtt.entry_id)
    await until(lambda: issue(hass, "broker_missing", listening) is not None)
    assert ladder_of(listening).asks
    flow = await hass.config_entries.options.async_init(listening.entry_id)
    await hass.config_entries.options.async_configure(flow["flow_id"], {"broker": False})
    await settle(hass)
    assert issue(hass, "broker_missing", listening) is None
