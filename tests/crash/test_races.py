"""Commands against workers and against each other; the moments are random, the seeds fixed."""

import random
import time
from collections.abc import Callable

import pytest

from crash.campaign import seeds
from crash.faults import clock
from crash.invariants import check, check_logs, check_output, recover
from crash.ledger import alone, overlaps, started, starts
from crash.witness import Witness
from support.flows import command, template
from support.repository import Finished, Repository

pytestmark = pytest.mark.crash


def at_once(repository: Repository, *commands: tuple[str, ...], apart: float = 0.0) -> list[Finished]:
    """Runs commands beside each other, each started so many seconds after the one before."""
    processes = []
    for words in commands:
        processes.append(repository.start(*words))
        time.sleep(apart)  # not to wait for something: the moment is the case
    done = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        done.append(Finished(list(map(str, process.args)), process.returncode, out, err))
    check_output(done)
    return done


def settle(repository: Repository) -> None:
    repository.wait_until_quiet()
    check_logs(repository)
    recover(repository)
    check(repository)


@pytest.mark.parametrize("seed", seeds(3))
def test_cancel_against_finish(seed: int, repository: Repository) -> None:
    """Whoever comes first has the last word, and the command says what became of the job."""
    random_ = random.Random(seed)
    names = [f"n{i}" for i in range(6)]
    nodes = [command(name, f"{started(name)}; sleep {random_.uniform(0, 0.3):.3f}") for name in names]
    later = [command(f"{name}z", started(f"{name}z"), [name]) for name in names]
    repository.write("flow.json", template(*nodes, *later))
    with Witness(repository):
        repository.vizier("run", "flow.json").ok()
        jobs = [repository.job(name) for name in names]
        cancels = at_once(repository, *(("jobs", "cancel", job) for job in jobs), apart=random_.uniform(0, 0.05))
        settle(repository)
    for name, done in zip(names, cancels, strict=True):
        assert repository.status(name) == ("succeeded" if done.code else "cancelled"), str(done)
        assert repository.status(f"{name}z") == ("succeeded" if done.code else "blocked_by_dependency")


@pytest.mark.parametrize("other", ["approve", "cancel", "reject"])
@pytest.mark.parametrize("seed", seeds(2))
def test_approve_against_another_decision(seed: int, other: str, repository: Repository) -> None:
    random_ = random.Random(f"{other} {seed}")
    repository.write("flow.json", template(command("ask", started("ask"))))
    repository.vizier("run", "flow.json", "--require-approval").ok()
    job = repository.job("ask")
    pair = random_.sample([("jobs", "approve", job), ("jobs", other, job)], 2)
    with Witness(repository):
        done = at_once(repository, *pair, apart=random_.uniform(0, 0.05))
        settle(repository)
    winners = [finished.argv[-2] for finished in done if finished.code == 0]
    if other == "cancel" and len(winners) == 2:
        assert repository.status("ask") == "cancelled"  # approved first, then cancelled
    else:
        assert len(winners) == 1, "\n".join(map(str, done))
        expected = {"approve": "succeeded", "cancel": "cancelled", "reject": "blocked_by_approval"}
        assert repository.status("ask") == expected[winners[0]]


@pytest.mark.parametrize("seed", seeds(3))
def test_retry_against_a_running_worker(seed: int, repository: Repository) -> None:
    """Refused while the job runs, done once it has ended; either way no attempt meets another one."""
    random_ = random.Random(f"retry {seed}")
    work = f"{started('first')}; {alone('first')}; sleep {random_.uniform(0.05, 0.3):.3f}"
    second = command("second", f"{started('second')}; {alone('second')}", ["first"])
    repository.write("flow.json", template(command("first", work), second))
    with Witness(repository):
        repository.vizier("run", "flow.json").ok()
        repository.wait(lambda: starts(repository), "the first node to start")
        job = repository.job("first")
        done = at_once(repository, *[("jobs", "retry", job)] * 4, apart=random_.uniform(0, 0.15))
        settle(repository)
    assert overlaps(repository) == []
    for refused in (finished for finished in done if finished.code):
        assert "cannot retry while jobs are running" in refused.err, str(refused)
    attempts = {
        repository.record(repository.job(node))["metadata"]["workflow_node_attempt"] for node in ("first", "second")
    }
    assert attempts == {1 + sum(finished.code == 0 for finished in done)}
    assert set(repository.statuses().values()) == {"succeeded"}


