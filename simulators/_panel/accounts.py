"""Who may do what: logins by MD5, tokens that expire, HTTP Basic, administrators and managers."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
import hmac
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Final
import uuid

from .errors import LOG_IN, PARAMETERS_MISSED, WRONG_LOGIN, Refusal, wrong
from .model import PASSWORD

if TYPE_CHECKING:
    from .core import Core

_MD5: Final = re.compile(r"[0-9A-Fa-f]{32}")
MANAGER: Final = "manager"


@dataclass(frozen=True, slots=True)
class Token:
    """Who logged in, and until when (monotonic seconds) that counts."""

    username: str
    until: float


class Accounts:
    """`accounts` maps names to a password and a type (admin, manager); Camdroid panels have administrators only."""

    def __init__(self, core: Core, password: str | None) -> None:
        self.core = core
        self.accounts: dict[str, dict[str, str]] = {"admin": {"password": password or PASSWORD, "type": "admin"}}
        if core.model.has("roles"):
            self.accounts[MANAGER] = {"password": PASSWORD, "type": MANAGER}
        self.tokens: dict[str, Token] = {}
        self.logins = 0  # successful ones: each writes an entry into the log, so clients keep their token

    def login(self, query: Mapping[str, str]) -> dict[str, Any]:
        """`GET /login`."""
        username, given = query.get("username"), query.get("password")
        if not username or not given:
            raise wrong(PARAMETERS_MISSED)
        if not _MD5.fullmatch(given):
            self.core.violation("the password of a login is not an MD5 sum")
        account = self.accounts.get(username)
        if account is None or not hmac.compare_digest(_md5(account["password"]), given.lower()):
            self.core.journal.write("incorrect_login_api_call")
            raise wrong(WRONG_LOGIN)
        token = secrets.token_hex(20) if self.core.model.family == "android" else str(uuid.uuid4())
        self.tokens[token] = Token(username, time.monotonic() + self.core.timings.token)
        self.logins += 1
        self.core.journal.write("successful_login_api_call")
        return {"token": token, "account_type": account["type"]}

    def logout(self, header: str | None) -> None:
        """End the session of a token."""
        self.tokens.pop((header or "").removeprefix("Bearer "), None)

    def who(self, header: str | None) -> str:
        """The type of the account of a request; raise `Refusal` 401 when there is none."""
        scheme, _, credentials = (header or "").partition(" ")
        username = None
        if scheme == "Bearer":
            username = self._bearer(credentials)
        elif scheme == "Basic" and self.core.basic:
            username = self._basic(credentials)
        if username is None or username not in self.accounts:
            raise Refusal(401, LOG_IN)
        return self.accounts[username]["type"]

    def _bearer(self, credentials: str) -> str | None:
        token = self.tokens.get(credentials)
        if token is None:
            return None
        if time.monotonic() >= token.until:
            del self.tokens[credentials]
            return None
        return token.username

    def _basic(self, credentials: str) -> str | None:
        """HTTP Basic has the password in clear."""
        try:
            username, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except binascii.Error, UnicodeDecodeError:
            return None
        account = self.accounts.get(username)
        if account is None or not hmac.compare_digest(account["password"].encode(), password.encode()):
            return None
        return username

    def change(self, old: str, new: str) -> None:
        """Change the administrator's password; every token of the old one ends."""
        if old != self.accounts["admin"]["password"]:
            raise wrong("Wrong old password")
        if not new:
            raise wrong("Wrong new password")
        self.set_password("admin", new)

    def set_password(self, username: str, password: str) -> None:
        """Give an account another password."""
        self.accounts[username]["password"] = password
        self.tokens = {key: token for key, token in self.tokens.items() if token.username != username}
        self.core.save()


def _md5(password: str) -> str:
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
