"""The worker that a job record names."""

from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.store import JobStore
from vizier_core.launcher import WorkerHandle


def worker_handle(store: JobStore, record: JobRecord) -> WorkerHandle:
    """The worker that a record names."""
    words = record.child_args or record.command
    return WorkerHandle(
        job_id=record.id,
        pid=record.pid,
        identity=record.meta.worker,
        log=store.log_path(record.id, "stderr"),
        token=(words[0].strip() or None) if words else None,
    )