@pytest.mark.parametrize("seed", seeds(2))
def test_gc_and_clean_against_ticks(seed: int, repository: Repository) -> None:
    """Only what is old, or was named, goes; what runs and what waits for it is not harmed."""
    random_ = random.Random(f"gc {seed}")
    for number in range(4):
        name = f"old{number}"
        nodes = (command(name, started(name)), command(f"{name}b", started(f"{name}b"), [name]))
        repository.write("old.json", template(*nodes))
        repository.vizier("run", "old.json", "--follow", env=clock(-72)).ok()
    repository.wait_until_quiet()
    old = repository.records()
    needed, named = repository.job("old0b"), repository.job("old1")
    for number in range(3):
        name = f"new{number}"
        after = f"{started(name)}; sleep {random_.uniform(0, 0.1):.3f}"
        repository.write(
            f"{name}.json", template(command(name, after), command(f"{name}b", started(f"{name}b"), [name]))
        )
    waiting = repository.vizier("run", "new0.json", "--require-approval", "--after", needed).ok()
    commands = [
        ("run", "new1.json"),
        ("jobs", "gc", "--days", "2"),
        ("clean", "--yes", named),
        ("run", "new2.json", "--follow"),
        ("jobs", "gc", "--days", "2"),
        ("jobs", "list", "--all"),
    ]
    with Witness(repository, collectable=old.keys() - {needed}):
        done = at_once(repository, *random_.sample(commands, len(commands)), apart=random_.uniform(0, 0.05))
        assert [str(finished) for finished in done if finished.code and "clean" not in finished.argv] == []
        settle(repository)
    assert needed in repository.records(), waiting.out
    assert old.keys() & repository.records().keys() == {needed}
    assert {repository.status(f"new{number}b") for number in range(3)} == {"succeeded"}


def test_many_followers(repository: Repository) -> None:
    """One that runs and four that only watch: all see the same end, and each line of a log once."""
    lines = "for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.02; done"
    second = command("second", f"{started('second')}; {lines}", ["first"])
    repository.write("flow.json", template(command("first", f"{started('first')}; sleep 0.2"), second))
    with repository.start("run", "flow.json", "--follow") as run, Witness(repository):
        repository.wait(lambda: starts(repository), "the first node to start")
        job = repository.job("second")
        follow = ("jobs", "tail", "--follow", "--stream", "stdout", job)
        done = at_once(repository, follow, follow, ("jobs", "attach", job), ("jobs", "attach", repository.job("first")))
        out, err = run.communicate()
    assert (run.returncode, err) == (0, ""), out
    assert [finished.code for finished in done] == [0, 0, 0, 0]
    expected = [f"line {i}" for i in range(1, 9)]
    assert [finished.out.splitlines() for finished in done[:2]] == [expected, expected]
    assert [line for line in done[2].out.splitlines() if "line" in line] == [f"[stdout] {line}" for line in expected]
    settle(repository)


@pytest.mark.parametrize("seed", seeds(2))
def test_runs_against_runs(seed: int, repositories: Callable[..., Repository]) -> None:
    """Flows that share an exclusive lock, started beside each other and beside views."""
    repository = repositories(random.Random(seed).choice([None, "exec"]))
    mine = [{"key": "mine", "mode": "exclusive"}]
    for number in range(6):
        name = f"n{number}"
        script = f"{started(name)}; mkdir critical && sleep 0.02 && rmdir critical"
        repository.write(f"{name}.json", template(command(name, script, locks=mine)))
    views = [("jobs", "list"), ("jobs", "list", "--all", "--format", "json")]
    with Witness(repository):
        done = at_once(repository, *(("run", f"n{i}.json", "--follow") for i in range(6)), *views)
        repository.wait_until_quiet()
    assert [str(finished) for finished in done if finished.code or finished.err] == []
    check_logs(repository)
    check(repository)
    assert set(repository.statuses().values()) == {"succeeded"}
