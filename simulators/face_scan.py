"""A simulated face scan service (DMS Workspace, Face Recognition Scanner) with its login: as a class and as a process.

As a process: `python -m simulators.face_scan --port 8220 --page-port 8221`; log in as `household` / `house-password`.
In a test:    `server = SimulatedFaceScan(); await server.start(); ...; await server.stop()`.
`violations` lists everything the peer did that the pages forbid; a test asserts that it is empty.

What no page shows is the simulator's own choice: the path before `/v1`, which is the gateway's for comparisons
(`/face-recognition-sdk`) and made up for records (`/ocr-backend`); `page` and `size` of a list, its envelope
(`envelope`), bodies of errors, 405 for comparisons with `GET`, and that a record of another account is not found.
"""

from collections.abc import Callable
from datetime import UTC, datetime
import re
import time
from typing import Any, Final
from uuid import UUID, uuid4

from aiohttp import web

from ._process import parser, run
from ._servers import engine
from ._servers.base import Handler, RefusedError, SimulatedServer
from ._servers.engine import SHAPES
from ._servers.login import REALM, Login

__all__ = ["COMPARE", "RECORDS", "SHAPES", "SimulatedFaceScan", "main"]

COMPARE: Final = "/face-recognition-sdk"
RECORDS: Final = "/ocr-backend"
_CHANNELS: Final = ("WEB", "MOBILE", "OTHER")
_RECORD: Final = re.compile(rf"{RECORDS}/v1/face-recognition/([^/]+)")
_FIELDS: Final[dict[str, tuple[type, ...]]] = {
    "id": (str,),
    "companyId": (str,),
    "createdDate": (str,),
    "updatedDate": (str,),
    "createdById": (str,),
    "updatedById": (str,),
    "elapsedTime": (int, float),
    "compareResult": (str,),
    "compareSimilarity": (int, float),
    "salesChannel": (str,),
}


