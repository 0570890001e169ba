"""Locks: who may run beside whom (spec 01 §§2.6, 3.3)."""

import pytest
from hypothesis import given

from vizier_kernel.scheduler import Action, Facts, JobStatus, Lock, LockMode, LockTable, evaluate

from .worlds import EXCLUSIVE, SHARED, conflict, decide, job, lock_lists, random_worlds, started, world

KEY = Lock("k", EXCLUSIVE)


@pytest.mark.parametrize(
    ("held", "wanted", "free"),
    [
        (EXCLUSIVE, EXCLUSIVE, False),
        (EXCLUSIVE, SHARED, False),
        (SHARED, EXCLUSIVE, False),
        (SHARED, SHARED, True),
        (None, EXCLUSIVE, True),
        (None, SHARED, True),
    ],
)
def test_the_table(held: LockMode | None, wanted: LockMode, free: bool) -> None:
    table = LockTable([Lock("k", held)] if held else [])
    assert table.can_acquire([Lock("k", wanted)]) is free


def test_all_locks_or_none() -> None:
    table = LockTable([Lock("a", EXCLUSIVE)])
    assert not table.can_acquire([Lock("b", EXCLUSIVE), Lock("a", SHARED)])
    assert table.can_acquire([])


def test_the_locks_of_one_job_do_not_get_in_each_others_way() -> None:
    mixed = [Lock("k", SHARED), Lock("k", EXCLUSIVE), Lock("k", SHARED)]
    table = LockTable()
    assert table.can_acquire(mixed)
    table.acquire(mixed)
    assert not table.can_acquire([Lock("k", SHARED)])


@given(lock_lists, lock_lists)
def test_what_is_held_excludes_exactly_what_conflicts_with_it(held: list[Lock], wanted: list[Lock]) -> None:
    free = not any(conflict(mine, theirs) for mine in wanted for theirs in held)
    assert LockTable(held).can_acquire(wanted) is free


def test_of_two_jobs_with_one_exclusive_lock_the_earlier_starts() -> None:
    first, second = job("a", locks=(KEY,)), job("b", locks=(KEY,))
    assert started(evaluate(world(first, second))) == ["a"]
    assert started(evaluate(world(second, first))) == ["b"]
    assert decide(world(first, second))["b"].status is JobStatus.WAITING_ON_LOCKS


def test_only_starts_take_locks() -> None:
    unready = job("a", locks=(KEY,), after=("ghost",))
    without_args = job("b", locks=(KEY,), has_child_args=False)
    needs_two = job("c", locks=(KEY, Lock("busy", EXCLUSIVE)))
    last = job("d", locks=(KEY,))
    assert started(evaluate(world(unready, without_args, needs_two, last, held=[Lock("busy", SHARED)]))) == ["d"]


def test_r78_a_job_that_waits_for_locks_reserves_nothing() -> None:
    needs_two = job("a", locks=(KEY, Lock("busy", EXCLUSIVE)))
    needs_one = job("b", locks=(KEY,))
    assert started(evaluate(world(needs_two, needs_one, held=[Lock("busy", EXCLUSIVE)]))) == ["b"]


@given(random_worlds())
def test_a_started_job_never_conflicts_with_another_one_or_with_what_is_held(facts: Facts) -> None:
    locks = {one.job_id: one.locks for one in facts.jobs}
    taken = list(facts.held)
    for job_id in started(evaluate(facts)):
        assert not any(conflict(mine, theirs) for mine in locks[job_id] for theirs in taken)
        taken += locks[job_id]


@given(random_worlds())
def test_a_job_waits_for_locks_only_if_an_earlier_start_or_a_running_job_is_in_its_way(facts: Facts) -> None:
    locks = {one.job_id: one.locks for one in facts.jobs}
    taken = list(facts.held)
    for decision in evaluate(facts):
        if decision.status is JobStatus.WAITING_ON_LOCKS:
            assert any(conflict(mine, theirs) for mine in locks[decision.job_id] for theirs in taken)
        if decision.action is Action.START:
            taken += locks[decision.job_id]
