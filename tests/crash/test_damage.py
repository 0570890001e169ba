"""Files that vanish or change under the program while it works: by hand, by a clean-up script, by a bad disk."""

import contextlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crash.campaign import seeds
from crash.faults import Action, Fault, clock
from crash.invariants import check, check_logs, recover
from crash.ledger import started, starts
from crash.scenarios import route_flow
from support.flows import command, template
from support.repository import Repository

pytestmark = pytest.mark.crash

_UNTIL_GO = "while [ ! -e go ]; do sleep 0.01; done"


def chain(*names: str) -> str:
    """Nodes one after the other; the first waits for the file `go`."""
    first, *rest = names
    after = {name: [previous] for previous, name in zip(names, rest, strict=False)}
    nodes = [command(name, started(name), after[name]) for name in rest]
    return template(command(first, f"{started(first)}; {_UNTIL_GO}"), *nodes)


def remove(directory: Path) -> None:
    """Deletes a directory in which the program is at work."""
    while directory.exists():
        shutil.rmtree(directory, ignore_errors=True)


def start_chain(repository: Repository, *names: str) -> None:
    """Enqueues a chain and waits until its first node runs."""
    repository.write("flow.json", chain(*names))
    repository.vizier("run", "flow.json").ok()
    repository.wait(lambda: starts(repository), "the first node to start")


# The derived index


def _delete_all(directory: Path, random_: random.Random) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def _overwrite(directory: Path, random_: random.Random) -> None:
    for path in _index_files(directory):
        path.write_bytes(random_.randbytes(random_.randrange(200)))


def _truncate(directory: Path, random_: random.Random) -> None:
    for path in _index_files(directory):
        os.truncate(path, random_.randrange(path.stat().st_size + 1))


def _append(directory: Path, random_: random.Random) -> None:
    for path in _index_files(directory):
        with path.open("ab") as file:
            file.write(random_.randbytes(random_.randrange(1, 50)))


def _flip(directory: Path, random_: random.Random) -> None:
    for path in _index_files(directory):
        data = bytearray(path.read_bytes())
        if data:
            data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
            path.write_bytes(data)


def _replace_by_directory(directory: Path, random_: random.Random) -> None:
    for path in _index_files(directory):
        path.unlink()
        path.mkdir()


def _index_files(directory: Path) -> list[Path]:
    """All but the lock's spare file: whoever writes into that one while it is the lock has taken the lock."""
    return [path for path in directory.glob("*/*") if path.is_file() and path.name != "lock"]


VANDALS: tuple[Callable[[Path, random.Random], None], ...] = (
    _delete_all, _overwrite, _truncate, _append, _flip, _replace_by_directory,
)  # fmt: skip


@pytest.mark.parametrize("seed", seeds(2))
def test_the_index_may_be_damaged_at_any_moment(seed: int, repository: Repository) -> None:
    random_ = random.Random(seed)
    names = [f"n{i}" for i in range(12)]
    repository.write("flow.json", chain(*names))
    repository.write("go", "")
    with repository.start("run", "flow.json", "--follow") as run:
        while run.poll() is None:
            with contextlib.suppress(OSError):  # the program was faster
                random_.choice(VANDALS)(repository.path / ".git" / "vizier", random_)
        out, err = run.communicate()
    assert (run.returncode, err) == (0, ""), out
    repository.vizier("jobs", "list").ok()
    repository.wait_until_quiet()
    check_logs(repository)
    check(repository)
    assert [start.node_id for start in starts(repository)] == names


def test_a_finished_record_that_was_edited_by_hand_is_read_again(repository: Repository) -> None:
    """Same size, same times: the index must not trust these alone."""
    repository.write("flow.json", template(*(command(f"n{i}", "true") for i in range(70))))
    repository.vizier("run", "flow.json", "--follow").ok()
    repository.vizier("jobs", "list").ok()
    path = repository.jobs_root / repository.job("n7") / "job.json"
    before = path.stat()
    edited = path.read_bytes().replace(b'"status": "succeeded"', b'"status": "cancelled"')
    with path.open("r+b") as file:
        file.write(edited)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    listed = repository.vizier("jobs", "list", "--format", "json").ok()
    assert repository.job("n7") in listed.out


