"""What every operation on jobs works with: the store, its index, the settings and the launcher of one project."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import msgspec

from vizier_core.index import RecordIndex
from vizier_core.jobs.store import JobStore
from vizier_core.launcher import Launcher, LauncherForm, make_launcher


class JobSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The `[jobs]` section of the configuration, as far as the core needs it."""

    #: Seconds without the lock changing hands after which a command gives up.
    lock_timeout: float = 10.0
    #: How often routes may rewind one node (ruling R72).
    max_route_attempts: int = 50
    #: How workers are started.
    launcher: LauncherForm = LauncherForm.AUTO
    #: Whether `jobs cancel` removes the job's worktree unless told otherwise.
    cancel_cleanup_worktree: bool = False


class JobsContext:
    """One project's jobs.

    Args:
        root: the project root.
        settings: how to treat them.
        warn: receives one line for the operator, without a line end.
    """

    def __init__(self, root: Path, settings: JobSettings, warn: Callable[[str], None]) -> None:
        self.root = root
        self.settings = settings
        self.warn = warn
        self.store = JobStore(root, warn)

    @cached_property
    def index(self) -> RecordIndex:
        """The derived index; reading one record does not need it."""
        return RecordIndex(self.store)

    @cached_property
    def launcher(self) -> Launcher:
        """What starts and watches workers."""
        return make_launcher(self.settings.launcher)

    def become_worker(self, job_id: str) -> NoReturn:
        """Goes on as the worker of a job in a forked child; never returns."""
        from vizier_core.jobs.workflow_runtime import worker_main  # noqa: PLC0415 - the runtime builds on this module

        worker_main(self, job_id)
