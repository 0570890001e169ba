"""Jobs that go on waiting are not looked at, and nobody can tell that from what a tick decides."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.config import Settings
from vizier_core.index import RecordIndex
from vizier_core.jobs.facts import build_scheduler_facts
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.opening import open_project
from vizier_core.jobs.scheduler import _decisions
from vizier_core.jobs.store import JobStore
from vizier_kernel.scheduler import Action, Decision, JobStatus, evaluate

from ..records import after, document, locked, put

IDS = tuple(f"job-{letter}" for letter in "abcde")
STATUSES = [status.value for status in JobStatus]


@st.composite
def stores(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A few jobs that wait for each other, also in circles and for jobs that do not exist."""
    records = []
    for second, job_id in enumerate(IDS):
        predecessors = draw(st.lists(st.sampled_from([*IDS, "ghost"]).filter(lambda x, me=job_id: x != me), max_size=2))
        schedule: dict[str, Any] = {"after": after(*predecessors)}
        status = draw(st.sampled_from(STATUSES))
        if status == "waiting_on_deps" and predecessors:
            detail = f"waiting on job {draw(st.sampled_from(predecessors))}"
            schedule |= {"wait_reason": {"kind": "dependencies", "detail": detail}, "waited_on": ["dependencies"]}
        records.append(document(job_id, status, second=second, schedule=schedule, pid=1))
    return records


def effective(index: RecordIndex, decisions: list[Decision]) -> list[Decision]:
    """The decisions that change something."""
    records = {decision.job_id: index.record(decision.job_id) for decision in decisions}
    return [
        decision
        for decision in decisions
        if decision.action is not Action.UPDATE_STATUS
        or (decision.status, decision.reason) != _standing(records[decision.job_id])
    ]


def _standing(record: JobRecord) -> tuple[Any, Any]:
    return record.status, record.scheduling.wait_reason


@given(stores(), st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(STATUSES), st.booleans()), max_size=6))
def test_what_is_decided_does_not_depend_on_who_sleeps(
    records: list[dict[str, Any]], changes: list[tuple[str, str, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / ".git").mkdir()
        context = open_project(root, Settings(), lambda line: None)
        for record in records:
            put(context.store, record)
        context.index.refresh()
        with locked(context.store):
            for job_id, status, decide_first in [("job-a", "queued", True), *changes]:
                if decide_first:
                    everything = evaluate(build_scheduler_facts(context.index, context.store))
                    assert effective(context.index, _decisions(context)) == effective(context.index, everything)
                context.store.update(job_id, lambda fresh, to=status: fresh.evolve(status=JobStatus(to)))
                context.index.catch_up()
        everything = evaluate(build_scheduler_facts(context.index, context.store))
        assert effective(context.index, _decisions(context)) == effective(context.index, everything)


@pytest.fixture
def waiting(store: JobStore) -> RecordIndex:
    """`job-b` waits for `job-a`, which runs."""
    reason = {"wait_reason": {"kind": "dependencies", "detail": "waiting on job job-a"}, "waited_on": ["dependencies"]}
    put(store, document("job-a", "running", pid=1))
    put(store, document("job-b", "waiting_on_deps", second=1, schedule={"after": after("job-a"), **reason}))
    index = RecordIndex(store)
    index.refresh()
    return index


def test_a_job_sleeps_until_its_predecessor_changes(store: JobStore, waiting: RecordIndex) -> None:
    assert [head.job_id for head in waiting.awake()] == ["job-a"]
    with locked(store):
        store.update("job-a", lambda record: record.evolve(status=JobStatus.SUCCEEDED))
        waiting.catch_up()
    assert [head.job_id for head in waiting.awake()] == ["job-b"]


def test_a_job_wakes_when_its_own_record_changes(store: JobStore, waiting: RecordIndex) -> None:
    assert [head.job_id for head in waiting.awake()] == ["job-a"]
    with locked(store):
        store.update("job-b", lambda record: record.evolve(status=JobStatus.QUEUED))
        waiting.catch_up()
    assert [head.job_id for head in waiting.awake()] == ["job-a", "job-b"]


def test_a_job_wakes_when_its_predecessor_is_deleted(store: JobStore, waiting: RecordIndex) -> None:
    waiting.awake()
    store.record_path("job-a").unlink()
    waiting.refresh(complete=True)
    assert [head.job_id for head in waiting.awake()] == ["job-b"]
