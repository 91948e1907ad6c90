"""The face scan service of DMS Workspace as an engine: it compares two pictures, far from here, and knows nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ...access import Similarity
from ..interface import EngineInfo, RemoteEngine, Verification
from ..kby.engine import THRESHOLDS
from .client import FaceScanClient
from .records import Channel

NAME: Final = "DMS Workspace"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceScanSettings:
    """How the service is used. `thresholds` are likenesses from 0 to 1; it has a limit of its own, about 0.7.

    `reference` is what its records are found by: free text that must name nobody.
    """

    channel: Channel = Channel.OTHER
    reference: str = "Home Assistant"
    thresholds: Mapping[Similarity, float] = field(default_factory=lambda: THRESHOLDS)


def face_scan_engine(client: FaceScanClient, settings: FaceScanSettings | None = None) -> RemoteEngine:
    """Make the engine."""

    async def probe() -> EngineInfo:
        await client.log_in()
        return EngineInfo(name=NAME)

    verify = FaceScanVerify(client, settings or FaceScanSettings())
    return RemoteEngine(probe=probe, verify=verify, boxes=True, verify_score=True)


class FaceScanVerify:
    """Whether two pictures show the same person. Each comparison leaves a record that cannot be deleted from here."""

    def __init__(self, client: FaceScanClient, settings: FaceScanSettings) -> None:
        self._client = client
        self._settings = settings

    async def verify(self, first: bytes, second: bytes, similarity: Similarity) -> Verification:
        """See `interface.Verify`; `record` is the id of the service's record."""
        made = await self._client.compare(
            first, second, channel=self._settings.channel, reference=self._settings.reference
        )
        return made.comparison.verification(self._settings.thresholds[similarity], made.id)
