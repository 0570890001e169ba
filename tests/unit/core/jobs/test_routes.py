"""Where the outcome of a node leads (spec 01 §9, 06 §10)."""

import shutil
from typing import Any

import pytest

from vizier_core.config import Settings
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.manifest import RunManifest
from vizier_core.jobs.model import JobMetadata
from vizier_core.jobs.routes import STATUS_OF_OUTCOME, NodeEnd, end_node
from vizier_core.jobs.scheduler import scheduler_tick
from vizier_core.jobs.settings import JobSettings
from vizier_kernel.scheduler import JobStatus
from vizier_kernel.workflow import Outcome

from ..killing import every_interruption
from ..records import after, locked, on_disk, put_text
from .fakes import GONE, FakeLauncher
from .flows import manifest, next_command, node_job, put_manifest

CONTEXT = {"execution_root": "w", "worktree_path": "w", "worktree_name": "w", "worktree_owned": True}
NO_CONTEXT = dict.fromkeys(CONTEXT)


@pytest.fixture(autouse=True)
def launcher(context: JobsContext) -> FakeLauncher:
    context.launcher = FakeLauncher()
    return context.launcher


def ends(
    context: JobsContext, run: RunManifest | None, node_id: str, outcome: Outcome, code: int = 0, **update: Any
) -> bool:
    """The node's worker has finished: its job is finalised and its routes are followed."""
    with locked(context.store):
        context.index.refresh(complete=True)
        end = NodeEnd(outcome=outcome, exit_code=code, update=JobMetadata(**update))
        return end_node(context, context.store.read(node_id), end, run)


def context_of(context: JobsContext, node_id: str) -> dict[str, Any]:
    meta = on_disk(context.store, node_id)["metadata"]
    return {key: meta.get(key) for key in CONTEXT}


def status_of(context: JobsContext, node_id: str) -> str:
    status: str = on_disk(context.store, node_id)["status"]
    return status


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.SUCCEEDED, "succeeded"),
        (Outcome.FAILED, "failed"),
        (Outcome.BLOCKED, "blocked_by_dependency"),
        (Outcome.CANCELLED, "cancelled"),
    ],
)
def test_outcomes_and_statuses(context: JobsContext, outcome: Outcome, status: str) -> None:
    node_job(context.store, "a", "running")
    assert ends(context, manifest({"a": {}}), "a", outcome, 9)
    record = on_disk(context.store, "a")
    assert (record["status"], record["exit_code"]) == (status, 9)
    assert record["metadata"]["workflow_node_outcome"] == outcome.value
    assert STATUS_OF_OUTCOME[outcome].value == status


def test_d6_a_job_that_had_ended_stays_as_it_is(context: JobsContext) -> None:
    node_job(context.store, "a", "cancelled")
    assert not ends(context, manifest({"a": {}}), "a", Outcome.SUCCEEDED)
    assert status_of(context, "a") == "cancelled"


# Success hands the context on


@pytest.mark.parametrize("status", ["queued", "waiting_on_deps", "waiting_on_locks", "failed", "succeeded"])
def test_the_next_nodes_shall_work_where_this_one_has_worked(context: JobsContext, status: str) -> None:
    run = manifest({"a": {"succeeded": ["b", "c"]}, "b": {}, "c": {}})
    node_job(context.store, "a", "running")
    for node_id in "bc":
        node_job(context.store, node_id, status, metadata={"worktree_name": "old", "plan": "p"})
    ends(context, run, "a", Outcome.SUCCEEDED, **CONTEXT)
    for node_id in "bc":
        assert context_of(context, node_id) == CONTEXT
        assert status_of(context, node_id) == status
        assert on_disk(context.store, node_id)["metadata"]["plan"] == "p"


def test_the_context_of_the_finalised_record_counts_nulls_included(context: JobsContext) -> None:
    """A clean-up node gives the worktree up; those after it must not inherit what is gone (WS-01-30)."""
    run = manifest({"a": {"succeeded": ["b"]}, "b": {}})
    node_job(context.store, "a", "running", metadata=CONTEXT)
    node_job(context.store, "b", metadata=CONTEXT)
    ends(context, run, "a", Outcome.SUCCEEDED, worktree_owned=False, execution_root=".")
    assert context_of(context, "b") == {**NO_CONTEXT, "execution_root": "."}


def test_without_a_context_nothing_is_handed_on(context: JobsContext) -> None:
    run = manifest({"a": {"succeeded": ["b"]}, "b": {}})
    node_job(context.store, "a", "running", metadata={"worktree_name": "w"})
    node_job(context.store, "b", metadata=CONTEXT)
    ends(context, run, "a", Outcome.SUCCEEDED)
    assert context_of(context, "b") == CONTEXT


