"""What follows from what a panel says of itself."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.devices.errors import StationProtocolError, StationUnsupportedError
from custom_components.face_access.devices.panel.info import Family, Kind, parse_info, read_version
from simulators.panel import MODELS

from .conftest import INFO, Running


@pytest.mark.parametrize("model", list(MODELS))
async def test_simulated_models(running: Running, model: str) -> None:
    pair = await running(model)
    info, known = await pair.client.identify(), MODELS[model]
    assert info.serial == pair.panel.serial
    assert info.family == known.family
    assert info.kind == known.kind
    assert info.base == known.base
    assert info.faces == known.has("face")
    assert info.webhooks == known.has_webhooks
    assert info.mqtt == known.has_mqtt
    assert info.firmware == known.firmware
    # Nothing of this needed a login.
    assert pair.panel.accounts.logins == 0


@pytest.mark.parametrize(
    ("model", "more", "family", "kind"),
    [
        ("av08fb", {}, Family.ANDROID, Kind.INDIVIDUAL),
        ("AV-08FB", {}, Family.ANDROID, Kind.INDIVIDUAL),
        ("aa-14fb2m", {}, Family.ANDROID, Kind.AA),
        ("bi12fb", {}, Family.ANDROID, Kind.BI),
        ("aa07bd", {}, Family.CAMDROID, Kind.AA),
        ("av-03bd", {}, Family.CAMDROID, Kind.INDIVIDUAL),
        ("ba12md", {}, Family.CAMDROID, Kind.BI),
        ("av05fdx", {}, Family.CAMDROID, Kind.INDIVIDUAL),
        ("av05fdx", {"hybrid_enable": True}, Family.ANDROID, Kind.INDIVIDUAL),
        ("", {}, Family.ANDROID, Kind.INDIVIDUAL),
    ],
)
def test_families(model: str, more: dict[str, Any], family: Family, kind: Kind) -> None:
    info = parse_info({"device_serial_number": "1", "device_model": model, **more})
    assert (info.family, info.kind) == (family, kind)


@pytest.mark.parametrize(
    ("model", "api", "base", "flat", "old"),
    [
        ("aa12fb", "2.0.0", "/api/v1", True, False),
        ("aa12fb", "1.8.0", "/api/v0", False, True),
        ("aa12fb", None, "/api/v1", True, False),
        ("av03bd", "1.3.5", "/api/v1", False, False),
        ("av03bd", "0.9", "/api/v0", False, False),
        ("av03bd", "", "/api/v1", False, False),
    ],
)
def test_bases_and_filters_go_by_the_version(model: str, api: str | None, base: str, flat: bool, old: bool) -> None:
    info = parse_info({"device_serial_number": "1", "device_model": model, "api_version": api})
    assert (info.base, info.flat_filters, info.old_paths) == (base, flat, old)


@pytest.mark.parametrize(
    ("firmware", "webhooks", "mqtt"), [("3.25.7", False, True), ("3.25.8", True, True), ("3.14.9", False, False)]
)
def test_what_the_firmware_is_new_enough_for(firmware: str, webhooks: bool, mqtt: bool) -> None:
    info = parse_info({**INFO, "firmware_version": firmware})
    assert (info.webhooks, info.mqtt) == (webhooks, mqtt)


def test_locks() -> None:
    assert parse_info(INFO).locks == 2
    assert parse_info({"device_serial_number": "1", "device_model": "av03bd"}).locks == 8


@pytest.mark.parametrize("raw", [{}, {"device_serial_number": " "}, {"device_serial_number": None}])
def test_who_has_no_serial_number_is_nobody(raw: dict[str, Any]) -> None:
    with pytest.raises(StationProtocolError):
        parse_info(raw)


def test_a_monitor_is_no_panel() -> None:
    with pytest.raises(StationUnsupportedError):
        parse_info({**INFO, "device_type": "monitor"})


def test_versions() -> None:
    assert read_version("v3.25.8-rc1") == (3, 25, 8)
    assert read_version(None) == ()
    assert read_version("beta") == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional={**dict.fromkeys(INFO, _JSON)}))
def test_no_info_breaks_it(raw: dict[str, Any]) -> None:
    try:
        info = parse_info(raw)
    except StationProtocolError, StationUnsupportedError:
        return
    assert info.serial
    assert info.base in ("/api/v0", "/api/v1")
