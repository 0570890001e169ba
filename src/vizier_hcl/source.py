"""The text of a template and the places in it."""

import re
from bisect import bisect_right
from typing import Final

from vizier_hcl.diagnostics import Diagnostic, Position, Severity, SourceError
from vizier_hcl.limits import MAX_SOURCE

#: Characters of a long source line that an excerpt shows before and after the place.
_BEFORE: Final = 60
_AFTER: Final = 40

_NEWLINE: Final = re.compile("\n")


class Source:
    """Decoded text with a table of its lines; offsets are code points from 0, lines end with LF."""

    __slots__ = ("_line_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._line_starts: list[int] = []

    def position(self, offset: int) -> Position:
        """Line and column of an offset; the end of the text has one too."""
        line = self._line(offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def diagnostic(self, severity: Severity, offset: int, message: str) -> Diagnostic:
        """A diagnostic anchored at an offset."""
        return Diagnostic(severity, self.position(offset), message, *self._excerpt(offset))

    def error(self, error: SourceError) -> Diagnostic:
        """The diagnostic for an error that was raised."""
        return self.diagnostic(Severity.ERROR, error.offset, error.message)

    def _line(self, offset: int) -> int:
        if not self._line_starts:
            self._line_starts = [0, *(match.end() for match in _NEWLINE.finditer(self.text))]
        return bisect_right(self._line_starts, offset)

    def _excerpt(self, offset: int) -> tuple[str, int]:
        """What to show of the line around an offset, and how many characters of it come before the offset."""
        line_start = self._line_starts[self._line(offset) - 1]
        start = max(line_start, offset - _BEFORE)
        shown = self.text[start : offset + _AFTER].partition("\n")[0]
        # Whatever a terminal could act on becomes a blank, so that the caret stays under its character.
        clean = "".join([character if character.isprintable() else " " for character in shown])
        return clean.rstrip(), offset - start


def read(source: bytes | str) -> tuple[Source, SourceError | None]:
    """Decodes a file; the error, if any, is about the bytes and ends the work on it.

    The source is returned even then, with replacement characters, so that the error can be shown in place.
    """
    text, invalid_at = _decode(source)
    if invalid_at is not None:
        return Source(text), SourceError(invalid_at, "not valid UTF-8")
    if text.startswith("\ufeff"):
        return Source(text), SourceError(0, "unexpected byte order mark; save the file as UTF-8 without one")
    if len(text) > MAX_SOURCE:
        return Source(text), SourceError(
            0, f"file is too large: {len(text):,} characters, at most {MAX_SOURCE:,} are read"
        )
    return Source(text), None


def _decode(source: bytes | str) -> tuple[str, int | None]:
    """The text, and the offset of the first piece that is not UTF-8."""
    try:
        if isinstance(source, str):
            source.encode()  # Finds lone surrogates, which no file can hold and no output could print.
            return source, None
        return source.decode(), None
    except UnicodeEncodeError as error:
        return error.object.encode(errors="replace").decode(), error.start
    except UnicodeDecodeError as error:
        text = error.object.decode(errors="replace")
        return text, len(error.object[: error.start].decode())
