"""Who asks for and decides about approvals (spec 01 §2.7)."""

import os
from typing import Final

_VARIABLES: Final = ("VIZIER_APPROVAL_ACTOR", "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "USER", "USERNAME")


def approval_actor() -> str:
    """The name of whoever runs this process, as the environment tells it; not a proof of anything."""
    return next((name for variable in _VARIABLES if (name := os.environ.get(variable, "").strip())), "unknown")
