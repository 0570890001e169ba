"""How values of a configuration are understood (spec 07 §2.3): usable, or as if they were absent.

A `Kind` reads a value and returns None if it is of no use, which it mentions. Only the few kinds whose docstring names
`ConfigError` refuse the file.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from vizier_core.config.reading import Spot, shown

_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
#: More digits than any number that is accepted has.
_DIGITS: Final = 25
#: Seconds; some thirty years, and still nothing that a system call takes amiss.
_LONGEST: Final = 10**9


class Kind(NamedTuple):
    """One way to understand a value."""

    #: What messages and documentation say is expected.
    expected: str
    read: Callable[[Any, Spot], Any]


def text_of(value: object) -> str | None:
    """A text that is not blank, trimmed."""
    return (value.strip() or None) if isinstance(value, str) else None


def name_of(value: object) -> str | None:
    """A text that is not blank, trimmed, in lower-case ASCII letters."""
    text = text_of(value)
    return text.translate(_LOWER) if text else None


def _switch_of(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _flag_of(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return _switch_of(value)


def _whole_number_of(value: object) -> int | None:
    if isinstance(value, str):
        digits = value.strip().removeprefix("+")
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds_of(value: object) -> float | None:
    number = value if isinstance(value, float) else _whole_number_of(value)
    return float(number) if number is not None and 0 < number <= _LONGEST else None


def _texts_of(value: object) -> tuple[str, ...] | None:
    return tuple(filter(None, map(text_of, value))) if isinstance(value, list) else None


def _check_commands_of(value: object) -> tuple[str, ...] | None:
    return _texts_of(value.get("commands") if isinstance(value, Mapping) else value) or None


def _plain(expected: str, understand: Callable[[Any], Any]) -> Kind:
    def read(value: object, spot: Spot) -> Any:
        found = understand(value)
        if found is None:
            spot.ignore(value, expected)
        return found

    return Kind(expected, read)


def _whole_number(expected: str, least: int, most: int) -> Kind:
    def understand(value: object) -> int | None:
        number = _whole_number_of(value)
        return number if number is not None and least <= number <= most else None

    return _plain(expected, understand)


def _folded(text: str) -> str:
    return text.strip().lower().replace("_", "-").replace(" ", "-")


def choice(*options: str, also: Mapping[str, str] = {}, remark: str = "; ignoring") -> Kind:
    """One word of several, in any case, with `-` or `_`; others are ignored with the warning of spec 07 §2.7.

    Args:
        options: what the value may be.
        also: further words and the options that they stand for.
        remark: how the warning ends.
    """
    words = {_folded(word): option for word, option in {**dict(zip(options, options, strict=True)), **also}.items()}
    expected = " or ".join(", ".join(options).rsplit(", ", 1))

    def read(value: object, spot: Spot) -> str | None:
        text = text_of(value)
        if text is None:
            spot.ignore(value, expected)
            return None
        found = words.get(_folded(text))
        if found is None:
            spot.warn(f"unknown {spot.pattern} value `{shown(text)}`{remark}")
        return found

    return Kind(expected, read)


def strict_choice(*options: str, also: Mapping[str, str] = {}) -> Kind:
    """Like `choice`; the warning lists the options."""
    return choice(*options, also=also, remark=f"; expected {'|'.join(options)}")


def member_of(options: type[StrEnum]) -> Kind:
    """Like `choice`, for the values of an enumeration."""
    words = choice(*options)

    def read(value: object, spot: Spot) -> StrEnum | None:
        word = words.read(value, spot)
        return options(word) if word is not None else None

    return Kind(words.expected, read)


def some_of(what: str, *options: str) -> Kind:
    """A list of words of which each must be one of several; others are dropped with the warning of spec 07 §2.7.

    Args:
        what: what an entry is called in the warning.
        options: what entries may be.
    """
    words = {_folded(option): option for option in options}
    expected = f"a list of {', '.join(options)}"

    def read(value: object, spot: Spot) -> tuple[str, ...] | None:
        texts = _texts_of(value)
        if texts is None:
            spot.ignore(value, expected)
            return None
        for text in texts:
            if _folded(text) not in words:
                spot.warn(f"unknown {spot.pattern} {what} `{shown(text)}`; ignoring")
        return tuple(words[_folded(text)] for text in texts if _folded(text) in words)

    return Kind(expected, read)


def _read_branch_name(value: object, spot: Spot) -> str | None:
    text: str | None = TEXT.read(value, spot)
    return text.lower() if text and text.lower() in {"primary", "build"} else text


def _read_directory(value: object, spot: Spot) -> Any:
    text = TEXT.read(value, spot)
    return spot.reading.path.parent / text if text else None


def _read_agent_name(value: object, _spot: Spot) -> str | None:
    # Silent about other types: black-box tests expect nothing on stderr (spec 07 §11).
    return name_of(value)


def _read_command(value: object, spot: Spot) -> tuple[str, ...]:
    words = _texts_of([value] if isinstance(value, str) else value)
    if not words:
        name = spot.key.rpartition(".")[2]
        raise spot.error(f"`{spot.key}`: `agent.{name}` must be a non-empty string or array")
    return words


def _read_filter(value: object, spot: Spot) -> tuple[str, ...]:
    # `false` is an addition: without it the filter of a shim could not be switched off (WS-07-06).
    return () if value is False else _read_command(value, spot)


def _read_output(value: object, spot: Spot) -> str | None:
    if not isinstance(value, str):
        raise spot.error(f"`{spot.key}`: `agent.output` must be a string")
    mode = value.strip().lower()
    if mode not in {"", "auto", "wrapped", "wrapped-json"}:
        raise spot.error(
            f"`{spot.key}`: unknown agent.output value `{shown(value.strip())}`; expected auto, wrapped or wrapped-json"
        )
    return mode or None


FLAG: Final = _plain("true or false", _flag_of)
#: No text form.
SWITCH: Final = _plain("true or false, without quotes", _switch_of)
UNSIGNED: Final = _whole_number("a whole number from 0 to 4294967295", 0, 2**32 - 1)
SIZE: Final = _whole_number("a whole number, 0 or greater", 0, 2**64 - 1)
POSITIVE: Final = _whole_number("a whole number greater than 0", 1, 2**32 - 1)
SECONDS: Final = _plain("a number of seconds greater than 0", _seconds_of)
TEXT: Final = _plain("a text", text_of)
#: Lower case.
NAME: Final = _plain("a name", name_of)
#: An empty list is a value: no fields at all.
FIELDS: Final = _plain("a list of field names", _texts_of)
CHECK_COMMANDS: Final = _plain("a list of commands, or a table with the list `commands`", _check_commands_of)
BRANCH: Final = Kind("primary, build or the name of a branch", _read_branch_name)
#: Relative to the directory of the file.
DIRECTORY: Final = Kind("a directory", _read_directory)
AGENT: Final = Kind("the name of an agent", _read_agent_name)
#: Refuses what is no command (`ConfigError`).
COMMAND: Final = Kind("a program, or a list of a program and its arguments", _read_command)
#: Refuses what is no command (`ConfigError`).
FILTER: Final = Kind("a program, a list of a program and its arguments, or false", _read_filter)
#: Refuses unknown modes (`ConfigError`).
OUTPUT: Final = Kind("auto, wrapped or wrapped-json", _read_output)
