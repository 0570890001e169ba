"""The crash tests can fail: faults strike where they should, and broken states are noticed."""

import json
import signal
from collections.abc import Callable

import pytest

from crash.faults import KILL_CALLS, ROOM_CALLS, Action, Fault
from crash.invariants import check
from crash.ledger import started, starts
from support.flows import command, template
from support.processes import state
from support.repository import Finished, Repository


@pytest.fixture
def repository(repositories: Callable[..., Repository]) -> Repository:
    made: Repository = repositories()
    made.write(
        "flow.json", template(command("first", started("first")), command("second", started("second"), ["first"]))
    )
    return made


def run(repository: Repository, action: Action, at: int, *calls: str, **more: object) -> tuple[Finished, Fault]:
    fault = Fault(repository.base / "trace", action, at, calls, **more)
    return repository.vizier("run", "flow.json", env=fault.env), fault


def test_all_processes_count_their_calls_together(repository: Repository) -> None:
    _, fault = run(repository, Action.COUNT, 1, *KILL_CALLS)
    repository.wait_until_quiet()
    pids = {line.split()[0] for line in fault.calls}
    assert len(pids) == 3, "the command and two workers"
    names = [line.split()[1] for line in fault.calls]
    assert names.count("spawn") == 2
    assert names.count("fork") == 2
    check(repository)


def test_a_process_is_killed_before_the_call(repository: Repository) -> None:
    done, _ = run(repository, Action.KILL, 1, "rename", where="enqueue.committed$")
    assert done.code == -signal.SIGKILL
    assert (repository.jobs_root / "runs" / "enqueue.staging").is_dir()


def test_a_process_is_killed_after_the_call(repository: Repository) -> None:
    done, _ = run(repository, Action.KILL_AFTER, 1, "rename", where="enqueue.committed$")
    assert done.code == -signal.SIGKILL
    assert (repository.jobs_root / "runs" / "enqueue.committed").is_dir()


def test_a_worker_is_killed_right_after_it_was_forked(repository: Repository) -> None:
    _, fault = run(repository, Action.KILL_CHILD, 1, "fork")
    assert fault.was_hit
    repository.wait_until_quiet()
    assert starts(repository) == []


def test_a_call_in_a_worker_can_be_chosen(repository: Repository) -> None:
    done, fault = run(repository, Action.KILL, 2, "spawn")
    assert done.code == 0
    repository.wait_until_quiet()
    assert fault.was_hit
    assert [start.node_id for start in starts(repository)] == ["first"]


def test_one_call_finds_no_room(repository: Repository) -> None:
    done, _ = run(repository, Action.FAIL, 1, "mkdir")
    assert "No space left on device" in done.fails().err


def test_no_room_until_there_is_room_again(repository: Repository) -> None:
    done, fault = run(repository, Action.FULL, 3, *ROOM_CALLS)
    done.fails()
    assert "No space left" in repository.vizier("run", "flow.json", env=fault.env).fails().err
    fault.make_room()
    repository.vizier("run", "flow.json", env=fault.env).ok()


def test_a_process_stops_until_it_may_go_on(repository: Repository) -> None:
    fault = Fault(repository.base / "trace", Action.STOP, 1, ("rename",))
    with repository.start("run", "flow.json", env=fault.env) as process:
        repository.wait(lambda: fault.was_hit and state(fault.victim) == "T", "the process to stop")
        assert process.poll() is None
        process.send_signal(signal.SIGCONT)
        assert process.wait() == 0


def test_a_command_is_interrupted(repository: Repository) -> None:
    done, _ = run(repository, Action.INTERRUPT, 1, "rename", workers=False)
    assert done.code == 130


def edited(record: dict, **changes: object) -> dict:
    return {**record, **changes}


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (lambda record: edited(record, status="running"), "is running"),
        (lambda record: edited(record, status="failed"), "failed without a reason"),
        (lambda record: edited(record, status="blocked_by_dependency"), "blocked without a reason"),
        (
            lambda record: edited(record, metadata=edited(record["metadata"], workflow_node_attempt=2)),
            "without having run",
        ),
    ],
    ids=["unfinished", "failed", "blocked", "unfounded"],
)
def test_a_broken_record_is_noticed(change: Callable[[dict], dict], noticed: str, repository: Repository) -> None:
    repository.vizier("run", "flow.json", "--follow").ok()
    check(repository)
    directory = repository.jobs_root / repository.job("second")
    (directory / "job.json").write_text(json.dumps(change(repository.record(directory.name))))
    (directory / "stderr.log").write_text("")
    with pytest.raises(AssertionError, match=noticed):
        check(repository)


def test_what_should_not_be_there_is_noticed(repository: Repository) -> None:
    repository.vizier("run", "flow.json", "--follow").ok()
    repository.write("ledger", "first 1\nfirst 1\n")
    repository.write(".vizier/jobs/runs/half.json", "{")
    (repository.jobs_root / "runs" / "enqueue.staging").mkdir()
    with repository.start("jobs", "attach", repository.job("first")):
        pass
    with pytest.raises(AssertionError) as caught:
        check(repository)
    for noticed in ("started 2 times", "half.json", "left behind", "succeeded without having run"):
        assert noticed in str(caught.value)


def test_a_process_that_is_left_is_noticed(repository: Repository) -> None:
    repository.write("flow.json", template(command("first", "while :; do sleep 0.05; done")))
    repository.vizier("run", "flow.json").ok()
    with pytest.raises(AssertionError, match="still alive: "):
        check(repository)
