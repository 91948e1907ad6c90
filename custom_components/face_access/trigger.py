"""What can start an automation: who was recognised, came in, was turned away or rang.

All of it is read off the event entities. Nothing is replayed: an entity that comes back or is restored starts nothing.
"""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final, cast, override

from homeassistant.components.event import DoorbellEventType
from homeassistant.const import ATTR_ENTITY_ID, CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.target import TargetStateChangedData, async_track_target_selector_state_change_event
from homeassistant.helpers.trigger import Trigger, TriggerActionRunner, TriggerConfig, TriggerNotTriggeredReporter
from homeassistant.helpers.typing import ConfigType
import probatio as vol

from .access import Method, Reason, Verdict
from .access.naming import SightingKind
from .hub.happenings import Happens, async_beside, async_ours, happened_at, is_new, type_of
from .hub.history.visits import async_get_visits
from .hub.whom import SCORE_FIELD, WHOM_FIELDS, Whom

CONF_METHOD: Final = "method"
CONF_REASON: Final = "reason"
CONF_WITHIN: Final = "within"
# Nobody looks into the camera and rings five minutes later.
_RING_WITHIN: Final = timedelta(minutes=5)


def _schema(*fields: Mapping[vol.Marker, Any]) -> vol.Schema:
    options = {marker: check for each in fields for marker, check in each.items()}
    return vol.Schema(
        {vol.Required(CONF_TARGET): cv.TARGET_FIELDS, vol.Required(CONF_OPTIONS, default=dict): vol.Schema(options)}
    )


def _words(key: str, words: type[Method | Reason]) -> Mapping[vol.Marker, Any]:
    return {vol.Optional(key): vol.All(vol.EnsureList(), [vol.In([word.value for word in words])])}


class FaceAccessTrigger(Trigger):
    """Hears of what happens at the event entities of a target."""

    schema: ClassVar[vol.Schema]

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check the target and the fields."""
        return cast("ConfigType", cls.schema(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Bind to a target, whose entities may come and go."""
        super().__init__(hass, config)
        self._target = config.target or {}
        self._options = config.options or {}
        self._whom = Whom.from_options(self._options)

    @abstractmethod
    @callback
    def async_entities(self, entity_ids: set[str]) -> set[str]:
        """Find the entities to listen to, among all that the target has."""

    @abstractmethod
    @callback
    def async_heard(self, state: State) -> dict[str, Any] | None:
        """Take in what just happened at an entity; what the automation is told, None where it is not started."""

    @override
    async def async_attach_runner(
        self, run_action: TriggerActionRunner, did_not_trigger: TriggerNotTriggeredReporter | None = None
    ) -> CALLBACK_TYPE:
        """Listen."""

        @callback
        def changed(data: TargetStateChangedData) -> None:
            event = data.state_change_event
            before, after = event.data["old_state"], event.data["new_state"]
            if after is None or not is_new(before, after) or (told := self.async_heard(after)) is None:
                return
            payload = {"from_state": before, "to_state": after, **told}
            run_action(payload, f"{after.name}: {type_of(after)}", event.context)

        return await async_track_target_selector_state_change_event(
            self._hass, self._target, changed, self.async_entities
        )


