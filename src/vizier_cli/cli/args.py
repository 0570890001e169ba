"""Parses the command line by the declarations (spec 08 §3.4).

Written by hand, because the grammar is contract where argparse and click differ: long options are spelled in full, a
value that begins with `-` needs the `=` form, repeated options are errors, options may stand anywhere, conflicts are
pairwise.
"""

from collections.abc import Callable, Sequence
from typing import NoReturn

from vizier_cli.cli.commands import GLOBAL_OPTIONS
from vizier_cli.cli.declarations import Command, Kind, Option, Positional

_HELP = Option("help", "Print help", short="h")
_VERSION = Option("version", "Print version", short="V")
#: Accepted at every level besides the global options; both end the parsing.
ENDING_OPTIONS = (_HELP, _VERSION)


class UsageError(Exception):
    """The command line does not follow the grammar; `str()` is the text to print."""

    def __init__(self, message: str, path: Sequence[Command]) -> None:
        names = " ".join(command.name for command in path)
        super().__init__(
            f"error: {message}\n\nUsage: {usage_line(path)}\n\nFor more information, try '{names} --help'."
        )


class HelpRequested(Exception):  # noqa: N818 - not an error
    """`--help` was given for a command.

    Attributes:
        path: the command, from the program down.
        words: the arguments in front of `--help`.
    """

    def __init__(self, path: Sequence[Command], words: Sequence[str] = ()) -> None:
        super().__init__()
        self.path = tuple(path)
        self.words = tuple(words)


class VersionRequested(HelpRequested):
    """`--version` was given for a command."""


class Arguments:
    """What was given: values by option name, positionals by their names."""

    def __init__(self, path: Sequence[Command]) -> None:
        #: From the program down to the command.
        self.path = tuple(path)
        self.values: dict[str, str | list[str] | int] = {}
        self.positionals: dict[str, list[str]] = {}

    @property
    def command(self) -> Command:
        """The command that was named."""
        return self.path[-1]

    def has(self, option: str) -> bool:
        """Whether a switch, or any option, was given."""
        return option in self.values

    def value(self, option: str) -> str | None:
        """The value of an option, its default if it was not given; None without one."""
        given = self.values.get(option)
        if given is not None:
            return str(given)
        declared = next((o for o in self.command.options if o.name == option), None)
        return (declared.default or None) if declared else None

    def all_values(self, option: str) -> list[str]:
        """All values of an option that may be repeated."""
        given = self.values.get(option, [])
        return given if isinstance(given, list) else []

    def count(self, option: str) -> int:
        """How often an option was given."""
        given = self.values.get(option, 0)
        return given if isinstance(given, int) else 1

    def positional(self, name: str) -> str | None:
        """The argument of that name."""
        return next(iter(self.positionals.get(name, ())), None)


def parse(root: Command, words: Sequence[str]) -> Arguments:
    """Parses the words after the program's name.

    Raises:
        UsageError: they do not follow the grammar.
        HelpRequested: help was asked for.
        VersionRequested: the version was asked for.
    """
    return _Parser(root, words).parse()


def usage_line(path: Sequence[Command]) -> str:
    """The usage of a command (spec 08 §4.1)."""
    command = path[-1]
    required = [option.usage for option in command.options if option.required]
    words = [*(c.name for c in path), "[OPTIONS]", *required, *(p.usage for p in command.positionals)]
    return " ".join([*words, "<COMMAND>"] if command.commands else words)


