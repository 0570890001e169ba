"""Puts finished jobs back to the start of their lives (spec 03 §4, decision D4).

Used by `jobs retry` and by the routes of a failed or blocked node, under the scheduler lock. All checks come first.
Then the intention is written down, so that a killed process leaves nothing half rewound: whoever takes the lock next
goes on.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from vizier_core.errors import MalformedFileError, OperationRefusedError, UnknownJobError, explain
from vizier_core.files import atomic_write, remove_empty_directory, remove_file
from vizier_core.index import RecordIndex
from vizier_core.jobs.actor import approval_actor
from vizier_core.jobs.cleanup import recorded_path, release_worktree
from vizier_core.jobs.codec import from_document, parse_document, pretty, to_plain
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.graph import ScheduleGraph
from vizier_core.jobs.model import JobApproval, JobMetadata, JobRecord, RetryCleanup
from vizier_core.jobs.published import unpublish
from vizier_core.jobs.store import STREAMS, JobStore
from vizier_core.jobs.workers import worker_handle
from vizier_core.project import git_directory
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.scheduler import ApprovalState, JobStatus

#: Beside the manifests; no manifest has this name.
_INTENTION = "rewind.pending"
#: Files in a job directory that belong to one attempt.
_ATTEMPT_FILES = ("outcome.json", "command.patch", "ask-save.patch", "save-input.patch")


class ExecutionContext(msgspec.Struct, frozen=True):
    """Where a job works; travels along success routes and from a failed job to the one that repeats it."""

    execution_root: str | None
    worktree_path: str | None
    worktree_name: str | None
    worktree_owned: bool | None

    @classmethod
    def of(cls, meta: JobMetadata | None) -> "ExecutionContext | None":
        """The context in a record's metadata; None where it says nothing."""
        if meta is None or (meta.execution_root is None and meta.worktree_path is None):
            return None
        root, path, name = (
            (text or "").strip() or None for text in (meta.execution_root, meta.worktree_path, meta.worktree_name)
        )
        return cls(root, path, name, meta.worktree_owned)

    def apply(self, record: JobRecord) -> JobRecord:
        """The record of a job that shall work there."""
        return record.with_metadata(**msgspec.structs.asdict(self))


