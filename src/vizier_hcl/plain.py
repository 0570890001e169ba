"""The evaluated object becomes the plain tree that leaves this package (spec 05 §10)."""

from __future__ import annotations

from math import isfinite
from typing import Final

from vizier_hcl.diagnostics import SourceError, quoted
from vizier_hcl.document import Path, Plain
from vizier_hcl.limits import MAX_DEPTH, MAX_DIAGNOSTICS, Budget, BudgetError
from vizier_hcl.positions import ValuePositions
from vizier_hcl.values import Value, number_text


class _Place:
    """Where a value stands: a key inside the place of its container, and how many containers that makes."""

    __slots__ = ("around", "depth", "key")

    def __init__(self, around: _Place | None, key: str | int, depth: int) -> None:
        self.around: Final = around
        self.key: Final = key
        self.depth: Final = depth

    def path(self) -> Path:
        """The keys from the outermost container to here."""
        keys: list[str | int] = []
        place: _Place | None = self
        while place is not None:
            keys.append(place.key)
            place = place.around
        return tuple(reversed(keys))


class PlainTree:
    """Converts the object of one file; refuses numbers that are not finite and values nested too deeply.

    Values may share parts; the tree does not, so it can be far larger than what evaluation produced.
    """

    def __init__(self, positions: ValuePositions, budget: Budget) -> None:
        #: What is wrong, in source order; the tree is only good without.
        self.errors: list[SourceError] = []
        self._positions = positions
        self._budget = budget
        self._unfilled: list[tuple[Value, list[Plain] | dict[str, Plain], _Place | None]] = []

    def of(self, values: dict[str, Value]) -> dict[str, Plain]:
        """The plain tree; see `errors`."""
        tree: dict[str, Plain] = {}
        self._unfilled.append((values, tree, None))
        while self._unfilled and len(self.errors) < MAX_DIAGNOSTICS:
            value, target, place = self._unfilled.pop()
            try:
                self._fill(value, target, place)
            except BudgetError as error:
                self.errors.append(BudgetError(self._offset(place), error.message))
                break
        self.errors.sort(key=lambda error: error.offset)
        return tree

    def _fill(self, value: Value, target: list[Plain] | dict[str, Plain], place: _Place | None) -> None:
        """Converts the elements of one container; the containers among them are left to be filled."""
        depth = place.depth + 1 if place else 1
        if isinstance(value, tuple) and isinstance(target, list):
            self._budget.spend_values(len(value), 0)
            for index, element in enumerate(value):
                target.append(self._converted(element, place, index, depth))
        elif isinstance(value, dict) and isinstance(target, dict):
            self._budget.spend_values(len(value), 0)
            for key in sorted(value):
                self._budget.spend_text(len(key), 0)
                target[key] = self._converted(value[key], place, key, depth)

    def _converted(self, value: Value, around: _Place | None, key: str | int, depth: int) -> Plain:
        match value:
            case str():
                self._budget.spend_text(len(value), 0)
                return value
            case float():
                return self._number(value, _Place(around, key, depth))
            case tuple() | dict():
                place = _Place(around, key, depth)
                if depth > MAX_DEPTH:
                    self._refuse(place, f"value is nested more than {MAX_DEPTH} levels deep")
                    return None
                target: list[Plain] | dict[str, Plain] = [] if isinstance(value, tuple) else {}
                self._unfilled.append((value, target, place))
                return target
        return value

    def _number(self, number: float, place: _Place) -> int | float:
        if not isfinite(number):
            name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place.path()).lstrip(".")
            self._refuse(place, f"invalid non-finite number {number_text(number)} at {quoted(name)}")
            return 0
        # The digits the author reads, not those of the double: 1e23 is a one with 23 zeros.
        return int(number_text(number)) if number.is_integer() else number

    def _refuse(self, place: _Place, message: str) -> None:
        if len(self.errors) < MAX_DIAGNOSTICS:
            self.errors.append(SourceError(self._offset(place), message))

    def _offset(self, place: _Place | None) -> int:
        return self._positions.of_value(place.path() if place else ())
