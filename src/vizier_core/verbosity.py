"""How much is said on stderr (spec 07 §9.2)."""

from enum import IntEnum


class Verbosity(IntEnum):
    """The levels, each with all that the one before it says."""

    #: Errors only.
    QUIET = 0
    #: Warnings, and the progress of agents.
    NORMAL = 1
    INFO = 2
    DEBUG = 3
