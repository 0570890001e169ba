"""Where values stand in the text of a JSON or TOML template, for messages about what they mean.

The parsers of the standard library do not tell. These read a text that has been parsed already, so they need not check
it, and only when something has to be said about it.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from vizier_kernel.template import KeyPath, Position, Positions

_JSON_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
#: A text in one of the four ways to write one; what is in it means nothing here.
_TOML_TEXT: Final = r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'"
#: What can hide a bracket or the end of a line, and brackets and ends of lines.
_TOML_TOKEN: Final = re.compile(rf"{_TOML_TEXT}|#[^\n]*|[\[\]{{}}\n]", re.DOTALL)
#: From the beginning of a statement to behind its sign.
_TOML_KEY: Final = re.compile(rf"(?:{_TOML_TEXT}|[^=\"'])*=", re.DOTALL)
#: What a value is made of.
_TOML_PART: Final = re.compile(rf"{_TOML_TEXT}|#[^\n]*|[\[\]{{}},]|[^\s\[\]{{}},\"'#]+", re.DOTALL)


def json_positions(text: str) -> Positions:
    """The positions of the values of a JSON document."""
    return _lazily(text, _json_offsets)


def toml_positions(text: str) -> Positions:
    """The positions of tables, of the statements that set values, and of the elements of arrays, of a TOML document."""
    return _lazily(text, _toml_offsets)


def _lazily(text: str, find: Callable[[str], Mapping[KeyPath, int]]) -> Positions:
    """Finds nothing until the first question."""
    offsets = cache(lambda: find(text))
    line_ends = cache(lambda: [found.start() for found in re.finditer("\n", text)])

    def position(path: KeyPath) -> Position | None:
        offset = offsets().get(path)
        if offset is None:
            return None
        line = bisect_left(line_ends(), offset)
        return line + 1, offset - (line_ends()[line - 1] if line else -1)

    return position


def _json_offsets(text: str) -> dict[KeyPath, int]:
    import json  # noqa: PLC0415 - only when something is wrong

    offsets: dict[KeyPath, int] = {}
    #: Of the value that comes next; the last part belongs to the innermost list or map.
    path: list[str | int] = []
    brackets: list[str] = []
    key_follows = False
    for found in _JSON_TOKEN.finditer(text):
        token = found[0]
        if token in "{[":
            offsets[tuple(path)] = found.start()
            brackets.append(token)
            path.append(0)
            key_follows = token == "{"
        elif token in "}]":
            brackets.pop()
            path.pop()
            key_follows = False
        elif token == ",":
            key_follows = brackets[-1] == "{"
            if not key_follows:
                path[-1] = int(path[-1]) + 1
        elif key_follows:
            path[-1] = json.loads(token)
            key_follows = False
        elif token != ":":
            offsets[tuple(path)] = found.start()
    return offsets


def _toml_offsets(text: str) -> dict[KeyPath, int]:
    import tomllib  # noqa: PLC0415 - only when something is wrong

    offsets: dict[KeyPath, int] = {(): 0}
    #: How many tables each array of tables has so far.
    lengths: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for start, end in _statements(text):
        meaning: Any = tomllib.loads(text[start:end])
        is_header = text[start] == "["
        path = () if is_header else table
        while isinstance(meaning, dict) and len(meaning) == 1:
            ((name, meaning),) = meaning.items()
            path = (*path, name)
            if is_header and isinstance(meaning, list):
                lengths[path] = lengths.get(path, 0) + 1
                meaning = None
            if is_header and path in lengths:
                path = (*path, lengths[path] - 1)
            offsets.setdefault(path, start)
        if is_header:
            table = path
        elif isinstance(meaning, list):
            for element, offset in _elements(text, start, end, path):
                offsets.setdefault(element, offset)
    return offsets


def _elements(text: str, start: int, end: int, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """The elements of an array and of arrays in it, with their offsets; inline tables are not looked into."""
    key = _TOML_KEY.match(text, start, end)
    #: Of the value that comes next.
    inside: list[Any] = list(path)
    tables = 0
    for found in _TOML_PART.finditer(text, key.end() if key else start, end):
        token = found[0]
        if token.startswith("#"):
            continue
        if token == "]" and not tables:
            inside.pop()
        elif token == "," and not tables:
            inside[-1] += 1
        elif not tables:
            yield tuple(inside), found.start()
        if token == "[" and not tables:
            inside.append(0)
        tables += (token == "{") - (token == "}")


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """Where each statement begins and ends; one may go on over several lines inside of brackets and long strings."""
    start = 0
    depth = 0
    for found in _TOML_TOKEN.finditer(text):
        token = found[0]
        if token in "[{":
            depth += 1
        elif token in "]}":
            depth -= 1
        elif token == "\n" and not depth:
            yield from _statement(text, start, found.start())
            start = found.end()
    yield from _statement(text, start, len(text))


def _statement(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    stripped = text[start:end].lstrip()
    if stripped and not stripped.startswith("#"):
        yield end - len(stripped), end
