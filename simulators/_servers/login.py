"""A login as Keycloak has it: authorization code (with PKCE), refresh, password; OAuth 2.0, OpenID Connect's paths.

Access tokens last 15 minutes, refresh tokens 30; a refresh token counts once. The page at `/auth` asks for an account;
who posts it gets sent back with a code.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
import hashlib
import html
import secrets
import time
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from .base import Handler, SimulatedServer

REALM: Final = "/realms/dmsworkspace/protocol/openid-connect"
ACCESS: Final = 900
REFRESH: Final = 1800
_CODE: Final = 60
_PAGE: Final = """<!doctype html><title>Log in</title><h1>DMS Workspace (simulated)</h1>
<form method="post" action="{action}"><label>User <input name="username" value="{user}"></label>
<label>Password <input name="password" type="password"></label><button>Log in</button></form>"""


@dataclass(frozen=True, slots=True)
class _Code:
    redirect_uri: str
    challenge: str | None
    expires: float


class Login:
    """Accounts and tokens. `server` hears of what a client did wrong."""

    def __init__(
        self,
        server: SimulatedServer,
        *,
        client_id: str,
        client_secret: str,
        username: str,
        password: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._server = server
        self._client = client_id, client_secret
        self._account = username, password
        self._clock = clock
        self._ahead = 0.0
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, float] = {}
        self._refresh: dict[str, float] = {}
        self.granted: list[str] = []  # the grant types that led to a token
        self.routes: dict[tuple[str, str], Handler] = {
            ("GET", f"{REALM}/auth"): self._ask,
            ("POST", f"{REALM}/auth"): self._log_in,
            ("POST", f"{REALM}/token"): self._token,
        }

    # Scenes.

    def pass_time(self, seconds: float) -> None:
        """Let time go by for every token."""
        self._ahead += seconds

    def end_tokens(self) -> None:
        """No access token counts any more; whoever has a refresh token may go on."""
        self._access.clear()

    def end_sessions(self) -> None:
        """Nobody is logged in any more."""
        self._access.clear()
        self._refresh.clear()

    # For the server.

    def lets_in(self, authorization: str | None) -> bool:
        """Whether a request carries a token that counts."""
        kind, _, token = (authorization or "").partition(" ")
        return kind == "Bearer" and self._access.get(token, 0) > self._now()

    def _now(self) -> float:
        return self._clock() + self._ahead

    # The calls.

    async def _ask(self, request: web.Request) -> web.Response:
        query = request.query
        if (problem := self._wrong_request(query)) is not None:
            self._server.violation(problem)
            return web.Response(status=400, text=problem)
        page = _PAGE.format(action=html.escape(str(request.rel_url)), user=html.escape(self._account[0]))
        return web.Response(text=page, content_type="text/html")

    def _wrong_request(self, query: Mapping[str, str]) -> str | None:
        if query.get("client_id") != self._client[0]:
            return "no such client"
        if query.get("response_type") != "code":
            return "response_type is not code"
        if not query.get("redirect_uri", "").startswith(("http://", "https://")):
            return "redirect_uri is missing"
        if "openid" not in query.get("scope", "").split():
            return "scope lacks openid"
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            return "code_challenge_method is not S256"
        return None

    async def _log_in(self, request: web.Request) -> web.Response:
        query = request.query
        if (problem := self._wrong_request(query)) is not None:
            return web.Response(status=400, text=problem)
        form = await request.post()
        if (form.get("username"), form.get("password")) != self._account:
            return web.Response(status=401, text="wrong account")
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(query["redirect_uri"], query.get("code_challenge"), self._now() + _CODE)
        back = {"code": code, "state": query.get("state", ""), "session_state": secrets.token_hex(8)}
        joint = "&" if "?" in query["redirect_uri"] else "?"
        raise web.HTTPFound(f"{query['redirect_uri']}{joint}{urlencode(back)}")

    async def _token(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            self._server.violation(f"the token was asked for with {request.content_type}")
            return _problem(400, "invalid_request", "Missing form parameter: grant_type")
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not self._is_client(request, form):
            return _problem(401, "unauthorized_client", "Invalid client or Invalid client credentials")
        grant = form.get("grant_type", "")
        checks = {"authorization_code": self._by_code, "refresh_token": self._by_refresh, "password": self._by_password}
        if grant not in checks:
            return _problem(400, "unsupported_grant_type", "Unsupported grant_type")
        if (refused := checks[grant](form)) is not None:
            return refused
        self.granted.append(grant)
        return web.json_response(self.grant(form.get("scope", "openid")))

    def grant(self, scope: str = "openid") -> dict[str, Any]:
        """Make tokens, as the token endpoint gives them."""
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._access[access] = self._now() + ACCESS
        self._refresh[refresh] = self._now() + REFRESH
        return {
            "access_token": access,
            "expires_in": ACCESS,
            "refresh_expires_in": REFRESH,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": secrets.token_hex(8),
            "scope": scope,
        }

    def _is_client(self, request: web.Request, form: Mapping[str, str]) -> bool:
        header = request.headers.get("Authorization", "")
        if header.startswith("Basic "):
            try:
                given = base64.b64decode(header[6:]).decode().partition(":")
            except ValueError:
                return False
            return (given[0], given[2]) == self._client
        return (form.get("client_id"), form.get("client_secret")) == self._client

    def _by_code(self, form: Mapping[str, str]) -> web.Response | None:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires < self._now():
            return _problem(400, "invalid_grant", "Code not valid")
        if form.get("redirect_uri") != code.redirect_uri:
            return _problem(400, "invalid_grant", "Incorrect redirect_uri")
        if code.challenge is not None:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != code.challenge:
                return _problem(400, "invalid_grant", "PKCE verification failed")
        return None

    def _by_refresh(self, form: Mapping[str, str]) -> web.Response | None:
        expires = self._refresh.pop(form.get("refresh_token", ""), 0)
        return None if expires > self._now() else _problem(400, "invalid_grant", "Token is not active")

    def _by_password(self, form: Mapping[str, str]) -> web.Response | None:
        if (form.get("username"), form.get("password")) == self._account:
            return None
        return _problem(401, "invalid_grant", "Invalid user credentials")


def _problem(status: int, error: str, text: str) -> web.Response:
    return web.json_response({"error": error, "error_description": text}, status=status)
