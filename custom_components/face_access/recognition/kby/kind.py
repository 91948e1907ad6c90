"""What has to be known of KBY-AI's images, and the engine that is made of them."""

from typing import Final

import aiohttp

from ..servers.kind import Field, FieldKind, Made, ServerKind, TokenProvider, Values
from ..servers.numbers import scores, thresholds
from .client import KbyClient
from .engine import NAME, THRESHOLDS, KbySettings, kby_engine

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
    return Made(engine=kby_engine(client, KbySettings(thresholds=thresholds(values, THRESHOLDS))))


KIND: Final = ServerKind(
    name=NAME, maker="KBY-AI", fields=_FIELDS, make=_make, numbers=scores(THRESHOLDS, low=0.5, high=1, step=0.01)
)