def similar_command(word: str, group: Command) -> str:
    """A tip for a word that is no command of the group; empty if no command is spelled alike."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for this message

    names = [command.name for command in group.commands if not command.hidden]
    found = get_close_matches(word, names, 1)
    return f"\n\n  tip: a similar subcommand exists: '{found[0]}'" if found else ""


class _Parser:
    """One pass over the words."""

    def __init__(self, root: Command, words: Sequence[str]) -> None:
        self._words = list(words)
        self._next = 0
        self._path = [root]
        self._arguments = Arguments([root])
        #: Options given at the present level; a level is a command on the way down.
        self._given: set[str] = set()
        #: Whether any option was given at the present level.
        self._at_level = False
        self._plain: list[str] = []

    def parse(self) -> Arguments:
        while self._next < len(self._words):
            word = self._take()
            if word == "--":
                self._plain.extend(self._words[self._next :])
                break
            if word.startswith("--"):
                self._long(word)
            elif word.startswith("-") and word != "-":
                self._shorts(word)
            else:
                self._word(word)
        return self._finish()

    def _take(self) -> str:
        word = self._words[self._next]
        self._next += 1
        return word

    def _word(self, word: str) -> None:
        command = self._path[-1]
        if not command.commands:
            self._plain.append(word)
            return
        child = command.child(word)
        if child is None:
            self._fail(f"unrecognized subcommand '{word}'{similar_command(word, command)}")
        self._path.append(child)
        self._given = set()
        self._at_level = False

    def _long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        option = self._find(lambda option: option.name == name)
        if option is None:
            self._fail(f"unexpected argument '--{name}' found")
        self._store(option, value if equals else None)

    def _shorts(self, word: str) -> None:
        letters = word[1:]
        for place, letter in enumerate(letters):
            option = self._find(lambda option, letter=letter: option.short == letter)  # type: ignore[misc]
            if option is None:
                self._fail(f"unexpected argument '-{letter}' found")
            rest = letters[place + 1 :]
            if option.takes_value:
                self._store(option, rest.removeprefix("=") if rest else None)
                return
            if rest.startswith("="):
                self._store(option, rest[1:])
                return
            self._store(option, None)

    def _find(self, matches: Callable[[Option], bool]) -> Option | None:
        known = (*self._path[-1].options, *GLOBAL_OPTIONS, *ENDING_OPTIONS)
        return next((option for option in known if matches(option)), None)

    def _store(self, option: Option, value: str | None) -> None:
        self._at_level = True
        if option in ENDING_OPTIONS:
            if value is not None:
                self._fail(f"unexpected value '{value}' for '{option.flag}' found; no more were expected")
            raise (HelpRequested if option is _HELP else VersionRequested)(self._path, self._plain)
        values = self._arguments.values
        if option.takes_value:
            text = self._checked_value(option, value)
            if option.kind is Kind.VALUES:
                values[option.name] = [*self._arguments.all_values(option.name), text]
                return
            values[option.name] = text
        elif value is not None:
            self._fail(f"unexpected value '{value}' for '{option.flag}' found; no more were expected")
        elif option.kind is Kind.COUNT:
            values[option.name] = self._arguments.count(option.name) + 1
            return
        else:
            values[option.name] = 1
        if option.name in self._given:
            self._fail(f"the argument '{option.usage}' cannot be used multiple times")
        self._given.add(option.name)

    def _checked_value(self, option: Option, value: str | None) -> str:
        if value is None and self._next < len(self._words):
            following = self._words[self._next]
            if following == "-" or not following.startswith("-"):
                value = self._take()
        if value is None or (option.non_empty and not value):
            self._fail(f"a value is required for '{option.usage}' but none was supplied{_possible(option.choices)}")
        if option.choices and value not in option.choices:
            self._fail(f"invalid value '{value}' for '{option.usage}'{_possible(option.choices)}")
        if option.number is not None:
            return self._checked_number(option, value, *option.number)
        return value

    def _checked_number(self, option: Option, value: str, low: int, high: int) -> str:
        digits = value.removeprefix("+").lstrip("0") or "0"
        # Looked at by its length first: Python refuses to read numbers of many thousand digits.
        readable = bool(value) and digits.isascii() and digits.isdigit() and len(digits) <= len(str(high))
        if not readable or not low <= int(digits) <= high:
            self._fail(f"invalid value '{value[:80]}' for '{option.usage}': expected a number from {low} to {high}")
        return digits

    def _finish(self) -> Arguments:
        command = self._path[-1]
        self._arguments.path = tuple(self._path)
        if command.commands:
            if self._at_level or self._plain:
                listed = ", ".join(c.name for c in command.commands if not c.hidden)
                self._fail(
                    f"'{command.name}' requires a subcommand but one was not provided\n  [subcommands: {listed}]"
                )
            return self._arguments
        self._check_options(command)
        self._assign(command.positionals)
        self._check_conflicts(command)
        return self._arguments

    def _check_options(self, command: Command) -> None:
        values = self._arguments.values
        for option in command.options:
            if option.name not in values:
                if option.required:
                    self._fail(f"the following required arguments were not provided:\n  {option.usage}")
                continue
            for other in command.options:
                if other.name in option.requires and other.name not in values:
                    self._fail(f"the argument '{option.flag}' needs '{other.usage}'")

    def _check_conflicts(self, command: Command) -> None:
        given = {
            **{option.name: option.usage for option in command.options if option.name in self._arguments.values},
            **{p.name: p.usage for p in command.positionals if p.name in self._arguments.positionals},
        }
        for option in command.options:
            for other in option.conflicts:
                if option.name in given and other in given:
                    self._fail(f"the argument '{option.usage}' cannot be used with '{given[other]}'")

    def _assign(self, declared: Sequence[Positional]) -> None:
        words = list(self._plain)
        for positional in declared:
            if positional.repeated:
                self._arguments.positionals[positional.name] = words
                words = []
            elif words:
                word = words.pop(0)
                if positional.choices and word not in positional.choices:
                    self._fail(f"invalid value '{word}' for '{positional.usage}'{_possible(positional.choices)}")
                self._arguments.positionals[positional.name] = [word]
            elif positional.required:
                self._fail(f"the following required arguments were not provided:\n  {positional.usage}")
        if words:
            self._fail(f"unexpected argument '{words[0]}' found")

    def _fail(self, message: str) -> NoReturn:
        raise UsageError(message, self._path)


def _possible(choices: Sequence[str]) -> str:
    return f"\n  [possible values: {', '.join(choices)}]" if choices else ""
