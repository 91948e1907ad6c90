"""The simulated server images of KBY-AI, written from what their sample servers do: as a class and as a process.

As a process: `python -m simulators.kby --image recognition --shape 2025 --port 8210`, and another for `liveness`.
In a test:    `server = SimulatedKby(image="liveness"); await server.start(); ...; await server.stop()`.
`violations` lists everything the peer did that the samples do not know; a test asserts that it is empty.

The samples have no login. What they answer to a form without its files is the simulator's own choice.
"""

import base64
import binascii
from typing import Any, Final

from aiohttp import web

from ._process import parser, run
from ._servers import engine
from ._servers.base import RefusedError, SimulatedServer
from ._servers.engine import SHAPES

__all__ = ["IMAGES", "SHAPES", "SimulatedKby", "main"]

IMAGES: Final = ("recognition", "liveness")


class SimulatedKby(SimulatedServer):
    """One container of one image."""

    KIND = "kby"
    SCENES = frozenset({"upgrade"})

    def __init__(self, *, image: str = "recognition", shape: str = "2025", **more: Any) -> None:
        """`image` is one of `IMAGES`, `shape` one of `SHAPES`: how comparisons are answered."""
        super().__init__(**more)
        self.image = image
        self.shape = shape
        if image == "recognition":
            self.routes = {("POST", "/compare_face"): self._files, ("POST", "/compare_face_base64"): self._texts}
        else:
            self.routes = {("POST", "/check_liveness"): self._file, ("POST", "/check_liveness_base64"): self._text}

    def upgrade(self, *, shape: str = "2025") -> None:
        """Another version of the image runs from now on."""
        if shape not in SHAPES:
            raise ValueError(shape)
        self.shape = shape

    @property
    def state(self) -> dict[str, Any]:
        """The state as the control API gives it."""
        return {**super().state, "image": self.image, "shape": self.shape}

    async def _files(self, request: web.Request) -> web.Response:
        form = await self.form_of(request, ("file1", "file2"), ())
        return web.json_response(await engine.compare(form["file1"], form["file2"], self.shape))

    async def _texts(self, request: web.Request) -> web.Response:
        first, second = await self._decoded(request, ("base64_1", "base64_2"))
        return web.json_response(await engine.compare(first, second, self.shape))

    async def _file(self, request: web.Request) -> web.Response:
        form = await self.form_of(request, ("file",), ())
        return web.json_response(await engine.check_liveness(form["file"]))

    async def _text(self, request: web.Request) -> web.Response:
        (data,) = await self._decoded(request, ("base64",))
        return web.json_response(await engine.check_liveness(data))

    async def _decoded(self, request: web.Request, names: tuple[str, ...]) -> list[bytes]:
        body = await self.json_of(request)
        if body.keys() != set(names):
            self.violation(f"{request.path} has the fields {sorted(body)}")
            raise RefusedError(400, text="Bad Request")
        return [self._plain(body[name], name) for name in names]

    def _plain(self, text: Any, name: str) -> bytes:
        """Decode; what is no base64 is a file that cannot be opened."""
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error, ValueError, TypeError:
            self.violation(f"{name} is no plain base64")
            return b""


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    options = parser("kby", "A simulated server image of KBY-AI.", 8210)
    options.add_argument("--image", choices=IMAGES, default="recognition")
    options.add_argument("--shape", choices=SHAPES, default="2025", help="how comparisons are answered")
    given = options.parse_args(argv)
    server = SimulatedKby(
        image=given.image, shape=given.shape, host=given.host, port=given.port, page_port=given.page_port
    )
    run(server, {f"kby-{given.image}": lambda: server.url, "page": lambda: server.page_url})


if __name__ == "__main__":
    main()
