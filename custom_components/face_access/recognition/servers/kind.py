"""A kind of recognition server, for those who set one up: what has to be known of it, and how it becomes an engine.

Values are plain data, as a config entry keeps them; a field that was left empty is not among them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
import re
from typing import Any, Final, Protocol

import aiohttp

from ...access import Similarity
from ..errors import EngineError
from ..interface import RemoteEngine, Verification
from .numbers import Number

type Values = Mapping[str, Any]

OUR_NAME: Final = "home_assistant"
"""What a list of people of ours is called on a server, unless the household says otherwise."""
# Dots alone mean a folder in the path of a request.
_LIST: Final = re.compile(r"(?!\.+$)[A-Za-z0-9_.-]{1,100}")


class FieldKind(StrEnum):
    """What a field is to a person who fills it in."""

    ADDRESS = "address"
    TEXT = "text"
    LIST = "list"
    """The name of a list of people: letters, digits, `_`, `-` and `.`, which every server takes."""
    SECRET = "secret"  # noqa: S105 (the name of a kind)
    TOGGLE = "toggle"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that has to be known of a server.

    `place` says that another value means another server, or other people on it; `login` that it is asked for again when
    the server refuses us. `consent` is a toggle that must be on. `rebuild` says that another value holds for nobody who
    is on the server already, until all are given anew. `beside` names the field without which this one means nothing.
    """

    key: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    default: str | bool | None = None
    options: tuple[str, ...] = ()
    place: bool = False
    login: bool = False
    consent: bool = False
    rebuild: bool = False
    beside: str | None = None


class TokenProvider(Protocol):
    """Gives the token for the next request; `refused` is one that the server did not take.

    Raises EngineAuthError where the household has to sign in again, EngineUnreachableError where nobody can tell now.
    """

    async def __call__(self, refused: str | None = None) -> str:
        """Give the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scans:
    """Records that a service keeps of its comparisons, as plain data. Every method may raise EngineError of any kind.

    `create` compares two pictures and gives the record's id with what came of it; `compare` gives the same as a
    comparison, with the facts of its record beside it. Both take the channel's name, empty for the usual one.
    `query` is sent as it is.
    """

    create: Callable[[bytes, bytes, str, str], Awaitable[Mapping[str, Any]]]
    compare: Callable[[bytes, bytes, Similarity, str, str], Awaitable[tuple[Verification, Mapping[str, str | None]]]]
    get: Callable[[str], Awaitable[Mapping[str, Any]]]
    list: Callable[[int | None, int | None, Mapping[str, str]], Awaitable[Mapping[str, Any]]]
    update: Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class HalfLoginError(EngineError):
    """A login of which a part is missing, or two logins at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkServer:
    """Where the networks of local recognition shall run."""

    url: str
    token: str | None = field(default=None, repr=False)
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An engine of a server, the records of one that keeps any, and what local recognition has of one that lends it."""

    engine: RemoteEngine
    scans: Scans | None = None
    networks: NetworkServer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKind:
    """A kind of server.

    `make` makes no request; it raises EngineAddressError, and EngineError for what else cannot be. `numbers` may be set
    later, and come with the values. `searches` is whether it finds people in a picture. `signs_in` is whether the
    household signs in at the server's own pages (OAuth2); its token comes with `make`. Pictures leave the house where
    `leaves_house`. `probe_every` is how often it is worth asking whether it is there.
    """

    name: str
    maker: str
    fields: tuple[Field, ...]
    make: Callable[[aiohttp.ClientSession, Values, TokenProvider | None], Made]
    numbers: tuple[Number, ...] = ()
    searches: bool = False
    signs_in: bool = False
    leaves_house: bool = False
    probe_every: timedelta = timedelta(minutes=1)

    @property
    def logs_in(self) -> bool:
        """Whether there is a login that the household could give anew."""
        return self.signs_in or any(field.login for field in self.fields)

    def place(self, values: Values) -> str:
        """Name the server, and the people on it, so that nobody adds them twice. Nothing secret is in it."""
        return "|".join(str(values.get(field.key, "")).rstrip("/") for field in self.fields if field.place)


def usable_list(name: str) -> bool:
    """Whether every server takes this as the name of a list of people."""
    return _LIST.fullmatch(name) is not None
