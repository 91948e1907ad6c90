"""Sightings in the media browser: by day, by station and by person, a page at a time.

Identifiers are `days/<ISO date>`, `stations/<serial>`, `people/<name>` and `strangers/all`, each with `/<id>` behind it
for what comes after that sighting; and `sighting/<reference>`, with `/scene` behind it for the whole scene. Every part
is percent-encoded.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
import re
import sqlite3
from typing import Any, Final, override
from urllib.parse import quote, unquote

from homeassistant.components import websocket_api
from homeassistant.components.media_player import BrowseError, MediaClass
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .hub.history.past_sightings import Group, PastSighting, day_start
from .hub.history.store import History
from .hub.history.views import Part, async_may_see, picture_path
from .hub.house import async_get_history
from .hub.picture import content_type
from .hub.words import async_event_word, async_word, kind_of_past, shown_name

# So many tiles that a phone still shows at once, and fetches the pictures of.
PAGE: Final = 60

_DAYS, _STATIONS, _PEOPLE, _STRANGERS = "days", "stations", "people", "strangers"
_SIGHTING, _SCENE = "sighting", "scene"
_ALL = "all"
_NUMBER = re.compile("[0-9]{1,18}", re.ASCII)


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Make the source."""
    return SightingMediaSource(hass)


class SightingMediaSource(MediaSource):
    """The history of the house, with its pictures."""

    name = "Face Access"

    def __init__(self, hass: HomeAssistant) -> None:
        """Bind to the house."""
        super().__init__(DOMAIN)
        self.hass = hass

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Find where a sighting's picture is served. Raises Unresolvable."""
        parts = _parts(item.identifier)
        part = Part.SCENE if parts[2:] == [_SCENE] else Part.FACE
        if len(parts) not in (2, 3) or parts[0] != _SIGHTING or (len(parts) == 3 and part is not Part.SCENE):
            raise Unresolvable(translation_domain=DOMAIN, translation_key="media_unknown")
        try:
            history = await async_get_history(self.hass)
            past = await history.find(parts[1])
            picture = None if past is None else await _picture(history, past, part)
        except (HomeAssistantError, sqlite3.Error) as err:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="history_unreadable") from err
        if past is None or picture is None:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="picture_gone")
        return PlayMedia(picture_path(past.reference, part), content_type(picture))

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """List what is there. Raises BrowseError."""
        try:
            history = await async_get_history(self.hass)
            await self._check_user(history)
            return await self._browse(history, _parts(item.identifier))
        except (sqlite3.Error, HomeAssistantError) as err:
            if isinstance(err, BrowseError):
                raise
            raise BrowseError(translation_domain=DOMAIN, translation_key="history_unreadable") from err

    async def _check_user(self, history: History) -> None:
        """Who may not see a station may not read who was there either."""
        connection = websocket_api.current_connection.get()
        if connection is None:
            return
        if not all(async_may_see(self.hass, connection.user, group.name) for group in await history.sources()):
            raise BrowseError(translation_domain=DOMAIN, translation_key="media_forbidden")

    async def _browse(self, history: History, parts: Sequence[str]) -> BrowseMediaSource:
        match parts:
            case []:
                kinds = (_DAYS, _STATIONS, _PEOPLE, _STRANGERS)
                return self._folder("", self.name, [self._folder(_root(kind), self._word(kind)) for kind in kinds])
            case [("days" | "stations" | "people") as kind]:
                return self._folder(kind, self._word(kind), await self._groups(history, kind))
            case ["days", "before", day]:
                return self._folder(f"{_DAYS}/before/{day}", self._word(_DAYS), await self._days(history, _day(day)))
            case ["sighting", reference]:
                return await self._both_pictures(history, reference)
            case [("days" | "stations" | "people" | "strangers") as kind, key]:
                return await self._page(history, kind, key, None)
            case [("days" | "stations" | "people" | "strangers") as kind, key, before] if _NUMBER.fullmatch(before):
                return await self._page(history, kind, key, int(before))
        raise _unknown()

    async def _groups(self, history: History, kind: str) -> list[BrowseMediaSource]:
        if kind == _DAYS:
            return await self._days(history, None)
        if kind == _STATIONS:
            named = [(self._station(group.name), group) for group in await history.sources()]
        else:
            named = [(shown_name(group.name), group) for group in await history.people() if group.name]
        named.sort(key=lambda pair: pair[0].casefold())
        return [self._group(kind, title, group) for title, group in named]

    async def _days(self, history: History, end: date | None) -> list[BrowseMediaSource]:
        found = await history.days(dt_util.get_default_time_zone(), end=end, limit=PAGE + 1)
        days = [self._group(_DAYS, group.name, group) for group in found[:PAGE]]
        if len(found) > PAGE:
            days.append(self._folder(f"{_DAYS}/before/{found[PAGE - 1].name}", self._word("more")))
        return days

    async def _page(self, history: History, kind: str, key: str, before: int | None) -> BrowseMediaSource:
        wanted, title = self._wanted(kind, key)
        found = await history.list(**wanted, before=before, limit=PAGE + 1)
        children = [self._sighting(past, kind) for past in found[:PAGE]]
        here = f"{kind}/{quote(key, safe='')}"
        if len(found) > PAGE:
            children.append(self._folder(f"{here}/{found[PAGE - 1].id}", self._word("more")))
        return self._folder(here, title, children, MediaClass.IMAGE)

    def _wanted(self, kind: str, key: str) -> tuple[dict[str, Any], str]:
        """Find what history is asked for, and what it is called."""
        if kind == _DAYS:
            day, zone = _day(key), dt_util.get_default_time_zone()
            end = day_start(day + timedelta(days=1), zone)
            return {"source": None, "start": day_start(day, zone), "end": end}, key
        if kind == _STATIONS:
            return {"source": key}, self._station(key)
        if kind == _STRANGERS:
            if key != _ALL:
                raise _unknown()
            return {"source": None, "who": ""}, self._word(_STRANGERS)
        return {"source": None, "who": key}, shown_name(key)

    async def _both_pictures(self, history: History, reference: str) -> BrowseMediaSource:
        past = await history.find(reference)
        if past is None or not past.scenery:
            raise _unknown()
        shown = self._sighting(past, _STRANGERS)
        path = f"{_SIGHTING}/{past.reference}"
        parts = ((path, Part.THUMBNAIL, "face"), (f"{path}/{_SCENE}", Part.SCENE, "scene"))
        shown.children = [
            self._picture(identifier, self._word(word), picture_path(past.reference, part))
            for identifier, part, word in parts
        ]
        return shown

    def _sighting(self, past: PastSighting, kind: str) -> BrowseMediaSource:
        """Make the tile of a sighting, with what its folder does not say already."""
        when = dt_util.as_local(past.captured_at)
        word = async_event_word(self.hass, "face", "event_type", kind_of_past(past))
        parts = [_clock(when, with_day=kind != _DAYS)]
        if kind != _PEOPLE:
            parts.append(shown_name(past.who) if past.who else "")
        if kind != _STATIONS:
            parts.append(self._station(past.source))
        title = " · ".join(part for part in (*parts, word) if part)
        thumbnail = picture_path(past.reference, Part.THUMBNAIL) if past.picture else None
        shown = self._picture(f"{_SIGHTING}/{past.reference}", title, thumbnail)
        shown.can_expand = past.scenery
        return shown

    def _group(self, kind: str, title: str, group: Group) -> BrowseMediaSource:
        return self._folder(f"{kind}/{quote(group.name, safe='')}", f"{title} ({group.count})")

    @callback
    def _station(self, source: str) -> str:
        """What the household calls a station; its serial number when it is gone."""
        entry = self.hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, source)
        return shown_name(source if entry is None else entry.title)

    @callback
    def _word(self, key: str) -> str:
        return async_word(self.hass, f"media_{key}")

    @staticmethod
    def _folder(
        identifier: str,
        title: str,
        children: list[BrowseMediaSource] | None = None,
        children_class: MediaClass = MediaClass.DIRECTORY,
    ) -> BrowseMediaSource:
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=identifier or None,
            media_class=MediaClass.DIRECTORY,
            media_content_type="",
            title=title,
            can_play=False,
            can_expand=True,
            children=children,
            children_media_class=children_class,
        )

    @staticmethod
    def _picture(identifier: str, title: str, thumbnail: str | None) -> BrowseMediaSource:
        return BrowseMediaSource(
            domain=DOMAIN,
            identifier=identifier,
            media_class=MediaClass.IMAGE,
            media_content_type="image/jpeg",
            title=title,
            can_play=thumbnail is not None,
            can_expand=False,
            thumbnail=thumbnail,
        )


async def _picture(history: History, past: PastSighting, part: Part) -> bytes | None:
    return await (history.scene if part is Part.SCENE else history.picture)(past.id)


def _root(kind: str) -> str:
    return f"{kind}/{_ALL}" if kind == _STRANGERS else kind


def _parts(identifier: str | None) -> list[str]:
    """Take an identifier apart. Nothing in it is ever a path on a disk."""
    return [unquote(part) for part in identifier.split("/")] if identifier else []


def _day(text: str) -> date:
    """Read a day as we write it. Raises BrowseError; the last day of the calendar has no end."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _unknown() from None
    if day.isoformat() != text or not date.min < day < date.max:
        raise _unknown()
    return day


def _clock(when: datetime, *, with_day: bool) -> str:
    """Write a time so short that a tile has room for what happened, too."""
    if not with_day:
        return when.strftime("%H:%M:%S")
    return when.strftime("%m-%d %H:%M" if when.year == _this_year() else "%Y-%m-%d %H:%M")


def _this_year() -> int:
    return dt_util.now().year


def _unknown() -> BrowseError:
    return BrowseError(translation_domain=DOMAIN, translation_key="media_unknown")
