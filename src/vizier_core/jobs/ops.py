"""What an operator does to jobs: approve, reject, retry, cancel (spec 03 §§3-5).

Every operation works under the scheduler lock on freshly read records, and ends with a tick, so that dependents see its
effect at once (ruling R13).
"""

from collections.abc import Callable
from typing import Final

import msgspec

from vizier_core.errors import OperationRefusedError
from vizier_core.jobs.actor import approval_actor
from vizier_core.jobs.cleanup import is_safe_to_remove, recorded_path, remove_worktree
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.lifecycle import finalize_job
from vizier_core.jobs.liveness import reconcile_dead_workers
from vizier_core.jobs.model import CancelCleanup, JobApproval, JobMetadata, JobRecord
from vizier_core.jobs.rewind import (
    check_merge_state,
    last_successful_point,
    perform_rewind,
    plan_rewind,
    write_intention,
)
from vizier_core.jobs.scheduler import TickOutcome, scheduler_tick_locked
from vizier_core.jobs.store import checked_job_id
from vizier_core.jobs.workers import worker_handle
from vizier_core.timestamp import Timestamp
from vizier_kernel.scheduler import ApprovalState, JobStatus, WaitKind, WaitReason

#: Seconds that a cancelled job's processes have between being asked and being killed.
CANCEL_GRACE: Final = 2.0


class ApprovalResult(msgspec.Struct, frozen=True):
    """What became of a job that was approved or rejected."""

    record: JobRecord
    tick: TickOutcome = TickOutcome()


class RetryResult(msgspec.Struct, frozen=True):
    """What a retry has done."""

    root: str
    last_successful_point: list[str]
    retry_set: list[str]
    tick: TickOutcome


class CancelResult(msgspec.Struct, frozen=True):
    """What a cancellation has done."""

    record: JobRecord
    cleanup: CancelCleanup
    #: Why the clean-up did not do what was asked; None if it did, or if nothing was asked.
    cleanup_detail: str | None
    #: Processes that could not be ended.
    survivors: list[int]


def approve_job(context: JobsContext, job_id: str) -> ApprovalResult:
    """Grants the approval a job waits for, then ticks.

    Raises:
        OperationRefusedError: there is nothing to approve.
        LaunchError: the approval holds, but the tick could not start a job.
    """
    checked_job_id(job_id)
    with exclusive(context):
        _decide(context, job_id, lambda approval: _decided(approval, ApprovalState.APPROVED, None))
        decided = context.store.read(job_id)
        tick = scheduler_tick_locked(context, full=True)
        # The tick may have ended an ephemeral run, and its job is gone with it (WS-01-37).
        return ApprovalResult(context.find(job_id) or decided, tick)


def reject_job(context: JobsContext, job_id: str, reason: str | None) -> ApprovalResult:
    """Refuses the approval a job waits for and ends it, then ticks.

    Raises:
        OperationRefusedError: there is nothing to reject.
    """
    reason = (reason or "").strip() or None
    checked_job_id(job_id)
    with exclusive(context):
        _decide(context, job_id, lambda approval: _decided(approval, ApprovalState.REJECTED, reason))
        wait = WaitReason(WaitKind.APPROVAL, reason or "approval rejected")
        waited_on = context.store.read(job_id).scheduling.waited_on
        if WaitKind.APPROVAL not in waited_on:
            waited_on = (*waited_on, WaitKind.APPROVAL)
        context.store.update(job_id, lambda fresh: fresh.with_schedule(wait_reason=wait, waited_on=waited_on))
        finalize_job(context.store, job_id, JobStatus.BLOCKED_BY_APPROVAL, 10)
        context.index.catch_up()
        return ApprovalResult(context.store.read(job_id), scheduler_tick_locked(context))


def retry_job(context: JobsContext, job_id: str) -> RetryResult:
    """Runs a job and everything downstream of it again.

    Raises:
        UnknownJobError: there is no such job.
        OperationRefusedError: it is not possible now; nothing was changed.
    """
    checked_job_id(job_id)
    with exclusive(context):
        # A dead worker must not keep its job from being retried (WS-03-11).
        reconcile_dead_workers(context)
        context.index.catch_up()
        plan = plan_rewind(context.index, [job_id])
        check_merge_state(context.store, plan)
        succeeded = last_successful_point(context.index, job_id)
        write_intention(context.store, plan)
        perform_rewind(context, plan)
        tick = scheduler_tick_locked(context, full=True)
        return RetryResult(job_id, succeeded, list(plan.attempts), tick)


