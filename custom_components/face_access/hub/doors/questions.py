"""Stations that ask us about cards and codes before they decide: consent, our answer, and putting back what was there.

Nothing here opens a door by default: without an opinion of ours the station decides as if we were not there.
"""

import asyncio
from collections.abc import Callable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ...access import Decision, DoorMode, Person, Reason, objection
from ...const import CONF_ANSWER_QUESTIONS, CONF_PREVIOUS_QUESTIONS, DOMAIN, LOGGER
from ...coordinator import FaceAccessCoordinator
from ...devices.errors import StationAuthError, StationConnectionError, StationError
from ...devices.station import Message, Question, Station
from .. import issues
from ..news.push_target import async_change_data, async_own_target
from ..telling import async_tell_answer
from .wired import async_wired

# Whose is it? None for a number that nobody of the household has. Must not take long: somebody stands at the door.
type Finder = Callable[[Question], Person | None]

_FINDERS: HassKey[list[Finder]] = HassKey(f"{DOMAIN}_finders")
_RESTORE_TIMEOUT = 10


@callback
def async_register_finder(hass: HomeAssistant, finder: Finder) -> CALLBACK_TYPE:
    """Let somebody who knows whose cards and codes there are take part in every answer; the way to end that."""
    finders = hass.data.setdefault(_FINDERS, [])
    finders.append(finder)
    return lambda: finders.remove(finder)


@callback
def async_consented(entry: ConfigEntry) -> bool:
    """Whether the household wants to be asked."""
    return bool(entry.options.get(CONF_ANSWER_QUESTIONS))


async def async_answer(coordinator: FaceAccessCoordinator, message: Message, question: Question) -> bytes:
    """Answer a question. Whatever goes wrong, and without consent, the answer is that we have no opinion."""
    if not async_consented(coordinator.config_entry):
        return message.answer()
    try:
        if (found := _decide(coordinator, question)) is None:
            return message.answer()
        decision, door, person = found
        async_tell_answer(coordinator, coordinator.door_id(door), person, decision)
        if person is not None and decision.reason in (None, Reason.SECOND_FACTOR):
            # Refused or not, it is theirs, and nothing is held against them: the face may follow, or was there before.
            coordinator.async_shown(person.id, dt_util.utcnow())
    except Exception:  # noqa: BLE001 (logged whole; the station must get its answer)
        LOGGER.exception("%s: a question could not be answered", coordinator.name)
        return message.answer()
    LOGGER.debug("%s asked about a %s: %s", coordinator.name, question.method, decision.reason or "granted")
    return message.answer(decision, door=door)


def _decide(coordinator: FaceAccessCoordinator, question: Question) -> tuple[Decision, int, Person | None] | None:
    """Find the door that it opens, and for whom; None where that is not for us to say.

    The station does not tell at which door somebody stands, so one word must be right for all that are wired. Where one
    of them wants second factors, the station alone must not open it to a card: that it may be another door is no
    reason. Else a door that only notifies, or never opens by our word, is the station's alone to decide.
    """
    wired = async_wired(coordinator)
    finders = coordinator.hass.data.get(_FINDERS, ())
    person = next((found for finder in finders if (found := finder(question)) is not None), None)
    guarded = [door.number for door in wired if coordinator.policy(door.number).factors]
    if person is not None and guarded:
        held_against = objection(person, [coordinator.door_id(door.number) for door in wired], dt_util.utcnow())
        return Decision(reason=held_against or Reason.SECOND_FACTOR), guarded[0], person
    if any(coordinator.policy(door.number).mode is not DoorMode.OPEN for door in wired):
        return None
    decisions = [(coordinator.async_decide_shown(person, door.number), door.number) for door in wired]
    answers = {decision.granted for decision, _ in decisions}
    return (*decisions[0], person) if len(answers) == 1 else None


async def async_redirect(coordinator: FaceAccessCoordinator) -> None:
    """Have the station ask us, and remember whom it asked before. Raises StationError, NoURLAvailableError."""
    entry, asked = coordinator.config_entry, coordinator.station.questions
    if asked is None or not async_consented(entry):
        return
    previous = await asked.redirect(async_own_target(coordinator.hass, entry))
    if previous is not None and CONF_PREVIOUS_QUESTIONS not in entry.data:
        async_change_data(coordinator.hass, entry, CONF_PREVIOUS_QUESTIONS, dict(previous))
    issues.questions_missing(coordinator.hass, entry, missing=False)


async def async_check(coordinator: FaceAccessCoordinator, *, first: bool) -> None:
    """Have the station ask us, once; if somebody has it ask elsewhere later, say so.

    Raises StationConnectionError, StationAuthError.
    """
    entry, asked = coordinator.config_entry, coordinator.station.questions
    if asked is None or not async_consented(entry):
        # Taken back while the station was away: it must not ask where nobody answers any more.
        await async_restore(coordinator.hass, entry, coordinator.station)
        return
    try:
        if first:
            await async_redirect(coordinator)
            return
        ours = await asked.points_to(async_own_target(coordinator.hass, entry))
    except StationConnectionError, StationAuthError:
        raise
    except (StationError, NoURLAvailableError) as err:
        LOGGER.debug("%s cannot be made to ask: %s", coordinator.name, type(err).__name__)
        ours = False
    issues.questions_missing(coordinator.hass, entry, missing=not ours)


async def async_restore(hass: HomeAssistant, entry: ConfigEntry, station: Station) -> None:
    """Put back what was there, unless the station asks somebody else by now: then that is theirs."""
    asked = station.questions
    previous = entry.data.get(CONF_PREVIOUS_QUESTIONS)
    if previous is None or asked is None:
        return
    try:
        async with asyncio.timeout(_RESTORE_TIMEOUT):
            if await asked.points_to(async_own_target(hass, entry)):
                await asked.restore(previous)
    except (StationError, NoURLAvailableError, TimeoutError) as err:
        LOGGER.warning("%s still asks here: it could not be told (%s)", entry.title, type(err).__name__)
        return
    async_change_data(hass, entry, CONF_PREVIOUS_QUESTIONS, None)
