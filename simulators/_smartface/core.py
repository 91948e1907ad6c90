"""The state of the server, and what it does to people and faces."""

from collections import deque
from collections.abc import Callable, Mapping
import time
from typing import Any, Final
from uuid import uuid4

from . import vision
from .model import FULL_VERSIONS, Face, Member, Release, Watchlist, now
from .problems import Refusal
from .vision import Seen

# The limits with which 4.40 comes: size of a face in pixels.
_LEAST_SIZE: Final = 30
_BURST_SECONDS: Final = 1.0


class Core:
    """Everything that the server knows, and every mistake of its peers in `violations`."""

    def __init__(
        self,
        *,
        version: str = "4.25",
        licence: int | None = None,
        burst: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`licence` is how many faces may be kept, `burst` how many registrations are taken in a second of `clock`."""
        if version not in FULL_VERSIONS:
            raise ValueError(f"no release {version}; there are {', '.join(FULL_VERSIONS)}")
        self.set_version(version)
        self.licence = licence
        self.burst = burst
        self.clock = clock
        self.watchlists: dict[str, Watchlist] = {}
        self.members: dict[str, Member] = {}
        self.faces: dict[str, Face] = {}
        self.images: dict[str, bytes] = {}
        self.violations: list[str] = []
        self.requests: list[tuple[str, str, int]] = []
        self.failures: list[dict[str, Any]] = []
        self.log: deque[str] = deque(maxlen=200)
        self._registered_at: deque[float] = deque()

    def set_version(self, version: str) -> None:
        """Become another release, as after an update."""
        self.version = version
        major, minor = version.split(".")
        self.release: Release = (int(major), int(minor))
        self.full_version = FULL_VERSIONS[version]

    def fail(
        self, path: str, *, status: int = 500, method: str = "", times: int = 1, body: str | None = None, kind: str = ""
    ) -> None:
        """Answer the next requests whose path has `path` in it with this status; 0 cuts the connection instead."""
        self.failures.append(
            {"path": path, "status": status, "method": method, "times": times, "body": body, "kind": kind}
        )

    def violation(self, text: str) -> None:
        """Remember a mistake of the peer."""
        self.violations.append(text)
        self.log.append(f"violation: {text}")

    # Lists and members

    def watchlist(self, key: str) -> Watchlist:
        """Find a watchlist. Raises `Refusal` 404."""
        if key not in self.watchlists:
            raise Refusal(404, "The watchlist was not found.")
        return self.watchlists[key]

    def member(self, key: str) -> Member:
        """Find a member. Raises `Refusal` 404."""
        if key not in self.members:
            raise Refusal(404, "The watchlist member was not found.")
        return self.members[key]

    def put_watchlist(self, key: str, names: Mapping[str, Any]) -> Watchlist:
        """Create or update."""
        found = self.watchlists.get(key)
        if found is None:
            found = self.watchlists[key] = Watchlist(key, "", "")
        else:
            found.updated_at = now()
        found.display_name, found.full_name = names["displayName"], names["fullName"]
        found.threshold = names["threshold"]
        found.palm_threshold = names.get("palmThreshold", found.palm_threshold)
        found.colour = names["previewColor"] or found.colour
        return found

    def put_member(self, key: str, facts: Mapping[str, Any]) -> Member:
        """Create or update; the whole of the facts is replaced."""
        kept = {name: facts.get(name) for name in ("displayName", "fullName", "note", "labels", "privacy")}
        found = self.members.get(key)
        if found is None:
            found = self.members[key] = Member(key, kept)
        else:
            found.facts, found.updated_at = kept, now()
        return found

    def delete_member(self, key: str) -> None:
        """Delete a member and their faces; their pictures go too."""
        for face in self.member(key).faces:
            self.drop_face(face)
        del self.members[key]
        for watchlist in self.watchlists.values():
            if key in watchlist.members:
                watchlist.members.remove(key)

    def link(self, watchlist: str, members: list[str]) -> None:
        """Put members on a list; somebody who is on it already is refused."""
        found = self.watchlist(watchlist)
        for key in members:
            self.member(key)
            if key in found.members:
                raise Refusal(400, "The watchlist member is already linked to the watchlist.")
        found.members.extend(members)

    def unlink(self, watchlist: str, members: list[str]) -> None:
        """Take members off a list."""
        found = self.watchlist(watchlist)
        for key in members:
            self.member(key)
            if key not in found.members:
                raise Refusal(400, "The watchlist member is not linked to the watchlist.")
        found.members = [key for key in found.members if key not in members]

    # Faces

    def see(self, data: bytes, config: Mapping[str, Any]) -> list[Seen]:
        """The faces that the detector finds with this configuration, the largest first. Raises `Refusal` 400."""
        low, high = config["minFaceSize"], config["maxFaceSize"]
        found = [seen for seen in vision.look(data) if low <= seen.size <= high]
        if not found:
            raise Refusal(400, "No face was detected on the image.")
        return found[: config.get("maxFaces", 1)]

    def enrol(self, image: Mapping[str, Any], config: Mapping[str, Any], validation: str, *, keep: bool) -> Face:
        """Make a stored face of a registration image. Raises `Refusal` 400, 404, 409, 422."""
        if image["faceId"] is not None:
            return self.face(image["faceId"])
        found = self.see(image["data"], config)
        if self.release >= (4, 35) and len(found) > 1:
            raise Refusal(422, "More than one face was detected on the registration image.")
        if validation == "predefined" and self.release >= (4, 29) and (found[0].weak or found[0].size < _LEAST_SIZE):
            raise Refusal(422, "The face did not pass the validation: FaceQuality.")
        if self.licence is not None and len(self.faces) >= self.licence:
            raise Refusal(409, "The limit of the licence was reached.")
        face = Face(found[0], self._keep(image["data"]) if keep else None, on_picture=len(found))
        self.faces[face.id] = face
        return face

    def enrol_all(
        self, images: list[dict[str, Any]], config: Mapping[str, Any], validation: str, *, keep: bool
    ) -> list[Face]:
        """Make a stored face of every image, or of none where one of them is refused."""
        faces: list[Face] = []
        try:
            faces.extend(self.enrol(image, config, validation, keep=keep) for image in images)
        except Refusal:
            for face in faces:
                self.drop_face(face.id)
            raise
        return faces

    def face(self, key: str) -> Face:
        """Find a face. Raises `Refusal` 404."""
        if key not in self.faces:
            raise Refusal(404, "The face was not found.")
        return self.faces[key]

    def drop_face(self, key: str) -> None:
        """Forget a face and its picture."""
        face = self.faces.pop(key)
        if face.image is not None:
            self.images.pop(face.image, None)

    def _keep(self, data: bytes) -> str:
        key = str(uuid4())
        self.images[key] = data
        return key

    def take_turn(self) -> None:
        """Count a registration. Raises `Refusal` 429."""
        if self.burst is None:
            return
        at = self.clock()
        while self._registered_at and at - self._registered_at[0] > _BURST_SECONDS:
            self._registered_at.popleft()
        if len(self._registered_at) >= self.burst:
            raise Refusal(429, "Too many requests.")
        self._registered_at.append(at)

    def matches(self, seen: Seen, lists: list[Watchlist], threshold: int, limit: int) -> list[dict[str, Any]]:
        """Who is alike, the best first; a score that equals the threshold is a match."""
        found = []
        for watchlist in lists:
            for key in watchlist.members:
                faces = [self.faces[face] for face in self.members[key].faces]
                score = max((vision.alike(seen.template, face.seen.template) for face in faces), default=0)
                if faces and score >= threshold:
                    found.append(_match(score, self.members[key], watchlist))
        return sorted(found, key=lambda match: match["score"], reverse=True)[:limit]


def _match(score: int, member: Member, watchlist: Watchlist) -> dict[str, Any]:
    return {
        "score": score,
        "watchlistMemberId": member.id,
        "displayName": member.facts.get("displayName"),
        "fullName": member.facts.get("fullName"),
        "watchlistId": watchlist.id,
        "watchlistDisplayName": watchlist.display_name,
        "watchlistFullName": watchlist.full_name,
        "previewColor": watchlist.colour,
        "labels": member.facts.get("labels") or [],
    }
