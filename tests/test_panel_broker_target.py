"""A panel is pointed to Home Assistant's broker with the household's consent, and what was there comes back."""

from copy import deepcopy
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_mqtt_message
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, MqttMockHAClient

from custom_components.face_access.access import Ring
from custom_components.face_access.hub.news.broker_target import async_suggestion
from custom_components.face_access.hub.news.ladder import Rung
from simulators.panel import SimulatedPanel

from .conftest import killed, repair, settle, until
from .panels import add_panel
from .test_diagnostics import assert_none_of
from .test_panel_broker import MANAGEMENT
from .test_panel_ladder import Ear, issue, ladder_of

ELSEWHERE = "broker_elsewhere"
URL = "192.0.2.10:1883"
SECRET = "let me in to the broker"
LINK = {
    "is_enabled": True,
    "protocol": "http",
    "settings": {"url": "https://link.example", "password": "theirs", "is_heartbeat_enabled": True},
}


@pytest.fixture
def expected_lingering_timers() -> bool:
    """The mocked MQTT client never closes its socket: its timer outlives the test by a second."""
    return True


@pytest.fixture
async def entry(
    hass: HomeAssistant, panel: SimulatedPanel, mqtt_mock: MqttMockHAClient, quick_ladder: None
) -> MockConfigEntry:
    """A panel that speaks to the vendor's cloud."""
    panel.settings.values[MANAGEMENT] = deepcopy(LINK)
    panel.mqtt.on_publish = lambda topic, payload: async_fire_mqtt_message(hass, topic, payload)
    return await add_panel(hass, panel, push=False)


async def choose(hass: HomeAssistant, entry: MockConfigEntry, *, write: bool = True, **broker: Any) -> dict[str, Any]:
    """Go through the options; the last answer."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"broker": True, "broker_write": write})
    if flow["type"] == "form":
        answers = {"broker_url": URL, "broker_password": SECRET} | broker
        flow = await hass.config_entries.options.async_configure(flow["flow_id"], answers)
    await settle(hass)
    return flow


def server(panel: SimulatedPanel) -> dict[str, Any]:
    return panel.settings.values[MANAGEMENT]


@pytest.mark.parametrize("panel_model", ["AA-12FB", "AV-03BD"])
async def test_pointed_and_put_back(hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry) -> None:
    """Its news arrive over the broker; once the option is off, everything is as it was, to the letter."""
    await choose(hass, entry)
    await until(lambda: server(panel)["protocol"] == "mqtt")
    assert server(panel)["is_enabled"] is True
    settings = server(panel)["settings"]
    assert (settings["url"], settings["password"]) == (URL, SECRET)
    assert (settings["is_logging_enabled"], settings["is_encrypted"]) == (True, False)
    assert issue(hass, ELSEWHERE, entry) is None
    ear = Ear(entry)
    await panel.ring()
    await until(lambda: ladder_of(entry).broker is Rung.PROVEN)
    await until(lambda: ear.count(Ring) == 1)
    await choose(hass, entry, write=False)
    assert server(panel) == LINK
    assert "previous_broker" not in entry.data
    assert "broker_url" not in entry.options


async def test_a_restart_writes_nothing(hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry) -> None:
    """It points there already, and what was before us is not forgotten."""
    await choose(hass, entry)
    await until(lambda: "previous_broker" in entry.data)
    writes = panel.count("PUT", MANAGEMENT)
    async with killed(hass, entry):
        # A hard stop puts nothing back here either.
        panel.settings.values[MANAGEMENT] = {
            "is_enabled": True,
            "protocol": "mqtt",
            "settings": {"url": URL, "password": SECRET, "is_logging_enabled": True, "is_encrypted": False},
        }
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "previous_broker": {"before": LINK, "url": URL}}
        )
        writes = panel.count("PUT", MANAGEMENT)
    await until(lambda: not ladder_of(entry)._first_broker)
    assert panel.count("PUT", MANAGEMENT) == writes
    await hass.config_entries.async_unload(entry.entry_id)
    assert server(panel) == LINK


async def test_another_password(hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry) -> None:
    """It is written; an empty one keeps what is known; encryption is as chosen."""
    await choose(hass, entry)
    await until(lambda: server(panel)["protocol"] == "mqtt")
    await choose(hass, entry, broker_password="", broker_encrypted=True)
    await until(lambda: server(panel)["settings"].get("is_encrypted") is True)
    assert server(panel)["settings"]["password"] == SECRET
    await choose(hass, entry, broker_password="another one")
    await until(lambda: server(panel)["settings"]["password"] == "another one")


async def test_somebody_points_it_elsewhere(
    hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """No fight: an issue says so, and its fix points it here again. Left alone, it stays theirs."""
    await choose(hass, entry)
    await until(lambda: "previous_broker" in entry.data)
    await until(lambda: not ladder_of(entry)._first_broker)
    panel.settings.values[MANAGEMENT] = {**LINK, "settings": {**LINK["settings"], "url": "https://third.example"}}
    await until(lambda: issue(hass, ELSEWHERE, entry) is not None)
    assert server(panel)["settings"]["url"] == "https://third.example"
    assert (await repair(hass, hass_client, ELSEWHERE, entry))["type"] == "create_entry"
    assert server(panel)["settings"]["url"] == URL
    panel.settings.values[MANAGEMENT] = third = {**LINK, "is_enabled": False}
    await hass.config_entries.async_unload(entry.entry_id)
    assert server(panel) == third


@pytest.mark.parametrize("status", [403, 404])
async def test_panel_that_cannot_be_pointed(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    status: int,
) -> None:
    """The path is inferred: where it is not there, that is told, and the panel is asked as before."""
    await panel.fail(MANAGEMENT, status, times=10000)
    await choose(hass, entry)
    await until(lambda: issue(hass, ELSEWHERE, entry) is not None)
    answer = await repair(hass, hass_client, ELSEWHERE, entry)
    assert (answer["type"], answer["errors"]) == ("form", {"base": "cannot_fix"})
    ear = Ear(entry)
    await panel.ring()
    await until(lambda: ear.count(Ring))
    # Its owner enters the broker by hand: that it works is all that counts.
    panel.settings.values[MANAGEMENT] = {
        "is_enabled": True,
        "protocol": "mqtt",
        "settings": {"url": "mqtt://elsewhere", "is_logging_enabled": True},
    }
    await panel.press_exit()
    await until(lambda: issue(hass, ELSEWHERE, entry) is None)
    panel.failures.clear()
    panel.settings.values[MANAGEMENT] = deepcopy(LINK)


async def test_panel_that_does_not_keep_it(hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry) -> None:
    """It says yes and has another one afterwards: what is written is looked at."""
    system = type(entry.runtime_data.station.broker._client.system)
    with pytest.MonkeyPatch.context() as patched:

        async def nothing(*_arguments: object, **_more: object) -> None: ...

        patched.setattr(system, "set_broker", nothing)
        await choose(hass, entry)
        await until(lambda: issue(hass, ELSEWHERE, entry) is not None)
    assert server(panel) == LINK


async def test_panel_is_away_when_it_is_taken_back(
    hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """It keeps speaking to the broker, and the log says so; once it is back it is as it was."""
    await choose(hass, entry)
    await until(lambda: "previous_broker" in entry.data)
    await panel.cut_network()
    await choose(hass, entry, write=False)
    assert "still speaks to the broker" in caplog.text
    assert "previous_broker" in entry.data
    await panel.restore_network()
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: server(panel) == LINK)
    await until(lambda: "previous_broker" not in entry.data)


async def test_several_doors_come_before_the_broker(
    hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry
) -> None:
    """One page for each, and the broker's is the last."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    chosen = {"doors": 2, "door_mode": "open", "broker": True, "broker_write": True}
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], chosen)
    assert (flow["step_id"], flow["last_step"]) == ("door", False)
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"door_mode": "never"})
    assert flow["step_id"] == "broker"
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"broker_url": URL})
    policies = flow["data"]["door_policies"]
    assert {door: policy["door_mode"] for door, policy in policies.items()} == {"1": "open", "2": "never"}
    assert (flow["data"]["broker_url"], "door_mode" in flow["data"]) == (URL, False)
    await settle(hass)


