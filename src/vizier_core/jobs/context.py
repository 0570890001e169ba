"""What every operation on jobs works with: the store, its index, the settings and the launcher of one project."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vizier_core.config import Settings
from vizier_core.errors import MalformedFileError, UnknownJobError
from vizier_core.installation import program_directory
from vizier_core.jobs.store import JobStore
from vizier_core.verbosity import Verbosity

if TYPE_CHECKING:
    from vizier_core.index import RecordIndex
    from vizier_core.jobs.lifecycle import OwnJob
    from vizier_core.jobs.model import JobRecord
    from vizier_core.launcher import Launcher


class JobsContext:
    """One project's jobs.

    Args:
        root: the project root.
        settings: the project's configuration: how to treat jobs, and what their nodes may do.
        warn: receives lines for the operator, each without a line end.
        work: works as the worker of a job and ends the process; what a forked child goes on with.
        verbosity: what is said at all.
        progress: receives lines for somebody who waits for long work to end.
        program: the directory of the program `vizier`; that of the running one if omitted.
    """

    def __init__(
        self,
        root: Path,
        settings: Settings,
        warn: Callable[[str], None],
        work: "Callable[[JobsContext, OwnJob], NoReturn]",
        *,
        verbosity: Verbosity = Verbosity.NORMAL,
        progress: Callable[[str], None],
        program: Path | None = None,
    ) -> None:
        self.root = root
        self.settings = settings
        self.verbosity = verbosity
        self.program = program or program_directory()
        self._print = warn
        self._work = work
        #: Says what is being done.
        self.progress = progress
        self.store = JobStore(root, self.warn)
        self._warned: set[str] = set()
        #: Whether empty directories of `.vizier` shall go once the scheduler lock, which lives there, is released.
        self.prune = False

    @cached_property
    def index(self) -> "RecordIndex":
        """The derived index; reading one record does not need it."""
        from vizier_core.index import RecordIndex  # noqa: PLC0415 - views of one job do without

        return RecordIndex(self.store)

    @cached_property
    def launcher(self) -> "Launcher":
        """What starts and watches workers."""
        from vizier_core.launcher import make_launcher  # noqa: PLC0415 - views do without

        return make_launcher(self.settings.jobs.launcher, self.program)

    def warn(self, line: str) -> None:
        """Says something that the operator should know, unless only errors are wanted."""
        if self.verbosity >= Verbosity.NORMAL:
            self._print(line)

    def find(self, job_id: str) -> "JobRecord | None":
        """A record that was there a moment ago; None if it is gone or cannot be read any more."""
        try:
            return self.store.read(job_id)
        except (UnknownJobError, MalformedFileError):
            return None

    def warn_of_malformed_records(self) -> None:
        """Says once which records cannot be read; they are left alone (ruling R3)."""
        for job_id in sorted(self.index.malformed.keys() - self._warned):
            self._warned.add(job_id)
            self.warn(f"unable to load background job {job_id}: {self.index.malformed[job_id]}")

    def become_worker(self, job: "OwnJob") -> NoReturn:
        """Goes on as the worker of a job in a forked child; never returns."""
        self._work(self, job)
