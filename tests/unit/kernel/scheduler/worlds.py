"""Small worlds of jobs for tests of the scheduler, and hypothesis strategies for random ones."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations, product
from typing import Any

from hypothesis import strategies as st

from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.scheduler import (
    Action,
    ApprovalFact,
    ApprovalState,
    Decision,
    Facts,
    JobFacts,
    JobStatus,
    Lock,
    LockMode,
    MissingProducer,
    PinnedHeadFact,
    PreconditionFact,
    Satisfaction,
    WaitKind,
    evaluate,
)

EXCLUSIVE, SHARED = LockMode.EXCLUSIVE, LockMode.SHARED

#: One artifact of each kind, with the label that messages show.
ONE_OF_EACH_KIND = {
    "plan_branch:tidy (draft/tidy)": Artifact(ArtifactKind.PLAN_BRANCH, "tidy", "draft/tidy"),
    "plan_doc:tidy (draft/tidy)": Artifact(ArtifactKind.PLAN_DOC, "tidy", "draft/tidy"),
    "plan_commits:tidy (draft/tidy)": Artifact(ArtifactKind.PLAN_COMMITS, "tidy", "draft/tidy"),
    "target_branch:main": Artifact(ArtifactKind.TARGET_BRANCH, "main"),
    "merge_sentinel:tidy": Artifact(ArtifactKind.MERGE_SENTINEL, "tidy"),
    "command_patch:job-a": Artifact(ArtifactKind.COMMAND_PATCH, "job-a"),
    "custom:stage_token:tidy": Artifact.custom("stage_token", "tidy"),
}


def job(job_id: str = "job", status: JobStatus = JobStatus.QUEUED, **facts: Any) -> JobFacts:
    """A job that may move, by default without any gate that could stop it."""
    return JobFacts(job_id=job_id, status=status, **facts)


def world(
    *jobs: JobFacts, others: Mapping[str, JobStatus] | None = None, held: Iterable[Lock] = (), **facts: Any
) -> Facts:
    """The facts about some jobs in this order and the statuses of others."""
    statuses = {**{one.job_id: one.status for one in jobs}, **(others or {})}
    return Facts(jobs=jobs, statuses=statuses, held=tuple(held), **facts)


def decide(facts: Facts) -> dict[str, Decision]:
    """The decisions by job id."""
    return {decision.job_id: decision for decision in evaluate(facts)}


def verdict(decision: Decision) -> tuple[JobStatus, WaitKind | None, str | None]:
    """What the operator sees of a decision."""
    reason = decision.reason
    return (decision.status, reason.kind, reason.detail) if reason else (decision.status, None, None)


def started(decisions: Iterable[Decision]) -> list[str]:
    return [decision.job_id for decision in decisions if decision.action is Action.START]


def conflict(first: Lock, second: Lock) -> bool:
    """The lock table of spec 01 §2.6, written down a second time."""
    return first.key == second.key and EXCLUSIVE in {first.mode, second.mode}


_IDS = tuple(f"job-{number}" for number in range(6))
_TOKENS = tuple(Artifact.custom("token", name) for name in "abcd")

lock_lists = st.lists(st.builds(Lock, st.sampled_from(["x", "y", "z"]), st.sampled_from(LockMode)), max_size=3)


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual value in half of the cases: else hardly any random job would pass all gates."""
    return st.sampled_from([*[usual] * len(others), *others])


def small_tuples(items: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Every tuple of one or two items; drawing one of them is far cheaper than drawing a list."""
    return [*((item,) for item in items), *product(items, repeat=2)]


_FACTS: dict[str, st.SearchStrategy[Any]] = {
    "status": mostly(JobStatus.QUEUED, *JobStatus),
    "after": mostly((), *small_tuples([*_IDS, "ghost", "garbled"])),
    "dependencies": mostly((), *small_tuples(_TOKENS)),
    "missing_producer": st.sampled_from(MissingProducer),
    "pinned_head": mostly(None, *(PinnedHeadFact("main", matches) for matches in (True, False))),
    "preconditions": mostly((), *small_tuples([PreconditionFact(state, "dirty") for state in Satisfaction])),
    "approval": mostly(None, *(ApprovalFact(state) for state in ApprovalState)),
    "locks": mostly((), *small_tuples([Lock(key, mode) for key in "xy" for mode in LockMode])),
    "waited_on": mostly((), *permutations(WaitKind, 1), *permutations(WaitKind, 2)),
    "has_child_args": mostly(True, True, False),
}


def random_jobs(job_id: str) -> st.SearchStrategy[JobFacts]:
    return st.builds(JobFacts, job_id=st.just(job_id), **_FACTS)


@st.composite
def random_worlds(draw: st.DrawFn) -> Facts:
    """Up to six jobs that wait for each other in any way, cycles included, and that make and need four artifacts."""
    ids = draw(st.permutations(_IDS))[: draw(st.integers(1, len(_IDS)))]
    jobs = [draw(random_jobs(job_id)) for job_id in ids]
    made = {token: draw(mostly((), *small_tuples(ids))) for token in _TOKENS}
    return Facts(
        jobs=tuple(jobs),
        statuses={one.job_id: one.status for one in jobs},
        unreadable={"garbled": "not JSON"},
        producers={token: tuple(dict.fromkeys(makers)) for token, makers in made.items() if makers},
        existing=frozenset(draw(mostly((), *small_tuples(_TOKENS)))),
        held=draw(_FACTS["locks"]),
    )
