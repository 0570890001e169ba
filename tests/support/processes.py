"""Finds the processes that the program has left behind, by where they work."""

import contextlib
import os
import signal
from pathlib import Path
from typing import NamedTuple


class Survivor(NamedTuple):
    """A living process; its start time tells it from a later one with the same number."""

    pid: int
    start_ticks: int
    command: str

    def send(self, number: signal.Signals) -> None:
        """Signals the process if it is still the same one."""
        status = _status(self.pid)
        if status is not None and status.start_ticks == self.start_ticks:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def __str__(self) -> str:
        return f"{self.pid} {self.command}"


class _Status(NamedTuple):
    state: str
    parent: int
    start_ticks: int


def living(directory: Path) -> list[Survivor]:
    """The processes whose working directory is at or below a directory, without zombies and without this process."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            where = os.readlink(f"/proc/{name}/cwd")
            command = Path(f"/proc/{name}/cmdline").read_bytes()
        except OSError:
            continue  # gone, a zombie, or nothing of ours
        where = where.removesuffix(" (deleted)")
        status = _status(int(name))
        if status is not None and Path(where).is_relative_to(directory):
            text = command.replace(b"\0", b" ").decode(errors="replace").strip()
            found.append(Survivor(int(name), status.start_ticks, text))
    return found


def state(pid: int) -> str | None:
    """The letter that `ps` shows for a process; None if there is none."""
    status = _status(pid)
    return status.state if status else None


def children(pid: int) -> list[int]:
    """The living children of a process."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [child for child in pids if (status := _status(child)) and status.parent == pid]


def _status(pid: int) -> _Status | None:
    """What the system knows about a process; None if it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    letter = fields[0].decode()
    return None if letter in "ZX" else _Status(letter, int(fields[1]), int(fields[19]))
