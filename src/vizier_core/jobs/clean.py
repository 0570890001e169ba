"""`vizier clean`: removes what one job, or a whole workflow run, has left behind (spec 03 §8)."""

import msgspec

from vizier_core.errors import OperationRefusedError, VizierError
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.residue import Removed, Residue
from vizier_core.jobs.store import checked_job_id
from vizier_core.vcs.branches import DeletedBranch


class CleanScope(msgspec.Struct, frozen=True):
    """The jobs that a clean is about."""

    records: list[JobRecord]
    #: Their run; None if it is about a single job that belongs to none.
    run_id: str | None

    @property
    def name(self) -> str:
        """The word for it."""
        return "job" if self.run_id is None else "run"


class CleanResult(msgspec.Struct, frozen=True):
    """What a clean has done."""

    scope: CleanScope
    removed: Removed
    skipped_worktrees: list[str]
    skipped_branches: list[str]
    deleted_branches: list[DeletedBranch]
    #: What could not be removed, and why.
    notes: list[str]


class CleanRefusedError(VizierError):
    """Others would miss what is to be removed; nothing was changed.

    Attributes:
        reasons: one line each.
    """

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(["cleanup blocked by safety guards", *(f"  - {reason}" for reason in reasons)]))
        self.reasons = reasons


def find_scope(context: JobsContext, job_id: str) -> CleanScope:
    """The jobs that cleaning a job would remove: its whole run, or itself.

    Raises:
        OperationRefusedError: there is no such job, or its record cannot be read.
    """
    heads = context.index.heads
    if job_id not in heads:
        unreadable = context.index.malformed.get(job_id)
        reason = f": its record cannot be read: {unreadable}" if unreadable else ""
        raise OperationRefusedError(f"job {job_id} not found{reason}")
    run_id = (heads[job_id].run_id or "").strip() or None
    members = [job_id] if run_id is None else [h.job_id for h in heads.values() if (h.run_id or "").strip() == run_id]
    return CleanScope([record for name in sorted(members) if (record := context.find(name))], run_id)


def preview_clean(context: JobsContext, job_id: str) -> CleanScope:
    """What a clean would be about; changes nothing.

    Raises:
        OperationRefusedError: there is no such job, or its record cannot be read.
    """
    checked_job_id(job_id)
    context.index.refresh(complete=True)
    return find_scope(context, job_id)


def clean_job(context: JobsContext, job_id: str, *, force: bool, keep_branches: bool) -> CleanResult:
    """Removes the residue of a job or of its run.

    Args:
        context: the jobs.
        job_id: the job.
        force: go on although active jobs outside wait for what is removed; those reasons are warned about.
        keep_branches: leave all branches alone.

    Raises:
        OperationRefusedError: there is no such job, or its record cannot be read.
        CleanRefusedError: a job of the scope is active, or others would miss it.
    """
    checked_job_id(job_id)
    with exclusive(context):
        scope = find_scope(context, job_id)
        residue = Residue(context, scope.records, scope.run_id)
        reasons = residue.active_jobs()
        if reasons:
            raise CleanRefusedError(reasons)
        reasons = residue.dependents()
        if reasons and not force:
            raise CleanRefusedError(reasons)
        for reason in reasons:
            context.warn(f"--force: {reason}")
        # The jobs come last: one that is still there can be cleaned again after a kill.
        residue.remove_worktrees()
        residue.release_plans()
        residue.remove_sentinels()
        residue.remove_sessions()
        if not keep_branches:
            residue.remove_branches(residue.branches())
        residue.remove_artifacts()
        residue.prune_artifact_directories()
        residue.remove_manifest()
        residue.remove_jobs()
        return CleanResult(
            scope,
            residue.removed,
            sorted(residue.skipped_worktrees),
            sorted(residue.skipped_branches),
            residue.deleted_branches,
            sorted(residue.notes),
        )
