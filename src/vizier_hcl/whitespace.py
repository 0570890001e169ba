"""White space in templates: what strip markers and the indentation of ``<<-`` remove (spec 05 §7.3, §7.4)."""

from collections.abc import Iterable
from typing import Final

#: Characters of an indentation: those with the Unicode property White_Space, without the two of line breaks.
_INDENT: Final = (
    "\t\v\f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)

#: Characters with the Unicode property White_Space; `str.strip()` without an argument would also take U+001C to U+001F.
WHITE_SPACE: Final = "\r\n" + _INDENT


def indentation(parts: Iterable[str | None]) -> int:
    """The indentation common to the lines of a heredoc that have content, in characters.

    Args:
        parts: the heredoc's body as literal texts and, as ``None``, the sequences between them. A sequence is content.
            A carriage return, which only ever stands before a line feed, is not.
    """
    widths: list[int] = []
    indent: int | None = 0  # Of the current line so far; None once its content has begun.
    for part in parts:
        for number, line in enumerate(part.split("\n") if part is not None else [None]):
            if number:
                indent = 0
            if indent is None:
                continue
            if line is not None:
                indent += _leading_blanks(line)
            if line is None or line.rstrip("\r").lstrip(_INDENT):
                widths.append(indent)
                indent = None
    return min(widths, default=0)


def dedent(text: str, width: int, *, at_line_start: bool) -> str:
    """The text without up to ``width`` indentation characters after every line break, and at its start if asked."""
    if not width:
        return text
    first, *lines = text.split("\n")
    if at_line_start:
        first = _without_indent(first, width)
    return "\n".join([first, *(_without_indent(line, width) for line in lines)])


def _without_indent(line: str, width: int) -> str:
    return line[min(width, _leading_blanks(line)) :]


def _leading_blanks(line: str) -> int:
    return len(line) - len(line.lstrip(_INDENT))
