"""What has to be known of the face scan service, the engine that is made of it, and its records as plain data."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, Final

import aiohttp
from yarl import URL

from ...access import Similarity
from ..errors import EngineAuthError, EngineInsecureError, EngineRefusedError
from ..interface import Verification
from ..kby.engine import THRESHOLDS
from ..remote.http import base_of
from ..servers.kind import Field, FieldKind, Made, Scans, ServerKind, TokenProvider, Values
from ..servers.numbers import scores, thresholds
from .client import COMPARE_ADDRESS, FaceScanClient
from .engine import NAME, FaceScanSettings, face_scan_engine
from .records import Channel, Scan, ScanRecord

# The realm of the vendor's quick start, which is not one for production (document, section 3.2).
_REALM: Final = "https://dmsworkspace-sso-pre.dmsworkspace.com/realms/dmsworkspace/protocol/openid-connect"
_CHANNELS: Final = {"other": Channel.OTHER, "web": Channel.WEB, "mobile": Channel.MOBILE}
# A token is good for a quarter of an hour, and what refreshes it for half of one.
_PROBE_EVERY: Final = timedelta(minutes=10)
CHANGEABLE: Final = ("compare_result", "compare_similarity", "sales_channel", "elapsed_time")

_FIELDS: Final = (
    Field(key="pictures_leave_house", kind=FieldKind.TOGGLE, default=False, consent=True),
    Field(key="compare_url", kind=FieldKind.ADDRESS, required=True, default=COMPARE_ADDRESS, place=True),
    Field(key="records_url", kind=FieldKind.ADDRESS),
    Field(key="authorize_url", kind=FieldKind.ADDRESS, required=True, default=f"{_REALM}/auth"),
    Field(key="token_url", kind=FieldKind.ADDRESS, required=True, default=f"{_REALM}/token"),
    Field(key="channel", kind=FieldKind.CHOICE, required=True, default="other", options=tuple(_CHANNELS)),
)


def _make(session: aiohttp.ClientSession, values: Values, token: TokenProvider | None) -> Made:
    for field in _FIELDS:
        # Those for signing in are not asked from here: what is no address must not get as far as a browser.
        if field.kind is FieldKind.ADDRESS and (address := values.get(field.key)) is not None:
            _check_private(base_of(address))
    client = FaceScanClient(session, token or _nobody, compare=values["compare_url"], records=values.get("records_url"))
    channel = _CHANNELS[values.get("channel", "other")]
    asked = thresholds(values, THRESHOLDS)
    engine = face_scan_engine(client, FaceScanSettings(channel=channel, thresholds=asked))
    return Made(engine=engine, scans=_scans(client, channel, asked))


def _check_private(url: URL) -> None:
    """Refuse to send faces and tokens where anybody on the way could read them. Raises EngineInsecureError."""
    if url.scheme == "https" or url.host == "localhost":
        return
    with suppress(ValueError):
        address = ip_address(url.host or "")
        if address.is_private or address.is_loopback:
            return
    raise EngineInsecureError("outside of the house, the address must begin with https")


async def _nobody(refused: str | None = None) -> str:
    """Stand in for a login before there is one."""
    del refused
    raise EngineAuthError("nobody has signed in yet")


def _channel(name: str, usual: Channel) -> Channel:
    """Find a channel by its name, the usual one where none is named. Raises EngineRefusedError for one unknown."""
    if not name:
        return usual
    found = _CHANNELS.get(name.lower())
    if found is None:
        raise EngineRefusedError("channel", f"the channel is one of {', '.join(_CHANNELS.values())}")
    return found


def _scans(client: FaceScanClient, usual: Channel, asked: Mapping[Similarity, float]) -> Scans:
    async def create(first: bytes, second: bytes, reference: str, channel: str) -> Mapping[str, Any]:
        return _made(await client.compare(first, second, channel=_channel(channel, usual), reference=reference))

    async def compare(
        first: bytes, second: bytes, similarity: Similarity, reference: str, channel: str
    ) -> tuple[Verification, Mapping[str, str | None]]:
        made = await client.compare(first, second, channel=_channel(channel, usual), reference=reference)
        facts = {"created": made.created, "channel": made.channel, "reference": made.reference}
        return made.comparison.verification(asked[similarity], made.id), facts

    async def get(record: str) -> Mapping[str, Any]:
        return asdict(await client.get(record))

    async def listed(page: int | None, size: int | None, query: Mapping[str, str]) -> Mapping[str, Any]:
        found = await client.list(page=page, size=size, query=query)
        return {"scans": [asdict(one) for one in found.records], "total": found.total, "last": found.last}

    async def update(record: str, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        if unknown := changes.keys() - set(CHANGEABLE):
            raise EngineRefusedError("field", f"{min(unknown)} cannot be changed")
        before: ScanRecord = await client.get(record)
        return asdict(await client.update(replace(before, **changes)))

    return Scans(create=create, compare=compare, get=get, list=listed, update=update)


def _made(scan: Scan) -> dict[str, Any]:
    """Give what only the answer to a comparison holds."""
    compared = scan.comparison
    return {
        "id": scan.id,
        "created": scan.created,
        "channel": scan.channel,
        "reference": scan.reference,
        "result": compared.verdict,
        "similarity": compared.similarity,
        "faces": [dict(face.attributes) for face in (compared.first, compared.second)],
    }


KIND: Final = ServerKind(
    name="Face scan service",
    maker=NAME,
    fields=_FIELDS,
    make=_make,
    numbers=scores(THRESHOLDS, low=0.5, high=1, step=0.01),
    signs_in=True,
    leaves_house=True,
    probe_every=_PROBE_EVERY,
)
