"""What has to be known of KBY-AI's images, and the engine that is made of them."""

from typing import Final

import aiohttp

from ..server_kind import Field, FieldKind, Made, ServerKind, TokenProvider, Values
from .client import KbyClient
from .engine import NAME, kby_engine

_FIELDS: Final = (
    Field(key="compare_url", kind=FieldKind.ADDRESS, place=True),
    Field(key="liveness_url", kind=FieldKind.ADDRESS, place=True),
    Field(key="verify_ssl", kind=FieldKind.TOGGLE, default=True),
)


def _make(session: aiohttp.ClientSession, values: Values, _token: TokenProvider | None) -> Made:
    client = KbyClient(
        session,
        compare=values.get("compare_url"),
        liveness=values.get("liveness_url"),
        verify=values.get("verify_ssl", True),
    )
    return Made(engine=kby_engine(client))


KIND: Final = ServerKind(name=NAME, maker="KBY-AI", fields=_FIELDS, make=_make)
