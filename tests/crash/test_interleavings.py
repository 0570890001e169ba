"""Moments that hardly ever happen by themselves: a process is stopped at a chosen call while others go on."""

import itertools
import os
import signal
from collections.abc import Callable

import pytest

from crash.campaign import step
from crash.faults import KILL_CALLS, Action, Fault
from crash.invariants import check, check_logs, recover
from crash.ledger import alone, overlaps, started, starts
from support.flows import Node, command, template
from support.processes import state
from support.repository import Repository

pytestmark = pytest.mark.crash

#: Waits for a file that the test makes.
_UNTIL_GO = "while [ ! -e go ]; do sleep 0.01; done"


@pytest.fixture
def forked(repositories: Callable[..., Repository]) -> Repository:
    """A repository whose workers are forked, for moments in which only those can be stopped."""
    return repositories()


def stop_at(repository: Repository, call: str, at: int = 1, where: str = "") -> Fault:
    """A fault that stops a process."""
    return Fault(repository.base / f"trace-{call}-{at}", Action.STOP, at, (call,), where=where)


def is_stopped(fault: Fault) -> bool:
    """Whether a process is stopped by the fault now."""
    return fault.was_hit and state(fault.victim) == "T"


def wait_until_stopped(repository: Repository, fault: Fault) -> int:
    """Waits until the fault has stopped a process; its pid."""
    repository.wait(lambda: is_stopped(fault), f"{fault.env['VIZIER_FAULT']} to stop a process")
    return fault.victim


def go_on(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)


def comes_true(repository: Repository, condition: Callable[[], bool], seconds: float) -> bool:
    """Whether a condition comes true in a while; for what only some ways to solve a problem do."""
    try:
        return repository.wait(condition, "", seconds)
    except AssertionError:
        return False


def worker(repository: Repository, node_id: str) -> int:
    """The pid of a node's worker."""
    return int(repository.record(repository.job(node_id))["pid"])


def settle(repository: Repository) -> None:
    """Lets ordinary commands bring everything to its end, and checks that nothing is broken."""
    repository.wait_until_quiet()
    check_logs(repository)
    recover(repository)
    check(repository)


def run_waiting_node(repository: Repository, *after: Node, fault: Fault | None = None, **more: object) -> None:
    """Starts a flow whose first node waits for the file `go`."""
    repository.write("flow.json", template(command("first", f"{started('first')}; {_UNTIL_GO}", **more), *after))
    repository.vizier("run", "flow.json", env=fault.env if fault else None).ok()
    repository.wait(lambda: starts(repository), "the node to start")


def impatient(repository: Repository) -> None:
    """Lets commands give up early."""
    config = repository.read(".vizier/config.toml") or "[jobs]\n"
    repository.write(".vizier/config.toml", f"{config}lock_timeout_seconds = 0.5\n")


# Who holds the lock


def test_a_stopped_lock_holder_is_named_and_does_no_harm(repository: Repository) -> None:
    impatient(repository)
    repository.write("flow.json", template(command("first", started("first"))))
    repository.write("other.json", template(command("other", started("other"))))
    fault = stop_at(repository, "rename", where="enqueue.staging")
    with repository.start("run", "flow.json", env=fault.env) as run:
        holder = wait_until_stopped(repository, fault)
        refused = repository.vizier("run", "other.json").fails()
        assert "scheduler is busy" in refused.err
        assert f"pid={holder}" in refused.err
        repository.vizier("jobs", "list").ok()
        go_on(holder)
        assert run.wait() == 0
    repository.vizier("run", "other.json").ok()
    settle(repository)
    assert {repository.status(node) for node in ("first", "other")} == {"succeeded"}


def test_a_worker_waits_for_the_lock_longer_than_commands_do(repository: Repository) -> None:
    """WS-01-02: what it has done must not count as failed because others were slow."""
    impatient(repository)
    run_waiting_node(repository)
    repository.write("other.json", template(command("other", started("other"))))
    fault = stop_at(repository, "rename", where="enqueue.staging")
    with repository.start("run", "other.json", env=fault.env) as run:
        holder = wait_until_stopped(repository, fault)
        repository.write("go", "")
        repository.wait(lambda: "complete node=first" in repository.log("first"), "the node to end")
        assert "scheduler is busy" in repository.vizier("run", "other.json").fails().err
        go_on(holder)
        assert run.wait() == 0
    settle(repository)
    assert repository.status("first") == "succeeded"


# Workers that are slow


def test_a_stopped_worker_is_not_taken_for_dead(repository: Repository) -> None:
    run_waiting_node(repository)
    pid = worker(repository, "first")
    os.kill(pid, signal.SIGSTOP)
    repository.write("other.json", template(command("other", started("other"))))
    repository.vizier("run", "other.json", "--follow").ok()
    assert repository.status("first") == "running"
    repository.write("go", "")
    go_on(pid)
    settle(repository)
    assert repository.status("first") == "succeeded"


