"""The people to compare with: one vector per person in one matrix, so that comparing with all is one product."""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import numpy as np

from .errors import GalleryError
from .results import Candidate, Floats
from .score import Scale

PIPELINE_VERSION: Final = 1
"""Raised when alignment or preprocessing changes so that old templates no longer fit."""

_NO_PAIR: Final = -2.0
_BLOCK: Final = 512
OUTLIER: Final = 0.30
DUPLICATE: Final = 0.95
_TAKEN: Final = np.float32(-np.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a template was made with; templates of different origins are not comparable.

    The detector belongs to it: the same face aligned by another one differs by more than some strangers do.
    """

    embedder: str
    embedder_sha256: str
    detector: str
    detector_sha256: str
    pipeline: int = PIPELINE_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One person's face as a unit vector. Biometric: it appears in no repr and belongs in no log."""

    vector: Floats = field(repr=False)
    origin: Origin
    quality: float

    def pack(self) -> dict[str, Any]:
        """Give plain data to be stored, in a place that diagnostics leave out."""
        little = self.vector.astype("<f4").tobytes()
        return {"vector": b64encode(little).decode(), "quality": self.quality, "origin": asdict(self.origin)}

    @classmethod
    def unpack(cls, content: Any) -> Self:
        """Read what `pack` gave. Raises GalleryError, which shows nothing of it."""
        try:
            vector = np.frombuffer(b64decode(content["vector"], validate=True), "<f4")
            origin, quality = Origin(**content["origin"]), float(content["quality"])
        except (KeyError, TypeError, ValueError) as err:
            raise GalleryError("a stored template is damaged") from err
        if not 16 <= len(vector) <= 4096 or abs(float(np.linalg.norm(vector)) - 1) > 1e-3:
            raise GalleryError("a stored template is no unit vector")
        return cls(vector=vector.astype(np.float32), origin=origin, quality=quality)


def normalise(vector: Floats) -> Floats:
    """Scale to length 1. Raises GalleryError for what has no direction."""
    flat = np.asarray(vector, np.float32).reshape(-1)
    length = float(np.linalg.norm(flat))
    if not np.isfinite(length) or length < 1e-6:
        raise GalleryError("an embedding is empty or not finite")
    return flat / np.float32(length)


def centroid(templates: Iterable[Template]) -> Floats:
    """The mean of several templates of one person, of length 1: better than the best of them (measured)."""
    return normalise(np.sum([template.vector for template in templates], axis=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusable:
    """Two people whom the chosen similarity may take for each other."""

    first: str
    second: str
    cosine: float


class Gallery:
    """Everybody enrolled, as they are at one moment: to change it, make another."""

    def __init__(
        self, people: Sequence[str], matrix: Floats, outdated: Iterable[str] = (), origin: Origin | None = None
    ) -> None:
        """Take centroids of length 1, (people, dimensions), made by `origin`. Raises GalleryError unless they fit."""
        if matrix.ndim != 2 or len(matrix) != len(people) or not np.isfinite(matrix).all():
            raise GalleryError("centroids do not fit their people")
        self.people = tuple(people)
        self.outdated = frozenset(outdated)
        self.origin = origin
        # One person per column: the product then runs along the people, which is faster for the few of a house.
        self._columns = np.ascontiguousarray(matrix.T, np.float32)
        # Room for cosines, taken while somebody compares: fresh memory costs as much as the product itself.
        self._rooms: list[Floats] = []

    @classmethod
    def of(cls, people: Mapping[str, Sequence[Template]], origin: Origin) -> Self:
        """Take the templates of each person by id. Those of another origin are left out and named in `outdated`.

        Raises GalleryError for templates of different lengths.
        """
        usable = {person: [one for one in templates if one.origin == origin] for person, templates in people.items()}
        vectors = {person: centroid(templates) for person, templates in usable.items() if templates}
        if len({len(vector) for vector in vectors.values()}) > 1:
            raise GalleryError("templates have different lengths")
        outdated = [person for person, templates in people.items() if len(usable[person]) < len(templates)]
        matrix = np.stack(list(vectors.values())) if vectors else np.zeros((0, 0), np.float32)
        return cls(tuple(vectors), matrix, outdated, origin)

    def __len__(self) -> int:
        """How many people."""
        return len(self.people)

    def match(self, vector: Floats, scale: Scale, limit: int = 3) -> tuple[Candidate, ...]:
        """Find the people most like a unit vector, the best first. Raises GalleryError for another length."""
        if not self.people:
            return ()
        if len(vector) != len(self._columns):
            raise GalleryError(f"an embedding of {vector.size} numbers meets templates of {len(self._columns)}")
        try:
            room = self._rooms.pop()  # never one that another thread has
        except IndexError:
            room = np.empty(len(self.people), np.float32)
        cosines = np.dot(vector, self._columns, out=room)
        found = []
        # A few times the largest: faster than to sort apart, at a thousand people and at a hundred thousand.
        for _ in range(min(limit, len(cosines))):
            index = int(cosines.argmax())
            cosine: float = cosines.item(index)
            cosines[index] = _TAKEN
            found.append(Candidate(person_id=self.people[index], cosine=cosine, score=scale.score(cosine)))
        self._rooms.append(room)
        return tuple(found)

    def confusable(self, cosine: float) -> list[Confusable]:
        """Find pairs of people who are more alike than `cosine`, the most alike first."""
        found = [
            Confusable(first=self.people[one], second=self.people[other], cosine=float(likeness))
            for start, block in self._likenesses()
            for one, other, likeness in _above(block, start, max(cosine, -1))
        ]
        return sorted(found, key=lambda pair: -pair.cosine)

    def closest(self) -> Confusable | None:
        """Find the two people who are most alike; None where there are no two."""
        best: Confusable | None = None
        for start, block in self._likenesses():
            one, other = divmod(int(block.argmax()), block.shape[1])
            cosine = float(block[one, other])
            if cosine > max(_NO_PAIR, _NO_PAIR if best is None else best.cosine):
                best = Confusable(first=self.people[start + one], second=self.people[other], cosine=cosine)
        return best

    def _likenesses(self) -> Iterator[tuple[int, Floats]]:
        """Compare everybody with all who come after them, some people at a time: a thousand make a million pairs."""
        for start in range(0, len(self.people), _BLOCK):
            block: Floats = self._columns[:, start : start + _BLOCK].T @ self._columns
            block[np.tri(len(block), len(self.people), start, dtype=bool)] = _NO_PAIR
            yield start, block


def _above(block: Floats, start: int, cosine: float) -> Iterator[tuple[int, int, float]]:
    for one, other in np.argwhere(block >= cosine).tolist():
        yield start + one, other, block[one, other]


def odd_ones_out(vectors: Sequence[Floats], trusted: int = 0) -> frozenset[int]:
    """Find which of a person's samples (unit vectors) do not belong to the others.

    The first `trusted` are right. Where there are none, the largest group of samples that are like one of them is, and
    of groups of the same size the one that begins first.
    """
    if len(vectors) < 2:
        return frozenset()
    heart = list(range(trusted)) or max(
        ([other for other in range(len(vectors)) if float(one @ vectors[other]) >= OUTLIER] for one in vectors), key=len
    )
    middle = normalise(np.sum([vectors[index] for index in heart], axis=0))
    return frozenset(
        index
        for index in range(trusted, len(vectors))
        if index not in heart and float(middle @ vectors[index]) < OUTLIER
    )


def repeats(vector: Floats, templates: Sequence[Template]) -> bool:
    """Whether a sample adds nothing to those that are there."""
    return any(float(template.vector @ vector) > DUPLICATE for template in templates)