class SimulatedFaceScan(SimulatedServer):
    """The service and its login on one port. `records` is what it keeps."""

    KIND = "face_scan"
    SCENES = frozenset({"pass_time", "end_tokens", "end_sessions", "upgrade", "use_up_quota"})

    def __init__(
        self,
        *,
        client_id: str = "sim-client",
        client_secret: str = "sim-secret",  # noqa: S107
        username: str = "household",
        password: str = "house-password",  # noqa: S107
        shape: str = "2023",
        envelope: str = "content",
        clock: Callable[[], float] = time.time,
        **more: Any,
    ) -> None:
        """`shape` is which engine answers a comparison; `envelope` the name of a list, empty for a bare one."""
        super().__init__(**more)
        self.shape = shape
        self.envelope = envelope
        self.quota = True
        self._clock = clock
        self.company = str(uuid4())
        self.records: dict[str, dict[str, Any]] = {}
        self.login = Login(
            self,
            client_id=client_id,
            client_secret=client_secret,
            username=username,
            password=password,
            clock=clock,
        )
        self.routes = {
            **self.login.routes,
            ("POST", f"{COMPARE}/v1/compare_face"): self._with_login(self._compare),
            ("GET", f"{RECORDS}/v1/face-recognition"): self._with_login(self._list),
        }

    @property
    def compare_url(self) -> str:
        """The base of comparisons."""
        return f"{self.url}{COMPARE}"

    @property
    def records_url(self) -> str:
        """The base of records."""
        return f"{self.url}{RECORDS}"

    @property
    def authorize_url(self) -> str:
        """Where a person logs in."""
        return f"{self.url}{REALM}/auth"

    @property
    def token_url(self) -> str:
        """Where tokens are."""
        return f"{self.url}{REALM}/token"

    @property
    def state(self) -> dict[str, Any]:
        """The state as the control API gives it."""
        return {**super().state, "records": list(self.records.values()), "granted": self.login.granted}

    # Scenes.

    def pass_time(self, *, seconds: float) -> None:
        """Let time go by for every token."""
        self.login.pass_time(seconds)

    def end_tokens(self) -> None:
        """No access token counts any more."""
        self.login.end_tokens()

    def end_sessions(self) -> None:
        """Nobody is logged in any more."""
        self.login.end_sessions()

    def upgrade(self, *, shape: str = "2025") -> None:
        """Another version of the engine runs from now on."""
        if shape not in SHAPES:
            raise ValueError(shape)
        self.shape = shape

    def use_up_quota(self, *, used: bool = True) -> None:
        """Let the account have no comparison left, or some again."""
        self.quota = not used

    # The calls.

    def _find(self, request: web.Request) -> Handler:
        if request.method == "GET" and request.path == f"{COMPARE}/v1/compare_face":
            return self._with_login(self._no_picture)
        if _RECORD.fullmatch(request.path) and request.method in ("GET", "PUT"):
            return self._with_login(self._get if request.method == "GET" else self._put)
        return super()._find(request)

    def _with_login(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            if not self.login.lets_in(request.headers.get("Authorization")):
                await request.read()
                raise RefusedError(401, {"error": "Unauthorized"})
            return await handler(request)

        return handle

    def _stamp(self) -> str:
        """Now, without a zone."""
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")

    async def _no_picture(self, request: web.Request) -> web.Response:
        """Whoever asks whether comparisons are made here sends no picture, and gets none of them."""
        await request.read()
        return web.json_response({"status": 405, "error": "Method Not Allowed"}, status=405)

    async def _compare(self, request: web.Request) -> web.Response:
        form = await self.form_of(request, ("file1", "file2"), ("channel", "reference"))
        if form["channel"] not in _CHANNELS or not form["reference"]:
            self.violation(f"channel {form['channel']!r} or reference {form['reference']!r}")
            raise RefusedError(400, {"message": "channel or reference is wrong"})
        if not self.quota:
            raise RefusedError(402, {"message": "No credit is left."})
        result = await engine.compare(form["file1"], form["file2"], self.shape)
        scan_id, now = str(uuid4()), self._stamp()
        self.records[scan_id] = {
            "id": scan_id,
            "companyId": self.company,
            "createdDate": now,
            "updatedDate": None,
            "elapsedTime": 0.2,
            "compareResult": result.get("compare_result", result.get("resultCode")),
            "compareSimilarity": result.get("compare_similarity"),
            "salesChannel": form["channel"],
        }
        echoed = {"channel": form["channel"], "created": now, "id": scan_id, "reference": form["reference"]}
        return web.json_response({**result, **echoed})

    async def _list(self, request: web.Request) -> web.Response:
        for name in request.query.keys() - {"page", "size", "sort"}:
            self.violation(f"a list has no parameter {name!r}")
        try:
            page, size = int(request.query.get("page", 0)), int(request.query.get("size", 20))
        except ValueError as err:
            raise RefusedError(400, {"message": "page or size is no number"}) from err
        everything = list(self.records.values())
        some = everything[page * size : (page + 1) * size]
        if not self.envelope:
            return web.json_response(some)
        last = (page + 1) * size >= len(everything)
        return web.json_response({self.envelope: some, "totalElements": len(everything), "last": last, "number": page})

    def _known(self, request: web.Request) -> dict[str, Any]:
        scan_id = request.path.rpartition("/")[2]
        try:
            UUID(scan_id)
        except ValueError as err:
            self.violation(f"{scan_id!r} is no id")
            raise RefusedError(400, {"message": "id is no UUID"}) from err
        if scan_id not in self.records:
            raise RefusedError(404, {"message": "not found"})
        return self.records[scan_id]

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._known(request))

    async def _put(self, request: web.Request) -> web.Response:
        """All of a record is written: what is not given is gone."""
        body = await self.json_of(request)
        known = self._known(request)
        for name, value in body.items():
            if name not in _FIELDS:
                self.violation(f"a record has no field {name!r}")
                raise RefusedError(400, {"message": f"unknown: {name}"})
            if not isinstance(value, _FIELDS[name]) or isinstance(value, bool):
                self.violation(f"{name} of a record is a {type(value).__name__}")
                raise RefusedError(400, {"message": f"wrong: {name}"})
        if body.get("id", known["id"]) != known["id"]:
            self.violation("a record was written under the id of another")
            raise RefusedError(400, {"message": "id differs"})
        written = {**dict.fromkeys(_FIELDS), **body, "id": known["id"], "updatedDate": self._stamp()}
        self.records[known["id"]] = written
        return web.json_response(written)


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    options = parser("face_scan", "A simulated face scan service with its login.", 8220)
    options.add_argument("--shape", choices=SHAPES, default="2023", help="how comparisons are answered")
    given = options.parse_args(argv)
    server = SimulatedFaceScan(shape=given.shape, host=given.host, port=given.port, page_port=given.page_port)
    lines = {
        "compare": lambda: server.compare_url,
        "records": lambda: server.records_url,
        "authorize": lambda: server.authorize_url,
        "token": lambda: server.token_url,
        "page": lambda: server.page_url,
    }
    run(server, lines)


if __name__ == "__main__":
    main()
