"""What a set of finished jobs has left behind, and how to remove it (spec 03 §8, decision D16).

`clean`, the clean-up of ephemeral runs and `jobs gc` use the same steps. Every step goes on when one of its items
fails; what failed is noted. Only files and worktrees that are verifiably vizier's own are touched, and links are never
followed.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.errors import GitError, VizierError
from vizier_core.files import entries, is_single_component, remove_empty_directory, remove_file, remove_tree
from vizier_core.jobs.cleanup import is_safe_to_remove, recorded_path, remove_worktree
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.rewind import merge_slugs
from vizier_core.jobs.store import RECORD
from vizier_core.plan import readable_plans
from vizier_core.vcs.branches import DeletedBranch, checked_out_branches, delete_branch
from vizier_core.vcs.git import Git
from vizier_kernel.artifacts import PLAN_KINDS, Artifact, ArtifactKind

#: Only branches below this are ever deleted.
_DRAFTS: Final = "draft/"
_TREES: Final = {"custom": "artifact_markers", "data": "artifact_payloads"}


class Removed(msgspec.Struct):
    """How much was removed of each kind."""

    jobs: int = 0
    run_manifests: int = 0
    artifact_markers: int = 0
    artifact_payloads: int = 0
    plan_state_deleted: int = 0
    plan_state_rewritten: int = 0
    worktrees: int = 0
    branches: int = 0


class Residue:
    """What a set of jobs has left, and what became of it.

    Args:
        context: the jobs.
        records: the jobs of the set.
        run_id: their run, if the set is a whole run.
    """

    def __init__(self, context: JobsContext, records: Sequence[JobRecord], run_id: str | None) -> None:
        self.context = context
        self.records = records
        self.run_id = run_id
        self.job_ids = {record.id for record in records}
        self.removed = Removed()
        self.skipped_worktrees: set[str] = set()
        self.skipped_branches: set[str] = set()
        self.deleted_branches: list[DeletedBranch] = []
        self.notes: set[str] = set()

    # Guards

    def active_jobs(self) -> list[str]:
        """Why nothing may be removed at all: jobs of the set that have not ended."""
        active = (record for record in self.records if record.status.is_active)
        return sorted(f"scoped job {record.id} is active ({record.status})" for record in active)

    def dependents(self) -> list[str]:
        """Why others would miss what is removed: those that wait for its jobs, then those that need its artifacts."""
        index = self.context.index
        waiting: set[str] = set()
        needing: set[str] = set()
        for head in index.active():
            if head.job_id in self.job_ids:
                continue
            for predecessor in self.job_ids.intersection(head.after):
                waiting.add(f"active job {head.job_id} has --after dependency on scoped job {predecessor}")
            for kind, first, second in head.needs:
                artifact = Artifact(ArtifactKind(kind), first, second)
                producers = index.producers(artifact)
                if producers and self.job_ids.issuperset(producers):
                    needing.add(
                        f"active job {head.job_id} depends on {artifact.label} produced only by scoped jobs "
                        f"({', '.join(sorted(producers))})"
                    )
        return [*sorted(waiting), *sorted(needing)]

    # Steps

    def remove_worktrees(self) -> None:
        """Removes the worktrees that the jobs own, unless somebody outside of the set works in them (decision D4)."""
        store = self.context.store
        used = {h.worktree for h in self.context.index.heads.values() if h.worktree and h.job_id not in self.job_ids}
        seen: set[str] = set()
        for record in self.records:
            meta = record.meta
            if meta.worktree_owned is not True:
                continue
            if meta.worktree_path is None:
                self.skipped_worktrees.add(f"{record.id}:<missing-worktree-path>")
                self.notes.add(f"job {record.id} owns a worktree but does not say where it is")
                continue
            if meta.worktree_path in seen:
                continue
            seen.add(meta.worktree_path)
            path = recorded_path(store, meta.worktree_path)
            if meta.worktree_path in used:
                self.skipped_worktrees.add(meta.worktree_path)
                continue
            if not is_safe_to_remove(store, path, meta.worktree_name):
                self.skipped_worktrees.add(meta.worktree_path)
                self.notes.add(f"refusing to clean unsafe worktree path {path}")
                continue
            if path.exists():
                self.context.progress(f"removing worktree {meta.worktree_path}")
            errors = remove_worktree(store, path, meta.worktree_name, record.id)
            if errors:
                self.skipped_worktrees.add(meta.worktree_path)
                self.notes.add(f"worktree cleanup degraded for {path}: {'; '.join(errors)}")
            else:
                self.removed.worktrees += 1

    def remove_jobs(self) -> None:
        """Deletes the job directories."""
        self.context.progress(f"removing {len(self.job_ids)} job(s)")
        for job_id in sorted(self.job_ids):
            directory = self.context.store.job_directory(job_id)
            if not self.context.store.exists(job_id):
                continue
            self.context.index.announce_removal(job_id)
            try:
                _remove_job(directory)
            except OSError as error:
                self.notes.add(f"unable to remove job directory {directory}: {error.strerror or error}")
            else:
                self.removed.jobs += 1

    def remove_artifacts(self) -> None:
        """Deletes markers and payloads that are named after the jobs, in whatever directory they are."""
        names = {f"{job_id}.json" for job_id in self.job_ids}
        for tree, counter in _TREES.items():
            try:
                count = _remove_named(self.context.store.jobs_root / "artifacts" / tree, names)
            except OSError as error:
                self.notes.add(f"unable to remove artifacts below {tree}: {error.strerror or error}")
            else:
                setattr(self.removed, counter, count)

    def remove_manifest(self) -> None:
        """Deletes the manifest of the run."""
        if self.run_id is None or not is_single_component(self.run_id):
            return
        try:
            self.removed.run_manifests = int(remove_file(self.context.store.manifest_path(self.run_id)))
        except OSError as error:
            self.notes.add(f"unable to remove the manifest of {self.run_id}: {error.strerror or error}")

    def release_plans(self) -> None:
        """Takes the jobs out of plan records; a record that names no job any more goes."""
        for plan in readable_plans(self.context.root):
            if not plan.record.jobs & self.job_ids:
                continue
            released = plan.record.without_jobs(self.job_ids)
            try:
                if released.work_ref is None and not released.job_ids:
                    plan.delete()
                    self.removed.plan_state_deleted += 1
                else:
                    plan.write(released, self.context.store.file_mode)
                    self.removed.plan_state_rewritten += 1
            except OSError as error:
                self.notes.add(f"unable to rewrite plan record {plan.path}: {error.strerror or error}")

    def remove_sentinels(self) -> None:
        """Deletes the merge-conflict sentinels that are named after plans of the jobs (ruling R8)."""
        directory = self.context.root / ".vizier" / "tmp" / "merge-conflicts"
        for slug in sorted({slug for record in self.records for slug in merge_slugs(record)}):
            if is_single_component(slug):
                self._remove_file(directory / f"{slug}.json")
        remove_empty_directory(directory)

    def remove_sessions(self) -> list[str]:
        """Deletes session files that the jobs name, if they are where sessions are kept.

        Returns:
            The paths that are somewhere else, as the jobs have them; what is there stays.
        """
        sessions = (self.context.root / ".vizier" / "sessions").resolve()
        foreign = []
        for path in sorted({record.session_path for record in self.records if record.session_path}):
            file = recorded_path(self.context.store, path)
            if file.is_symlink() or not file.resolve().is_relative_to(sessions):
                foreign.append(path)
            elif file.is_file():
                self._remove_file(file)
                if file.resolve().parent != sessions:
                    remove_empty_directory(file.parent)
        return foreign

    def _remove(self, path: Path) -> None:
        """Deletes a file, if there is one."""
        try:
            remove_file(path)
        except OSError as error:
            self.notes.add(f"unable to remove {path}: {error.strerror or error}")

    def branches(self) -> set[str]:
        """The branches that the jobs name."""
        named = {(record.meta.branch or "").strip() for record in self.records}
        for record in self.records:
            named |= {a.second.strip() for a in record.scheduling.artifacts if a.kind in PLAN_KINDS}
        return named - {""}

    def owned_branches(self) -> set[str]:
        """The branches that the jobs have created."""
        return {branch for record in self.records for branch in record.meta.ephemeral_owned_branches or ()}

    def remove_branches(self, names: Iterable[str]) -> None:
        """Deletes local draft branches that nobody has checked out."""
        wanted = sorted(name for name in names if name.startswith(_DRAFTS))
        if not wanted:
            return
        git = Git(self.context.root)
        try:
            checked_out = checked_out_branches(git)
        except GitError as error:
            self.notes.add(f"unable to look at branches: {error}")
            return
        for name in wanted:
            if name in checked_out:
                self.skipped_branches.add(name)
                continue
            try:
                deleted = delete_branch(git, name)
            except VizierError as error:
                self.notes.add(f"unable to delete branch {name}: {error}")
                continue
            if deleted is not None:
                self.deleted_branches.append(deleted)
                self.removed.branches += 1

    def prune_artifact_directories(self) -> None:
        """Deletes the empty directories of artifacts; the two trees themselves stay."""
        for tree in _TREES:
            for directory in reversed(_directories_below(self.context.store.jobs_root / "artifacts" / tree)):
                remove_empty_directory(directory)

    def _remove_file(self, path: Path) -> None:
        try:
            remove_file(path)
        except OSError as error:
            self.notes.add(f"unable to remove {path}: {error.strerror or error}")


def _remove_job(directory: Path) -> None:
    """Deletes the directory of a job, its record last: what a kill leaves can be removed by the same command again."""
    for entry in list(entries(directory)):
        if entry.is_dir(follow_symlinks=False):
            remove_tree(Path(entry.path))
        elif entry.name != RECORD:
            os.unlink(entry.path)
    os.unlink(directory / RECORD)
    os.rmdir(directory)


def _directories_below(top: Path) -> list[Path]:
    """All directories at any depth below one, parents first; links are not followed."""
    found: list[Path] = []
    pending = [top]
    while pending:
        below = [Path(e.path) for e in entries(pending.pop()) if e.is_dir(follow_symlinks=False)]
        found += below
        pending += below
    return found


def _remove_named(top: Path, names: set[str]) -> int:
    """Deletes regular files with these names at any depth; how many there were."""
    count = 0
    for directory in (top, *_directories_below(top)):
        for entry in list(entries(directory)):
            if entry.name in names and entry.is_file(follow_symlinks=False):
                os.unlink(entry.path)
                count += 1
    return count
