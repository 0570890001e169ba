"""Where heredocs end (spec 05 §5)."""

import re
from bisect import bisect_left
from typing import Final, NamedTuple

#: A line that holds a single word, as every terminator does.
_ONE_WORD_LINE: Final = re.compile(r"^[ \t]*+([^ \t\r\n]+)(?=\r?$)", re.MULTILINE)


class Terminator(NamedTuple):
    """A line that may end a heredoc: the offsets of its first character and after its word."""

    line_start: int
    end: int


class Terminators:
    """The lines of a text that can end heredocs, by marker.

    All of them are collected at the first question, in one pass: looking for each heredoc's end separately would read
    the text as often as it has heredocs without one.
    """

    __slots__ = ("_by_marker", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._by_marker: dict[str, list[Terminator]] | None = None

    def find(self, marker: str, start: int, limit: int) -> Terminator | None:
        """The first terminator line for ``marker`` between two offsets, the first of which is the start of a line."""
        if self._by_marker is None:
            self._by_marker = {}
            for match in _ONE_WORD_LINE.finditer(self._text):
                self._by_marker.setdefault(match[1], []).append(Terminator(match.start(), match.end()))
        lines = self._by_marker.get(marker, [])
        index = bisect_left(lines, (start,))
        return lines[index] if index < len(lines) and lines[index].end <= limit else None
