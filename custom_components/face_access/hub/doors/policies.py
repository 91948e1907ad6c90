"""What doors ask for before they open, as the household chose it: one policy for each, in their station's options.

A watched camera has a policy of its own beside its other options: it looks at one door at most.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from ...access import DoorMode, DoorPolicy, Factor
from ...const import (
    CONF_DOOR_MODE,
    CONF_DOOR_POLICIES,
    CONF_DOORS,
    CONF_FACTORS,
    CONF_FACTORS_WITHIN,
    CONF_LIVENESS_REQUIRED,
    CONF_MINIMUM_SCORE,
    DEFAULT_FACTORS_WITHIN,
)

POLICY_KEYS: Final = (
    CONF_DOOR_MODE,
    CONF_LIVENESS_REQUIRED,
    CONF_MINIMUM_SCORE,
    CONF_FACTORS,
    CONF_FACTORS_WITHIN,
)


def wired_doors(options: Mapping[str, Any]) -> int:
    """Read how many of a station's doors are wired, the first ones: the station itself cannot tell."""
    return int(options.get(CONF_DOORS, 1))


def read_policy(chosen: Mapping[str, Any]) -> DoorPolicy:
    """Read one policy. What is not chosen never opens by itself, and what cannot be read never opens at all."""
    try:
        return DoorPolicy(
            mode=DoorMode(chosen.get(CONF_DOOR_MODE, DoorMode.NOTIFY_ONLY)),
            liveness_required=chosen.get(CONF_LIVENESS_REQUIRED) is not False,
            # Without one, what the station itself asks for is enough.
            minimum_score=float(chosen.get(CONF_MINIMUM_SCORE, 0)),
            factors=_factors(chosen.get(CONF_FACTORS, [])),
            factors_within=timedelta(seconds=chosen.get(CONF_FACTORS_WITHIN, DEFAULT_FACTORS_WITHIN)),
        )
    except TypeError, ValueError, OverflowError:
        return DoorPolicy(mode=DoorMode.NEVER)


def _factors(chosen: object) -> frozenset[Factor]:
    # An empty text is no empty list: nobody chose to want no factor.
    if not isinstance(chosen, list):
        raise TypeError
    return frozenset(map(Factor, chosen))


def policy_of(options: Mapping[str, Any], door: int) -> DoorPolicy:
    """Read the policy of one of a station's doors, by its number, from its entry's options."""
    return read_policy(options.get(CONF_DOOR_POLICIES, {}).get(str(door), {}))


def with_policies(options: Mapping[str, Any], policies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Put the policies of doors, by their numbers, into a station's options, in place of whatever policy is there."""
    others = {key: value for key, value in options.items() if key not in POLICY_KEYS}
    return {**others, CONF_DOOR_POLICIES: {door: dict(chosen) for door, chosen in policies.items()}}


def policy_part(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Find what is a door's policy among what was chosen."""
    return {key: chosen[key] for key in POLICY_KEYS if key in chosen}


def per_door(options: Mapping[str, Any]) -> dict[str, Any]:
    """Make options of before version 1.2, where a station had one policy, into those where each wired door has it."""
    policies = {str(door): policy_part(options) for door in range(1, wired_doors(options) + 1)}
    return with_policies(options, policies)
