"""The plain words for a sighting: what kind it was, and why somebody was turned away."""

from enum import StrEnum

from .model import Liveness, Reason, Sighting, Verdict


class SightingKind(StrEnum):
    """What a sighting means to the household."""

    RECOGNISED = "recognised"
    STRANGER = "stranger"
    DENIED = "denied"
    SPOOF = "spoof"
    SEEN = "seen"


def denial(sighting: Sighting) -> Reason | None:
    """Find why somebody was turned away; None when nobody was. A no without a reason is the device's own."""
    if sighting.liveness is Liveness.SPOOF:
        return Reason.SPOOF
    if sighting.refused is None and sighting.verdict is Verdict.DENIED:
        return Reason.DEVICE
    return sighting.refused


def kind_of(sighting: Sighting) -> SightingKind:
    """Put a sighting into one kind, the most alarming that fits.

    A photo of a resident is a spoof whatever identity the device saw in it. A stranger is a face that the source
    compared and does not know; somebody known whom it turned away is denied.
    """
    reason = denial(sighting)
    if reason is Reason.SPOOF:
        return SightingKind.SPOOF
    if sighting.person_id is None and reason in (Reason.UNKNOWN, Reason.UNAUTHORIZED):
        return SightingKind.STRANGER
    if reason is not None:
        return SightingKind.DENIED
    return SightingKind.RECOGNISED if sighting.recognised else SightingKind.SEEN


def recognised_name(sighting: Sighting) -> str | None:
    """Find whom the source recognised, by name or else by id; None for a stranger, and for a photo of somebody."""
    if not sighting.recognised or kind_of(sighting) is SightingKind.SPOOF:
        return None
    return sighting.person_name or sighting.person_id
