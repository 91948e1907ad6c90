"""Every entity has a name, every word of a state a translation, and every setting an icon."""

import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.face_access.access import CallState, Liveness, Method, Reason, Verdict
from custom_components.face_access.access.naming import SightingKind
from custom_components.face_access.devices.panel.settings import ROWS as PANEL_ROWS
from custom_components.face_access.devices.station import Setting, SettingKind
from custom_components.face_access.devices.terminal.settings import APP_ROWS, SCREENSAVER, STREAM_ROWS, VOLUME
from custom_components.face_access.sensor import SIGHTINGS

PLATFORMS = {
    SettingKind.TOGGLE: "switch",
    SettingKind.CHOICE: "select",
    SettingKind.NUMBER: "number",
    SettingKind.TEXT: "text",
}
SETTINGS = [row.setting for row in (*APP_ROWS, *STREAM_ROWS, VOLUME, SCREENSAVER, *PANEL_ROWS)]
FOLDER = Path(__file__).parents[2] / "custom_components" / "face_access"


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_setting(setting: Setting) -> None:
    platform = PLATFORMS[setting.kind]
    words = load("translations/en.json")["entity"][platform][setting.key]
    assert words["name"]
    # What more than one family has goes by one name: each of its options has a word, and no other has.
    options = {option for other in SETTINGS if other.key == setting.key for option in other.options}
    assert words.get("state", {}).keys() == options
    assert load("icons.json")["entity"][platform][setting.key]["default"].startswith("mdi:")


def test_no_setting_too_many() -> None:
    """A setting that went must not stay in the tables."""
    keys = {setting.key for setting in SETTINGS}
    for file in ("translations/en.json", "icons.json"):
        found = {key for platform in PLATFORMS.values() for key in load(file)["entity"][platform]}
        assert {key for key in found if not key.startswith("person_")} == keys


def test_names_differ() -> None:
    for platform, entities in load("translations/en.json")["entity"].items():
        # A person's entities stand on a device of their own.
        for of_person in (False, True):
            names = [each["name"] for key, each in entities.items() if key.startswith("person_") is of_person]
            assert len(names) == len(set(names)), platform


def test_sensor_words() -> None:
    sensors = load("translations/en.json")["entity"]["sensor"]
    (denial,) = (description for description in SIGHTINGS if description.key == "last_denial")
    assert sensors["last_denial"]["state"].keys() == set(denial.options)
    assert "unknown" not in denial.options
    assert sensors["call_state"]["state"].keys() == set(CallState)


def test_access_words() -> None:
    attributes = load("translations/en.json")["entity"]["event"]["access"]["state_attributes"]
    assert attributes["event_type"]["state"].keys() == {"granted", "denied"}
    assert attributes["method"]["state"].keys() == set(Method)
    assert attributes["reason"]["state"].keys() == set(Reason)


def test_event_words() -> None:
    attributes = load("translations/en.json")["entity"]["event"]["face"]["state_attributes"]
    for name, words in (
        ("event_type", SightingKind),
        ("reason", Reason),
        ("verdict", Verdict),
        ("liveness", Liveness),
    ):
        assert attributes[name]["state"].keys() == set(words)
