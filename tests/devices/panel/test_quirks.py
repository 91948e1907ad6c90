"""What is peculiar about these panels and has no better place: one test for each peculiarity of the document."""

from datetime import UTC, datetime
import json

import pytest

from custom_components.face_access.access import Missed, Ring
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationAuthError,
    StationForbiddenError,
    StationRefusedError,
    StationUnsupportedError,
)
from custom_components.face_access.devices.panel.broker import PanelBroker
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.identifier import Identifier, IdentifierType
from custom_components.face_access.devices.panel.inbox import PanelInbox
from custom_components.face_access.devices.panel.info import Kind, parse_info
from custom_components.face_access.devices.panel.locks import MAX_HOLD
from custom_components.face_access.devices.panel.state import PanelState
from custom_components.face_access.devices.panel.station import describe
from custom_components.face_access.devices.panel.webhooks import Webhook
from custom_components.face_access.devices.station import BrokerTarget

from .conftest import INFO, SERIAL, Running, ScriptedPanel


def info_of(model: str) -> dict[str, object]:
    return {**INFO, "device_model": model}


# 1 and 2: who it is, and the login


async def test_who_it_is_stands_above_the_versions_of_the_api(scripted: ScriptedPanel, client: PanelClient) -> None:
    """`/api/info`, without a version and without a login."""
    await client.identify()
    assert [asked.path for asked in scripted.asked] == ["/api/info"]
    assert "Authorization" not in scripted.asked[0].headers


def test_a_model_is_written_without_its_dash() -> None:
    assert describe(parse_info(info_of("av03bd"))).model == "AV-03BD"


def test_the_individual_android_panel_is_no_camdroid() -> None:
    """Its name begins like theirs."""
    individual, camdroid = (parse_info(info_of(model)) for model in ("av08fb", "av03bd"))
    assert (individual.kind, individual.android, individual.faces) == (Kind.INDIVIDUAL, True, True)
    assert (camdroid.android, camdroid.faces) == (False, False)


async def test_a_wrong_password_is_400_and_a_missing_right_is_403(scripted: ScriptedPanel, client: PanelClient) -> None:
    """Neither is the 401 that everybody else would send."""
    scripted.on("GET /api/v1/login", (400, {"error": "Wrong login or password"}))
    with pytest.raises(StationAuthError):
        await client.system.time()
    assert len(scripted.of("/login")) == 1