class Rewind(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs to rewind, as planned and as written down."""

    #: The jobs that somebody asked for.
    roots: tuple[str, ...]
    #: Every job to rewind with its present attempt: the roots first, then what is downstream of them, oldest first.
    attempts: dict[str, int]
    #: The job whose route this is, and its attempt; it has to be over before anything is rewound.
    source: str | None = None
    source_attempt: int = 0
    #: Where the roots shall work.
    context: ExecutionContext | None = None


class RunningInSetError(OperationRefusedError):
    """A job that would have to be rewound is running."""

    def __init__(self, running: Sequence[str]) -> None:
        listed = ", ".join(f"{job_id} (running)" for job_id in running)
        super().__init__(f"cannot retry while jobs are running in the retry set: {listed}")


def plan_rewind(index: RecordIndex, roots: Sequence[str], source: JobRecord | None = None) -> Rewind:
    """Finds the jobs to rewind and checks that they may be.

    Args:
        index: the records, just refreshed.
        roots: the jobs to run again.
        source: the job whose outcome asks for it, as it will be when it has ended, if this is a route.

    Raises:
        UnknownJobError: a root has no readable record.
        RunningInSetError: a job of the set is running.
    """
    graph = ScheduleGraph(index.heads)
    retry_set: dict[str, None] = dict.fromkeys(roots)
    for root in roots:
        if root not in graph.heads:
            raise UnknownJobError(root, index.malformed.get(root))
        retry_set.update(dict.fromkeys(graph.retry_set(root)))
    finishing = source.id if source else None
    running = [j for j in retry_set if graph.heads[j].status is JobStatus.RUNNING and j != finishing]
    if running:
        raise RunningInSetError(running)
    return Rewind(
        roots=tuple(roots),
        attempts={job_id: attempt_of(index.record(job_id)) for job_id in retry_set},
        source=finishing,
        source_attempt=attempt_of(source) if source else 0,
        context=ExecutionContext.of(source.metadata) if source else None,
    )


def last_successful_point(index: RecordIndex, root: str) -> list[str]:
    """The direct predecessors of a job that have succeeded, oldest first (spec 03 §4.1)."""
    graph = ScheduleGraph(index.heads)
    return [job_id for job_id in graph.predecessors(root) if graph.heads[job_id].status is JobStatus.SUCCEEDED]


def attempt_of(record: JobRecord) -> int:
    """Which attempt a record describes; records that do not count are at their first."""
    attempt = record.meta.workflow_node_attempt
    return 1 if attempt is None else attempt


def check_merge_state(store: JobStore, plan: Rewind) -> None:
    """Refuses while git is in the middle of a merge that the jobs are about (spec 03 §4.2).

    Raises:
        OperationRefusedError: it is; nothing was changed.
    """
    if any(merge_slugs(store.read(job_id)) for job_id in plan.attempts):
        directory = git_directory(store.root)
        if any((directory / name).exists() for name in ("MERGE_HEAD", "CHERRY_PICK_HEAD")):
            raise OperationRefusedError(
                "cannot retry merge-related jobs while Git has an in-progress merge/cherry-pick; "
                "run `git merge --abort` or `git cherry-pick --abort` (or resolve and commit it), then retry"
            )


def write_intention(store: JobStore, plan: Rewind) -> None:
    """Writes down what is going to happen; from here on it will, whoever is killed.

    Raises:
        OSError: it cannot be written, or a log of a job cannot be emptied; nothing has happened.
    """
    for job_id in plan.attempts:
        for stream in STREAMS:
            os.close(os.open(store.log_path(job_id, stream), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, store.file_mode))
    atomic_write(_intention(store), pretty(to_plain(plan)), mode=store.file_mode, durable=True)


def resume_rewind(context: JobsContext) -> None:
    """Finishes the rewind that a killed process had begun, if there is one."""
    store = context.store
    path = _intention(store)
    try:
        plan = from_document(parse_document(path.read_bytes(), path), Rewind, path)
    except FileNotFoundError:
        return
    except MalformedFileError as error:
        store.warn(f"dropping an unreadable note about an interrupted retry: {error}")
        remove_file(path)
        return
    if plan.source is not None and _source_goes_on(store, plan):
        remove_file(path)
        return
    try:
        perform_rewind(context, plan)
    except OSError as error:
        # The note stays: whoever takes the lock next tries again. Meanwhile other jobs shall not be held up.
        store.warn(f"an interrupted retry cannot be finished yet: {explain(error)}")


def perform_rewind(context: JobsContext, plan: Rewind) -> None:
    """Rewinds the jobs of a plan that was written down, all that are not rewound yet.

    Raises:
        OSError: a file cannot be changed; the next one to take the lock tries again.
    """
    store, index = context.store, context.index
    records = [record for job_id in plan.attempts if (record := _pending(store, plan, job_id))]
    _remove_sentinels(store, records)
    outside = (head for head in index.heads.values() if head.job_id not in plan.attempts)
    worktrees = _Worktrees(store, {head.worktree for head in outside if head.worktree})
    for record in records:
        if record.meta.worker is not None:
            # What an earlier attempt left running must not meet the next one (decision D19).
            context.launcher.stop(worker_handle(store, record), grace=0)
        cleanup, detail = worktrees.release(record)
        if cleanup is RetryCleanup.DEGRADED:
            store.warn(
                f"retry cleanup degraded for {record.id}: {detail}; worktree metadata retained for future cleanup"
            )
        _remove_attempt(store, record)
        change = _Rewinding(cleanup, detail, by_route=plan.source is not None)
        store.update(record.id, change.apply)
    if plan.context is not None and not worktrees.removed(plan.context.worktree_path):
        for root in plan.roots:
            if store.exists(root):
                store.update(root, plan.context.apply)
    remove_file(_intention(store))
    index.catch_up()


def merge_slugs(record: JobRecord) -> set[str]:
    """The plans whose merge a job is about (spec 03 §4.3)."""
    scheduling, meta = record.scheduling, record.meta
    artifacts: list[Artifact] = [*(need.artifact for need in scheduling.dependencies), *scheduling.artifacts]
    slugs = {artifact.first for artifact in artifacts if artifact.kind is ArtifactKind.MERGE_SENTINEL}
    prefix = "merge_sentinel:"
    slugs |= {lock.key.removeprefix(prefix).strip() for lock in scheduling.locks if lock.key.startswith(prefix)}
    alias = meta.command_alias if meta.command_alias is not None else meta.scope
    if alias == "merge" and meta.plan:
        slugs.add(meta.plan)
    return slugs - {""}


class _Worktrees:
    """Removes each worktree of a rewind once, and none that a job outside of it still works in (decision D4)."""

    def __init__(self, store: JobStore, used_outside: set[str]) -> None:
        self._store = store
        self._used_outside = used_outside
        self._results: dict[str, tuple[RetryCleanup, str | None]] = {}

    def release(self, record: JobRecord) -> tuple[RetryCleanup, str | None]:
        path = record.meta.worktree_path
        if record.meta.worktree_owned is not True or path is None:
            return release_worktree(self._store, record)
        if path in self._used_outside:
            return RetryCleanup.SKIPPED, None
        if path not in self._results:
            self._results[path] = release_worktree(self._store, record)
        return self._results[path]

    def removed(self, path: str | None) -> bool:
        """A context that leads into a removed worktree leads nowhere (ruling R66)."""
        return path is not None and not recorded_path(self._store, path).exists()


class _Rewinding(msgspec.Struct, frozen=True):
    """What a rewind does to one record (spec 03 §4.4)."""

    cleanup: RetryCleanup
    detail: str | None
    by_route: bool

    def apply(self, record: JobRecord) -> JobRecord:
        fresh = record.evolve(
            status=JobStatus.QUEUED,
            started_at=None,
            finished_at=None,
            pid=None,
            exit_code=None,
            session_path=None,
            outcome_path=None,
            metadata=self._metadata(record.metadata) if record.metadata else None,
        )
        if record.schedule is None:
            return fresh
        approval = _asked_again(record.schedule.approval)
        return fresh.with_schedule(wait_reason=None, waited_on=(), approval=approval)

    def _metadata(self, meta: JobMetadata) -> JobMetadata:
        attempt = meta.workflow_node_attempt
        changes: dict[str, Any] = {
            "workflow_node_attempt": (1 if attempt is None else attempt) + 1,
            "workflow_node_outcome": None,
            "workflow_payload_refs": None,
            "agent_exit_code": None,
            "cancel_cleanup_status": None,
            "cancel_cleanup_error": None,
            "retry_cleanup_status": self.cleanup,
            "retry_cleanup_error": self.detail,
            "process_liveness_state": None,
            "process_liveness_checked_at": None,
            "process_liveness_failure_reason": None,
            "worker": None,
            "routes_pending": None,
            "waits_for_merge": None,
            "route_rewinds": (meta.route_rewinds or 0) + 1 if self.by_route else None,
        }
        kept_for_others = self.cleanup is RetryCleanup.SKIPPED and meta.worktree_owned
        if self.cleanup is not RetryCleanup.DEGRADED and not kept_for_others:
            changes.update(worktree_name=None, worktree_path=None, worktree_owned=None, execution_root=".")
        return msgspec.structs.replace(meta, **changes)


def _intention(store: JobStore) -> Path:
    return store.jobs_root / "runs" / _INTENTION


def _source_goes_on(store: JobStore, plan: Rewind) -> bool:
    """Whether the job whose route it is had not been finalised when its process was killed."""
    if plan.source is None or not store.exists(plan.source):
        return False
    source = store.read(plan.source)
    return source.status is JobStatus.RUNNING and attempt_of(source) == plan.source_attempt


def _pending(store: JobStore, plan: Rewind, job_id: str) -> JobRecord | None:
    """The record of a job that still has to be rewound."""
    try:
        record = store.read(job_id)
    except (UnknownJobError, MalformedFileError):
        return None
    return record if attempt_of(record) == plan.attempts[job_id] else None


def _remove_sentinels(store: JobStore, records: Sequence[JobRecord]) -> None:
    slugs = {slug for record in records for slug in merge_slugs(record) if "/" not in slug}
    if slugs:
        directory = store.root / ".vizier" / "tmp" / "merge-conflicts"
        for slug in slugs:
            remove_file(directory / f"{slug}.json")
        remove_empty_directory(directory)


def _remove_attempt(store: JobStore, record: JobRecord) -> None:
    """Removes what one attempt has left in files: results, published artifacts, log contents."""
    directory = store.job_directory(record.id)
    if record.outcome_path:
        # A record may name any path as its outcome; only a file of this job is ours to delete (WS-03-15).
        recorded = recorded_path(store, record.outcome_path)
        if recorded.parent.resolve() == directory.resolve():
            remove_file(recorded)
    for name in _ATTEMPT_FILES:
        remove_file(directory / name)
    for artifact in record.scheduling.artifacts:
        if artifact.kind is ArtifactKind.CUSTOM:
            unpublish(store, record.id, artifact)
    for stream in STREAMS:
        with open(store.log_path(record.id, stream), "wb"):
            pass  # opening it has emptied it


def _asked_again(approval: JobApproval | None) -> JobApproval | None:
    """A required approval has to be given anew for the new attempt."""
    if approval is None or not approval.required:
        return approval
    return JobApproval(
        required=True, state=ApprovalState.PENDING, requested_at=Timestamp.now(), requested_by=approval_actor()
    )
