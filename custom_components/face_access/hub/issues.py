"""Repair issues: what a person can mend, raised and cleared by condition."""

from collections.abc import Container, Mapping
from datetime import timedelta

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import CLOCK_TOLERANCE, DOMAIN
from ..devices.station import SettingValue
from ..recognition.errors import ModelDamagedError, ModelError, ModelLicenceError, ModelMissingError

BROKER_ELSEWHERE = "broker_elsewhere"
BROKER_MISSING = "broker_missing"
CLOCK_WRONG = "clock_wrong"
ENGINE_AWAY = "engine_away"
LOG_FORBIDDEN = "log_forbidden"
LOG_REFUSED = "log_refused"
MACHINE_SLOW = "machine_slow"
MODEL_DAMAGED = "model_damaged"
MODEL_LICENCE = "model_licence"
MODEL_MISSING = "model_missing"
MODEL_UNUSABLE = "model_unusable"
MODEL_UNMEASURED = "model_unmeasured"
NETWORKS_HERE = "networks_here"
PUSH_MISSING = "push_missing"
QUESTIONS_MISSING = "questions_missing"
RESTART_NEEDED = "restart_needed"
WEBHOOK_MISSING = "webhook_missing"
WRONG_STATION = "wrong_station"
_WARNINGS = (CLOCK_WRONG, ENGINE_AWAY, MACHINE_SLOW, MODEL_UNMEASURED, NETWORKS_HERE, RESTART_NEEDED)
# The most specific class comes first.
_MODELS: Mapping[type[ModelError], str] = {
    ModelMissingError: MODEL_MISSING,
    ModelDamagedError: MODEL_DAMAGED,
    ModelLicenceError: MODEL_LICENCE,
    ModelError: MODEL_UNUSABLE,
}
# Those that are found out again where they still hold.
_FLEETING = (
    BROKER_ELSEWHERE,
    BROKER_MISSING,
    CLOCK_WRONG,
    ENGINE_AWAY,
    LOG_FORBIDDEN,
    LOG_REFUSED,
    MACHINE_SLOW,
    MODEL_UNMEASURED,
    *_MODELS.values(),
    PUSH_MISSING,
    QUESTIONS_MISSING,
    WEBHOOK_MISSING,
    WRONG_STATION,
)


@callback
def clock(hass: HomeAssistant, entry: ConfigEntry, offset: timedelta | None) -> None:
    """The device's clock is off: validity dates, schedules and the order of history suffer. Fixable: we set it."""
    if offset is None:
        return
    if abs(offset) <= CLOCK_TOLERANCE:
        _clear(hass, entry, CLOCK_WRONG)
        return
    minutes = str(round(abs(offset).total_seconds() / 60))
    _raise(hass, entry, CLOCK_WRONG, {"minutes": minutes}, fixable=True)


