"""How long sightings are kept: by days and by number, as the household prefers for each station."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ...const import CONF_KEEP_DAYS, CONF_KEEP_MOST

MOST_DAYS = 3650
MOST_SIGHTINGS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is older than `span` goes, and what is surplus to the newest `most` after a minute."""

    span: timedelta
    most: int


# Enough for a household to look back; a terminal itself keeps some thousands of records.
DEFAULT = Retention(span=timedelta(days=30), most=5000)


def retention_of(options: Mapping[str, Any]) -> Retention:
    """Read a station's retention from its entry's options."""
    return Retention(
        span=timedelta(days=options.get(CONF_KEEP_DAYS, DEFAULT.span.days)),
        most=options.get(CONF_KEEP_MOST, DEFAULT.most),
    )
