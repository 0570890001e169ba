"""Processes as the system sees them, and how to end them (rulings R83-R87, decisions D9, D19)."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vizier_core import process
from vizier_core.family import session_family

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

Start = Callable[[str], "Session"]


class Session:
    """A shell in a session of its own, with whatever it starts. It has printed a word when it is ready."""

    def __init__(self, script: str) -> None:
        self.leader = subprocess.Popen(
            ["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self.leader.stdout is not None
        self.said = self.leader.stdout.readline().strip().decode()
        info = process.inspect(self.leader.pid)
        assert info is not None
        self.id, self.start_ticks = info.pid, info.start_ticks

    @property
    def members(self) -> list[int]:
        return [info.pid for info in session_family(self.id, self.start_ticks).living()]

    def end(self, grace: float) -> list[int]:
        return session_family(self.id, self.start_ticks).end(grace)

    def wait_for_leader(self) -> None:
        self.leader.wait(10)


@pytest.fixture
def start() -> Iterator[Start]:
    sessions: list[Session] = []

    def begin(script: str) -> Session:
        sessions.append(Session(script))
        return sessions[-1]

    yield begin
    for session in sessions:
        for pid in session.members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        session.leader.wait(10)
        assert session.leader.stdout is not None
        session.leader.stdout.close()


# Looking


def test_this_process() -> None:
    info = process.inspect(os.getpid())
    assert info is not None
    assert (info.pid, info.session, info.alive) == (os.getpid(), os.getsid(0), True)
    assert process.is_alive(os.getpid())
    assert process.is_alive(os.getpid(), info.start_ticks)


def test_the_command_line_of_a_process(start: Start) -> None:
    session = start("echo ready; sleep 100; echo 'never said'")
    assert process.command_line(session.id) == session.leader.args


def test_no_process() -> None:
    nobody = 2**22 + 1
    assert process.inspect(nobody) is None
    assert not process.is_alive(nobody)
    assert process.command_line(nobody) is None


def test_ws_01_12_the_same_pid_with_another_start_time_is_another_process() -> None:
    info = process.inspect(os.getpid())
    assert info is not None
    assert not process.is_alive(os.getpid(), info.start_ticks + 1)


def test_ws_01_10_a_zombie_is_dead(start: Start) -> None:
    session = start("echo ready")
    os.waitid(os.P_PID, session.id, os.WEXITED | os.WNOWAIT)
    info = process.inspect(session.id)
    assert info is not None
    assert not info.alive
    assert not process.is_alive(session.id)
    assert session.members == []
    assert process.command_line(session.id) is None


@pytest.mark.parametrize("name", ["we ird) S (x", ") Z 1 1 1", "a b c", "()"])
def test_a_program_may_have_any_name(tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\necho ready\nread line\n")
    program.chmod(0o700)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        info = process.inspect(child.pid)
        assert info is not None
        assert (info.session, info.alive) == (child.pid, True)
        child.communicate(b"\n")


def test_the_boot_and_the_pid_namespace_have_names_that_last() -> None:
    assert process.boot_id() == process.boot_id() != ""
    assert process.pid_namespace() == process.pid_namespace() > 0


def test_r82_threads_are_counted_as_the_system_counts_them() -> None:
    before = process.thread_count()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    assert process.thread_count() == before + 1
    stop.set()
    thread.join()


def test_r87_only_the_child_that_was_asked_for_is_reaped() -> None:
    mine, others = (subprocess.Popen(["true"]) for _ in range(2))
    for child in (mine, others):
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.reap(mine.pid)
    assert not process.reap(mine.pid)
    assert others.wait() == 0
    mine.wait()
    assert not process.reap(os.getppid())


def test_reaping_does_not_wait(start: Start) -> None:
    assert not process.reap(start("echo ready; exec sleep 100").id)


# Sessions


def test_members_of_a_session(start: Start) -> None:
    session = start("sleep 100 & echo $!; wait")
    assert sorted(session.members) == sorted([session.id, int(session.said)])


def test_this_process_is_no_member_of_what_it_ends() -> None:
    leader = process.inspect(os.getsid(0))
    if leader is None:
        pytest.skip("the leader of this session is gone")
    assert os.getpid() not in [info.pid for info in session_family(leader.pid, leader.start_ticks).living()]


def test_r85_nobody_is_a_member_when_the_leaders_pid_belongs_to_another_process(start: Start) -> None:
    session = start("sleep 100 & echo ready; wait")
    assert session_family(session.id, session.start_ticks - 1).living() == []
    assert session_family(session.id, session.start_ticks - 1).end(0) == []
    assert len(session.members) == 2


def test_processes_older_than_the_leader_are_not_members(start: Start) -> None:
    session = start("sleep 100 & echo ready; exit")
    session.wait_for_leader()
    assert len(session.members) == 1
    assert session_family(session.id, session.start_ticks + 10_000).living() == []


TREES = {
    "a child": "sleep 100 & echo ready; wait",
    "one that ignores TERM": "trap '' TERM; sleep 100 & echo ready; wait; sleep 100",
    "one that forked twice": "(sleep 100 &); echo ready; sleep 100",
    "a stopped one": "sleep 100 & kill -STOP $!; echo ready; wait",
    "a stopped leader": "sleep 100 & echo ready; kill -STOP $$; wait",
    "process groups of their own": "set -m; sleep 100 & sleep 100 & echo ready; wait",
    "orphans of a dead leader": "sleep 100 & sleep 100 & echo ready; exit",
    "many": "for i in 1 2 3 4 5 6 7 8 9; do (sleep 100 & sleep 100 &) & done; echo ready; wait; sleep 100",
}


@pytest.mark.parametrize("grace", [0, 0.2])
@pytest.mark.parametrize("script", TREES.values(), ids=TREES)
def test_ws_01_09_nothing_survives_of_a_session(start: Start, script: str, grace: float) -> None:
    session = start(script)
    assert session.members
    assert session.end(grace) == []
    assert session.members == []


def test_a_session_that_ends_when_asked_is_not_waited_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    original = os.kill
    monkeypatch.setattr(os, "kill", lambda pid, number: (sent.append(number), original(pid, number)))
    assert start("sleep 100 & echo ready; wait").end(600) == []
    assert signal.SIGTERM in sent
    assert signal.SIGKILL not in sent


def test_the_grace_period_is_there_to_clean_up_in(start: Start, tmp_path: Path) -> None:
    farewell = tmp_path / "farewell"
    session = start(f"trap 'echo bye >{farewell}; exit' TERM; sleep 100 & echo ready; wait")
    session.end(10)
    assert farewell.read_text() == "bye\n"


def test_the_grace_period_is_there_for_stopped_processes_too(start: Start, tmp_path: Path) -> None:
    farewell = tmp_path / "farewell"
    session = start(f"trap 'echo bye >{farewell}; exit' TERM; echo ready; kill -STOP $$; sleep 100")
    stopped = b") T "
    while stopped not in Path(f"/proc/{session.id}/stat").read_bytes():
        os.sched_yield()
    session.end(10)
    assert farewell.read_text() == "bye\n"


def test_without_a_grace_period_nobody_is_asked(start: Start, tmp_path: Path) -> None:
    farewell = tmp_path / "farewell"
    session = start(f"trap 'echo bye >{farewell}; exit' TERM; sleep 100 & echo ready; wait")
    session.end(0)
    assert not farewell.exists()


def test_ending_what_has_ended(start: Start) -> None:
    session = start("echo ready")
    session.wait_for_leader()
    assert session.end(10) == []


@pytest.mark.parametrize("grace", [0, 0.01])
def test_those_that_must_not_be_signalled_are_named(
    start: Start, monkeypatch: pytest.MonkeyPatch, grace: float
) -> None:
    session = start("echo ready; exec sleep 100")

    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", forbidden)
        assert session.end(grace) == [session.id]


# One process


@pytest.mark.parametrize("script", ["echo ready; exec sleep 100", "trap '' TERM; echo ready; exec sleep 100"])
def test_one_process_is_asked_then_killed(start: Start, script: str) -> None:
    session = start(script)
    info = process.inspect(session.id)
    assert info is not None
    threading.Thread(target=session.leader.wait).start()
    assert process.end_process(info, 0.1) == []
    assert not process.is_alive(session.id)


def test_a_process_of_another_start_time_is_not_ended(start: Start) -> None:
    session = start("echo ready; exec sleep 100")
    info = process.inspect(session.id)
    assert info is not None
    assert process.end_process(info._replace(start_ticks=info.start_ticks - 1), 0) == []
    assert process.is_alive(session.id)