def cancel_job(context: JobsContext, job_id: str, *, cleanup_worktree: bool | None = None) -> CancelResult:
    """Ends a job that has not ended yet, with everything its worker has started, then ticks.

    Args:
        context: the jobs.
        job_id: the job.
        cleanup_worktree: remove the job's worktree; None asks the configuration.

    Raises:
        OperationRefusedError: the job has ended.
    """
    wanted = context.settings.jobs.cancel_cleanup_worktree if cleanup_worktree is None else cleanup_worktree
    _require_active(context.store.read(job_id))
    with exclusive(context):
        record = context.store.read(job_id)
        _require_active(record)
        # Under the lock, grace period and all: a tick that found the worker dead first would call the job failed and
        # follow its routes; and a worker that ends its job while others look on has started its successors by then.
        survivors = _end_processes(context, record, CANCEL_GRACE)
        cleanup, detail = _clean_after_cancel(context, record, survivors) if wanted else (CancelCleanup.SKIPPED, None)
        failed_detail = detail if cleanup is CancelCleanup.FAILED else None
        update = JobMetadata(cancel_cleanup_status=cleanup, cancel_cleanup_error=failed_detail)
        finalize_job(context.store, job_id, JobStatus.CANCELLED, 143, update=update)
        context.index.catch_up()
        scheduler_tick_locked(context)
        return CancelResult(context.store.read(job_id), cleanup, detail, survivors)


def _decide(context: JobsContext, job_id: str, decision: Callable[[JobApproval], JobApproval]) -> None:
    """Checks that a job waits for approval, and records the decision (spec 03 §3.1)."""
    record = context.store.read(job_id)
    if record.status is JobStatus.RUNNING:
        raise OperationRefusedError(f"job {job_id} is running")
    if record.status.is_terminal:
        raise OperationRefusedError(f"job {job_id} is terminal ({record.status})")
    approval = record.scheduling.approval
    if approval is None or not approval.required:
        raise OperationRefusedError(f"job {job_id} is not configured for approval gating")
    if approval.state is ApprovalState.APPROVED:
        raise OperationRefusedError(f"job {job_id} is already approved")
    if approval.state is ApprovalState.REJECTED:
        raise OperationRefusedError(f"job {job_id} approval is already rejected")
    context.store.update(job_id, lambda fresh: fresh.with_schedule(approval=decision(approval)))
    context.index.catch_up()


def _decided(approval: JobApproval, state: ApprovalState, reason: str | None) -> JobApproval:
    return msgspec.structs.replace(
        approval, state=state, decided_at=Timestamp.now(), decided_by=approval_actor(), reason=reason
    )


def _require_active(record: JobRecord) -> None:
    if record.status.is_terminal:
        raise OperationRefusedError(f"job {record.id} is not active ({record.status})")


def _end_processes(context: JobsContext, record: JobRecord, grace: float) -> list[int]:
    if record.status is not JobStatus.RUNNING or record.pid is None:
        return []
    return context.launcher.stop(worker_handle(context.store, record), grace)


def _clean_after_cancel(
    context: JobsContext, record: JobRecord, survivors: list[int]
) -> tuple[CancelCleanup, str | None]:
    """Removes the worktree of a cancelled job, if it has created it (spec 03 §5, ruling R10)."""
    meta = record.meta
    if record.pid is None or meta.worktree_owned is not True or meta.worktree_path is None:
        return CancelCleanup.SKIPPED, None
    if survivors:
        return CancelCleanup.SKIPPED, f"processes still run: {', '.join(map(str, survivors))}"
    users = [
        h.job_id for h in context.index.heads.values() if h.worktree == meta.worktree_path and h.job_id != record.id
    ]
    if users:
        return CancelCleanup.SKIPPED, f"the worktree is also used by {users[0]}"
    path = recorded_path(context.store, meta.worktree_path)
    if not is_safe_to_remove(context.store, path, meta.worktree_name):
        return CancelCleanup.SKIPPED, f"not a worktree that vizier manages: {path}"
    errors = remove_worktree(context.store, path, meta.worktree_name, record.id)
    return (CancelCleanup.FAILED, "; ".join(errors)) if errors else (CancelCleanup.DONE, None)
