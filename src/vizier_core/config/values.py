"""How single values of a configuration are understood (spec 07 §2.3): usable or as if absent, never an error."""

from collections.abc import Mapping
from typing import Any


def first_present(table: Mapping[str, Any], *spellings: str) -> Any:
    """The value under the first spelling that is present, whether it is usable or not; None if none is."""
    return next((table[key] for key in spellings if key in table), None)


def table_of(value: Any) -> Mapping[str, Any]:
    """A table; anything else counts as an empty one."""
    return value if isinstance(value, Mapping) else {}


def text_of(value: Any) -> str | None:
    """A text that is not blank, trimmed."""
    return (value.strip() or None) if isinstance(value, str) else None


def flag_of(value: Any) -> bool | None:
    """A boolean, or `true`/`false` as text."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    return {"true": True, "false": False}.get(word)


def whole_number_of(value: Any, limit: int = 2**32 - 1) -> int | None:
    """A whole number from 0 up to the limit, or its decimal digits as text."""
    if isinstance(value, str):
        digits = value.strip().removeprefix("+")
        value = int(digits) if digits.isascii() and digits.isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= limit else None


def seconds_of(value: Any) -> float | None:
    """A duration in seconds, whole or not, greater than zero."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        whole = whole_number_of(value)
        return float(whole) if whole else None
    return float(value) if 0 < value < float("inf") else None
