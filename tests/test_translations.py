"""Every word that the code asks for is there, none is there in vain, and each has the values that it speaks of.

What belongs to one platform or action stands with its tests; this is about all the rest.
"""

import ast
from collections.abc import Iterator
from datetime import timedelta
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import DoorMode, Factor, Role, Similarity, Verdict
from custom_components.face_access.const import CONF_ENGINE, DOMAIN
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationAuthError,
    StationCertificateError,
    StationConnectionError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
    StationUnsupportedError,
    ValueTooLongError,
    WrongStationError,
)
from custom_components.face_access.devices.panel import judge
from custom_components.face_access.devices.panel.own_people import NOT_TRANSFERABLE
from custom_components.face_access.devices.station import CredentialKind
from custom_components.face_access.devices.terminal.codes import UNKNOWN_CODE, ReplyCode
from custom_components.face_access.flows.camera import CAMERA_SCHEMA, MODELS_SCHEMA, options_schema
from custom_components.face_access.flows.forms import (
    DIRECT_SCHEMA,
    LOGIN_SCHEMA,
    PANEL_SCHEMA,
    PUSH_SCHEMA,
    error_key,
    policy_fields,
)
from custom_components.face_access.flows.options import BROKER_SCHEMA, STATION_SCHEMA
from custom_components.face_access.flows.servers import FORGET_LOGIN, server_error_key
from custom_components.face_access.hub import issues
from custom_components.face_access.hub.errors import translated
from custom_components.face_access.hub.local.engine import MODELS_VARIABLE
from custom_components.face_access.hub.local.gallery_issues import async_report_confusable, async_report_odd_photos
from custom_components.face_access.hub.local.models import ModelState
from custom_components.face_access.hub.people.issues import async_raise_refusal, async_report_undeleted
from custom_components.face_access.hub.servers.people import raise_photos, raise_rebuild
from custom_components.face_access.people.findings import Learned
from custom_components.face_access.people.gallery import photo_code
from custom_components.face_access.people.model import Profile, Storage
from custom_components.face_access.people.refusal import INVALID, NOT_REMOVED, PHOTO_MISSING, Refusal
from custom_components.face_access.people.register import CANNOT_REMOVE, DUPLICATE_FACE, PHOTO_CODES, SERVER_REFUSED
from custom_components.face_access.recognition.enrolment import PhotoCode
from custom_components.face_access.recognition.errors import (
    EngineAddressError,
    EngineAuthError,
    EngineCertificateError,
    EngineError,
    EngineInsecureError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnableError,
    EngineUnreachableError,
    ModelDamagedError,
    ModelLicenceError,
    ModelMissingError,
    ModelUnusableError,
    NoFaceError,
    PhotoRefusedError,
    PictureError,
    RecognitionError,
    RecognitionOffError,
    WorkerBusyError,
)
from custom_components.face_access.recognition.gallery import Confusable
from custom_components.face_access.recognition.servers.kind import FieldKind, HalfLoginError
from custom_components.face_access.recognition.servers.table import SERVERS
from custom_components.face_access.recognition.smartface import TOO_OLD
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.panel import SimulatedPanel
from simulators.smartface import SimulatedSmartFace
from simulators.terminal import SimulatedTerminal

from .cameras.conftest import EMPTY, PlayedCamera, add_camera
from .conftest import add_direct, settle
from .panels import add_panel
from .recognition import toys
from .servers.conftest import add