def test_a_running_target_keeps_its_context(context: JobsContext) -> None:
    run = manifest({"a": {"succeeded": ["b"]}, "b": {}})
    node_job(context.store, "a", "running", metadata=CONTEXT)
    node_job(context.store, "b", "running")
    ends(context, run, "a", Outcome.SUCCEEDED)
    assert context_of(context, "b") == NO_CONTEXT


def test_a_target_that_has_it_already_is_not_rewritten(context: JobsContext) -> None:
    run = manifest({"a": {"succeeded": ["b"]}, "b": {}})
    node_job(context.store, "a", "running", metadata=CONTEXT)
    node_job(context.store, "b", metadata=CONTEXT)
    before = context.store.record_path("b").stat()
    ends(context, run, "a", Outcome.SUCCEEDED)
    assert context.store.record_path("b").stat() == before


def test_problems_with_a_target_only_warn(context: JobsContext, warnings: list[str]) -> None:
    run = manifest({"a": {"succeeded": ["b", "c", "ghost", "d"]}, "b": {}, "c": {}, "d": {}})
    node_job(context.store, "a", "running", metadata=CONTEXT)
    put_text(context.store, "b", "{")
    node_job(context.store, "d")
    ends(context, run, "a", Outcome.SUCCEEDED)
    assert status_of(context, "a") == "succeeded"
    assert context_of(context, "d") == CONTEXT
    broken, unknown, missing = warnings
    assert broken.startswith("workflow route a -> b context propagation failed: ")
    assert unknown == "workflow route a -> c context propagation failed: no background job c"
    assert missing == "workflow route target `ghost` missing from run manifest run_1"


def test_ws_01_03_killed_anywhere_success_implies_that_the_context_was_handed_on(context: JobsContext) -> None:
    run = manifest({"a": {"succeeded": ["b"]}, "b": {}})

    def prepare() -> JobsContext:
        node_job(context.store, "a", "running", metadata=CONTEXT)
        node_job(context.store, "b", schedule={"after": after("a")})
        context.store.lock.release()
        context.store.lock.acquire(5)
        context.index.refresh(complete=True)
        return context

    def act(context: JobsContext) -> None:
        end = NodeEnd(outcome=Outcome.SUCCEEDED, exit_code=0, update=JobMetadata())
        end_node(context, context.store.read("a"), end, run)

    for place, done in every_interruption(prepare, act):
        if status_of(place, "a") == "succeeded":
            assert context_of(place, "b") == CONTEXT
        assert status_of(place, "a") == "succeeded" or not done
    context.store.lock.release()


# Failure and blocking rewind


@pytest.mark.parametrize(("outcome", "name"), [(Outcome.FAILED, "failed"), (Outcome.BLOCKED, "blocked")])
def test_a_route_rewinds_its_target_with_all_that_follows_the_source_included(
    context: JobsContext, outcome: Outcome, name: str
) -> None:
    run = manifest({"a": {}, "b": {name: ["a"]}, "c": {}})
    node_job(context.store, "a", "succeeded", second=0)
    node_job(context.store, "b", "running", second=1, schedule={"after": after("a")})
    node_job(context.store, "c", "waiting_on_deps", second=2, schedule={"after": after("b")})
    ends(context, run, "b", outcome, 1)
    for node_id in "abc":
        assert status_of(context, node_id) == "queued"
        assert on_disk(context.store, node_id)["metadata"]["workflow_node_attempt"] == 2
    assert on_disk(context.store, "b")["metadata"]["workflow_node_outcome"] is None


def test_only_the_routes_of_the_outcome_are_followed(context: JobsContext) -> None:
    run = manifest({"a": {"blocked": ["b"], "succeeded": ["b"], "cancelled": ["b"]}, "b": {}})
    node_job(context.store, "a", "running", metadata=CONTEXT)
    node_job(context.store, "b", "succeeded")
    ends(context, run, "a", Outcome.FAILED, 1)
    assert (status_of(context, "b"), context_of(context, "b")) == ("succeeded", NO_CONTEXT)


def test_a_node_may_lead_back_to_itself(context: JobsContext) -> None:
    run = manifest({"a": {"failed": ["a"]}})
    node_job(context.store, "a", "running")
    ends(context, run, "a", Outcome.FAILED, 1)
    record = on_disk(context.store, "a")
    assert (record["status"], record["metadata"]["workflow_node_attempt"]) == ("queued", 2)
    assert (record["pid"], record["exit_code"]) == (None, None)


