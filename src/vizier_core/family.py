"""Ends processes with all that they have started, wherever it has gone (WS-07-16, rulings R83-R85).

A process belongs to a family by its session or group, by descent, or because it once did: who is known is not forgotten
when its parent dies. What leaves its session *and* loses its parent before anybody has looked escapes, unless its
ancestors work under a process that adopts orphans, as workers do while they run an agent.

The workers of vizier do not belong to the family of those who have started them: an agent that runs `vizier run` has
started a job of its own right.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from vizier_core.process import ProcessInfo, all_processes, command_line

#: Living processes by pid, at one moment.
Everybody = Mapping[int, ProcessInfo]

#: Pauses between looks at whether somebody is left, in seconds: soon after a signal, later rarely.
_PAUSES: Final = (0.002, 0.05)
#: How long killed processes may take to be gone, in seconds.
_KILL_WAIT: Final = 5.0
#: `prctl(2)`: orphaned descendants become children of the calling process.
_PR_SET_CHILD_SUBREAPER: Final = 36


class Family:
    """Processes that belong together.

    Args:
        roots: who certainly belongs to it, of everybody that lives; all that they have started does so too.
        adopter: the pid of a member that may adopt orphans; none is lost as long as it is there.
    """

    def __init__(self, roots: Callable[[Everybody], Iterable[ProcessInfo]], adopter: int | None = None) -> None:
        self._roots = roots
        self._adopter = adopter
        #: Everybody that was ever found, by pid.
        self._known: dict[int, ProcessInfo] = {}

    def living(self) -> list[ProcessInfo]:
        """Its members at this moment, the eldest first, without this process and what only that has started."""
        everybody = {info.pid: info for info in all_processes() if info.alive}
        children: dict[int, list[ProcessInfo]] = {}
        for info in everybody.values():
            children.setdefault(info.parent, []).append(info)
        waiting = [info for info in self._known.values() if _is_there(info, everybody)]
        waiting += self._roots(everybody)
        found: dict[int, ProcessInfo] = {}
        for info in waiting:
            if info.pid in found or info.pid == os.getpid():
                continue
            found[info.pid] = info
            waiting += [child for child in children.get(info.pid, ()) if not is_worker(child)]
        self._known.update(found)
        # Who is told first can still clean up after its children, instead of being surprised by their end.
        return sorted(found.values(), key=lambda info: info.start_ticks)

    def end(self, grace: float) -> list[int]:
        """Ends every member: TERM, a grace period in seconds, KILL; also those that are started meanwhile.

        Args:
            grace: 0 kills at once.

        Returns:
            The pids that are still there: somebody else's, or stuck in the kernel.
        """
        if grace > 0 and self._signal_until_gone(self.living, signal.SIGTERM, grace):
            return []
        # Stopped it does nothing any more, but adopt. It is last, lest those that keep forking get lost.
        if self._adopter in {info.pid for info in self.living()}:
            _signal(self._adopter, signal.SIGSTOP)
            self._signal_until_gone(self._adopted, signal.SIGKILL, _KILL_WAIT)
        self._signal_until_gone(self.living, signal.SIGKILL, _KILL_WAIT)
        return sorted(info.pid for info in self.living())

    def _adopted(self) -> list[ProcessInfo]:
        return [info for info in self.living() if info.pid != self._adopter]

    def _signal_until_gone(
        self, members: Callable[[], list[ProcessInfo]], number: signal.Signals, seconds: float
    ) -> bool:
        deadline = time.monotonic() + seconds
        told: set[tuple[int, int]] = set()
        refused: set[int] = set()
        pause = _PAUSES[0]
        # Twice: what was started behind the back of the first look, by a process that is dead now, the second one sees.
        while living := members() or members():
            for info in living:
                if (info.pid, info.start_ticks) not in told:
                    told.add((info.pid, info.start_ticks))
                    if not _signal(info.pid, number):
                        refused.add(info.pid)
                    pause = _PAUSES[0]
            if time.monotonic() >= deadline or refused.issuperset(info.pid for info in living):
                return False
            time.sleep(pause)
            pause = min(2 * pause, _PAUSES[1])
        return True


def session_family(session: int, not_before: int) -> Family:
    """The members of a session and all that they have started.

    Args:
        session: pid of the session leader, alive or not.
        not_before: start time of the leader; older processes belong to a session of the same number that is long gone.
    """

    def members(everybody: Everybody) -> list[ProcessInfo]:
        leader = everybody.get(session)
        if leader is not None and leader.start_ticks != not_before:
            return []  # the number is in use by somebody else (ruling R85)
        return [info for info in everybody.values() if info.session == session and info.start_ticks >= not_before]

    return Family(members, adopter=session)


def is_worker(info: ProcessInfo) -> bool:
    """Whether a process is a worker of vizier, as its command line shows it: it leads a session of its own."""
    if info.session != info.pid:
        return False
    words = " ".join(command_line(info.pid) or ()).split()
    return "__workflow-node" in words and "--job-id" in words


@contextlib.contextmanager
def adopting_orphans() -> Iterator[None]:
    """Makes processes whose parents die children of this one, as far as they descend from it; only Linux can.

    Whoever adopts has to bury: see :func:`bury_orphans`.
    """
    _adopt_orphans(1)
    try:
        yield
    finally:
        _adopt_orphans(0)


def bury_orphans(own: Collection[int]) -> None:
    """Collects adopted processes that have ended, by their pid, so that they do not pile up (ruling R87).

    Args:
        own: children that somebody else collects.
    """
    if sys.platform != "linux":
        return  # nothing was adopted
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in own:
            os.waitpid(ended.si_pid, os.WNOHANG)


def _adopt_orphans(wanted: int) -> None:
    if sys.platform != "linux":
        return
    try:
        import ctypes  # noqa: PLC0415 - only nodes with an agent need it
    except ImportError:
        return  # a Python that was built without libffi
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, wanted, 0, 0, 0)


def _is_there(info: ProcessInfo, everybody: Everybody) -> bool:
    present = everybody.get(info.pid)
    return present is not None and present.start_ticks == info.start_ticks


def _signal(pid: int, number: signal.Signals) -> bool:
    """Sends a signal; whether that was allowed."""
    try:
        os.kill(pid, number)
        if number is signal.SIGTERM:
            os.kill(pid, signal.SIGCONT)  # a stopped process would not see it
    except ProcessLookupError:
        pass
    except PermissionError:
        return False
    return True