FOLDER = Path(__file__).parents[1] / "custom_components" / DOMAIN
EN = json.loads((FOLDER / "translations" / "en.json").read_text())
ICONS = json.loads((FOLDER / "icons.json").read_text())
# Codes of refusals, by their names in the code.
PANEL_CODES = {
    value
    for name, value in vars(judge).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, str)
}
STATION_ERRORS: tuple[StationError, ...] = (
    StationError(),
    StationConnectionError(),
    StationTimeoutError(),
    StationProtocolError(),
    StationUnsupportedError(),
    WrongStationError("a", "b"),
    InvalidValueError("field", "problem"),
    ValueTooLongError("field", 1, 2),
    StationAuthError(),
    StationCertificateError(),
    StationForbiddenError(),
    *(InvalidValueError("number", "problem", kind) for kind in ("card_number", "digits", "uuid", "plate")),
    *(StationRefusedError(code) for code in PANEL_CODES - {code.key for code in ReplyCode} - {UNKNOWN_CODE}),
    *(StationRefusedError(code.key) for code in ReplyCode if code not in (ReplyCode.OK, ReplyCode.UNSUPPORTED)),
    StationRefusedError(UNKNOWN_CODE, "99"),
)
SERVER_ERRORS: tuple[EngineError, ...] = (
    EngineTimeoutError("problem"),
    EngineCertificateError("problem"),
    EngineUnreachableError("problem"),
    EngineAuthError("problem"),
    EngineLimitError("code"),
    EngineRefusedError("code"),
    EngineAddressError("problem"),
    EngineInsecureError("problem"),
    EngineProtocolError("problem"),
)
RECOGNITION_ERRORS: tuple[RecognitionError, ...] = (
    *SERVER_ERRORS,
    PhotoRefusedError("code"),
    EngineNotFoundError("code"),
    EngineUnableError("problem"),
    RecognitionError("problem"),
    ModelMissingError("model", "problem"),
    ModelDamagedError("model", "problem"),
    ModelLicenceError("model", "problem"),
    ModelUnusableError("model", "problem"),
    PictureError("problem"),
    RecognitionOffError("problem"),
    NoFaceError(2),
    WorkerBusyError("problem"),
)
# What Home Assistant itself ends a flow with (helpers of config_entries.py).
# Steps of Home Assistant's own part of signing in.
CORE_STEPS = {"auth", "pick_implementation"}
CORE_ABORTS = {"already_configured", "already_in_progress", "reauth_successful", "reconfigure_successful"}
# Written by the document, never read (2.3.1): no device is ever seen to have it.
NEVER_SEEN = {("switch", "temperature_fast")}


def placeholders(text: Any) -> set[str]:
    """Find what a text, or any text in a part of the file, speaks of in braces."""
    if isinstance(text, dict):
        return set().union(*map(placeholders, text.values()))
    return set(re.findall(r"\{(\w+)\}", text))


def sources() -> Iterator[ast.Module]:
    for path in FOLDER.rglob("*.py"):
        yield ast.parse(path.read_text())


def constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def dictionary(node: ast.expr | None, function: ast.AST) -> set[str]:
    """Read the keys of a dict, or of one that was given a name before."""
    if isinstance(node, ast.Name):
        for statement in ast.walk(function):
            if isinstance(statement, ast.Assign) and node.id in {
                getattr(name, "id", None) for name in statement.targets
            }:
                node = statement.value
                break
    if node is None:
        return set()
    assert isinstance(node, ast.Dict), ast.dump(node)
    return {key for item in node.keys if (key := constant(item)) is not None}


