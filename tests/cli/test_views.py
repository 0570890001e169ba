"""Views: they change nothing, and they show what is there."""

import shutil
import subprocess
import time

import pytest

from support.flows import command, template
from support.repository import VIZIER, Repository

READING = [
    ("jobs", "list"),
    ("jobs", "list", "--all", "--format", "json"),
    ("jobs", "schedule"),
    ("jobs", "schedule", "--format", "dag"),
    ("list",),
    ("config", "show"),
]


@pytest.mark.parametrize("args", READING, ids=" ".join)
def test_ws_03_34_views_write_nothing(repository: Repository, args: tuple[str, ...]) -> None:
    """All they may leave is the empty jobs root, which is contract (spec 02 §2)."""
    repository.vizier(*args).ok()
    assert {path.name for path in (repository.path / ".vizier").rglob("*")} <= {"jobs"}
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.parametrize("verb", ["show", "status", "attach"])
def test_unknown_jobs_are_named(repository: Repository, verb: str) -> None:
    assert "nobody" in repository.vizier("jobs", verb, "nobody").fails(1).err


@pytest.mark.parametrize("name", ["runs", "artifacts"])
def test_what_else_lies_beside_the_jobs_is_no_job(repository: Repository, name: str) -> None:
    """Spec 03 §2.1: without a record, or with one."""
    repository.write(f".vizier/jobs/{name}/job.json", "{}")
    for verb in ("show", "status", "attach", "cancel", "retry", "approve"):
        assert f"no background job {name}" in repository.vizier("jobs", verb, name).fails(1).err
    assert f"job {name} not found" in repository.vizier("clean", name, "--yes").fails(1).err
    assert repository.vizier("jobs", "tail", name).ok().out == ""
    assert repository.read(f".vizier/jobs/{name}/job.json") == "{}"


def test_ws_02_23_jobs_of_the_same_moment_keep_one_order(repository: Repository) -> None:
    """By id, whatever the order of the directory."""
    for name in ("c", "a", "b"):
        text = (
            f'{{"id":"{name}","status":"succeeded","command":["vizier"],"created_at":"2026-01-01T00:00:00Z",'
            '"started_at":null,"finished_at":"2026-01-01T00:00:01Z","pid":null,"exit_code":0,'
            '"stdout_path":"","stderr_path":"","session_path":null,"outcome_path":null,"metadata":null,"config_snapshot":null}'
        )
        repository.write(f".vizier/jobs/{name}/job.json", text)
    listed = repository.vizier("jobs", "list", "--all", "--format", "json").ok().json()
    assert [job["job"] for job in listed["jobs"]] == ["a", "b", "c"]


