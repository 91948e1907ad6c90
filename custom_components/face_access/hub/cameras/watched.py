"""Whom a watched camera shows: stored and told like every sighting, and judged where a door was chosen for the camera.

The camera's own preferences decide, and what the door asks for besides: a door that never opens by our word does not
open for a camera either, and its second factors and its liveness are wanted from whoever the camera sees.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from ...access import Decision, DoorMode, DoorPolicy, Person, Reason, Sighting
from ...const import CONF_DOOR, LOGGER
from ...coordinator import FaceAccessCoordinator
from ...devices.errors import StationError
from ...devices.station import Door
from ..doors.judgement import Asked
from ..doors.policies import read_policy
from ..doors.wired import async_find, async_open
from ..news.intake import Intake
from .eye import Eye

if TYPE_CHECKING:
    from .station import CameraSettings


class Watched:
    """What one camera's eye reports."""

    def __init__(
        self, hass: HomeAssistant, coordinator: FaceAccessCoordinator, settings: CameraSettings, eye: Eye
    ) -> None:
        """Bind to the camera's coordinator, its settings and who looks through it."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._intake = Intake(hass, coordinator)
        self._settings = settings
        self._eye = eye

    @callback
    def async_report(self, sighting: Sighting) -> None:
        """Take in a sighting of the eye's."""
        self._entry.async_create_task(self._hass, self._take(sighting), "face_access sighting")

    async def _take(self, sighting: Sighting) -> None:
        door: str | None = self._entry.options.get(CONF_DOOR)
        asked = None if door is None else Asked(door=door, judge=partial(self._judge, door))
        decision = await self._intake.async_take(sighting, None, asked)
        if door is not None and decision is not None and decision.granted:
            await self._open(door)

    def _judge(self, door: str, sighting: Sighting, person: Person | None, *, held: datetime | None = None) -> Decision:
        # A frame may be under way for long: the settings of now count, not those that it was looked at with.
        decision = self._coordinator.async_decide_at(sighting, person, door, self.policy(door), held=held)
        # Granted in vain, nobody shall read that somebody was let in.
        in_vain = decision.granted and async_find(self._hass, door) is None
        return Decision(reason=Reason.DEVICE) if in_vain else decision

    @callback
    def policy(self, door: str) -> DoorPolicy:
        """Find what is asked for now before the camera opens a door: by the camera, its eye and the door itself."""
        policy = read_policy(self._entry.options)
        policy = replace(
            policy,
            mode=policy.mode if self._settings.enabled else DoorMode.NEVER,
            liveness_required=policy.liveness_required or self._settings.antispoofing,
            minimum_score=max(policy.minimum_score, self._eye.threshold or 0),
        )
        found = async_find(self._hass, door)
        return policy if found is None else _strictest(policy, *found)

    async def _open(self, name: str) -> None:
        if (found := async_find(self._hass, name)) is None:
            return
        coordinator, door = found
        try:
            await async_open(coordinator, door)
        except StationError as err:
            LOGGER.error("%s: %s did not open its door: %s", self._entry.title, coordinator.name, err)


def _strictest(policy: DoorPolicy, station: FaceAccessCoordinator, door: Door) -> DoorPolicy:
    """Add to a camera's policy what the door itself asks for.

    *Notify only* of the station is not taken over: it is the default, and meant for the faces that the station sees
    itself. Whoever chose *open* for the camera chose it for this door. Nor is its minimum score: another scale.
    """
    asked = station.policy(door.number)
    # A station that only asks about cards and codes has no preference about liveness.
    live = asked.liveness_required and station.station.questions is None
    return replace(
        policy,
        mode=DoorMode.NEVER if asked.mode is DoorMode.NEVER else policy.mode,
        liveness_required=policy.liveness_required or live,
        freshness=min(policy.freshness, asked.freshness),
        factors=policy.factors | asked.factors,
        # Without factors their time says nothing.
        factors_within=min(policy.factors_within, asked.factors_within) if asked.factors else policy.factors_within,
    )