def raised() -> Iterator[tuple[str, set[str]]]:
    """Find every exception in the code that is raised with a key of its own, and the values that it gives."""
    for module in sources():
        functions = [node for node in ast.walk(module) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        for function in functions:
            for call in ast.walk(function):
                if not isinstance(call, ast.Call):
                    continue
                keywords = {keyword.arg: keyword.value for keyword in call.keywords}
                if getattr(call.func, "id", None) in ("invalid", "PersonError") and call.args:
                    key = constant(call.args[0])
                    if key is None:
                        # A person's error is passed on as it is.
                        assert ast.unparse(call) == "invalid(err.code, **err.placeholders)"
                        continue
                    yield key, {name for name in keywords if name}
                elif getattr(call.func, "id", None) == "InvalidValueError" and len(call.args) > 2:
                    if (kind := constant(call.args[2])) is not None:
                        yield f"invalid_{kind}", {"field", *(name for name in keywords if name)}
                elif "translation_domain" in keywords and (key := constant(keywords["translation_key"])) is not None:
                    yield key, dictionary(keywords.get("translation_placeholders"), function)


def test_exceptions() -> None:
    """Those of the code and those of stations, none besides, and what they speak of is given."""
    given: dict[str, list[set[str]]] = {}
    for key, values in raised():
        given.setdefault(key, []).append(values)
    assert {"silent", "history", "sound_timeout", "firmware_failed", "no_door"} <= given.keys()
    for error in (*STATION_ERRORS, *RECOGNITION_ERRORS):
        found = translated(error)
        given.setdefault(found["translation_key"], []).append(set(found["translation_placeholders"]))
    # Reasons of the sync and of an import, in the words of refusals.
    given |= {f"refused_{code}": [set()] for code in (PHOTO_MISSING, INVALID, NOT_REMOVED, NOT_TRANSFERABLE)}
    given |= {f"refused_{photo_code(code)}": [set()] for code in PhotoCode}
    given |= {
        f"refused_{code}": [set()] for code in (CANNOT_REMOVE, DUPLICATE_FACE, SERVER_REFUSED, *PHOTO_CODES.values())
    }
    assert given.keys() == EN["exceptions"].keys()
    for key, each in given.items():
        for values in each:
            assert placeholders(EN["exceptions"][key]) <= values, key


def test_errors_have_different_words() -> None:
    """The most specific class wins."""
    keys = [translated(error)["translation_key"] for error in (*STATION_ERRORS, *RECOGNITION_ERRORS)]
    assert len(keys) == len(set(keys))


def test_issues(hass: HomeAssistant, issue_registry: ir.IssueRegistry) -> None:
    """Each with its fix where there is one."""
    entry = MockConfigEntry(domain=DOMAIN, title="Front door", unique_id="a")
    issues.clock(hass, entry, timedelta(minutes=5))
    issues.push_missing(hass, entry)
    issues.wrong_station(hass, entry, "b")
    issues.webhook_missing(hass, entry, missing=True)
    issues.broker_missing(hass, entry, missing=True)
    issues.broker_elsewhere(hass, entry, elsewhere=True)
    issues.questions_missing(hass, entry, missing=True)
    issues.log_refused(hass, entry, forbidden=False)
    # One at a time for each station.
    issues.log_refused(hass, MockConfigEntry(domain=DOMAIN, title="Gate", unique_id="c"), forbidden=True)
    issues.restart_needed(hass, entry, {})
    anna, ben = (Profile(id=name, key=name, name=name, photos=("a",)) for name in ("anna", "ben"))
    async_report_confusable(hass, {"anna": anna, "ben": ben}, [Confusable(first="anna", second="ben", cosine=0.5)])
    odd = {"anna": {"a": Learned(code=PhotoCode.FACE_UNLIKE_OTHERS)}}
    async_report_odd_photos(hass, {"anna": anna}, odd)
    issues.machine_slow(hass, entry, 2.5)
    issues.engine_away(hass, entry, "problem")
    issues.model_unmeasured(hass, entry, "model")
    issues.networks_here(hass, entry, "problem")
    raise_rebuild(hass, entry, 2)
    raise_photos(hass, entry)
    # One at a time for each camera.
    for number, error in enumerate((ModelMissingError, ModelDamagedError, ModelLicenceError, ModelUnusableError)):
        camera = MockConfigEntry(domain=DOMAIN, title=f"Camera {number}", unique_id=f"camera {number}")
        issues.models(hass, camera, error("model", "problem"))
    async_report_undeleted(hass, ["Anna"])
    async_raise_refusal(hass, "issue", person="Anna", station="Front door", refusal=Refusal(PHOTO_MISSING))
    raised_issues = {issue.translation_key: issue for issue in issue_registry.issues.values() if issue.domain == DOMAIN}
    assert raised_issues.keys() == EN["issues"].keys()
    for key, issue in raised_issues.items():
        words = EN["issues"][key]
        assert ("fix_flow" in words) == issue.is_fixable
        assert ("description" in words) != issue.is_fixable
        fetches = key in (issues.MODEL_DAMAGED, issues.MODEL_MISSING)
        # What is to be downloaded is put in when the fix is opened.
        assert placeholders(words) <= issue.translation_placeholders.keys() | ({"models"} if fetches else set())
        if issue.is_fixable:
            waits = key == issues.RESTART_NEEDED
            assert words["fix_flow"]["step"].keys() == {"confirm"} | ({"models"} if fetches else set())
            assert words["fix_flow"]["error"].keys() == {"cannot_fix"} | ({"not_accepted"} if fetches else set())
            assert words["fix_flow"]["abort"].keys() == {"not_loaded"} | ({"not_restarted"} if waits else set())
            assert words["fix_flow"].get("progress", {}).keys() == ({"restarting"} if waits else set())


def flow_words() -> dict[str, set[str]]:
    """Collect the steps, errors, aborts and progress of the config flow from its code."""
    files = ("config_flow.py", "flows/camera.py", "flows/servers.py")
    nodes = [node for file in files for node in ast.walk(ast.parse((FOLDER / file).read_text()))]
    words: dict[str, set[str]] = {"step": set(CORE_STEPS), "error": set(), "abort": set(CORE_ABORTS), "progress": set()}
    names = {"step_id": "step", "reason": "abort", "progress_action": "progress"}
    for node in nodes:
        match node:
            case ast.keyword(arg=str(arg), value=ast.Constant(value=str(value))) if arg in names:
                words[names[arg]].add(value)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))], value=ast.Constant(value=str(value))):
                words["error"].add(value)
    # Those of a station that answers, or does not.
    words["error"] |= {error_key(error) for error in STATION_ERRORS if not isinstance(error, InvalidValueError)}
    # Those of a server, which end a flow where its own pages come before it is asked.
    answered = {server_error_key(error) for error in (*SERVER_ERRORS, EngineRefusedError(TOO_OLD), HalfLoginError())}
    words["error"] |= answered | {"missing", "invalid_list_name", "consent_missing"}
    words["abort"] |= answered
    words["step"] |= {f"server_{kind}" for kind in SERVERS}
    return words


