"""What the documents say is so: links, entities, words, and automations that work and open nothing by themselves."""

import asyncio
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import homeassistant
from homeassistant.components.automation.config import async_validate_config_item as validate_automation
from homeassistant.components.script.config import async_validate_config_item as validate_script
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service
import yaml

from custom_components.face_access.access import Method, Reason
from custom_components.face_access.access.naming import SightingKind
from custom_components.face_access.actions import ACTIONS
from custom_components.face_access.actions.people import PEOPLE_ACTIONS
from custom_components.face_access.actions.recognition import RECOGNITION_ACTIONS
from custom_components.face_access.actions.scans import SCAN_ACTIONS
from custom_components.face_access.condition import CONDITIONS
from custom_components.face_access.devices.panel.settings import SETTINGS as PANEL_SETTINGS
from custom_components.face_access.devices.station import SettingKind
from custom_components.face_access.devices.terminal.settings import APP_ROWS, SCREENSAVER, STREAM_ROWS, VOLUME
from custom_components.face_access.trigger import TRIGGERS
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, settle, until

ROOT = Path(__file__).parents[1]
INTEGRATION = ROOT / "custom_components" / "face_access"
EN = json.loads((INTEGRATION / "translations" / "en.json").read_text())
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/*.md"), *ROOT.glob("blueprints/*.md")])
TERMINALS = (ROOT / "docs" / "terminals.md").read_text()
PEOPLE = (ROOT / "docs" / "people.md").read_text()
CAMERAS = (ROOT / "docs" / "cameras.md").read_text()
ENGINES = (ROOT / "docs" / "engines.md").read_text()
PANELS = (ROOT / "docs" / "panels.md").read_text()
README = (ROOT / "README.md").read_text()
PLATFORMS = {
    SettingKind.TOGGLE: "switch",
    SettingKind.CHOICE: "select",
    SettingKind.NUMBER: "number",
    SettingKind.TEXT: "text",
}
SETTINGS = [row.setting for row in (*APP_ROWS, *STREAM_ROWS, VOLUME, SCREENSAVER)]
# Long enough for a door that must not open. There is no end to wait for: the automation waits for a tap.
A_WHILE = 0.3


class _Loader(yaml.SafeLoader):
    """YAML in which a secret is its own name."""


_Loader.add_constructor("!secret", lambda _loader, node: node.value)


def blocks(page: Path) -> Iterator[Any]:
    """Load each piece of YAML on a page."""
    for text in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        yield _Loader(text).get_single_data()


EXAMPLES = {example["alias"]: example for example in blocks(ROOT / "docs" / "examples.md")}
AUTOMATIONS = {alias: example for alias, example in EXAMPLES.items() if "triggers" in example}


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Find the names that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    names: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        again = sum(re.fullmatch(rf"{name}(-\d+)?", other) is not None for other in names)
        names.append(f"{name}-{again}" if again else name)
    return set(names)


def nested(config: Any, key: str) -> Iterator[Any]:
    """Find every value of a key, however deep."""
    if isinstance(config, dict):
        if key in config:
            yield config[key]
        config = list(config.values())
    if isinstance(config, list):
        for item in config:
            yield from nested(item, key)


def calls(config: Any) -> Iterator[dict[str, Any]]:
    """Find every call of an action; the answers of a notification have an `action` as well, and a title."""
    if isinstance(config, dict):
        if "action" in config and "title" not in config:
            yield config
        config = [value for key, value in config.items() if key != "event_data"]
    if isinstance(config, list):
        for item in config:
            yield from calls(item)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) + re.findall(r'src="([^"]+)"', page.read_text()):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_actions_exist(page: Path) -> None:
    """And they take what they are given."""
    ours = {f"face_access.{action.name}": {"device_id", *map(str, action.fields)} for action in ACTIONS}
    without_device = {**PEOPLE_ACTIONS, **RECOGNITION_ACTIONS, **SCAN_ACTIONS}
    ours |= {f"face_access.{name}": set(map(str, schema)) for name, (_, schema, _) in without_device.items()}
    for call in (call for block in blocks(page) for call in calls(block)):
        name = call["action"]
        domain, _, action = name.partition(".")
        if name in ours:
            assert set(call.get("data", {})) <= ours[name], name
        elif not name.startswith("notify.mobile_app_"):
            services = Path(homeassistant.__file__).parent / "components" / domain / "services.yaml"
            described = yaml.safe_load(services.read_text())[action] or {}
            assert set(call.get("data", {})) <= set(described.get("fields", {})), name
    known = {*ours, *(f"face_access.{name}" for name in (*TRIGGERS, *CONDITIONS))}
    assert set(re.findall(r"`(face_access\.[a-z_]+)`", page.read_text())) <= known


@pytest.mark.parametrize("alias", EXAMPLES)
async def test_example_is_valid(hass: HomeAssistant, alias: str) -> None:
    for component in ("automation", "script", "event", "doorbell", "face_access"):
        assert await async_setup_component(hass, component, {})
    validate = validate_automation if alias in AUTOMATIONS else validate_script
    assert await validate(hass, "example", EXAMPLES[alias]) is not None


async def test_examples_name_entities_that_are_there(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    text = (ROOT / "docs" / "examples.md").read_text()
    named = set(re.findall(r"\b[a-z_]+\.front_door_[a-z_]+", text))
    assert len(named) > 5
    enabled = {
        entity.entity_id
        for entity in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
        if entity.disabled_by is None
    }
    assert named <= enabled


async def run_examples(hass: HomeAssistant) -> list[Any]:
    """Start all automations of the examples, in a house where nobody is home; the notifications that they send."""
    hass.states.async_set("zone.home", "0")
    hass.states.async_set("sun.sun", "below_horizon")
    hass.states.async_set("alarm_control_panel.house", "disarmed")
    sent = async_mock_service(hass, "notify", "mobile_app_my_phone")
    for domain, service in (("tts", "speak"), ("light", "turn_on"), ("persistent_notification", "create")):
        async_mock_service(hass, domain, service)
    assert await async_setup_component(hass, "doorbell", {})
    assert await async_setup_component(hass, "automation", {"automation": list(AUTOMATIONS.values())})
    await settle(hass)
    assert {state.state for state in hass.states.async_all("automation")} == {"on"}
    return sent


def opened_from_here(terminal: SimulatedTerminal) -> list[str]:
    """Find the openings that Home Assistant asked for, in whatever way."""
    return [opening.reason for opening in terminal.openings if opening.reason != "local match"]


async def test_examples_open_nothing_by_themselves(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Whoever comes, and whatever the house does: the door is the terminal's, or somebody's who presses a button."""
    sent = await run_examples(hass)
    for scene in (terminal.present_known("0001"), terminal.present_known("0003"), terminal.present_stranger()):
        capture = await scene
        assert capture is not None
        await capture.wait()
        await hass.async_block_till_done()
    await terminal.ring()
    await until(lambda: len(sent) == 3)
    for alarm in ("armed_away", "disarmed"):
        hass.states.async_set("alarm_control_panel.house", alarm)
        wanted = alarm == "disarmed"
        await until(lambda wanted=wanted: terminal.app["face"]["enable_match"] is wanted)
    assert {call.data["message"].split()[0] for call in sent} == {"Mallory", "Somebody"}
    await until(lambda: any("Hello, Alice Gardner" in str(text) for text in terminal.texts))
    assert opened_from_here(terminal) == []
    await stop_examples(hass)


async def test_only_the_answer_to_this_ring_opens(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    sent = await run_examples(hass)
    await terminal.ring()
    await until(lambda: sent)
    (answer,) = sent[0].data["data"]["actions"]
    assert answer["authenticationRequired"]
    for wrong in ("open_", "open_01ARZ3NDEKTSV4RRFFQ69G5FAV", answer["title"]):
        hass.bus.async_fire("mobile_app_notification_action", {"action": wrong})
    await asyncio.sleep(A_WHILE)
    assert opened_from_here(terminal) == []
    hass.bus.async_fire("mobile_app_notification_action", {"action": answer["action"]})
    await until(lambda: opened_from_here(terminal))
    hass.bus.async_fire("mobile_app_notification_action", {"action": answer["action"]})
    await asyncio.sleep(A_WHILE)
    assert opened_from_here(terminal) == ["gpio control force"]
    await stop_examples(hass)


async def stop_examples(hass: HomeAssistant) -> None:
    """Stop the automations, those that wait for a tap too."""
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all", "stop_actions": True}, blocking=True)


async def test_every_entity_is_in_the_table_as_it_is(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """Name, platform, key and whether it is enabled; no entity too many."""
    found = {
        (setting.key, PLATFORMS[setting.kind]): (
            EN["entity"][PLATFORMS[setting.kind]][setting.key]["name"],
            not setting.rare,
        )
        for setting in SETTINGS
    }
    for entity in er.async_entries_for_config_entry(entity_registry, entry.entry_id):
        key = re.sub(r"_\d+$", "", entity.unique_id.removeprefix(f"{SERIAL}-"))
        found[key, entity.domain] = (entity.original_name, entity.disabled_by is None)
    table = {
        (key, platform.replace(" ", "_")): (name, enabled == "yes")
        for name, platform, key, enabled in re.findall(
            r"^\| ([^|]+) \| ([a-z ]+) \| `(\w+)` \|[^|]*\| (yes|no) \|$", TERMINALS, re.MULTILINE
        )
    }
    assert table == found


def test_every_field_option_and_repair_is_described() -> None:
    steps = EN["config"]["step"]
    labels = {label for step in steps.values() for label in step.get("data", {}).values()}
    options = EN["options"]["step"]
    labels |= {label for step in ("init", "door") for label in options[step]["data"].values()}
    pages = TERMINALS + PANELS + CAMERAS + ENGINES
    for label in labels:
        assert f"| {label} |" in pages, label
    for label in options["camera"]["data"].values():
        assert f"| {label} |" in CAMERAS, label
    for label in EN["options"]["step"]["server"]["data"].values():
        assert f"| {label} |" in ENGINES, label
    for mode in EN["selector"]["door_mode"]["options"].values():
        assert f"*{mode}*" in TERMINALS, mode
    for issue in EN["issues"].values():
        assert f"**{issue['title'].replace('{name}', '…')}**" in pages + PEOPLE
    person = EN["config_subentries"]["person"]["step"]
    parts = [part for step in person.values() for part in (step, *step["sections"].values())]
    for label in {label for part in parts for label in part["data"].values()}:
        assert f"| {label} |" in PEOPLE, label
    for platform, entities in EN["entity"].items():
        for key, entity in entities.items():
            if key.startswith("person_"):
                assert f"| {entity['name']} ({platform}) |" in PEOPLE
    for error in (*EN["config"]["error"].values(), steps["not_seen"]["title"]):
        first = error.partition(".")[0].partition(", but it did")[0]
        if first.startswith(("Nothing answers", "Something answers", "The terminal has not")):
            assert first in TERMINALS + ENGINES, first


def test_every_setting_and_way_in_of_a_panel_is_described() -> None:
    for key, setting in PANEL_SETTINGS.items():
        assert f"`{key}`" in PANELS, key
        assert re.sub(r" of door \d", "", EN["entity"][PLATFORMS[setting.kind]][key]["name"]) in PANELS, key
    for method in Method:
        assert f"`{method}`" in PANELS, method


def test_every_word_of_the_events_is_described() -> None:
    section = TERMINALS.split("## Online decisions")[1].split("## Entities")[0]
    attributes = EN["entity"]["event"]["face"]["state_attributes"]
    words = {*SightingKind, *Reason, *(name for name in attributes if name != "event_type")}
    assert {word for word in words if f"`{word}`" not in section} == set()


def test_similarity_is_what_is_written() -> None:
    (row,) = (row for row in APP_ROWS if row.setting.key == "similarity")
    for word, score in row.words.items():
        assert re.search(rf"^\| {word.capitalize()} \| {score}\b", TERMINALS, re.MULTILINE)


def test_versions_are_those_that_are_tested() -> None:
    """The README names the oldest Home Assistant and the newest that has a lock, and CI runs both."""
    minimum = json.loads((ROOT / "hacs.json").read_text())["homeassistant"]
    locks = {path.stem for path in (ROOT / "requirements").glob("[0-9]*.lock")}
    assert minimum in locks
    assert locks <= set(re.findall(r"\b20\d\d\.\d+\.\d+\b", README))
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yaml").read_text())
    assert set(workflow["jobs"]["test"]["strategy"]["matrix"]["homeassistant"]) == locks
    assert f"--homeassistant {max(locks)}" in (ROOT / ".ci" / "run").read_text()


async def test_device_page_has_what_issue_forms_ask_for(
    hass: HomeAssistant, entry: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.model in TERMINALS
    assert device.hw_version in TERMINALS


def test_every_trigger_and_condition_is_described() -> None:
    """With all its fields."""
    section = (ROOT / "docs" / "examples.md").read_text().split("## Triggers and conditions")[1].split("\n## ")[0]
    for kind, each in ((TRIGGERS, EN["triggers"]), (CONDITIONS, EN["conditions"])):
        for name in kind:
            (row,) = re.findall(rf"^\| `face_access\.{name}` \|.*$", section, re.MULTILINE)
            for field in each[name].get("fields", {}):
                assert f"`{field}`" in row, (name, field)
