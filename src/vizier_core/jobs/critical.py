"""The critical section: holding the scheduler lock, with nothing left half done by others."""

from collections.abc import Iterator
from contextlib import contextmanager

from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.rewind import resume_rewind
from vizier_core.jobs.transaction import recover


@contextmanager
def exclusive(context: JobsContext) -> Iterator[None]:
    """Holds the scheduler lock as a command does, giving up when it does not change hands (ruling R1).

    Raises:
        SchedulerBusyError: somebody held it for too long.
    """
    context.store.ensure_jobs_root()
    context.store.lock.acquire(context.settings.lock_timeout)
    try:
        _prepare(context)
        context.warn_of_malformed_records()
        yield
    finally:
        context.store.lock.release()


def enter_patiently(context: JobsContext) -> None:
    """Takes the scheduler lock as a worker does, however long it takes; its caller releases it (WS-01-02)."""
    context.store.ensure_jobs_root()
    context.store.lock.acquire(None)
    _prepare(context)


def _prepare(context: JobsContext) -> None:
    """What comes first whenever the lock was taken: finish what a killed process left half done, see what changed."""
    recover(context.store)
    context.index.refresh()
    resume_rewind(context)
