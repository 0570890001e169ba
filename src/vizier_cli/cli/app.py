"""What a command works with: verbosity, the project, its configuration and its jobs, each found when first needed."""

import contextlib
import os
import sys
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vizier_cli.cli.args import Arguments
from vizier_core.config import Settings, load_settings
from vizier_core.errors import VizierError
from vizier_core.jobs import JobsContext, open_project
from vizier_core.project import WORKTREES, find_project_root
from vizier_core.verbosity import Verbosity

if TYPE_CHECKING:
    from vizier_core.flow.resolve import FlowResolver


class App:
    """One invocation.

    Args:
        arguments: what was given.
        argv: the command line as typed, the program's name first.
    """

    def __init__(self, arguments: Arguments, argv: list[str]) -> None:
        self.arguments = arguments
        self.argv = argv
        self.verbosity = _verbosity(arguments)

    def prepare(self) -> None:
        """Finds the project and reads what every command that works on one needs (spec 08 §2 steps 7-9).

        Raises:
            VizierError: there is no project, its configuration cannot be used, or the named session cannot be loaded.
        """
        self.settings  # noqa: B018 - a broken configuration fails every command that works on a project
        session = self.arguments.value("load-session")
        if session is not None:
            from vizier_core.sessions import load_session  # noqa: PLC0415 - hardly ever asked for

            load_session(self.root, session)
        if any(command.creates_jobs_root for command in self.arguments.path):
            # Who may only read the project can look at its jobs all the same; what writes creates it by itself, too.
            with contextlib.suppress(OSError):
                self.jobs.store.ensure_jobs_root()

    @cached_property
    def root(self) -> Path:
        """The project root.

        Raises:
            NotARepositoryError: the working directory is in none.
            VizierError: there is no working directory.
        """
        try:
            start = Path.cwd()
        except FileNotFoundError:
            raise VizierError("the working directory is gone; change to one that exists") from None
        root = find_project_root(start)
        if root / WORKTREES in start.parents:
            self.info(f"Working on {root}, which the worktree here belongs to")
        return root

    @cached_property
    def config_file(self) -> Path | None:
        """The configuration file that the operator named, absolute."""
        named = self.arguments.value("config-file")
        return Path(os.path.abspath(named)) if named else None

    @cached_property
    def settings(self) -> Settings:
        """The effective configuration.

        Raises:
            ConfigError: it cannot be used.
        """
        return load_settings(self.root, self.config_file, self.info, self.warn)

    @cached_property
    def jobs(self) -> JobsContext:
        """The jobs of the project."""
        return open_project(self.root, self.settings, _print_line, verbosity=self.verbosity, progress=self.progress)

    @cached_property
    def flows(self) -> "FlowResolver":
        """Finds the templates of flows."""
        from vizier_core.flow.resolve import FlowResolver  # noqa: PLC0415 - most commands do without templates

        return FlowResolver(self.root, self.settings.commands, self.settings.workflow_directory, self.warn)

    @property
    def worker_options(self) -> tuple[str, ...]:
        """What workers have to know of this invocation (decision D14)."""
        from vizier_core.jobs.worker_options import worker_options  # noqa: PLC0415 - only for those who start runs

        return worker_options(self.config_file, self.verbosity, no_session=self.arguments.has("no-session"))

    def warn(self, line: str) -> None:
        """Prints a warning, unless only errors are wanted."""
        self._say(Verbosity.NORMAL, line)

    def warn_all(self, lines: Iterable[object]) -> None:
        """Prints several warnings."""
        for line in lines:
            self.warn(str(line))

    def info(self, line: str) -> None:
        """Prints something for those who want to know more."""
        self._say(Verbosity.INFO, line)

    def progress(self, line: str) -> None:
        """Says what is being done to somebody who waits at a terminal."""
        if sys.stderr.isatty():
            self._say(Verbosity.NORMAL, line)

    def debug(self, line: str) -> None:
        """Prints something for those who look for the cause of something."""
        self._say(Verbosity.DEBUG, line)

    def _say(self, level: Verbosity, line: str) -> None:
        if self.verbosity >= level:
            _print_line(line)


def _print_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _verbosity(arguments: Arguments) -> Verbosity:
    if arguments.has("quiet"):
        return Verbosity.QUIET
    steps = 2 if arguments.has("debug") else arguments.count("verbose")
    return Verbosity(min(Verbosity.NORMAL + steps, Verbosity.DEBUG))
