"""The three functions of the language (spec 05 §8.4)."""

from collections.abc import Callable, Mapping
from typing import Final

from vizier_hcl.values import Value, type_name


def _length(value: Value) -> Value:
    if not isinstance(value, str | tuple | dict):
        raise TypeError(f"function `length` expects string, tuple or object argument, got {type_name(value)}")
    return float(len(value))


def _keys(value: Value) -> Value:
    if not isinstance(value, dict):
        raise TypeError(f"function `keys` expects object argument, got {type_name(value)}")
    return tuple(value)


def _values(value: Value) -> Value:
    if not isinstance(value, dict):
        raise TypeError(f"function `values` expects object argument, got {type_name(value)}")
    return tuple(value.values())


#: Each takes exactly one argument and raises TypeError, with the message for the author, when it has the wrong type.
FUNCTIONS: Final[Mapping[str, Callable[[Value], Value]]] = {"length": _length, "keys": _keys, "values": _values}
