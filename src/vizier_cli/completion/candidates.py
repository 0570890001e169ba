"""What could stand in the place of the last word of a command line, by the declarations (spec 09 §9.3)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from vizier_cli.cli.args import ENDING_OPTIONS
from vizier_cli.cli.commands import GLOBAL_OPTIONS
from vizier_cli.cli.declarations import Command, Completes, Kind, Option, Positional


class Candidate(NamedTuple):
    """A word, and what it means."""

    value: str
    description: str = ""


class Wanted(NamedTuple):
    """A value that only the project knows."""

    kind: Completes
    #: What was typed of it.
    typed: str
    #: The flow that was named, for its parameters.
    flow: str | None = None
    #: Which input of the flow it is: its place from 0, or the name of a flag.
    place: int | str = 0
    config_file: str | None = None


#: Finds the values of one kind that begin with what was typed.
ValueSource = Callable[[Wanted], Iterable[Candidate]]


def candidates_for(root: Command, words: Sequence[str], values: ValueSource) -> Iterator[Candidate]:
    """The candidates for the last word, in the order in which they should be shown.

    Args:
        root: the program.
        words: those after the program's name, up to the one to complete; at least one.
        values: knows what is in the project.
    """
    place = _Place(root)
    for word in words[:-1]:
        place.pass_by(word)
    return place.candidates(words[-1], values)


class _Place:
    """A place on the command line: what stands before it, read as the parser would, though mistakes are overlooked."""

    def __init__(self, root: Command) -> None:
        self._root = root
        self._command = root
        self._plain: list[str] = []
        self._given: dict[str, str] = {}
        #: The option whose value comes next; the name of a flag that belongs to the flow.
        self._open: Option | str | None = None
        self._ended = False

    def pass_by(self, word: str) -> None:
        """Takes in the next word."""
        if self._ended:
            self._plain.append(word)
        elif self._open is not None and not (isinstance(self._open, str) and _is_option(word)):
            if isinstance(self._open, Option):
                self._given[self._open.name] = word
            self._open = None
        elif word == "--":
            self._ended = True
        elif word.startswith("--"):
            self._long(word)
        elif _is_option(word):
            self._shorts(word[1:])
        elif self._command.commands:
            self._command = self._command.child(word) or Command("", "")
            self._given = {name: value for name, value in self._given.items() if name == "config-file"}
        else:
            self._plain.append(word)

    def candidates(self, typed: str, values: ValueSource) -> Iterator[Candidate]:
        """What could stand here."""
        if isinstance(self._open, Option):
            yield from self._values_of(self._open, typed, values)
        elif self._open is not None and not _is_option(typed):
            yield from values(self._wanted(Completes.INPUT, typed, self._open))
        elif self._ended:
            yield from self._words(typed, values)
        elif typed.startswith("--") and "=" in typed:
            yield from self._attached(typed, values)
        elif typed.startswith("-"):
            yield from self._options(typed, values)
        else:
            yield from self._words(typed, values)
            if not typed:
                yield from self._options("--", values)

    @property
    def _known(self) -> tuple[Option, ...]:
        return (*self._command.options, *GLOBAL_OPTIONS, *ENDING_OPTIONS)

    @property
    def _takes_flags(self) -> bool:
        """Whether unknown long options are flags of a flow."""
        return self._command.action == "run" and bool(self._plain)

    def _long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        option = next((option for option in self._known if option.name == name), None)
        if option is not None:
            self._given[name] = value
            self._open = option if option.takes_value and not equals else None
        else:
            self._open = name if self._takes_flags and not equals else None

    def _shorts(self, letters: str) -> None:
        for place, letter in enumerate(letters, start=1):
            option = next((option for option in self._known if option.short == letter), None)
            if option is None:
                continue
            self._given[option.name] = letters[place:].removeprefix("=")
            if option.takes_value:
                self._open = None if letters[place:] else option
                return

    def _words(self, typed: str, values: ValueSource) -> Iterator[Candidate]:
        if self._command.commands:
            yield from _commands(self._command, typed)
        elif (positional := self._positional()) is not None:
            if positional.completes is Completes.COMMAND:
                yield from _commands(self._root, typed)
            elif positional.choices:
                yield from _matching((Candidate(choice) for choice in positional.choices), typed)
            else:
                yield from values(self._wanted(positional.completes, typed, len(self._plain) - 1))

    def _positional(self) -> Positional | None:
        """The argument that stands here."""
        declared = self._command.positionals
        if len(self._plain) < len(declared):
            return declared[len(self._plain)]
        return declared[-1] if declared and declared[-1].repeated else None

    def _attached(self, typed: str, values: ValueSource) -> Iterator[Candidate]:
        """Values of `--option=`, each with the option in front."""
        name, _, begun = typed[2:].partition("=")
        option = next((option for option in self._known if option.name == name), None)
        if option is not None:
            found = self._values_of(option, begun, values)
        elif self._takes_flags:
            found = iter(values(self._wanted(Completes.INPUT, begun, name)))
        else:
            return
        yield from (Candidate(f"--{name}={value}", description) for value, description in found)

    def _values_of(self, option: Option, typed: str, values: ValueSource) -> Iterator[Candidate]:
        if option.choices:
            return _matching((Candidate(choice) for choice in option.choices), typed)
        return iter(values(self._wanted(option.completes, typed)))

    def _options(self, typed: str, values: ValueSource) -> Iterator[Candidate]:
        """Options that may still be given; those of the flow first."""
        if self._takes_flags:
            yield from values(self._wanted(Completes.FLAG, typed))
        offered = (
            Candidate(option.flag, option.help)
            for option in self._known
            if not option.hidden and (option.name not in self._given or option.kind in {Kind.COUNT, Kind.VALUES})
        )
        yield from _matching(offered, typed)

    def _wanted(self, kind: Completes, typed: str, place: int | str = 0) -> Wanted:
        flow = self._plain[0] if self._plain else None
        return Wanted(kind, typed, flow, place, self._given.get("config-file") or None)


def _commands(group: Command, typed: str) -> Iterator[Candidate]:
    """The commands of a group; hidden ones only if there is nothing else."""
    visible = [child for child in group.commands if not child.hidden]
    found = list(_matching((Candidate(child.name, child.help) for child in visible), typed))
    if not found:
        hidden = (child for child in group.commands if child.hidden)
        found = list(_matching((Candidate(child.name, child.help) for child in hidden), typed))
    return iter(found)


def _matching(offered: Iterable[Candidate], typed: str) -> Iterator[Candidate]:
    return (candidate for candidate in offered if candidate.value.startswith(typed))


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-")
