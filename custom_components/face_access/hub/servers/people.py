"""The people of the house on recognition servers: who shall be there, and those that a server will not let go."""

from collections.abc import Iterator
from functools import partial
import sqlite3
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ...const import DOMAIN, LOGGER
from ...devices.station import Enrolment
from ...people.plan import Wanted
from ...people.register import CANNOT_REMOVE, RegisterTarget
from ...recognition.interface import Register
from ..people.household import HousePeople, async_get_people
from ..people.sync import TargetWorker
from .coordinator import ServerCoordinator

SERVER_REBUILD: Final = "server_rebuild"
SERVER_PHOTOS: Final = "server_photos"


async def async_attach_server(hass: HomeAssistant, people: HousePeople, coordinator: ServerCoordinator) -> None:
    """Teach a server the household until its entry is unloaded."""
    register = coordinator.engine.register
    if register is None:
        return
    target = RegisterTarget(coordinator.engine, register, coordinator.ask)
    worker = TargetWorker(
        hass,
        coordinator,
        target,
        people.store,
        wanted=partial(_wanted, people, coordinator.serial, register),
        lists=target.lists,
        put_many=target.put_many,
    )
    worker.listeners.append(partial(_async_report_leaving, hass, people, worker))
    coordinator.on_anew = partial(_async_begin_anew, hass, people, worker, register)
    people.async_keep_worker(worker)
    if register.anew:
        # Made a moment ago, when the server was looked for.
        coordinator.on_anew()


@callback
def _async_begin_anew(hass: HomeAssistant, people: HousePeople, worker: TargetWorker, register: Register) -> None:
    """Have everybody given again: somebody deleted the server's list, or reset the server."""
    register.anew = False
    if people.store.holdings(worker.coordinator.serial):
        LOGGER.warning("%s has lost its list of people; everybody is given again", worker.coordinator.name)
        # Not the entry's: what is on its way while that is unloaded must be written down all the same.
        hass.async_create_task(_async_give_again(worker, register), "face_access list that was lost")


async def _async_give_again(worker: TargetWorker, register: Register) -> None:
    try:
        await worker.async_start_over(_nothing_to_empty)
    except sqlite3.Error as err:
        LOGGER.error("%s: that its list was lost could not be kept: %s", worker.coordinator.name, err)
        register.anew = True


async def _nothing_to_empty() -> None:
    """Leave the list as it is: it is empty."""


def _wanted(people: HousePeople, target: str, register: Register) -> Iterator[Wanted]:
    """Everybody with a face: a server only names people, and who may pass where is decided here."""
    there = {holding.person for holding in people.store.holdings(target).values()}
    for profile in tuple(people.store.profiles.values()):
        if profile.photos or profile.id in there:
            yield Wanted(
                person=profile.id,
                enrolment=Enrolment(key=profile.key, name=profile.name, role=profile.role),
                photos=profile.photos,
                terms=register.terms,
            )


@callback
def _async_report_leaving(hass: HomeAssistant, people: HousePeople, worker: TargetWorker) -> None:
    """Raise an issue while people who were removed here are still on a server that removes nobody."""
    entry = worker.coordinator.config_entry
    staying = [each for each in people.store.holdings(entry.entry_id).values() if each.code == CANNOT_REMOVE]
    if not staying:
        async_clear_leaving(hass, entry.entry_id)
        return
    raise_rebuild(hass, entry, len(staying))


@callback
def raise_rebuild(hass: HomeAssistant, entry: ConfigEntry[Any], staying: int) -> None:
    """Raise the issue for so many people. Fixable: all are given anew."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{SERVER_REBUILD}_{entry.entry_id}",
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=SERVER_REBUILD,
        translation_placeholders={"name": entry.title, "count": str(staying)},
        data={"entry_id": entry.entry_id, "issue": SERVER_REBUILD},
    )


@callback
def async_clear_leaving(hass: HomeAssistant, entry_id: str) -> None:
    """Forget that people are left on a server."""
    ir.async_delete_issue(hass, DOMAIN, f"{SERVER_REBUILD}_{entry_id}")


async def async_keep_otherwise(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """The server shall keep photos otherwise, and does so for new people alone: raise an issue for those before."""
    if (await async_get_people(hass)).store.holdings(entry.entry_id):
        raise_photos(hass, entry)


@callback
def raise_photos(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Raise the issue. Fixable: all are given anew."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{SERVER_PHOTOS}_{entry.entry_id}",
        is_fixable=True,
        # What is on the server cannot be looked up after a restart.
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=SERVER_PHOTOS,
        translation_placeholders={"name": entry.title},
        data={"entry_id": entry.entry_id, "issue": SERVER_PHOTOS},
    )


@callback
def async_clear_photos(hass: HomeAssistant, entry_id: str) -> None:
    """Forget that a server has photos of before."""
    ir.async_delete_issue(hass, DOMAIN, f"{SERVER_PHOTOS}_{entry_id}")


async def async_rebuild(people: HousePeople, coordinator: ServerCoordinator) -> None:
    """Have a server forget everybody, and give it the household anew. Raises EngineError, sqlite3.Error."""
    empty, worker = coordinator.engine.empty, people.workers.get(coordinator.serial)
    if empty is not None and worker is not None:
        await worker.async_start_over(lambda: coordinator.ask(empty()))
        async_clear_photos(coordinator.hass, coordinator.serial)
