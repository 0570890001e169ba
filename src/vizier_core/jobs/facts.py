"""Finds out what the scheduler has to know: records, git and files in, facts out (spec 01 §4).

Only jobs that may move are looked at, and only as far as their gates are reached: what a job waits for behind an
unfinished predecessor is not probed, so a tick over waiting jobs starts no git.
"""

from collections.abc import Iterable
from typing import Final

from vizier_core.errors import VizierError
from vizier_core.files import is_single_component
from vizier_core.index import Head, RecordIndex
from vizier_core.jobs.model import BranchExists, JobRecord, Precondition
from vizier_core.jobs.published import is_published
from vizier_core.jobs.store import JobStore
from vizier_core.vcs import Git
from vizier_core.vcs.refs import RepositoryView
from vizier_kernel.artifacts import PLAN_KINDS, Artifact, ArtifactKind
from vizier_kernel.scheduler import (
    ApprovalFact,
    Facts,
    JobFacts,
    JobStatus,
    PinnedHeadFact,
    PreconditionFact,
    Satisfaction,
)
from vizier_kernel.workflow import CleanWorktree, CustomPrecondition

_SATISFIED: Final = PreconditionFact(Satisfaction.SATISFIED)
_DIRTY: Final = "working tree has uncommitted or untracked changes"


def build_scheduler_facts(index: RecordIndex, store: JobStore, jobs: Iterable[Head] | None = None) -> Facts:
    """The facts for one evaluation, from an index that has just been refreshed.

    Args:
        index: the records.
        store: the files.
        jobs: the jobs that may move, oldest first; all active ones if omitted.
    """
    repository = RepositoryView(Git(store.root))
    heads = index.active() if jobs is None else jobs
    waiting = (index.find(head.job_id) for head in heads if head.status is not JobStatus.RUNNING)
    candidates = [record for record in waiting if record is not None]
    statuses: dict[str, JobStatus] = {record.id: record.status for record in candidates}
    unreadable: dict[str, str] = {}
    for job_id in {entry.job_id for record in candidates for entry in record.scheduling.after}:
        if job_id in index.heads:
            statuses[job_id] = index.heads[job_id].status
        elif job_id in index.malformed:
            unreadable[job_id] = index.malformed[job_id]

    reached = {record.id for record in candidates if _predecessors_succeeded(record, statuses)}
    needed = {need.artifact for record in candidates if record.id in reached for need in record.scheduling.dependencies}
    existing = ArtifactProbe(store, repository).existing(needed)
    producers = {artifact: index.producers(artifact) for artifact in needed - existing}
    for made_by in producers.values():
        statuses.update((job_id, index.heads[job_id].status) for job_id in made_by)
    return Facts(
        jobs=tuple(_job_facts(record, repository, probe=record.id in reached) for record in candidates),
        statuses=statuses,
        unreadable=unreadable,
        producers=producers,
        existing=frozenset(existing),
        held=tuple(lock for head in index.running() for lock in head.locks),
    )


class ArtifactProbe:
    """Answers which artifacts exist (spec 01 §4.2); what cannot be looked at does not exist."""

    def __init__(self, store: JobStore, repository: RepositoryView) -> None:
        self._store = store
        self._repository = repository

    def existing(self, artifacts: Iterable[Artifact]) -> set[Artifact]:
        """Those of the artifacts that exist."""
        documents: dict[Artifact, tuple[str, str]] = {}
        found: set[Artifact] = set()
        for artifact in artifacts:
            if artifact.kind is ArtifactKind.PLAN_DOC:
                path = f".vizier/implementation-plans/{artifact.first}.md"
                documents[artifact] = (effective_branch(artifact), path)
            elif self._exists(artifact):
                found.add(artifact)
        if documents:
            present = self._repository.existing_paths(documents.values())
            found.update(artifact for artifact, place in documents.items() if place in present)
        return found

    def _exists(self, artifact: Artifact) -> bool:
        try:
            return self._is_there(artifact)
        except OSError:
            return False  # such as a name that no file can have

    def _is_there(self, artifact: Artifact) -> bool:
        if artifact.kind in PLAN_KINDS:
            return effective_branch(artifact) in self._repository.branches
        if artifact.kind is ArtifactKind.TARGET_BRANCH:
            return artifact.first in self._repository.branches
        if artifact.kind is ArtifactKind.MERGE_SENTINEL:
            return self._sentinel_exists(artifact.first)
        if artifact.kind is ArtifactKind.COMMAND_PATCH:
            return self._patch_exists(artifact.first)
        return is_published(self._store, artifact)

    def _sentinel_exists(self, slug: str) -> bool:
        """Under the project root, where they are written, or where the reference looked for them (decision D2)."""
        from vizier_core.project import git_directory  # noqa: PLC0415 - hardly ever needed

        place = f".vizier/tmp/merge-conflicts/{slug}.json"
        return "/" not in slug and any(
            (base / place).is_file() for base in (self._store.root, git_directory(self._store.root))
        )

    def _patch_exists(self, job_id: str) -> bool:
        if not is_single_component(job_id):
            return False
        directory = self._store.job_directory(job_id)
        if any((directory / name).is_file() for name in ("command.patch", "ask-save.patch")):
            return True
        try:
            return self._store.read(job_id).status is JobStatus.SUCCEEDED
        except VizierError:
            return False


