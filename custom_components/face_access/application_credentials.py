"""Signing in at a recognition service with a client id of the household's own."""

from homeassistant.components.application_credentials import ClientCredential
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2Implementation

from .hub.servers.sign_in import SignIn


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> AbstractOAuth2Implementation:
    """Give the way to sign in by one client id. Where to is not known before the flow or the entry says it."""
    return SignIn(hass, auth_domain, credential)
