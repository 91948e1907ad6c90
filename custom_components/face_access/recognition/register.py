"""Everybody's templates as plain data: learned from photos, and put together to a gallery.

These functions block for as long as the networks take: they run on the worker's thread, not on the event loop.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..access import Similarity
from .engine import Engine
from .enrolment import enrol
from .errors import GalleryError
from .gallery import Confusable, Gallery, Origin, Template
from .score import THRESHOLDS

type Packed = Mapping[str, Any]
"""A template as `Template.pack` gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The gallery of a house, and the people in it who may be taken for each other."""

    gallery: Gallery
    confusable: tuple[Confusable, ...]


def learn(
    engine: Engine, photos: Mapping[str, bytes | None], before: Mapping[str, Packed]
) -> dict[str, tuple[Packed | None, str | None]]:
    """Make templates of a person's photos, by their names and in the order of preference.

    A photo that is not kept is None: the template of `before` stays if the models are the same. Gives for each name
    the template or why there is none, neither where the photo adds nothing, and nothing at all for a photo that is gone
    with its template. Raises ModelError.
    """
    origin = engine.origin
    there = {name: before[name] for name, data in photos.items() if data is None and name in before}
    known = {name: found for name, packed in there.items() if (found := _usable(packed, origin)) is not None}
    given = {name: data for name, data in photos.items() if data is not None}
    results = enrol(engine, list(given.values()), known=list(known.values()))
    learned: dict[str, tuple[Packed | None, str | None]] = {name: (there[name], None) for name in known}
    for name, result in zip(given, results, strict=True):
        learned[name] = (None if result.template is None else result.template.pack(), result.code)
    return learned


def usable(engine: Engine, people: Mapping[str, Iterable[Packed]]) -> frozenset[str]:
    """Find who has a template of the models that are used now. Raises ModelError."""
    origin = engine.origin
    return frozenset(
        person for person, packed in people.items() if any(_usable(one, origin) is not None for one in packed)
    )


def assemble(engine: Engine, people: Mapping[str, Iterable[Packed]], similarity: Similarity) -> Assembled:
    """Put everybody's templates together; those of other models are left out. Raises ModelError and GalleryError.

    `similarity` is the least that anybody asks for: who is more alike than that may be taken for each other.
    """
    origin = engine.origin
    templates = {
        person: [found for one in packed if (found := _usable(one, origin)) is not None]
        for person, packed in people.items()
    }
    gallery = Gallery.of({person: found for person, found in templates.items() if found}, origin)
    level = engine.scale.cosine(THRESHOLDS[similarity])
    return Assembled(gallery=gallery, confusable=tuple(gallery.confusable(level)))


def _usable(packed: Packed, origin: Origin) -> Template | None:
    """Read a template of given models. One that is damaged is none: its photo is learned again."""
    try:
        template = Template.unpack(packed)
    except GalleryError:
        return None
    return template if template.origin == origin else None