@pytest.mark.parametrize("status", ["queued", "waiting_on_deps", "waiting_on_approval", "running"])
def test_a_target_that_is_under_way_is_left_alone(context: JobsContext, status: str, warnings: list[str]) -> None:
    run = manifest({"a": {"failed": ["b"]}, "b": {}})
    node_job(context.store, "a", "running")
    node_job(context.store, "b", status)
    before = context.store.record_path("b").read_bytes()
    ends(context, run, "a", Outcome.FAILED, 1)
    assert context.store.record_path("b").read_bytes() == before
    assert status_of(context, "a") == "failed"
    assert warnings == []


def test_the_target_gets_the_context_of_the_source(context: JobsContext) -> None:
    (context.root / "w").mkdir()
    run = manifest({"a": {"failed": ["fix"]}, "fix": {}, "creator": {}})
    node_job(context.store, "a", "running", metadata=CONTEXT)
    node_job(context.store, "creator", "succeeded", metadata=CONTEXT)
    node_job(context.store, "fix", "succeeded")
    ends(context, run, "a", Outcome.FAILED, 1)
    assert status_of(context, "fix") == "queued"
    assert context_of(context, "fix") == CONTEXT


def test_two_targets_are_rewound_in_one_go(context: JobsContext) -> None:
    run = manifest({"a": {"failed": ["b", "c"]}, "b": {}, "c": {}})
    node_job(context.store, "a", "running", second=2)
    node_job(context.store, "b", "succeeded")
    node_job(context.store, "c", "succeeded", schedule={"after": after("b")})
    ends(context, run, "a", Outcome.FAILED, 1)
    assert [status_of(context, node_id) for node_id in "abc"] == ["failed", "queued", "queued"]
    for node_id in "bc":
        assert on_disk(context.store, node_id)["metadata"]["workflow_node_attempt"] == 2


def test_a_route_that_cannot_be_followed_only_warns(context: JobsContext, warnings: list[str]) -> None:
    run = manifest({"a": {"failed": ["ghost", "b"]}, "b": {}})
    node_job(context.store, "a", "running")
    ends(context, run, "a", Outcome.FAILED, 1)
    assert status_of(context, "a") == "failed"
    assert warnings == [
        "workflow route target `ghost` missing from run manifest run_1",
        "workflow route a -> b retry failed: no background job b",
    ]


def test_a_merge_in_progress_stops_the_route_not_the_job(context: JobsContext, warnings: list[str]) -> None:
    run = manifest({"a": {"failed": ["b"]}, "b": {}})
    (context.root / ".git" / "MERGE_HEAD").touch()
    node_job(context.store, "a", "running")
    node_job(context.store, "b", "succeeded", metadata={"command_alias": "merge", "plan": "p"})
    ends(context, run, "a", Outcome.FAILED, 1)
    assert (status_of(context, "a"), status_of(context, "b")) == ("failed", "succeeded")
    assert "in-progress merge/cherry-pick" in warnings[0]


def test_without_a_manifest_there_are_no_routes(context: JobsContext) -> None:
    node_job(context.store, "a", "running", metadata=CONTEXT)
    ends(context, None, "a", Outcome.FAILED, 1)
    assert status_of(context, "a") == "failed"


def test_ws_01_17_a_target_whose_record_cannot_be_read_only_warns(context: JobsContext, warnings: list[str]) -> None:
    """Else a dead worker with such a route ends every tick of everybody."""
    run = manifest({"a": {"failed": ["b"]}, "b": {}})
    node_job(context.store, "a", "running")
    put_text(context.store, "b", "{")
    ends(context, run, "a", Outcome.FAILED, 1)
    assert status_of(context, "a") == "failed"
    assert "workflow route a -> b retry failed: " in warnings[0]


# Limits


def test_r72_ws_01_38_a_node_is_not_rewound_for_ever(context: JobsContext, warnings: list[str]) -> None:
    run = manifest({"a": {"failed": ["a"]}})
    context.settings = Settings(jobs=JobSettings(max_route_attempts=2))
    node_job(context.store, "a", "running")
    for attempt in (2, 3):
        ends(context, run, "a", Outcome.FAILED, 1)
        assert on_disk(context.store, "a")["metadata"]["workflow_node_attempt"] == attempt
        with locked(context.store):
            context.store.update("a", lambda record: record.evolve(status=JobStatus.RUNNING, pid=7))
    ends(context, run, "a", Outcome.FAILED, 1)
    record = on_disk(context.store, "a")
    assert record["status"] == "failed"
    detail = record["schedule"]["wait_reason"]["detail"]
    assert detail.startswith("node a was rewound by routes 2 times and is not rewound again")
    assert "jobs.max_route_attempts" in detail
    assert warnings == [detail]


