"""What every engine offers, local or a server: one object with small abilities, each present or None.

Scores stay as the engine gives them, with their scale and the threshold they were held against; they are never
converted from one engine to another. A picture that an engine cannot judge is never a spoof.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Protocol

from ..access import Role, Similarity
from .terms import Box, FaceLiveness


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What an engine says of itself. `version` is None where it does not tell."""

    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A likeness as the engine measures it, from 0 to `maximum` (1 or 100); `threshold` is what was asked for."""

    value: float
    maximum: float
    threshold: float | None = None

    @property
    def percent(self) -> float:
        """The same number on a scale of 100, for a place that shows scores of one engine alone."""
        return self.value / self.maximum * 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Somebody of the register who may be meant. `key` is the household's key of theirs."""

    key: str
    score: Score
    name: str | None = field(default=None, repr=False)
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a face is live. `reasons` say why an engine could not tell (state `unknown`)."""

    state: FaceLiveness
    score: Score | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFace:
    """One face of a picture as an engine sees it; `matches` are those that reach its threshold, the best first.

    `box` in pixels of the picture, None where the engine does not tell. `attributes` are plain facts in the engine's
    own units (age, mask, yaw, ...), for the response of an action alone.
    """

    matches: tuple[Match, ...] = ()
    liveness: Judgement = field(default_factory=lambda: Judgement(state=FaceLiveness.NOT_CHECKED))
    box: Box | None = None
    attributes: Mapping[str, float | str | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether two pictures show the same person. `score` is None where the engine gives its verdict alone.

    `record` is the server's id of this comparison, where it keeps one.
    """

    matched: bool
    score: Score | None = None
    first: SeenFace | None = None
    second: SeenFace | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person as a register holds one. `metadata` is free text by short keys; photos (JPEG) travel beside it."""

    key: str
    name: str = field(repr=False)
    role: Role = Role.NORMAL
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)


class Search(Protocol):
    """Who is in a picture, of everybody in the register.

    `thresholds` are in the engine's own scale. A picture without a face gives an empty tuple. Where the engine can look
    at several faces it does, the largest first. `liveness` asks for a judgement of each face too, where the engine can.
    """

    @property
    def thresholds(self) -> Mapping[Similarity, float]: ...
    async def search(
        self, picture: bytes, similarity: Similarity, *, liveness: bool = False, limit: int = 3
    ) -> tuple[SeenFace, ...]: ...


class Verify(Protocol):
    """Whether two pictures show the same person. Raises NoFaceError with the picture's number."""

    async def verify(self, first: bytes, second: bytes, similarity: Similarity) -> Verification: ...


class Liveness(Protocol):
    """Whether the face in a picture is live. Raises NoFaceError."""

    async def check(self, picture: bytes) -> Judgement: ...


class Register(Protocol):
    """Whom an engine knows: a target of sync.

    `lists` is whether it can say who is there; where it cannot, `all` gives nothing and `find` None, and the people
    store is the register. `deletes` is whether one person can be removed. `as_held` gives what `find` and `all` will
    say once `put` has put it (names cut, texts that do not fit left out), so that a comparison finds true differences.
    `put` adds or changes; photos are tried in their order, those that the server cannot use are left out, and
    PhotoRefusedError is raised where none of them will do. With photos None it keeps those that are there, and raises
    EngineNotFoundError where nobody has the key. `remove` is done when nobody has the key. Where a server
    needs a face for every change, or cannot remove, `put` without photos and `remove` raise EngineUnableError
    (`RemoteEngine.photos_always`, `deletes`); `RemoteEngine.empty` is then the way.

    `terms` name what the server is told about keeping photos, as far as it heeds that; whoever was given on other terms
    is given anew.

    `anew` is whether the list was missing and an empty one made in its place, without anybody having asked for that:
    nobody whom we gave is on it any more. Whoever has seen to it sets it back.
    """

    lists: bool
    deletes: bool
    anew: bool

    @property
    def terms(self) -> str: ...
    def as_held(self, member: Member) -> Member: ...
    def all(self) -> AsyncIterator[Member]: ...
    async def find(self, key: str) -> Member | None: ...
    async def put(self, member: Member, photos: tuple[bytes, ...] | None) -> None: ...
    async def remove(self, key: str) -> None: ...


class EnrolMany(Protocol):
    """Gives many people to a register, each by their first photo, and gives the keys of those who are in it now.

    Whoever is not has to be `put` alone, to find out why, or by another photo. Nothing is checked of anybody.
    """

    async def __call__(self, people: Sequence[tuple[Member, tuple[bytes, ...]]]) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEngine:
    """A recognition server. What it cannot do is None.

    `probe` proves address and login, and that the register is there; `several` is whether it looks at several faces of
    one picture; `photos_always` whether its register wants a photo for every change. `groups` is whether a match names
    the list that it was found on, `boxes` whether it says where faces are, `verify_score` whether a comparison of two
    pictures comes with a score. `empty` removes everybody, where one alone cannot be removed.
    """

    probe: Callable[[], Awaitable[EngineInfo]]
    search: Search | None = None
    verify: Verify | None = None
    liveness: Liveness | None = None
    register: Register | None = None
    several: bool = False
    photos_always: bool = False
    groups: bool = False
    boxes: bool = False
    verify_score: bool = False
    enrol_many: EnrolMany | None = None
    empty: Callable[[], Awaitable[None]] | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, by the names above; `lists` and `deletes` are those of its register."""
        able = {each.name for each in fields(self) if getattr(self, each.name) not in (None, False)} - {"probe"}
        return frozenset(able | {name for name in ("lists", "deletes") if getattr(self.register, name, False)})