# Half-written files


@pytest.mark.parametrize(
    "place", [r"job\.json\.tmp", r"outcome\.json\.tmp", r"artifacts/data/", r"rewind\.pending\.tmp"]
)
def test_what_a_killed_process_was_writing_is_collected(place: str, repository: Repository) -> None:
    """WS-02-05: not at once, because somebody could still be at it."""
    repository.write("flow.json", route_flow())
    fault = Fault(repository.base / "trace", Action.KILL, 1, ("rename",), where=place)
    repository.vizier("run", "flow.json", env=fault.env)
    repository.wait_until_quiet()
    (left,) = repository.jobs_root.rglob("*.tmp.*")
    recover(repository)
    check(repository)
    os.utime(left, (0, 0))
    repository.vizier("jobs", "gc").ok()
    assert not left.exists()


# Records


def test_a_job_that_was_ended_by_hand_stays_as_it_is(repository: Repository) -> None:
    """Its worker notices at the end that the job is not its own any more (decision D20)."""
    start_chain(repository, "first", "second")
    path = repository.jobs_root / repository.job("first") / "job.json"
    path.write_text(path.read_text().replace('"status": "running"', '"status": "cancelled"'))
    repository.write("go", "")
    repository.wait_until_quiet()
    recover(repository)
    check_logs(repository)
    assert repository.status("first") == "cancelled"
    assert repository.status("second") == "blocked_by_dependency"
    assert [start.node_id for start in starts(repository)][:1] == ["first"]


def test_a_follower_does_not_call_a_run_successful_whose_record_is_ruined(repository: Repository) -> None:
    """Silence about a job is not success."""
    repository.write("flow.json", chain("first", "second"))
    with repository.start("run", "flow.json", "--follow") as run:
        repository.wait(lambda: starts(repository), "the first node to start")
        path = repository.jobs_root / repository.job("second") / "job.json"
        intact = path.read_bytes()
        path.write_text("{")
        repository.write("go", "")
        out, err = run.communicate()
    assert run.returncode != 0, out
    assert "Traceback" not in err
    assert path.parent.name in out + err
    path.write_bytes(intact)
    repository.wait_until_quiet()
    recover(repository)
    check(repository)


def test_a_follower_does_not_call_a_run_successful_whose_jobs_are_gone(repository: Repository) -> None:
    repository.write("flow.json", chain("first", "second"))
    with repository.start("run", "flow.json", "--follow") as run:
        repository.wait(lambda: starts(repository), "the first node to start")
        remove(repository.jobs_root)
        repository.write("go", "")
        out, err = run.communicate()
    assert run.returncode != 0, out
    assert "Traceback" not in err
    repository.wait_until_quiet()
    assert repository.records() == {}
    recover(repository)
    check(repository)


def test_a_job_whose_directory_is_gone_blocks_those_that_wait_for_it(repository: Repository) -> None:
    start_chain(repository, "first", "second", "third")
    shutil.rmtree(repository.jobs_root / repository.job("second"))
    repository.write("go", "")
    repository.wait_until_quiet()
    recover(repository)
    check_logs(repository)
    assert repository.status("third") == "blocked_by_dependency"
    assert repository.status("first") == "succeeded"


# Jobs that cannot be treated


def test_a_dead_job_that_cannot_be_ended_does_not_hold_up_others(repository: Repository) -> None:
    """WS-01-17: neither now nor in later commands, and it is named."""
    start_chain(repository, "first", "second")
    job_id = repository.job("first")
    for process in repository.processes():
        process.kill()
    repository.wait_until_quiet()
    obstacle = repository.write(f".vizier/jobs/{job_id}/outcome.json/obstacle", "")
    for name in ("one", "two"):
        repository.write("other.json", template(command(name, started(name))))
        assert job_id in repository.vizier("run", "other.json").err
        repository.wait_until_quiet()
        assert repository.status(name) == "succeeded"
    shutil.rmtree(obstacle.parent)
    recover(repository)
    check(repository)
    assert repository.status("first") == "failed"


