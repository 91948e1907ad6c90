"""The server images of KBY-AI that a house runs itself: comparison, and the check for a live face.

They have no login of their own: they belong behind a network that only the house can reach. The two are images of their
own, each at its own address. FaceSearch, the third image, is left out; `docs/engines.md` says why.
"""

from typing import Any

import aiohttp

from ..errors import EngineAddressError, EngineUnableError
from ..interface import Judgement
from ..remote.http import Answer, Http, Part, Request
from ..remote.pictures import checked
from ..remote.status import as_picture, refused_by
from .answers import Comparison, comparison, judgement


class KbyClient:
    """One or both images. Every method may raise EngineError of any kind, NoFaceError and PictureError."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        compare: str | None = None,
        liveness: str | None = None,
        verify: bool = True,
    ) -> None:
        """Talk to the image that compares and the one that checks for life. Raises EngineAddressError."""
        if compare is None and liveness is None:
            raise EngineAddressError("at least one address is needed")
        self._compare = Http(session, compare, verify=verify) if compare is not None else None
        self._liveness = Http(session, liveness, verify=verify) if liveness is not None else None

    @property
    def compares(self) -> bool:
        """Whether there is an image that compares."""
        return self._compare is not None

    @property
    def checks_liveness(self) -> bool:
        """Whether there is an image that checks for life."""
        return self._liveness is not None

    async def compare(self, first: bytes | str, second: bytes | str, *, as_text: bool = False) -> Comparison:
        """Compare two pictures; `as_text` sends them as base64 in JSON instead of as files."""
        if self._compare is None:
            raise EngineUnableError("there is no address of an image that compares")
        if as_text:
            body = {"base64_1": checked(first), "base64_2": checked(second)}
            request = Request(method="POST", path="/compare_face_base64", json=body, repeatable=True)
        else:
            form = (Part(name="file1", picture=checked(first)), Part(name="file2", picture=checked(second)))
            request = Request(method="POST", path="/compare_face", form=form, repeatable=True)
        return comparison(await _answer(self._compare, request))

    async def check_liveness(self, picture: bytes | str, *, as_text: bool = False) -> Judgement:
        """Judge whether the face in a picture is live."""
        if self._liveness is None:
            raise EngineUnableError("there is no address of an image that checks for life")
        if as_text:
            body = {"base64": checked(picture)}
            request = Request(method="POST", path="/check_liveness_base64", json=body, repeatable=True)
        else:
            form = (Part(name="file", picture=checked(picture)),)
            request = Request(method="POST", path="/check_liveness", form=form, repeatable=True)
        return judgement(await _answer(self._liveness, request))


async def _answer(http: Http, request: Request) -> Any:
    """Send, and read the JSON of a good answer."""
    answer: Answer = await http.send(request)
    if not answer.ok:
        raise as_picture(refused_by(answer.status))
    return await answer.json()