def test_cancel_ends_a_stopped_worker(repository: Repository) -> None:
    run_waiting_node(repository)
    os.kill(worker(repository, "first"), signal.SIGSTOP)
    repository.vizier("jobs", "cancel", repository.job("first")).ok()
    settle(repository)
    assert repository.status("first") == "cancelled"


def test_a_worker_that_is_slow_to_start_is_not_taken_for_dead(forked: Repository) -> None:
    """It is stopped before it has locked its log."""
    forked.write("flow.json", template(command("first", started("first"))))
    forked.write("other.json", template(command("other", started("other"))))
    fault = stop_at(forked, "chdir")
    forked.vizier("run", "flow.json", env=fault.env).ok()
    slow = wait_until_stopped(forked, fault)
    forked.vizier("run", "other.json", "--follow").ok()
    assert forked.status("first") == "running"
    go_on(slow)
    settle(forked)
    assert forked.status("first") == "succeeded"


def test_a_worker_that_lost_its_job_before_it_started_leaves_the_record_alone(forked: Repository) -> None:
    """Decision D20; the job was cancelled from a machine that could not end the process here."""
    forked.write("flow.json", template(command("first", started("first")), command("next", started("next"), ["first"])))
    fault = stop_at(forked, "chdir")
    forked.vizier("run", "flow.json", env=fault.env).ok()
    slow = wait_until_stopped(forked, fault)
    record = forked.jobs_root / forked.job("first") / "job.json"
    record.write_text(record.read_text().replace('"status": "running"', '"status": "cancelled"'))
    before = record.read_bytes()
    go_on(slow)
    forked.wait_until_quiet()
    assert record.read_bytes() == before
    settle(forked)
    assert record.read_bytes() == before
    assert forked.status("next") == "blocked_by_dependency"


# Cancel meets the end


def test_cancel_at_every_point_of_a_completion(repositories: Callable[..., Repository]) -> None:
    """Either the job was cancelled or it had ended; the next one is never harmed, and never forgotten."""
    before = _calls_until_the_script_runs(repositories())
    for at in itertools.count(before + 1, step(3)):
        repository = repositories()
        impatient(repository)
        fault = Fault(repository.base / "trace", Action.STOP, at, KILL_CALLS)
        run_waiting_node(repository, command("second", started("second"), ["first"]), fault=fault)
        repository.write("go", "")
        repository.wait(lambda f=fault, r=repository: is_stopped(f) or not r.processes(), "a stop or the end")
        if not is_stopped(fault):
            break
        cancelled = repository.vizier("jobs", "cancel", repository.job("first"))
        go_on(fault.victim)
        settle(repository)
        expected = ("cancelled", "blocked_by_dependency") if cancelled.code == 0 else ("succeeded", "succeeded")
        found = (repository.status("first"), repository.status("second"))
        assert found == expected, f"call {at}: {fault.place}\n{cancelled}\n{repository.situation()}"


def _calls_until_the_script_runs(repository: Repository) -> int:
    fault = Fault(repository.base / "trace", Action.COUNT, 1, KILL_CALLS)
    run_waiting_node(repository, command("second", started("second"), ["first"]), fault=fault)
    calls = len(fault.calls)
    repository.write("go", "")
    settle(repository)
    return calls


def test_cancel_of_a_job_that_ends_spares_the_worker_it_has_started(forked: Repository) -> None:
    """A worker that was just forked is in the session of the one that ends until it has made its own."""
    young = stop_at(forked, "setsid", at=2)
    run_waiting_node(forked, command("second", started("second"), ["first"]), fault=young)
    before_looking = stop_at(forked, "listdir", where="^/proc$")
    with forked.start("jobs", "cancel", forked.job("first"), env=before_looking.env) as cancel:
        wait_until_stopped(forked, before_looking)
        forked.write("go", "")
        # Unless the command keeps the worker from ending, the next one is forked and perhaps counts as running now.
        if comes_true(forked, lambda: is_stopped(young), 1.0):
            comes_true(forked, lambda: forked.status("second") == "running", 0.5)
        go_on(before_looking.victim)
        out, err = cancel.communicate()
    if is_stopped(young):
        go_on(young.victim)
    settle(forked)
    ended = ("cancelled", "blocked_by_dependency") if cancel.returncode == 0 else ("succeeded", "succeeded")
    assert (forked.status("first"), forked.status("second")) == ended, out + err


