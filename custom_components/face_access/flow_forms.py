"""What the flows ask for, and what they call that which goes wrong."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT, CONF_SSL, CONF_USERNAME, CONF_VERIFY_SSL
from homeassistant.helpers import selector
import probatio as vol

from .const import CONF_PUSH, LOGGER
from .devices.errors import (
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
_PORT = vol.All(
    selector.NumberSelector(
        selector.NumberSelectorConfig(min=1, max=65535, step=1, mode=selector.NumberSelectorMode.BOX)
    ),
    vol.Coerce(int),
)
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
