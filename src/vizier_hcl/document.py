"""What evaluation delivers: an evaluated file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from vizier_hcl.diagnostics import Diagnostic, Position, Severity
from vizier_hcl.source import Source

if TYPE_CHECKING:
    from vizier_hcl.positions import ValuePositions

#: What a template is worth: null, booleans, strings, numbers (whole ones as int), lists, and dicts in key order.
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

#: Keys and indices from the outermost object to a value.
Path: TypeAlias = tuple[str | int, ...]


class Document:
    """An evaluated template.

    Attributes:
        value: the plain tree; nothing else refers to it.
        warnings: what is legal but hardly meant, in source order.
    """

    __slots__ = ("_positions", "_source", "value", "warnings")

    def __init__(
        self,
        value: dict[str, Plain],
        warnings: tuple[Diagnostic, ...],
        source: Source,
        positions: Callable[[], ValuePositions],
    ) -> None:
        self.value = value
        self.warnings = warnings
        self._source = source
        self._positions = cache(positions)

    def position(self, path: Path) -> Position:
        """Line and column of the value at a path of keys and indices, such as ``("nodes", 0, "id")``.

        Where the file does not spell the value out, since it is computed or missing, it is the nearest value around it.
        """
        return self._source.position(self._positions().of_value(path))

    def key_position(self, path: Path) -> Position:
        """Line and column of the key that names the value at a path; of the value itself in a list."""
        return self._source.position(self._positions().of_key(path))

    def diagnostic(
        self, path: Path, message: str, severity: Severity = Severity.ERROR, *, at_key: bool = False
    ) -> Diagnostic:
        """A diagnostic about the meaning of a value, for the code that checks the tree."""
        positions = self._positions()
        offset = positions.of_key(path) if at_key else positions.of_value(path)
        return self._source.diagnostic(severity, offset, message)
