"""Blocking goes on to a fixed point within one evaluation (decision D11, WS-01-15)."""

from collections.abc import Mapping
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given

from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import (
    Action,
    ApprovalFact,
    ApprovalState,
    Decision,
    Facts,
    JobStatus,
    Lock,
    evaluate,
    evaluate_job,
)

from .worlds import EXCLUSIVE, decide, job, random_worlds, verdict, world

S = JobStatus
TOKEN = Artifact.custom("t", "t")


def chain(length: int, **first: object) -> Facts:
    """Jobs `j000`, `j001`, ... each after the one before; the first has the given facts."""
    ids = [f"j{number:03}" for number in range(length)]
    followers = [job(job_id, after=(before,)) for before, job_id in pairwise(ids)]
    return world(job(ids[0], **first), *followers, others={"failed": S.FAILED})


def test_ws_01_15_a_doomed_chain_is_blocked_in_one_evaluation() -> None:
    decisions = evaluate(chain(300, after=("failed",)))
    assert [decision.job_id for decision in decisions] == [f"j{number:03}" for number in range(300)]
    assert {decision.status for decision in decisions} == {S.BLOCKED_BY_DEPENDENCY}
    last = decisions[-1].reason
    assert last is not None
    assert last.detail == "dependency failed for job j298 (blocked_by_dependency)"


def test_ws_01_15_even_if_the_chain_is_listed_backwards() -> None:
    facts = chain(30, after=("failed",))
    backwards = msgspec.structs.replace(facts, jobs=tuple(reversed(facts.jobs)))
    assert {decision.status for decision in evaluate(backwards)} == {S.BLOCKED_BY_DEPENDENCY}


def test_a_rejected_approval_blocks_what_comes_after_it_too() -> None:
    decisions = decide(chain(3, approval=ApprovalFact(ApprovalState.REJECTED)))
    assert verdict(decisions["j001"])[2] == "dependency failed for job j000 (blocked_by_approval)"
    assert decisions["j002"].status is S.BLOCKED_BY_DEPENDENCY


def test_a_blocked_producer_dooms_its_consumers() -> None:
    producer = job("p", after=("ghost",))
    consumer = job("c", dependencies=(TOKEN,))
    decisions = decide(world(consumer, producer, producers={TOKEN: ("p",)}))
    assert verdict(decisions["c"])[2] == "dependency failed for custom:t:t"


def test_a_consumer_waits_on_while_another_producer_can_still_deliver() -> None:
    doomed, alive = job("p", after=("ghost",)), job("q", after=("running",))
    consumer = job("c", dependencies=(TOKEN,))
    facts = world(consumer, doomed, alive, others={"running": S.RUNNING}, producers={TOKEN: ("p", "q")})
    assert decide(facts)["c"].status is S.WAITING_ON_DEPS


def test_a_job_that_fails_for_missing_child_args_does_not_block_others_in_the_same_evaluation() -> None:
    decisions = decide(chain(3, has_child_args=False))
    assert decisions["j000"].action is Action.FAIL_MISSING_CHILD_ARGS
    assert decisions["j001"].status is S.WAITING_ON_DEPS
    assert decisions["j002"].status is S.WAITING_ON_DEPS


def test_a_started_job_counts_as_active_for_those_after_it() -> None:
    decisions = decide(chain(2))
    assert decisions["j000"].action is Action.START
    assert verdict(decisions["j001"]) == (S.WAITING_ON_DEPS, decisions["j001"].reason.kind, "waiting on job j000")


def test_a_started_job_is_not_decided_again_when_a_producer_of_what_exists_is_blocked() -> None:
    lock = Lock("k", EXCLUSIVE)
    producer, consumer = job("p", after=("ghost",)), job("c", dependencies=(TOKEN,), locks=(lock,))
    decisions = decide(world(producer, consumer, producers={TOKEN: ("p",)}, existing=frozenset({TOKEN})))
    assert decisions["p"].status is S.BLOCKED_BY_DEPENDENCY
    assert decisions["c"].action is Action.START


@pytest.mark.parametrize("doomed", [False, True])
def test_a_cycle_of_jobs_ends(doomed: bool) -> None:
    jobs = [job(name, after=(after,)) for name, after in (("a", "c"), ("b", "a"), ("c", "b"))]
    jobs.append(job("d", after=("a", "failed") if doomed else ("a",)))
    jobs[0] = msgspec.structs.replace(jobs[0], after=("c", "0-failed") if doomed else ("c",))
    decisions = decide(world(*jobs, others={"0-failed": S.FAILED, "failed": S.FAILED}))
    expected = S.BLOCKED_BY_DEPENDENCY if doomed else S.WAITING_ON_DEPS
    assert {decision.status for decision in decisions.values()} == {expected}


def test_a_lock_freed_by_nobody_is_not_handed_out_by_the_cascade() -> None:
    lock = Lock("k", EXCLUSIVE)
    holder, waiter = job("a", locks=(lock,)), job("b", locks=(lock,))
    doomed = job("c", after=("ghost",), locks=(lock,))
    decisions = decide(world(doomed, holder, waiter))
    assert [decisions[name].status for name in "abc"] == [S.RUNNING, S.WAITING_ON_LOCKS, S.BLOCKED_BY_DEPENDENCY]


def repeated(facts: Facts) -> dict[str, Decision]:
    """What D11 says, the slow way: evaluate again and again, feeding back only transitions into a blocked status."""
    held = facts.held
    statuses: dict[str, JobStatus] = dict(facts.statuses)
    final: dict[str, Decision] = {}

    def alone(candidate_id: str, statuses: Mapping[str, JobStatus], held: tuple[Lock, ...]) -> Decision:
        candidate = next(one for one in facts.jobs if one.job_id == candidate_id)
        return evaluate_job(candidate, msgspec.structs.replace(facts, statuses=statuses, held=held))

    candidates = [one for one in facts.jobs if one.status.is_active and one.status is not S.RUNNING]
    for candidate in candidates:
        final[candidate.job_id] = decision = alone(candidate.job_id, statuses, held)
        if decision.action is Action.START:
            held += candidate.locks
    while True:
        fresh = {
            job_id: d.status for job_id, d in final.items() if d.status.is_blocked and statuses[job_id] != d.status
        }
        if not fresh:
            return final
        statuses |= fresh
        for job_id, decision in final.items():
            if decision.action is Action.UPDATE_STATUS and not decision.status.is_blocked:
                final[job_id] = alone(job_id, statuses, held)


@given(random_worlds())
def test_the_cascade_is_repeated_evaluation_that_feeds_back_only_what_became_blocked(facts: Facts) -> None:
    assert decide(facts) == repeated(facts)


@given(random_worlds())
def test_the_result_is_a_fixed_point(facts: Facts) -> None:
    decisions = decide(facts)
    blocked = {job_id: decision.status for job_id, decision in decisions.items() if decision.status.is_blocked}
    again = msgspec.structs.replace(
        facts,
        jobs=tuple(one for one in facts.jobs if one.job_id not in blocked),
        statuses={**facts.statuses, **blocked},
    )
    assert decide(again) == {job_id: decision for job_id, decision in decisions.items() if job_id not in blocked}
