"""What a target was given of a person, and what stays known of whom it was given once."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from .model import is_new_key
from .refusal import Refusal

EVERYWHERE = ""
"""The target of a key of ours that is gone: such a key means the same wherever it turns up."""
# Enough to tell somebody else by, and too little to guess a card number from.
_GIST = 4


class HoldingState(StrEnum):
    """How far a target is with a person."""

    PENDING = "pending"
    """Given or about to be given; whether it arrived is not known."""
    HELD = "held"
    """The target has it."""
    REFUSED = "refused"
    """The target said no; `refusal` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a target was given of a person, under the key `key`; sightings there name them `alias`.

    `facts` and `photos` are digests of what was given; empty where nothing arrived for certain.
    """

    target: str
    key: str
    person: str
    alias: str
    facts: str = ""
    photos: str = ""
    state: HoldingState = HoldingState.PENDING
    refusal: Refusal | None = None

    @property
    def code(self) -> str | None:
        """The code of the refusal."""
        return None if self.refusal is None else self.refusal.code

    def anew(self) -> Holding:
        """Make what is written down where somebody is still to be given, face and all."""
        return replace(self, facts="", photos="", state=HoldingState.PENDING, refusal=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A key by which a target knew somebody, and that means nobody there any more, should it turn up again.

    `person` is who it was where they are still of the house, else empty; nothing else of them is kept. `facts` is the
    beginning of the digest of what the target had, for keys that the target may give to somebody else; empty for ours.
    """

    target: str
    key: str
    person: str = ""
    facts: str = ""


def gone_of(holdings: Iterable[Holding], people: Container[str]) -> list[Gone]:
    """Find what must be remembered of holdings that go; `people` are of the house. A key of ours speaks for itself."""
    return [
        Gone(
            target=holding.target,
            key=holding.key,
            person=holding.person if holding.person in people else "",
            facts=holding.facts[:_GIST],
        )
        for holding in holdings
        if not is_new_key(holding.key)
    ]
