"""How well local recognition tells people apart, on any folder of photos: `scripts/bench --accuracy FOLDER [--json]`.

The folder has one sub-folder per person. Photos in its sub-folders `live` and `spoof` count for liveness, those in
`live` also for recognition.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
import json
from pathlib import Path
import statistics
import sys
from typing import Any, Final

import numpy as np

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition.engine import Engine, Mode, Settings
from custom_components.face_access.recognition.errors import PictureError, RecognitionError
from custom_components.face_access.recognition.picture import Picture
from custom_components.face_access.recognition.results import Face, FaceLiveness, Floats
from custom_components.face_access.recognition.score import THRESHOLDS
from custom_components.face_access.recognition.store import ModelStore

from .client import BenchError
from .local import models_folder
from .report import percentile

NO_FACE: Final = "no_face"
"""What a photo without a face counts as in the table of liveness."""
_PHOTOS: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(slots=True)
class Seen:
    """What the photos of a folder came to."""

    people: list[str] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    vectors: list[Floats] = field(default_factory=list)
    photos: int = 0
    missed: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    flawed: Counter[str] = field(default_factory=Counter)
    liveness: dict[str, Counter[str]] = field(default_factory=lambda: {"live": Counter(), "spoof": Counter()})


def look(folder: Path, engine: Engine, settings: Settings) -> Seen:
    """Look at all photos. Raises BenchError for a folder without people, ModelError for models that cannot be used."""
    seen = Seen()
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        seen.people.append(person.name)
        for photo, kind in _photos(person):
            _one(photo, kind, seen, engine, settings)
    if len(seen.people) < 1 or not seen.photos:
        raise BenchError(f"{folder} has no sub-folders with photos, one per person")
    return seen


def _photos(person: Path) -> Iterator[tuple[Path, str]]:
    for folder, kind in ((person, "live?"), (person / "live", "live"), (person / "spoof", "spoof")):
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if path.suffix.lower() in _PHOTOS:
                    yield path, kind


def _one(photo: Path, kind: str, seen: Seen, engine: Engine, settings: Settings) -> None:
    seen.photos += 1
    try:
        faces = engine.recognise(Picture(photo.read_bytes()), None, settings).faces
    except PictureError:
        seen.unreadable.append(photo.name)
        return
    if not faces:
        seen.missed.append(photo.name)
        if kind in seen.liveness:
            seen.liveness[kind][NO_FACE] += 1
        return
    face: Face = faces[0]
    if kind in seen.liveness:
        seen.liveness[kind][str(face.liveness.state)] += 1
    if kind == "spoof" or face.vector is None:
        return
    seen.flawed.update(str(flaw) for flaw in face.quality.flaws)
    seen.owners.append(len(seen.people) - 1)
    seen.vectors.append(face.vector)


def judge(seen: Seen, engine: Engine) -> dict[str, Any]:
    """Compare every photo with every other and count what each level of similarity makes of it."""
    likeness = np.stack(seen.vectors) @ np.stack(seen.vectors).T if seen.vectors else np.zeros((0, 0), np.float32)
    owners = np.array(seen.owners)
    pairs = np.triu(np.ones(likeness.shape, bool), 1)
    same = owners[:, None] == owners[None, :]
    genuine, impostor = likeness[pairs & same], likeness[pairs & ~same]
    levels = {}
    for level in Similarity:
        cosine = engine.scale.cosine(THRESHOLDS[level])
        levels[str(level)] = {
            "cosine": round(cosine, 4),
            "true_accept_rate": _share(genuine >= cosine),
            "false_matches": int((impostor >= cosine).sum()),
            "false_match_rate": _share(impostor >= cosine),
        }
    return {
        "people": len(seen.people),
        "photos": seen.photos,
        "faces_missed": seen.missed,
        "unreadable": seen.unreadable,
        "flaws": dict(seen.flawed),
        "genuine": _distribution(genuine.tolist()),
        "impostor": _distribution(impostor.tolist()),
        "levels": levels,
        "liveness": {kind: dict(found) for kind, found in seen.liveness.items()},
        "liveness_errors": liveness_errors(seen.liveness),
        "runtime": engine.runtime,
    }


def liveness_errors(found: Mapping[str, Counter[str]]) -> dict[str, float | None]:
    """Give the shares of live photos that are not taken for live, for whatever reason, and of spoofs that are.

    A spoof without a face is one that did not pass; None where there are no photos of a kind.
    """
    shares = {
        kind: counts[FaceLiveness.LIVE] / total if (total := counts.total()) else None for kind, counts in found.items()
    }
    live = shares["live"]
    return {"live_refused": None if live is None else 1 - live, "spoof_passed": shares["spoof"]}


def _share(hits: Any) -> float | None:
    return float(hits.mean()) if len(hits) else None


def _distribution(cosines: Sequence[float]) -> dict[str, float | int]:
    if not cosines:
        return {"pairs": 0}
    return {
        "pairs": len(cosines),
        "mean": round(statistics.fmean(cosines), 4),
        "sd": round(statistics.pstdev(cosines), 4),
        "min": round(min(cosines), 4),
        "p1": round(percentile(cosines, 1), 4),
        "median": round(percentile(cosines, 50), 4),
        "p99": round(percentile(cosines, 99), 4),
        "max": round(max(cosines), 4),
    }


def tables(found: dict[str, Any]) -> str:
    """Write the result as Markdown."""
    lines = [
        f"{found['people']} people, {found['photos']} photos; no face found in {len(found['faces_missed'])}, "
        f"{len(found['unreadable'])} unreadable; flaws: "
        + (", ".join(f"{name} {count}" for name, count in sorted(found["flaws"].items())) or "none"),
        "",
        "| cosines | pairs | mean | sd | min | p1 | median | p99 | max |",
        "| --- |" + " ---: |" * 8,
    ]
    for kind in ("genuine", "impostor"):
        numbers = found[kind]
        cells = [str(numbers.get(name, "-")) for name in ("pairs", "mean", "sd", "min", "p1", "median", "p99", "max")]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    lines += [
        "",
        "| similarity | cosine | true accept rate | false matches | false match rate |",
        "| --- |" + " ---: |" * 4,
    ]
    for level, numbers in found["levels"].items():
        shares = [_percent(numbers[name]) for name in ("true_accept_rate", "false_match_rate")]
        lines.append(f"| {level} | {numbers['cosine']} | {shares[0]} | {numbers['false_matches']} | {shares[1]} |")
    states = [*(str(state) for state in FaceLiveness if state is not FaceLiveness.NOT_CHECKED), NO_FACE]
    lines += ["", f"| liveness of | {' | '.join(states)} |", "| --- |" + " ---: |" * len(states)]
    for kind, counts in found["liveness"].items():
        lines.append(f"| {kind} | {' | '.join(str(counts.get(state, 0)) for state in states)} |")
    errors = found["liveness_errors"]
    lines += ["", f"live refused {_percent(errors['live_refused'])}, spoof passed {_percent(errors['spoof_passed'])}"]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.2f} %"


def measure(folder: Path) -> dict[str, Any]:
    """Look at a folder with the default models on the fastest runtime. Raises BenchError and RecognitionError."""
    if not folder.is_dir():
        raise BenchError(f"{folder} is no folder")
    engine = Engine(ModelStore(models_folder()))
    with_liveness = any((person / kind).is_dir() for person in folder.iterdir() for kind in ("live", "spoof"))
    settings = Settings(mode=Mode.ANTISPOOFING if with_liveness else Mode.SOFTWARE)
    return judge(look(folder, engine, settings), engine)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="scripts/bench --accuracy", description="Measures recognition on photos.")
    parser.add_argument("folder", type=Path, help="one sub-folder per person")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parsed = parser.parse_args(arguments)
    try:
        found = measure(parsed.folder)
    except (BenchError, RecognitionError) as err:
        print(f"accuracy: {err}", file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2) if parsed.json else tables(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