def test_a_job_that_cannot_be_rewound_does_not_hold_up_others(repository: Repository) -> None:
    """WS-01-17: a retry that was interrupted is finished as far as that is possible."""
    repository.write("flow.json", route_flow())
    fault = Fault(repository.base / "trace", Action.KILL, 1, ("unlink",), where=r"-fix/outcome\.json")
    repository.vizier("run", "flow.json", env=fault.env).ok()
    repository.wait_until_quiet()
    job_id = repository.job("check")
    log = repository.jobs_root / job_id / "stdout.log"
    log.unlink()
    log.mkdir()
    for name in ("one", "two"):
        repository.write("other.json", template(command(name, started(name))))
        repository.vizier("run", "other.json")
        repository.wait_until_quiet()
        assert repository.status(name) == "succeeded"
    assert repository.status("fix") == "succeeded"


# Manifests


@pytest.mark.parametrize("damage", ["gone", "garbage", "directory"])
def test_a_ruined_manifest_fails_the_next_job_with_a_reason(damage: str, repository: Repository) -> None:
    start_chain(repository, "first", "second")
    (path,) = (repository.jobs_root / "runs").glob("run_*.json")
    path.unlink()
    if damage == "garbage":
        path.write_text("{")
    elif damage == "directory":
        path.mkdir()
    repository.write("go", "")
    repository.wait_until_quiet()
    check_logs(repository)
    recover(repository)
    assert repository.status("second") == "failed"
    assert str(path) in repository.log("second")
    assert [start.node_id for start in starts(repository)][:1] == ["first"]


# Logs


def test_logs_may_be_deleted_while_a_job_runs(repository: Repository) -> None:
    repository.write("flow.json", chain("first", "second"))
    with repository.start("run", "flow.json", "--follow") as run:
        repository.wait(lambda: starts(repository), "the first node to start")
        for path in repository.jobs_root.glob("*/*.log"):
            path.unlink()
        repository.vizier("jobs", "tail", repository.job("first")).ok()
        repository.write("other.json", template(command("other", started("other"))))
        repository.vizier("run", "other.json").ok()
        assert repository.status("first") == "running"
        repository.write("go", "")
        out, err = run.communicate()
    assert (run.returncode, err) == (0, ""), out
    repository.wait_until_quiet()
    check_logs(repository)
    check(repository)


# The clock


def test_the_clock_may_jump(repository: Repository) -> None:
    """Every command, and every job that it starts, has a time of its own."""
    for number, hours in enumerate((0, -30, 50, -1, 7)):
        name = f"n{number}"
        nodes = (command(name, started(name)), command(f"{name}b", started(f"{name}b"), [name]))
        repository.write("flow.json", template(*nodes))
        repository.vizier("run", "flow.json", "--follow", env=clock(hours)).ok()
        repository.vizier("jobs", "list", env=clock(-hours)).ok()
    repository.wait_until_quiet()
    check_logs(repository)
    check(repository)
    assert set(repository.statuses().values()) == {"succeeded"}
    assert len(starts(repository)) == 10


# Places that are something else


@pytest.mark.parametrize("place", [".vizier", ".vizier/jobs", ".vizier/jobs/runs"])
def test_a_file_where_a_directory_belongs_is_named(place: str, repository: Repository) -> None:
    shutil.rmtree(repository.path / ".vizier", ignore_errors=True)
    repository.write(place, "not a directory\n")
    repository.write("flow.json", template(command("first", started("first"))))
    done = repository.vizier("run", "flow.json").fails()
    assert str(repository.path / place) in done.err, str(done)
    assert len(done.err.strip().splitlines()) == 1
    assert repository.read(place) == "not a directory\n"