def test_config_flow() -> None:
    """Every step, error and end of the flow."""
    words = flow_words()
    words["step"].discard("init")
    assert {part: set(EN["config"][part]) for part in words} == words
    steps = EN["config"]["step"]
    assert steps["user"]["menu_options"].keys() == steps["user"]["menu_option_descriptions"].keys()
    assert steps["user"]["menu_options"].keys() == {"panel", "direct", "callback", "camera", "people", "server"}
    kinds = {f"server_{kind}" for kind in SERVERS}
    assert steps["server"]["menu_options"].keys() == steps["server"]["menu_option_descriptions"].keys() == kinds
    forms = (
        ("direct", DIRECT_SCHEMA),
        ("panel", PANEL_SCHEMA),
        ("push", PUSH_SCHEMA),
        ("camera", CAMERA_SCHEMA),
        ("models", MODELS_SCHEMA),
        ("reauth_confirm", LOGIN_SCHEMA),
    )
    fields = {step: {str(key) for key in schema.schema} for step, schema in forms}
    # Asked where there is a server to choose.
    fields["camera"].add(CONF_ENGINE)
    fields |= {f"server_{name}": {field.key for field in kind.fields} for name, kind in SERVERS.items()}
    for name in ("server_smartface", "server_inference"):  # what keeps a secret that it can do without
        fields[name] |= {FORGET_LOGIN}
    fields["pick_implementation"] = {"implementation"}
    fields["server_login"] = {field.key for kind in SERVERS.values() for field in kind.fields if field.login}
    for step, keys in fields.items():
        assert set(steps[step]["data"]) == set(steps[step]["data_description"]) == keys, step


@pytest.mark.parametrize(
    ("part", "given"),
    [
        (("step", "push"), {"name", "serial"}),
        (("step", "not_seen"), {"server", "port", "control_path", "upload_path"}),
        (("step", "addresses"), {"server", "port", "control_path", "upload_path"}),
        (("progress", "wait_for_station"), {"server", "port", "control_path", "upload_path"}),
        (("abort", "wrong_station"), {"expected", "found"}),
        (("step", "reauth_confirm"), {"name"}),
        (("step", "server_login"), {"name"}),
        (("step", "sign_in_again"), {"name"}),
        (("step", "models"), {"models"}),
        (("step", "not_downloaded"), {"problem"}),
        (("abort", "models_unreadable"), {"problem"}),
        (("abort", "models_lacking"), {"models"}),
    ],
)
def test_values_in_the_flow(part: tuple[str, str], given: set[str]) -> None:
    """The tests of the flow see that these are given; nothing else speaks of any."""
    assert placeholders(EN["config"][part[0]][part[1]]) == given