def effective_branch(artifact: Artifact) -> str:
    """The branch that a plan artifact lives on: its own, or the default one of its slug."""
    slug = artifact.first.strip()
    return artifact.second.strip() or (f"draft/{slug}" if slug else "")


def _predecessors_succeeded(record: JobRecord, statuses: dict[str, JobStatus]) -> bool:
    return all(statuses.get(entry.job_id) is JobStatus.SUCCEEDED for entry in record.scheduling.after)


def _job_facts(record: JobRecord, repository: RepositoryView, *, probe: bool) -> JobFacts:
    scheduling = record.scheduling
    approval = scheduling.approval
    return JobFacts(
        job_id=record.id,
        status=record.status,
        after=tuple(entry.job_id for entry in scheduling.after),
        dependencies=tuple(need.artifact for need in scheduling.dependencies),
        missing_producer=scheduling.dependency_policy.missing_producer,
        pinned_head=_pinned_head(record, repository) if probe else None,
        preconditions=_preconditions(record, repository) if probe else (),
        approval=ApprovalFact(approval.state, approval.reason) if approval and approval.required else None,
        locks=scheduling.locks,
        waited_on=scheduling.waited_on,
        has_child_args=bool(record.child_args),
    )


def _pinned_head(record: JobRecord, repository: RepositoryView) -> PinnedHeadFact | None:
    """A branch that is gone does not match (WS-01-17)."""
    pinned = record.scheduling.pinned_head
    if pinned is None:
        return None
    return PinnedHeadFact(pinned.branch, repository.branches.get(pinned.branch) == pinned.oid.strip().lower())


def _preconditions(record: JobRecord, repository: RepositoryView) -> tuple[PreconditionFact, ...]:
    return tuple(_precondition(item, record, repository) for item in record.scheduling.preconditions)


def _precondition(item: Precondition, record: JobRecord, repository: RepositoryView) -> PreconditionFact:
    """The states and texts of spec 01 §4.4."""
    match item:
        case CleanWorktree():
            return _SATISFIED if repository.is_clean else _waiting(_DIRTY)
        case BranchExists(branch=branch):
            target = _branch_target(branch, record, repository)
            if target is None:
                return _blocked(
                    "branch_exists precondition requires branch context "
                    "(set precondition.branch, pinned_head, or a single branch lock)"
                )
            if target in repository.branches:
                return _SATISFIED
            return _waiting(f"required branch `{target}` does not exist")
        case CustomPrecondition():
            return _custom_precondition(item, record, repository)


def _custom_precondition(item: CustomPrecondition, record: JobRecord, repository: RepositoryView) -> PreconditionFact:
    if item.id == "clean_worktree":
        return _SATISFIED if repository.is_clean else _waiting(f"custom precondition clean_worktree failed: {_DIRTY}")
    if item.id == "branch_exists":
        target = _branch_target(item.args.get("branch"), record, repository)
        if target is None:
            return _blocked("custom precondition branch_exists requires `branch` arg or branch context")
        if target in repository.branches:
            return _SATISFIED
        return _waiting(f"custom precondition branch_exists failed: `{target}` missing")
    return _blocked(f"custom precondition `{item.id}` is not supported by scheduler runtime")


def _branch_target(explicit: str | None, record: JobRecord, repository: RepositoryView) -> str | None:
    """The branch a precondition is about: named, pinned, the only one locked, or the current one."""
    if explicit and explicit.strip():
        return explicit.strip()
    if record.scheduling.pinned_head is not None:
        return record.scheduling.pinned_head.branch
    keys = (lock.key for lock in record.scheduling.locks if lock.key.startswith("branch:"))
    locked = {key.removeprefix("branch:").strip() for key in keys} - {""}
    if len(locked) == 1:
        return locked.pop()
    return repository.head_branch


def _waiting(detail: str) -> PreconditionFact:
    return PreconditionFact(Satisfaction.WAITING, detail)


def _blocked(detail: str) -> PreconditionFact:
    return PreconditionFact(Satisfaction.BLOCKED, detail)