@pytest.mark.parametrize(
    "targets",
    [
        ["c", "b"],
        ["b", "c"],
    ],
)
def test_r72_the_limit_of_one_target_does_not_stop_the_others_and_is_told(
    context: JobsContext, targets: list[str]
) -> None:
    run = manifest({"a": {"failed": targets}, "b": {}, "c": {}})
    context.settings = Settings(jobs=JobSettings(max_route_attempts=1))
    node_job(context.store, "a", "running")
    node_job(context.store, "b", "succeeded", metadata={"route_rewinds": 1})
    node_job(context.store, "c", "succeeded")
    ends(context, run, "a", Outcome.FAILED, 1)
    assert (status_of(context, "b"), status_of(context, "c")) == ("succeeded", "queued")
    reason = on_disk(context.store, "a")["schedule"]["wait_reason"]
    assert reason is not None
    assert "node b was rewound" in reason["detail"]


# Routes that have to wait


def waiting_route(context: JobsContext) -> RunManifest:
    """`a` fails and leads to `b`, of whose dependents one still runs."""
    run = put_manifest(context.store, manifest({"a": {"failed": ["b"]}, "b": {}, "c": {}}))
    node_job(context.store, "a", "running", second=2)
    node_job(context.store, "b", "succeeded")
    node_job(context.store, "c", "running", second=1, schedule={"after": after("b")})
    return run


def test_ws_06_39_a_route_waits_for_a_running_job_that_it_would_have_to_rewind(context: JobsContext) -> None:
    run = waiting_route(context)
    ends(context, run, "a", Outcome.FAILED, 1)
    assert [status_of(context, node_id) for node_id in "abc"] == ["failed", "succeeded", "running"]
    assert on_disk(context.store, "a")["metadata"]["routes_pending"] is True
    scheduler_tick(context)
    assert status_of(context, "b") == "succeeded"
    ends(context, run, "c", Outcome.SUCCEEDED)
    outcome = scheduler_tick(context)
    assert "a" in outcome.updated
    assert "routes_pending" not in on_disk(context.store, "a")["metadata"]
    for node_id in "bc":
        assert on_disk(context.store, node_id)["metadata"]["workflow_node_attempt"] == 2
    assert status_of(context, "b") == "running"
    scheduler_tick(context)
    assert on_disk(context.store, "b")["metadata"]["workflow_node_attempt"] == 2


@pytest.mark.parametrize("loss", ["manifest deleted", "manifest broken", "target deleted"])
def test_ws_06_39_a_waiting_route_that_leads_nowhere_any_more_is_dropped(
    context: JobsContext, warnings: list[str], loss: str
) -> None:
    run = waiting_route(context)
    ends(context, run, "a", Outcome.FAILED, 1)
    ends(context, run, "c", Outcome.SUCCEEDED)
    if loss == "target deleted":
        shutil.rmtree(context.store.job_directory("b"))
    elif loss == "manifest deleted":
        context.store.manifest_path("run_1").unlink()
    else:
        context.store.manifest_path("run_1").write_text("{")
    following = next_command(context)
    scheduler_tick(following)
    assert status_of(context, "a") == "failed"
    assert "routes_pending" not in on_disk(context.store, "a")["metadata"]
    assert warnings


# Interruptions


def test_killed_anywhere_a_failed_node_leads_where_it_should_exactly_once(context: JobsContext) -> None:
    run = put_manifest(context.store, manifest({"a": {}, "b": {"failed": ["a"]}}))

    def prepare() -> JobsContext:
        for job_id in "ab":
            shutil.rmtree(context.store.job_directory(job_id), ignore_errors=True)
        node_job(context.store, "a", "succeeded")
        node_job(context.store, "b", "running", second=1, schedule={"after": after("a")})
        fresh = next_command(context)
        fresh.index.refresh()
        fresh.store.lock.acquire(5)
        return fresh

    def act(context: JobsContext) -> None:
        end = NodeEnd(outcome=Outcome.FAILED, exit_code=1, update=JobMetadata())
        end_node(context, context.store.read("b"), end, run)

    for place, _ in every_interruption(prepare, act):
        place.store.lock.abandon()
        launcher = FakeLauncher()
        launcher.probes["b"] = GONE
        scheduler_tick(next_command(place, launcher))
        for node_id in "ab":
            assert on_disk(place.store, node_id)["metadata"]["workflow_node_attempt"] == 2
        assert launcher.started == ["a"]
        assert (status_of(place, "a"), status_of(place, "b")) == ("running", "waiting_on_deps")
