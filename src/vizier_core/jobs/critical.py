"""The critical section: holding the scheduler lock, with nothing left half done by others."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vizier_core.files import remove_tree
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.rewind import resume_rewind
from vizier_core.jobs.transaction import recover
from vizier_core.project import derived_directory


@contextmanager
def exclusive(context: JobsContext, *, warn: bool = True) -> Iterator[None]:
    """Holds the scheduler lock as a command does, giving up when it does not change hands (ruling R1).

    Args:
        context: the jobs.
        warn: whether to tell the operator of records that cannot be read.

    Raises:
        SchedulerBusyError: somebody held it for too long.
    """
    context.store.ensure_jobs_root()
    context.store.lock.acquire(context.settings.jobs.lock_timeout)
    try:
        _prepare(context)
        if warn:
            context.warn_of_malformed_records()
        yield
    finally:
        context.store.lock.release()
        if context.prune:
            context.prune = False
            _prune(context)


def enter_patiently(context: JobsContext) -> None:
    """Takes the scheduler lock as a worker does, however long it takes; its caller releases it (WS-01-02)."""
    context.store.ensure_jobs_root()
    context.store.lock.acquire(None)
    _prepare(context)


def _prune(context: JobsContext) -> None:
    """Removes the traces of an ephemeral run in a repository that did not know vizier (spec 02 §16)."""
    from vizier_core.jobs import scratch  # noqa: PLC0415 - for ephemeral runs only

    scratch.prune(context.root)
    derived = derived_directory(context.root, context.store.jobs_root)
    if derived is not None and not context.store.jobs_root.exists():
        with suppress(OSError):
            remove_tree(derived)
            derived.parent.rmdir()


def _prepare(context: JobsContext) -> None:
    """What comes first whenever the lock was taken: finish what a killed process left half done, see what changed."""
    recover(context.store)
    context.index.refresh()
    resume_rewind(context)
