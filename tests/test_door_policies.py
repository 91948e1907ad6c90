"""Every door has a policy of its own: how it is chosen, kept from earlier versions, and what comes of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import DoorMode, DoorPolicy, Factor
from custom_components.face_access.const import DOMAIN, MINOR_VERSION, VERSION
from custom_components.face_access.entity import door_number
from custom_components.face_access.hub.doors.policies import POLICY_KEYS, per_door, policy_of, read_policy
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal.pictures import sample
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, choose_options, set_policy, settle, until
from .test_condition import ask
from .test_online import ONLINE
from .test_push import seen

SCORE = 93
"""What the simulated terminal says of a good match."""
OPEN, NOTIFY, NEVER = ({"door_mode": mode.value} for mode in (DoorMode.OPEN, DoorMode.NOTIFY_ONLY, DoorMode.NEVER))
WHOLE = {
    "door_mode": "open",
    "liveness_required": False,
    "minimum_score": 90,
    "second_factors": ["presence"],
    "second_factors_within": 60,
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


def fields(flow: Any) -> set[str]:
    return {str(key) for key in flow["data_schema"].schema}


def suggested(flow: Any) -> dict[str, Any]:
    """What a form shows already."""
    return {
        str(key): key.description["suggested_value"]
        for key in flow["data_schema"].schema
        if key.description is not None and "suggested_value" in key.description
    }


async def begin(hass: HomeAssistant, entry: MockConfigEntry) -> Any:
    return await hass.config_entries.options.async_init(entry.entry_id)


# Reading


def test_a_policy_is_read() -> None:
    assert read_policy({}) == DoorPolicy()
    assert read_policy(WHOLE) == DoorPolicy(
        mode=DoorMode.OPEN,
        liveness_required=False,
        minimum_score=90,
        factors=frozenset({Factor.PRESENCE}),
        factors_within=timedelta(minutes=1),
    )
    options = {"door_policies": {"2": WHOLE}}
    assert policy_of(options, 2) == read_policy(WHOLE)
    assert policy_of(options, 1) == policy_of({}, 2) == DoorPolicy()


odd = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3))


@given(st.sampled_from(POLICY_KEYS), odd)
def test_what_cannot_be_read_opens_no_more_than_the_rest_says(key: str, value: Any) -> None:
    """One that another version wrote, or nobody: never wider than without it, and never an error."""
    policy = read_policy({**WHOLE, "liveness_required": True, key: value})
    if policy.mode is DoorMode.OPEN:
        assert key != "door_mode"
        assert policy.liveness_required or value is False
        assert policy.factors or value == []


@pytest.mark.parametrize(
    "chosen", [{"door_mode": "sometimes"}, {"second_factors": ["dance"]}, {"minimum_score": "high"}]
)
def test_what_nobody_knows_never_opens(chosen: dict[str, Any]) -> None:
    assert read_policy({**WHOLE, **chosen}).mode is DoorMode.NEVER


@pytest.mark.parametrize(
    ("unique_id", "number"),
    [
        (f"{SERIAL}-door_2", 2),
        (f"{SERIAL}-open_door_12", 12),
        (f"{SERIAL}-face", None),
        (f"{SERIAL}-lock_time_1", None),
        (f"{SERIAL}-door_sensor", None),
        ("door_1-face", None),
    ],
)
def test_door_of_an_entity(unique_id: str, number: int | None) -> None:
    assert door_number(unique_id) == number


# The form


async def test_one_door_is_one_form(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """And shows what is chosen; a score that is taken back is gone."""
    flow = await choose_options(hass, entry, WHOLE, keep_days=7)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["door_policies"] == {"1": WHOLE}
    assert not set(entry.options) & set(POLICY_KEYS)
    flow = await begin(hass, entry)
    assert (flow["step_id"], flow["last_step"]) == ("init", None)
    assert suggested(flow).items() >= {**WHOLE, "doors": 1, "keep_days": 7}.items()
    await choose_options(hass, entry, {"door_mode": "open"})
    assert "minimum_score" not in entry.options["door_policies"]["1"]


async def test_several_doors_are_asked_about_one_by_one(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A door that is added only notifies until something else is chosen; none is left over when one is taken back."""
    await choose_options(hass, entry, WHOLE)
    flow = await begin(hass, entry)
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {**WHOLE, "doors": 2})
    assert (flow["step_id"], flow["last_step"]) == ("door", True)
    assert flow["description_placeholders"] == {"number": "2", "name": "Front door"}
    # The terminal sees faces at its first door: there is no score of its own at another one.
    assert fields(flow) == set(POLICY_KEYS) - {"minimum_score"}
    assert suggested(flow) == {}
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass)
    coordinator = entry.runtime_data
    assert (coordinator.policy(1), coordinator.policy(2)) == (read_policy(WHOLE), DoorPolicy())
    flow = await begin(hass, entry)
    assert (flow["last_step"], fields(flow) & set(POLICY_KEYS)) == (False, set())
    er.async_get(hass).async_update_entity("lock.front_door_door", name="Garden gate")
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"doors": 1})
    assert flow["description_placeholders"] == {"number": "1", "name": "Garden gate"}
    assert suggested(flow) == WHOLE
    await hass.config_entries.options.async_configure(flow["flow_id"], suggested(flow))
    await settle(hass)
    assert entry.options["door_policies"] == {"1": WHOLE}