def _told(state: State, seen: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Tell what automations want to know, so that their templates need not look for it."""
    attributes = state.attributes if seen is None else seen
    return {
        ATTR_ENTITY_ID: state.entity_id,
        "person": attributes.get("person") or attributes.get("owner"),
        "person_id": attributes.get("person_id"),
        "score": attributes.get("score"),
        "reason": attributes.get("reason"),
        "picture": attributes.get("picture"),
    }


class FaceTrigger(FaceAccessTrigger):
    """A face of one kind was seen."""

    kind: ClassVar[SightingKind]

    @override
    @callback
    def async_entities(self, entity_ids: set[str]) -> set[str]:
        return set(async_ours(self._hass, entity_ids, Happens.FACE))

    @override
    @callback
    def async_heard(self, state: State) -> dict[str, Any] | None:
        if type_of(state) != self.kind or not self._whom.async_fits(self._hass, state.attributes):
            return None
        return _told(state)


class PersonRecognisedTrigger(FaceTrigger):
    """Somebody known came, and was not turned away."""

    kind = SightingKind.RECOGNISED
    schema = _schema(WHOM_FIELDS, SCORE_FIELD)


class UnknownFaceTrigger(FaceTrigger):
    """A stranger came."""

    kind = SightingKind.STRANGER
    schema = _schema()


class SpoofAttemptTrigger(FaceTrigger):
    """Somebody showed a picture or a mask."""

    kind = SightingKind.SPOOF
    schema = _schema(WHOM_FIELDS, SCORE_FIELD)


class PassageTrigger(FaceAccessTrigger):
    """Somebody came in or was turned away, by whatever means the station tells of."""

    verdict: ClassVar[Verdict]

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Bind to a target."""
        super().__init__(hass, config)
        self._methods: list[str] = self._options.get(CONF_METHOD, [])
        self._reasons: list[str] = self._options.get(CONF_REASON, [])

    @override
    @callback
    def async_entities(self, entity_ids: set[str]) -> set[str]:
        """Prefer the access event of a device that has one: it tells of faces too, and once is enough."""
        found = async_ours(self._hass, entity_ids, Happens.FACE, Happens.ACCESS)
        logged = {entry.device_id for entry in found.values() if entry.translation_key == Happens.ACCESS}
        return {
            entity_id
            for entity_id, entry in found.items()
            if entry.translation_key == Happens.ACCESS or entry.device_id not in logged
        }

    @override
    @callback
    def async_heard(self, state: State) -> dict[str, Any] | None:
        attributes = state.attributes
        # A face event knows no method, but whether a card was there.
        method = attributes.get("method") or (Method.CARD if attributes.get("card") else Method.FACE)
        if (
            _verdict(state) != self.verdict
            or (self._methods and method not in self._methods)
            or (self._reasons and attributes.get("reason") not in self._reasons)
            or not self._whom.async_fits(self._hass, attributes)
        ):
            return None
        return {**_told(state), "method": str(method), "doors": attributes.get("doors", [])}


def _verdict(state: State) -> str | None:
    """Read what came of it. An access event says so by its type, a face event by its verdict, or by being refused."""
    kind = type_of(state)
    if kind in (Verdict.GRANTED, Verdict.DENIED):
        return kind
    return Verdict.DENIED if kind == SightingKind.SPOOF else state.attributes.get("verdict")


class AccessGrantedTrigger(PassageTrigger):
    """Somebody came in."""

    verdict = Verdict.GRANTED
    schema = _schema(WHOM_FIELDS, SCORE_FIELD, _words(CONF_METHOD, Method))


class AccessDeniedTrigger(PassageTrigger):
    """Somebody was turned away."""

    verdict = Verdict.DENIED
    schema = _schema(WHOM_FIELDS, SCORE_FIELD, _words(CONF_METHOD, Method), _words(CONF_REASON, Reason))


class KnownVisitorTrigger(FaceAccessTrigger):
    """Somebody known rings: recognised shortly before they ring or shortly after, in whichever order. Once per ring."""

    schema = _schema(
        WHOM_FIELDS,
        SCORE_FIELD,
        {
            vol.Optional(CONF_WITHIN, default=timedelta(seconds=30)): vol.All(
                cv.positive_time_period, vol.Range(max=_RING_WITHIN)
            )
        },
    )

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Bind to a target."""
        super().__init__(hass, config)
        self._within: timedelta = self._options[CONF_WITHIN]
        self._visits = async_get_visits(hass)
        self._rang: dict[str, State] = {}
        """The rings whose visitor is not known yet, by device."""

    @override
    @callback
    def async_entities(self, entity_ids: set[str]) -> set[str]:
        """Find the bells that are meant, and the faces of the same devices."""
        bells = async_beside(self._hass, entity_ids, Happens.DOORBELL)
        return {*bells, *async_beside(self._hass, bells, Happens.FACE)}

    @override
    @callback
    def async_heard(self, state: State) -> dict[str, Any] | None:
        at = happened_at(state)
        faces = async_beside(self._hass, [state.entity_id], Happens.FACE)
        if at is None or not faces:
            return None
        entity_id, device = next(iter(faces.items()))
        if entity_id == state.entity_id:
            return self._async_seen(state, device)
        if type_of(state) != DoorbellEventType.RING:
            return None
        visit = self._visits.async_last(entity_id, self._whom, since=at - self._within, until=at)
        if visit is None:
            self._rang[device] = state
            return None
        self._rang.pop(device, None)
        return _told(state, visit.attributes)

    def _async_seen(self, state: State, device: str) -> dict[str, Any] | None:
        """Look whether this is who rang a moment ago."""
        rang, at = self._rang.get(device), happened_at(state)
        rang_at = happened_at(rang)
        if rang is None or rang_at is None or at is None or type_of(state) != SightingKind.RECOGNISED:
            return None
        if at - rang_at > self._within or not self._whom.async_fits(self._hass, state.attributes):
            return None
        del self._rang[device]
        return _told(rang, state.attributes)


TRIGGERS: dict[str, type[Trigger]] = {
    "person_recognised": PersonRecognisedTrigger,
    "unknown_face": UnknownFaceTrigger,
    "access_granted": AccessGrantedTrigger,
    "access_denied": AccessDeniedTrigger,
    "spoof_attempt": SpoofAttemptTrigger,
    "known_visitor_rang": KnownVisitorTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Give what Home Assistant offers in the automation editor."""
    return TRIGGERS