def test_no_other_values_in_the_flow() -> None:
    speaking = {
        name
        for kind in ("step", "progress", "abort", "error")
        for name, words in EN["config"][kind].items()
        if placeholders(words)
    }
    stations = {"push", "not_seen", "addresses", "wait_for_station", "wrong_station", "reauth_confirm"}
    cameras = {"models", "not_downloaded", "models_unreadable", "models_lacking"}
    assert speaking == stations | cameras | {"server_login", "sign_in_again"}


def test_options() -> None:
    """Each option has a name and an explanation, and each choice a word."""
    steps = EN["options"]["step"]
    of_door, of_station = ({str(key) for key in fields} for fields in (policy_fields(), STATION_SCHEMA.schema))
    for name, fields in (("init", {"doors"} | of_door | of_station), ("door", of_door)):
        assert set(steps[name]["data"]) == set(steps[name]["data_description"]) == fields
    assert placeholders(steps["door"]) == {"number", "name"}
    people = {"person_role", "photo_storage", "second_factors", "similarity"}
    step = EN["options"]["step"]["camera"]
    assert set(step["data"]) == set(step["data_description"]) == {str(key) for key in options_schema([]).schema}
    numbers = EN["options"]["step"]["server"]
    keys = {number.key for kind in SERVERS.values() for number in kind.numbers}
    assert set(numbers["data"]) == set(numbers["data_description"]) == keys
    assert placeholders(numbers) == {"server"}
    choices = {
        field.key: field.options for kind in SERVERS.values() for field in kind.fields if field.kind is FieldKind.CHOICE
    }
    assert EN["selector"].keys() == {
        "door_mode",
        "event_kind",
        "identifier_kind",
        "method",
        "person_metadata",
        "reason",
        "verdict",
        *people,
        *choices,
    }
    assert {key: tuple(EN["selector"][key]["options"]) for key in choices} == choices
    assert set(EN["selector"]["verdict"]["options"]) == set(Verdict)
    assert set(EN["selector"]["similarity"]["options"]) == set(Similarity)
    assert set(EN["selector"]["second_factors"]["options"]) == set(Factor)
    assert set(EN["selector"]["person_role"]["options"]) == set(Role)
    assert set(EN["selector"]["photo_storage"]["options"]) == set(Storage)
    assert set(EN["selector"]["identifier_kind"]["options"]) == set(CredentialKind)
    assert set(EN["selector"]["door_mode"]["options"]) == set(DoorMode)
    broker = EN["options"]["step"]["broker"]
    assert set(broker["data"]) == set(broker["data_description"]) == {str(key) for key in BROKER_SCHEMA.schema}
    assert placeholders(broker) == {"name", "serial"}
    assert placeholders(step) == placeholders(EN["options"]["error"]) == placeholders(EN["selector"]) == set()


