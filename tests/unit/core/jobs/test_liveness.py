"""Jobs whose worker is gone end as failed, with what survives of it (spec 01 §8, decision D19)."""

from typing import Any

import pytest

from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.liveness import is_dead, reconcile_dead_workers
from vizier_core.jobs.model import LivenessState
from vizier_core.jobs.published import is_published, payload_path, publish, write_payload
from vizier_core.jobs.scheduler import scheduler_tick
from vizier_core.launcher import Probe
from vizier_kernel.artifacts import Artifact

from ..records import Document, after, custom, document, locked, on_disk, put, put_text
from .fakes import GONE, FakeLauncher
from .flows import RUN, manifest, node_job, put_manifest
from .schemas import problems

TOKEN = Artifact.custom("token", "t")


@pytest.fixture(autouse=True)
def launcher(context: JobsContext) -> FakeLauncher:
    context.launcher = FakeLauncher()
    return context.launcher


def reconciled(context: JobsContext, only: list[str] | None = None) -> list[str]:
    with locked(context.store):
        context.index.refresh(complete=True)
        return reconcile_dead_workers(context, only)


def dead(context: JobsContext, launcher: FakeLauncher, job_id: str = "a", **more: Any) -> None:
    """A job that claims to run while its worker is gone."""
    put(context.store, document(job_id, "running", pid=7, **more))
    launcher.probes[job_id] = GONE


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (LivenessState.STALE_MISSING_PID, "running job record is missing pid"),
        (LivenessState.STALE_NOT_RUNNING, "worker process 7 is not running"),
        (LivenessState.STALE_IDENTITY_MISMATCH, "observed process identity did not match expected token `t`"),
    ],
)
def test_a_dead_worker_fails_its_job_with_what_was_found_out(
    context: JobsContext, launcher: FakeLauncher, state: LivenessState, reason: str
) -> None:
    dead(context, launcher, schedule={"artifacts": [custom()]}, metadata={"plan": "p"})
    launcher.probes["a"] = Probe(state, reason)
    publish(context.store, "a", [], [TOKEN])
    write_payload(context.store, TOKEN, "a", {})
    assert reconciled(context) == ["a"]
    record = on_disk(context.store, "a")
    assert problems("job", record) == []
    assert (record["status"], record["exit_code"], record["pid"]) == ("failed", 1, 7)
    meta = record["metadata"]
    assert (meta["process_liveness_state"], meta["process_liveness_failure_reason"]) == (state.value, reason)
    assert meta["process_liveness_checked_at"].endswith("Z")
    assert (meta["plan"], meta["workflow_node_outcome"]) == ("p", None)
    assert not is_published(context.store, TOKEN)
    assert not payload_path(context.store, TOKEN, "a").exists()


def test_d19_what_survives_of_it_is_ended_first(context: JobsContext, launcher: FakeLauncher) -> None:
    dead(context, launcher)
    original = launcher.stop

    def stop(handle: Any, grace: float) -> list[int]:
        assert on_disk(context.store, "a")["status"] == "running"
        return original(handle, grace)

    launcher.stop = stop  # type: ignore[method-assign]
    reconciled(context)
    assert launcher.stopped == [("a", 0)]


def test_living_workers_and_other_jobs_are_left_alone(context: JobsContext, launcher: FakeLauncher) -> None:
    put(context.store, document("alive", "running", pid=7))
    put(context.store, document("waiting", "waiting_on_deps"))
    launcher.probes["waiting"] = GONE
    assert reconciled(context) == []
    assert launcher.stopped == []


def test_r84_a_worker_that_nobody_here_can_judge_is_left_alone_and_told(
    context: JobsContext, launcher: FakeLauncher, warnings: list[str]
) -> None:
    put(context.store, document("a", "running", pid=7))
    launcher.probes["a"] = Probe(None, "worker process 7 runs on host elsewhere")
    assert reconciled(context) == []
    assert on_disk(context.store, "a")["status"] == "running"
    assert launcher.stopped == []
    assert warnings == ["job a: worker process 7 runs on host elsewhere"]


def test_only_the_jobs_that_were_asked_for(context: JobsContext, launcher: FakeLauncher) -> None:
    for job_id in "ab":
        dead(context, launcher, job_id)
    assert reconciled(context, ["b"]) == ["b"]
    assert on_disk(context.store, "a")["status"] == "running"


def test_the_worker_is_asked_for_by_all_that_its_record_says(context: JobsContext, launcher: FakeLauncher) -> None:
    asked = []
    launcher.probe = lambda handle: asked.append(handle) or GONE  # type: ignore[method-assign, func-returns-value]
    worker = {"token": "t", "start_ticks": 5, "boot_id": "b", "pid_namespace": 3, "host": "h"}
    put(context.store, document("a", "running", pid=7, metadata={"worker": worker}))
    put(context.store, document("b", "running", pid=None, child_args=[], command=[" vizier ", "run"]))
    put(context.store, document("c", "running", pid=8, child_args=[], command=[]))
    reconciled(context)
    by_job = {handle.job_id: handle for handle in asked}
    assert (by_job["a"].pid, by_job["a"].token, by_job["a"].identity.start_ticks) == (7, "__workflow-node", 5)
    assert by_job["a"].log == context.store.log_path("a", "stderr")
    assert (by_job["b"].pid, by_job["b"].token, by_job["b"].identity) == (None, "vizier", None)
    assert by_job["c"].token is None


