"""Processes as the system sees them: who is alive, and which belong together (rulings R83-R87).

Reads /proc where it exists and asks psutil elsewhere. A zombie or a dying process counts as dead.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

_PROC: Final = Path("/proc") if sys.platform == "linux" else None
#: Process states that are as good as gone: zombie, dead.
_GONE: Final = frozenset("ZXx")


class ProcessInfo(NamedTuple):
    """One process at one moment."""

    pid: int
    session: int
    #: Clock ticks since boot on Linux, else milliseconds since the epoch; compares only with values of the same system.
    start_ticks: int
    alive: bool
    #: Pid of the parent.
    parent: int


def inspect(pid: int) -> ProcessInfo | None:
    """What the system knows about a process; None if there is none with this pid."""
    return _inspect_proc(pid) if _PROC else _inspect_psutil(pid)


def is_alive(pid: int, start_ticks: int | None = None) -> bool:
    """Whether the process lives and, if a start time is given, is the one that started then."""
    info = inspect(pid)
    return info is not None and info.alive and (start_ticks is None or info.start_ticks == start_ticks)


def command_line(pid: int) -> list[str] | None:
    """The arguments of a process, None if they cannot be read."""
    if _PROC:
        try:
            data = (_PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return None
        return [os.fsdecode(word) for word in data.rstrip(b"\0").split(b"\0")] if data else None
    psutil = _psutil()
    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return None


def boot_id() -> str:
    """Text that changes when the machine restarts."""
    if _PROC:
        try:
            return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""
    return str(int(_psutil().boot_time()))


def pid_namespace() -> int:
    """Identifies the numbering of processes that this process is part of; 0 where there is only one."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def all_processes() -> Iterator[ProcessInfo]:
    """Every process there is."""
    if _PROC:
        for name in os.listdir(_PROC):
            if name.isdigit() and (info := _inspect_proc(int(name))):
                yield info
        return
    for process in _psutil().process_iter():
        if info := _inspect_psutil(process.pid):
            yield info


def end_process(info: ProcessInfo, grace: float) -> list[int]:
    """Ends one process: TERM, a grace period in seconds, KILL; its pid in a list if it is still there."""
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 2.0)):
        if number is signal.SIGTERM and not grace:
            continue
        try:
            if is_alive(info.pid, info.start_ticks):
                os.kill(info.pid, number)
        except ProcessLookupError:
            return []
        except PermissionError:
            return [info.pid]
        if _wait_until(lambda: not is_alive(info.pid, info.start_ticks), time.monotonic() + seconds):
            return []
    return [info.pid]


def thread_count() -> int:
    """Threads of this process as the system counts them, also those that `threading` does not know."""
    if _PROC:
        with contextlib.suppress(OSError):
            return len(os.listdir("/proc/self/task"))
    return 2  # unknown: treat as threaded, which is the careful answer everywhere it matters


def reap(pid: int) -> bool:
    """Collects a child of ours that has ended; whether it was one and had ended (ruling R87)."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def _wait_until(condition: Callable[[], bool], deadline: float) -> bool:
    pause = 0.002
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
    return True


def _inspect_proc(pid: int) -> ProcessInfo | None:
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(descriptor, 4096)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    # The name in parentheses may hold anything, blanks and parentheses included.
    fields = text[text.rindex(b")") + 2 :].split()
    return ProcessInfo(pid, int(fields[3]), int(fields[19]), chr(fields[0][0]) not in _GONE, int(fields[1]))


def _inspect_psutil(pid: int) -> ProcessInfo | None:
    psutil = _psutil()
    try:
        process = psutil.Process(pid)
        alive = process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
        return ProcessInfo(pid, os.getsid(pid), int(process.create_time() * 1000), alive, process.ppid())
    except (psutil.Error, OSError):
        return None


def _psutil() -> Any:
    import psutil  # noqa: PLC0415 - not installed on Linux

    return psutil