@callback
def push_missing(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """The device sees faces and its pushes do not arrive. Fixable: we write our address into it again."""
    _raise(hass, entry, PUSH_MISSING, {}, fixable=True)


@callback
def push_arrived(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """A push arrived: all is well again."""
    _clear(hass, entry, PUSH_MISSING)


@callback
def wrong_station(hass: HomeAssistant, entry: ConfigEntry, found: str) -> None:
    """Another device answers at this station's address, or uses its URL: two devices must never share one."""
    expected = entry.unique_id or ""
    _raise(hass, entry, WRONG_STATION, {"expected": expected, "found": found[:32]}, fixable=False)


@callback
def webhook_missing(hass: HomeAssistant, entry: ConfigEntry, *, missing: bool) -> None:
    """The first rung: our webhook cannot be made on the station, or does not reach us. Fixable: we try again."""
    if missing:
        _raise(hass, entry, WEBHOOK_MISSING, {}, fixable=True)
    else:
        _clear(hass, entry, WEBHOOK_MISSING)


@callback
def broker_missing(hass: HomeAssistant, entry: ConfigEntry, *, missing: bool) -> None:
    """The second rung: there is no MQTT, or the station publishes nothing on it. Only the household can change that."""
    if missing:
        _raise(hass, entry, BROKER_MISSING, {}, fixable=False)
    else:
        _clear(hass, entry, BROKER_MISSING)


@callback
def broker_elsewhere(hass: HomeAssistant, entry: ConfigEntry, *, elsewhere: bool) -> None:
    """The station cannot be pointed to the broker, or somebody pointed it elsewhere. Fixable: we point it again."""
    if elsewhere:
        _raise(hass, entry, BROKER_ELSEWHERE, {}, fixable=True)
    else:
        _clear(hass, entry, BROKER_ELSEWHERE)


@callback
def log_refused(hass: HomeAssistant, entry: ConfigEntry, *, forbidden: bool) -> None:
    """The last rung: the station does not tell its log, perhaps for want of rights. Fixable: we ask again."""
    _clear(hass, entry, LOG_REFUSED if forbidden else LOG_FORBIDDEN)
    _raise(hass, entry, LOG_FORBIDDEN if forbidden else LOG_REFUSED, {}, fixable=True)


@callback
def log_told(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """The station tells its log."""
    for key in (LOG_FORBIDDEN, LOG_REFUSED):
        _clear(hass, entry, key)


@callback
def questions_missing(hass: HomeAssistant, entry: ConfigEntry, *, missing: bool) -> None:
    """The station asks somebody else about cards and codes, or nobody. Fixable: we have it ask us again."""
    if missing:
        _raise(hass, entry, QUESTIONS_MISSING, {}, fixable=True)
    else:
        _clear(hass, entry, QUESTIONS_MISSING)


@callback
def models(hass: HomeAssistant, entry: ConfigEntry, problem: ModelError | None) -> None:
    """A model is missing, another file than announced, not free, or unusable: nothing is taken in its place.

    Fixable where a download or a word of the household mends it. `model` is kept with the issue.
    """
    key = next((key for kind, key in _MODELS.items() if isinstance(problem, kind)), None)
    for other in _MODELS.values():
        if other != key:
            _clear(hass, entry, other)
    if problem is not None and key is not None:
        placeholders = {"model": problem.model, "problem": str(problem)}
        _raise(hass, entry, key, placeholders, fixable=key != MODEL_UNUSABLE, data={"model": problem.model})


@callback
def model_at_fault(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Find the model (id) whose licence is to be accepted; None while there is none."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{MODEL_LICENCE}_{entry.entry_id}")
    return None if issue is None or issue.data is None else str(issue.data["model"])


@callback
def engine_away(hass: HomeAssistant, entry: ConfigEntry, problem: str | None) -> None:
    """The recognition server that watches a camera does not, so nobody is recognised there; None when it does again."""
    if problem is None:
        _clear(hass, entry, ENGINE_AWAY)
    else:
        _raise(hass, entry, ENGINE_AWAY, {"problem": problem}, fixable=False)


@callback
def machine_slow(hass: HomeAssistant, entry: ConfigEntry, seconds: float | None) -> None:
    """A picture takes so long that a camera cannot be followed, only looked at now and then; None when it no longer."""
    if seconds is None:
        _clear(hass, entry, MACHINE_SLOW)
    else:
        _raise(hass, entry, MACHINE_SLOW, {"seconds": f"{seconds:.1f}"}, fixable=False)


@callback
def model_unmeasured(hass: HomeAssistant, entry: ConfigEntry, model: str | None) -> None:
    """Nobody measured what the likeness means that the model (id) of a camera finds; None where somebody has."""
    if model is None:
        _clear(hass, entry, MODEL_UNMEASURED)
    else:
        _raise(hass, entry, MODEL_UNMEASURED, {"model": model}, fixable=False)


@callback
def networks_here(hass: HomeAssistant, entry: ConfigEntry, problem: str | None) -> None:
    """An inference server does not run all the networks that it shall, so they run here; None when it does."""
    if problem is None:
        _clear(hass, entry, NETWORKS_HERE)
    else:
        _raise(hass, entry, NETWORKS_HERE, {"problem": problem}, fixable=False)


@callback
def restart_needed(hass: HomeAssistant, entry: ConfigEntry, pending: Mapping[str, SettingValue | None]) -> None:
    """A setting waits for the station to start again. Fixable: we restart it. `pending` is kept with the issue."""
    _raise(hass, entry, RESTART_NEEDED, {}, fixable=True, data=pending)


@callback
def restart_pending(hass: HomeAssistant, entry_id: str) -> Mapping[str, SettingValue | None] | None:
    """Find what `restart_needed` was given; None while no restart is needed."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"{RESTART_NEEDED}_{entry_id}")
    return None if issue is None else issue.data or {}


@callback
def restarted(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """The station started again, or need not."""
    _clear(hass, entry, RESTART_NEEDED)


@callback
def right_station(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """The station itself answers at its address. Should another one still use its URL, it will be heard of again."""
    _clear(hass, entry, WRONG_STATION)


@callback
def clear_all(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget the issues of an entry that starts afresh: those that still hold are raised again.

    That a restart is needed would never be found out again, so it stays.
    """
    for key in _FLEETING:
        _clear(hass, entry, key)


@callback
def clear_others(hass: HomeAssistant, prefix: str, current: Container[str]) -> None:
    """Clear the issues of one kind, whose ids begin with `prefix`, but for those that still hold."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(prefix) and issue_id not in current:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


def _raise(
    hass: HomeAssistant,
    entry: ConfigEntry,
    key: str,
    placeholders: dict[str, str],
    *,
    fixable: bool,
    data: Mapping[str, SettingValue | None] | None = None,
) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{key}_{entry.entry_id}",
        is_fixable=fixable,
        is_persistent=key == RESTART_NEEDED,
        severity=ir.IssueSeverity.WARNING if key in _WARNINGS else ir.IssueSeverity.ERROR,
        translation_key=key,
        translation_placeholders={"name": entry.title, **placeholders},
        data={**(data or {}), "entry_id": entry.entry_id, "issue": key},
    )


def _clear(hass: HomeAssistant, entry: ConfigEntry, key: str) -> None:
    ir.async_delete_issue(hass, DOMAIN, f"{key}_{entry.entry_id}")
