"""Clean-up of ephemeral runs that have ended, by full ticks (spec 01 §10, 02 §16).

Only `run`, `jobs approve` and `jobs retry` clean up; a worker that ends does not, so that an operator who did not
follow the run can still look at it.
"""

from collections.abc import Collection, Sequence

import msgspec

from vizier_core.errors import VizierError, explain
from vizier_core.files import atomic_write
from vizier_core.jobs import scratch
from vizier_core.jobs.codec import from_document, parse_document, pretty, rewritten
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.followers import is_followed
from vizier_core.jobs.manifest import EphemeralBaseline, RunManifest, read_manifest
from vizier_core.jobs.model import CleanupState, JobRecord
from vizier_core.jobs.residue import Removed, Residue
from vizier_core.timestamp import Timestamp


class Cleanup(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an ephemeral run that has ended."""

    run_id: str
    state: CleanupState
    #: Whether the run has brought `.vizier` into the repository, so that nothing of it shall stay.
    prune_vizier_root: bool = False
    detail: str | None = None
    removed: Removed | None = None
    notes: list[str] = []


def clean_up_ephemeral_runs(context: JobsContext, own: Collection[str] = ()) -> list[Cleanup]:
    """Removes what ephemeral runs have left that have ended and that nobody else follows.

    The scheduler lock must be held.

    Args:
        context: the jobs.
        own: runs that this process has followed to their ends, one after the other.

    Returns:
        What was done, by run id; runs for which nothing was due are left out.
    """
    context.index.catch_up()
    runs: dict[str, list[str]] = {}
    unfinished = set()
    for head in context.index.heads.values():
        if head.ephemeral and (head.run_id or "").strip():
            runs.setdefault(head.run_id or "", []).append(head.job_id)
            if head.status.is_active or head.routes_pending:
                unfinished.add(head.run_id)
    done = []
    own_jobs = {job_id for run_id in own for job_id in runs.get(run_id, ())}
    for run_id in sorted(runs.keys() - unfinished):
        if run_id not in own and is_followed(context.store, run_id):
            continue
        records = [record for job_id in sorted(runs[run_id]) if (record := context.find(job_id))]
        cleanup = _clean_up(context, run_id, records, own_jobs if run_id in own else set())
        if cleanup is not None:
            done.append(cleanup)
            context.prune |= cleanup.prune_vizier_root
    return done


def _clean_up(context: JobsContext, run_id: str, records: Sequence[JobRecord], allies: set[str]) -> Cleanup | None:
    """Cleans up one run; what it has made and `allies` have touched since is as good as its own."""
    try:
        manifest = read_manifest(context.store, run_id)
    except VizierError:
        manifest = None
    requested = [record.meta.ephemeral_cleanup_requested is True for record in records]
    if not (manifest.ephemeral_cleanup_requested if manifest else any(requested)):
        _store_state(context, run_id, records, CleanupState.PENDING, None)
        return None
    refusal = _refusal(context, run_id, manifest)
    residue = Residue(context, records, run_id)
    if manifest is None or manifest.ephemeral_baseline is None or refusal is not None:
        cleanup = Cleanup(run_id=run_id, state=CleanupState.DEGRADED, detail=refusal)
    elif reasons := residue.dependents():
        cleanup = Cleanup(run_id=run_id, state=CleanupState.DEFERRED, detail="; ".join(reasons))
    else:
        try:
            return _remove(context, manifest, residue, allies)
        except (OSError, VizierError) as error:
            # The tick that cleans up has to go on.
            cleanup = Cleanup(run_id=run_id, state=CleanupState.DEGRADED, detail=explain(error))
    _store_state(context, run_id, records, cleanup.state, cleanup.detail)
    return cleanup


def _refusal(context: JobsContext, run_id: str, manifest: RunManifest | None) -> str | None:
    """Why nothing can be removed, as it is not known what belongs to the run."""
    if manifest is None:
        return f"ephemeral run {run_id} is terminal but its workflow manifest is missing"
    if manifest.ephemeral_baseline is None:
        return f"the manifest of ephemeral run {run_id} does not say what was there before; use `vizier clean <job>`"
    unreadable = sorted(context.index.malformed.keys() & set(manifest.job_ids))
    if unreadable:
        return f"job {unreadable[0]} of ephemeral run {run_id} cannot be read"
    return None


def _remove(context: JobsContext, manifest: RunManifest, residue: Residue, allies: set[str]) -> Cleanup:
    """All steps; the job directories come last, so that a killed clean-up is taken up by the next tick."""
    baseline = manifest.ephemeral_baseline or EphemeralBaseline()
    residue.remove_worktrees()
    residue.release_plans()
    for path in residue.remove_sessions():
        residue.notes.add(f"refusing to remove session path outside .vizier/sessions: {path}")
    residue.remove_sentinels()
    residue.remove_branches(residue.owned_branches())
    _remove_scratch(context, residue, baseline, allies)
    residue.remove_artifacts()
    residue.prune_artifact_directories()
    residue.remove_jobs()
    left = [record for record in residue.records if context.store.exists(record.id)]
    if not left:
        residue.remove_manifest()
    notes = sorted(residue.notes)
    cleanup = Cleanup(
        run_id=manifest.run_id,
        state=CleanupState.DEGRADED if notes else CleanupState.COMPLETED,
        prune_vizier_root=not baseline.vizier_root_existed,
        detail="; ".join(notes) or None,
        removed=residue.removed,
        notes=notes,
    )
    if left:
        _store_state(context, manifest.run_id, left, cleanup.state, cleanup.detail)
    return cleanup


def _remove_scratch(context: JobsContext, residue: Residue, baseline: EphemeralBaseline, allies: set[str]) -> None:
    root = context.root
    made = scratch.made_by(context.store, residue.job_ids, baseline)
    intervals = _others_at_work(context, residue, allies) if made else []
    disputed = set()
    for path in made:
        changed = scratch.changed_at(root / path)
        if not (root / path).is_dir() and any(start <= changed <= end for start, end in intervals):
            disputed.add(path)
            residue.notes.add(f"left {path} alone: another run was at work when it was written")
    residue.notes.update(scratch.remove(root, made - disputed))


def _others_at_work(context: JobsContext, residue: Residue, allies: set[str]) -> list[tuple[int, int]]:
    """When jobs of other runs, but allies, worked in the project root while those of this run did, from and to."""
    started = [record.started_at for record in residue.records if record.started_at is not None]
    ended = [record.finished_at for record in residue.records if record.finished_at is not None]
    if not started or not ended:
        return []
    now = Timestamp.now()
    found = []
    for head in context.index.heads.values():
        if (
            head.job_id in residue.job_ids | allies
            or head.created_at > max(ended)
            or (head.finished_at or now) < min(started)
        ):
            continue
        record = context.find(head.job_id)
        if record is None or record.started_at is None or (record.meta.execution_root or ".") != ".":
            continue
        found.append((int(record.started_at), int(record.finished_at or now)))
    return found


def _store_state(
    context: JobsContext, run_id: str, records: Sequence[JobRecord], state: CleanupState, detail: str | None
) -> None:
    """Records the state in the manifest and in the jobs; what cannot be written is a warning."""
    detail = (detail or "").strip() or None
    try:
        _update_manifest(context, run_id, state, detail)
    except (OSError, VizierError) as error:
        context.warn(f"unable to persist ephemeral cleanup manifest state for run {run_id}: {error}")
    try:
        for record in records:
            context.store.update(
                record.id,
                lambda fresh: fresh.with_metadata(
                    ephemeral_run=True,
                    ephemeral_cleanup_requested=True,
                    ephemeral_cleanup_state=state,
                    ephemeral_cleanup_detail=detail,
                ),
            )
    except (OSError, VizierError) as error:
        context.warn(f"unable to persist ephemeral cleanup job state for run {run_id}: {error}")
    context.index.catch_up()


def _update_manifest(context: JobsContext, run_id: str, state: CleanupState, detail: str | None) -> None:
    path = context.store.manifest_path(run_id)
    if not path.is_file():
        return  # the state says so
    source = parse_document(path.read_bytes(), path)
    manifest = from_document(source, RunManifest, path)
    changed = msgspec.structs.replace(
        manifest,
        ephemeral_cleanup_requested=True,
        ephemeral_cleanup_state=state,
        ephemeral_cleanup_detail=detail,
    )
    if changed != manifest:
        text = pretty(rewritten(source, manifest, changed))
        atomic_write(path, text, mode=context.store.file_mode, durable=True)
