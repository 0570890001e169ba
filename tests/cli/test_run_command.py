"""`vizier run` beyond the black-box suite: the weak spots of spec 08 §10 that only the whole program can show."""

import json
import os
import re
import signal
import subprocess

import pytest

from support.flows import command, template
from support.repository import Repository

BLOCKER = "while ! test -e go; do sleep 0.05; done"


@pytest.fixture
def flow(repository: Repository) -> Repository:
    repository.write("flow.json", template(command("one", "true")))
    return repository


def test_ws_08_01_an_unknown_predecessor_leaves_nothing_behind(flow: Repository) -> None:
    done = flow.vizier("run", "flow.json", "--after", "nobody").fails(1)
    assert "unknown --after job id: nobody" in done.err
    assert [str(path) for path in flow.jobs_root.rglob("*.json")] == []


def test_ws_08_02_a_gate_is_there_before_any_tick(flow: Repository) -> None:
    """Others tick all the time; the root must not start without its approval."""
    for _ in range(3):
        ticking = [flow.start("run", "flow.json") for _ in range(2)]
        gated = flow.vizier("run", "flow.json", "--require-approval", "--format", "json").ok().json()["root_job_ids"]
        for process in ticking:
            process.communicate()
        assert [flow.record(job_id)["status"] for job_id in gated] == ["waiting_on_approval"]


def test_ws_08_04_a_mistyped_option_is_told(flow: Repository) -> None:
    done = flow.vizier("run", "flow.json", "--require-aproval").ok()
    assert "if `--require-aproval` was to be an option: it is `--require-approval`" in done.err


@pytest.mark.parametrize("extra", [[], ["--format", "json"]])
def test_ws_08_05_a_check_writes_nothing(flow: Repository, extra: list[str]) -> None:
    flow.vizier("run", "flow.json", "--check", *extra).ok()
    assert not (flow.path / ".vizier").exists()


def test_ws_08_07_a_run_that_is_cleaned_away_does_not_fail_its_follower(repository: Repository) -> None:
    repository.write("flow.json", template(command("one", BLOCKER)))
    follower = repository.start("run", "flow.json", "--follow", "--ephemeral", "--format", "json")
    repository.wait(lambda: repository.statuses() and repository.status("one") == "running", "the job to run")
    repository.write("go", "")
    out, err = follower.communicate(timeout=60)
    assert follower.returncode == 0, err
    assert json.loads(out)["ephemeral_cleanup"]["state"] == "completed"


def test_ws_08_08_workers_outlive_the_terminal(repository: Repository) -> None:
    repository.write("flow.json", template(command("one", BLOCKER)))
    follower = repository.start("run", "flow.json", "--follow")
    repository.wait(lambda: repository.statuses() and repository.status("one") == "running", "the job to run")
    os.killpg(follower.pid, signal.SIGHUP)
    follower.communicate(timeout=60)
    repository.write("go", "")
    repository.wait_status("one", "succeeded")


def test_ws_08_09_nodes_that_may_never_run_are_shown_by_audit(repository: Repository) -> None:
    nodes = [command("main", "true", on={"failed": ["mend"]}), command("mend", "true")]
    repository.write("flow.json", template(*nodes))
    assert "Failure handlers (start by themselves, too):\n- mend\n" in repository.vizier("audit", "flow.json").ok().out
    assert repository.vizier("audit", "flow.json", "--format", "json").ok().json()["failure_handlers"] == ["mend"]


@pytest.mark.parametrize(
    "words",
    [
        ["run", "flow.json", "--after", "run:../../etc"],
        ["run", "flow.json", "--after", "run:a/b"],
        ["run", "flow.json", "--after", "../flow"],
        ["jobs", "show", "../runs"],
        ["jobs", "list", "-l", "../jobs"],
    ],
    ids=" ".join,
)
def test_ws_08_10_ids_are_simple_names(flow: Repository, words: list[str]) -> None:
    done = flow.vizier(*words).fails(1)
    assert words[-1].removeprefix("run:") in done.err
    assert flow.records() == {}


