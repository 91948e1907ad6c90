"""What users read about the actions fits what the actions take."""

import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector
from homeassistant.helpers.service import _SERVICES_SCHEMA
import probatio as vol
import pytest
import yaml

from custom_components.face_access.actions import ACTIONS
from custom_components.face_access.actions.people import PEOPLE_ACTIONS
from custom_components.face_access.actions.recognition import RECOGNITION_ACTIONS
from custom_components.face_access.actions.request import Action
from custom_components.face_access.actions.scans import SCAN_ACTIONS
from tests.actions.conftest import EN, INTEGRATION

SERVICES = yaml.safe_load((INTEGRATION / "services.yaml").read_text())
ICONS = json.loads((INTEGRATION / "icons.json").read_text())["services"]
DOCS = "".join((Path(__file__).parents[2] / "docs" / name).read_text() for name in ("actions.md", "people.md"))
WITHOUT_DEVICE = {**PEOPLE_ACTIONS, **RECOGNITION_ACTIONS, **SCAN_ACTIONS}
NAMES = {action.name for action in ACTIONS} | set(WITHOUT_DEVICE)
EACH = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)


def _schema(action: Action[Any]) -> vol.Schema:
    return vol.Schema({vol.Required("device_id"): str, **action.fields})


def test_every_action_is_described_and_none_besides() -> None:
    described = {name for name in SERVICES if not name.startswith(".")}
    assert described == NAMES
    assert set(EN["services"]) == NAMES
    assert set(ICONS) == NAMES
    assert set(re.findall(r"^### `face_access\.(\w+)`", DOCS, re.MULTILINE)) == NAMES


def test_services_file_is_what_home_assistant_reads() -> None:
    assert set(_SERVICES_SCHEMA(SERVICES)) == NAMES


@EACH
def test_fields_are_the_same_everywhere(action: Action[Any]) -> None:
    described = SERVICES[action.name]["fields"]
    taken = _schema(action).schema
    assert set(described) == {str(marker) for marker in taken}
    assert set(EN["services"][action.name]["fields"]) == set(described)
    required = {str(marker) for marker in taken if isinstance(marker, vol.Required)}
    assert {name for name, entry in described.items() if entry.get("required")} == required
    for text in (EN["services"][action.name], *EN["services"][action.name]["fields"].values()):
        assert text["name"]
        assert text["description"]


@EACH
def test_defaults_that_users_see_are_those_that_hold(action: Action[Any]) -> None:
    validated = _schema(action)({"device_id": "d", **_required(action)})
    for name, entry in SERVICES[action.name]["fields"].items():
        if "default" in entry:
            shown = _schema(action)({"device_id": "d", **_required(action), name: entry["default"]})
            assert shown[name] == validated[name]


@EACH
def test_examples_in_the_docs_are_valid(action: Action[Any]) -> None:
    section = DOCS.split(f"### `face_access.{action.name}`", 1)[1]
    example = _Loader(section.split("```yaml", 1)[1].split("```", 1)[0]).get_single_data()
    assert example["action"] == f"face_access.{action.name}"
    _schema(action)(example["data"])
    # Who offers an answer may show it; who gives nothing else must.
    assert action.response.value in ({"only", "optional"} if "response_variable" in example else {"none", "optional"})


@pytest.mark.parametrize("name", WITHOUT_DEVICE)
def test_actions_without_a_device_are_described_as_they_are(name: str) -> None:
    _, taken, response = WITHOUT_DEVICE[name]
    described = (SERVICES[name] or {}).get("fields", {})
    assert set(described) == {str(marker) for marker in taken}
    assert set(EN["services"][name].get("fields", {})) == set(described)
    required = {str(marker) for marker in taken if isinstance(marker, vol.Required)}
    assert {field for field, entry in described.items() if entry.get("required")} == required
    section = DOCS.split(f"### `face_access.{name}`", 1)[1]
    example = _Loader(section.split("```yaml", 1)[1].split("```", 1)[0]).get_single_data()
    assert example["action"] == f"face_access.{name}"
    vol.Schema(taken)(example["data"])
    given = {field: value for field, value in example["data"].items() if field in required}
    validated = vol.Schema(taken)(given)
    for field, entry in described.items():
        if "default" in entry and field in validated:
            assert vol.Schema(taken)({**given, field: entry["default"]})[field] == validated[field]
    assert ("response_variable" in example) == (response.value == "only") or response.value == "optional"


def test_every_error_has_a_text() -> None:
    code = "".join(path.read_text() for path in (INTEGRATION / "actions").glob("*.py"))
    keys = set(re.findall(r"""(?:invalid\(\s*|translation_key=)"(\w+)\"""", code))
    assert "not_capable" in keys
    assert keys <= set(EN["exceptions"])


async def test_all_are_registered(hass: HomeAssistant, device_id: str) -> None:
    assert set(hass.services.async_services()["face_access"]) >= NAMES
    for action in ACTIONS:
        for entry in SERVICES[action.name]["fields"].values():
            selector.validate_selector(entry["selector"])


def _required(action: Action[Any]) -> dict[str, Any]:
    rule = {"kind": 1, "mode": "daily", "days": [[{"start": "08:00", "end": "09:00"}]]}
    values = {
        "url": "a@b",
        "card": "1",
        "rules": [rule],
        "names": ["a"],
        "kind": "card",
        "uid": 1,
        "duration": 60,
    }
    return {str(name): values.get(str(name), "text") for name in action.fields if isinstance(name, vol.Required)}


class _Loader(yaml.SafeLoader):
    """YAML in which a secret is its own name, as a number that any field takes."""


_Loader.add_constructor("!secret", lambda _loader, _node: "1234")
