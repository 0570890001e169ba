"""Values while a template is evaluated: their types, equality, and forms as text (spec 05 §8.1 to §8.5).

A value is ``None``, a boolean, a float (every number), a string, a Python tuple, or a dict with string keys in
ascending order. Nobody changes a value once it exists, so values are shared freely.
"""

from math import isinf, isnan
from typing import TypeAlias

from vizier_hcl.limits import Budget

Value: TypeAlias = "bool | float | str | tuple[Value, ...] | dict[str, Value] | None"


def type_name(value: Value) -> str:
    """The name of a value's type in messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case float():
            return "number"
        case str():
            return "string"
        case tuple():
            return "tuple"
        case _:
            return "object"


def number_text(number: float) -> str:
    """The shortest digits for the same double, never with an exponent, without ``.0``: ``1e21`` is 22 digits."""
    if isnan(number):
        return "NaN"
    if isinf(number):
        return "inf" if number > 0 else "-inf"
    digits, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = digits.partition(".")
    fraction = fraction if fraction != "0" else ""
    shift = int(exponent or 0)
    if shift > 0:
        fraction = fraction.ljust(shift, "0")
        whole, fraction = whole + fraction[:shift], fraction[shift:]
    elif shift < 0:
        fraction = "0" * (-shift - 1) + whole + fraction
        whole = "0"
    sign = "-" if number < 0 else ""
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def primitive_text(value: Value) -> str | None:
    """The text of a value inside a string or as an object key; None for tuples and objects, which have none."""
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return number_text(value)
        case _:
            return None


def ordered(values: dict[str, Value]) -> dict[str, Value]:
    """The object with its keys in ascending order of code points, the only order that exists."""
    return dict(sorted(values.items()))


def equal(left: Value, right: Value, budget: Budget, offset: int) -> bool:
    """Deep equality: different types differ, numbers are equal within a tolerance (spec 05 §8.3).

    Raises:
        BudgetError: anchored at ``offset``.
    """
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        budget.spend_values(1, offset)
        if type(one) is not type(other):
            return False
        if isinstance(one, tuple) and isinstance(other, tuple):
            if len(one) != len(other):
                return False
            pending.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pending.extend(zip(one.values(), other.values(), strict=True))
        elif isinstance(one, float) and isinstance(other, float):
            if not _close(one, other):
                return False
        else:
            budget.spend_text(len(one) if isinstance(one, str) else 0, offset)
            if one != other:
                return False
    return True


def _close(left: float, right: float) -> bool:
    return abs(left - right) <= 1e-12 * max(abs(left), abs(right), 1.0)
