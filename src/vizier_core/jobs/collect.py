"""`jobs gc`: removes jobs that ended long ago with all that belongs to them (spec 03 §7, ruling R9)."""

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from vizier_core.errors import VizierError
from vizier_core.files import entries, remove_empty_directory, remove_file
from vizier_core.index import Head
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.manifest import read_manifest
from vizier_core.jobs.residue import Residue
from vizier_core.jobs.store import is_job_id
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact, ArtifactKind

_DAY: Final = 86_400 * 1_000_000_000
#: Days from 1970 to well after the last moment that a record can name; keeps huge numbers from overflowing.
_DAYS_SINCE_EPOCH: Final = 4_000_000
#: What a killed process leaves of a file that it was about to replace.
_TEMPORARY: Final = re.compile(r".+\.tmp\.\d+\.\d+(\.\d+)?")
#: Nobody needs so long to write a file, in seconds.
_ABANDONED_AFTER: Final = 3600


def gc_jobs(context: JobsContext, days: int) -> int:
    """Removes jobs that ended long ago, with their artifacts, worktrees, sessions and manifests nobody needs any more.

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
        residue.remove_sessions()
        residue.remove_artifacts()
        residue.remove_jobs()
        _sweep(context)
        _remove_manifests(context, residue, cutoff)
        residue.prune_artifact_directories()
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


def _remove_manifests(context: JobsContext, residue: Residue, cutoff: int) -> None:
    """Deletes the manifests of runs that have no job left, also those that a killed command has left behind."""
    store = context.store
    context.index.refresh(complete=True)
    left = {head.run_id for head in context.index.heads.values()}
    collected = {record.meta.workflow_run_id for record in residue.records}
    for entry in list(entries(store.jobs_root / "runs")):
        run_id, suffix = os.path.splitext(entry.name)
        if suffix != ".json" or run_id in left or not entry.is_file(follow_symlinks=False):
            continue
        if (run_id in collected or entry.stat().st_mtime_ns < cutoff) and not _has_records(context, run_id):
            remove_file(Path(entry.path))


def _has_records(context: JobsContext, run_id: str) -> bool:
    """Whether jobs of a run are still there, readable or not; a ruined manifest could belong to any."""
    try:
        manifest = read_manifest(context.store, run_id)
    except VizierError:
        return True
    return any(is_job_id(job_id) and context.store.record_path(job_id).exists() for job_id in manifest.job_ids)


def _sweep(context: JobsContext) -> None:
    """Deletes what killed processes have left: half-written files (WS-02-05) and the directories of deleted jobs."""
    jobs_root = context.store.jobs_root
    limit = time.time() - _ABANDONED_AFTER
    for job_id in context.store.job_ids():
        remove_empty_directory(jobs_root / job_id)
        _sweep_files(jobs_root / job_id, limit)
    _sweep_files(jobs_root / "runs", limit)
    _sweep_files(jobs_root / "artifacts", limit, depth=3)


def _sweep_files(directory: Path, limit: float, depth: int = 0) -> None:
    """Deletes half-written files that are older than the limit, in directories this deep below as well."""
    for entry in list(entries(directory)):
        if depth and entry.is_dir(follow_symlinks=False):
            _sweep_files(Path(entry.path), limit, depth - 1)
        elif _TEMPORARY.fullmatch(entry.name):
            # A worker that is at work without the lock may have given it its name meanwhile.
            with suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < limit:
                    os.unlink(entry.path)
