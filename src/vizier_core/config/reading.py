"""The reading of one configuration file: where in it a value stands, and what is said about it."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from vizier_core.errors import ConfigError

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
#: Longer texts and larger numbers are not repeated in messages; the largest could not even be printed.
_SHOWN_LENGTH: Final = 100
_SHOWN_NUMBER: Final = 10**20


class Reading:
    """One configuration file being read.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        #: Lines for the operator; they count only if the whole file turns out to be usable.
        self.warnings: list[str] = []
        #: Other files whose content has become part of what the file says.
        self.included: list[Path] = []

    def error(self, message: str) -> ConfigError:
        """The error that the file is refused with (WS-07-02)."""
        return ConfigError(f"{self.path}: {message}")

    def warn_of_unknown(self, table: Mapping[str, Any], known: Collection[str], at: str) -> None:
        """Says which keys of a table mean nothing, and what they may have been meant for (decision D15).

        Args:
            table: the table.
            known: every key that means something, all spellings.
            at: the table's own key; empty for the root.
        """
        for name in table:
            if name not in known:
                from vizier_kernel.suggest import did_you_mean  # noqa: PLC0415 - only when something is wrong

                hint = did_you_mean(name, known)
                self.warnings.append(f"{self.path}: unknown key `{dotted(at, name)}`; ignoring{hint}")


class Spot(NamedTuple):
    """A value in the file, for messages about it."""

    reading: Reading
    #: The key as the catalogue has it.
    pattern: str
    #: The key as it stands in the file, in its usual spelling.
    key: str

    def warn(self, line: str) -> None:
        """Says something about the value."""
        self.reading.warnings.append(line)

    def ignore(self, value: object, expected: str) -> None:
        """Says that the value is of no use (WS-07-04), unless it is blank: to say nothing is no mistake."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return
        self.warn(f"{self.reading.path}: `{self.key}`: expected {expected}, found {_described(value)}; ignoring")

    def error(self, message: str) -> ConfigError:
        """The error that the file is refused with because of the value."""
        return self.reading.error(message)


def dotted(table: str, name: str) -> str:
    """The key of something in a table as TOML spells it.

    Args:
        table: the table's own key; empty for the root.
        name: the last part, as it is.
    """
    last = name if _BARE.fullmatch(name) else f'"{"".join(map(_in_quotes, name))}"'
    return f"{table}.{last}" if table else last


def shown(text: str) -> str:
    """Text as messages repeat it: printable and not too long."""
    return printable(text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 3]}...")


def printable(text: str) -> str:
    """Text in one line, without characters that would steer a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _in_quotes(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 2**16 else f"\\U{ord(character):08x}"


def _described(value: object) -> str:
    """A value in a message: itself if it is small, otherwise what it is."""
    if isinstance(value, str):
        return f"`{shown(value)}`"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value) if abs(value) < _SHOWN_NUMBER else "a number out of range"
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list) else "a date or time"