def test_cancel_beside_a_tick_is_no_failure(repository: Repository) -> None:
    """Whoever finds the worker dead while it is being cancelled must not call that a failure and follow its routes."""
    more = command("other", started("other"), ["first"])
    run_waiting_node(repository, more, on={"failed": ["first"]})
    before_lock = stop_at(repository, "flock", where=r"/(scheduler\.)?lock$")
    repository.write("ticker.json", template(command("ticker", "true")))
    with repository.start("jobs", "cancel", repository.job("first"), env=before_lock.env) as cancel:
        wait_until_stopped(repository, before_lock)
        repository.vizier("run", "ticker.json").ok()
        go_on(before_lock.victim)
        out, err = cancel.communicate()
    settle(repository)
    assert cancel.returncode == 0, out + err
    assert repository.status("first") == "cancelled"
    assert len([start for start in starts(repository) if start.node_id == "first"]) == 1


def test_a_rewind_spares_the_workers_of_other_jobs(forked: Repository) -> None:
    """What an earlier attempt has left running is ended (decision D19), but not what it has scheduled."""
    young = stop_at(forked, "setsid", at=3)
    mine = [{"key": "mine", "mode": "exclusive"}]
    fails_once = "while [ ! -e fail ]; do sleep 0.01; done; test -e failed || { touch failed; exit 1; }"
    first = command("first", f"{started('first')}; {_UNTIL_GO}", locks=mine)
    second = command("second", f"{started('second')}; {fails_once}", ["first"], on={"failed": ["first"]})
    forked.write("flow.json", template(first, second))
    forked.write("other.json", template(command("other", started("other"), locks=mine)))
    forked.vizier("run", "flow.json", env=young.env).ok()
    forked.wait(lambda: starts(forked), "the first node to start")
    forked.vizier("run", "other.json").ok()
    assert forked.status("other") == "waiting_on_locks"
    forked.write("go", "")
    wait_until_stopped(forked, young)
    forked.wait(lambda: len(starts(forked)) == 2, "the second node to start")
    forked.write("fail", "")
    # Unless the first worker waits for the young one, still holding the lock, the rewind happens now.
    comes_true(forked, lambda: forked.record(forked.job("first"))["metadata"]["workflow_node_attempt"] == 2, 1.0)
    if is_stopped(young):
        go_on(young.victim)
    settle(forked)
    assert {forked.status(node) for node in ("first", "second", "other")} == {"succeeded"}


# One attempt after the other (decision D19)


def test_nothing_of_a_killed_worker_meets_the_next_attempt(repository: Repository) -> None:
    stubborn = "trap '' TERM HUP; (trap '' TERM HUP; exec sleep 1000) &"
    script = f"{started('first')}; {alone('first')}; {stubborn} echo >>begun; {_UNTIL_GO}; kill -9 $!"
    repository.write("flow.json", template(command("first", script, on={"failed": ["first"]})))
    repository.write("other.json", template(command("other", started("other"))))
    repository.vizier("run", "flow.json").ok()
    repository.wait(lambda: repository.read("begun"), "the node to start")
    os.kill(worker(repository, "first"), signal.SIGKILL)
    repository.vizier("run", "other.json").ok()
    repository.wait(lambda: repository.read("begun") == "\n\n", "a second attempt")
    repository.write("go", "")
    repository.wait_until_quiet()
    assert repository.status("first") == "succeeded"
    assert overlaps(repository) == []
    check(repository)


# Names that come again


def test_what_a_dead_process_with_the_same_pid_has_left_is_no_obstacle(repository: Repository) -> None:
    """In a container the same pids come again with every start."""
    repository.write("flow.json", template(command("first", started("first"))))
    repository.write("other.json", template(command("other", started("other"))))
    dead = Fault(repository.base / "trace", Action.KILL, 1, ("fsync",), where=r"job\.json\.tmp")
    repository.vizier("run", "flow.json", env=dead.env)
    (left,) = repository.jobs_root.glob("*-first/job.json.tmp*")
    fault = stop_at(repository, "open", where=r"-first/job\.json\.tmp")
    with repository.start("run", "other.json", env=fault.env) as run:
        pid = wait_until_stopped(repository, fault)
        left.rename(left.with_name(left.name.replace(str(dead.victim), str(pid))))
        go_on(pid)
        out, err = run.communicate()
    assert run.returncode == 0, out + err
    settle(repository)


# Signals from the terminal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_signals_to_the_follower_leave_the_workers_alone(number: signal.Signals, repository: Repository) -> None:
    """WS-01-09: Ctrl-C and a hang-up reach the whole process group of the follower."""
    second = command("second", "true", ["first"])
    repository.write("flow.json", template(command("first", f"{started('first')}; {_UNTIL_GO}"), second))
    with repository.start("run", "flow.json", "--follow") as run:
        repository.wait(lambda: starts(repository), "the node to start")
        os.killpg(run.pid, number)
        _, err = run.communicate()
    assert run.returncode in {130, -number}
    assert "Traceback" not in err
    assert repository.status("first") == "running"
    repository.write("go", "")
    repository.wait_until_quiet()
    assert {repository.status(node) for node in ("first", "second")} == {"succeeded"}
