"""The scheduler lock within one process (decision D7, rulings R1, R80, R89)."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vizier_core.errors import LocksUnsupportedError, SchedulerBusyError
from vizier_core.jobs import lock as lock_module
from vizier_core.jobs.lock import SchedulerLock


class Clock:
    """Stands in for the module `time`: pauses cost nothing and are told to `during_pause`."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.during_pause = lambda: None

    def monotonic(self) -> float:
        return self.passed

    def time(self) -> float:
        return time.time() + self.passed

    def time_ns(self) -> int:
        return time.time_ns() + int(self.passed * 1e9)

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds < 0.1
        self.passed += seconds
        self.during_pause()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lock_module, "time", clock)
    return clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs" / "scheduler.lock"


@pytest.fixture(params=["spare file", "no spare file"])
def spare(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "derived" / "lock" if request.param == "spare file" else None


@pytest.fixture
def lock(path: Path, spare: Path | None) -> SchedulerLock:
    return SchedulerLock(path, spare)


@pytest.fixture
def rival(path: Path, spare: Path | None) -> Iterator[SchedulerLock]:
    """The same lock in what might be another process: advisory locks belong to open files, not to processes."""
    rival = SchedulerLock(path, spare)
    yield rival
    rival.release()


def leave(path: Path, text: str) -> Path:
    """A lock file that nobody holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_file_is_there_while_the_lock_is_held_and_gone_after(lock: SchedulerLock, path: Path) -> None:
    assert not lock.held
    lock.acquire(1)
    assert lock.held
    assert path.read_text() == f"pid={os.getpid()}\n"
    lock.release()
    assert not lock.held
    assert list(path.parent.iterdir()) == []


def test_it_can_be_taken_again_and_again(lock: SchedulerLock, rival: SchedulerLock) -> None:
    for _ in range(3):
        for each in (lock, rival):
            each.acquire(0)
            each.release()


def test_releasing_what_is_not_held_does_nothing(lock: SchedulerLock, path: Path) -> None:
    leave(path, "pid=1\n")
    lock.release()
    assert path.exists()


def test_it_is_not_re_entrant(lock: SchedulerLock) -> None:
    lock.acquire(1)
    with pytest.raises(RuntimeError, match="not re-entrant"):
        lock.acquire(1)
    assert lock.held
    lock.release()


@pytest.mark.usefixtures("clock")
def test_a_second_taker_is_told_who_holds_it(lock: SchedulerLock, rival: SchedulerLock, path: Path) -> None:
    rival.acquire(1)
    with pytest.raises(SchedulerBusyError) as raised:
        lock.acquire(0.5)
    assert str(raised.value).startswith("scheduler is busy; retry the command")
    assert f"pid={os.getpid()}" in str(raised.value)
    assert not lock.held
    assert path.exists()


def test_r1_waiting_is_bounded_by_the_time_without_a_change_of_hands(
    lock: SchedulerLock, rival: SchedulerLock, path: Path, clock: Clock
) -> None:
    """Each holder keeps the lock for 6 of the allowed 10 seconds; the fifth one lets go."""
    rival.acquire(1)
    changes: list[float] = []

    def change_hands() -> None:
        if clock.passed - (changes[-1] if changes else 0) < 6:
            return
        changes.append(clock.passed)
        rival.release()
        if len(changes) < 5:
            rival.acquire(1)
            # Real holders are not as quick as these: their files differ in time.
            os.utime(path, (clock.passed, clock.passed))

    clock.during_pause = change_hands
    lock.acquire(10)
    assert lock.held
    assert clock.passed > 30
    lock.release()


def test_r1_a_worker_waits_without_bound_for_foreign_text_too(lock: SchedulerLock, path: Path, clock: Clock) -> None:
    leave(path, "held by hand")

    def go_on() -> None:
        if clock.passed > 50:
            path.unlink(missing_ok=True)

    clock.during_pause = go_on
    lock.acquire(None)
    assert lock.held
    lock.release()


# What is left behind


@pytest.mark.parametrize("text", ["pid=1\n", "pid=4194304999\n", "pid=7"])
def test_ws_01_01_what_a_killed_process_left_is_free_whoever_has_its_pid_now(
    lock: SchedulerLock, path: Path, text: str
) -> None:
    leave(path, text)
    lock.acquire(0)
    assert path.read_text() == f"pid={os.getpid()}\n"
    lock.release()
    assert not path.exists()


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("text", ["locked", "", "pid=", "pid=1 ", "PID=1", "pid=1\npid=2\n"])
def test_ws_01_01_foreign_text_counts_as_held_and_is_left_alone(lock: SchedulerLock, path: Path, text: str) -> None:
    leave(path, text)
    with pytest.raises(SchedulerBusyError):
        lock.acquire(1)
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["locked", ""])
def test_r1_foreign_text_is_free_when_it_is_old(lock: SchedulerLock, path: Path, clock: Clock, text: str) -> None:
    leave(path, text)
    clock.passed = 55
    with pytest.raises(SchedulerBusyError):
        lock.acquire(1)
    clock.passed = 65
    lock.acquire(1)
    lock.release()
    assert not path.exists()


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("text", ["locked", "pid=1\n"])
def test_r1_any_text_is_held_however_old_while_somebody_holds_the_file(
    lock: SchedulerLock, path: Path, text: str
) -> None:
    leave(path, text)
    os.utime(path, (0, 0))
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(SchedulerBusyError):
            lock.acquire(1)
    lock.acquire(1)
    lock.release()


def test_ws_02_03_only_our_own_file_is_removed(lock: SchedulerLock, path: Path) -> None:
    lock.acquire(1)
    path.unlink()
    leave(path, "somebody else's")
    lock.release()
    assert path.read_text() == "somebody else's"


def test_a_lock_file_that_vanished_is_no_error(lock: SchedulerLock, path: Path) -> None:
    lock.acquire(1)
    path.unlink()
    lock.release()
    assert not lock.held


def test_a_link_in_the_place_of_the_lock_is_not_followed(lock: SchedulerLock, path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("pid=1\n")
    path.parent.mkdir()
    path.symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        lock.acquire(0)
    assert precious.read_text() == "pid=1\n"


# The spare file is derived data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.sampled_from(["lock", "rival", "lose spare", "lose file", "leave"]), max_size=12))
def test_whatever_happens_to_the_files_never_two_hold_the_lock(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    directory = tmp_path_factory.mktemp("steps")
    path, spare = directory / "scheduler.lock", directory / "spare"
    locks = {name: SchedulerLock(path, spare) for name in ("lock", "rival")}
    for step in steps:
        if step == "lose spare":
            spare.unlink(missing_ok=True)
        elif step == "lose file" and not any(each.held for each in locks.values()):
            path.unlink(missing_ok=True)
        elif step == "leave" and not path.exists():
            leave(path, "pid=1\n")
        elif step in locks:
            one, other = locks[step], next(each for name, each in locks.items() if name != step)
            if one.held:
                one.release()
            elif other.held:
                with pytest.raises(SchedulerBusyError):
                    one.acquire(0)
            else:
                one.acquire(0)
                assert path.read_text() == f"pid={os.getpid()}\n"
    for each in locks.values():
        each.release()


@pytest.mark.parametrize("broken", ["is a directory", "cannot be linked", "other file system"])
def test_without_a_usable_spare_file_the_lock_works_all_the_same(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    spare = tmp_path / "spare"
    if broken == "is a directory":
        spare.mkdir()
    else:
        code = errno.EPERM if broken == "cannot be linked" else errno.EXDEV
        original = os.link

        def link(source: str, target: Path, **options: object) -> None:
            if os.path.samefile(source, spare):
                raise OSError(code, os.strerror(code))
            original(source, target, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "link", link)
    lock, rival = SchedulerLock(path, spare), SchedulerLock(path, spare)
    for _ in range(2):
        lock.acquire(0)
        with pytest.raises(SchedulerBusyError):
            rival.acquire(0)
        lock.release()
        assert not path.exists()


def test_where_files_without_a_name_do_not_exist(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_TMPFILE")
    lock, rival = SchedulerLock(path), SchedulerLock(path)
    lock.acquire(0)
    with pytest.raises(SchedulerBusyError):
        rival.acquire(0)
    lock.release()
    rival.acquire(0)
    rival.release()
    assert not path.exists()


# Locks that do not work


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_r89_locks_that_are_not_supported_are_refused(
    lock: SchedulerLock, path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(LocksUnsupportedError, match="file locks do not work at"):
        lock.acquire(0)
    assert not lock.held
    assert not path.exists()


def test_r89_locks_that_turn_nobody_away_are_refused(
    lock: SchedulerLock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    with pytest.raises(LocksUnsupportedError, match="use a file system with working flock"):
        lock.acquire(0)
    assert not lock.held
    assert not path.exists()


def test_other_errors_are_raised_as_they_are(lock: SchedulerLock, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        lock.acquire(0)
    assert not lock.held
