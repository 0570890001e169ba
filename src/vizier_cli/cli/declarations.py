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


class Completes(Enum):
    """What a value names; shells complete it accordingly."""

    #: Nothing that could be listed; shells fall back to files.
    OTHER = "other"
    #: A job of the project.
    JOB = "job"
    #: A job, or `run:` and the id of a run.
    JOB_OR_RUN = "job or run"
    #: What `run` takes as FLOW.
    FLOW = "flow"
    #: A value for a parameter of the flow that was named before.
    INPUT = "input"
    #: A flag for one of its parameters.
    FLAG = "flag"
    #: `KEY=VALUE` for a parameter of the flow.
    PARAMETER = "parameter"
    #: The slug of a pending plan.
    PLAN = "plan"
    #: A local branch.
    BRANCH = "branch"
    #: A command of the program.
    COMMAND = "command"
    #: A recorded session.
    SESSION = "session"


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
    #: Options and arguments that it cannot be combined with, by name.
    conflicts: tuple[str, ...] = ()
    #: Options that have to be given with it, by name.
    requires: tuple[str, ...] = ()
    #: An empty value counts as missing.
    non_empty: bool = False
    required: bool = False
    hidden: bool = False
    completes: Completes = Completes.OTHER

    @property
    def flag(self) -> str:
        """How it is spelled on the command line."""
        return f"--{self.name}"

    @property
    def takes_value(self) -> bool:
        """Whether a value belongs to it."""
        return self.kind in {Kind.VALUE, Kind.VALUES}

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
    completes: Completes = Completes.OTHER

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
    #: Whether it decides itself what to do when the configuration cannot be used.
    prepares_itself: bool = False
    #: Whether it, and every command in it, creates `.vizier/jobs` before anything else (spec 08 §2 step 10).
    creates_jobs_root: bool = False

    def child(self, name: str) -> "Command | None":
        """The command of this name in the group."""
        return next((command for command in self.commands if command.name == name), None)
