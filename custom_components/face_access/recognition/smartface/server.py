"""Where a SmartFace server is, and who we are to it (recognition-servers document, section 1.2)."""

from dataclasses import dataclass, field
from typing import Final

from ..errors import EngineAuthError
from ..remote.http import base_of

PORT: Final = 8098


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """A login by OAuth2 (grant `client_credentials`), as servers in the vendor's cloud want one."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    audience: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server's base address, such as `http://192.168.1.20:8098`; a path in front of `/api/v1` is kept.

    `token` is a bearer token that never changes, `login` a way to get one; a stock server wants neither. `verify` False
    takes any certificate. Raises EngineAddressError, and EngineAuthError for what no header can carry.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    login: ClientCredentials | None = None
    verify: bool = True

    def __post_init__(self) -> None:
        """Look at the addresses and at the token."""
        base_of(self.url)
        if self.login is not None:
            base_of(self.login.token_url)
        if self.token is not None and not usable_token(self.token):
            raise EngineAuthError("the token has characters that no token has")


def usable_token(token: str) -> bool:
    """Whether a text can stand in a header as a token."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
