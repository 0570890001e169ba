"""Who belongs to a family of processes, and how it ends (rulings R83-R87); more in test_process.py."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vizier_core import family, process
from vizier_core.family import Family, session_family

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    """Session leaders; all that the tests have started ends with them."""
    leaders: list[subprocess.Popen[str]] = []
    yield leaders
    for leader in leaders:
        leader.kill()
        leader.wait()


def start(started: list["subprocess.Popen[str]"], script: str) -> tuple[process.ProcessInfo, list[int]]:
    """A shell that leads a session; what it is, and the pids that it says."""
    leader = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    started.append(leader)
    assert leader.stdout is not None
    info = process.inspect(leader.pid)
    assert info is not None
    return info, [int(word) for word in leader.stdout.readline().split()]


def wait_until_dead(pid: int) -> None:
    limit = time.monotonic() + 30
    while process.is_alive(pid):
        assert time.monotonic() < limit
        time.sleep(0.002)


#: A child that has left the session says its pid.
IN_ITS_OWN_SESSION = "setsid sh -c 'echo $$; exec sleep 100' & wait"


def test_r85_a_child_in_a_session_of_its_own_belongs_to_it(started) -> None:
    leader, (child,) = start(started, IN_ITS_OWN_SESSION)
    found = session_family(leader.pid, leader.start_ticks)
    assert {info.pid for info in found.living()} == {leader.pid, child}
    assert found.end(0.2) == []
    assert not process.is_alive(child)


def test_r85_who_was_known_is_not_forgotten_when_its_parent_dies(started) -> None:
    leader, (child,) = start(started, IN_ITS_OWN_SESSION)
    found = session_family(leader.pid, leader.start_ticks)
    found.living()
    started[0].kill()
    started[0].wait()
    assert [info.pid for info in found.living()] == [child]
    assert found.end(0) == []


def test_a_worker_that_an_agent_has_started_is_not_its_own(started, tmp_path: Path) -> None:
    """An agent that runs `vizier run` starts jobs of their own right: cancelling the one must not end the others."""
    # It says its pid when it has the command line of a worker.
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(100)"
    worker = f"exec -a vizier {sys.executable} -c '{program}' __workflow-node --job-id job-b"
    script = f'setsid bash -c "{worker}" & wait'
    leader, (child,) = start(started, script)
    try:
        found = session_family(leader.pid, leader.start_ticks)
        assert child not in {info.pid for info in found.living()}
        assert found.end(0.2) == []
        assert process.is_alive(child)
    finally:
        os.kill(child, signal.SIGKILL)


def test_this_process_and_what_it_has_started_itself_are_left_alone(started) -> None:
    """A command that is run by an agent may end the agent's family, but not itself."""
    me = process.inspect(os.getpid())
    assert me is not None
    own = subprocess.Popen(["sleep", "100"])
    try:
        assert own.pid not in {info.pid for info in Family(lambda everybody: [me]).living()}
    finally:
        own.kill()
        own.wait()


def test_nobody_is_waited_for_who_must_not_be_signalled(started, monkeypatch: pytest.MonkeyPatch) -> None:
    leader, _ = start(started, "echo; exec sleep 100")
    began = time.monotonic()

    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", forbidden)
        assert session_family(leader.pid, leader.start_ticks).end(600) == [leader.pid]
    assert time.monotonic() - began < 60


def test_where_nobody_can_adopt_nobody_is_buried(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS has neither; Python has `waitid` there since 3.13 only."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr(os, "waitid")
    with family.adopting_orphans():
        family.bury_orphans([])


def test_r87_only_those_that_nobody_else_collects_are_buried(started) -> None:
    own = subprocess.Popen(["true"])
    wait_until_dead(own.pid)
    family.bury_orphans([own.pid])
    assert own.wait() == 0
    other = subprocess.Popen(["true"])
    wait_until_dead(other.pid)
    family.bury_orphans([])
    with pytest.raises(ChildProcessError):
        os.waitpid(other.pid, os.WNOHANG)
    other.returncode = 0


#: Ignores TERM, and is always somebody else, in a session of its own; its parents are gone.
COMET = "trap '' TERM; echo >> generations; sleep 0.05; setsid sh \"$0\" & exit"


def test_ws_07_16_those_that_keep_forking_are_caught_while_somebody_adopts_them(tmp_path: Path) -> None:
    """The adopter is ended last: without it, each of them would be lost as soon as its parent exits."""
    (tmp_path / "comet.sh").write_text(COMET)
    # As a worker does, which is asked to end and ends its agent first.
    program = f"""
import signal, subprocess, time
from vizier_core.family import adopting_orphans
signal.signal(signal.SIGTERM, lambda *_: None)
with adopting_orphans():
    subprocess.Popen(["setsid", "sh", "comet.sh"], cwd={str(tmp_path)!r})
    print(flush=True)
    while True:
        time.sleep(1)
"""
    leader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert leader.stdout is not None
        leader.stdout.readline()
        info = process.inspect(leader.pid)
        assert info is not None
        wait_for_generations(tmp_path, 3)
        assert session_family(leader.pid, info.start_ticks).end(0.3) == []
        # One look may come between the end of one and the beginning of the next.
        assert [comets(tmp_path) for _ in range(3)] == [[], [], []]
    finally:
        (tmp_path / "comet.sh").unlink()  # the last one cannot go on
        leader.kill()
        leader.wait()


def comets(directory: Path) -> list[int]:
    found = []
    for info in process.all_processes():
        with contextlib.suppress(OSError):
            if info.alive and os.readlink(f"/proc/{info.pid}/cwd") == str(directory):
                found.append(info.pid)
    return found


def wait_for_generations(directory: Path, count: int) -> None:
    limit = time.monotonic() + 30
    while not (directory / "generations").exists() or (directory / "generations").stat().st_size < count:
        assert time.monotonic() < limit
        time.sleep(0.002)


def test_ws_07_16_the_adopter_is_stopped_first_and_ended_last(started, monkeypatch: pytest.MonkeyPatch) -> None:
    leader, (child,) = start(started, IN_ITS_OWN_SESSION)
    sent: list[tuple[int, int]] = []
    kill = os.kill

    def noted(pid: int, number: int) -> None:
        sent.append((pid, number))
        kill(pid, number)

    monkeypatch.setattr(os, "kill", noted)
    assert session_family(leader.pid, leader.start_ticks).end(0) == []
    assert sent == [(leader.pid, signal.SIGSTOP), (child, signal.SIGKILL), (leader.pid, signal.SIGKILL)]
