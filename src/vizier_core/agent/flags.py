"""Switches in the environment (spec 07 §10)."""

import os


def environment_flag(name: str) -> bool:
    """Whether a variable is `1`, `true` or `yes`, in any case, blanks ignored; anything else is off."""
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes"}
