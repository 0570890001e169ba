"""What a command line option, argument and command is; parser, help, completions and man pages are made from these."""

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """How an option takes values."""

    #: Present or absent.
    SWITCH = "switch"
    #: May be repeated to mean more.
    COUNT = "count"
    #: One value.
    VALUE = "value"
    #: A value each time it is given.
    VALUES = "values"


class Option(NamedTuple):
    """An option."""

    #: Long name without dashes, which also names the value.
    name: str
    help: str
    short: str = ""
    kind: Kind = Kind.SWITCH
    value_name: str = ""
    choices: tuple[str, ...] = ()
    #: Shown in help and used when the option is absent; empty for none.
    default: str = ""
    #: The value is a whole number in this range.
    number: tuple[int, int] | None = None
    #: Options that it cannot be combined with, by name.
    conflicts: tuple[str, ...] = ()
    #: Options that have to be given with it, by name.
    requires: tuple[str, ...] = ()
    #: An empty value counts as missing.
    non_empty: bool = False
    required: bool = False
    hidden: bool = False

    @property
    def flag(self) -> str:
        """How it is spelled on the command line."""
        return f"--{self.name}"

    @property
    def usage(self) -> str:
        """How messages show it, with its value."""
        return f"{self.flag} <{self.value_name}>" if self.value_name else self.flag


class Positional(NamedTuple):
    """An argument that is told by its place."""

    name: str
    help: str
    required: bool = True
    repeated: bool = False
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """How usage lines show it."""
        shown = f"<{self.name}>" if self.required else f"[{self.name}]"
        return f"{shown}..." if self.repeated else shown


class Command(NamedTuple):
    """A command, or a group of commands."""

    name: str
    help: str
    options: tuple[Option, ...] = ()
    positionals: tuple[Positional, ...] = ()
    commands: "tuple[Command, ...]" = ()
    #: Module of `vizier_cli.actions` that does it; empty for groups.
    action: str = ""
    hidden: bool = False
    #: Whether it works outside a repository.
    anywhere: bool = False
    #: Whether it starts before the configuration is read, and does that itself.
    reads_config_itself: bool = False

    def child(self, name: str) -> "Command | None":
        """The command of this name in the group."""
        return next((command for command in self.commands if command.name == name), None)
