"""What can go wrong in the core, one type per cause.

Every message names what is wrong and, where that is not obvious, what to do. The command line maps types to exit codes.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path  # dear to import, and help does without


class VizierError(Exception):
    """Anything the operator should read as one message, without a traceback."""


def explain(error: BaseException) -> str:
    """What an error says to the operator: of the system's errors the file and the reason, without their number."""
    if not isinstance(error, OSError):
        return str(error)
    reason = error.strerror or " ".join(map(str, error.args)) or type(error).__name__
    names = " -> ".join(
        os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)
    )
    return f"{names}: {reason}" if names else reason


class NotARepositoryError(VizierError):
    """No git repository at or above the working directory (spec 08 §2.1)."""

    def __init__(self) -> None:
        super().__init__("vizier cannot be used outside a git repository\nnot a git repository")


class InvalidIdError(VizierError):
    """An id that is not a single, unreserved path component (decision D16)."""

    def __init__(self, what: str, value: str) -> None:
        shown = value if value.isprintable() else ascii(value)[1:-1]
        super().__init__(f"invalid {what} `{shown}`: expected a single name without `/`, `..` or control characters")


class UnknownJobError(VizierError):
    """No record with this id, or to those who go by the graph of all jobs none that can be read (spec 03 §4.2)."""

    def __init__(self, job_id: str, unreadable: str | None = None) -> None:
        super().__init__(f"no background job {job_id}{f' with a readable record: {unreadable}' if unreadable else ''}")


class MalformedFileError(VizierError):
    """A file below `.vizier` that does not hold what it should.

    Attributes:
        cause: what is wrong, without the path.
    """

    def __init__(self, path: "Path", cause: str) -> None:
        super().__init__(f"cannot read {path}: {cause}")
        self.cause = cause


class SchedulerBusyError(VizierError):
    """The scheduler lock did not change hands within the configured time (ruling R1)."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("scheduler is busy; retry the command" + (f" ({detail})" if detail else ""))


class LocksUnsupportedError(VizierError):
    """The file system does not honour advisory locks (ruling R89)."""

    def __init__(self, path: "Path") -> None:
        super().__init__(
            f"file locks do not work at {path}: vizier cannot schedule jobs safely there; "
            "use a file system with working flock(2), or mount it with locking"
        )


class OptionError(VizierError):
    """Options that are right by themselves but make no sense together, or where they are used."""


class OperationRefusedError(VizierError):
    """An operation that the state of a job, or of the repository, does not allow."""


class EnqueueError(VizierError):
    """A run that cannot be enqueued; nothing was written."""


class ManifestError(VizierError):
    """A run manifest that is missing, unreadable or lacks a node."""


class TemplateSourceError(VizierError):
    """A flow that names no usable template file."""


class ConfigError(VizierError):
    """A configuration file that cannot be used; the message names the file and the key."""


class WorkerRefusedError(VizierError):
    """A worker that must not touch its job: the record is terminal or belongs to another worker (decision D20)."""


class LaunchError(VizierError):
    """A worker process that could not be started."""


class GitError(VizierError):
    """A git command that failed; the message carries git's own words."""


class NoPrimaryBranchError(VizierError):
    """No branch to compare plans with (spec 09 §4.4)."""

    def __init__(self) -> None:
        super().__init__("unable to detect primary branch; use --target")


class UnknownTargetError(VizierError):
    """A target that is no local branch (spec 09 §4.4)."""

    def __init__(self, name: str) -> None:
        super().__init__(f"target branch {name} not found")


class CheckoutBusyError(GitError):
    """Another git process holds the index of a working tree and does not let go of it."""

    def __init__(self, path: "Path") -> None:
        super().__init__(
            f"another git process seems to be at work: {path} exists; "
            "wait for it to end, or delete that file if there is none, then retry"
        )


class LocalChangesError(GitError):
    """Uncommitted work that would be overwritten; nothing was changed (decision D12).

    Attributes:
        paths: the files, below the root of the working tree.
    """

    def __init__(self, paths: Sequence[str], by: str) -> None:
        listed = ", ".join(paths)
        super().__init__(
            f"local changes would be overwritten by {by}: {listed}; commit, stash or move them away, then retry"
        )
        self.paths = tuple(paths)


class HeadMovedError(GitError):
    """A branch that was moved by somebody else in the meantime; nothing was changed."""

    def __init__(self, branch: str, detail: str) -> None:
        super().__init__(f"current tip is not the first parent: {branch} has moved meanwhile; retry ({detail})")


class NothingToCommitError(GitError):
    """A commit that would change nothing."""

    def __init__(self) -> None:
        super().__init__("nothing to commit")


class OperationInProgressError(GitError):
    """Something was begun in the working tree and is not ended; nothing was changed."""


class HookRefusedError(GitError):
    """A hook of the repository that objects; the message has its words."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"the {name} hook refused: {words}")
        self.name = name
        self.words = words

    def with_remark(self, remark: str) -> "HookRefusedError":
        """The same, with a remark about what its refusal has left."""
        return HookRefusedError(self.name, f"{self.words}; {remark}")


class PatchError(GitError):
    """A patch that cannot be applied; nothing was changed.

    Attributes:
        patch: its file.
    """

    def __init__(self, patch: "Path", reason: str) -> None:
        super().__init__(reason)
        self.patch = patch
