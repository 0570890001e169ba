"""Properties of the evaluation as a whole (spec 01 §§2.10, 3.3)."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.scheduler import Action, Facts, JobStatus, WaitKind, evaluate, evaluate_job

from .worlds import random_jobs, random_worlds, world


def shuffled(facts: Facts, rng: random.Random) -> Facts:
    """The same facts with every mapping and every unordered list in another order."""

    def mixed(items: object) -> list[object]:
        listed = list(items)  # type: ignore[call-overload]
        rng.shuffle(listed)
        return listed

    jobs = tuple(
        msgspec.structs.replace(one, after=(*mixed(one.after), *one.after[:1]), locks=tuple(mixed(one.locks)))
        for one in facts.jobs
    )
    return Facts(
        jobs=jobs,
        statuses=dict(mixed(facts.statuses.items())),
        unreadable=dict(mixed(facts.unreadable.items())),
        producers={token: tuple(mixed(makers)) for token, makers in mixed(facts.producers.items())},
        existing=frozenset(mixed(facts.existing)),
        held=tuple(mixed(facts.held)),
    )


@given(random_worlds(), st.randoms())
def test_decisions_depend_on_the_facts_alone_not_on_the_order_in_which_they_were_found(
    facts: Facts, rng: random.Random
) -> None:
    assert evaluate(shuffled(facts, rng)) == evaluate(facts)


@given(random_worlds())
def test_evaluating_changes_nothing(facts: Facts) -> None:
    before = msgspec.json.encode([facts.statuses, facts.unreadable, list(facts.producers.items()), facts.jobs])
    first = evaluate(facts)
    assert msgspec.json.encode([facts.statuses, facts.unreadable, list(facts.producers.items()), facts.jobs]) == before
    assert evaluate(facts) == first


@given(random_worlds())
def test_every_job_that_may_move_gets_one_decision_in_the_order_of_the_jobs(facts: Facts) -> None:
    movable = [one.job_id for one in facts.jobs if one.status.is_active and one.status is not JobStatus.RUNNING]
    assert [decision.job_id for decision in evaluate(facts)] == movable


@given(random_jobs("alone"), st.lists(st.sampled_from(["ghost", "garbled", "job-0"]), max_size=2))
def test_a_job_alone_is_decided_as_evaluate_job_says(candidate: object, after: list[str]) -> None:
    alone = msgspec.structs.replace(candidate, status=JobStatus.QUEUED, after=tuple(after))
    facts = world(alone, others={"job-0": JobStatus.RUNNING}, unreadable={"garbled": "bad"})
    assert evaluate(facts) == [evaluate_job(alone, facts)]


@given(random_worlds())
def test_waited_on_grows_by_the_kind_that_stopped_the_job_and_never_repeats_one(facts: Facts) -> None:
    before = {one.job_id: one.waited_on for one in facts.jobs}
    for decision in evaluate(facts):
        old = before[decision.job_id]
        if decision.action is not Action.UPDATE_STATUS:
            assert decision.waited_on == old
            continue
        assert decision.reason is not None
        kind: WaitKind = decision.reason.kind
        assert decision.waited_on == (old if kind in old else (*old, kind))
        assert len(set(decision.waited_on)) == len(decision.waited_on)


@given(random_worlds())
def test_status_action_and_reason_fit_each_other(facts: Facts) -> None:
    fitting = {
        Action.START: {JobStatus.RUNNING},
        Action.FAIL_MISSING_CHILD_ARGS: {JobStatus.FAILED},
        Action.UPDATE_STATUS: {
            JobStatus.WAITING_ON_DEPS,
            JobStatus.WAITING_ON_APPROVAL,
            JobStatus.WAITING_ON_LOCKS,
            JobStatus.BLOCKED_BY_DEPENDENCY,
            JobStatus.BLOCKED_BY_APPROVAL,
        },
    }
    for decision in evaluate(facts):
        assert decision.status in fitting[decision.action]
        assert (decision.reason is None) is (decision.action is Action.START)