def test_ws_08_11_a_series_is_enqueued_in_one_pass(flow: Repository) -> None:
    """Nothing of it starts, and so no record is read again, before all of it is there."""
    runs = flow.vizier("run", "flow.json", "--repeat", "20", "--format", "json").ok().json()["runs"]
    flow.wait(lambda: set(flow.statuses().values()) == {"succeeded"}, "all runs to end")
    records = [flow.record(entry["root_job_ids"][0]) for entry in runs]
    assert max(record["created_at"] for record in records) < min(record["started_at"] for record in records)
    chain = [record["schedule"].get("after", []) for record in records]
    assert [[entry["job_id"] for entry in after] for after in chain[1:]] == [run["root_job_ids"] for run in runs[:-1]]


def test_ws_08_15_a_broken_template_is_nobody_elses_problem(flow: Repository) -> None:
    flow.write(".vizier/workflows/good.json", template(command("one", "true")))
    flow.write(".vizier/workflows/broken.hcl", "id = \n" * 9)
    done = flow.vizier("run", "template.test@v1", "--check").ok()
    assert "broken.hcl:1:" in done.err
    assert len(done.err.splitlines()) == 2, "one that is no business of the operator's is told briefly"


def test_ws_08_18_nodes_whose_jobs_would_share_an_id(repository: Repository) -> None:
    repository.write("flow.json", template(command("a.b", "true"), command("a-b", "true")))
    done = repository.vizier("run", "flow.json").fails(1)
    assert "a.b" in done.err
    assert "a-b" in done.err
    assert repository.records() == {}


def test_ws_08_20_a_managed_worktree_is_no_project_of_its_own(repository: Repository) -> None:
    prepare = {
        "id": "prepare",
        "kind": "builtin",
        "uses": "cap.env.builtin.worktree.prepare",
        "args": {"slug": "x", "branch": "draft/x"},
        "on": {"succeeded": ["look"]},
    }
    look = command("look", 'vizier="$VIZIER"; "$vizier" -v jobs list --all --format json', after=["prepare"])
    repository.write("flow.json", template(prepare, look))
    program = repository.vizier("--version").argv[0]
    repository.vizier("run", "flow.json", "--follow", env={"VIZIER": program}).ok()
    assert {job["job"] for job in json.loads(repository.log("look", "stdout"))["jobs"]} == {*repository.records()}
    assert f"Working on {repository.path.resolve()}, which the worktree here belongs to" in repository.log(
        "look", "stderr"
    )
    stores = subprocess.run(
        ["find", str(repository.path), "-path", "*/.vizier/jobs"], capture_output=True, text=True, check=True
    )
    assert stores.stdout.split() == [str(repository.jobs_root)]


def test_a_failed_run_says_why_and_where_to_look(repository: Repository) -> None:
    repository.write("flow.json", template(command("bad", "exit 3"), command("later", "true", after=["bad"])))
    done = repository.vizier("run", "flow.json", "--follow").fails(1)
    bad = repository.job("bad")
    assert done.err == f"{bad} failed: command.run failed (exit 3); see `vizier jobs tail {bad}`\n"
    assert repository.vizier("run", "flow.json", "--follow", "--format", "json").fails(1).err == ""
    assert repository.vizier("run", "flow.json", "--follow", "-q").fails(1).err == ""


def test_a_builtin_node_says_why_it_failed(repository: Repository) -> None:
    """It prints its result for programs; people get the sentence in it."""
    repository.git("branch", "draft")
    args = {"slug": "x", "branch": "draft/x"}
    prepare = {"id": "prepare", "kind": "builtin", "uses": "cap.env.builtin.worktree.prepare", "args": args}
    repository.write("flow.json", template(prepare))
    done = repository.vizier("run", "flow.json", "--follow").fails(1)
    assert re.search(r"-prepare failed: worktree\.prepare .*draft/x.*; see `vizier jobs tail ", done.err)


def test_an_unknown_flow_says_which_there_are(repository: Repository) -> None:
    done = repository.vizier("run", "draft").fails(1)
    assert "there are no aliases here, `vizier init` adds some" in done.err
    repository.vizier("init").ok()
    assert "did you mean `draft`?" in repository.vizier("run", "draaft").fails(1).err
    done = repository.vizier("run", "zzz").fails(1)
    assert "the aliases here are approve, commit, develop, draft, merge" in done.err
