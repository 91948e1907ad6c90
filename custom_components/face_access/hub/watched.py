"""Whom a watched camera shows: stored and told like every sighting, and judged where a door was chosen for the camera.

The camera's own preferences decide, and what the door asks for besides: a door that never opens by our word does not
open for a camera either, and its second factors are wanted from whoever the camera sees.
"""

from dataclasses import replace
from functools import partial

from homeassistant.core import HomeAssistant, callback

from ..access import Decision, DoorMode, Person, Reason, Sighting
from ..access.naming import recognised_name
from ..const import CONF_DOOR, LOGGER
from ..coordinator import FaceAccessCoordinator
from ..devices.errors import StationError
from .doors import async_find, async_open
from .intake import Intake
from .telling import async_tell_decision


class Watched:
    """What one camera's eye reports."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
        """Bind to the camera's coordinator."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._intake = Intake(hass, coordinator)
        self._content = b""
        self._frozen = b""

    @callback
    def async_note(self, content: bytes) -> None:
        """Remember a frame: one that comes twice, to the last byte, was not taken twice."""
        if content == self._content:
            self._frozen = content
        self._content = content

    @callback
    def async_report(self, sighting: Sighting) -> None:
        """Take in a sighting of the eye's."""
        # A camera that stands still shows for ever who was there once: that is no evidence of anybody.
        if self._frozen and sighting.pictures.scene == self._frozen:
            sighting = replace(sighting, repeated=True)
        self._entry.async_create_task(self._hass, self._take(sighting), "face_access sighting")

    async def _take(self, sighting: Sighting) -> None:
        door: str | None = self._entry.options.get(CONF_DOOR)
        judge = None if door is None else partial(self._judge, door)
        decision = await self._intake.async_take(sighting, None, judge)
        if decision is None or door is None:
            return
        named, _ = self._coordinator.async_identify(sighting, None)
        # The logbook hears of everybody anyway; of a decision only where somebody might have been let in.
        if named.recognised:
            async_tell_decision(self._coordinator, recognised_name(named), decision)
        if decision.granted:
            await self._open(door)

    def _judge(self, door: str, sighting: Sighting, person: Person | None) -> Decision:
        policy, found = self._coordinator.policy(), async_find(self._hass, door)
        if found is not None:
            asked = found[0].policy()
            mode = DoorMode.NEVER if asked.mode is DoorMode.NEVER else policy.mode
            policy = replace(policy, mode=mode, factors=policy.factors | asked.factors)
        decision = self._coordinator.async_decide_at(sighting, person, door, policy)
        # Granted in vain, nobody shall read that somebody was let in.
        return Decision(reason=Reason.DEVICE) if decision.granted and found is None else decision

    async def _open(self, name: str) -> None:
        if (found := async_find(self._hass, name)) is None:
            return
        coordinator, door = found
        try:
            await async_open(coordinator, door)
        except StationError as err:
            LOGGER.error("%s: %s did not open its door: %s", self._entry.title, coordinator.name, err)
