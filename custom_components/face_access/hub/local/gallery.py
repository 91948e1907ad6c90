"""Whom the local engine can name: learned on its own thread, and kept at what the household wants, like a station."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ...access import Similarity
from ...const import DOMAIN, LOGGER
from ...devices.errors import StationError
from ...devices.station import Enrolment
from ...people.findings import Learned
from ...people.gallery import NOT_KEPT, TARGET, GalleryTarget
from ...people.plan import Progress, Wanted
from ...people.refusal import PHOTO_MISSING
from ...people.sync import Synchroniser
from ...recognition.errors import ModelError, RecognitionError
from ...recognition.score import THRESHOLDS
from ..people.household import HousePeople, async_get_people
from ..people.issues import async_report_refusals
from .engine import Local, async_get_local
from .gallery_issues import async_clear_gallery, async_report_confusable, async_report_odd_photos

if TYPE_CHECKING:
    from ...recognition.engine import Engine
    from ...recognition.gallery import Gallery
    from ...recognition.register import Assembled

NAME: Final = "Home Assistant"
"""What the household calls this target."""
# Changes come in bursts: a form, an import.
GATHER: Final = 0.5
RETRY_AFTER: Final = 60.0
# While many are learned, those who are there already shall be named.
_SHOW_EVERY: Final = 5.0

_GALLERY: HassKey[asyncio.Task[HouseGallery]] = HassKey(f"{DOMAIN}_gallery")


async def async_get_gallery(hass: HomeAssistant) -> HouseGallery:
    """Give the house's gallery. From the first call on it learns everybody who has a photo, and goes on doing so.

    Raises ConfigEntryNotReady when numpy cannot be had, or the people cannot be read.
    """
    if (task := hass.data.get(_GALLERY)) is None:
        task = hass.data[_GALLERY] = hass.async_create_task(_make(hass), "face_access gallery", eager_start=True)
    try:
        return await asyncio.shield(task)
    except BaseException:
        if task.done():
            hass.data.pop(_GALLERY, None)
        raise


@callback
def async_gallery(hass: HomeAssistant) -> HouseGallery | None:
    """Give the gallery where there is one already."""
    task = hass.data.get(_GALLERY)
    if task is None or not task.done() or task.cancelled() or task.exception() is not None:
        return None
    return task.result()


async def async_forget_people(hass: HomeAssistant) -> None:
    """Local recognition is over: templates are biometric data and go. Raises sqlite3.Error."""
    if (gallery := async_gallery(hass)) is not None:
        gallery.async_stop()
    store = (await async_get_people(hass)).store
    for person in await store.learned():
        await store.learn(person, {})
    await store.drop_target(TARGET)
    async_clear_gallery(hass)


async def _make(hass: HomeAssistant) -> HouseGallery:
    people = await async_get_people(hass)
    gallery = HouseGallery(hass, people, await async_get_local(hass))
    gallery.async_start()
    return gallery


class HouseGallery:
    """Runs rounds of learning, one at a time, in the background; what came of them is `local.gallery`."""

    def __init__(self, hass: HomeAssistant, people: HousePeople, local: Local) -> None:
        """Bind the people to the engine; see `async_get_gallery`."""
        self.people = people
        self.local = local
        self.done = asyncio.Event()
        """Set while nothing is left that could be done."""
        self.error: RecognitionError | None = None
        """Why the last round failed: mostly a model that is not there."""
        self.learned: Mapping[str, Mapping[str, Learned]] = {}
        """What was made of each person's photos, for their codes."""
        self.listeners: list[CALLBACK_TYPE] = []
        """Called when learning has come further, but not for each of a thousand."""
        self._hass = hass
        self._similarities: list[Callable[[], Similarity]] = []
        self._shown_for = self._similarity
        self._due = self._look = self._retry = False
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._showing: asyncio.Task[None] | None = None
        self._shown_at = 0.0
        self._stop_retry: CALLBACK_TYPE | None = None
        self._stops: list[CALLBACK_TYPE] = []
        target = GalleryTarget(people.store, local.ask)
        self.sync = Synchroniser(TARGET, target, people.store, wanted=self._wanted, on_progress=self._async_step)

    @property
    def gallery(self) -> Gallery | None:
        """Everybody who can be named now; None where there is nobody, or no model."""
        return self.local.gallery

    @property
    def progress(self) -> Progress:
        """How far learning is."""
        return self.sync.progress

    @callback
    def async_start(self) -> None:
        """Begin. Other models may have come while nobody looked, so that what was refused may do now."""
        self.people.learners.append(self)
        self._stops = [
            lambda: self.people.learners.remove(self),
            self.local.async_on_models_changed(self._async_models_changed),
            async_dispatcher_connect(self._hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_entry_changed),
        ]
        self.async_wake(look=True, retry=True)

    @callback
    def async_stop(self) -> None:
        """Learn nobody any more. Templates stay, for the next time."""
        self._hass.data.pop(_GALLERY, None)
        while self._stops:
            self._stops.pop()()
        self._async_cancel_retry()
        for task in (self._task, self._showing):
            if task is not None:
                task.cancel()
        self.local.gallery = None

    @callback
    def async_wake(self, *, look: bool = False, retry: bool = False) -> None:
        """Something else is wanted: see to it soon. `look` compares with what is kept; `retry` what was refused too."""
        if self._hass.is_stopping:
            return
        self._look |= look
        self._retry |= retry
        self._due = True
        self.done.clear()
        self.sync.changed()
        self._async_cancel_retry()
        if self._task is None or self._task.done():
            self._task = self._hass.async_create_background_task(self._work(), "face_access gallery", eager_start=False)

    async def async_settled(self, timeout: float = 60.0) -> bool:
        """Wait until everybody has been learned who can be; False where that takes longer. Raises RecognitionError."""
        if self.error is not None:
            self.async_wake(look=True)
        self._hurry.set()
        try:
            async with asyncio.timeout(timeout):
                await self.done.wait()
        except TimeoutError:
            return False
        finally:
            self._hurry.clear()
        if self.error is not None:
            raise self.error
        return True

    @property
    def has_learned(self) -> bool:
        """Whether everybody has been learned who can be."""
        return self.done.is_set() and self.error is None

    @callback
    def _async_models_changed(self) -> None:
        # Whom the vectors of other models are like says nothing.
        self.local.gallery = None
        self.async_wake(look=True, retry=True)

    @callback
    def async_use(self, similarity: Callable[[], Similarity]) -> CALLBACK_TYPE:
        """Have a camera name people by the gallery, at the similarity that it asks for. The way to end that."""
        self._similarities.append(similarity)
        self._async_similarity_changed()

        def end() -> None:
            self._similarities.remove(similarity)
            self._async_similarity_changed()

        return end

    @property
    def _similarity(self) -> Similarity:
        """The least that any camera asks for."""
        asked = (similarity() for similarity in self._similarities)
        return min(asked, key=THRESHOLDS.__getitem__, default=Similarity.NORMAL)

    @callback
    def _async_entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            self._async_similarity_changed()

    @callback
    def _async_similarity_changed(self) -> None:
        if self._similarity != self._shown_for:
            # Others may be taken for each other now.
            self.async_wake()

    def _wanted(self) -> Iterator[Wanted]:
        for profile in tuple(self.people.store.profiles.values()):
            if profile.photos:
                enrolment = Enrolment(key=profile.key, name=profile.name)
                yield Wanted(person=profile.id, enrolment=enrolment, photos=profile.photos)

    async def _work(self) -> None:
        while self._due:
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER):
                    await self._hurry.wait()
            self._due = False
            await self._round()
        self.done.set()
        self._async_tell()
        if self.error is None:
            async_report_refusals(self._hass, self.people.store, TARGET, NAME)
            self.people.async_learned()

    async def _round(self) -> None:
        look, self._look = self._look, False
        retry, self._retry = self._retry, False
        try:
            complete = await self.sync.run(full=look, retry=retry)
            await self._mark_lost()
            await self._async_show()
        except (RecognitionError, StationError, sqlite3.Error) as err:
            self._failed(err, look=look, retry=retry)
            return
        self.error = None
        self._retry |= retry and not complete

    async def _mark_lost(self) -> None:
        """Templates of models that are gone, made of photos that are gone: the person must be enrolled again."""
        store = self.people.store
        for holding in tuple(store.holdings(TARGET).values()):
            profile = store.profiles.get(store.whose(holding))
            if holding.code == PHOTO_MISSING and profile is not None:
                await store.learn(profile.id, {name: Learned(code=NOT_KEPT) for name in profile.photos})

    def _failed(self, err: Exception, *, look: bool, retry: bool) -> None:
        self._look |= look
        self._retry |= retry
        LOGGER.debug("People could not all be learned: %s", err if isinstance(err, RecognitionError) else type(err))
        self.error = err if isinstance(err, RecognitionError) else RecognitionError("the store of people failed")
        if not isinstance(err, ModelError) and not self._due:
            self._stop_retry = async_call_later(
                self._hass, RETRY_AFTER, HassJob(self._async_try_again, cancel_on_shutdown=True)
            )

    @callback
    def _async_cancel_retry(self) -> None:
        if self._stop_retry is not None:
            self._stop_retry()
            self._stop_retry = None

    @callback
    def _async_try_again(self, _now: datetime) -> None:
        self._stop_retry = None
        self.async_wake()

    @callback
    def _async_step(self) -> None:
        """Somebody was learned: show them, but not each of a thousand."""
        is_showing = self._showing is not None and not self._showing.done()
        if self._hass.loop.time() - self._shown_at >= _SHOW_EVERY and not is_showing:
            self._showing = self._hass.async_create_background_task(self._async_show_some(), "face_access gallery")
            self._async_tell()

    @callback
    def _async_tell(self) -> None:
        for listener in tuple(self.listeners):
            listener()

    async def _async_show_some(self) -> None:
        with suppress(RecognitionError, sqlite3.Error):
            # The round's end will say.
            await self._async_show()

    async def _async_show(self) -> None:
        """Put what was learned together for all who ask."""
        self._shown_at = self._hass.loop.time()
        profiles = self.people.store.profiles
        self.learned = {
            person: rows for person, rows in (await self.people.store.learned()).items() if person in profiles
        }
        templates = {
            person: found
            for person, rows in self.learned.items()
            if (found := [one.template for one in rows.values() if one.template is not None])
        }
        similarity = self._shown_for = self._similarity
        assembled = await self.local.ask(_assembling(templates, similarity)) if templates else None
        self.local.gallery = None if assembled is None else assembled.gallery
        async_report_odd_photos(self._hass, profiles, self.learned)
        async_report_confusable(self._hass, profiles, assembled.confusable if assembled is not None else ())


def _assembling(templates: Mapping[str, list[Mapping[str, Any]]], similarity: Similarity) -> Any:
    def assemble(engine: Engine) -> Assembled:
        from ...recognition import register  # noqa: PLC0415

        return register.assemble(engine, templates, similarity)

    return assemble
