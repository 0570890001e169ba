"""Building blocks of the template format: each knows what it accepts and turns it into a value (spec 04 §4).

`decode.py` puts them together into the whole format. They are values that can be walked, so that other descriptions of
the format, such as a JSON Schema, can be derived from the same table.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from math import isfinite
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from vizier_kernel.suggest import did_you_mean
from vizier_kernel.template.errors import TemplateError
from vizier_kernel.template.model import KeyPath, Positions, Scalar, TemplateWarning, place_text

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)

#: How deep lists and maps of a free-form value may nest. HCL promises 190 levels (ruling R42); more would endanger the
#: recursive functions that read schemas.
DEPTH_LIMIT: Final = 200

#: Whole numbers from here on fit no floating-point number.
_TOO_LARGE: Final = 2**1023


class Run:
    """One decoding: knows positions and collects warnings."""

    def __init__(self, origin: str, positions: Positions | None) -> None:
        self.origin = origin
        self.warnings: list[TemplateWarning] = []
        self._positions = positions

    def error(self, path: KeyPath, problem: str) -> TemplateError:
        """The error that names the place and the problem."""
        place = self._place(path)
        where = f"{place}: " if place != self.origin else ""
        return TemplateError(f"{where}{_at(path)}{problem}")

    def type_error(self, path: KeyPath, expected: str, value: object) -> TemplateError:
        """The error for a value of the wrong type."""
        return self.error(path, f"expected {expected}, got {type_name(value)}")

    def unknown_key(self, path: KeyPath, key: str, known: Iterable[str]) -> None:
        """Warns about a key that nothing reads."""
        problem = f"unknown key `{key}` is ignored{did_you_mean(key, known)}"
        self.warnings.append(TemplateWarning(f"{_at((*path, key))}{problem}", self._place((*path, key))))

    def _place(self, path: KeyPath) -> str:
        return place_text(self.origin, self._positions, path)


def _at(path: KeyPath) -> str:
    return f"{path_text(path)}: " if path else ""


class Shape(Protocol[T_co]):
    """What a place in a template may hold."""

    def decode(self, value: object, path: KeyPath, run: Run) -> T_co:
        """Turns a plain value into what it means.

        Raises:
            TemplateError: it is not allowed here; names `path`.
        """


class Text(msgspec.Struct, frozen=True):
    """A string. Numbers and booleans are not turned into text."""

    def decode(self, value: object, path: KeyPath, run: Run) -> str:
        """See `Shape`."""
        if not isinstance(value, str):
            raise run.type_error(path, "a string", value)
        if not is_unicode(value):
            raise run.error(path, "holds half of a character pair (a lone surrogate), which is no valid text")
        return value


class Nullable(msgspec.Struct, Generic[T], frozen=True):
    """Something that may be null."""

    shape: Shape[T]

    def decode(self, value: object, path: KeyPath, run: Run) -> T | None:
        """See `Shape`."""
        return None if value is None else self.shape.decode(value, path, run)


class Choice(msgspec.Struct, Generic[E], frozen=True):
    """One of the labels of an enumeration, written exactly so."""

    labels: type[E]

    def decode(self, value: object, path: KeyPath, run: Run) -> E:
        """See `Shape`."""
        text = TEXT.decode(value, path, run)
        try:
            return self.labels(text)
        except ValueError:
            raise run.error(path, f"unknown label `{text}`, expected one of {', '.join(self.labels)}") from None


class LenientBoolean(msgspec.Struct, frozen=True):
    """A boolean, or a number or string that will become one."""

    def decode(self, value: object, path: KeyPath, run: Run) -> Scalar:
        """See `Shape`."""
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return _number(value, path, run)
        if isinstance(value, str):
            return TEXT.decode(value, path, run)
        raise run.type_error(path, "a boolean, a number or a string", value)


class LenientNumber(msgspec.Struct, frozen=True):
    """A number, or a string that will become one."""

    def decode(self, value: object, path: KeyPath, run: Run) -> int | float | str:
        """See `Shape`."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number(value, path, run)
        if isinstance(value, str):
            return TEXT.decode(value, path, run)
        raise run.type_error(path, "a number or a string", value)


class FreeForm(msgspec.Struct, frozen=True):
    """Any JSON value, up to `DEPTH_LIMIT` levels deep."""

    def decode(self, value: object, path: KeyPath, run: Run) -> object:
        """See `Shape`."""
        self._check(value, path, run, DEPTH_LIMIT)
        return value

    def _check(self, value: object, path: KeyPath, run: Run, levels: int) -> None:
        if value is None or isinstance(value, bool):
            return
        if isinstance(value, str):
            TEXT.decode(value, path, run)
        elif isinstance(value, int | float):
            _number(value, path, run)
        elif not isinstance(value, list | Mapping):
            raise run.type_error(path, "a value that JSON can hold", value)
        elif levels == 0:
            raise run.error(path[:-DEPTH_LIMIT], f"nests more than {DEPTH_LIMIT} levels deep")
        else:
            entries = as_map(value, path, run).items() if isinstance(value, Mapping) else enumerate(value)
            for key, item in entries:
                self._check(item, (*path, key), run, levels - 1)


