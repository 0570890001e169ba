"""Global flags that count wherever they stand, even behind `--help`, which ends the parsing (spec 08 §5.3)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vizier_cli.cli.commands import GLOBAL_OPTIONS, ROOT
from vizier_cli.cli.declarations import Command, Option


class EarlyFlags(NamedTuple):
    """What the words in front of `--` say."""

    quiet: bool = False
    no_pager: bool = False
    config_file: str | None = None

    @property
    def pages(self) -> bool:
        """Whether help may be handed to a pager."""
        return not self.quiet and not self.no_pager


def early_flags(words: Sequence[str]) -> EarlyFlags:
    """Scans the words after the program's name; a value that looks like a flag is none (WS-07-22, WS-08-12)."""
    found = dict(_given(words))
    return EarlyFlags("quiet" in found, "no-pager" in found, found.get("config-file"))


def _given(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The options that stand in the words, with their values; later ones come later."""
    with_value = {option.flag for option in _all_options(ROOT) if option.takes_value}
    rest = iter(words)
    for word in rest:
        if word == "--":
            return
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if name in with_value and not equals:
                value = next(rest, "")
            yield name.removeprefix("--"), value
        elif word.startswith("-"):
            yield from _cluster(word[1:], rest)


def _cluster(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The options of a word such as `-vqC`."""
    for place, letter in enumerate(letters, start=1):
        option = next((option for option in GLOBAL_OPTIONS if option.short == letter), None)
        if option is not None and option.takes_value:
            yield option.name, letters[place:].removeprefix("=") or next(rest, "")
            return
        if option is not None:
            yield option.name, ""


def _all_options(command: Command) -> Iterator[Option]:
    yield from command.options
    for child in command.commands:
        yield from _all_options(child)
    if command is ROOT:
        yield from GLOBAL_OPTIONS
