"""The tick: reconcile dead workers, derive facts, decide, apply, start (spec 01 §5).

A tick has two halves. :func:`decide_locked` changes records and says which jobs to start; :func:`start_planned` starts
them. Commands do both through :func:`scheduler_tick_locked`; a worker that ends does them itself, so that the forked
next worker starts from a shallow stack (see `workflow_runtime`).
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from vizier_core.errors import LaunchError, VizierError, explain
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.facts import build_scheduler_facts
from vizier_core.jobs.lifecycle import OwnJob, finalize_job, start_job
from vizier_core.jobs.liveness import reconcile_dead_workers
from vizier_core.jobs.routes import follow_pending_routes
from vizier_kernel.scheduler import Action, Decision, JobStatus, evaluate

if TYPE_CHECKING:
    from vizier_core.jobs.ephemeral import Cleanup


class TickPlan(msgspec.Struct, frozen=True):
    """What the first half of a tick has done and left to do."""

    #: Jobs whose status or wait reason changed, each once, in the order in which it happened.
    updated: list[str]
    #: Jobs to start, oldest first.
    starts: list[str]
    #: Jobs that could not be treated, with the reason; the others were.
    problems: list[str]


class TickOutcome(msgspec.Struct, frozen=True):
    """What a tick has done."""

    started: list[str] = []
    updated: list[str] = []
    #: Ephemeral runs that were cleaned up, or should have been.
    cleanups: "Sequence[Cleanup]" = ()


def scheduler_tick(context: JobsContext) -> TickOutcome:
    """Takes the scheduler lock and ticks, but cleans nothing up.

    Raises:
        SchedulerBusyError: the lock was held by others for too long.
        LaunchError: some job could not be started or changed; everything else was done.
    """
    with exclusive(context):
        return scheduler_tick_locked(context)


def scheduler_tick_locked(context: JobsContext, *, full: bool = False) -> TickOutcome:
    """Ticks inside the scheduler lock, right after it was taken.

    Args:
        context: the jobs.
        full: also clean up ephemeral runs that have ended (spec 01 §5.3).

    Raises:
        LaunchError: some job could not be started or changed; everything else was done.
    """
    plan = decide_locked(context)
    started, problems, child = start_planned(context, plan.starts)
    if child is not None:
        context.become_worker(child)
    problems = [*plan.problems, *problems]
    cleanups = _clean_up(context) if full else []
    if problems:
        raise LaunchError("\n".join(problems))
    return TickOutcome(started, plan.updated, cleanups)


def finish_following(context: JobsContext, run_ids: Collection[str]) -> "list[Cleanup]":
    """Ticks once more and cleans up ephemeral runs that this process has followed to their ends.

    Returns:
        What was done, by run id.

    Raises:
        SchedulerBusyError: the lock was held by others for too long.
        LaunchError: some job could not be started or changed; everything else was done.
    """
    with exclusive(context):
        scheduler_tick_locked(context)
        return [cleanup for cleanup in _clean_up(context, run_ids) if cleanup.run_id in run_ids]


def decide_locked(context: JobsContext) -> TickPlan:
    """Everything a tick does but the starts. The index has been refreshed since the lock was taken."""
    updated = dict.fromkeys(reconcile_dead_workers(context))
    updated.update(dict.fromkeys(follow_pending_routes(context)))
    context.index.catch_up()
    problems: list[str] = []
    starts: list[str] = []
    for decision in _decisions(context):
        if decision.action is Action.START:
            starts.append(decision.job_id)
            continue
        try:
            if _apply(context, decision):
                updated[decision.job_id] = None
        except (OSError, VizierError) as error:
            problems.append(f"job {decision.job_id} cannot be updated: {explain(error)}")
    return TickPlan(list(updated), starts, problems)


def _decisions(context: JobsContext) -> list[Decision]:
    """What becomes of every job that may move."""
    index, store = context.index, context.store
    decisions = evaluate(build_scheduler_facts(index, store, index.awake()))
    if any(decision.status.is_blocked for decision in decisions):
        # They may doom jobs that sleep.
        decisions = evaluate(build_scheduler_facts(index, store))
    return decisions


def start_planned(context: JobsContext, job_ids: Sequence[str]) -> tuple[list[str], list[str], OwnJob | None]:
    """Starts jobs, one after the other; one that cannot be started keeps its status and does not stop the others.

    Returns:
        The started jobs, the problems, and, in a forked child only, the job that this process has to work on.
    """
    started: list[str] = []
    problems: list[str] = []
    for job_id in job_ids:
        try:
            worker = start_job(context.store, job_id, context.launcher)
        except (OSError, VizierError) as error:
            problems.append(f"job {job_id} cannot be started: {explain(error)}")
            continue
        if isinstance(worker, OwnJob):
            return started, problems, worker
        if worker is not None:
            started.append(job_id)
    return started, problems, None


def _clean_up(context: JobsContext, own: Collection[str] = ()) -> "list[Cleanup]":
    if not any(head.ephemeral for head in context.index.heads.values()):
        return []
    from vizier_core.jobs.ephemeral import clean_up_ephemeral_runs  # noqa: PLC0415 - most projects have no such runs

    return clean_up_ephemeral_runs(context, own)


def _apply(context: JobsContext, decision: Decision) -> bool:
    """Writes a decision that starts nothing; whether it changed the job (spec 01 §5.2 step 6)."""
    record = context.index.record(decision.job_id)
    if decision.action is Action.FAIL_MISSING_CHILD_ARGS:
        finalize_job(context.store, decision.job_id, JobStatus.FAILED, 1, reason=decision.reason)
        return True
    if record.status is decision.status and record.scheduling.wait_reason == decision.reason:
        return False
    context.store.update(
        decision.job_id,
        lambda fresh: (
            fresh.evolve(status=decision.status).with_schedule(
                wait_reason=decision.reason, waited_on=decision.waited_on
            )
            if fresh.status.is_waiting
            else fresh
        ),
    )
    return True
