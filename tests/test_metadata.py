"""What Home Assistant's hassfest and HACS ask of an integration's files, as far as it can be seen without them."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
import string
from typing import Any

import hass_frontend
from PIL import Image
import pytest
import yaml

ROOT = Path(__file__).parents[1]
INTEGRATION = ROOT / "custom_components" / "face_access"
RULES = """
action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage dependency-transparency
docs-actions docs-conditions docs-high-level-description docs-installation-instructions docs-removal-instructions
docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data test-before-configure
test-before-setup unique-config-entry

action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters
entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow test-coverage

devices diagnostics discovery discovery-update-info docs-data-update docs-examples docs-known-limitations
docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices entity-category
entity-device-class entity-disabled-by-default entity-translations exception-translations icon-translations
reconfiguration-flow repair-issues stale-devices

async-dependency inject-websession strict-typing
"""


def load(name: str) -> dict[str, Any]:
    text = (INTEGRATION / name).read_text()
    return yaml.safe_load(text) if name.endswith(".yaml") else json.loads(text)


def leaves(tree: dict[str, Any], *path: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, *path, key)
        else:
            yield (*path, key), value


def test_manifest() -> None:
    manifest = load("manifest.json")
    assert list(manifest) == ["domain", "name", *sorted(set(manifest) - {"domain", "name"})]
    assert manifest["domain"] == INTEGRATION.name
    # What HACS demands; what the wheels of Home Assistant OS do not have must never be asked for.
    assert manifest.keys() >= {"codeowners", "documentation", "domain", "issue_tracker", "name", "version"}
    assert manifest["requirements"] == []
    # "custom" is the only tier that Home Assistant gives to an integration that it does not ship.
    assert manifest["quality_scale"] == "custom"
    assert re.search(
        rf'^version = "{re.escape(manifest["version"])}"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )


def test_hacs_knows_every_key() -> None:
    keys = {"name", "homeassistant", "hacs", "country", "render_readme", "zip_release", "filename", "content_in_root"}
    assert {"name", "homeassistant"} <= json.loads((ROOT / "hacs.json").read_text()).keys() <= keys


def test_every_rule_of_the_quality_scale_has_its_status() -> None:
    rules = load("quality_scale.yaml")["rules"]
    assert set(rules) == set(RULES.split())
    for rule, state in rules.items():
        if isinstance(state, str):
            # An exemption, or something that is still to do, wants a reason.
            assert state == "done", rule
        else:
            assert state["status"] in ("done", "exempt", "todo"), rule
            assert state["comment"], rule


def test_actions_are_the_only_keys() -> None:
    """A custom integration may have no templates beginning with a dot."""
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in load("services.yaml"))


def test_translations() -> None:
    fields = string.Formatter()
    for path, text in leaves(load("translations/en.json")):
        for key in path:
            assert re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", key), path
        assert text == text.strip(), path
        assert not re.search(r"<[a-z/!]|(https?|ftp|mqtt)://|www\.|'\{\w+\}'", text, re.IGNORECASE), path
        names = [name for _, name, _, _ in fields.parse(text) if name is not None]
        assert all(name.isidentifier() for name in names), path
        # The frontend knows no values for placeholders in these, and shows an error in their place.
        if {"state", "data", "data_description", "menu_options"}.intersection(path[-2:-1]):
            assert not names, path


@pytest.mark.parametrize("flow", ["config", "options"])
def test_every_field_is_explained(flow: str) -> None:
    for step in load("translations/en.json")[flow]["step"].values():
        assert step.get("data", {}).keys() == step.get("data_description", {}).keys()


def test_icons_exist() -> None:
    known = json.loads((Path(hass_frontend.__file__).parent / "static" / "mdi" / "iconList.json").read_text())
    names = {f"mdi:{icon['name']}" for icon in known}
    icons = load("icons.json")
    for path, icon in leaves(icons):
        assert icon in names, path
    for entity in (entity for platform in icons["entity"].values() for entity in platform.values()):
        assert entity["default"] not in entity.get("state", {}).values()


@pytest.mark.parametrize(("name", "size"), [("icon.png", (256, 256)), ("icon@2x.png", (512, 512))])
def test_brand(name: str, size: tuple[int, int]) -> None:
    with Image.open(INTEGRATION / "brand" / name) as icon:
        assert icon.size == size
