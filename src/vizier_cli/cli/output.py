"""Text layouts that commands share (spec 03 §2.6, 08 §3.3)."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any


def label_block(rows: Iterable[tuple[str, str]], indent: int = 0) -> str:
    """Rows of label and value, aligned; rows without a value are left out."""
    kept = [(label, value) for label, value in rows if value.strip()]
    width = max((display_width(label) for label, _ in kept), default=0)
    return "\n".join(f"{' ' * indent}{label}{' ' * (width - display_width(label))}: {value}" for label, value in kept)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells in columns, two blanks apart; the last column is not padded."""
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        return ""
    full = [[*row, *[""] * (columns - len(row))] for row in rows]
    widths = [max(display_width(row[column]) for row in full) for column in range(columns)]
    return "\n".join("  ".join([*map(_padded, row[:-1], widths), row[-1]]) for row in full)


def counted(number: int) -> str:
    """A number with thousands separators."""
    return f"{number:,}"


def joined(items: Iterable[str]) -> str:
    """A list in a line; `none` if it is empty."""
    return ", ".join(items) or "none"


def json_text(document: Any, *, sort: bool = True) -> str:
    """A JSON document as commands print it (spec 08 §3.1)."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=sort)


def printable(text: str) -> str:
    """Text in one line, without characters that would steer a terminal (WS-03-29)."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _shown(character) for character in text)


def printable_lines(text: str) -> str:
    """Text in the lines it has, without characters that would steer a terminal: for blocks (spec 03 §2.6)."""
    return "\n".join(printable(line.removesuffix("\r")) for line in text.split("\n"))


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_character_width(character) for character in text)


def _shown(character: str) -> str:
    return " " if character in "\t\n\r" else "\N{REPLACEMENT CHARACTER}"


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - display_width(cell))


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