async def test_entities(
    hass: HomeAssistant,
    web: str,
    terminal: SimulatedTerminal,
    panel: SimulatedPanel,
    entity_registry: er.EntityRegistry,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Each entity of stations that have everything has a name of its own, and no name is left over."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    terminal.app["face"]["enable_dereplication"] = True
    panel.settings.values["/access/door/sensor"].update(enable=True, mode="door_sensor")
    used = set()
    for entry in (await add_direct(hass, terminal, push=False), await add_panel(hass, panel, push=False)):
        for doors in (1, 2):
            hass.config_entries.async_update_entry(entry, options={**entry.options, "doors": doors})
            assert await hass.config_entries.async_reload(entry.entry_id)
            await settle(hass)
            used |= {
                (entity.domain, entity.translation_key)
                for entity in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
            }
    monkeypatch.setenv(MODELS_VARIABLE, str(toys.install(tmp_path / "models")))
    await hass.data[DATA_COMPONENT].async_add_entities([PlayedCamera(EMPTY)])
    watched = await add_camera(hass)
    used |= {
        (entity.domain, entity.translation_key)
        for entity in er.async_entries_for_config_entry(entity_registry, watched.entry_id)
    }
    assert await hass.config_entries.async_remove(watched.entry_id)
    smartface, opencv = SimulatedSmartFace(), SimulatedOpenCvFr()
    for server, kind, login in ((smartface, "smartface", {}), (opencv, "opencv_fr", {"api_key": opencv.api_key})):
        await server.start()
        added = await add(hass, kind, url=server.url, **login)
        used |= {
            (entity.domain, entity.translation_key)
            for entity in er.async_entries_for_config_entry(entity_registry, added.entry_id)
        }
        assert await hass.config_entries.async_remove(added.entry_id)
        await server.stop()
    await hass.services.async_call(DOMAIN, "add_person", {"name": "Anna", "card": 1}, blocking=True)
    await settle(hass)
    (people,) = (entry for entry in hass.config_entries.async_entries(DOMAIN) if "people" in entry.data)
    used |= {
        (entity.domain, entity.translation_key)
        for entity in er.async_entries_for_config_entry(entity_registry, people.entry_id)
    }
    there = {(platform, key) for platform, keys in EN["entity"].items() for key in keys}
    assert used == there - NEVER_SEEN
    icons = {(platform, key) for platform, keys in ICONS["entity"].items() for key in keys}
    assert icons <= there
    names = [state.name for state in hass.states.async_all()]
    assert len(names) == len(set(names))


async def test_forms_of_people(hass: HomeAssistant, web: str) -> None:
    """Each field has a name and an explanation, and each error a word."""
    from custom_components.face_access.flows.people import PersonFlow
    from custom_components.face_access.people.model import Profile, new_key

    words = EN["config_subentries"]["person"]
    assert words["initiate_flow"].keys() == {"user", "reconfigure"}
    # Offered only when there is one, so it is not in the form of an empty house.
    sometimes = {"photo_sighting"}
    for step, known in (("user", None), ("reconfigure", Profile(id="anna", key=new_key(), name="Anna"))):
        flow = PersonFlow()
        flow.hass = hass
        schema = (await flow._async_schema(known)).schema
        sections = {str(key): value.schema.schema for key, value in schema.items() if isinstance(value, section)}
        told = words["step"][step]
        assert set(told["data"]) == set(told["data_description"]) == set(map(str, schema)) - sections.keys()
        assert told["sections"].keys() == sections.keys()
        assert {one for part in sections.values() for one in map(str, part)} & set(told["data"]) == set()
        for name, part in sections.items():
            words_of = told["sections"][name]
            fields = {str(key) for key in part} | (sometimes if name == "other_photos" else set())
            assert set(words_of["data"]) == set(words_of["data_description"]) == fields, name
    notes = schema["details"].schema.schema["metadata"].config
    assert EN["selector"][notes["translation_key"]]["fields"].keys() == notes["fields"].keys()
    codes = {key for key, _ in raised() if key.startswith(("person_", "photo_"))} - {"photo_not_wanted"}
    assert set(words["error"]) == codes


def test_numbered_doors_speak_of_their_number() -> None:
    words = {key: name["name"] for keys in EN["entity"].values() for key, name in keys.items()}
    assert {key for key, name in words.items() if placeholders(name)} == {"door_number", "open_door_number"}


def test_words_that_no_entity_shows() -> None:
    """The folders of the media browser, where a model stands, and a line of the logbook for whatever can happen."""
    lines = {f"logbook_{word}": {"who"} for word in ("recognised", "recognised_granted")}
    lines |= {"logbook_denied": {"who", "reason"}}
    lines |= {"logbook_decision_granted": {"who", "door"}, "logbook_decision_denied": {"who", "door", "reason"}}
    lines |= {"logbook_access_granted": {"who", "method"}, "logbook_access_denied": {"who", "method", "reason"}}
    lines |= {f"{line}_door": {*lines[line], "door"} for line in ("logbook_access_granted", "logbook_access_denied")}
    lines |= {f"logbook_{word}": set() for word in ("somebody", "no_reason", "door")}
    lines |= {"logbook_door_number": {"number"}}
    folders = {f"model_{state}" for state in ModelState}
    folders |= {f"media_{word}" for word in ("days", "stations", "people", "strangers", "more", "face", "scene")}
    assert {key: placeholders(text) for key, text in EN["common"].items()} == lines | {key: set() for key in folders}


def test_nothing_else_is_in_the_file() -> None:
    parts = {
        "title",
        "application_credentials",
        "common",
        "config",
        "config_subentries",
        "options",
        "selector",
        "issues",
        "exceptions",
        "entity",
        "services",
        "triggers",
        "conditions",
    }
    assert EN.keys() == parts
    assert EN["config"].keys() == {"step", "progress", "error", "abort"}