class ListOf(msgspec.Struct, Generic[T], frozen=True):
    """A list of equal things."""

    item: Shape[T]

    def decode(self, value: object, path: KeyPath, run: Run) -> tuple[T, ...]:
        """See `Shape`."""
        if not isinstance(value, list):
            raise run.type_error(path, "a list", value)
        return tuple([self.item.decode(item, (*path, index), run) for index, item in enumerate(value)])


class MapOf(msgspec.Struct, Generic[T], frozen=True):
    """A map with free keys and equal values."""

    item: Shape[T]

    def decode(self, value: object, path: KeyPath, run: Run) -> Mapping[str, T]:
        """See `Shape`."""
        return {key: self.item.decode(item, (*path, key), run) for key, item in as_map(value, path, run).items()}


class Field(msgspec.Struct, frozen=True):
    """One key of a record. Absent optional keys take the default of the value that the record makes."""

    shape: Shape[object]
    required: bool = False
    #: The argument that receives it, if not named like the key.
    into: str | None = None
    #: What it is for, for authors.
    about: str = ""
    #: Values to propose.
    examples: tuple[str, ...] = ()


class Record(msgspec.Struct, Generic[T], frozen=True):
    """A map with known keys. Others are ignored with a warning (decision D15)."""

    make: Callable[..., T]
    fields: Mapping[str, Field]
    #: Keys that are for other programs and mean nothing here.
    foreign: frozenset[str] = frozenset()

    def decode(self, value: object, path: KeyPath, run: Run) -> T:
        """See `Shape`."""
        return self.decode_map(as_map(value, path, run), path, run)

    def decode_map(self, table: Mapping[str, object], path: KeyPath, run: Run, tag: str | None = None) -> T:
        """The record in a map that also has the key `tag`."""
        values = {}
        for key, field in self.fields.items():
            if key in table:
                values[field.into or key] = field.shape.decode(table[key], (*path, key), run)
            elif field.required:
                raise run.error(path, f"missing field `{key}`")
        for key in table:
            if key not in self.fields and key != tag and key not in self.foreign:
                run.unknown_key(path, key, self.fields)
        return self.make(**values)


class Tagged(msgspec.Struct, Generic[T], frozen=True):
    """One of several records, told apart by the value of one key."""

    tag: str
    variants: Mapping[str, Record[T]]

    def decode(self, value: object, path: KeyPath, run: Run) -> T:
        """See `Shape`."""
        table = as_map(value, path, run)
        if self.tag not in table:
            raise run.error(path, f"missing field `{self.tag}`")
        label = TEXT.decode(table[self.tag], (*path, self.tag), run)
        variant = self.variants.get(label)
        if variant is None:
            raise run.error((*path, self.tag), f"unknown label `{label}`, expected one of {', '.join(self.variants)}")
        return variant.decode_map(table, path, run, self.tag)


class OneOf(msgspec.Struct, Generic[T], frozen=True):
    """A map with exactly one key, which tells what its value is."""

    variants: Mapping[str, Record[T]]

    def decode(self, value: object, path: KeyPath, run: Run) -> T:
        """See `Shape`."""
        table = as_map(value, path, run)
        expected = f"expected exactly one key out of {', '.join(self.variants)}"
        if len(table) != 1:
            raise run.error(path, f"{expected}, got {', '.join(table) or 'none'}")
        ((key, body),) = table.items()
        variant = self.variants.get(key)
        if variant is None:
            raise run.error(path, f"unknown key `{key}`, {expected}")
        return variant.decode(body, (*path, key), run)


TEXT: Final = Text()


def as_map(value: object, path: KeyPath, run: Run) -> Mapping[str, object]:
    """The value, if it is a map with text keys.

    Raises:
        TemplateError: it is not.
    """
    if not isinstance(value, Mapping):
        raise run.type_error(path, "a map", value)
    for key in value:
        if not isinstance(key, str):
            raise run.type_error(path, "a map with text keys", key)
        if not is_unicode(key):
            raise run.error(path, "has a key with half of a character pair (a lone surrogate), which is no valid text")
    return value


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def path_text(path: KeyPath) -> str:
    """A path as messages show it: `nodes[2].gates[0].required`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("-", "_").isidentifier():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text.encode(errors="backslashreplace").decode()


def type_name(value: object) -> str:
    """What a plain value is called in messages."""
    if isinstance(value, bool):
        return "a boolean"
    for types, name in _TYPE_NAMES:
        if isinstance(value, types):
            return name
    return f"a {type(value).__name__}"


_TYPE_NAMES: Final = (
    (type(None), "null"),
    (int | float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (Mapping, "a map"),
)


def _number(value: int | float, path: KeyPath, run: Run) -> int | float:
    if isinstance(value, float) and not isfinite(value):
        raise run.error(path, "expected a finite number")
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        raise run.error(path, "the number is out of range")
    return value
