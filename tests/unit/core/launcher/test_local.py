"""Whether a worker lives, and how it is ended (spec 01 §8.2, rulings R83-R85)."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vizier_core import process
from vizier_core.family import session_family
from vizier_core.jobs.model import LivenessState, WorkerIdentity
from vizier_core.launcher.local import LocalWorkers, hold_log
from vizier_core.launcher.port import Probe, WorkerHandle

ALIVE = Probe(LivenessState.ALIVE)
TOKEN = "__workflow-node"
NOBODY = 2**22 + 1

StartWorker = Callable[..., int]


@pytest.fixture
def workers() -> LocalWorkers:
    return LocalWorkers()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "stderr.log"
    log.touch()
    return log


@pytest.fixture
def start() -> Iterator[StartWorker]:
    """Starts a process with these words in its command line; its pid."""
    children: list[subprocess.Popen[bytes]] = []

    def begin(*words: str, script: str = "echo ready; sleep 100; exit") -> int:
        child = subprocess.Popen(["sh", "-c", script, *words], stdout=subprocess.PIPE, start_new_session=True)
        children.append(child)
        assert child.stdout is not None
        child.stdout.readline()
        return child.pid

    yield begin
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def identity_of(pid: int, **other: Any) -> WorkerIdentity:
    """What the starter of a process on this machine writes down, or something else."""
    info = process.inspect(pid)
    facts: dict[str, Any] = {
        "token": "t",
        "start_ticks": info.start_ticks if info else 1,
        "boot_id": process.boot_id(),
        "pid_namespace": process.pid_namespace(),
        "host": socket.gethostname(),
        **other,
    }
    return WorkerIdentity(**facts)


def handle(
    log: Path, pid: int | None, identity: WorkerIdentity | None = None, token: str | None = TOKEN
) -> WorkerHandle:
    return WorkerHandle("job-a", pid, identity, log, token)


def ended(pid: int, detail: str = "") -> Probe:
    return Probe(LivenessState.STALE_NOT_RUNNING, f"worker process {pid} is not running{detail}")


MISMATCH = Probe(
    LivenessState.STALE_IDENTITY_MISMATCH, f"observed process identity did not match expected token `{TOKEN}`"
)

# Without an identity: records of the reference, or made by hand


def test_no_pid(workers: LocalWorkers, log: Path) -> None:
    expected = Probe(LivenessState.STALE_MISSING_PID, "running job record is missing pid")
    assert workers.probe(handle(log, None)) == expected
    assert workers.probe(handle(log, None, identity_of(os.getpid()))) == expected


def test_no_such_process(workers: LocalWorkers, log: Path) -> None:
    assert workers.probe(handle(log, NOBODY)) == ended(NOBODY)


def test_ws_01_10_a_zombie(workers: LocalWorkers, log: Path, start: StartWorker) -> None:
    pid = start(TOKEN, "--job-id", "job-a", script="echo ready")
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert workers.probe(handle(log, pid)) == ended(pid)


def test_a_worker_by_its_command_line(workers: LocalWorkers, log: Path, start: StartWorker) -> None:
    pid = start(TOKEN, "--job-id", "job-a")
    assert workers.probe(handle(log, pid)) == ALIVE


@pytest.mark.parametrize("words", [["other", "program"], [TOKEN], [TOKEN, "--job-id", "job-b"]])
def test_ws_01_12_a_process_that_is_not_this_jobs_worker(
    workers: LocalWorkers, log: Path, start: StartWorker, words: list[str]
) -> None:
    assert workers.probe(handle(log, start(*words))) == MISMATCH


@pytest.mark.parametrize("longer", ["job-ab", "job-a-2"])
def test_ws_01_12_a_job_whose_id_begins_alike_is_another(
    workers: LocalWorkers, log: Path, start: StartWorker, longer: str
) -> None:
    assert workers.probe(handle(log, start(TOKEN, "--job-id", longer, "x"))) == MISMATCH


def test_another_token_needs_no_job_id(workers: LocalWorkers, log: Path, start: StartWorker) -> None:
    assert workers.probe(handle(log, start("save", "--all"), token="save")) == ALIVE


def test_a_command_line_that_cannot_be_read_and_a_missing_token_are_no_mismatch(
    workers: LocalWorkers, log: Path, start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = start("other")
    assert workers.probe(handle(log, pid, token=None)) == ALIVE
    monkeypatch.setattr(process, "command_line", lambda pid: None)
    assert workers.probe(handle(log, pid)) == ALIVE


def test_ws_01_11_ws_01_14_no_program_is_asked_and_no_signal_is_sent(
    workers: LocalWorkers, log: Path, start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = start(TOKEN, "--job-id", "job-a")
    for module, name in ((os, "kill"), (subprocess, "Popen")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("called"))
    assert workers.probe(handle(log, pid)) == ALIVE


# With an identity


def test_r83_the_start_time_decides_not_the_command_line(workers: LocalWorkers, log: Path, start: StartWorker) -> None:
    pid = start("any", "title")
    assert workers.probe(handle(log, pid, identity_of(pid))) == ALIVE
    other = identity_of(pid)
    reused = identity_of(pid, start_ticks=other.start_ticks - 1)
    assert workers.probe(handle(log, pid, reused)) == MISMATCH


def test_r83_a_reused_pid_whose_command_line_fits_is_another_process(
    workers: LocalWorkers, log: Path, start: StartWorker
) -> None:
    pid = start(TOKEN, "--job-id", "job-a")
    reused = identity_of(pid, start_ticks=identity_of(pid).start_ticks - 1)
    assert workers.probe(handle(log, pid, reused)) == MISMATCH


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"start_ticks": 1},
        {"boot_id": "another"},
        {"pid_namespace": 1},
        {"boot_id": "another", "host": "elsewhere"},
    ],
    ids=str,
)
def test_r84_whoever_holds_its_log_is_alive_whoever_asks(
    workers: LocalWorkers, log: Path, other: dict[str, Any]
) -> None:
    descriptor = hold_log(log, 0o600)
    try:
        assert workers.probe(handle(log, NOBODY, identity_of(NOBODY, **other))) == ALIVE
    finally:
        os.close(descriptor)


def test_r84_two_who_ask_at_once_do_not_take_each_other_for_the_worker(workers: LocalWorkers, log: Path) -> None:
    with log.open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        assert workers.probe(handle(log, NOBODY, identity_of(NOBODY))) == ended(NOBODY)


def test_a_log_that_is_gone_says_nothing(workers: LocalWorkers, log: Path) -> None:
    log.unlink()
    assert workers.probe(handle(log, NOBODY, identity_of(NOBODY))) == ended(NOBODY)


def test_r84_nothing_of_an_earlier_boot_of_this_host_is_left(
    workers: LocalWorkers, log: Path, start: StartWorker
) -> None:
    pid = start()
    before = identity_of(pid, boot_id="earlier")
    assert workers.probe(handle(log, pid, before)) == ended(pid, f" (host {socket.gethostname()} has been restarted)")


def test_r84_of_another_host_nothing_is_known_and_its_name_is_told(
    workers: LocalWorkers, log: Path, start: StartWorker
) -> None:
    pid = start()
    probe = workers.probe(handle(log, pid, identity_of(pid, boot_id="another", host="elsewhere")))
    assert probe.state is None
    assert not probe.is_stale
    assert probe.reason is not None
    assert "elsewhere" in probe.reason


@pytest.mark.parametrize("pid_is_taken_here", [True, False])
def test_r84_a_worker_of_another_namespace_is_never_judged_by_its_pid(
    workers: LocalWorkers, log: Path, start: StartWorker, pid_is_taken_here: bool
) -> None:
    pid = start() if pid_is_taken_here else NOBODY
    probe = workers.probe(handle(log, pid, identity_of(pid, pid_namespace=1, start_ticks=1)))
    assert not probe.is_stale


# Ending


def test_ws_01_09_a_worker_is_ended_with_its_session(workers: LocalWorkers, log: Path, start: StartWorker) -> None:
    pid = start(script="sleep 100 & echo ready; wait")
    worker = identity_of(pid)
    assert len(session_family(pid, worker.start_ticks).living()) == 2
    assert workers.stop(handle(log, pid, worker), grace=0) == []
    assert session_family(pid, worker.start_ticks).living() == []


@pytest.mark.parametrize(
    "other", [{"start_ticks": 1}, {"boot_id": "another"}, {"pid_namespace": 1}, {"host": "x", "boot_id": "y"}], ids=str
)
def test_r84_r85_what_is_not_certainly_the_worker_is_not_signalled(
    workers: LocalWorkers, log: Path, start: StartWorker, other: dict[str, Any]
) -> None:
    pid = start()
    assert workers.stop(handle(log, pid, identity_of(pid, **other)), grace=0) == []
    assert process.is_alive(pid)


def test_without_an_identity_only_what_passes_for_the_worker_is_ended(
    workers: LocalWorkers, log: Path, start: StartWorker
) -> None:
    worker, stranger = start(TOKEN, "--job-id", "job-a"), start(TOKEN, "--job-id", "job-b")
    for pid in (worker, stranger):
        assert workers.stop(handle(log, pid), grace=0) == []
    assert not process.is_alive(worker)
    assert process.is_alive(stranger)


@pytest.mark.parametrize("pid", [None, NOBODY])
def test_ending_a_worker_that_is_not_there(workers: LocalWorkers, log: Path, pid: int | None) -> None:
    assert workers.stop(handle(log, pid), grace=0) == []
    assert workers.stop(handle(log, pid, identity_of(NOBODY)), grace=0) == []


# The log


def test_r84_the_log_is_held_by_one_process_and_not_passed_on(log: Path) -> None:
    descriptor = hold_log(log, 0o600)
    try:
        assert not os.get_inheritable(descriptor)
        with log.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


def test_a_missing_log_is_made(tmp_path: Path) -> None:
    os.close(hold_log(tmp_path / "new.log", 0o600))
    assert (tmp_path / "new.log").stat().st_size == 0


def test_this_process_as_a_worker(workers: LocalWorkers, log: Path) -> None:
    me = workers.identify_self()
    assert me.pid == os.getpid()
    assert workers.probe(handle(log, me.pid, me.identity)) == ALIVE
