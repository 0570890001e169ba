"""Putting finished jobs back to the start of their lives (spec 03 §4, decision D4)."""

import json
import shutil
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from vizier_core.errors import OperationRefusedError, UnknownJobError
from vizier_core.jobs import rewind
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.model import JobMetadata, JobRecord, RetryCleanup
from vizier_core.jobs.published import is_published, payload_path, publish, write_payload
from vizier_core.jobs.rewind import (
    ExecutionContext,
    RunningInSetError,
    check_merge_state,
    last_successful_point,
    merge_slugs,
    perform_rewind,
    plan_rewind,
    write_intention,
)
from vizier_core.jobs.store import JobStore
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus

from ..killing import every_interruption
from ..records import Document, after, custom, document, locked, needs, on_disk, put, put_text
from .fakes import FakeLauncher
from .flows import next_command
from .schemas import problems

TOKEN = Artifact.custom("token", "t")
WORKTREE = ".vizier/tmp-worktrees/w"
WORKER = {"token": "t", "start_ticks": 1, "boot_id": "b", "pid_namespace": 1, "host": "h"}


@pytest.fixture(autouse=True)
def launcher(context: JobsContext) -> FakeLauncher:
    context.launcher = FakeLauncher()
    return context.launcher


@pytest.fixture(autouse=True)
def removed_worktrees(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The worktrees that were removed; git is not asked, there is no repository."""
    removed: list[str] = []

    def release(store: JobStore, record: JobRecord) -> tuple[RetryCleanup, str | None]:
        path = record.meta.worktree_path
        if record.meta.worktree_owned is not True:
            return RetryCleanup.SKIPPED, None
        if path is None or path.startswith("unsafe"):
            return RetryCleanup.DEGRADED, f"refusing to clean unsafe worktree path {path}"
        removed.append(path)
        shutil.rmtree(store.root / path, ignore_errors=True)
        return RetryCleanup.DONE, None

    monkeypatch.setattr(rewind, "release_worktree", release)
    return removed


def owns(path: str = WORKTREE) -> Document:
    return {"worktree_path": path, "worktree_name": Path(path).name, "worktree_owned": True, "execution_root": path}


def ended(job_id: str, status: str = "failed", *, second: int = 0, **more: Any) -> Document:
    """A job that has been run, with all that a run leaves in its record."""
    metadata = {"workflow_node_attempt": 1, "plan": "p", "command_alias": "draft", **more.pop("metadata", {})}
    return document(
        job_id,
        status,
        second=second,
        started_at="2026-03-04T09:16:00Z",
        finished_at="2026-03-04T09:17:00Z",
        pid=7,
        exit_code=1,
        outcome_path=f".vizier/jobs/{job_id}/outcome.json",
        metadata=metadata,
        **more,
    )


def rewound(context: JobsContext, *roots: str, source: JobRecord | None = None) -> None:
    with locked(context.store):
        context.index.refresh(complete=True)
        plan = plan_rewind(context.index, roots, source)
        write_intention(context.store, plan)
        perform_rewind(context, plan)


def planned(context: JobsContext, *roots: str) -> list[str]:
    context.index.refresh(complete=True)
    return list(plan_rewind(context.index, roots).attempts)


# Planning


def test_the_set_is_the_roots_and_all_that_depends_on_them(context: JobsContext) -> None:
    put(context.store, ended("a", second=0))
    put(context.store, ended("b", second=2, schedule={"after": after("a")}))
    put(context.store, ended("c", second=1, schedule={"after": after("b")}))
    put(context.store, ended("d", second=3))
    assert planned(context, "b") == ["b", "c"]
    assert planned(context, "d", "c") == ["d", "c"]


def test_an_unknown_root_is_named(context: JobsContext) -> None:
    with pytest.raises(UnknownJobError, match="no background job ghost"):
        planned(context, "ghost")


def test_a_root_that_cannot_be_read_is_unknown(context: JobsContext) -> None:
    put_text(context.store, "a", "{")
    with pytest.raises(UnknownJobError):
        planned(context, "a")


@pytest.mark.parametrize("status", [status for status in JobStatus if status is not JobStatus.RUNNING])
def test_jobs_of_any_status_but_running_may_be_rewound(context: JobsContext, status: JobStatus) -> None:
    put(context.store, ended("a", status.value))
    assert planned(context, "a") == ["a"]


def test_running_jobs_of_the_set_are_named(context: JobsContext) -> None:
    put(context.store, ended("a"))
    put(context.store, ended("b", "running", second=1, schedule={"after": after("a")}))
    put(context.store, ended("c", "running", second=2, schedule={"after": after("b")}))
    with pytest.raises(RunningInSetError, match=r"retry set: b \(running\), c \(running\)"):
        planned(context, "a")


def test_predecessors_that_have_succeeded(context: JobsContext) -> None:
    put(context.store, ended("by-name", "succeeded", second=2))
    put(context.store, ended("maker", "succeeded", second=1, schedule={"artifacts": [custom()]}))
    put(context.store, ended("broken", "failed"))
    schedule = {"after": after("by-name", "broken", "ghost"), "dependencies": needs(custom())}
    put(context.store, ended("a", schedule=schedule))
    context.index.refresh()
    assert last_successful_point(context.index, "a") == ["maker", "by-name"]


# One record


def test_a_rewound_record_field_by_field(context: JobsContext) -> None:
    """Spec 03 §4.4."""
    meta = {
        "workflow_node_attempt": 3,
        "workflow_node_outcome": "failed",
        "workflow_payload_refs": ["p"],
        "agent_exit_code": 1,
        "cancel_cleanup_status": "failed",
        "cancel_cleanup_error": "e",
        "retry_cleanup_error": "old",
        "process_liveness_state": "stale_not_running",
        "process_liveness_checked_at": "2026-03-04T09:16:00Z",
        "process_liveness_failure_reason": "worker process 7 is not running",
        "workflow_template_selector": "file:flow.hcl",
        "branch": "draft/p",
        "worker": WORKER,
        "route_rewinds": 4,
        "routes_pending": True,
        **owns(),
    }
    schedule = {
        "after": after("z"),
        "locks": [{"key": "k", "mode": "shared"}],
        "wait_reason": {"kind": "locks", "detail": "waiting on locks"},
        "waited_on": ["dependencies", "locks"],
    }
    before = ended("a", metadata=meta, schedule=schedule, session_path="s", config_snapshot={"x": 1})
    put(context.store, before)
    rewound(context, "a")
    record = on_disk(context.store, "a")
    assert problems("job", record) == []
    assert record["status"] == "queued"
    for key in ("started_at", "finished_at", "pid", "exit_code", "session_path", "outcome_path"):
        assert record[key] is None
    for key in ("id", "command", "child_args", "created_at", "config_snapshot", "stdout_path", "stderr_path"):
        assert record[key] == before[key]
    assert (record["schedule"]["wait_reason"], record["schedule"]["waited_on"]) == (None, [])
    assert (record["schedule"]["after"], record["schedule"]["locks"]) == (schedule["after"], schedule["locks"])
    now = record["metadata"]
    assert (now["workflow_node_attempt"], now["retry_cleanup_status"], now["execution_root"]) == (4, "done", ".")
    for key in (
        *("workflow_node_outcome", "workflow_payload_refs", "agent_exit_code", "retry_cleanup_error"),
        *("cancel_cleanup_status", "cancel_cleanup_error", "worktree_name", "worktree_path", "worktree_owned"),
        *("process_liveness_state", "process_liveness_checked_at", "process_liveness_failure_reason"),
    ):
        assert now[key] is None, key
    for key in ("worker", "route_rewinds", "routes_pending"):
        assert key not in now
    for key in ("plan", "branch", "command_alias", "workflow_template_selector"):
        assert now[key] == before["metadata"][key]


def test_an_attempt_that_was_not_counted_was_the_first(context: JobsContext) -> None:
    put(context.store, ended("a", metadata={"workflow_node_attempt": None}))
    rewound(context, "a")
    assert on_disk(context.store, "a")["metadata"]["workflow_node_attempt"] == 2


def test_a_record_without_metadata_or_schedule_stays_without(context: JobsContext) -> None:
    put(context.store, document("a", "failed", exit_code=1))
    rewound(context, "a")
    record = on_disk(context.store, "a")
    assert (record["status"], record["exit_code"]) == ("queued", None)
    assert (record["metadata"], record["schedule"]) == (None, None)


@pytest.mark.parametrize("state", ["approved", "rejected", "pending"])
def test_a_required_approval_is_asked_for_again(
    context: JobsContext, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIZIER_APPROVAL_ACTOR", "lead")
    decided = {"decided_at": "2026-03-04T09:16:00Z", "decided_by": "ana", "reason": "r"}
    approval = {"required": True, "state": state, "requested_at": "2026-03-04T09:15:00Z", **decided}
    put(context.store, ended("a", schedule={"approval": approval}))
    rewound(context, "a")
    fresh = on_disk(context.store, "a")["schedule"]["approval"]
    assert list(fresh) == ["required", "state", "requested_at", "requested_by"]
    assert (fresh["state"], fresh["requested_by"]) == ("pending", "lead")
    assert fresh["requested_at"] > approval["requested_at"]


def test_an_approval_that_is_not_required_is_left_alone(context: JobsContext) -> None:
    approval = {"required": False, "state": "approved", "requested_at": "2026-03-04T09:15:00Z"}
    put(context.store, ended("a", schedule={"approval": approval}))
    rewound(context, "a")
    assert on_disk(context.store, "a")["schedule"]["approval"] == approval


def test_ws_01_34_d19_what_the_earlier_attempt_left_running_is_ended_before_the_next(
    context: JobsContext, launcher: FakeLauncher
) -> None:
    put(context.store, ended("a", metadata={"worker": WORKER}))
    put(context.store, ended("b"))
    rewound(context, "a", "b")
    assert launcher.stopped == [("a", 0)]


# Files


def test_files_of_the_attempt_go_and_logs_are_emptied(context: JobsContext) -> None:
    put(context.store, ended("a", schedule={"artifacts": [custom()]}))
    directory = context.store.job_directory("a")
    own = ("outcome.json", "command.patch", "ask-save.patch", "save-input.patch")
    for name in (*own, "stdout.log", "patch-pipeline.json", "notes"):
        (directory / name).write_text("x")
    publish(context.store, "a", [], [TOKEN])
    publish(context.store, "b", [], [TOKEN])
    write_payload(context.store, TOKEN, "a", {})
    rewound(context, "a")
    left = {path.name: path.stat().st_size for path in directory.iterdir()}
    assert set(left) == {"job.json", "stdout.log", "stderr.log", "patch-pipeline.json", "notes"}
    assert (left["stdout.log"], left["stderr.log"]) == (0, 0)
    assert not payload_path(context.store, TOKEN, "a").exists()
    assert is_published(context.store, TOKEN), "the marker of another job is gone"
    assert list((context.store.jobs_root / "runs").iterdir()) == []


@pytest.mark.parametrize("place", ["precious", "../precious", ".vizier/jobs/other/outcome.json", "absolute"])
def test_ws_02_10_ws_03_15_a_recorded_outcome_path_elsewhere_is_not_deleted(context: JobsContext, place: str) -> None:
    precious = context.root / place if place != "absolute" else context.root.parent / "precious"
    precious.parent.mkdir(parents=True, exist_ok=True)
    precious.write_text("x")
    put(context.store, {**ended("a"), "outcome_path": str(precious) if place == "absolute" else place})
    rewound(context, "a")
    assert precious.read_text() == "x"


# Worktrees


def test_d4_a_worktree_is_removed_once_for_all_who_claim_it(context: JobsContext, removed_worktrees: list[str]) -> None:
    put(context.store, ended("a", metadata=owns()))
    put(context.store, ended("b", second=1, schedule={"after": after("a")}, metadata=owns()))
    rewound(context, "a")
    assert removed_worktrees == [WORKTREE]
    for job_id in "ab":
        meta = on_disk(context.store, job_id)["metadata"]
        assert (meta["retry_cleanup_status"], meta["worktree_path"], meta["execution_root"]) == ("done", None, ".")


@pytest.mark.parametrize("status", ["succeeded", "running", "queued"])
def test_ws_01_31_d4_a_worktree_that_a_job_outside_of_the_set_claims_stays_and_the_job_stays_in_it(
    context: JobsContext, removed_worktrees: list[str], status: str
) -> None:
    put(context.store, ended("creator", status, metadata=owns()))
    put(context.store, ended("b", second=1, schedule={"after": after("creator")}, metadata=owns()))
    rewound(context, "b")
    assert removed_worktrees == []
    meta = on_disk(context.store, "b")["metadata"]
    assert meta["retry_cleanup_status"] == "skipped"
    assert {key: meta[key] for key in owns()} == owns()


def test_a_job_that_owns_no_worktree_loses_its_context(context: JobsContext, removed_worktrees: list[str]) -> None:
    put(context.store, ended("a", metadata={**owns(), "worktree_owned": None}))
    rewound(context, "a")
    meta = on_disk(context.store, "a")["metadata"]
    assert removed_worktrees == []
    assert (meta["retry_cleanup_status"], meta["worktree_path"], meta["execution_root"]) == ("skipped", None, ".")


def test_a_worktree_that_cannot_be_removed_is_kept_in_the_record_and_told(
    context: JobsContext, warnings: list[str]
) -> None:
    put(context.store, ended("a", metadata=owns("unsafe")))
    rewound(context, "a")
    meta = on_disk(context.store, "a")["metadata"]
    assert meta["retry_cleanup_status"] == "degraded"
    assert "refusing to clean unsafe worktree path unsafe" in meta["retry_cleanup_error"]
    assert {key: meta[key] for key in owns("unsafe")} == owns("unsafe")
    (warning,) = warnings
    assert "retry cleanup degraded for a: " in warning
    assert "worktree metadata retained for future cleanup" in warning


# The context of a route


def source_of(context: JobsContext, **meta: Any) -> JobRecord:
    """A job that is just ending, whose route it is."""
    put(context.store, document("source", "running", pid=7, metadata={"workflow_node_attempt": 1, **meta}))
    return context.store.read("source")


def test_the_roots_shall_work_where_the_source_has_worked_and_only_they(context: JobsContext) -> None:
    (context.root / WORKTREE).mkdir(parents=True)
    put(context.store, ended("a"))
    put(context.store, ended("b", second=1, schedule={"after": after("a")}))
    put(context.store, ended("creator", "succeeded", metadata=owns()))
    rewound(context, "a", source=source_of(context, **owns()))
    assert {key: on_disk(context.store, "a")["metadata"][key] for key in owns()} == owns()
    assert on_disk(context.store, "b")["metadata"]["worktree_path"] is None


def test_r66_a_context_that_leads_into_a_removed_worktree_is_not_applied(
    context: JobsContext, removed_worktrees: list[str]
) -> None:
    (context.root / WORKTREE).mkdir(parents=True)
    put(context.store, ended("creator", "succeeded", metadata=owns()))
    source = source_of(context, **owns())
    put(context.store, {**on_disk(context.store, "source"), "schedule": {"after": after("creator")}})
    rewound(context, "creator", source=source)
    assert removed_worktrees == [WORKTREE]
    meta = on_disk(context.store, "creator")["metadata"]
    assert (meta["execution_root"], meta["worktree_path"]) == (".", None)


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (None, None),
        ({}, None),
        ({"worktree_name": "w", "worktree_owned": True}, None),
        ({"execution_root": " . "}, (".", None, None, None)),
        ({"worktree_path": "w", "worktree_name": " "}, (None, "w", None, None)),
    ],
)
def test_what_counts_as_a_context(meta: dict[str, Any] | None, expected: tuple[Any, ...] | None) -> None:
    found = ExecutionContext.of(None if meta is None else JobMetadata(**meta))
    assert found == (None if expected is None else ExecutionContext(*expected))


def test_r72_rewinds_by_routes_are_counted_until_an_operator_rewinds(context: JobsContext) -> None:
    put(context.store, ended("a"))
    for count in (1, 2):
        rewound(context, "a", source=source_of(context))
        assert on_disk(context.store, "a")["metadata"]["route_rewinds"] == count
    rewound(context, "a")
    assert "route_rewinds" not in on_disk(context.store, "a")["metadata"]


# Merges


@pytest.mark.parametrize(
    ("more", "slugs"),
    [
        ({}, set()),
        ({"schedule": {"dependencies": needs({"merge_sentinel": {"slug": "s"}})}}, {"s"}),
        ({"schedule": {"artifacts": [{"merge_sentinel": {"slug": "s"}}]}}, {"s"}),
        ({"schedule": {"locks": [{"key": "merge_sentinel: s ", "mode": "shared"}]}}, {"s"}),
        ({"schedule": {"locks": [{"key": "merge_sentinel: ", "mode": "shared"}]}}, set()),
        ({"metadata": {"command_alias": "merge", "plan": "s"}}, {"s"}),
        ({"metadata": {"command_alias": None, "scope": "merge", "plan": "s"}}, {"s"}),
        ({"metadata": {"command_alias": "draft", "scope": "merge", "plan": "s"}}, set()),
        ({"metadata": {"command_alias": "merge", "plan": None}}, set()),
    ],
)
def test_the_plans_whose_merge_a_job_is_about(store: JobStore, more: dict[str, Any], slugs: set[str]) -> None:
    put(store, document(**more))
    assert merge_slugs(store.read("job-a")) == slugs


@pytest.mark.parametrize("head", ["MERGE_HEAD", "CHERRY_PICK_HEAD"])
def test_jobs_about_a_merge_are_not_rewound_in_the_middle_of_one(context: JobsContext, head: str) -> None:
    put(context.store, ended("a", metadata={"command_alias": "merge", "plan": "s"}))
    put(context.store, ended("b"))
    (context.root / ".git" / head).touch()
    context.index.refresh()
    with pytest.raises(OperationRefusedError, match="in-progress merge/cherry-pick; run `git merge --abort`"):
        check_merge_state(context.store, plan_rewind(context.index, ["a"]))
    check_merge_state(context.store, plan_rewind(context.index, ["b"]))


def test_sentinels_of_the_merge_go(context: JobsContext) -> None:
    put(context.store, ended("a", metadata={"command_alias": "merge", "plan": "s"}))
    directory = context.root / ".vizier" / "tmp" / "merge-conflicts"
    directory.mkdir(parents=True)
    for slug in ("s", "other"):
        (directory / f"{slug}.json").write_text("{}")
    rewound(context, "a")
    assert [path.name for path in directory.iterdir()] == ["other.json"]


def test_ws_02_09_a_slug_that_leads_elsewhere_deletes_nothing(context: JobsContext) -> None:
    put(context.store, ended("a", metadata={"command_alias": "merge", "plan": "../../precious"}))
    precious = context.root / ".vizier" / "precious.json"
    precious.write_text("x")
    (context.root / ".vizier" / "tmp" / "merge-conflicts").mkdir(parents=True)
    rewound(context, "a")
    assert precious.read_text() == "x"


# Interruptions


def state_of(context: JobsContext) -> dict[str, Any]:
    """Every file below `.vizier` but those of interrupted writes: what records say, how long logs are."""
    found: dict[str, Any] = {}
    for path in sorted((context.root / ".vizier").rglob("*")):
        if path.is_file() and ".tmp." not in path.name:
            text = path.read_text()
            told = json.loads(text) if path.name == "job.json" else len(text) if path.suffix == ".log" else "exists"
            found[str(path.relative_to(context.root))] = told
    return found


def chain(context: JobsContext) -> JobsContext:
    """Three jobs that have ended, with everything that a rewind has to remove."""
    shutil.rmtree(context.root / ".vizier")
    fresh = next_command(context)
    fresh.store.ensure_jobs_root()
    (context.root / WORKTREE).mkdir(parents=True)
    sentinels = context.root / ".vizier" / "tmp" / "merge-conflicts"
    sentinels.mkdir(parents=True)
    (sentinels / "p.json").write_text("{}")
    for number, job_id in enumerate("abc"):
        schedule = {"after": after("ab"[number - 1]) if number else [], "artifacts": [custom()]}
        meta = {"command_alias": "merge", **(owns() if number == 1 else {})}
        put(fresh.store, ended(job_id, second=number, schedule=schedule, metadata=meta))
        for name in ("outcome.json", "stdout.log", "stderr.log"):
            (fresh.store.job_directory(job_id) / name).write_text("x")
        publish(fresh.store, job_id, [], [TOKEN])
        write_payload(fresh.store, TOKEN, job_id, {})
    (fresh.store.jobs_root / "runs").mkdir()
    fresh.index.refresh()
    fresh.store.lock.acquire(5)
    return fresh


def rewind_chain(context: JobsContext) -> None:
    plan = plan_rewind(context.index, ["a"])
    check_merge_state(context.store, plan)
    write_intention(context.store, plan)
    perform_rewind(context, plan)


def resumed(context: JobsContext) -> dict[str, Any]:
    """What the next command that takes the lock makes of it."""
    context.store.lock.abandon()
    following = next_command(context)
    with exclusive(following):
        pass
    return state_of(following)


def test_killed_anywhere_a_rewind_is_finished_by_the_next_command_or_has_not_begun(context: JobsContext) -> None:
    untouched = resumed(chain(context))
    complete = chain(context)
    rewind_chain(complete)
    complete_state = resumed(complete)
    seen = set()
    for place, done in every_interruption(lambda: chain(context), rewind_chain):
        state = resumed(place)
        assert state in (untouched, complete_state)
        seen.add(state == complete_state)
        assert state == complete_state or not done
        assert resumed(place) == state
    assert seen == {True, False}


def test_killed_again_and_again_it_is_finished_in_the_end(context: JobsContext) -> None:
    """Every command gets a little further than the one before."""
    complete = chain(context)
    rewind_chain(complete)
    expected = resumed(complete)

    def begun() -> JobsContext:
        fresh = chain(context)
        plan = plan_rewind(fresh.index, ["a"])
        write_intention(fresh.store, plan)
        fresh.store.lock.abandon()
        return next_command(fresh)

    def take_lock(context: JobsContext) -> None:
        with exclusive(context):
            pass

    for place, _ in every_interruption(begun, take_lock, stride=5):
        again = every_interruption(partial(next_command, place), take_lock)
        for _ in islice(again, 3):
            pass
        assert resumed(place) == expected


@pytest.mark.parametrize(("attempt", "rewinds"), [(1, False), (2, True)])
def test_a_route_whose_source_has_not_ended_yet_is_not_followed(
    context: JobsContext, attempt: int, rewinds: bool
) -> None:
    """The note was written, then the process was killed; a later attempt of the source means that it had ended."""
    put(context.store, ended("a"))
    source = source_of(context)
    with locked(context.store):
        context.index.refresh()
        write_intention(context.store, plan_rewind(context.index, ["a"], source))
    put(context.store, document("source", "running", pid=7, metadata={"workflow_node_attempt": attempt}))
    resumed(context)
    assert on_disk(context.store, "a")["status"] == ("queued" if rewinds else "failed")
    assert on_disk(context.store, "source")["status"] == "running"
    assert list((context.store.jobs_root / "runs").iterdir()) == []


def test_a_note_that_cannot_be_read_is_dropped_with_a_warning(context: JobsContext, warnings: list[str]) -> None:
    put(context.store, ended("a"))
    (context.store.jobs_root / "runs").mkdir()
    note = context.store.jobs_root / "runs" / "rewind.pending"
    note.write_text("{")
    resumed(context)
    assert not note.exists()
    assert on_disk(context.store, "a")["status"] == "failed"
    assert any("unreadable note about an interrupted retry" in line for line in warnings)


def test_a_rewind_whose_jobs_are_gone_is_forgotten(context: JobsContext) -> None:
    put(context.store, ended("a"))
    with locked(context.store):
        context.index.refresh()
        write_intention(context.store, plan_rewind(context.index, ["a"]))
    shutil.rmtree(context.store.job_directory("a"))
    resumed(context)
    assert list((context.store.jobs_root / "runs").iterdir()) == []


def test_a_job_that_was_rewound_already_is_not_rewound_again(context: JobsContext) -> None:
    put(context.store, ended("a"))
    put(context.store, ended("b", second=1, schedule={"after": after("a")}))
    with locked(context.store):
        context.index.refresh()
        write_intention(context.store, plan_rewind(context.index, ["a"]))
    put(context.store, document("a", metadata={"workflow_node_attempt": 2}))
    resumed(context)
    assert on_disk(context.store, "a")["metadata"]["workflow_node_attempt"] == 2
    assert on_disk(context.store, "b")["metadata"]["workflow_node_attempt"] == 2
