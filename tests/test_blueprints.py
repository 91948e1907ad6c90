"""Each blueprint, used in an automation and run against the simulated terminal. What opens a door fails closed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
from typing import Any
from urllib.parse import quote

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events, async_mock_service

from custom_components.face_access.access import Liveness, Reason, Role, Sighting, SightingKey, Verdict
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare
from scripts.demo_house.house import House
from simulators._terminal.model import Capture
from simulators._terminal.pictures import sample
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, set_policy, settle, until
from .time_travel import Clock

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "blueprints" / "automation" / "face_access"
BLUEPRINTS = sorted(FOLDER.glob("*.yaml"))
IMPORT = "https://my.home-assistant.io/redirect/blueprint_import/"
PICTURE = "image.front_door_last_sighting"
SWITCH = "switch.front_door_face_recognition"
# Long enough for a door that must not open: there is no end to wait for.
A_WHILE = 0.3

type Use = Callable[..., Any]


@pytest.fixture
def phone(hass: HomeAssistant, device_registry: dr.DeviceRegistry) -> str:
    """A phone with the app of Home Assistant, called "My phone"."""
    app = MockConfigEntry(domain="mobile_app", title="My phone")
    app.add_to_hass(hass)
    device = device_registry.async_get_or_create(
        config_entry_id=app.entry_id, identifiers={("mobile_app", "1")}, name="My phone"
    )
    return device.id


@pytest.fixture
def sent(hass: HomeAssistant) -> list[ServiceCall]:
    """What the phone was sent."""
    return async_mock_service(hass, "notify", "mobile_app_my_phone")


@pytest.fixture
async def use(hass: HomeAssistant, entry: MockConfigEntry) -> Use:
    """Make an automation of a blueprint; it ends with the test."""
    await asyncio.to_thread(
        shutil.copytree, FOLDER, hass.config.path("blueprints", "automation", "face_access"), dirs_exist_ok=True
    )

    async def make(name: str, also: dict[str, Any] | None = None, **inputs: Any) -> None:
        every = {name: inputs, **(also or {})}
        automations = [
            {"alias": name, "use_blueprint": {"path": f"face_access/{name}.yaml", "input": given}}
            for name, given in every.items()
        ]
        assert await async_setup_component(hass, "doorbell", {})
        assert await async_setup_component(hass, "automation", {"automation": automations})
        await settle_started(hass)
        assert [state.state for state in hass.states.async_all("automation")] == ["on"] * len(every)

    return make


async def settle_started(hass: HomeAssistant) -> None:
    """Wait for what begins, not for automations that wait for an answer."""
    for _ in range(20):
        await asyncio.sleep(0)
    await until(lambda: hass.states.async_all("automation"))


async def happens(capture: Capture | None) -> None:
    """Wait until the terminal has told of it."""
    assert capture is not None
    await capture.wait()


def openings(terminal: SimulatedTerminal) -> list[str]:
    """Find the openings that Home Assistant asked for."""
    return [opening.reason for opening in terminal.openings if opening.reason != "local match"]


def tap(hass: HomeAssistant, action: str, **more: Any) -> None:
    hass.bus.async_fire("mobile_app_notification_action", {"action": action, **more})


def see(entry: MockConfigEntry, number: int, **more: Any) -> None:
    """Have the station see Alice as well as can be, but for what is said otherwise."""
    coordinator = entry.runtime_data
    best = {
        "person_id": "0001",
        "person_name": "Alice Gardner",
        "score": 95.0,
        "liveness": Liveness.LIVE,
        "verdict": Verdict.GRANTED,
    }
    coordinator.async_dispatch(
        Sighting(
            source=coordinator.serial,
            key=SightingKey(sequence=number, captured="now"),
            captured_at=dt_util.utcnow(),
            realtime=True,
            **{**best, **more},
        )
    )


async def stop(hass: HomeAssistant) -> None:
    """Stop the automation, with what still waits for an answer."""
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all", "stop_actions": True}, blocking=True)
    await settle(hass)


# What every blueprint is


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
async def test_blueprint_is_valid(hass: HomeAssistant, path: Path) -> None:
    """With valid selectors, for the version that the project needs; and the pages link to it for import."""
    data = await hass.async_add_executor_job(load_yaml_dict, str(path))
    blueprint = Blueprint(data, path=path.name, expected_domain="automation", schema=AUTOMATION_BLUEPRINT_SCHEMA)
    metadata = blueprint.metadata
    assert blueprint.validate() is None
    assert metadata["homeassistant"]["min_version"] == "2026.10.4"
    assert metadata["source_url"].endswith(f"/blueprints/automation/face_access/{path.name}")
    for name, described in blueprint.inputs.items():
        assert described is not None, name
        assert described["name"], name
        assert described["selector"], name
    link = f"{IMPORT}?blueprint_url={quote(metadata['source_url'], safe='')}"
    assert link in (ROOT / "blueprints" / "README.md").read_text()


def test_all_are_here() -> None:
    assert {path.stem for path in BLUEPRINTS} == {
        "ring_confirm_open",
        "confirm_access",
        "unknown_face",
        "welcome",
        "guarded_unlock",
        "recognition_off_while_armed",
        "repeated_denials",
        "missed_visitor",
    }


def test_nothing_else_lies_among_them() -> None:
    """A Home Assistant that is let into the folder fills in its own, which are not ours to give away."""
    files = {path.relative_to(ROOT / "blueprints") for path in (ROOT / "blueprints").rglob("*") if path.is_file()}
    assert files == {Path("README.md"), *(path.relative_to(ROOT / "blueprints") for path in BLUEPRINTS)}


@pytest.mark.parametrize("before", ["nothing", "linked", "own"])
async def test_the_demo_keeps_what_home_assistant_adds(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Ours are listed, and what is added to them is not added to the project."""
    config = tmp_path / "config"

    def start() -> set[Path]:
        House(tmp_path, None, host="127.0.0.1", port=1)._prepare()
        return {path.relative_to(config) for path in (config / "blueprints").rglob("*.yaml")}

    await asyncio.to_thread(config.mkdir)
    elsewhere = tmp_path / "elsewhere"
    await asyncio.to_thread((elsewhere / "automation" / "face_access").mkdir, parents=True)
    if before == "linked":
        await asyncio.to_thread((config / "blueprints").symlink_to, elsewhere)
    elif before == "own":
        await asyncio.to_thread(shutil.copytree, elsewhere, config / "blueprints")
    ours = {Path("blueprints", "automation", "face_access", path.name) for path in BLUEPRINTS}
    assert await asyncio.to_thread(start) == ours
    monkeypatch.setattr(hass.config, "config_dir", str(config))
    assert await async_setup_component(hass, "automation", {})
    assert await async_setup_component(hass, "script", {})
    # Home Assistant puts its own there in the background.
    await hass.async_block_till_done(wait_background_tasks=True)
    listed = await hass.data["blueprint"]["automation"].async_get_blueprints()
    assert set(listed) == {f"face_access/{path.name}" for path in BLUEPRINTS}
    assert await hass.data["blueprint"]["script"].async_get_blueprints()
    test_nothing_else_lies_among_them()
    # At the next start, too, with what Home Assistant has put there.
    assert await asyncio.to_thread(start) > ours


