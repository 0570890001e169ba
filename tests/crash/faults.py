"""Describes the fault that `sitecustomize/sitecustomize.py` builds into the program."""

import json
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent / "sitecustomize"
#: Length of one line in a trace; the same as in `sitecustomize.py`, which can import nothing of ours.
_LINE: Final = 400

#: What changes files or processes, and what lets a waiting worker go (`send`).
KILL_CALLS: Final = ("rename", "replace", "link", "unlink", "rmdir", "mkdir", "fsync", "send", "fork", "spawn")
#: What needs room on the disk, or a free place in the process table: what gives a file its name or its safety ...
ROOM_CALLS: Final = ("rename", "replace", "link", "mkdir", "fsync", "fork", "spawn")
#: ... and what only begins or fills one.
CONTENT_CALLS: Final = ("open", "write")
#: What starts a process.
START_CALLS: Final = ("fork", "spawn")


class Action(StrEnum):
    """What happens at the chosen call."""

    #: Nothing; the calls are only counted.
    COUNT = "count"
    #: The process is killed before the call.
    KILL = "kill"
    #: The process is killed after the call; after a fork that is the parent.
    KILL_AFTER = "kill-after"
    #: The process that was just started is killed.
    KILL_CHILD = "kill-child"
    #: The call fails for want of room.
    FAIL = "fail"
    #: This and every later call fails for want of room, until :meth:`Fault.make_room`.
    FULL = "full"
    #: The process stops before the call until it gets SIGCONT.
    STOP = "stop"
    #: The process gets SIGINT before the call, as from Ctrl-C.
    INTERRUPT = "interrupt"


class Fault:
    """One fault, for all processes that get its environment.

    Args:
        trace: a new file, where the calls are noted.
        action: what happens.
        at: at which call, counted from 1.
        calls: the names of the calls that count.
        where: a regular expression; only calls whose arguments it finds itself in count.
        workers: whether the calls of workers count, too; otherwise only those of commands started by this process.
    """

    def __init__(
        self,
        trace: Path,
        action: Action,
        at: int,
        calls: Sequence[str],
        *,
        where: str = "",
        workers: bool = True,
    ) -> None:
        self._trace = trace
        self._at = at
        plan = {
            "trace": str(trace),
            "action": action,
            "at": at,
            "calls": list(calls),
            "where": where,
            "parent": None if workers else os.getpid(),
        }
        self.env = {"PYTHONPATH": str(_HERE), "VIZIER_FAULT": json.dumps(plan)}
        if action is Action.FULL:
            self._full.touch()

    @property
    def _full(self) -> Path:
        return self._trace.with_name(f"{self._trace.name}.full")

    @property
    def calls(self) -> list[str]:
        """The calls so far, in order: pid, name, arguments."""
        data = self._trace.read_bytes() if self._trace.exists() else b""
        return [data[i : i + _LINE].decode(errors="replace").strip() for i in range(0, len(data), _LINE)]

    @property
    def was_hit(self) -> bool:
        """Whether the chosen call has been reached."""
        return self._trace.exists() and os.stat(self._trace).st_size >= self._at * _LINE

    @property
    def place(self) -> str:
        """The call where it happened, for messages."""
        return self.calls[self._at - 1] if self.was_hit else "(not reached)"

    @property
    def victim(self) -> int:
        """The process that made the chosen call."""
        return int(self.place.split()[0])

    def make_room(self) -> None:
        """Ends :attr:`Action.FULL`."""
        self._full.unlink(missing_ok=True)


def clock(hours: int) -> dict[str, str]:
    """An environment in which the program's clock is wrong."""
    return {"PYTHONPATH": str(_HERE), "VIZIER_CLOCK": str(hours * 3600)}
