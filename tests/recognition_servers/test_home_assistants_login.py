"""Home Assistant's own OAuth 2 against the simulated login, and the client of the face scan service on its tokens."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import OAuth2TokenRequestReauthError
from homeassistant.helpers.config_entry_oauth2_flow import LocalOAuth2ImplementationWithPkce
import pytest
from yarl import URL

from custom_components.face_access.recognition.errors import EngineAuthError
from custom_components.face_access.recognition.face_scan import Channel, FaceScanClient
from simulators.face_scan import SimulatedFaceScan

from .conftest import face

type Start = Callable[..., Awaitable[Any]]


class Implementation(LocalOAuth2ImplementationWithPkce):
    """The login with the scope that the service wants."""

    @property
    def redirect_uri(self) -> str:
        return "https://example.com/auth/external/callback"

    @property
    def extra_authorize_data(self) -> dict[str, Any]:
        return {"scope": "openid", **super().extra_authorize_data}


async def test_home_assistant_logs_in_refreshes_and_is_told_to_log_in_again(
    hass: HomeAssistant, session: aiohttp.ClientSession, started: Start
) -> None:
    server: SimulatedFaceScan = await started(SimulatedFaceScan())
    login = Implementation(
        hass, "face_access", "sim-client", server.authorize_url, server.token_url, client_secret="sim-secret"
    )
    url = URL(await login.async_generate_authorize_url("flow"))
    account = {"username": "household", "password": "house-password"}
    async with session.post(url, data=account, allow_redirects=False) as answer:
        back = URL(answer.headers["Location"])
    assert back.query["state"] == url.query["state"]
    state = {"flow_id": "flow", "redirect_uri": login.redirect_uri}
    token = await login.async_resolve_external_data({"code": back.query["code"], "state": state})

    async def provider(refused: str | None = None) -> str:
        nonlocal token
        if refused == token["access_token"]:
            try:
                token = await login.async_refresh_token(token)
            except OAuth2TokenRequestReauthError:
                raise EngineAuthError("log in again") from None
        given: str = token["access_token"]
        return given

    client = FaceScanClient(session, provider, compare=server.compare_url)

    async def compare() -> None:
        await client.compare(face("Alice"), face("Alice"), channel=Channel.OTHER, reference="test")

    await compare()
    server.pass_time(seconds=901)
    await compare()
    assert server.login.granted == ["authorization_code", "refresh_token"]
    server.pass_time(seconds=1801)
    with pytest.raises(EngineAuthError):
        await compare()
    assert len(server.records) == 2
