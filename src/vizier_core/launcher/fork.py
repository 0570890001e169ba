"""Starts workers by `fork()` from this process, which has everything imported already (rulings R80, R81).

The child waits on a pipe until the record names it, so it can never be ahead of its own record; if its parent dies
first, the pipe closes and the child looks into the record itself.
"""

import contextlib
import fcntl
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence

from vizier_core import process
from vizier_core.errors import explain
from vizier_core.launcher.local import LocalWorkers, default_signals, hold_log
from vizier_core.launcher.port import Commit, Forked, StartedWorker, StartRequest


class ForkLauncher(LocalWorkers):
    """A worker is a copy of this process."""

    def __init__(self) -> None:
        super().__init__()
        #: In workers: they have them, and so have the workers that they start.
        self._has_default_signals = False

    def start(self, request: StartRequest, commit: Commit, on_fork: Callable[[], None]) -> StartedWorker | Forked:
        """Forks; see :meth:`vizier_core.launcher.port.Launcher.start`."""
        self.reap_children()
        for stream in (sys.stdout, sys.stderr):
            # What is buffered here would otherwise be printed by the child as well.
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        # Opened here, where it can be told if that is not possible.
        streams = _open_streams(request)
        wait, release = map(_above_standard, os.pipe())
        previous = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        # Objects that the collector does not look at in the child stay shared with the parent.
        gc.freeze()
        try:
            pid = os.fork()
        except OSError:
            gc.unfreeze()
            signal.pthread_sigmask(signal.SIG_SETMASK, previous)
            _close(wait, release, *streams)
            raise
        if pid == 0:
            self._children.clear()
            is_recorded = _become_worker(request, streams, wait, on_fork, reset_signals=not self._has_default_signals)
            self._has_default_signals = True
            return Forked(is_recorded)
        gc.unfreeze()
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
        _close(wait, *streams)
        try:
            worker = self._identify(pid)
            commit(worker.identity, pid)
            _wait_for_own_session(pid)
            # A child that is gone already is found dead by the next tick.
            with contextlib.suppress(BrokenPipeError):
                os.write(release, b"1")
        finally:
            os.close(release)
        return worker


def _become_worker(
    request: StartRequest, streams: Sequence[int], wait: int, on_fork: Callable[[], None], *, reset_signals: bool
) -> bool:
    """Turns the copy into a process of its own and waits for the starting signal; whether it came. Never raises."""
    try:
        on_fork()
        os.setsid()
        if reset_signals:
            default_signals()
        _redirect(streams)
        # Everything else that is open belongs to the parent.
        os.closerange(3, wait)
        os.closerange(wait + 1, os.sysconf("SC_OPEN_MAX"))
        os.chdir(request.root)
        hold_log(request.stderr, request.file_mode)
        _set_title(request)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        is_recorded = bool(os.read(wait, 1))
        os.close(wait)
    except BaseException as error:  # whatever it is, the parent's code must not go on here
        with contextlib.suppress(BaseException):
            os.write(2, f"worker of {request.job_id} could not start: {explain(error)}\n".encode())
        os._exit(1)
    return is_recorded


def _wait_for_own_session(pid: int) -> None:
    """Waits until a child has left the session of this process; whoever ends that would end the child as well.

    The child has nearly always done so by now, as this process has written its record meanwhile.
    """
    with contextlib.suppress(OSError):
        while os.getsid(pid) != pid and process.is_alive(pid):
            time.sleep(0.0002)


def _above_standard(descriptor: int) -> int:
    """The same, but never one of the three that the worker's streams get; a ticker may have been started without."""
    if descriptor > 2:
        return descriptor
    higher = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return higher


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _open_streams(request: StartRequest) -> list[int]:
    """Empty input, and the logs for the output.

    Raises:
        OSError: a log cannot be opened.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    streams: list[int] = []
    try:
        for path, flags in (
            (os.devnull, os.O_RDONLY | os.O_CLOEXEC),
            (request.stdout, append),
            (request.stderr, append),
        ):
            streams.append(_above_standard(os.open(path, flags, request.file_mode)))
    except OSError:
        _close(*streams)
        raise
    return streams


def _redirect(streams: Sequence[int]) -> None:
    """Makes these the standard streams, with fresh Python objects for them."""
    for descriptor, target in enumerate(streams):
        os.dup2(target, descriptor)
    sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - lives as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", closefd=False, buffering=1
    )


def _set_title(request: StartRequest) -> None:
    """Shows the job in `ps`; identity does not depend on it (ruling R83)."""
    import setproctitle  # noqa: PLC0415 - loaded by the ticker before it forks, dear for everybody else

    setproctitle.setproctitle(worker_title(request.child_args))


def worker_title(child_args: tuple[str, ...]) -> str:
    """What `ps` shows for a forked worker."""
    return " ".join(("vizier", *child_args))
