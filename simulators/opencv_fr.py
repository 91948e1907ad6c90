"""A simulated OpenCV FR Server (its pages Collection Management to Liveness Detection): as a class and as a process.

As a process: `python -m simulators.opencv_fr --port 8200 --api-key secret --page-port 8201`.
In a test:    `server = SimulatedOpenCvFr(); await server.start(); ...; await server.stop()`.
`violations` lists everything the peer did that the pages forbid; a test asserts that it is empty.

What no page shows is the simulator's own choice, and most of it is an option: the answers of searches (`shape`), the
key of a liveness error's detail (`detail_key`), whether a bulk answer lists those who were taken (`bulk`), whether a
second enrolment replaces the face (`replaces`), the status of each error, and its code for what cannot be found.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
import re
from typing import Any, Final

from aiohttp import web

from ._process import parser, run
from ._servers.base import RefusedError, SimulatedServer, picture
from ._servers.faces import NoPictureError, SeenFace, SeenPicture, likeness
from ._servers.person_fields import complaint_about

__all__ = ["SHAPES", "SimulatedOpenCvFr", "main"]

SHAPES: Final = ("list", "results", "nested", "bare")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
_INSTANCES: Final = 5


@dataclass(slots=True)
class Enrolled:
    """Somebody in a collection."""

    name: str
    faces: list[SeenFace]
    metadata: dict[str, str] = field(default_factory=dict)
    storage: str = "NoStorage"


def _error(status: int, code: str, message: str, /, **metadata: str) -> RefusedError:
    return RefusedError(status, {"code": code, "message": message, **({"metadata": metadata} if metadata else {})})


class SimulatedOpenCvFr(SimulatedServer):
    """One server. `collections` is what it holds."""

    KIND = "opencv_fr"
    SCENES = frozenset({"restart", "expire_licence", "lose_database"})

    def __init__(
        self,
        *,
        api_key: str = "sim-key",
        shape: str = "results",
        detail_key: str = "code",
        bulk: str = "failed",
        bulk_names: bool = True,
        replaces: bool = True,
        **more: Any,
    ) -> None:
        """`shape` is one of `SHAPES`; `bulk` whether a bulk answer lists the `failed` alone or `all`."""
        super().__init__(**more)
        self.api_key = api_key
        self.shape = shape
        self.detail_key = detail_key
        self.bulk = bulk
        self.bulk_names = bulk_names
        self.replaces = replaces
        self.collections: dict[str, dict[str, Enrolled]] = {}
        self.instances = 1
        self.licence = True
        self.database = True
        handlers: dict[tuple[str, str], Callable[[dict[str, Any]], Any]] = {
            ("POST", "/collection"): self._create,
            ("DELETE", "/collection"): self._delete,
            ("PUT", "/person"): self._enrol,
            ("PUT", "/persons"): self._enrol_many,
            ("POST", "/face-search"): self._search,
            ("POST", "/multi-face-search"): self._search_many,
            ("POST", "/compare"): self._compare,
        }
        for call, handler in handlers.items():
            self.routes[call] = self._route(handler)

    # Scenes.

    def restart(self) -> None:
        """Start the container again, which the licence counts as one more instance."""
        self.instances += 1

    def expire_licence(self, *, expired: bool = True) -> None:
        """Let the licence end, or renew it."""
        self.licence = not expired

    def lose_database(self, *, lost: bool = True) -> None:
        """Take the database away, or bring it back."""
        self.database = not lost

    @property
    def state(self) -> dict[str, Any]:
        """The state as the control API gives it."""
        people = {
            name: [{"id": key, "name": one.name} for key, one in held.items()]
            for name, held in self.collections.items()
        }
        return {**super().state, "collections": people, "instances": self.instances}

    # Every call.

    def _route(self, handler: Callable[[dict[str, Any]], Any]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            self._let_in(request)
            body = self._checked(request.path, await self.json_of(request))
            result = await handler(body)
            return web.Response() if result is None else web.json_response(result)

        return handle

    def malformed(self, what: str) -> dict[str, Any]:
        """The envelope of every error."""
        return {"code": "ERR_UNPROCESSABLE_CONTENT", "message": what}

    def _let_in(self, request: web.Request) -> None:
        key = request.headers.get("x-api-key")
        if key is None:
            raise _error(401, "ERR_API_KEY_NOT_PRESENT", "The API key is missing from the request.")
        if key != self.api_key:
            raise _error(403, "ERR_API_KEY_NOT_VALID", "The API key is not valid.")
        if not self.licence:
            raise _error(403, "ERR_LICENSE_EXPIRED", "The license has expired.")
        if self.instances > _INSTANCES:
            raise _error(403, "ERR_NUMBER_OF_AVAILABLE_INSTANCES_EXCEEDED", "No instance is left.")
        if not self.database:
            raise _error(500, "ERR_DATABASE_ERROR", "The database does not answer.")

    def _checked(self, kind: str, body: Any) -> dict[str, Any]:
        """Every field that the page lists must be there, of its type; no other may be."""
        if (complaint := complaint_about(kind, body)) is not None:
            raise self._wrong(complaint)
        checked: dict[str, Any] = body
        return checked

    def _wrong(self, what: str) -> RefusedError:
        self.violation(what)
        return RefusedError(422, self.malformed(what))

    def _collection(self, name: str, *, new: bool = False) -> dict[str, Enrolled]:
        if not _NAME.fullmatch(name):
            message = "Collection names can only contain alphanumeric characters, underscores, hyphens, and periods."
            raise _error(400, "ERR_INVALID_COLLECTION_NAME", message)
        if new and name in self.collections:
            raise _error(409, "ERR_ALREADY_EXISTS", "A collection of this name already exists.")
        if not new and name not in self.collections:
            raise _error(404, "ERR_NOT_FOUND", "The requested entity could not be found.")
        return {} if new else self.collections[name]

    # The calls.

    async def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        self.collections[body["name"]] = self._collection(body["name"], new=True)
        return {"name": body["name"], "num_persons": 0}

    async def _delete(self, body: dict[str, Any]) -> None:
        self._collection(body["name"])
        del self.collections[body["name"]]

    async def _enrol(self, body: dict[str, Any]) -> dict[str, Any]:
        held = self._collection(body["collection_name"])
        face = await self._one_face(body["face_base_64"], live=body["check_liveness"])
        if body["check_duplicates"]:
            least = body["duplicate_check_min_similarity"]
            for key, one in held.items():
                if key != body["person_id"] and _best(one, face) >= least:
                    raise _error(409, "ERR_ALREADY_EXISTS", "Another person with a similar face already exists.")
        self._take(held, body, body["face_storage_type"], face)
        return {
            "face_base_64": "" if body["face_storage_type"] == "NoStorage" else body["face_base_64"],
            "metadata": body.get("metadata", {}),
            "person_id": body["person_id"],
            "person_name": body["person_name"],
        }

    def _take(self, held: dict[str, Enrolled], body: dict[str, Any], storage: str, face: SeenFace) -> None:
        before = held.get(body["person_id"])
        faces = [face] if before is None or self.replaces else [*before.faces, face]
        held[body["person_id"]] = Enrolled(body["person_name"], faces, body.get("metadata", {}), storage)

    async def _enrol_many(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        held = self._collection(body["collection_name"])
        results = []
        for value in body["persons"]:
            item = self._checked("item", value)
            who = {"person_id": item["person_id"]} if self.bulk_names else {}
            try:
                face = await self._one_face(item["face_base_64"])
            except RefusedError as refused:
                results.append({**refused.body, "metadata": {**refused.body.get("metadata", {}), **who}})
                continue
            self._take(held, item, body["face_storage_type"], face)
            if self.bulk == "all":
                results.append({"code": "OK", "message": "", "metadata": who})
        return results

    async def _search(self, body: dict[str, Any]) -> Any:
        held = self._collection(body["collection_name"])
        face = await self._one_face(body["face_base_64"], live=body["check_liveness"])
        found = self._found(held, face, body)
        if self.shape == "nested":
            return {"matches": [{"score": one.pop("similarity_score"), "person": one} for one in found]}
        return {"results": found} if self.shape == "results" else found

    async def _search_many(self, body: dict[str, Any]) -> Any:
        held = self._collection(body["collection_name"])
        faces = []
        for face in (await self._see(body["face_base_64"])).faces:
            box = {"left": face.left, "top": face.top, "right": face.right, "bottom": face.bottom}
            faces.append({"box": box, "results": self._found(held, face, body)})
        if self.shape == "bare":
            return [one["results"] for one in faces]
        return faces if self.shape == "list" else {"faces": faces}

    async def _compare(self, body: dict[str, Any]) -> dict[str, bool]:
        face = await self._one_face(body["face_base_64"], live=body["check_liveness"])
        reference = await self._one_face(body["ref_face_base_64"])
        return {"is_match": likeness(face, reference) >= body["min_similarity_score"]}

    # Faces.

    @staticmethod
    def _found(held: dict[str, Enrolled], face: SeenFace, body: dict[str, Any]) -> list[dict[str, Any]]:
        scored = sorted(((_best(one, face), key) for key, one in held.items()), reverse=True)
        return [
            {
                "person_id": key,
                "person_name": held[key].name,
                "similarity_score": score,
                "metadata": held[key].metadata,
                "collection_name": body["collection_name"],
            }
            for score, key in scored
            if score >= body["min_similarity_score"]
        ][: body["max_results"]]

    async def _see(self, text: str) -> SeenPicture:
        try:
            return await picture(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError, NoPictureError) as err:
            if text.startswith("data:") or any(letter.isspace() for letter in text):
                self.violation("the picture is no plain base64")
            raise _error(400, "ERR_INVALID_IMAGE", "The image cannot be read.") from err

    async def _one_face(self, text: str, *, live: bool = False) -> SeenFace:
        seen = await self._see(text)
        if live and (problem := _problem(seen)):
            raise _error(400, "ERR_LIVENESS_ERROR", "The liveness check failed.", **{self.detail_key: problem})
        if not seen.faces:
            raise _error(400, "ERR_FACE_NOT_DETECTED", "No face was detected.")
        if len(seen.faces) > 1:
            raise _error(400, "ERR_MULTIPLE_FACES_DETECTED", "More than one face was detected.")
        return seen.faces[0]


def _problem(seen: SeenPicture) -> str | None:
    """What the liveness check has against a picture (Liveness Detection, image requirements)."""
    if not seen.faces:
        return None  # it is made only where there is a face
    if len(seen.faces) > 1:
        return "TOO_MANY_FACES"
    face = seen.faces[0]
    found = {
        "FACE_CROPPED": face.cropped,
        "FACE_TOO_SMALL": face.width < 150 or face.eye_distance < 50,
        "FACE_CLOSE_TO_BORDER": face.near_border,
        "FACE_TOO_CLOSE": face.width > 0.8 * seen.width,
        "FACE_IS_OCCLUDED": face.masked,
        "FACE_NOT_LIVE": face.printed,
    }
    return next((code for code, true in found.items() if true), None)


def _best(one: Enrolled, face: SeenFace) -> float:
    return max(likeness(known, face) for known in one.faces)


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    options = parser("opencv_fr", "A simulated OpenCV FR Server.", 8200)
    options.add_argument("--api-key", default="sim-key")
    options.add_argument("--shape", choices=SHAPES, default="results", help="how a search answers")
    given = options.parse_args(argv)
    server = SimulatedOpenCvFr(
        api_key=given.api_key, shape=given.shape, host=given.host, port=given.port, page_port=given.page_port
    )
    run(server, {"opencv_fr": lambda: server.url, "page": lambda: server.page_url})


if __name__ == "__main__":
    main()
