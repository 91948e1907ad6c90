"""Time profiles: when an identifier counts. The body is the one that the Camdroid document shows."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from .._terminal.schema import array, flag, group, integer, one_of, text
from .bodies import check_body
from .errors import wrong

if TYPE_CHECKING:
    from .core import Core

DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_DAY_SECONDS: Final = 86400
BODY: Final = {
    "name": text(100, low=1),
    "time_options": group(is_all_day=flag(), date_from=integer(0), date_to=integer(0)),
    "repeat_options": group(
        repeat_enable=flag(),
        repeat_format=group(
            optional=True,
            repeat_type=text(),
            repeat_end=group(optional=True, format=text(), date=integer(0, optional=True)),
            repeat_custom=group(
                optional=True,
                repeat_point_type=text(),
                repeat_looper=integer(1, optional=True),
                repeat_options=array(one_of(*DAYS), optional=True),
            ),
        ),
    ),
}
LIST_FIELDS: Final = ("name", "timeprofile_uid", "time_options.date_from", "time_options.date_to")


class Profiles:
    """`items` maps uids to bodies."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.items: dict[int, dict[str, Any]] = {}

    def create(self, body: Any) -> int:
        """Keep a new profile; its uid."""
        checked = self._checked(body)
        uid = max(self.items, default=0) + 1
        self.items[uid] = checked
        self.core.save()
        return uid

    def update(self, uid: int, body: Any) -> None:
        """Replace a profile."""
        self.get(uid)
        self.items[uid] = self._checked(body)
        self.core.save()

    def get(self, uid: int) -> dict[str, Any]:
        """One profile; raise `Refusal` 400 when there is none."""
        if uid not in self.items:
            raise wrong("Wrong timeprofile-uid")
        return self.items[uid]

    def delete(self, uid: int) -> None:
        """Remove a profile, from identifiers too."""
        self.get(uid)
        del self.items[uid]
        for item in self.core.identifiers.items.values():
            item["profiles"] = [other for other in item["profiles"] if other != uid]
        self.core.save()

    def allows(self, uids: list[int], stamp: float) -> bool:
        """Whether one of the profiles covers a moment (unix seconds); no profile at all allows everything."""
        moment = datetime.fromtimestamp(stamp, UTC)
        return not uids or any(_covers(self.items[uid], moment) for uid in uids)

    def _checked(self, body: Any) -> dict[str, Any]:
        checked = check_body(body, BODY, lambda name: self.core.violation(f"a time profile has no field {name!r}"))
        if checked["time_options"]["date_from"] > checked["time_options"]["date_to"]:
            raise wrong("Wrong time range: date_from is later than date_to")
        return checked


def _covers(profile: dict[str, Any], moment: datetime) -> bool:
    """Whether a profile covers a moment: inside its first span, or inside one of its repetitions."""
    options = profile["time_options"]
    begin = datetime.fromtimestamp(options["date_from"], UTC)
    length = timedelta(seconds=options["date_to"] - options["date_from"])
    if options["is_all_day"]:
        begin = begin.replace(hour=0, minute=0, second=0)
        length = max(length, timedelta(seconds=_DAY_SECONDS))
    if begin <= moment < begin + length:
        return True
    repeat = profile["repeat_options"]
    form = repeat.get("repeat_format")
    if not repeat["repeat_enable"] or not form or moment < begin:
        return False
    end = form.get("repeat_end", {})
    if end.get("format") == "date" and moment.timestamp() > end.get("date", 0):
        return False
    start = moment.replace(hour=begin.hour, minute=begin.minute, second=begin.second, microsecond=0)
    return start <= moment < start + min(length, timedelta(days=1)) and _repeats(form, begin, moment)


def _repeats(form: dict[str, Any], begin: datetime, moment: datetime) -> bool:
    """Whether a profile comes again on the day of a moment."""
    days = form.get("repeat_custom", {}).get("repeat_options")
    if days:
        return DAYS[moment.weekday()] in days
    match form["repeat_type"]:
        case "week":
            return moment.weekday() == begin.weekday()
        case "month":
            return moment.day == begin.day
        case "year":
            return (moment.month, moment.day) == (begin.month, begin.day)
    return True
