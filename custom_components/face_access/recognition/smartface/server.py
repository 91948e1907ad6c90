"""Where a SmartFace server is, and who we are to it (recognition-servers document, section 1.2)."""

from dataclasses import dataclass, field
from typing import Final

from ..errors import EngineAddressError
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
    takes any certificate. Raises ValueError for what is no address, and for one with a password in it.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    login: ClientCredentials | None = None
    verify: bool = True

    def __post_init__(self) -> None:
        """Look at the addresses and at the token."""
        _check_address(self.url)
        if self.login is not None:
            _check_address(self.login.token_url)
        if self.token is not None and not usable_token(self.token):
            raise ValueError("the token has characters that no token has")


def _check_address(url: str) -> None:
    """Raise ValueError for what is no address; its text does not repeat it."""
    try:
        base_of(url)
    except EngineAddressError as err:
        raise ValueError(str(err)) from None


def usable_token(token: str) -> bool:
    """Whether a text can stand in a header as a token."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token
