"""What the flows ask for, and what they call that which goes wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_SSL, CONF_USERNAME, CONF_VERIFY_SSL
from homeassistant.helpers import selector
import probatio as vol

from ..access import DoorMode, Factor
from ..const import (
    CONF_DOOR_MODE,
    CONF_FACTORS,
    CONF_FACTORS_WITHIN,
    CONF_LIVENESS_REQUIRED,
    CONF_MINIMUM_SCORE,
    CONF_PUSH,
    DEFAULT_FACTORS_WITHIN,
    LOGGER,
)
from ..devices.errors import (
    StationAuthError,
    StationCertificateError,
    StationConnectionError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationTimeoutError,
    StationUnsupportedError,
)

_HTTPS_PORT = 443
_MOST_SECONDS = 300
_HIGHEST_SCORE = 100


def whole(most: int) -> vol.All[Any]:
    """Ask for a number from 1."""
    config = selector.NumberSelectorConfig(min=1, max=most, step=1, mode=selector.NumberSelectorMode.BOX)
    return vol.All(selector.NumberSelector(config), vol.Coerce(int))


_PORT = whole(65535)
_PASSWORD = selector.TextSelector(
    selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD, autocomplete="current-password")
)
_USERNAME = selector.TextSelector(selector.TextSelectorConfig(autocomplete="username"))
_ADMIN = "admin"

DIRECT_SCHEMA = vol.Schema({vol.Required(CONF_HOST): selector.TextSelector(), vol.Required(CONF_PORT): _PORT})
PANEL_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): selector.TextSelector(),
        vol.Required(CONF_USERNAME, default=_ADMIN): _USERNAME,
        # Optional, since a panel that is changed keeps the one it has.
        vol.Optional(CONF_PASSWORD): _PASSWORD,
        vol.Required(CONF_SSL, default=False): selector.BooleanSelector(),
        vol.Required(CONF_VERIFY_SSL, default=True): selector.BooleanSelector(),
        vol.Optional(CONF_PORT): _PORT,
    }
)
LOGIN_SCHEMA = vol.Schema(
    {vol.Required(CONF_USERNAME, default=_ADMIN): _USERNAME, vol.Required(CONF_PASSWORD): _PASSWORD}
)
PUSH_SCHEMA = vol.Schema({vol.Required(CONF_PUSH, default=True): selector.BooleanSelector()})


def policy_fields(factors: Iterable[Factor] = Factor) -> dict[vol.Marker, Any]:
    """Ask what a door asks for before it opens for a face; `factors` are those that somebody can give there."""
    modes = selector.SelectSelectorConfig(options=list(DoorMode), translation_key=CONF_DOOR_MODE)
    given = selector.SelectSelectorConfig(options=list(factors), multiple=True, translation_key=CONF_FACTORS)
    return {
        vol.Required(CONF_DOOR_MODE, default=DoorMode.NOTIFY_ONLY): selector.SelectSelector(modes),
        vol.Required(CONF_LIVENESS_REQUIRED, default=True): selector.BooleanSelector(),
        vol.Optional(CONF_MINIMUM_SCORE): whole(_HIGHEST_SCORE),
        vol.Optional(CONF_FACTORS, default=[]): selector.SelectSelector(given),
        vol.Required(CONF_FACTORS_WITHIN, default=DEFAULT_FACTORS_WITHIN): whole(_MOST_SECONDS),
    }


def panel_port(answers: dict[str, Any], usual: int) -> int:
    """Find the port that was meant by an empty field."""
    return int(answers.get(CONF_PORT) or (_HTTPS_PORT if answers[CONF_SSL] else usual))


# The most specific class comes first.
_ERRORS: Mapping[type[StationError], str] = {
    StationTimeoutError: "timeout",
    StationCertificateError: "certificate",
    StationConnectionError: "cannot_connect",
    StationAuthError: "invalid_auth",
    StationForbiddenError: "forbidden",
    StationUnsupportedError: "unsupported",
    StationProtocolError: "not_a_station",
    StationError: "refused",
}


def error_key(err: StationError) -> str:
    """Find the flow's word for an error."""
    LOGGER.debug("not set up: %s", err)
    return next(key for kind, key in _ERRORS.items() if isinstance(err, kind))
