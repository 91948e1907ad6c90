"""Who may ask: everybody, the holder of a token, or who fetches one with a client id and a secret."""

from dataclasses import dataclass, field
import secrets
import time
from typing import Any, Final

from aiohttp import web

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 (a path)


@dataclass
class Access:
    """`kind` is `none`, `bearer` or `client_credentials`; tokens last `expires_in` seconds."""

    kind: str = "none"
    token: str = "simulated-token"  # noqa: S105 (made up)
    client_id: str = "face-access"
    client_secret: str = "simulated-secret"  # noqa: S105 (made up)
    audience: str = "https://smartface.example"
    expires_in: float = 3600.0
    tokens: dict[str, float] = field(default_factory=dict, repr=False)
    logins: int = 0

    def allows(self, header: str | None) -> bool:
        """Whether a request with this header may go on."""
        if self.kind == "none":
            return True
        given = (header or "").removeprefix("Bearer ")
        if not (header or "").startswith("Bearer "):
            return False
        if self.kind == "bearer":
            return secrets.compare_digest(given, self.token)
        return self.tokens.get(given, 0.0) > time.monotonic()

    async def answer(self, request: web.Request) -> web.Response:
        """The token endpoint (RFC 6749, section 4.4)."""
        if self.kind != "client_credentials":
            return web.json_response({"error": "not_found"}, status=404)
        if request.content_type != "application/x-www-form-urlencoded":
            return _no("invalid_request", 400)
        form = await request.post()
        if form.get("grant_type") != "client_credentials":
            return _no("unsupported_grant_type", 400)
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return _no("invalid_client", 401)
        if form.get("audience") != self.audience:
            return _no("access_denied", 403)
        self.logins += 1
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.monotonic() + self.expires_in
        reply: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in}
        return web.json_response(reply)

    def revoke(self) -> None:
        """End every token that was given."""
        self.tokens.clear()


def _no(error: str, status: int) -> web.Response:
    return web.json_response({"error": error}, status=status)
