"""The life of one job record: enqueued, started, finalised (spec 01 §7).

Everything here runs under the scheduler lock. A terminal status is never turned into another one (decision D6).
"""

import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from vizier_core.jobs.model import JobMetadata, JobRecord, WorkerIdentity
from vizier_core.jobs.published import publish
from vizier_core.jobs.store import JobStore
from vizier_core.launcher import Launcher, StartedWorker, StartRequest
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus, WaitReason

#: Metadata that an update replaces; every other key keeps its first value (spec 01 §7.7).
_UPDATE_WINS = (
    "routes_pending",
    "waits_for_merge",
    "agent_usage",
    "ephemeral_cleanup_requested",
    "ephemeral_cleanup_state",
    "ephemeral_cleanup_detail",
    "execution_root",
    "agent_exit_code",
    "cancel_cleanup_status",
    "cancel_cleanup_error",
    "retry_cleanup_status",
    "retry_cleanup_error",
    "process_liveness_state",
    "process_liveness_checked_at",
    "process_liveness_failure_reason",
    "worktree_name",
    "worktree_path",
    "worktree_owned",
)


class OwnJob(NamedTuple):
    """The job that this process has to work on as its worker."""

    job_id: str
    #: As it was recorded; None if the worker has to look for itself whether it was.
    record: JobRecord | None


def start_job(store: JobStore, job_id: str, launcher: Launcher) -> StartedWorker | OwnJob | None:
    """Starts the worker of a job and records it as running before the worker does anything (decision D20, ruling R80).

    Returns:
        The worker; in the forked child, which is the worker, what it has to do. None if the job does not wait to be
        started, whatever was decided about it: its record on disk has the last word (decision D6).

    Raises:
        OSError: the worker or its record could not be made; the job keeps its previous status.
        VizierError: likewise.
    """
    # Read before the fork: what the parent touches after it has to be copied page by page.
    pending = store.begin_update(job_id)
    if not pending.record.status.is_waiting:
        return None

    def commit(worker: WorkerIdentity, pid: int) -> None:
        pending.write(as_running(pending.record, worker, pid))

    request = StartRequest(
        job_id=job_id,
        child_args=pending.record.child_args,
        root=store.root,
        stdout=store.log_path(job_id, "stdout"),
        stderr=store.log_path(job_id, "stderr"),
        file_mode=store.file_mode,
    )
    started = launcher.start(request, commit, store.lock.abandon)
    if isinstance(started, StartedWorker):
        return started
    # It was recorded by the parent, which knows one thing more: who this process is.
    return OwnJob(job_id, as_own(pending.record, os.getpid()) if started.is_recorded else None)


def as_own(record: JobRecord, pid: int) -> JobRecord:
    """The record of a job that this process works on; one that had no metadata before has none yet."""
    running = as_running(record, None, pid)
    return running if record.metadata is not None else running.evolve(metadata=None)


def finalize_job(
    store: JobStore,
    job_id: str,
    status: JobStatus,
    exit_code: int,
    *,
    update: JobMetadata | None = None,
    written: Iterable[Artifact] | None = None,
    reason: WaitReason | None = None,
) -> JobRecord | None:
    """Ends a job: artifacts first, then the snapshot, then the record, so that a status implies all that belongs to it.

    Args:
        store: the records.
        job_id: the job.
        status: its terminal status.
        exit_code: its exit code.
        update: metadata to merge into the record's.
        written: the artifacts it published; by default all it declares if it succeeded, else none.
        reason: what the operator should read beside the status; by default what was there.

    Returns:
        The final record; None if the job had ended before and nothing was changed.
    """
    ended = False

    def finalize(record: JobRecord) -> JobRecord:
        nonlocal ended
        if record.status.is_terminal:
            return record
        ended = True
        declared = record.scheduling.artifacts
        published = written
        if published is None:
            published = declared if status is JobStatus.SUCCEEDED else ()
        if record.schedule is not None:
            publish(store, job_id, declared, published)
        final = record.evolve(
            status=status,
            exit_code=exit_code,
            finished_at=Timestamp.now(),
            metadata=merge_metadata(record.metadata, update),
            stdout_path=record.stdout_path or store.relative(store.log_path(job_id, "stdout")),
            stderr_path=record.stderr_path or store.relative(store.log_path(job_id, "stderr")),
        )
        if reason is not None:
            final = final.with_schedule(wait_reason=reason)
        return final.evolve(outcome_path=store.write_outcome(final))

    final = store.update(job_id, finalize)
    return final if ended else None


def merge_metadata(existing: JobMetadata | None, update: JobMetadata | None) -> JobMetadata | None:
    """What a finalisation leaves in the metadata (spec 01 §7.7).

    The first value of most keys stays; the keys of the execution context and of clean-ups take the update; a worktree
    that the update gives up is forgotten.
    """
    if existing is None or update is None:
        return update if existing is None else existing
    changes: dict[str, Any] = {}
    for name in JobMetadata.__struct_fields__:
        old, new = getattr(existing, name), getattr(update, name)
        if new is not None and (name in _UPDATE_WINS or old is None or old == ()):
            changes[name] = new
    if update.ephemeral_cleanup_state is not None:
        # State and detail are one statement: a state without a detail has none.
        changes["ephemeral_cleanup_detail"] = update.ephemeral_cleanup_detail
    if update.worktree_owned is False:
        changes.update(worktree_name=None, worktree_path=None, worktree_owned=None)
    return msgspec.structs.replace(existing, **changes)


def as_running(record: JobRecord, worker: WorkerIdentity | None, pid: int) -> JobRecord:
    """The record of a started job; what an earlier attempt's dead worker left is forgotten (WS-01-32)."""
    return (
        record.evolve(status=JobStatus.RUNNING, started_at=Timestamp.now(), pid=pid)
        .with_schedule(wait_reason=None)
        .with_metadata(
            worker=worker,
            process_liveness_state=None,
            process_liveness_checked_at=None,
            process_liveness_failure_reason=None,
        )
    )
