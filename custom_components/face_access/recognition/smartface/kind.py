"""What has to be known of a SmartFace server, and the engine that is made of it."""

from typing import Final

import aiohttp

from ..servers.kind import OUR_NAME, Field, FieldKind, HalfLoginError, Made, ServerKind, TokenProvider, Values
from ..servers.numbers import Number, scores, thresholds
from .engine import NAME, THRESHOLDS, EngineOptions, engine
from .server import ClientCredentials, Server
from .tuning import LIVENESS, SpoofDetector, Tuning

_LIVENESS: Final = {
    "distant": (SpoofDetector.DISTANT_CPU,),
    "nearby": (SpoofDetector.NEARBY_CPU,),
    "both": (SpoofDetector.DISTANT_CPU, SpoofDetector.NEARBY_CPU),
}
_FIELDS: Final = (
    Field(key="url", kind=FieldKind.ADDRESS, required=True, place=True),
    Field(key="watchlist", kind=FieldKind.LIST, required=True, default=OUR_NAME, place=True),
    Field(key="token", kind=FieldKind.SECRET, login=True),
    Field(key="token_url", kind=FieldKind.ADDRESS, login=True),
    Field(key="client_id", login=True),
    Field(key="client_secret", kind=FieldKind.SECRET, login=True, beside="client_id"),
    Field(key="audience", login=True),
    Field(key="liveness_for", kind=FieldKind.CHOICE, required=True, default="distant", options=tuple(_LIVENESS)),
    Field(key="check_photos", kind=FieldKind.TOGGLE, default=True),
    Field(key="keep_pictures", kind=FieldKind.TOGGLE, default=False),
    Field(key="verify_ssl", kind=FieldKind.TOGGLE, default=True),
)
_NUMBERS: Final = (
    *scores(THRESHOLDS, low=20, high=100, step=1),
    *(Number(key=key, default=LIVENESS, low=50, high=100, step=1) for key in ("live_distant", "live_nearby")),
)


def _make(session: aiohttp.ClientSession, values: Values, _token: TokenProvider | None) -> Made:
    server = Server(
        url=values["url"],
        token=values.get("token"),
        login=_login(values),
        verify=values.get("verify_ssl", True),
    )
    options = EngineOptions(
        watchlist=values["watchlist"],
        tuning=Tuning(
            spoof=_LIVENESS[values.get("liveness_for", "distant")],
            distant_threshold=values.get("live_distant", LIVENESS),
            nearby_threshold=values.get("live_nearby", LIVENESS),
        ),
        thresholds={similarity: round(score) for similarity, score in thresholds(values, THRESHOLDS).items()},
        validation=values.get("check_photos", True),
        keep_pictures=values.get("keep_pictures", False),
    )
    return Made(engine=engine(session, server, options))


def _login(values: Values) -> ClientCredentials | None:
    parts = [values.get(name) for name in ("token_url", "client_id", "client_secret")]
    if not any(parts):
        return None
    if not all(parts) or values.get("token"):
        raise HalfLoginError("a login wants an address, an id and a secret, and no token")
    return ClientCredentials(
        token_url=values["token_url"],
        client_id=values["client_id"],
        client_secret=values["client_secret"],
        audience=values.get("audience"),
    )


KIND: Final = ServerKind(name=NAME, maker="Innovatrics", fields=_FIELDS, make=_make, numbers=_NUMBERS, searches=True)