async def test_nobody_listens(hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry) -> None:
    """Pointing it to a broker on which nobody listens would only take it from its cloud."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"broker": False, "broker_write": True})
    assert (flow["step_id"], flow["errors"]) == ("init", {"broker_write": "not_listening"})
    (mqtt,) = hass.config_entries.async_entries("mqtt")
    await hass.config_entries.async_unload(mqtt.entry_id)
    hass.config_entries.async_update_entry(entry, options={"broker": True, "broker_write": True, "broker_url": URL})
    await hass.config_entries.async_reload(entry.entry_id)
    await until(lambda: ladder_of(entry).broker is Rung.BROKEN)
    assert server(panel) == LINK


async def test_nothing_leaks(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither our password nor theirs, which is kept to be put back."""
    await choose(hass, entry)
    await until(lambda: "previous_broker" in entry.data)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert_none_of(found, URL, SECRET, "theirs", "link.example")
    assert found["options"]["broker_write"] is True
    assert SECRET not in caplog.text
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"broker": True, "broker_write": True})
    assert SECRET not in str(flow["data_schema"].schema) + str([key.description for key in flow["data_schema"].schema])


@pytest.mark.parametrize(
    ("broker", "suggested"),
    [
        ("192.0.2.7", "192.0.2.7:1883"),
        ("mqtt.example", "mqtt.example:1883"),
        ("core-mosquitto", "127.0.0.1:1883"),
        ("localhost", "127.0.0.1:1883"),
        ("127.0.0.1", "127.0.0.1:1883"),
    ],
)
async def test_suggested_address(hass: HomeAssistant, broker: str, suggested: str) -> None:
    """A name that only Home Assistant knows is of no use to a panel."""
    hass.config.internal_url = "http://127.0.0.1:8123"
    MockConfigEntry(domain="mqtt", data={"broker": broker, "port": 1883}).add_to_hass(hass)
    assert async_suggestion(hass) == suggested


async def test_no_broker_to_suggest(hass: HomeAssistant) -> None:
    assert async_suggestion(hass) == ""
