"""JSON values as canonical text: no blanks, sorted keys, one spelling for every number (spec 04 §17.1, ruling R31)."""

from collections.abc import Mapping
from typing import Final

import msgspec

#: Whole numbers outside of this range are written as floating-point numbers.
_INTEGERS: Final = range(-(2**63), 2**64)


def canonical_json(value: object) -> str:
    """The canonical text of a JSON value, which may nest as deep as the template format allows."""
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return _simple(value)
    if isinstance(value, int):
        return str(value) if value in _INTEGERS else number_text(float(value))
    if isinstance(value, float):
        return number_text(value)
    # Loops instead of comprehensions: those would double the depth of the recursion.
    parts = []
    if isinstance(value, Mapping):
        for key in sorted(value):
            parts.append(f"{_simple(key)}:{canonical_json(value[key])}")  # noqa: PERF401 - see above
        return "{" + ",".join(parts) + "}"
    if not isinstance(value, list):
        raise TypeError(f"no JSON value: {type(value).__name__}")
    for item in value:
        parts.append(canonical_json(item))  # noqa: PERF401 - see above
    return "[" + ",".join(parts) + "]"


def number_text(value: float) -> str:
    """A floating-point number: shortest digits, with exponent from 1e16 up and below 1e-5."""
    text = repr(value)
    mantissa, exponent_mark, exponent = text.partition("e")
    if not exponent_mark:
        return text
    power = int(exponent)
    if power == -5:  # Python writes 1e-05 here
        sign = "-" if mantissa.startswith("-") else ""
        return f"{sign}0.0000{mantissa.lstrip('-').replace('.', '')}"
    return f"{mantissa}e{power:+d}"


def _simple(value: object) -> str:
    return msgspec.json.encode(value).decode()
