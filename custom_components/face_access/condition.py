"""What an automation can ask of a door: who was there lately, what its policy is, whether it recognises faces.

Every doubt is a no: a target without stations, an entity that is not there.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, ClassVar, Final, Unpack, cast, override

from homeassistant.components.switch import DOMAIN as SWITCH_DOMAIN
from homeassistant.const import CONF_OPTIONS, CONF_TARGET, STATE_ON
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
)
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util
import probatio as vol

from .access import DoorMode
from .const import DOMAIN
from .entity import door_number
from .hub.cameras.station import is_camera
from .hub.doors.policies import policy_of, read_policy, wired_doors
from .hub.happenings import Happens, async_beside, async_ours
from .hub.history.visits import LONGEST, async_get_visits
from .hub.people.entry import is_people
from .hub.servers.coordinator import is_server
from .hub.whom import SCORE_FIELD, WHOM_FIELDS, Whom

CONF_POLICY: Final = "policy"
CONF_WITHIN: Final = "within"
RECOGNITION: Final = "recognition"
_COMBINE: dict[str, Callable[[Iterable[bool]], bool]] = {BEHAVIOR_ANY: any, BEHAVIOR_ALL: all}
_BEHAVIOR: dict[vol.Marker, Any] = {vol.Optional(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In(list(_COMBINE))}


def _schema(options: dict[vol.Marker, Any], *, required: bool = False) -> vol.Schema:
    fields = vol.Required(CONF_OPTIONS) if required else vol.Required(CONF_OPTIONS, default=dict)
    return vol.Schema({vol.Required(CONF_TARGET): cv.TARGET_FIELDS, fields: vol.Schema(options)})


class FaceAccessCondition(Condition):
    """Asks about the doors of a target."""

    schema: ClassVar[vol.Schema]

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check the target and the fields."""
        return cast("ConfigType", cls.schema(config))

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Bind to a target, whose entities may come and go."""
        super().__init__(hass, config)
        self._target = TargetSelection(config.target or {})
        self._options = config.options or {}

    @callback
    def async_targeted(self) -> set[str]:
        """Find every entity of the target, settings included."""
        selected = async_extract_referenced_entity_ids(
            self._hass, self._target, expand_group=False, primary_entities_only=False
        )
        return selected.referenced | selected.indirectly_referenced

    @abstractmethod
    @callback
    def async_answers(self) -> list[bool]:
        """Answer for each door of the target; nothing is a no."""

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        answers = self.async_answers()
        return bool(answers) and _COMBINE[self._options.get(ATTR_BEHAVIOR, BEHAVIOR_ANY)](answers)


class PersonWasAtDoor(FaceAccessCondition):
    """Somebody was recognised there, and not turned away, within a time."""

    schema = _schema(
        {
            **WHOM_FIELDS,
            **SCORE_FIELD,
            vol.Optional(CONF_WITHIN, default=timedelta(minutes=5)): vol.All(
                cv.positive_time_period, vol.Range(max=LONGEST)
            ),
        }
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Bind to a target."""
        super().__init__(hass, config)
        self._whom = Whom.from_options(self._options)
        self._within: timedelta = self._options[CONF_WITHIN]
        self._visits = async_get_visits(hass)

    @override
    @callback
    def async_answers(self) -> list[bool]:
        now = dt_util.utcnow()
        # Events of the same millisecond are told apart by the next one. What is further ahead comes of a wrong clock.
        since, until = now - self._within, now + timedelta(seconds=1)
        return [
            self._visits.async_last(entity_id, self._whom, since=since, until=until) is not None
            for entity_id in async_beside(self._hass, self.async_targeted(), Happens.FACE)
        ]


class DoorPolicyIs(FaceAccessCondition):
    """A door may, or may not, open for a face. Whatever is of a whole station stands for all of its doors."""

    schema = _schema(
        {
            **_BEHAVIOR,
            vol.Required(CONF_POLICY): vol.All(
                vol.EnsureList(), vol.Length(min=1), [vol.In([mode.value for mode in DoorMode])]
            ),
        },
        required=True,
    )

    @override
    @callback
    def async_answers(self) -> list[bool]:
        registry = er.async_get(self._hass)
        modes: dict[tuple[str, int], DoorMode] = {}
        for entity_id in self.async_targeted():
            if (entity := registry.async_get(entity_id)) is not None and entity.platform == DOMAIN:
                modes |= self._modes(entity)
        return [mode in self._options[CONF_POLICY] for mode in modes.values()]

    def _modes(self, entity: er.RegistryEntry) -> dict[tuple[str, int], DoorMode]:
        """Find what the doors of an entity do, by entry and number; 0 for the one that a watched camera looks at."""
        entry = self._hass.config_entries.async_get_entry(entity.config_entry_id or "")
        if entry is None or is_people(entry) or is_server(entry):
            return {}
        if is_camera(entry):
            return {(entry.entry_id, 0): read_policy(entry.options).mode}
        wired, number = range(1, wired_doors(entry.options) + 1), door_number(entity.unique_id)
        doors = [door for door in wired if number in (None, door)]
        return {(entry.entry_id, door): policy_of(entry.options, door).mode for door in doors}


class RecognitionIsOn(FaceAccessCondition):
    """A station compares the faces that it sees."""

    schema = _schema(_BEHAVIOR)

    @override
    @callback
    def async_answers(self) -> list[bool]:
        switches = async_ours(self._hass, self.async_targeted(), RECOGNITION)
        return [
            (state := self._hass.states.get(entity_id)) is not None and state.state == STATE_ON
            for entity_id, entry in switches.items()
            if entry.domain == SWITCH_DOMAIN
        ]


CONDITIONS: dict[str, type[Condition]] = {
    "person_was_at_door": PersonWasAtDoor,
    "door_policy": DoorPolicyIs,
    "recognition_is_on": RecognitionIsOn,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Give what Home Assistant offers in the automation editor."""
    return CONDITIONS