async def test_an_account_without_rights_reads_and_does_not_write(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /api/v1/login", (200, {"token": "b" * 40, "account_type": "manager"}))
    scripted.on("GET /log/items", (403, {"error": "Administrator rights required"}))
    with pytest.raises(StationForbiddenError):
        await client.log.page()


async def test_what_is_switched_off_answers_a_plain_sentence(scripted: ScriptedPanel, client: PanelClient) -> None:
    """404 with text, not JSON."""
    scripted.on("GET /access/general/facerecognition", (404, "This feature is disabled on your device"))
    with pytest.raises(StationUnsupportedError):
        await client.faces.read()


# 4: face recognition


async def test_the_text_about_a_wrong_mode_forgets_the_third_one(running: Running) -> None:
    """The panel names two modes and knows three: its words are told, and are not what is offered."""
    pair = await running()
    with pytest.raises(StationRefusedError) as error:
        await pair.client.faces._caller.send(
            "POST",
            "/access/general/facerecognition",
            {"enable": True, "similarity": "low", "mode": "4D", "autostart": False},
        )
    assert (error.value.code, error.value.field) == ("wrong_mode", "mode")
    assert "antispoofing" not in (error.value.detail or "")
    assert "antispoofing" in (await pair.client.faces.read()).modes
    pair.panel.clear_violations()


# 5 and 6: units


def test_an_identifier_is_valid_in_seconds() -> None:
    """The log counts in milliseconds."""
    until = datetime(2026, 7, 1, tzinfo=UTC)
    body = Identifier(type=IdentifierType.CARD, owner="Ann", number="1234", valid_until=until).body(parse_info(INFO))
    assert body["valid"]["time"]["to"] == int(until.timestamp())
    assert len(str(body["valid"]["time"]["to"])) == 10


async def test_holding_open_counts_in_seconds_and_for_a_day_at_most(
    scripted: ScriptedPanel, client: PanelClient
) -> None:
    """The schema says a week, the text a day: what both allow. Nothing takes them for milliseconds."""
    scripted.on("POST /access/general/lock/open/emergency", (200, ""))
    await client.locks.hold_open(MAX_HOLD, 1)
    (asked,) = scripted.of("/access/general/lock/open/emergency")
    assert asked.json == {"locks": [{"lock_number": 1, "unlock_time": 86400}]}
    with pytest.raises(InvalidValueError):
        await client.locks.hold_open(MAX_HOLD + 1, 1)


async def test_a_restart_is_a_get(scripted: ScriptedPanel, client: PanelClient) -> None:
    """It acts all the same: sent once, though its answer was lost."""
    scripted.on("GET /system/reboot/run", ConnectionResetError())
    with pytest.raises(Exception, match=r".+"):
        await client.system.reboot()
    assert len(scripted.of("/system/reboot/run")) == 1


# 10: what panels send


def test_further_headers_of_a_webhook_are_a_text_with_json_in_it() -> None:
    body = Webhook(url="http://192.0.2.1/x", events=("log.outgoing_call",), headers={"X-House": "1"}).body()
    assert json.loads(body["headers"]) == {"X-House": "1"}
    with pytest.raises(InvalidValueError):
        Webhook(url="http://192.0.2.1/x", events=("log.outgoing_call",), headers={"Authorization": "no"}).body()


async def test_our_own_logins_are_in_the_log_and_no_news(running: Running) -> None:
    pair = await running()
    state = PanelState(pair.client, pair.panel.serial)
    await state.journal.poll()
    await pair.panel.expire_tokens()
    assert [entry.key for entry in await state.journal.poll()] == ["successful_login_api_call"]


def test_a_history_that_is_replayed_to_a_new_server_rings_nobody(scripted: ScriptedPanel) -> None:
    """A panel that meets its management server for the first time tells all that it remembers, a hundred at a time."""
    state = PanelState(_NoClient(), SERIAL)  # type: ignore[arg-type]
    state.clock_known = True
    broker = PanelBroker(SERIAL, _NoClient(), PanelInbox(state).receiver)  # type: ignore[arg-type]
    now = round(datetime.now(UTC).timestamp() * 1000)
    old = [{"created_at": now - 60_000 - second * 1000, "code": "outgoing_call", "info": {}} for second in range(99)]
    new = {"created_at": now, "code": "outgoing_call", "info": {}}
    events = broker.receive(json.dumps({"body": {"events": [*old, new]}}).encode())
    assert [type(event) for event in events[:99]] == [Missed] * 99
    assert len([event for event in events if isinstance(event, Ring)]) == 1


class _NoClient:
    log = None


async def test_there_is_one_management_server_and_no_user_name_in_it(running: Running) -> None:
    """Pointing it to a broker displaces whoever was there, who comes back to the letter."""
    pair = await running()
    broker = PanelBroker(pair.panel.serial, pair.client, PanelInbox(PanelState(pair.client, SERIAL)).receiver)
    before = (await pair.client.system.management()).raw
    target = BrokerTarget(url="192.0.2.1:1883", password="secret")
    previous = await broker.redirect(target)
    assert previous == before
    written = (await pair.client.system.management()).raw
    assert not {"username", "user", "login"} & {*written, *written["settings"]}
    # Once more: it is there already.
    assert await broker.redirect(target) is None
    await broker.restore(previous, "192.0.2.99:1883")
    assert await broker.points_to(target.url)
    await broker.restore(previous, target.url)
    assert (await pair.client.system.management()).raw == before
