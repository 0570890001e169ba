"""How jobs depend on each other: predecessors, dependents, what a retry takes along (spec 01 §11, 03 §4.1)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vizier_core.index import Head
from vizier_core.jobs.graph import ScheduleGraph
from vizier_kernel.scheduler import JobStatus

TOKEN, OTHER = (6, "token", "t"), (6, "token", "other")


def head(job_id: str, created_at: int = 0, **more: Any) -> Head:
    facts: dict[str, Any] = {
        **dict.fromkeys(Head.__struct_fields__[: -len(Head.__struct_defaults__)]),
        **dict.fromkeys(("after", "needs", "makes"), ()),
        **dict.fromkeys(("ephemeral", "routes_pending"), False),
        **more,
    }
    return Head(**{**facts, "job_id": job_id, "status": JobStatus.SUCCEEDED, "created_at": created_at})


def graph(*heads: Head) -> ScheduleGraph:
    return ScheduleGraph({one.job_id: one for one in heads})


def test_a_chain_is_retried_from_its_root_on() -> None:
    chain = graph(head("c", 2, after=("b",)), head("a", 0), head("b", 1, after=("a",)), head("z", 3))
    assert chain.retry_set("a") == ["a", "b", "c"]
    assert chain.retry_set("b") == ["b", "c"]
    assert chain.retry_set("z") == ["z"]


def test_the_root_comes_first_the_others_by_age_then_id() -> None:
    fan = graph(head("r", 9), head("y", 1, after=("r",)), head("x", 1, after=("r",)), head("w", 0, after=("x",)))
    assert fan.retry_set("r") == ["r", "w", "x", "y"]


def test_consumers_of_artifacts_are_dependents() -> None:
    both = graph(head("p", makes=(TOKEN,)), head("c", needs=(TOKEN,)), head("d", needs=(OTHER,)))
    assert both.dependents("p") == {"c"}
    assert both.predecessors("c") == ["p"]
    assert both.predecessors("d") == []


def test_d13_a_consumer_whose_own_run_makes_the_artifact_does_not_depend_on_other_runs() -> None:
    runs = graph(
        head("p1", makes=(TOKEN,), run_id="one"),
        head("c1", needs=(TOKEN,), run_id="one"),
        head("p2", makes=(TOKEN,), run_id="two"),
        head("c2", needs=(TOKEN,), run_id="two"),
        head("c3", needs=(TOKEN,), run_id="three"),
        head("c4", needs=(TOKEN,)),
    )
    assert runs.dependents("p1") == {"c1", "c3", "c4"}
    assert runs.dependents("p2") == {"c2", "c3", "c4"}


def test_jobs_without_a_record_are_no_predecessors_and_come_last_in_order() -> None:
    lonely = graph(head("b", 5, after=("ghost", "a")), head("a", 7))
    assert lonely.predecessors("b") == ["a"]
    assert lonely.in_order(["ghost", "a", "ant", "b"]) == ["b", "a", "ant", "ghost"]
    assert lonely.dependents("ghost") == {"b"}


def test_a_job_that_makes_what_it_needs_is_its_own_predecessor_and_dependent() -> None:
    selfish = graph(head("a", makes=(TOKEN,), needs=(TOKEN,)))
    assert selfish.retry_set("a") == ["a"]
    assert selfish.predecessors("a") == ["a"]


_ids = st.sampled_from("abcdef")
_tokens = st.lists(st.sampled_from([TOKEN, OTHER]), max_size=2).map(tuple)


@given(
    st.dictionaries(
        _ids,
        st.tuples(
            st.integers(0, 2), st.lists(_ids, max_size=3), _tokens, _tokens, st.sampled_from([None, "one", "two"])
        ),
        min_size=1,
    )
)
def test_the_retry_set_is_the_closure_of_dependents_cycles_included(drawn: dict[str, Any]) -> None:
    heads = [
        head(job_id, age, after=tuple(after), needs=needs, makes=makes, run_id=run)
        for job_id, (age, after, needs, makes, run) in drawn.items()
    ]
    jobs = graph(*heads)
    root = heads[0].job_id
    reached = {root}
    while more := {dependent for job_id in reached for dependent in jobs.dependents(job_id)} - reached:
        reached |= more
    found = jobs.retry_set(root)
    assert found[0] == root
    assert set(found) == reached
    assert len(found) == len(reached)
    assert found[1:] == sorted(found[1:], key=lambda job_id: jobs.heads[job_id].age_key)
