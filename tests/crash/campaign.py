"""How much is tried: little by default, everything and more in a long campaign (`scripts/soak.sh`)."""

import os
from collections.abc import Iterable
from typing import Final

#: VIZIER_SOAK is the number of the round; each round has random numbers of its own.
_ROUND: Final = os.environ.get("VIZIER_SOAK")
#: A campaign tries so many times as many random cases.
_MORE: Final = 10

THOROUGH: Final = _ROUND is not None


def step(default: int) -> int:
    """Every how many-th case of a series is tried."""
    return 1 if THOROUGH else default


def seeds(default: int) -> Iterable[int]:
    """Seeds for random cases, so many of them by default."""
    if _ROUND is None:
        return range(default)
    first = int(_ROUND) * 1000
    return range(first, first + default * _MORE)