async def test_each_door_keeps_what_was_chosen_for_it(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    three = (WHOLE, {"door_mode": "never"}, {"door_mode": "notify_only", "second_factors_within": 45})
    await choose_options(hass, entry, *three)
    flow = await begin(hass, entry)
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"doors": 3})
    for number, chosen in enumerate(three, start=1):
        assert flow["last_step"] is (number == len(three))
        assert suggested(flow).items() >= chosen.items()
        flow = await hass.config_entries.options.async_configure(flow["flow_id"], suggested(flow))
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    kept = [entry.runtime_data.policy(number).mode for number in (1, 2, 3)]
    assert kept == [chosen["door_mode"] for chosen in three]


async def test_a_panels_doors_are_asked_about_what_it_asks(hass: HomeAssistant, panel_entry: MockConfigEntry) -> None:
    """Cards have neither liveness nor a score; a second factor besides them is the face that a camera sees."""
    flow = await begin(hass, panel_entry)
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"doors": 2})
    assert fields(flow) == {"door_mode", "second_factors", "second_factors_within"}


async def test_only_what_can_be_given_at_a_station(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A terminal tells whose card was shown; what is given to the house can be given everywhere."""
    flow = await begin(hass, entry)
    offered = next(field for key, field in flow["data_schema"].schema.items() if key == "second_factors")
    assert set(offered.config["options"]) >= {"credential", "presence", "confirmation"}


# Earlier and later versions

BEFORE = {"keep_days": 7, "door_mode": "open", "liveness_required": False, "second_factors": ["credential"]}


async def set_up_as(hass: HomeAssistant, entry: MockConfigEntry, options: dict[str, Any], *, minor: int) -> None:
    """Start Home Assistant with an entry as another version left it."""
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, options=options, minor_version=minor)
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)


@pytest.mark.parametrize("doors", [None, 1, 3])
async def test_what_was_chosen_for_a_station_is_each_doors(
    hass: HomeAssistant, entry: MockConfigEntry, doors: int | None
) -> None:
    wired = {} if doors is None else {"doors": doors}
    await set_up_as(hass, entry, {**BEFORE, **wired}, minor=1)
    assert entry.state is ConfigEntryState.LOADED
    assert (entry.version, entry.minor_version) == (VERSION, MINOR_VERSION)
    chosen = {key: BEFORE[key] for key in ("door_mode", "liveness_required", "second_factors")}
    policies = {str(number): chosen for number in range(1, (doors or 1) + 1)}
    assert entry.options == {"keep_days": 7, **wired, "door_policies": policies}
    assert entry.runtime_data.policy(doors or 1) == read_policy(BEFORE)
    # A door that is wired later was never told to open.
    assert entry.runtime_data.policy(4) == DoorPolicy()


async def test_who_has_no_doors_stays_as_it_is(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.services.async_call(DOMAIN, "add_person", {"name": "Anna", "card": 1}, blocking=True)
    await settle(hass)
    people = next(one for one in hass.config_entries.async_entries(DOMAIN) if one is not entry)
    await set_up_as(hass, people, {}, minor=1)
    assert (people.state, people.minor_version, people.options) == (ConfigEntryState.LOADED, MINOR_VERSION, {})


async def test_a_later_version_opens_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """It may keep the door shut in ways that are not known here."""
    terminal.app["gate_control"]["match_mode"] = ONLINE
    chosen = per_door({"door_mode": "open"})
    await set_up_as(hass, entry, chosen, minor=MINOR_VERSION + 1)
    assert entry.state is ConfigEntryState.MIGRATION_ERROR
    assert entry.error_reason_translation_key == "later_version"
    assert entry.options == chosen
    await terminal.present_known("0001")
    await settle(hass)
    assert terminal.openings == []


# A terminal


@pytest.fixture
async def asking(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> MockConfigEntry:
    """Have the terminal ask, at two doors."""
    terminal.app["gate_control"]["match_mode"] = ONLINE
    hass.config_entries.async_update_entry(entry, options={"doors": 2})
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    return entry


@pytest.mark.parametrize(
    ("first", "second", "verdict", "reason"),
    [
        (OPEN, NOTIFY, "granted", None),
        (NOTIFY, OPEN, "none", None),
        (NEVER, OPEN, "denied", "policy"),
        (OPEN, NEVER, "granted", None),
        ({**OPEN, "minimum_score": SCORE + 1}, OPEN, "denied", "similarity"),
        ({**OPEN, "minimum_score": SCORE}, {"minimum_score": SCORE + 1}, "granted", None),
        ({**OPEN, "second_factors": ["presence"]}, OPEN, "denied", "second_factor"),
        ({}, OPEN, "none", None),
    ],
)
async def test_the_door_that_is_asked_about_decides(
    hass: HomeAssistant,
    asking: MockConfigEntry,
    terminal: SimulatedTerminal,
    first: dict[str, Any],
    second: dict[str, Any],
    verdict: str,
    reason: str | None,
) -> None:
    """A terminal asks about its first door; what another one asks for says nothing about it."""
    set_policy(hass, asking, **first)
    set_policy(hass, asking, door=2, **second)
    attributes = (await seen(hass, await terminal.present_known("0001"))).attributes
    assert (attributes["verdict"], attributes["reason"]) == (verdict, reason)
    assert [one.reason for one in terminal.openings] == ["online gateway force"] * (verdict == "granted")


async def anna(hass: HomeAssistant, **more: Any) -> HousePeople:
    """Add somebody of the household."""
    people = await async_get_people(hass)
    photo = await asyncio.to_thread(prepare, sample("good"))
    await people.async_add(Profile(id="anna", key=new_key(), name="Anna Berg", **more), [photo])
    return people


async def synced(people: HousePeople, serial: str) -> None:
    """Wait until the station has all that it shall have."""
    async with asyncio.timeout(20):
        await people.workers[serial].done.wait()


async def explained(hass: HomeAssistant, entry: MockConfigEntry, door: int) -> dict[str, Any]:
    """Ask what happens when Anna comes to a door."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    data = {"device_id": device.id, "person_id": "anna", "door": door, "score": SCORE}
    return await hass.services.async_call(DOMAIN, "test_access", data, blocking=True, return_response=True)


async def test_each_door_is_explained(hass: HomeAssistant, asking: MockConfigEntry) -> None:
    await anna(hass)
    set_policy(hass, asking, **OPEN, minimum_score=SCORE)
    set_policy(hass, asking, door=2, **NEVER, minimum_score=SCORE + 1)
    first, second = [await explained(hass, asking, door) for door in (1, 2)]
    assert (first["mode"], first["reasons"], first["station_lets_in"]) == ("open", [], None)
    assert (second["mode"], second["reasons"]) == ("never", ["similarity", "policy"])


# Stations that decide by themselves


def locks(panel: SimulatedPanel) -> list[str]:
    """Which locks open for Anna by the panel's own word."""
    return [one["lock"] for one in panel.identifiers.items.values() if one["identifier_owner"]["name"] == "Anna Berg"]


@pytest.mark.parametrize(
    ("modes", "lock"),
    [
        ((NOTIFY, OPEN), "all"),
        ((NEVER, OPEN), "second"),
        ((NOTIFY, NEVER), "first"),
        ((NEVER, NEVER), None),
    ],
)
async def test_a_panel_is_told_of_the_doors_that_may_open(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    modes: tuple[dict[str, Any], dict[str, Any]],
    lock: str | None,
) -> None:
    """It opens for whom it knows: at a door that never opens they are not let in, at the other one they are."""
    await choose_options(hass, panel_entry, *modes)
    await settle(hass)
    people = await anna(hass)
    await synced(people, panel.serial)
    (given,) = locks(panel)
    opens = [(await explained(hass, panel_entry, door))["station_lets_in"] for door in (1, 2)]
    assert opens == [lock in ("first", "all"), lock in ("second", "all")]
    if lock is not None:
        assert given == lock
    await panel.change_face(enable=True)
    before = len(panel.openings)
    await panel.present_known(owner="Anna Berg", started=True)
    await settle(hass)
    assert (len(panel.openings) > before) is (lock is not None)


@pytest.mark.parametrize(("modes", "opens"), [((NEVER, OPEN), False), ((OPEN, NEVER), True)])
async def test_a_terminal_opens_its_first_door_alone(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    entry: MockConfigEntry,
    modes: tuple[dict[str, Any], dict[str, Any]],
    opens: bool,
) -> None:
    """It knows people, and no doors: whoever may not pass the first one is only known."""
    await choose_options(hass, entry, *modes)
    await settle(hass)
    people = await anna(hass)
    await synced(people, SERIAL)
    assert [(await explained(hass, entry, door))["station_lets_in"] for door in (1, 2)] == [opens, False]
    await seen(hass, await terminal.present_known(people.store.profiles["anna"].key))
    assert bool(terminal.openings) is opens


async def test_a_policy_that_changes_is_told(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    people = await anna(hass)
    await people.async_update(replace(people.store.profiles["anna"], doors=frozenset({f"{panel.serial}_2"})))
    await choose_options(hass, panel_entry, NOTIFY, NOTIFY)
    await until(lambda: locks(panel) == ["second"])
    await synced(people, panel.serial)
    assert (await explained(hass, panel_entry, 2))["station_lets_in"]
    await choose_options(hass, panel_entry, NOTIFY, NEVER)
    await settle(hass)
    await synced(people, panel.serial)
    assert (await explained(hass, panel_entry, 2))["station_lets_in"] is False


# The condition


async def test_the_condition_asks_a_door_or_all_of_a_device(hass: HomeAssistant, asking: MockConfigEntry) -> None:
    set_policy(hass, asking, **NEVER)
    set_policy(hass, asking, door=2, **OPEN)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), asking.entry_id)
    both: dict[str, Any] = {"device_id": device.id}
    for entity, mode in (("lock.front_door_door", "never"), ("button.front_door_open_door_2", "open")):
        for policy in DoorMode:
            assert await ask(hass, "door_policy", entity, policy=policy.value) is (policy == mode)
    for target in (both, {"entity_id": "event.front_door_face"}):
        assert await ask(hass, "door_policy", target, policy="open")
        assert not await ask(hass, "door_policy", target, policy="open", behavior="all")
        assert await ask(hass, "door_policy", target, policy=["open", "never"], behavior="all")
        assert not await ask(hass, "door_policy", target, policy="notify_only")
    # A door that was taken back has no policy, though its lock is there until the next start.
    hass.config_entries.async_update_entry(asking, options={**asking.options, "doors": 1})
    assert not await ask(hass, "door_policy", "lock.front_door_door_2", policy=[mode.value for mode in DoorMode])
