"""What recognition finds at fault in photos before anybody is enrolled with them (the person service's checks)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.translation import async_get_exception_message

from ...const import DOMAIN
from ...people.gallery import photo_code
from ...people.model import PersonError
from ...people.refusal import Refusal
from ...recognition.errors import RecognitionError
from ..errors import translated
from ..local.gallery import HouseGallery, async_get_gallery
from .issues import async_refusal_text

if TYPE_CHECKING:
    from ...recognition.engine import Engine
    from ...recognition.enrolment import PhotoCode
    from ...recognition.gallery import Gallery
    from ...recognition.results import Candidate

# The words of the person service, in actions, forms and answers alike.
CHECK_DUPLICATES: Final = "check_duplicates"
MINIMUM_SIMILARITY: Final = "duplicate_check_min_similarity"
CHECK_LIVENESS: Final = "check_liveness"
CHECK_QUALITY: Final = "check_quality"
DEFAULT_SIMILARITY: Final = 0.7

PASSED: Final = "passed"
NOT_CHECKED: Final = "not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is to be checked. `similarity` is from 0 to 1: a hundredth of the score from which two faces are one's."""

    duplicates: bool = False
    similarity: float = DEFAULT_SIMILARITY
    live: bool = False
    quality: bool = False

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Checks:
        """Read them from a form or an action; what is not there is not asked for."""
        return cls(
            duplicates=bool(data.get(CHECK_DUPLICATES)),
            similarity=float(data.get(MINIMUM_SIMILARITY, DEFAULT_SIMILARITY)),
            live=bool(data.get(CHECK_LIVENESS)),
            quality=bool(data.get(CHECK_QUALITY)),
        )

    @property
    def any(self) -> bool:
        """Whether anything is to be checked."""
        return self.duplicates or self.live or self.quality

    def result(self) -> dict[str, str]:
        """Say what was checked, where nothing was found."""
        return {
            name: PASSED if checked else NOT_CHECKED
            for name, checked in (
                ("duplicates", self.duplicates),
                ("liveness", self.live),
                # A face that is to be proved live is looked at as strictly.
                ("quality", self.quality or self.live),
            )
        }


async def async_check_photos(hass: HomeAssistant, person: str, photos: Sequence[bytes], checks: Checks) -> None:
    """Check a person's new photos, as far as is asked. Raises PersonError for the first that does not pass.

    Without an engine nothing can be checked, and nobody is told that it was: PersonError as well.
    """
    if not checks.any or not photos:
        return
    try:
        gallery = await async_get_gallery(hass)
        if checks.live or checks.quality:
            await _check_each(gallery, photos, live=checks.live)
        if checks.duplicates:
            await _check_duplicates(gallery, person, photos, checks.similarity)
    except ConfigEntryNotReady as err:
        raise PersonError("photo_check_unavailable", reason=str(err)) from err
    except RecognitionError as err:
        found = translated(err)
        text = async_get_exception_message(DOMAIN, found["translation_key"], found["translation_placeholders"])
        raise PersonError("photo_check_unavailable", reason=text) from err


async def _check_each(gallery: HouseGallery, photos: Sequence[bytes], *, live: bool) -> None:
    for number, photo in enumerate(photos, start=1):

        def examine(engine: Engine, photo: bytes = photo) -> tuple[PhotoCode, ...]:
            from ...recognition.enrolment import examine  # noqa: PLC0415

            return examine(engine, photo, live=live)

        if codes := await gallery.local.ask(examine):
            raise _failed(number, codes[0])


async def _check_duplicates(gallery: HouseGallery, person: str, photos: Sequence[bytes], similarity: float) -> None:
    if not await gallery.async_settled():
        # Somebody who is not learned yet may be the one.
        raise PersonError("photo_check_busy")
    for number, photo in enumerate(photos, start=1):
        found = await gallery.local.ask(_resembling(photo, gallery.gallery, person))
        if isinstance(found, str):
            raise _failed(number, found)
        if found is not None and found.score >= similarity * 100:
            profile = gallery.people.store.profiles.get(found.person_id)
            raise PersonError(
                "person_resembles",
                person=found.person_id if profile is None else profile.name,
                similarity=f"{found.score / 100:.2f}",
            )


def _resembling(photo: bytes, gallery: Gallery | None, person: str) -> Any:
    def resembling(engine: Engine) -> Candidate | PhotoCode | None:
        from ...recognition.enrolment import resembling  # noqa: PLC0415

        return resembling(engine, photo, gallery, person)

    return resembling


def said(err: PersonError) -> dict[str, str]:
    """What a check has to say besides its code; nothing for other errors."""
    names = ("photo", "photo_code", "reason", "similarity")
    return {name: err.placeholders[name] for name in names if name in err.placeholders}


def _failed(number: int, code: str) -> PersonError:
    reason = async_refusal_text(Refusal(photo_code(code)))
    return PersonError("photo_check_failed", photo=str(number), reason=reason, photo_code=code)
