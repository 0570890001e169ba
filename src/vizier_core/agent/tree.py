"""Ends what an agent has started, not only the agent (WS-07-16, ruling R85).

Its processes are found by their group, by their session where this process leads one (a worker does), and by descent.
What had left all three before anybody looked, a daemon in a session of its own whose parent is gone, escapes.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Final

from vizier_core.process import ProcessInfo, inspect, is_alive, session_members

#: How often ended processes are looked for, in seconds.
_LOOK_AGAIN: Final = 0.02
#: After so many rounds of killing, of so many seconds each, the rest is somebody else's or stuck in the kernel.
_KILL_ROUNDS: Final = 5
_KILL_WAIT: Final = 1.0


class ProcessTree:
    """Programs that were started, each in a process group of its own, and everything that they have started since."""

    def __init__(self) -> None:
        self._programs: list[subprocess.Popen[bytes]] = []
        #: Clock ticks when the first of them was started; what is older has nothing to do with them.
        self._began: int | None = None
        #: Everything that was ever found, by pid.
        self._known: dict[int, ProcessInfo] = {}

    def add(self, program: "subprocess.Popen[bytes]") -> None:
        """Takes a program that was started just now and leads its group."""
        self._programs.append(program)
        info = inspect(program.pid)
        if info is not None and self._began is None:
            self._began = info.start_ticks

    def end(self, grace: float) -> list[int]:
        """Ends them all: TERM, a grace period in seconds, KILL, and again until none is left.

        Returns:
            The pids that are still there.
        """
        self._signal(signal.SIGTERM)
        # A stopped process would never see the signal.
        self._signal(signal.SIGCONT)
        if self._wait_until_gone(grace):
            return []
        for _ in range(_KILL_ROUNDS):
            self._signal(signal.SIGKILL)
            if self._wait_until_gone(_KILL_WAIT):
                return []
        return sorted(info.pid for info in self._living())

    def _signal(self, number: signal.Signals) -> None:
        for info in self._living():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(info.pid, number)

    def _wait_until_gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._living():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_AGAIN)
        return True

    def _living(self) -> list[ProcessInfo]:
        pids = [program.pid for program in self._programs if program.poll() is None]
        pids += [info.pid for info in self._relatives()]
        pids += [info.pid for info in self._known.values() if is_alive(info.pid, info.start_ticks)]
        seen = set(pids)
        while pids:
            pid = pids.pop()
            info = inspect(pid)
            if info is not None:
                self._known[pid] = info
            fresh = set(_children(pid)) - seen
            seen |= fresh
            pids += fresh
        return [info for info in self._known.values() if is_alive(info.pid, info.start_ticks)]

    def _relatives(self) -> list[ProcessInfo]:
        """The members of this session that are in the programs' groups; all that are new, if it is ours alone."""
        session = os.getsid(0)
        leader = inspect(session)
        members = session_members(session, leader.start_ticks if leader else 0)
        if session == os.getpid():
            return [info for info in members if self._began is not None and info.start_ticks >= self._began]
        groups = {program.pid for program in self._programs}
        return [info for info in members if _group(info.pid) in groups]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _children(pid: int) -> list[int]:
    """The children of a process; none where the system does not tell."""
    if sys.platform != "linux":
        import psutil  # noqa: PLC0415 - not installed on Linux

        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found
