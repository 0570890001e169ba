"""`vizier clean` and `jobs gc`: what goes, what stays, and what the operator is told."""

import json
import os
import pty
import subprocess

import pytest

from support.flows import command, template
from support.repository import VIZIER, Repository


def _run(repository: Repository, *nodes: dict[str, object], code: int = 0) -> str:
    repository.write("flow.json", template(*nodes))
    done = repository.vizier("run", "./flow.json", "--follow", "--format", "json")
    assert done.code == code, str(done)
    return str(done.json()["run_id"])


def _on_terminal(repository: Repository, *args: str, answer: bytes) -> tuple[int, str]:
    """Runs with a terminal as stdin; the exit code and what was printed."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*VIZIER, *args],
        cwd=repository.path,
        env=repository.env,
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        os.close(follower)
        os.write(leader, answer)
        out, _ = process.communicate(timeout=60)
    os.close(leader)
    return process.returncode, out


def test_ws_03_19_the_question_says_what_will_be_removed(repository: Repository) -> None:
    run_id = _run(repository, command("one", "true"), command("two", "true", after=["one"]))
    code, out = _on_terminal(repository, "clean", repository.job("one"), answer=b"n\n")
    assert code != 0
    assert f"run {run_id}" in out
    assert "2 job(s)" in out
    assert set(repository.statuses().values()) == {"succeeded"}


def test_ws_03_19_an_unknown_job_is_told_before_any_question(repository: Repository) -> None:
    code, out = _on_terminal(repository, "clean", "nobody", answer=b"y\n")
    assert code == 1
    assert "nobody" in out
    assert "?" not in out.splitlines()[0]


def test_ws_03_17_unmerged_drafts_are_rescued_and_their_tips_reported(repository: Repository) -> None:
    _run(repository, command("one", "true"))
    job_id = repository.job("one")
    repository.git("checkout", "-q", "-b", "draft/plan")
    repository.write("work.txt", "precious")
    repository.git("add", "work.txt")
    repository.git("commit", "-q", "-m", "work")
    tip = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "-q", "main")
    path = repository.jobs_root / job_id / "job.json"
    record = json.loads(path.read_text())
    record["metadata"]["branch"] = "draft/plan"
    path.write_text(json.dumps(record))
    result = repository.vizier("clean", job_id, "--yes", "--format", "json").ok().json()
    (deleted,) = result["deleted_branches"]
    assert (deleted["name"], deleted["commit"]) == ("draft/plan", tip)
    assert repository.git("rev-parse", deleted["rescued_as"]) == tip
    assert "draft/plan" not in repository.git("branch", "--list", "draft/*")


def test_ws_03_20_sentinels_and_sessions_of_the_jobs_go(repository: Repository) -> None:
    _run(repository, command("one", "true"))
    job_id = repository.job("one")
    sentinel = repository.write(".vizier/tmp/merge-conflicts/plan.json", "{}")
    other = repository.write(".vizier/tmp/merge-conflicts/other.json", "{}")
    session = repository.write(".vizier/sessions/s1/session.json", "{}")
    path = repository.jobs_root / job_id / "job.json"
    record = json.loads(path.read_text())
    record["schedule"]["artifacts"].append({"merge_sentinel": {"slug": "plan"}})
    record["session_path"] = ".vizier/sessions/s1/session.json"
    path.write_text(json.dumps(record))
    repository.vizier("clean", job_id, "--yes").ok()
    assert (sentinel.exists(), other.exists(), session.exists()) == (False, True, False)


def test_ws_03_21_a_degraded_result_says_why(repository: Repository) -> None:
    _run(repository, command("one", "true"))
    job_id = repository.job("one")
    path = repository.jobs_root / job_id / "job.json"
    record = json.loads(path.read_text())
    precious = repository.base / "precious"
    precious.mkdir()
    record["metadata"] |= {"worktree_owned": True, "worktree_path": str(precious), "worktree_name": "precious"}
    path.write_text(json.dumps(record))
    done = repository.vizier("clean", job_id, "--yes", "--format", "json").fails(1)
    assert done.json()["degraded"] is True
    assert str(precious) in done.json()["degraded_notes"][0]
    assert precious.is_dir()


def test_ws_02_14_gc_takes_manifests_markers_and_payloads_along(repository: Repository) -> None:
    run_id = _run(
        repository,
        command("make", "true", artifacts_by_outcome={"succeeded": [{"custom": {"type_id": "t", "key": "k"}}]}),
    )
    manifest = repository.jobs_root / "runs" / f"{run_id}.json"
    assert manifest.exists()
    assert any(path.is_file() for path in (repository.jobs_root / "artifacts").rglob("*"))
    repository.vizier("jobs", "gc", "--days", "0").ok()
    assert not manifest.exists()
    assert [path for path in (repository.jobs_root / "artifacts").rglob("*") if path.is_file()] == []
    assert repository.records() == {}


def test_a_job_whose_record_cannot_be_read_is_not_found(repository: Repository) -> None:
    """Spec 03 §18: the record is ignored, with a warning; the message says why all the same."""
    repository.write(".vizier/jobs/a/job.json", "[]")
    done = repository.vizier("-q", "clean", "a", "--yes").fails(1)
    assert done.err == "job a not found: its record cannot be read: expected a JSON object\n"
    done = repository.vizier("-q", "jobs", "retry", "a").fails(1)
    assert done.err == "no background job a with a readable record: expected a JSON object\n"


def test_ws_03_07_gc_takes_the_session_of_a_job_along(repository: Repository) -> None:
    session = repository.write(".vizier/sessions/s/session.json", "{}")
    other = repository.write(".vizier/sessions/t/session.json", "{}")
    _job(repository, "a", session_path=".vizier/sessions/s/session.json")
    repository.vizier("jobs", "gc").ok()
    assert (session.exists(), other.exists()) == (False, True)


def test_ws_03_06_gc_and_cancel_answer_in_json(repository: Repository) -> None:
    _job(repository, "a")
    assert repository.vizier("jobs", "gc", "--format", "json").ok().json() == {
        "outcome": "removed 1 job(s)",
        "removed": {"jobs": 1},
    }
    _job(repository, "b", status="queued")
    cancelled = repository.vizier("jobs", "cancel", "b", "--cleanup-worktree", "--format", "json").ok().json()
    assert list(cancelled) == sorted(cancelled)
    assert (cancelled["job"], cancelled["status"], cancelled["cleanup"]) == ("b", "cancelled", "skipped")
    assert (cancelled["cleanup_detail"], cancelled["survivors"]) == (None, [])
    again = repository.vizier("jobs", "cancel", "b", "--format", "json").fails(1)
    assert (again.out, "is not active" in again.err) == ("", True)


@pytest.mark.parametrize("numbers", ["999999.0", "999999.1772614500000000000.3"])
def test_ws_02_05_gc_sweeps_what_killed_writers_have_left(repository: Repository, numbers: str) -> None:
    _run(repository, command("one", "true"))
    half = repository.jobs_root / repository.job("one") / f"job.json.tmp.{numbers}"
    half.write_text("{")
    os.utime(half, (0, 0))  # long ago: nobody is still writing it
    repository.vizier("jobs", "gc", "--days", "1").ok()
    assert not half.exists()
    assert repository.status("one") == "succeeded"


def test_gc_keeps_what_a_waiting_job_needs(repository: Repository) -> None:
    """An old job that an active one depends on stays, and so does its artifact."""
    artifact = {"custom": {"type_id": "t", "key": "k"}}
    _run(repository, command("make", "true", artifacts_by_outcome={"succeeded": [artifact]}))
    maker = repository.job("make")
    repository.write("second.json", template(command("use", "true", gates=[{"kind": "approval", "required": True}])))
    repository.vizier("run", "./second.json", "--after", maker).ok()
    repository.vizier("jobs", "gc", "--days", "0").ok()
    assert repository.status("make") == "succeeded"
    repository.vizier("jobs", "approve", repository.job("use")).ok()
    repository.wait_status("use", "succeeded")


def _job(repository: Repository, job_id: str, **more: object) -> None:
    record = {"id": job_id, "status": "succeeded", "created_at": "2026-01-01T00:00:00Z", **more}
    record |= {"command": ["vizier"], "stdout_path": "", "stderr_path": ""}
    repository.write(f".vizier/jobs/{job_id}/job.json", json.dumps(record))


def test_artifacts_are_found_at_any_depth(repository: Repository) -> None:
    """Spec 03 §8.4 no. 3 and 7: the whole trees are walked, links are not followed."""
    _job(repository, "a")
    outside = repository.write("outside/a.json", "{}")
    artifacts = repository.jobs_root / "artifacts"
    for name in ("custom/1/2/3/4/a.json", "custom/a.json", "data/1/a.json"):
        repository.write(f".vizier/jobs/artifacts/{name}", "{}")
    (artifacts / "custom" / "link").symlink_to(outside.parent)
    removed = repository.vizier("clean", "a", "--yes", "--format", "json").ok().json()["removed"]
    assert (removed["artifact_markers"], removed["artifact_payloads"]) == (2, 1)
    assert outside.exists()
    assert sorted(str(path.relative_to(artifacts)) for path in artifacts.rglob("*")) == [
        "custom",
        "custom/link",
        "data",
    ]


def test_ws_03_20_session_files_go_wherever_they_are_below_the_sessions(repository: Repository) -> None:
    kept = repository.write("mine.json", "{}")
    beside = repository.write(".vizier/sessions/other.json", "{}")
    for place, path in enumerate((".vizier/sessions/s.json", ".vizier/sessions/x/y/session.json", "mine.json")):
        repository.write(path, "{}")
        _job(repository, f"a{place}", session_path=path)
        # What is not vizier's is not touched, and no reason to call the result degraded.
        assert repository.vizier("clean", f"a{place}", "--yes", "--format", "json").ok().json()["degraded"] is False
    assert kept.exists()
    assert [path for path in (repository.path / ".vizier/sessions").rglob("*") if path.is_file()] == [beside]


def test_a_file_that_cannot_be_removed_does_not_stop_the_rest(repository: Repository) -> None:
    """Spec 03 §8.4: every failure is a note."""
    _job(repository, "a", schedule={"artifacts": [{"merge_sentinel": {"slug": "s"}}]})
    (repository.path / ".vizier/tmp/merge-conflicts/s.json").mkdir(parents=True)
    done = repository.vizier("clean", "a", "--yes", "--format", "json").fails(1).json()
    assert (done["removed"]["jobs"], done["degraded"]) == (1, True)
    assert "merge-conflicts/s.json" in done["degraded_notes"][0]


def test_a_plan_is_released_by_exactly_its_jobs(repository: Repository) -> None:
    """Spec 03 §8.2: `workflow-job:<id>`; another reference that reads like the id is not meant."""
    _job(repository, "a")
    plan = {"plan_id": "p", "created_at": "t", "updated_at": "t", "work_ref": "a", "job_ids": {"persist": "a"}}
    path = repository.write(".vizier/state/plans/p.json", json.dumps(plan))
    repository.vizier("clean", "a", "--yes").ok()
    assert json.loads(path.read_text())["work_ref"] == "a"