# Ring, look, open


@pytest.mark.parametrize("answer", ["open", "ignore", "old", "none"])
async def test_ring_and_open(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    use: Use,
    device_id: str,
    phone: str,
    sent: list[ServiceCall],
    answer: str,
) -> None:
    await use(
        "ring_confirm_open",
        station=device_id,
        picture="camera.front_door_camera",
        lock="lock.front_door_door",
        phone=phone,
    )
    await terminal.ring()
    await until(lambda: sent)
    data = sent[0].data
    assert (data["title"], data["data"]["image"]) == ("Front door", "/api/camera_proxy/camera.front_door_camera")
    confirm, ignore = data["data"]["actions"]
    assert confirm["authenticationRequired"] is True
    taps = {"open": confirm["action"], "ignore": ignore["action"], "old": "open_01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    if answer in taps:
        tap(hass, taps[answer])
    if answer == "open":
        await until(lambda: openings(terminal))
    else:
        await asyncio.sleep(A_WHILE)
        assert openings(terminal) == []
    # A second tap opens nothing more, and none opens after the answer was no.
    if answer in ("open", "ignore"):
        tap(hass, confirm["action"])
        await asyncio.sleep(A_WHILE)
        assert len(openings(terminal)) == (answer == "open")
    await stop(hass)


async def test_answer_comes_too_late(
    hass: HomeAssistant, terminal: SimulatedTerminal, use: Use, device_id: str, phone: str, sent: list[ServiceCall]
) -> None:
    await use(
        "ring_confirm_open", station=device_id, picture=PICTURE, lock="lock.front_door_door", phone=phone, patience=0
    )
    await terminal.ring()
    await until(lambda: sent)
    await until(lambda: hass.states.async_all("automation")[0].attributes["current"] == 0)
    tap(hass, sent[0].data["data"]["actions"][0]["action"])
    await asyncio.sleep(A_WHILE)
    assert openings(terminal) == []


# A face, and a word from the phone


@pytest.fixture
async def anna_at_a_guarded_door(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, anna: Profile
) -> Profile:
    """Anna of the household, at a terminal that asks and a door that wants a confirmation."""
    terminal.app["gate_control"]["match_mode"] = 2
    set_policy(hass, entry, door_mode="open", second_factors=["confirmation"], second_factors_within=30)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    return anna


@pytest.mark.parametrize("answer", ["open", "ignore", "old", "late"])
async def test_confirm_and_open(
    hass: HomeAssistant,
    anna_at_a_guarded_door: Profile,
    terminal: SimulatedTerminal,
    use: Use,
    device_id: str,
    phone: str,
    sent: list[ServiceCall],
    clock: Clock,
    answer: str,
) -> None:
    """Seen, asked, confirmed, open: all of it in Home Assistant, with the door's own decision."""
    await use("confirm_access", station=device_id, phone=phone)
    await happens(await terminal.present_known(anna_at_a_guarded_door.key))
    await until(lambda: sent)
    data = sent[0].data
    assert (data["title"], data["message"]) == ("Front door", "Anna Berg is at the door. Open?")
    assert data["data"]["image"] == f"/api/image_proxy/{PICTURE}"
    confirm, ignore = data["data"]["actions"]
    assert confirm["authenticationRequired"] is True
    assert openings(terminal) == []
    if answer == "late":
        clock.forward(timedelta(seconds=31))
    taps = {"ignore": ignore["action"], "old": "open_01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    tap(hass, taps.get(answer, confirm["action"]))
    match answer:
        case "open":
            await until(lambda: openings(terminal))
        case "late":
            await until(lambda: len(sent) == 2)
            assert sent[1].data["message"].startswith("The door is still shut")
        case "ignore":
            await until(lambda: hass.states.async_all("automation")[0].attributes["current"] == 0)
        case _:
            await asyncio.sleep(A_WHILE)
    tap(hass, confirm["action"] if answer != "old" else taps["old"])
    await asyncio.sleep(A_WHILE)
    assert len(openings(terminal)) == (answer == "open")
    await stop(hass)


async def test_whoever_is_not_of_the_household_is_not_asked_for(
    hass: HomeAssistant,
    anna_at_a_guarded_door: Profile,
    terminal: SimulatedTerminal,
    use: Use,
    device_id: str,
    phone: str,
    sent: list[ServiceCall],
) -> None:
    """One whom only the terminal knows cannot be confirmed; a stranger even less."""
    await use("confirm_access", station=device_id, phone=phone)
    for scene in (terminal.present_known("0001"), terminal.present_stranger()):
        await happens(await scene)
        await settle(hass)
    assert hass.states.get("event.front_door_face").attributes["event_type"] == "stranger"
    assert sent == []


# A stranger


@pytest.mark.parametrize("answer", ["add", "ignore", "nameless"])
async def test_unknown_face(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    use: Use,
    device_id: str,
    phone: str,
    sent: list[ServiceCall],
    answer: str,
) -> None:
    await use("unknown_face", station=device_id, phone=phone)
    await happens(await terminal.present_known("0001"))
    await happens(await terminal.present_stranger())
    await until(lambda: sent)
    await until(lambda: hass.states.async_all("automation")[0].attributes["current"] == 1)
    data = sent[0].data["data"]
    assert data["image"] == f"/api/image_proxy/{PICTURE}"
    ignore, add = data["actions"]
    assert (add["behavior"], add["authenticationRequired"]) == ("textInput", True)
    enrolled = async_capture_events(hass, "call_service")
    if answer == "ignore":
        tap(hass, ignore["action"])
    else:
        tap(hass, add["action"], reply_text=" Carla " if answer == "add" else " ")
    await until(lambda: hass.states.async_all("automation")[0].attributes["current"] == 0)
    calls = [event.data for event in enrolled if event.data["service"] == "enroll_from_sighting"]
    if answer != "add":
        assert calls == []
        return
    (call,) = calls
    listed = await hass.services.async_call("face_access", "get_sightings", {}, blocking=True, return_response=True)
    (stranger,) = (one for one in listed["sightings"] if one["person_id"] is None)
    assert call["service_data"] == {"sighting_id": stranger["sighting_id"], "name": "Carla", "enabled": False}
    people = await hass.services.async_call("face_access", "list_persons", {}, blocking=True, return_response=True)
    assert [(person["name"], person["enabled"]) for person in people["persons"]] == [("Carla", False)]
    await settle(hass)


async def test_unknown_face_while_somebody_is_home(
    hass: HomeAssistant, terminal: SimulatedTerminal, use: Use, device_id: str, phone: str, sent: list[ServiceCall]
) -> None:
    hass.states.async_set("zone.home", "1")
    away = {"condition": "numeric_state", "entity_id": "zone.home", "below": 1}
    await use("unknown_face", station=device_id, phone=phone, conditions=[away])
    await happens(await terminal.present_stranger())
    await settle(hass)
    assert sent == []


# Welcome


async def test_welcome(hass: HomeAssistant, entry: MockConfigEntry, use: Use, device_id: str, clock: Clock) -> None:
    spoken = async_mock_service(hass, "tts", "speak")
    await use("welcome", station=device_id, voice="tts.cloud", speaker="media_player.hall", greeting="Hello NAME!")
    see(entry, 1)
    see(entry, 2)
    await hass.async_block_till_done()
    see(entry, 3, person_id="0002", person_name="Bob")
    see(entry, 4, person_id="0002", person_name="Bob", verdict=Verdict.NONE)
    await hass.async_block_till_done()
    clock.forward(timedelta(minutes=11))
    see(entry, 5, person_id="0002", person_name="Bob")
    await hass.async_block_till_done()
    await until(lambda: len(spoken) == 3)
    assert [call.data["message"] for call in spoken] == ["Hello Alice Gardner!", "Hello Bob!", "Hello Bob!"]
    assert spoken[0].data["media_player_entity_id"] == "media_player.hall"


async def test_welcome_by_the_station_itself(
    hass: HomeAssistant, terminal: SimulatedTerminal, entry: MockConfigEntry, use: Use, device_id: str
) -> None:
    """Somebody who was turned away a moment before is welcomed all the same once they are let in."""
    await use("welcome", station=device_id, own_voice="notify.front_door_speak")
    see(entry, 1, verdict=Verdict.DENIED, refused=Reason.SCHEDULE)
    see(entry, 2, verdict=Verdict.NONE)
    see(entry, 3)
    await until(lambda: terminal.spoken)
    see(entry, 4)
    await settle(hass)
    assert [item["text"] for item in terminal.spoken] == ["Welcome home, Alice Gardner."]


# Guarded unlock


GUARDED = {"persons": ["0001"], "minimum_score": 90, "lock": "lock.side_door", "alarm": ["alarm_control_panel.house"]}


@pytest.mark.parametrize(
    ("sighting", "inputs", "alarm", "opens"),
    [
        ({}, {}, "disarmed", True),
        ({}, {"alarm": []}, "armed_away", True),
        ({"liveness": Liveness.UNCHECKED}, {}, "disarmed", False),
        ({"liveness": Liveness.SPOOF}, {}, "disarmed", False),
        ({"verdict": Verdict.NONE}, {}, "disarmed", False),
        ({"verdict": Verdict.DENIED}, {}, "disarmed", False),
        ({"score": 89.0}, {}, "disarmed", False),
        ({"score": None}, {}, "disarmed", False),
        ({"person_id": "0002", "person_name": "Bob"}, {}, "disarmed", False),
        ({"person_id": None, "person_name": None}, {}, "disarmed", False),
        ({}, {"persons": []}, "disarmed", False),
        ({}, {}, "armed_home", False),
        ({}, {}, "unavailable", False),
        ({}, {}, "triggered", False),
        ({}, {"alarm": ["alarm_control_panel.gone"]}, "disarmed", False),
        ({}, {"conditions": [{"condition": "template", "value_template": "{{ false }}"}]}, "disarmed", False),
        ({}, {"conditions": [{"condition": "state", "entity_id": "person.x", "state": "home"}]}, "disarmed", False),
    ],
)
async def test_guarded_unlock(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    use: Use,
    device_id: str,
    sighting: dict[str, Any],
    inputs: dict[str, Any],
    alarm: str,
    opens: bool,
) -> None:
    """It opens when everything holds, and when any single thing does not it does not."""
    unlocked = async_mock_service(hass, "lock", "unlock")
    hass.states.async_set("alarm_control_panel.house", alarm)
    await use("guarded_unlock", station=device_id, **{**GUARDED, **inputs})
    see(entry, 1, **sighting)
    await hass.async_block_till_done()
    assert [call.data["entity_id"] for call in unlocked] == ([["lock.side_door"]] if opens else [])


@pytest.fixture
async def anna(hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """Somebody of the household, whom the terminal knows and lets in by itself."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)
    house = await async_get_people(hass)
    photo = await asyncio.to_thread(prepare, sample("good"))
    await house.async_add(Profile(id="anna", key=new_key(), name="Anna Berg"), [photo])
    async with asyncio.timeout(20):
        await house.workers[SERIAL].done.wait()
    return house.store.profiles["anna"]


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({}, None),
        ({"enabled": False}, "disabled"),
        ({"valid_until": datetime(2020, 1, 1, tzinfo=UTC)}, "expired"),
        ({"role": Role.BLOCKED}, "blocked"),
        ({"schedule": "schedule.cleaning"}, "schedule"),
        ({"doors": frozenset({f"{SERIAL}_2"})}, "not_permitted"),
        (None, "unknown"),
    ],
    ids=str,
)
async def test_the_household_objects_before_the_terminal_has_heard(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    use: Use,
    device_id: str,
    anna: Profile,
    changes: dict[str, Any] | None,
    objection: str | None,
) -> None:
    """Written past the sync: the terminal lets her in, and the household opens and greets nothing."""
    unlocked, spoken = async_mock_service(hass, "lock", "unlock"), async_mock_service(hass, "tts", "speak")
    store = (await async_get_people(hass)).store
    # By name too: whom the household removed has no other.
    persons = ["anna", "Anna Berg"]
    inputs = {"station": device_id, "persons": persons}
    guarded = {**GUARDED, **inputs, "alarm": [], "minimum_score": 1}
    await use("welcome", {"guarded_unlock": guarded}, voice="tts.cloud", speaker="media_player.hall", **inputs)
    if changes is None:
        await store.remove("anna")
    elif changes:
        await store.update(replace(anna, **changes))
    await happens(await terminal.present_known(anna.key))
    await settle(hass)
    said = hass.states.get("event.front_door_face").attributes
    assert (said["event_type"], said["verdict"], said["reason"]) == ("recognised", "granted", None)
    assert said["objection"] == objection
    assert (len(unlocked), len(spoken)) == ((1, 1) if objection is None else (0, 0))


@pytest.mark.parametrize(("seconds", "opens"), [(-8, True), (-13, False), (-25, False), (8, True), (13, False)])
async def test_guarded_unlock_asks_when_the_face_was_there(
    hass: HomeAssistant, terminal: SimulatedTerminal, use: Use, device_id: str, seconds: int, opens: bool
) -> None:
    """What is told late is no evidence of who stands there now."""
    unlocked = async_mock_service(hass, "lock", "unlock")
    await use("guarded_unlock", station=device_id, **{**GUARDED, "alarm": [], "minimum_score": 1})
    terminal.clock_offset = seconds
    await happens(await terminal.present_known("0001"))
    await settle(hass)
    said = hass.states.get("event.front_door_face").attributes
    assert (said["verdict"], said["objection"]) == ("granted", None)
    assert abs((dt_util.parse_datetime(said["captured_at"]) - dt_util.utcnow()).total_seconds() - seconds) < 2
    assert len(unlocked) == opens


# Recognition off


async def test_recognition_follows_the_alarm(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, use: Use
) -> None:
    alarm, alice = "alarm_control_panel.house", "person.alice"
    hass.states.async_set(alarm, "disarmed")
    hass.states.async_set(alice, "home")
    await use("recognition_off_while_armed", recognition=[SWITCH], alarm=[alarm], persons=[alice])

    def looks() -> bool:
        return terminal.app["face"]["enable_match"]

    async def is_now(entity_id: str, state: str, expected: bool) -> None:
        hass.states.async_set(entity_id, state)
        await until(lambda: looks() is expected and hass.states.get(SWITCH).state == ("on" if expected else "off"))
        await settle(hass)
        assert looks() is expected

    await is_now(alarm, "armed_away", False)
    await is_now(alarm, "unavailable", False)
    await is_now(alarm, "disarmed", True)
    await is_now(alice, "not_home", False)
    await is_now(alice, "unknown", False)
    await is_now(alarm, "armed_night", False)
    await is_now(alice, "home", False)
    await is_now(alarm, "disarmed", True)
    # Unknown switches nothing on, and nothing off.
    await is_now(alarm, "unknown", True)


async def test_recognition_goes_off_when_the_terminal_is_back(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, use: Use
) -> None:
    """It was away while the house was armed: the switch is made up for."""
    hass.states.async_set("alarm_control_panel.house", "disarmed")
    await use("recognition_off_while_armed", recognition=[SWITCH], alarm=["alarm_control_panel.house"])
    await terminal.cut_network()
    await entry.runtime_data.async_refresh()
    await until(lambda: hass.states.get(SWITCH).state == "unavailable")
    hass.states.async_set("alarm_control_panel.house", "armed_away")
    await settle(hass)
    await terminal.restore_network()
    await entry.runtime_data.async_refresh()
    await until(lambda: terminal.app["face"]["enable_match"] is False)
    await settle(hass)


# Repeated denials


async def test_repeated_denials(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, use: Use, device_id: str
) -> None:
    alarms = async_capture_events(hass, "alarm")
    action = {"event": "alarm", "event_data": {"person": "{{ denied.person }}", "reason": "{{ denied.reason }}"}}
    await use("repeated_denials", station=device_id, count=3, within=600, actions=[action])

    async def denied(capture: Capture | None, running: int) -> None:
        await happens(capture)
        await until(lambda: hass.states.async_all("automation")[0].attributes["current"] == running)

    await denied(await terminal.present_stranger(), 1)
    await denied(await terminal.present_stranger(), 2)
    await happens(await terminal.present_known("0001"))
    assert alarms == []
    await denied(await terminal.present_known("0003"), 2)
    await until(lambda: alarms)
    assert [event.data for event in alarms] == [{"person": "Mallory Pike", "reason": "blocked"}]
    await stop(hass)
    assert len(alarms) == 1


# Missed


@pytest.mark.parametrize("answer", ["nobody", "call", "door", "face"])
async def test_missed_visitor(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    use: Use,
    device_id: str,
    phone: str,
    sent: list[ServiceCall],
    answer: str,
) -> None:
    names = {entity.translation_key: entity.entity_id for entity in entities(hass, entry)}
    await use(
        "missed_visitor",
        station=device_id,
        call=names["call_state"],
        lock="lock.front_door_door",
        picture=PICTURE,
        phone=phone,
        patience=1 if answer == "nobody" else 60,
    )

    def running() -> int:
        return hass.states.async_all("automation")[0].attributes["current"]

    await terminal.ring()
    await until(running)
    match answer:
        case "call":
            await terminal.answer_call()
        case "door":
            await hass.services.async_call("lock", "open", {"entity_id": "lock.front_door_door"}, blocking=True)
        case "face":
            see(entry, 1)
        case _:
            pass
    await until(lambda: running() == 0)
    await settle(hass)
    if answer != "nobody":
        assert sent == []
        return
    (call,) = sent
    assert call.data["title"] == "Front door"
    assert call.data["message"].startswith("Somebody rang at ")
    assert call.data["data"]["image"] == f"/api/image_proxy/{PICTURE}"


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> list[er.RegistryEntry]:
    return er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
