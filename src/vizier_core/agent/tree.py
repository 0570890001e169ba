"""All that an agent and its filter have started (WS-07-16, ruling R85)."""

import os
import subprocess
from collections.abc import Iterator

from vizier_core.family import Everybody, Family, is_worker
from vizier_core.process import ProcessInfo, inspect


class ProcessTree(Family):
    """Programs that were started, each in a process group of its own, and everything that they have started since.

    Where this process leads its session, as a worker does, what is new in the session is theirs; likewise what has
    become a child of this process when its own parents died.
    """

    def __init__(self) -> None:
        super().__init__(self._started)
        self._programs: list[subprocess.Popen[bytes]] = []
        #: Clock ticks when the first of them was started; what is older has nothing to do with them.
        self._began: int | None = None

    def add(self, program: "subprocess.Popen[bytes]") -> None:
        """Takes a program that was started just now and leads its group."""
        self._programs.append(program)
        info = inspect(program.pid)
        if info is not None and self._began is None:
            self._began = info.start_ticks

    @property
    def pids(self) -> list[int]:
        """The pids of the programs."""
        return [program.pid for program in self._programs]

    def _started(self, everybody: Everybody) -> Iterator[ProcessInfo]:
        me, session = os.getpid(), os.getsid(0)
        # Asking for the status also collects those that have ended: their pids may be used again.
        programs = {program.pid for program in self._programs if program.poll() is None}
        groups = set(self.pids)
        for info in everybody.values():
            if info.pid in programs:
                yield info
            elif self._began is None or info.start_ticks < self._began:
                continue
            elif session == me:
                if info.session == session or (info.parent == me and not is_worker(info)):
                    yield info
            elif info.session == session and _group(info.pid) in groups:
                yield info


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None
