"""What an operator does to jobs (spec 03 §§3-5); how a rewind works is the matter of test_rewind.py."""

from collections.abc import Callable
from typing import Any

import pytest

from vizier_core.errors import (
    InvalidIdError,
    OperationRefusedError,
    SchedulerBusyError,
    UnknownJobError,
)
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.lock import SchedulerLock
from vizier_core.jobs.ops import approve_job, cancel_job, reject_job, retry_job
from vizier_kernel.scheduler import JobStatus

from ..records import Document, after, document, on_disk, put, put_text
from .fakes import GONE, FakeLauncher
from .flows import manifest, node_job, put_manifest
from .schemas import problems

Operation = Callable[[JobsContext, str], object]

OPERATIONS: dict[str, Operation] = {
    "approve": approve_job,
    "reject": lambda context, job_id: reject_job(context, job_id, None),
    "retry": retry_job,
    "cancel": cancel_job,
}


@pytest.fixture(autouse=True)
def launcher(context: JobsContext, monkeypatch: pytest.MonkeyPatch) -> FakeLauncher:
    monkeypatch.setenv("VIZIER_APPROVAL_ACTOR", "lead")
    context.launcher = FakeLauncher()
    return context.launcher


@pytest.fixture(params=list(OPERATIONS))
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


def waiting(state: str = "pending", *, required: bool = True, status: str = "waiting_on_approval") -> Document:
    approval = {"required": required, "state": state, "requested_at": "2026-03-04T09:15:00Z"}
    return document("a", status, schedule={"approval": approval})


def status(context: JobsContext, job_id: str = "a") -> str:
    found: str = on_disk(context.store, job_id)["status"]
    return found


# All of them


@pytest.mark.parametrize("job_id", ["ghost", "runs", "artifacts"])
def test_an_unknown_job_is_named(context: JobsContext, operation: Operation, job_id: str) -> None:
    with pytest.raises(UnknownJobError, match=f"no background job {job_id}"):
        operation(context, job_id)


@pytest.mark.parametrize("job_id", ["", "..", "../a"])
def test_ws_01_26_ids_that_lead_elsewhere_are_refused(context: JobsContext, operation: Operation, job_id: str) -> None:
    with pytest.raises(InvalidIdError):
        operation(context, job_id)


def test_d6_nothing_is_done_while_somebody_else_holds_the_lock(context: JobsContext, operation: Operation) -> None:
    before = put(context.store, waiting()).read_bytes()
    context.store.lock.acquire = _busy  # type: ignore[method-assign]
    with pytest.raises(SchedulerBusyError):
        operation(context, "a")
    assert context.store.record_path("a").read_bytes() == before


def _busy(timeout: float | None) -> None:
    raise SchedulerBusyError


@pytest.mark.parametrize("name", ["approve", "reject", "cancel"])
@pytest.mark.parametrize("ended", [s for s in JobStatus if s.is_terminal])
def test_ws_01_06_a_job_that_has_ended_is_refused_and_left_alone(
    context: JobsContext, name: str, ended: JobStatus
) -> None:
    before = put(context.store, waiting(status=ended.value)).read_bytes()
    with pytest.raises(OperationRefusedError, match=rf"job a is (terminal|not active) \({ended.value}\)"):
        OPERATIONS[name](context, "a")
    assert context.store.record_path("a").read_bytes() == before


# Approval


def test_an_approved_job_starts(context: JobsContext, launcher: FakeLauncher) -> None:
    put(context.store, waiting())
    result = approve_job(context, "a")
    approval = on_disk(context.store, "a")["schedule"]["approval"]
    assert (approval["state"], approval["decided_by"]) == ("approved", "lead")
    assert approval["decided_at"]
    assert "reason" not in approval
    assert launcher.started == result.tick.started == ["a"]
    assert problems("job", on_disk(context.store, "a")) == []


