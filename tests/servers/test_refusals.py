"""What a single refusal means to a server: whether it is away, and whether the household is asked for its login."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.recognition.errors import EngineAuthError, EngineTimeoutError, EngineUnreachableError
from simulators._terminal import pictures
from simulators.kby import SimulatedKby
from simulators.smartface import SimulatedSmartFace
from tests.conftest import settle

from .test_people import name_somebody, shown, synced


async def test_a_timeout_of_the_server_itself(
    hass: HomeAssistant, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """408 is an answer: whoever gives it is there. A server that a proxy waits for in vain is not."""
    coordinator = smartface_entry.runtime_data
    smartface.fail("Faces/Verify", status=408)
    anna = pictures.panorama("anna")
    with pytest.raises(EngineTimeoutError):
        await coordinator.ask(coordinator.engine.verify.verify(anna, anna, "normal"))
    assert coordinator.last_update_success
    smartface.fail("Faces/Verify", status=504)
    with pytest.raises(EngineUnreachableError):
        await coordinator.ask(coordinator.engine.verify.verify(anna, anna, "normal"))
    assert not coordinator.last_update_success


async def test_one_call_that_is_forbidden(
    hass: HomeAssistant, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """Nobody has to log in again, the server stays there, and the person says who would not have them."""
    smartface.fail("WatchlistMembers/Register", status=403, times=99)
    people = await async_get_people(hass)
    await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    assert smartface_entry.runtime_data.last_update_success
    assert hass.config_entries.flow.async_progress() == []
    assert shown(hass, "smartface_127_0_0_1")["refused"] == 1


async def test_a_login_that_may_do_nothing(
    hass: HomeAssistant, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """Where not even the version may be read, another login is needed."""
    smartface.fail("Version", status=403)
    await smartface_entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_a_proxy_before_a_server_without_login(
    hass: HomeAssistant, kby: SimulatedKby, kby_entry: MockConfigEntry
) -> None:
    """There is nothing that the household could enter: the server is away, and that is all."""
    coordinator, anna = kby_entry.runtime_data, pictures.panorama("anna")
    kby.fail(path="/compare_face", status=401)
    with pytest.raises(EngineAuthError):
        await coordinator.ask(coordinator.engine.verify.verify(anna, anna, "normal"))
    assert not coordinator.last_update_success
    for status in (401, 403):
        kby.fail(path="/compare_face", status=status)
        await coordinator.async_refresh()
        assert not coordinator.last_update_success
    await settle(hass)
    assert hass.config_entries.flow.async_progress() == []


async def test_an_address_that_cannot_be(hass: HomeAssistant, kby_entry: MockConfigEntry) -> None:
    """Somebody edited what Home Assistant keeps: no login would mend that."""
    hass.config_entries.async_update_entry(kby_entry, data={**kby_entry.data, "compare_url": "nowhere"})
    assert not await hass.config_entries.async_reload(kby_entry.entry_id)
    assert kby_entry.state is ConfigEntryState.SETUP_ERROR
    assert hass.config_entries.flow.async_progress() == []
