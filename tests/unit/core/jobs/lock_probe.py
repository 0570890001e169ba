"""Run by test_lock_processes.py: processes that contend for the scheduler lock. Prints what came of it as JSON.

Arguments: the name of a function below, the directory to work in.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from vizier_core.errors import SchedulerBusyError
from vizier_core.jobs.lock import SchedulerLock

DIRECTORY = Path(sys.argv[2])
LOCK = DIRECTORY / "jobs" / "scheduler.lock"
SPARE = DIRECTORY / "derived" / "lock"


def new_lock(mode: int = 0o600) -> SchedulerLock:
    return SchedulerLock(LOCK, SPARE, mode)


def fork(work: Callable[[], None]) -> int:
    """A child that does something and ends; 0 if it did it, 1 if the lock was busy, 2 if anything else happened."""
    pid = os.fork()
    if pid:
        return pid
    code = 2
    try:
        work()
        code = 0
    except SchedulerBusyError:
        code = 1
    finally:
        os._exit(code)


def codes(children: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


def count_up() -> None:
    """A critical section that notices when it is not alone, and whose work is lost then."""
    inside, counter = DIRECTORY / "inside", DIRECTORY / "counter"
    os.mkdir(inside)
    number = int(counter.read_text())
    os.sched_yield()
    counter.write_text(str(number + 1))
    os.rmdir(inside)


def contest() -> object:
    """Many processes, many turns each, while the spare file vanishes again and again."""
    (DIRECTORY / "counter").write_text("0")

    def turns() -> None:
        lock = new_lock()
        for _ in range(40):
            lock.acquire(30)
            count_up()
            lock.release()

    children = [fork(turns) for _ in range(8)]
    ended: list[int] = []
    while len(ended) < len(children):
        SPARE.unlink(missing_ok=True)
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            ended.append(os.waitstatus_to_exitcode(status))
    return {"codes": ended, "count": int((DIRECTORY / "counter").read_text()), "left": os.listdir(LOCK.parent)}


def crowd() -> object:
    """As many commands at once as decision D7 promises to serve."""

    def one_turn() -> None:
        lock = new_lock()
        lock.acquire(10)
        lock.release()

    return codes([fork(one_turn) for _ in range(64)])


def killed_holder() -> object:
    """A holder is killed; the next taker does not wait."""
    told, tell = os.pipe()

    def hold() -> None:
        new_lock().acquire(1)
        os.write(tell, b"1")
        signal.pause()

    child = fork(hold)
    os.read(told, 1)
    lock = new_lock()
    busy = False
    try:
        lock.acquire(0)
    except SchedulerBusyError:
        busy = True
    text = LOCK.read_text()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    left = LOCK.read_text()
    lock.acquire(0)
    return {"busy": busy, "text": text == left == f"pid={child}\n", "now": LOCK.read_text() == f"pid={os.getpid()}\n"}


def killed_mid_contest() -> object:
    """Takers are killed wherever they happen to be; the others go on."""

    def for_ever() -> None:
        lock = new_lock()
        while True:
            lock.acquire(None)
            lock.release()

    for _ in range(5):
        children = [fork(for_ever) for _ in range(3)]
        for _ in range(30):
            os.sched_yield()
            lock = new_lock()
            lock.acquire(10)
            lock.release()
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)
    lock = new_lock()
    lock.acquire(0)
    lock.release()
    return os.listdir(LOCK.parent)


def abandoned() -> object:
    """A forked child lets go of its copy: its parent's lock stays, and does not live on in the child."""
    lock = new_lock()
    lock.acquire(1)
    told, tell = os.pipe()

    def worker() -> None:
        lock.abandon()
        assert not lock.held
        os.write(tell, b"1")
        signal.pause()

    child = fork(worker)
    os.read(told, 1)

    def take() -> None:
        new_lock().acquire(0)

    while_held = codes([fork(take)])
    lock.release()
    after = codes([fork(take)])
    os.kill(child, signal.SIGKILL)
    return {"while held": while_held, "after": after}


def abandoned_by_a_dying_parent() -> object:
    """The holder dies while a child that it has forked lives on: the lock is free."""
    told, tell = os.pipe()

    def parent() -> None:
        lock = new_lock()
        lock.acquire(1)

        def worker() -> None:
            lock.abandon()
            os.write(tell, str(os.getpid()).encode())
            signal.pause()

        fork(worker)
        signal.pause()

    holder = fork(parent)
    worker = int(os.read(told, 20))
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    lock = new_lock()
    lock.acquire(0)
    os.kill(worker, signal.SIGKILL)
    return lock.held


def taken_over() -> object:
    """Workers wait without bound; each gets the lock, from its holder or from one another."""
    told, tell = os.pipe()
    holder = new_lock()
    holder.acquire(1)

    def wait() -> None:
        holder.abandon()
        lock = new_lock()
        lock.acquire(None)
        os.write(tell, b"1")
        lock.release()

    children = [fork(wait) for _ in range(3)]
    holder.release()
    return {"told": sum(len(os.read(told, 1)) for _ in children), "codes": codes(children)}


def two_users() -> object:
    """One user holds the lock, another one of the same group wants it."""
    os.umask(0)
    for directory in (LOCK.parent, SPARE.parent):
        directory.mkdir(mode=0o777)
    told, tell = os.pipe()

    def hold() -> None:
        os.setuid(4001)
        new_lock(0o660).acquire(1)
        os.write(tell, b"1")
        signal.pause()

    child = fork(hold)
    os.read(told, 1)
    os.seteuid(4002)
    try:
        new_lock(0o660).acquire(0)
    except SchedulerBusyError:
        return "busy"
    except OSError as error:
        return str(error)
    finally:
        os.seteuid(0)
        os.kill(child, signal.SIGKILL)
    return "taken"


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
