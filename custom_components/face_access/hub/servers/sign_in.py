"""Signing in at a recognition service (OAuth2): at the pages that its entry names, and the tokens that come of it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Self, override

from aiohttp import ClientError
from homeassistant.components.application_credentials import AuthImplementation, AuthorizationServer, ClientCredential
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError, OAuth2TokenRequestConnectionError
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    OAuth2Session,
    async_get_config_entry_implementation,
)

from ...const import DOMAIN
from ...recognition.errors import EngineAuthError, EngineUnreachableError

CONF_AUTHORIZE_URL: Final = "authorize_url"
CONF_TOKEN_URL: Final = "token_url"  # noqa: S105 (the name of a field)
CONF_TOKEN: Final = "token"  # noqa: S105 (likewise)
_TIMEOUT: Final = 30


class SignIn(AuthImplementation):
    """One client id of the household's, at a service whose addresses only an entry or its flow knows."""

    def __init__(self, hass: HomeAssistant, auth_domain: str, credential: ClientCredential) -> None:
        """Know the client; `at` says where."""
        super().__init__(hass, auth_domain, credential, AuthorizationServer(authorize_url="", token_url=""))

    def at(self, values: Mapping[str, Any]) -> Self:
        """Sign in at the addresses of an entry. Home Assistant makes a new object whenever it is asked for one."""
        self.authorize_url = values[CONF_AUTHORIZE_URL]
        self.token_url = values[CONF_TOKEN_URL]
        return self

    @property
    @override
    def extra_authorize_data(self) -> dict[str, str]:
        """Ask for OpenID Connect, whose tokens name the roles that the service looks at."""
        return {"scope": "openid"}

    @override
    async def async_resolve_external_data(self, external_data: Any) -> dict[str, Any]:
        """Turn the code into a token. One that cannot be used is refused here: Home Assistant would log it whole."""
        token = await super().async_resolve_external_data(external_data)
        if not _usable(token):
            raise OAuth2TokenRequestConnectionError(domain=DOMAIN)
        return dict(token)


def _usable(token: Any) -> bool:
    """Whether an answer holds a token, and says how long it is good for."""
    if not isinstance(token, dict) or not isinstance(token.get("access_token"), str) or not token["access_token"]:
        return False
    try:
        return int(token["expires_in"]) > 0
    except KeyError, TypeError, ValueError, OverflowError:
        return False


def signs_in_at(found: AbstractOAuth2Implementation, values: Mapping[str, Any]) -> AbstractOAuth2Implementation:
    """Tell a way to sign in where that is done."""
    return found.at(values) if isinstance(found, SignIn) else found


class Tokens:
    """Gives the token of an entry, refreshed in time; see `recognition.servers.kind.TokenProvider`."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], found: AbstractOAuth2Implementation) -> None:
        """Bind to the entry, which keeps the token."""
        self._hass = hass
        self._entry = entry
        self._session = OAuth2Session(hass, entry, signs_in_at(found, entry.data))

    async def __call__(self, refused: str | None = None) -> str:
        """Give the token for the next request."""
        current = self._entry.data[CONF_TOKEN]
        if refused is not None and current.get("access_token") == refused:
            # Home Assistant refreshes by the clock alone; this one is over before its time.
            stale = {**self._entry.data, CONF_TOKEN: {**current, "expires_at": 0}}
            self._hass.config_entries.async_update_entry(self._entry, data=stale)
        if not self._session.valid_token and not current.get("refresh_token"):
            raise EngineAuthError("the sign-in is over, and cannot be renewed by itself")
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._session.async_ensure_token_valid()
        except ConfigEntryAuthFailed:
            raise EngineAuthError("the service wants a new sign-in") from None
        except (HomeAssistantError, ClientError, TimeoutError, ValueError) as err:
            raise EngineUnreachableError(f"the sign-in could not be renewed ({type(err).__name__})") from None
        token: str = self._entry.data[CONF_TOKEN]["access_token"]
        return token


async def async_tokens(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Tokens:
    """Find the tokens of an entry. Raises ConfigEntryNotReady; ConfigEntryAuthFailed where its client id is gone."""
    return Tokens(hass, entry, await async_get_config_entry_implementation(hass, entry))
