"""What the scheduler asks of whatever starts its workers.

The implementations here start a process on this machine. A batch system or another host would be a third one: nothing
outside this package knows how a worker comes to life.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from vizier_core.jobs.model import LivenessState, WorkerIdentity


class StartRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A worker to start."""

    job_id: str
    #: Arguments of the worker, `__workflow-node` first.
    child_args: tuple[str, ...]
    #: The project root, where the worker runs.
    root: Path
    #: Logs that receive the worker's output, appended to.
    stdout: Path
    stderr: Path
    #: Permission bits of logs that have to be created.
    file_mode: int


class StartedWorker(NamedTuple):
    """A worker that was started."""

    pid: int
    identity: WorkerIdentity


class Forked(NamedTuple):
    """What the forked child gets: it is the worker."""

    #: Whether the record names it; otherwise its parent may have died, and it has to look for itself.
    is_recorded: bool


class WorkerHandle(NamedTuple):
    """A worker as its record names it."""

    job_id: str
    pid: int | None
    #: None in records that were not written by this program, or by hand.
    identity: WorkerIdentity | None
    #: The log that the worker keeps locked while it lives.
    log: Path
    #: The first argument of the worker; words that its command line has to contain if there is no identity.
    token: str | None


class Probe(NamedTuple):
    """What is known about a worker; a state of None means that nobody here can tell, which never counts as dead."""

    state: LivenessState | None
    reason: str | None = None

    @property
    def is_stale(self) -> bool:
        """The worker is certainly gone."""
        return self.state not in {None, LivenessState.ALIVE}


#: Writes the record that names the worker; the worker does nothing before that has happened.
Commit = Callable[[WorkerIdentity, int], None]


class Launcher(Protocol):
    """Starts, watches and stops workers."""

    def start(self, request: StartRequest, commit: Commit, on_fork: Callable[[], None]) -> StartedWorker | Forked:
        """Starts a worker that waits until `commit` has recorded it.

        Args:
            request: what to start.
            commit: writes the record; if it raises, the worker ends without having done anything.
            on_fork: called first in a forked child, to let go of what only its parent may hold.

        Returns:
            The worker; in a forked child, which is the worker, that it is one: its caller has to do the worker's job
            and end the process without running what its parent still had to do.

        Raises:
            OSError: no process could be made, or what `commit` raised.
        """

    def probe(self, handle: WorkerHandle) -> Probe:
        """Finds out whether a worker lives."""

    def stop(self, handle: WorkerHandle, grace: float) -> list[int]:
        """Ends a worker and everything it has started.

        Args:
            handle: the worker; nothing happens unless its identity is known and from this machine and boot.
            grace: seconds between asking and killing; 0 kills at once.

        Returns:
            Pids that could not be ended.
        """
