"""Which release a server is, and which fields it knows (recognition-servers document, "Version trap")."""

from dataclasses import dataclass, field
from datetime import datetime
import re
from typing import Any, Final

from .read import Fields

type Release = tuple[int, int, int]

OLDEST: Final[Release] = (4, 25, 0)
FACE_VALIDATION: Final[Release] = (4, 29, 0)
"""`faceValidationMode` on Register, AddNewFace and Search; 422 where a face does not pass."""
SINGLE_FACE: Final[Release] = (4, 35, 0)
"""A registration photo with several faces is refused by the server itself."""
SESSION: Final[Release] = (4, 35, 0)
"""The header `X-Session-Id`."""
PRIVACY: Final[Release] = (4, 36, 0)
"""`privacy` of a member: which pictures the server keeps."""

# "v5_4.25.2.6157" as well as "4.27.0.6834".
_FULL_VERSION: Final = re.compile(r"(?:v\d{1,3}_)?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,6}))?(?:[.\-+ ].{0,80})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo:
    """What `GET Version` says. `release` is None where the text names none that we can read."""

    full: str
    release: Release | None
    assembly: str | None = None
    database: str | None = None
    assembly_modified_at: datetime | None = field(default=None, repr=False)
    database_created_at: datetime | None = field(default=None, repr=False)
    database_updated_at: datetime | None = field(default=None, repr=False)

    def since(self, release: Release) -> bool:
        """Whether the server is this release or a later one. One that does not say it counts as the oldest."""
        return (self.release or OLDEST) >= release


def parse_version(value: Any) -> VersionInfo:
    """Read the answer of `GET Version`. Raises EngineProtocolError."""
    fields = Fields(value, "the version")
    full = fields.text("fullVersion").strip()
    return VersionInfo(
        full=full[:100],
        release=read_release(full),
        assembly=fields.maybe_text("assemblyVersion"),
        database=fields.maybe_text("databaseVersion"),
        assembly_modified_at=fields.maybe_moment("assemblyLastModifiedTime"),
        database_created_at=fields.maybe_moment("databaseVersionCreationTime"),
        database_updated_at=fields.maybe_moment("databaseVersionUpdatedTime"),
    )


def read_release(text: str) -> Release | None:
    """Find the release in a version's text, such as (4, 25, 2) in "v5_4.25.2.6157"."""
    match = _FULL_VERSION.fullmatch(text)
    if match is None:
        return None
    return int(match[1]), int(match[2]), int(match[3] or 0)
