"""What is SmartFace's own about a request: how long it may take, how long its answer may be, and what it may be."""

from dataclasses import replace
from typing import Final, override

from ..remote.http import Answer, Http, Request

# The server gives up on its own parts after 10 s, and says so with 408: we must still be there to hear it.
TIMEOUT: Final = 15.0
# A registration looks at several photos, one after the other.
LONG_TIMEOUT: Final = 45.0
MAX_ANSWER: Final = 8 * 1024 * 1024
MAX_IMAGE: Final = 32 * 1024 * 1024
_ACCEPT: Final = "application/json, application/problem+json, image/*"


class SmartFaceHttp(Http):
    """Requests to one server."""

    @override
    async def send(self, request: Request) -> Answer:
        """Send, see `Http.send`."""
        return await super().send(replace(request, headers={"Accept": _ACCEPT, **request.headers}))
