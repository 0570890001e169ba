"""Reads tables by the list of keys: which values they set, and which of their keys mean nothing (spec 07 §2.3-2.5)."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from vizier_core.config.display import field_key
from vizier_core.config.keys import KEYS, TABLE_SPELLINGS, Key
from vizier_core.config.reading import Reading, Spot, dotted

#: A setting: the path of its key, and what the operator chose for the parts in angle brackets.
Address = tuple[str, tuple[str, ...]]
Values = dict[Address, Any]

#: What chosen parts of a key become; an empty one is left out.
_NORMAL_FORM: Final[dict[str, Callable[[str], str]]] = {"<name>": str.strip, "<field>": field_key}


class Section:
    """A part of the tree of keys: a table, a key, or both in one, like `agent`.

    Args:
        name: its own name, in the usual spelling.
        spellings: everything it may be written as, the usual spelling first.
    """

    def __init__(self, name: str, spellings: tuple[str, ...] = ()) -> None:
        self.name = name
        self.spellings = spellings
        self.key: Key | None = None
        self.parts: dict[str, Section] = {}

    @property
    def known(self) -> list[str]:
        """Everything that may stand in the table."""
        return [spelling for part in self.parts.values() for spelling in part.spellings]

    def find(self, path: str) -> "Section":
        """The section at a path of the list of keys, below this one."""
        section = self
        for name in path.split("."):
            section = section.parts[name]
        return section


@cache
def root_section() -> Section:
    """The whole tree of keys."""
    root = Section("")
    for key in KEYS:
        *tables, last = key.path.split(".")
        section, path = root, ""
        for name in tables:
            path = f"{path}.{name}" if path else name
            section = section.parts.setdefault(name, Section(name, _spellings(name, *TABLE_SPELLINGS.get(path, ()))))
        section.parts.setdefault(last, Section(last)).key = key
        section.parts[last].spellings = _spellings(last, *key.also)
    return root


def read_table(reading: Reading, section: Section, table: Mapping[str, Any], at: str) -> Values:
    """What a table sets.

    Args:
        reading: the file.
        section: what may stand in the table.
        table: the table.
        at: its key; empty for the root.

    Raises:
        ConfigError: a value in it refuses the file.
    """
    found: Values = {}
    for part in section.parts.values():
        if part.name.startswith("<"):
            return _read_chosen(reading, part, table, at)
        found.update(read_part(reading, part, table, at))
    reading.warn_of_unknown(table, section.known, at)
    return found


def read_part(reading: Reading, part: Section, table: Mapping[str, Any], at: str) -> Values:
    """What one key of a table, or the table below it, sets.

    Args:
        reading: the file.
        part: the key, or the table below it.
        table: the table that it stands in.
        at: the key of that table; empty for the root.

    Raises:
        ConfigError: a value in it refuses the file.
    """
    for spelling in part.spellings:
        if spelling in table:
            return _read_value(reading, part, table[spelling], dotted(at, part.name))
    return {}


def _read_value(reading: Reading, part: Section, value: Any, key: str) -> Values:
    if part.parts and isinstance(value, Mapping):
        return read_table(reading, part, value, key)
    if part.key is None:
        Spot(reading, key, key).ignore(value, "a table")
        return {}
    found = part.key.kind.read(value, Spot(reading, part.key.path, key))
    return {} if found is None else {(part.key.path, ()): found}


def _read_chosen(reading: Reading, part: Section, table: Mapping[str, Any], at: str) -> Values:
    """A table whose keys the operator chooses; of two that are the same, the last in byte order counts."""
    found: Values = {}
    for name in sorted(table):
        chosen = _NORMAL_FORM[part.name](name)
        if chosen:
            values = _read_value(reading, part, table[name], dotted(at, name))
            found.update(below(chosen, values))
    return found


def below(chosen: str, values: Values) -> Values:
    """Values of a table as values of the part of a key that the operator chose for it."""
    return {(path, (chosen, *names)): value for (path, names), value in values.items()}


def _spellings(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_with_hyphens(names)))


def _with_hyphens(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield name
        yield name.replace("_", "-")
