"""The `[jobs]` section of the configuration, as far as the core needs it (spec 07 §2.5)."""

from enum import StrEnum

import msgspec


class LauncherForm(StrEnum):
    """How workers are started: forked where that is sound, or always as a new program."""

    AUTO = "auto"
    EXEC = "exec"


class JobSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the jobs of a project are treated."""

    #: Seconds without the lock changing hands after which a command gives up.
    lock_timeout: float = 10.0
    #: How often routes may rewind one node (ruling R72).
    max_route_attempts: int = 50
    launcher: LauncherForm = LauncherForm.AUTO
    #: Whether `jobs cancel` removes the job's worktree unless told otherwise.
    cancel_cleanup_worktree: bool = False
