"""What has to be known of an OpenCV FR Server, and the engine that is made of it."""

from typing import Final

import aiohttp

from ..servers.kind import OUR_NAME, Field, FieldKind, Made, ServerKind, TokenProvider, Values
from ..servers.numbers import scores, thresholds
from .client import OpenCvFrClient, Storage
from .engine import NAME, THRESHOLDS, OpenCvFrSettings, opencv_fr_engine
from .register import Checks

# What the vendor's page gives as its default.
_DUPLICATE: Final = 0.7
_STORAGE: Final = {"nothing": Storage.NOTHING, "thumbnail": Storage.THUMBNAIL, "picture": Storage.PICTURE}
_FIELDS: Final = (
    Field(key="url", kind=FieldKind.ADDRESS, required=True, place=True),
    Field(key="api_key", kind=FieldKind.SECRET, required=True, login=True),
    Field(key="collection", kind=FieldKind.LIST, required=True, default=OUR_NAME, place=True),
    Field(
        key="server_photos",
        kind=FieldKind.CHOICE,
        required=True,
        default="nothing",
        options=tuple(_STORAGE),
        rebuild=True,
    ),
    Field(key="several_faces", kind=FieldKind.TOGGLE, default=True),
    Field(key="check_duplicates", kind=FieldKind.TOGGLE, default=False),
    Field(key="check_liveness", kind=FieldKind.TOGGLE, default=False),
    Field(key="verify_ssl", kind=FieldKind.TOGGLE, default=True),
)


def _make(session: aiohttp.ClientSession, values: Values, _token: TokenProvider | None) -> Made:
    client = OpenCvFrClient(session, values["url"], values["api_key"], verify=values.get("verify_ssl", True))
    checks = Checks(
        duplicates=_DUPLICATE if values.get("check_duplicates") else None, liveness=values.get("check_liveness", False)
    )
    settings = OpenCvFrSettings(
        collection=values["collection"],
        several=values.get("several_faces", True),
        storage=_STORAGE[values.get("server_photos", "nothing")],
        checks=checks,
        thresholds=thresholds(values, THRESHOLDS),
    )
    return Made(engine=opencv_fr_engine(client, settings))


KIND: Final = ServerKind(
    name=NAME,
    maker="Seventh Sense",
    fields=_FIELDS,
    make=_make,
    numbers=scores(THRESHOLDS, low=0.5, high=1, step=0.01),
    searches=True,
)
