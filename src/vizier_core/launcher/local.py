"""Workers as processes of this machine: who they are, whether they live, how they end (rulings R83-R85)."""

import contextlib
import fcntl
import os
import signal
import socket
import time
from pathlib import Path
from typing import Final

from vizier_core import process
from vizier_core.jobs.model import LivenessState, WorkerIdentity
from vizier_core.launcher.port import Probe, StartedWorker, WorkerHandle

#: A worker has written its first log line so many seconds after its start, or never will.
_STARTING: Final = 60.0


class LocalWorkers:
    """What the two ways to start a local process have in common."""

    def __init__(self) -> None:
        self._boot_id = process.boot_id()
        self._pid_namespace = process.pid_namespace()
        self._host = socket.gethostname()
        self._children: set[int] = set()

    def probe(self, handle: WorkerHandle) -> Probe:
        """Whether the worker lives: by its lock, else by its pid and start time, else by its command line."""
        self.reap_children()
        pid, identity = handle.pid, handle.identity
        if pid is None:
            return Probe(LivenessState.STALE_MISSING_PID, "running job record is missing pid")
        if identity is not None:
            if _log_is_locked(handle.log):
                return Probe(LivenessState.ALIVE)
            if identity.boot_id == self._boot_id and identity.pid_namespace != self._pid_namespace:
                return _judge_by_log(pid, handle.log)
            if not self._can_judge(identity):
                return Probe(
                    None, f"worker process {pid} runs on host {identity.host}, which cannot be asked from here"
                )
            if identity.boot_id != self._boot_id:
                return _not_running(pid, f" (host {identity.host} has been restarted)")
        info = process.inspect(pid)
        if info is None or not info.alive:
            return _not_running(pid)
        if identity is not None:
            matches: bool | None = info.start_ticks == identity.start_ticks
        else:
            matches = _command_line_matches(pid, handle)
        if matches is not False:
            return Probe(LivenessState.ALIVE)
        reason = f"observed process identity did not match expected token `{handle.token}`"
        return Probe(LivenessState.STALE_IDENTITY_MISMATCH, reason)

    def stop(self, handle: WorkerHandle, grace: float) -> list[int]:
        """Ends the worker's session; without a known identity only the process that passes for the worker."""
        if handle.pid is None:
            return []
        identity = handle.identity
        if identity is None:
            info = process.inspect(handle.pid)
            if info is None or not _command_line_matches(handle.pid, handle):
                return []  # not certainly the worker
            return process.end_process(info, grace)
        if not self._is_here(identity):
            return []
        from vizier_core.family import session_family  # noqa: PLC0415 - hardly any command ends a worker

        return session_family(handle.pid, identity.start_ticks).end(grace)

    def reap_children(self) -> None:
        """Collects ended workers that this process has started, so that none stays a zombie (ruling R87)."""
        self._children = {pid for pid in self._children if not process.reap(pid)}

    def _identify(self, pid: int, token: str | None = None) -> StartedWorker:
        info = process.inspect(pid)
        if info is None:
            raise ProcessLookupError(f"worker process {pid} ended before it was recorded")
        self._children.add(pid)
        identity = WorkerIdentity(
            token=token or new_token(),
            start_ticks=info.start_ticks,
            boot_id=self._boot_id,
            pid_namespace=self._pid_namespace,
            host=self._host,
        )
        return StartedWorker(pid, identity)

    def identify_self(self) -> StartedWorker:
        """This process as a worker."""
        worker = self._identify(os.getpid())
        self._children.discard(worker.pid)
        return worker

    def _is_here(self, identity: WorkerIdentity) -> bool:
        """Whether the worker's pid means something in this process."""
        return identity.boot_id == self._boot_id and identity.pid_namespace == self._pid_namespace

    def _can_judge(self, identity: WorkerIdentity) -> bool:
        """Whether a worker whose log is not locked can be called dead from here.

        On the same kernel the lock is decisive in every namespace; after a restart of the same host nothing of the
        earlier boot is left. Of another host nothing is known.
        """
        return identity.boot_id == self._boot_id or identity.host == self._host


def new_token() -> str:
    """A random text that no other start has."""
    return os.urandom(8).hex()  # `secrets` would load a lot more than this


def hold_log(log: Path, file_mode: int) -> int:
    """Locks the log of a worker until its process ends; the descriptor is not passed on (ruling R84).

    Waits for an earlier attempt of the same job that is just ending.
    """
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, file_mode)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def default_signals() -> None:
    """The worker reacts to signals as a fresh Python would, whatever the ticker had installed."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _log_is_locked(log: Path) -> bool:
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # Shared, so that two who ask at the same time do not take each other for the worker.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _judge_by_log(pid: int, log: Path) -> Probe:
    """Of a worker in another container, whose pid says nothing here: its log is locked from the moment it writes."""
    try:
        status = log.stat()
    except OSError:
        return _not_running(pid)
    if not status.st_size and time.time() - status.st_ctime < _STARTING:
        return Probe(None, f"worker process {pid} is just starting in another container")
    return _not_running(pid)


def _command_line_matches(pid: int, handle: WorkerHandle) -> bool | None:
    """For records without an identity: whether the command line names the worker and its job; None if unreadable."""
    words = process.command_line(pid)
    if words is None or not handle.token:
        return None
    text = " ".join(words)
    if handle.token not in text:
        return False
    return handle.token != "__workflow-node" or f"--job-id {handle.job_id} " in f"{text} "


def _not_running(pid: int, detail: str = "") -> Probe:
    return Probe(LivenessState.STALE_NOT_RUNNING, f"worker process {pid} is not running{detail}")
