"""Damaged, unreadable and misplaced files: a clear line each, exit 1, nothing lost, and all others still shown."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.flows import command, template
from support.repository import VIZIER, Finished, Repository

#: Commands about one job, without its id.
_ABOUT_A_JOB = (
    ("jobs", "show"),
    ("jobs", "status"),
    ("jobs", "approve"),
    ("jobs", "reject"),
    ("jobs", "retry"),
    ("jobs", "cancel"),
    ("jobs", "attach"),
    ("jobs", "tail", "--follow"),
    ("clean", "--yes"),
)
#: Commands about all jobs.
_ABOUT_ALL = (("jobs", "list", "--all"), ("jobs", "schedule", "--all"), ("jobs", "gc", "--days", "365"))
#: Makes a privileged process obey permissions as everybody else has to.
_UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")


@pytest.fixture
def used(repository: Repository) -> Repository:
    """Two finished jobs: `good`, and `bad`, whose files the tests damage."""
    for name in ("good", "bad"):
        repository.write(f"{name}.json", template(command(name, f"echo {name} speaking")))
        repository.vizier("run", f"{name}.json", "--follow").ok()
    repository.wait_until_quiet()
    return repository


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(64) + b"\0")


def half(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def deep(path: Path) -> None:
    path.write_text('{"a":' * 100_000)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def forbidden(path: Path) -> None:
    path.chmod(0)


Damage = Callable[[Path], None]
DAMAGES: tuple[Damage, ...] = (garbage, half, nothing, deep, directory, link_to_itself, forbidden)


def everything(directory_: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory_.rglob("*") if path.is_file()}


def vizier(repository: Repository, damage: Damage, *words: str) -> Finished:
    """Runs the program, without the privilege to read what is forbidden."""
    if damage is not forbidden or os.geteuid():
        return repository.vizier(*words)
    if shutil.which(_UNPRIVILEGED[0]) is None:
        pytest.skip("this test runs with privileges and cannot give them up")
    return repository.run(*_UNPRIVILEGED, *VIZIER, *words)


def one_line(done: Finished) -> str:
    """The message of a command that fails as it should."""
    done.fails()
    assert "internal error" not in done.err, str(done)
    assert "[Errno" not in done.err, str(done)
    # Commands that look at all records say of each that cannot be read that they go on without it.
    lines = [line for line in done.err.splitlines() if not line.startswith("unable to load background job ")]
    assert len(lines) == 1, str(done)
    return lines[0]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_record_is_named_and_left_alone(damage: Damage, used: Repository) -> None:
    bad, good = used.job("bad"), used.job("good")
    record = used.jobs_root / bad / "job.json"
    damage(record)
    before = everything(used.jobs_root)
    for words in _ABOUT_ALL:
        done = vizier(used, damage, *words).ok()
        if words[1] != "gc":
            assert good in done.out, str(done)
            (line,) = [line for line in done.err.splitlines() if bad in line]
            assert line.startswith(f"unable to load background job {bad}: "), str(done)
    for words in _ABOUT_A_JOB:
        line = one_line(vizier(used, damage, *words, bad))
        assert bad in line or str(record) in line, line
    vizier(used, damage, "jobs", "show", good).ok()
    assert everything(used.jobs_root) == before
    used.write("next.json", template(command("next", "true")))
    vizier(used, damage, "run", "next.json", "--follow").ok()
    assert {path: data for path, data in everything(used.jobs_root).items() if path in before} == before


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_manifest_is_named_where_it_is_needed(damage: Damage, used: Repository) -> None:
    """Views and clean-ups do without it; a job that has to be run again says what is missing."""
    bad, good = used.job("bad"), used.job("good")
    manifest = used.jobs_root / "runs" / f"{used.record(bad)['metadata']['workflow_run_id']}.json"
    damage(manifest)
    for words in (*_ABOUT_ALL, ("jobs", "show", bad), ("jobs", "status", bad), ("jobs", "tail", bad)):
        assert vizier(used, damage, *words).ok().err == ""
    vizier(used, damage, "jobs", "retry", bad).ok()
    used.wait_until_quiet()
    assert used.status("bad") == "failed"
    assert str(manifest) in used.log("bad")
    assert "Traceback" not in used.log("bad")
    assert used.status("good") == "succeeded"
    waits = used.write("after.json", template(command("after", "true")))
    run_id = manifest.stem
    line = one_line(vizier(used, damage, "run", waits.name, "--after", f"run:{run_id}"))
    assert str(manifest) in line
    vizier(used, damage, "jobs", "retry", good).ok()
    used.wait_until_quiet()


@pytest.mark.parametrize(
    "damage", [nothing, half, directory, link_to_itself, forbidden], ids=lambda damage: damage.__name__
)
def test_a_damaged_log_does_not_hide_its_job(damage: Damage, used: Repository) -> None:
    bad = used.job("bad")
    log = used.jobs_root / bad / "stdout.log"
    damage(log)
    for words in (("jobs", "list", "--all"), ("jobs", "show", bad), ("jobs", "status", bad)):
        assert bad in vizier(used, damage, *words).ok().out
    for words in (("jobs", "tail", "--stream", "stdout", bad), ("jobs", "tail", bad), ("jobs", "attach", bad)):
        done = vizier(used, damage, *words)
        if damage in {nothing, half}:
            done.ok()
        elif done.code:
            assert str(log) in one_line(done)
    assert "[workflow-node]" in vizier(used, damage, "jobs", "tail", "--stream", "stderr", bad).ok().out


def test_a_log_that_is_cut_while_it_is_followed(repository: Repository) -> None:
    """The follower starts anew, ends with the job, and shows its last line."""
    wait = "while [ ! -e {0} ]; do sleep 0.01; done"
    script = f"echo long long line; {wait.format('cut')}; echo short; {wait.format('go')}; echo last"
    repository.write("flow.json", template(command("first", script)))
    repository.vizier("run", "flow.json").ok()
    repository.wait(lambda: repository.log("first", "stdout"), "the first line")
    with repository.start("jobs", "tail", "--follow", "--stream", "stdout", repository.job("first")) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "long long line\n"
        os.truncate(repository.jobs_root / repository.job("first") / "stdout.log", 0)
        repository.write("cut", "")
        assert follower.stdout.readline() == "short\n"
        repository.write("go", "")
        out, err = follower.communicate()
    assert (follower.returncode, out, err) == (0, "last\n", "")


@pytest.mark.parametrize("words", _ABOUT_A_JOB, ids=" ".join)
@pytest.mark.parametrize("job", ["../../x", "..", "runs", "a/b", "a\nb", ""])
def test_what_cannot_be_a_job_id_leads_nowhere(job: str, words: tuple[str, ...], used: Repository) -> None:
    outside = used.base / "x"
    outside.mkdir()
    (outside / "job.json").write_text(json.dumps({**used.record(used.job("good")), "id": "x"}))
    before = {**everything(used.jobs_root), **everything(outside)}
    one_line(used.vizier(*words, job))
    assert {**everything(used.jobs_root), **everything(outside)} == before
