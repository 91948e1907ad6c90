"""What has to be known of a server that runs the networks of local recognition (Open Inference Protocol, version 2).

It recognises nobody itself. What speaks to it needs numpy, which not every Home Assistant has: imported in a thread,
and not before somebody wants it.
"""

import asyncio
from typing import Final

import aiohttp

from .errors import EngineError
from .interface import EngineInfo, RemoteEngine
from .servers.kind import Field, FieldKind, Made, NetworkServer, ServerKind, TokenProvider, Values

_FIELDS: Final = (
    Field(key="url", kind=FieldKind.ADDRESS, required=True),
    Field(key="token", kind=FieldKind.SECRET, login=True),
    Field(key="verify_ssl", kind=FieldKind.TOGGLE, default=True),
)


def _make(_session: aiohttp.ClientSession, values: Values, _token: TokenProvider | None) -> Made:
    server = NetworkServer(url=values["url"], token=values.get("token"), verify=values.get("verify_ssl", True))

    async def probe() -> EngineInfo:
        return await asyncio.to_thread(_ask, server)

    return Made(engine=RemoteEngine(probe=probe), networks=server)


def _ask(wanted: NetworkServer) -> EngineInfo:
    """Ask who it is, and whether it is ready. Blocks. Raises EngineError."""
    try:
        from .inference import Address, InferenceServer  # noqa: PLC0415
    except ImportError:
        raise EngineError("numpy is not here") from None
    server = InferenceServer(Address(url=wanted.url, token=wanted.token, verify=wanted.verify))
    try:
        found = server.info()
    finally:
        server.close()
    return EngineInfo(name=found.name, version=found.version)


KIND: Final = ServerKind(name="Inference server", maker="Open Inference Protocol", fields=_FIELDS, make=_make)