def test_ws_03_24_a_follower_does_not_take_the_lock_to_look(repository: Repository) -> None:
    """While somebody holds the lock, output of the followed job still arrives."""
    import fcntl
    import os

    repository.write(
        "flow.json",
        template(
            command("talk", "until [ -e go ]; do sleep 0.02; done; echo said; until [ -e end ]; do sleep 0.02; done")
        ),
    )
    repository.vizier("run", "./flow.json").ok()
    repository.wait_status("talk", "running")
    follower = subprocess.Popen(
        [*VIZIER, "jobs", "tail", "--follow", repository.job("talk")],
        cwd=repository.path,
        env=repository.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    repository.lock.write_text(f"pid={os.getpid()}\n")
    with repository.lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        repository.write("go", "")
        assert follower.stdout is not None
        deadline = time.monotonic() + 60
        while "said" not in (line := follower.stdout.readline()):
            assert line, "the follower ended"
            assert time.monotonic() < deadline
        repository.lock.unlink()
    repository.write("end", "")
    follower.communicate(timeout=60)
    assert follower.returncode == 0


def test_a_follower_shows_the_last_words_of_a_job_that_is_removed(repository: Repository) -> None:
    """Ruling R6: also those without a line end."""
    _chain(repository, {"a": ["b"], "b": ["a"]})
    repository.write(".vizier/jobs/a/stdout.log", "one\nlast words")
    follower = repository.start("jobs", "attach", "a")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "[stdout] one\n"
    shutil.rmtree(repository.jobs_root / "a")
    out, err = follower.communicate(timeout=60)
    assert (out, err) == ("[stdout] last words\n", "no background job a\n")
    assert follower.returncode == 1


def test_ws_02_22_long_output_is_kept_whole_only_in_the_log(repository: Repository) -> None:
    """The log has all of it, the payload only the beginning and the end (ruling R70)."""
    repository.write("flow.json", template(command("loud", "head -c 30000000 /dev/zero | tr '\\0' x")))
    repository.vizier("run", "./flow.json", "--follow").ok()
    assert len(repository.log("loud", "stdout")) == 30_000_000
    payloads = [path.stat().st_size for path in (repository.jobs_root / "artifacts" / "data").rglob("*.json")]
    assert payloads
    assert max(payloads) < 20_000_000


@pytest.mark.parametrize("form", ["block", "table"])
def test_ws_03_29_control_characters_of_a_record_do_not_steer_the_terminal(repository: Repository, form: str) -> None:
    """A block keeps the lines of a value (spec 03 §2.6), a table has no room for them."""
    repository.write(
        ".vizier/jobs/a/job.json",
        '{"id":"a","status":"failed","command":["say","\\u001b[2Jone\\ntwo"],"created_at":"2026-01-01T00:00:00Z",'
        '"stdout_path":"","stderr_path":""}',
    )
    for verb in (["list"], ["show", "a"]):
        shown = repository.vizier("jobs", *verb, "--format", form).ok().out
        assert "\x1b" not in shown
        assert ("one\ntwo\n" if form == "block" else "one two\n") in shown


def test_ws_03_29_a_summary_in_a_block_may_have_several_lines(repository: Repository) -> None:
    """If the configuration says so (spec 07 §2.5.1)."""
    tree, head = repository.git("rev-parse", "HEAD^{tree}"), repository.git("rev-parse", "HEAD")
    repository.git("branch", "draft/multi", repository.git("commit-tree", tree, "-p", head, "-m", "work"))
    times = '"created_at":"2026-01-01T00:00:00+00:00","updated_at":"2026-01-01T00:00:00+00:00"'
    record = f'{{"plan_id":"pln_1","slug":"multi","branch":"draft/multi","summary":"one\\n\\u001b[2Jtwo",{times}}}'
    repository.write(".vizier/state/plans/pln_1.json", record)
    assert "Summary: one \ufffd[2Jtwo\n" in repository.vizier("list").ok().out
    repository.write(".vizier/config.toml", "[display.lists.list]\nsummary_single_line = false\n")
    assert "Summary: one\n\ufffd[2Jtwo\n" in repository.vizier("list").ok().out


def _chain(repository: Repository, after: dict[str, list[str]]) -> None:
    """Records of jobs that wait for others."""
    for name, predecessors in after.items():
        listed = ",".join(f'{{"job_id":"{other}","policy":"success"}}' for other in predecessors)
        repository.write(
            f".vizier/jobs/{name}/job.json",
            f'{{"id":"{name}","status":"queued","command":["x"],"created_at":"2026-01-01T00:00:00Z",'
            f'"stdout_path":"","stderr_path":"","schedule":{{"after":[{listed}]}}}}',
        )


def test_ws_03_32_a_tree_with_very_many_paths_is_drawn_in_reasonable_size(repository: Repository) -> None:
    """4^13 paths lead from the last layer to the first."""
    names = {f"l{layer:02d}-{place}": layer for layer in range(14) for place in range(4)}
    _chain(repository, {name: [f"l{names[name] - 1:02d}-{p}" for p in range(4) if names[name]] for name in names})
    shown = repository.vizier("jobs", "schedule", "--format", "dag", "--max-depth", "100").ok().out
    assert shown.count("\n") < 50_000
    assert all(f"-> {name} queued" in shown for name, layer in names.items() if layer < 13)
    assert "-> l12-0 queued (see above)\n" in shown


def test_a_tree_may_be_deep(repository: Repository) -> None:
    """No chain of jobs is too long to be drawn."""
    _chain(repository, {f"j{place:04d}": [f"j{place - 1:04d}"] if place else [] for place in range(1200)})
    args = ("--format", "dag", "--max-depth", "2000", "--job", "j1199")
    shown = repository.vizier("jobs", "schedule", *args).ok().out
    first, second, third = shown.split("\n\n")[0].split("\n")[1:4]
    assert (first, second) == ("j1199 queued", "`-- after:success -> j1198 queued")
    assert third == "    `-- after:success -> j1197 queued"
    assert f"\n{'    ' * 1198}`-- after:success -> j0000 queued\n" in shown


def test_a_tree_stops_at_its_depth_and_at_cycles(repository: Repository) -> None:
    _chain(repository, {"a": ["c"], "b": ["a"], "c": ["a", "b"]})
    shown = repository.vizier("jobs", "schedule", "--format", "dag", "--job", "c", "--max-depth", "2").ok().out
    assert shown.split("\n\n")[0].split("\n")[1:] == [
        "c queued",
        "|-- after:success -> a queued",
        "|   `-- after:success -> c queued",
        "`-- after:success -> b queued",
        "    `-- after:success -> a queued",
    ]
    shown = repository.vizier("jobs", "schedule", "--format", "dag", "--job", "c", "--max-depth", "0").ok().out
    assert shown.splitlines()[1:] == ["c queued"]
