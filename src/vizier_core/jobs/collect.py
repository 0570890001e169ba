"""`jobs gc`: removes jobs that ended long ago with all that belongs to them (spec 03 §7, ruling R9)."""

import os
import re
import time
from typing import Final

from vizier_core.files import entries, is_single_component, remove_file
from vizier_core.index import Head
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.residue import Residue
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact, ArtifactKind

_DAY: Final = 86_400 * 1_000_000_000
#: Days from 1970 to well after the last moment that a record can name; keeps huge numbers from overflowing.
_DAYS_SINCE_EPOCH: Final = 4_000_000
#: What a killed process leaves of a file that it was about to replace.
_TEMPORARY: Final = re.compile(r".+\.tmp\.\d+\.\d+")
#: Nobody needs so long to write a file, in seconds.
_ABANDONED_AFTER: Final = 3600


def gc_jobs(context: JobsContext, days: int) -> int:
    """Removes jobs that ended long ago, with their artifacts, worktrees and the manifests nobody needs any more.

    Jobs that an active job waits for, or that have made something it needs, stay (spec 03 §7, ruling R9).

    Args:
        context: the jobs.
        days: how many days a finished job is kept; more than there have been keep everything.

    Returns:
        How many jobs were removed.
    """
    cutoff = Timestamp.now() - min(days, _DAYS_SINCE_EPOCH) * _DAY
    # Records that cannot be read are nothing to this command: it never touches them.
    with exclusive(context, warn=False):
        old = [record for job_id in _collectable(context, cutoff) if (record := context.find(job_id))]
        residue = Residue(context, old, None)
        residue.remove_worktrees()
        residue.remove_artifacts()
        residue.remove_jobs()
        residue.prune_artifact_directories()
        _remove_manifests(context, residue)
        _sweep(context)
        for note in sorted(residue.notes):
            context.warn(note)
        return residue.removed.jobs


def _collectable(context: JobsContext, cutoff: int) -> list[str]:
    """Finished jobs that are old enough and that no active job needs."""
    index = context.index
    needed: set[str] = set()
    for head in index.active():
        needed.update(head.after)
        for kind, first, second in head.needs:
            needed.update(index.producers(Artifact(ArtifactKind(kind), first, second)))
    return [
        head.job_id
        for head in index.heads.values()
        if head.status.is_terminal and _ended_at(head) < cutoff and head.job_id not in needed
    ]


def _ended_at(head: Head) -> int:
    return head.created_at if head.finished_at is None else head.finished_at


def _remove_manifests(context: JobsContext, residue: Residue) -> None:
    """Deletes the manifests of runs that have no job left."""
    context.index.refresh(complete=True)
    left = {head.run_id for head in context.index.heads.values()}
    for run_id in {record.meta.workflow_run_id for record in residue.records} - left - {None}:
        if run_id is not None and is_single_component(run_id):
            remove_file(context.store.manifest_path(run_id))


def _sweep(context: JobsContext) -> None:
    """Deletes half-written files of killed processes (WS-02-05)."""
    jobs_root = context.store.jobs_root
    directories = [jobs_root / "runs", *(jobs_root / job_id for job_id in context.store.job_ids())]
    limit = time.time() - _ABANDONED_AFTER
    for directory in directories:
        for entry in list(entries(directory)):
            if _TEMPORARY.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < limit:
                os.unlink(entry.path)
