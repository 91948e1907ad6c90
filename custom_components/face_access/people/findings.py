"""What was found out about a person: when and where they were seen, and what recognition made of a photo."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When (aware) and where a person was last seen: `place` is what the household calls the station."""

    at: datetime
    place: str
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What recognition made of one photo: a template as plain data, or the code of why there is none.

    Both are None where the photo is fine and adds nothing to the others. Biometric: in no repr, log or diagnostics.
    """

    template: Mapping[str, Any] | None = field(default=None, repr=False)
    code: str | None = None
