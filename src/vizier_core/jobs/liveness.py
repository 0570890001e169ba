"""Finds running jobs whose worker is gone and ends them as failed (spec 01 §8, decision D19)."""

from collections.abc import Iterable

from vizier_core.errors import VizierError, explain
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.lifecycle import finalize_job
from vizier_core.jobs.manifest import RunManifest, read_manifest
from vizier_core.jobs.model import JobMetadata, JobRecord
from vizier_core.jobs.routes import NodeEnd, end_node
from vizier_core.jobs.workers import worker_handle
from vizier_core.launcher import Probe, WorkerHandle
from vizier_core.timestamp import Timestamp
from vizier_kernel.scheduler import JobStatus
from vizier_kernel.workflow import Outcome


def is_dead(context: JobsContext, record: JobRecord) -> bool:
    """Whether a record claims to run while its worker is gone; needs no lock and changes nothing."""
    if record.status is not JobStatus.RUNNING:
        return False
    return context.launcher.probe(worker_handle(context.store, record)).is_stale


def reconcile_dead_workers(context: JobsContext, only: Iterable[str] | None = None) -> list[str]:
    """Ends the jobs of dead workers, with what survives of their processes; the scheduler lock must be held.

    Args:
        context: the jobs, refreshed under the lock.
        only: look at these jobs alone.

    Returns:
        The jobs that were ended.
    """
    wanted = None if only is None else set(only)
    ended = []
    for head in context.index.running():
        if wanted is not None and head.job_id not in wanted:
            continue
        log = context.store.log_path(head.job_id, "stderr")
        handle = WorkerHandle(head.job_id, head.pid, head.worker, log, head.token)
        probe = context.launcher.probe(handle)
        if probe.state is None:
            context.warn(f"job {head.job_id}: {probe.reason}")
        if not probe.is_stale:
            continue
        try:
            context.launcher.stop(handle, grace=0)
            record = context.find(head.job_id)
            if record is not None and _end(context, record, probe):
                ended.append(head.job_id)
        except (OSError, VizierError) as error:
            # It is found again by the next tick; the other jobs shall not have to wait for that.
            context.warn(f"job {head.job_id} has lost its worker and cannot be ended yet: {explain(error)}")
    return ended


def _end(context: JobsContext, record: JobRecord, probe: Probe) -> bool:
    update = JobMetadata(
        process_liveness_state=probe.state,
        process_liveness_checked_at=Timestamp.now(),
        process_liveness_failure_reason=probe.reason,
    )
    if record.meta.workflow_node_id is None:
        return finalize_job(context.store, record.id, JobStatus.FAILED, 1, update=update) is not None
    end = NodeEnd(outcome=Outcome.FAILED, exit_code=1, update=update)
    return end_node(context, record, end, _manifest(context, record))


def _manifest(context: JobsContext, record: JobRecord) -> RunManifest | None:
    """The manifest of a dead job's run; problems only warn, the job ends as failed anyway."""
    run_id, node_id = record.meta.workflow_run_id, record.meta.workflow_node_id
    if run_id is None:
        return None
    try:
        manifest = read_manifest(context.store, run_id)
    except VizierError as error:
        context.warn(f"unable to load workflow manifest {run_id} for stale running job {record.id}: {error}")
        return None
    if node_id not in manifest.nodes:
        context.warn(
            f"workflow node `{node_id}` missing from run manifest {run_id} during stale-running reconciliation"
        )
        return None
    return manifest
