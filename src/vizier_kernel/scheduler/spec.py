"""The decision function: which jobs start, wait or end as blocked (spec 01 §3).

Seven gates are tried in a fixed order and the first that does not pass decides. Jobs are decided oldest first; only a
job that starts takes its locks, so two jobs of one tick never share an exclusive key. A job that ends as blocked dooms
its dependents in the same evaluation (decision D11).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler.model import (
    Action,
    ApprovalState,
    Decision,
    Facts,
    JobFacts,
    JobStatus,
    Lock,
    LockMode,
    MissingProducer,
    Satisfaction,
    WaitKind,
    WaitReason,
)

#: What the wait reason of a job says in front of the predecessor it waits for.
WAITING_ON_JOB: Final = "waiting on job "


class LockTable:
    """The keys held at one moment, shared by many or exclusive to one."""

    def __init__(self, held: Iterable[Lock] = ()) -> None:
        self._modes: dict[str, LockMode] = {}
        self.acquire(held)

    def can_acquire(self, locks: Iterable[Lock]) -> bool:
        """Whether all of them are free at once; a job's own locks do not get in each other's way."""
        return all(
            lock.key not in self._modes or self._modes[lock.key] is lock.mode is LockMode.SHARED for lock in locks
        )

    def acquire(self, locks: Iterable[Lock]) -> None:
        """Takes the locks. The caller has checked that they are free, or records what running jobs already hold."""
        for lock in locks:
            if self._modes.get(lock.key) is not LockMode.EXCLUSIVE:
                self._modes[lock.key] = lock.mode


def evaluate(facts: Facts) -> list[Decision]:
    """Decides about every job that is neither terminal nor running, in the order of `facts.jobs`.

    The result is a fixed point: jobs that became blocked count as blocked for those that depend on them. Jobs that fail
    for missing child arguments do not (spec 01 §5.4), and a job that starts is never decided again.
    """
    candidates = {job.job_id: job for job in facts.jobs if job.status.is_waiting}
    locks = LockTable(facts.held)
    decisions: dict[str, Decision] = {}
    for job in candidates.values():
        decision = _decide(job, facts, facts.statuses, locks)
        if decision.action is Action.START:
            locks.acquire(job.locks)
        decisions[job.job_id] = decision

    _cascade(candidates, decisions, facts, locks)
    return list(decisions.values())


def _cascade(
    candidates: Mapping[str, JobFacts], decisions: dict[str, Decision], facts: Facts, locks: LockTable
) -> None:
    """Decides again, level by level, about those whose predecessors or producers have just become blocked."""
    blocked = [decision.job_id for decision in decisions.values() if decision.status.is_blocked]
    if not blocked:
        return
    watchers = _watchers(candidates.values(), facts)
    position = {job_id: index for index, job_id in enumerate(candidates)}
    statuses = dict(facts.statuses)
    while blocked:
        statuses.update((job_id, decisions[job_id].status) for job_id in blocked)
        doomed = {watcher for job_id in blocked for watcher in watchers.get(job_id, ())}
        blocked = []
        for job_id in sorted(doomed, key=position.__getitem__):
            before = decisions[job_id]
            if before.status.is_blocked or before.action is not Action.UPDATE_STATUS:
                continue
            decisions[job_id] = after = _decide(candidates[job_id], facts, statuses, locks)
            if after.status.is_blocked:
                blocked.append(job_id)


def _watchers(candidates: Iterable[JobFacts], facts: Facts) -> dict[str, list[str]]:
    """For each job the candidates that look at it, by name or as the producer of something they need."""
    watchers: dict[str, list[str]] = {}
    for job in candidates:
        producers = (p for artifact in job.dependencies for p in facts.producers.get(artifact, ()))
        for watched in {*job.after, *producers}:
            watchers.setdefault(watched, []).append(job.job_id)
    return watchers


def evaluate_job(job: JobFacts, facts: Facts) -> Decision:
    """Decides about a single job as if it were alone."""
    return _decide(job, facts, facts.statuses, LockTable(facts.held))


def _decide(job: JobFacts, facts: Facts, statuses: Mapping[str, JobStatus], locks: LockTable) -> Decision:
    """Tries the gates in their order (spec 01 §3.2)."""
    verdict = (
        _after_gate(job, facts, statuses)
        or _artifact_gate(job, facts, statuses)
        or _pinned_head_gate(job)
        or _precondition_gate(job)
        or _approval_gate(job)
        or _lock_gate(job, locks)
    )
    if verdict is not None:
        status, reason = verdict
        waited_on = job.waited_on if reason.kind in job.waited_on else (*job.waited_on, reason.kind)
        return Decision(job.job_id, Action.UPDATE_STATUS, status, reason, waited_on)
    if not job.has_child_args:
        reason = WaitReason(WaitKind.DEPENDENCIES, "missing child args")
        return Decision(job.job_id, Action.FAIL_MISSING_CHILD_ARGS, JobStatus.FAILED, reason, job.waited_on)
    return Decision(job.job_id, Action.START, JobStatus.RUNNING, None, job.waited_on)


_Verdict = tuple[JobStatus, WaitReason]


def _waits(detail: str, kind: WaitKind = WaitKind.DEPENDENCIES) -> _Verdict:
    return JobStatus.WAITING_ON_DEPS, WaitReason(kind, detail)


def _blocks(detail: str, kind: WaitKind = WaitKind.DEPENDENCIES) -> _Verdict:
    return JobStatus.BLOCKED_BY_DEPENDENCY, WaitReason(kind, detail)


def _after_gate(job: JobFacts, facts: Facts, statuses: Mapping[str, JobStatus]) -> _Verdict | None:
    for predecessor in sorted(set(job.after)):
        if predecessor in facts.unreadable:
            error = facts.unreadable[predecessor]
            return _blocks(f"scheduler data error for job dependency {predecessor}: {error}")
        status = statuses.get(predecessor)
        if status is None:
            return _blocks(f"missing job dependency {predecessor}")
        if status.is_active:
            return _waits(f"{WAITING_ON_JOB}{predecessor}")
        if status is not JobStatus.SUCCEEDED:
            return _blocks(f"dependency failed for job {predecessor} ({status})")
    return None


def _artifact_gate(job: JobFacts, facts: Facts, statuses: Mapping[str, JobStatus]) -> _Verdict | None:
    missing = next((artifact for artifact in job.dependencies if artifact not in facts.existing), None)
    return None if missing is None else _missing_artifact(job, missing, facts, statuses)


def _missing_artifact(job: JobFacts, artifact: Artifact, facts: Facts, statuses: Mapping[str, JobStatus]) -> _Verdict:
    """Active producers beat succeeded ones, those beat all others (spec 01 §3.5)."""
    producers = [statuses[p] for p in facts.producers.get(artifact, ()) if p in statuses]
    if any(status.is_active for status in producers):
        return _waits(f"waiting on {artifact.label}")
    if JobStatus.SUCCEEDED in producers:
        return _blocks(f"missing {artifact.label}")
    if producers:
        return _blocks(f"dependency failed for {artifact.label}")
    if job.missing_producer is MissingProducer.WAIT:
        return _waits(f"awaiting producer for {artifact.label}")
    return _blocks(f"missing {artifact.label}")


def _pinned_head_gate(job: JobFacts) -> _Verdict | None:
    if job.pinned_head is None or job.pinned_head.matches:
        return None
    return _waits(f"pinned head mismatch on {job.pinned_head.branch}", WaitKind.PINNED_HEAD)


def _precondition_gate(job: JobFacts) -> _Verdict | None:
    for precondition in job.preconditions:
        if precondition.satisfaction is Satisfaction.WAITING:
            return _waits(precondition.detail, WaitKind.PRECONDITIONS)
        if precondition.satisfaction is Satisfaction.BLOCKED:
            return _blocks(precondition.detail, WaitKind.PRECONDITIONS)
    return None


def _approval_gate(job: JobFacts) -> _Verdict | None:
    if job.approval is None or job.approval.state is ApprovalState.APPROVED:
        return None
    if job.approval.state is ApprovalState.PENDING:
        return JobStatus.WAITING_ON_APPROVAL, WaitReason(WaitKind.APPROVAL, "awaiting human approval")
    reason = "approval rejected" if job.approval.reason is None else job.approval.reason
    return JobStatus.BLOCKED_BY_APPROVAL, WaitReason(WaitKind.APPROVAL, reason)


def _lock_gate(job: JobFacts, locks: LockTable) -> _Verdict | None:
    if locks.can_acquire(job.locks):
        return None
    return JobStatus.WAITING_ON_LOCKS, WaitReason(WaitKind.LOCKS, "waiting on locks")