@pytest.mark.parametrize(("given", "detail"), [("not today", "not today"), (" ", "approval rejected"), (None, None)])
def test_a_rejected_job_is_blocked_and_so_are_those_after_it(
    context: JobsContext, given: str | None, detail: str | None
) -> None:
    put(context.store, waiting())
    put(context.store, document("b", second=1, schedule={"after": after("a")}))
    result = reject_job(context, "a", given)
    record = on_disk(context.store, "a")
    assert (record["status"], record["exit_code"]) == ("blocked_by_approval", 10)
    assert record["finished_at"]
    assert record["schedule"]["wait_reason"] == {"kind": "approval", "detail": detail or "approval rejected"}
    assert record["schedule"]["waited_on"] == ["approval"]
    assert record["schedule"]["approval"].get("reason") == ("not today" if given == "not today" else None)
    assert problems("job", record) == []
    # R13, WS-01-16: the reject itself ticks.
    assert status(context, "b") == "blocked_by_dependency"
    assert result.tick.updated == ["b"]


@pytest.mark.parametrize("name", ["approve", "reject"])
@pytest.mark.parametrize(
    ("record", "message"),
    [
        (waiting(status="running"), "job a is running"),
        (document("a"), "job a is not configured for approval gating"),
        (waiting(required=False), "job a is not configured for approval gating"),
        (waiting("approved"), "job a is already approved"),
        (waiting("rejected"), "job a approval is already rejected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_decided_is_refused(context: JobsContext, name: str, record: Document, message: str) -> None:
    before = put(context.store, record).read_bytes()
    with pytest.raises(OperationRefusedError, match=message):
        OPERATIONS[name](context, "a")
    assert context.store.record_path("a").read_bytes() == before


def test_r13_routes_do_not_fire_when_an_operator_rejects_or_cancels(context: JobsContext) -> None:
    put_manifest(context.store, manifest({"a": {"blocked": ["b"], "cancelled": ["b"], "failed": ["b"]}, "b": {}}))
    for name in ("reject", "cancel"):
        node_job(context.store, "a", "waiting_on_approval", schedule=waiting()["schedule"])
        node_job(context.store, "b", "succeeded")
        OPERATIONS[name](context, "a")
        assert status(context, "b") == "succeeded"


# Retry


def test_a_retry_tells_what_it_did(context: JobsContext, launcher: FakeLauncher) -> None:
    put(context.store, document("before", "succeeded"))
    put(context.store, document("a", "failed", second=1, schedule={"after": after("before")}))
    put(context.store, document("b", "blocked_by_dependency", second=2, schedule={"after": after("a")}))
    result = retry_job(context, "a")
    assert (result.root, result.last_successful_point, result.retry_set) == ("a", ["before"], ["a", "b"])
    assert (result.tick.started, result.tick.updated) == (["a"], ["b"])
    assert status(context, "b") == "waiting_on_deps"


def test_ws_03_11_a_dead_worker_does_not_keep_its_job_from_being_retried(
    context: JobsContext, launcher: FakeLauncher
) -> None:
    put(context.store, document("a", "running", pid=7))
    launcher.probes["a"] = GONE
    retry_job(context, "a")
    assert launcher.started == ["a"]


def test_a_running_job_is_not_retried(context: JobsContext) -> None:
    before = put(context.store, document("a", "running", pid=7)).read_bytes()
    with pytest.raises(OperationRefusedError, match=r"a \(running\)"):
        retry_job(context, "a")
    assert context.store.record_path("a").read_bytes() == before
    assert not (context.store.jobs_root / "runs").exists()


def test_a_malformed_job_is_not_retried(context: JobsContext) -> None:
    put_text(context.store, "a", "{")
    with pytest.raises(UnknownJobError, match="no background job a with a readable record: "):
        retry_job(context, "a")


@pytest.mark.parametrize("decide", [approve_job, lambda context, job_id: reject_job(context, job_id, None)])
def test_the_lock_comes_before_the_question_whether_there_is_such_a_job(context: JobsContext, decide: Any) -> None:
    """Spec 03 §3.1."""
    context.store.lock.acquire = _busy  # type: ignore[method-assign]
    with pytest.raises(SchedulerBusyError):
        decide(context, "ghost")


# Cancel


@pytest.mark.parametrize("active", [s for s in JobStatus if s.is_active])
def test_a_cancelled_job_has_ended_and_those_after_it_are_blocked(context: JobsContext, active: JobStatus) -> None:
    put(context.store, document("a", active.value, pid=7 if active is JobStatus.RUNNING else None, schedule={}))
    put(context.store, document("b", second=1, schedule={"after": after("a")}))
    result = cancel_job(context, "a")
    record = on_disk(context.store, "a")
    assert (record["status"], record["exit_code"]) == ("cancelled", 143)
    assert (record["metadata"]["cancel_cleanup_status"], result.cleanup.value) == ("skipped", "skipped")
    assert problems("job", record) == []
    assert status(context, "b") == "blocked_by_dependency"


def test_d9_processes_are_asked_and_then_killed_while_nobody_else_can_find_the_worker_dead(
    context: JobsContext, launcher: FakeLauncher
) -> None:
    """WS-01-06: a tick that found it dead would call the job failed and follow its routes."""
    put(context.store, document("a", "running", pid=7))
    held: list[tuple[float, bool]] = []

    def stop(handle: Any, grace: float) -> list[int]:
        held.append((grace, context.store.lock.held))
        return []

    launcher.stop = stop  # type: ignore[method-assign]
    cancel_job(context, "a")
    ((grace, under_lock),) = held
    assert grace > 0
    assert under_lock


def test_processes_that_cannot_be_ended_are_told(context: JobsContext, launcher: FakeLauncher) -> None:
    put(context.store, document("a", "running", pid=7))
    launcher.stop = lambda handle, grace: [7, 8]  # type: ignore[method-assign]
    assert cancel_job(context, "a").survivors == [7, 8]
    assert status(context) == "cancelled"


@pytest.mark.parametrize(
    ("meta", "detail"),
    [
        ({"worktree_owned": None, "worktree_path": ".vizier/tmp-worktrees/w"}, None),
        ({"worktree_owned": True, "worktree_path": None}, None),
        ({"worktree_owned": True, "worktree_path": "elsewhere"}, "not a worktree that vizier manages"),
        ({"worktree_owned": True, "worktree_path": ".vizier/tmp-worktrees/../jobs"}, "not a worktree"),
        ({"worktree_owned": True, "worktree_path": ".vizier/tmp-worktrees/shared"}, "the worktree is also used by b"),
    ],
)
def test_r10_d4_only_a_worktree_of_its_own_is_cleaned(context: JobsContext, meta: Document, detail: str | None) -> None:
    put(context.store, document("a", "running", pid=7, metadata=meta))
    shared = {"worktree_owned": True, "worktree_path": ".vizier/tmp-worktrees/shared"}
    put(context.store, document("b", "succeeded", metadata=shared))
    for path in ("elsewhere", ".vizier/tmp-worktrees/shared"):
        (context.root / path).mkdir(parents=True, exist_ok=True)
    result = cancel_job(context, "a", cleanup_worktree=True)
    assert result.cleanup.value == "skipped"
    assert (result.cleanup_detail or "").startswith(detail or "")
    assert bool(result.cleanup_detail) is bool(detail)
    for path in ("elsewhere", ".vizier/tmp-worktrees/shared", ".vizier/jobs"):
        assert (context.root / path).is_dir()


def test_the_lock_is_free_afterwards_whatever_happened(context: JobsContext, operation: Operation) -> None:
    put(context.store, waiting())
    operation(context, "a")
    with pytest.raises((UnknownJobError, OperationRefusedError)):
        operation(context, "ghost")
    lock = SchedulerLock(context.store.jobs_root / "scheduler.lock")
    lock.acquire(0)
    lock.release()