# Workflow nodes


def dead_node(context: JobsContext, launcher: FakeLauncher, **metadata: Any) -> Document:
    launcher.probes["a"] = GONE
    return node_job(context.store, "a", "running", metadata=metadata)


def test_a_dead_node_has_failed(context: JobsContext, launcher: FakeLauncher) -> None:
    put_manifest(context.store, manifest({"a": {}}))
    dead_node(context, launcher)
    assert reconciled(context) == ["a"]
    assert on_disk(context.store, "a")["metadata"]["workflow_node_outcome"] == "failed"


def test_the_failed_routes_of_a_dead_node_are_followed_once(context: JobsContext, launcher: FakeLauncher) -> None:
    put_manifest(context.store, manifest({"a": {"failed": ["b"]}, "b": {}}))
    dead_node(context, launcher)
    node_job(context.store, "b", "succeeded")
    outcome = scheduler_tick(context)
    assert "a" in outcome.updated
    assert outcome.started == ["b"]
    scheduler_tick(context)
    assert on_disk(context.store, "b")["metadata"]["workflow_node_attempt"] == 2


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (None, f"unable to load workflow manifest {RUN} for stale running job a: manifest not found"),
        ("{", f"unable to load workflow manifest {RUN} for stale running job a: cannot read"),
        ("no a", f"workflow node `a` missing from run manifest {RUN} during stale-running reconciliation"),
    ],
)
def test_problems_with_the_manifest_only_warn(
    context: JobsContext, launcher: FakeLauncher, warnings: list[str], text: str | None, warning: str
) -> None:
    if text == "no a":
        put_manifest(context.store, manifest({"b": {}}))
    elif text is not None:
        (context.store.jobs_root / "runs").mkdir()
        context.store.manifest_path(RUN).write_text(text)
    dead_node(context, launcher)
    assert reconciled(context) == ["a"]
    assert on_disk(context.store, "a")["status"] == "failed"
    assert warnings[0].startswith(warning)


def test_r11_a_run_id_that_leads_elsewhere_only_warns(
    context: JobsContext, launcher: FakeLauncher, warnings: list[str]
) -> None:
    dead_node(context, launcher, workflow_run_id="../../x")
    assert reconciled(context) == ["a"]
    assert "invalid run id" in warnings[0]


def test_a_node_without_a_run_just_fails(context: JobsContext, launcher: FakeLauncher, warnings: list[str]) -> None:
    dead_node(context, launcher, workflow_run_id=None)
    assert reconciled(context) == ["a"]
    assert warnings == []


# In a tick


def test_a_dead_producer_or_lock_holder_stops_blocking_in_the_same_tick(
    context: JobsContext, launcher: FakeLauncher
) -> None:
    lock = [{"key": "k", "mode": "exclusive"}]
    dead(context, launcher, schedule={"locks": lock})
    put(context.store, document("b", second=1, schedule={"after": after("a")}))
    put(context.store, document("c", second=2, schedule={"locks": lock}))
    outcome = scheduler_tick(context)
    assert on_disk(context.store, "b")["status"] == "blocked_by_dependency"
    assert outcome.started == ["c"]
    assert outcome.updated == ["a", "b"]


def test_ws_01_17_a_dead_job_that_cannot_be_ended_does_not_stop_the_others(
    context: JobsContext, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead(context, launcher)
    put(context.store, document("b", second=1))
    write_outcome = context.store.write_outcome

    def refuse(record: Any) -> str:
        if record.id == "a":
            raise PermissionError(13, "Permission denied", "outcome.json")
        return write_outcome(record)

    monkeypatch.setattr(context.store, "write_outcome", refuse)
    try:
        scheduler_tick(context)
    finally:
        assert on_disk(context.store, "a")["status"] == "running"
    assert launcher.started == ["b"]


def test_ws_01_17_a_dead_job_that_cannot_be_read_any_more_does_not_stop_the_others(
    context: JobsContext, launcher: FakeLauncher
) -> None:
    dead(context, launcher)
    put(context.store, document("b", "running", pid=8))
    launcher.probes["b"] = GONE
    with locked(context.store):
        context.index.refresh(complete=True)
        put_text(context.store, "a", "{")
        assert reconcile_dead_workers(context) == ["b"]


# Looking without the lock


@pytest.mark.parametrize("status", ["queued", "succeeded", "failed", "waiting_on_deps"])
def test_only_a_running_job_can_be_dead(context: JobsContext, launcher: FakeLauncher, status: str) -> None:
    put(context.store, document("a", status, pid=7))
    launcher.probes["a"] = GONE
    assert not is_dead(context, context.store.read("a"))


def test_looking_changes_nothing(context: JobsContext, launcher: FakeLauncher) -> None:
    dead(context, launcher)
    before = context.store.record_path("a").read_bytes()
    assert is_dead(context, context.store.read("a"))
    assert context.store.record_path("a").read_bytes() == before
    assert launcher.stopped == []
