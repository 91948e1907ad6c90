"""The images of KBY-AI as an engine: it compares two pictures and judges whether a face is live; it knows nobody."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from types import MappingProxyType
from typing import Final

from PIL import Image

from ...access import Similarity
from ..errors import NoFaceError, PictureError
from ..interface import EngineInfo, Judgement, RemoteEngine, Verification
from .client import KbyClient

NAME: Final = "KBY-AI"
THRESHOLDS: Final[Mapping[Similarity, float]] = MappingProxyType(
    {Similarity.LOW: 0.67, Similarity.NORMAL: 0.7, Similarity.HIGH: 0.8}
)
"""The cuts of the vendor's samples of 2025 and 2023; the highest is our own, and nobody measured it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KbySettings:
    """How the images are used. `thresholds` are likenesses from 0 to 1; `as_text` sends pictures as base64 in JSON."""

    thresholds: Mapping[Similarity, float] = field(default_factory=lambda: THRESHOLDS)
    as_text: bool = False


def kby_engine(client: KbyClient, settings: KbySettings | None = None) -> RemoteEngine:
    """Make the engine: it can do what there is an address for."""
    chosen = settings or KbySettings()

    async def probe() -> EngineInfo:
        """Show a picture of nobody to each image: that it finds no face there proves what it is."""
        nobody = blank()
        if client.compares:
            with suppress(NoFaceError, PictureError):
                await client.compare(nobody, nobody, as_text=chosen.as_text)
        if client.checks_liveness:
            with suppress(NoFaceError, PictureError):
                await client.check_liveness(nobody, as_text=chosen.as_text)
        return EngineInfo(name=NAME)

    return RemoteEngine(
        probe=probe,
        verify=KbyVerify(client, chosen) if client.compares else None,
        liveness=KbyLiveness(client, chosen) if client.checks_liveness else None,
        boxes=client.compares,
        verify_score=client.compares,
    )


class KbyVerify:
    """Whether two pictures show the same person."""

    def __init__(self, client: KbyClient, settings: KbySettings) -> None:
        self._client = client
        self._settings = settings

    async def verify(self, first: bytes, second: bytes, similarity: Similarity) -> Verification:
        """See `interface.Verify`. Of several faces in a picture the most alike two count."""
        compared = await self._client.compare(first, second, as_text=self._settings.as_text)
        return compared.verification(self._settings.thresholds[similarity])


class KbyLiveness:
    """Whether a face is live."""

    def __init__(self, client: KbyClient, settings: KbySettings) -> None:
        self._client = client
        self._settings = settings

    async def check(self, picture: bytes) -> Judgement:
        """See `interface.Liveness`."""
        return await self._client.check_liveness(picture, as_text=self._settings.as_text)


def blank() -> bytes:
    """Draw a grey JPEG with nobody on it."""
    stream = BytesIO()
    Image.new("RGB", (96, 96), "#808080").save(stream, "JPEG")
    return stream.getvalue()
