"""What followers of one job do about its worker (spec 01 §8.4)."""

from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.liveness import is_dead, reconcile_dead_workers
from vizier_core.jobs.scheduler import scheduler_tick_locked


def reconcile_job(context: JobsContext, job_id: str) -> bool:
    """Ends a job whose worker is gone, as a tick would, and ticks; whether it was one.

    The lock is taken only when the worker is dead (WS-01-19).

    Raises:
        SchedulerBusyError: somebody else holds the lock for long; nothing was done.
    """
    if not is_dead(context, context.store.read(job_id)):
        return False
    with exclusive(context):
        ended = reconcile_dead_workers(context, [job_id])
        context.index.catch_up()
        scheduler_tick_locked(context)
    return bool(ended)
