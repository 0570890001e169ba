"""The tick (spec 01 §5): what it writes, in which order, and what it does about trouble with single jobs."""

import os
import shutil
from typing import Any

import pytest

from vizier_core.config import Settings
from vizier_core.errors import LaunchError, SchedulerBusyError
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.lock import SchedulerLock
from vizier_core.jobs.published import publish
from vizier_core.jobs.scheduler import scheduler_tick
from vizier_core.jobs.settings import JobSettings
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus

from ..records import after, custom, document, locked, needs, on_disk, put, put_text
from .fakes import FakeLauncher
from .flows import next_command
from .schemas import problems

LOCK = [{"key": "k", "mode": "exclusive"}]


@pytest.fixture(autouse=True)
def launcher(context: JobsContext) -> FakeLauncher:
    context.launcher = FakeLauncher()
    return context.launcher


def reason(context: JobsContext, job_id: str) -> str | None:
    found: dict[str, Any] | None = on_disk(context.store, job_id)["schedule"]["wait_reason"]
    return None if found is None else f"{found['kind']}: {found['detail']}"


def status(context: JobsContext, job_id: str) -> str:
    found: str = on_disk(context.store, job_id)["status"]
    return found


def ticked(context: JobsContext) -> tuple[list[str], list[str]]:
    """The jobs that a tick has started and changed."""
    outcome = scheduler_tick(context)
    return outcome.started, outcome.updated


def test_without_jobs_nothing_happens(context: JobsContext) -> None:
    assert ticked(context) == ([], [])
    assert list(context.store.jobs_root.iterdir()) == []


def test_each_kind_of_decision_is_written_and_told(context: JobsContext, launcher: FakeLauncher) -> None:
    put(context.store, document("starts", second=0))
    put(context.store, document("waits", second=1, schedule={"after": after("starts")}))
    put(context.store, document("blocks", second=2, schedule={"after": after("ghost")}))
    put(context.store, document("fails", second=3, child_args=[], schedule={}))
    assert ticked(context) == (["starts"], ["waits", "blocks", "fails"])
    assert launcher.started == ["starts"]
    assert [status(context, job_id) for job_id in ("starts", "waits", "blocks", "fails")] == [
        "running",
        "waiting_on_deps",
        "blocked_by_dependency",
        "failed",
    ]
    assert reason(context, "waits") == "dependencies: waiting on job starts"
    assert reason(context, "fails") == "dependencies: missing child args"
    blocked, failed = on_disk(context.store, "blocks"), on_disk(context.store, "fails")
    assert (blocked["exit_code"], blocked["finished_at"], blocked["outcome_path"]) == (None, None, None)
    assert failed["exit_code"] == 1
    assert failed["outcome_path"]
    for job_id in ("starts", "waits", "blocks", "fails"):
        assert problems("job", on_disk(context.store, job_id)) == []


def test_a_tick_that_changes_nothing_writes_nothing(context: JobsContext) -> None:
    put(context.store, document("a", schedule={"after": after("b")}))
    put(context.store, document("b", "running"))
    scheduler_tick(context)
    before = context.store.record_path("a").stat()
    assert ticked(context) == ([], [])
    assert context.store.record_path("a").stat() == before


def test_a_changed_reason_alone_is_written(context: JobsContext) -> None:
    put(context.store, document("a", schedule={"after": after("b", "c")}))
    put(context.store, document("b", "running"))
    put(context.store, document("c", "running"))
    scheduler_tick(context)
    put(context.store, document("b", "succeeded"))
    context.index.refresh(complete=True)  # an edit by hand is seen after a moment at the latest
    assert scheduler_tick(context).updated == ["a"]
    assert reason(context, "a") == "dependencies: waiting on job c"
    assert on_disk(context.store, "a")["schedule"]["waited_on"] == ["dependencies"]


def test_starts_are_told_oldest_first_and_take_their_locks_in_that_order(
    context: JobsContext, launcher: FakeLauncher
) -> None:
    for number, job_id in enumerate(("c", "a", "b")):
        put(context.store, document(job_id, second=number, schedule={"locks": LOCK if job_id != "a" else []}))
    assert scheduler_tick(context).started == ["c", "a"]
    assert status(context, "b") == "waiting_on_locks"


def test_ws_01_15_doomed_jobs_are_told_once_and_blocked_in_one_tick(context: JobsContext) -> None:
    for number, (job_id, before) in enumerate([("a", "ghost"), ("b", "a"), ("c", "b"), ("d", "c")]):
        put(context.store, document(job_id, second=number, schedule={"after": after(before)}))
    assert scheduler_tick(context).updated == ["a", "b", "c", "d"]
    assert {status(context, job_id) for job_id in "abcd"} == {"blocked_by_dependency"}


def test_the_corner_of_missing_child_args_is_kept(context: JobsContext) -> None:
    put(context.store, document("a", "waiting_on_deps", child_args=[], schedule=None))
    put(context.store, document("b", second=1, schedule={"after": after("a")}))
    scheduler_tick(context)
    assert (status(context, "a"), status(context, "b")) == ("failed", "waiting_on_deps")
    scheduler_tick(context)
    assert status(context, "b") == "blocked_by_dependency"


def test_an_artifact_that_appears_lets_the_job_start(context: JobsContext) -> None:
    schedule = {"dependencies": needs(custom()), "dependency_policy": {"missing_producer": "wait"}}
    put(context.store, document("a", schedule=schedule))
    scheduler_tick(context)
    assert reason(context, "a") == "dependencies: awaiting producer for custom:token:t"
    publish(context.store, "elsewhere", [], [Artifact.custom("token", "t")])
    assert scheduler_tick(context).started == ["a"]
    assert reason(context, "a") is None


def test_a_record_without_a_schedule_gets_one_when_there_is_something_to_say(context: JobsContext) -> None:
    put(context.store, document("a", child_args=[], schedule=None))
    scheduler_tick(context)
    assert reason(context, "a") == "dependencies: missing child args"


# Trouble


def test_ws_01_17_a_job_that_cannot_be_started_keeps_its_status_and_stops_nobody(
    context: JobsContext, launcher: FakeLauncher
) -> None:
    for number, job_id in enumerate("abc"):
        put(context.store, document(job_id, second=number))
    launcher.failures["b"] = OSError(11, "Resource temporarily unavailable")
    with pytest.raises(LaunchError, match=r"job b cannot be started: .*temporarily unavailable"):
        scheduler_tick(context)
    assert launcher.started == ["a", "c"]
    assert status(context, "b") == "queued"
    assert not context.store.lock.held
    del launcher.failures["b"]
    assert scheduler_tick(context).started == ["b"]


def test_ws_01_17_a_record_that_cannot_be_written_stops_nobody(
    context: JobsContext, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(context.store, document("a", schedule={"after": after("ghost")}))
    put(context.store, document("b", second=1))
    rename = os.rename

    def refuse(source: str, target: object) -> None:
        if "/a/job.json" in str(source):
            raise PermissionError(13, "Permission denied")
        rename(source, str(target))

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(LaunchError, match="job a cannot be updated: "):
        scheduler_tick(context)
    assert launcher.started == ["b"]


def test_r3_ws_02_07_a_malformed_record_is_told_once_and_left_alone(
    context: JobsContext, launcher: FakeLauncher, warnings: list[str]
) -> None:
    put_text(context.store, "garbled", '{"id": 1}')
    put(context.store, document("a"))
    for _ in range(2):
        scheduler_tick(context)
    assert len(warnings) == 1
    assert warnings[0].startswith("unable to load background job garbled: ")
    assert launcher.started == ["a"]
    assert context.store.record_path("garbled").read_text() == '{"id": 1}'


def test_a_busy_lock_changes_nothing(context: JobsContext) -> None:
    put(context.store, document("a"))
    other = SchedulerLock(context.store.jobs_root / "scheduler.lock")
    context.settings = Settings(jobs=JobSettings(lock_timeout=0.01))
    other.acquire(1)
    with pytest.raises(SchedulerBusyError, match="scheduler is busy"):
        scheduler_tick(context)
    other.release()
    assert status(context, "a") == "queued"


def test_an_error_lets_go_of_the_lock(context: JobsContext, monkeypatch: pytest.MonkeyPatch) -> None:
    put(context.store, document("a"))
    monkeypatch.setattr(context.index, "awake", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scheduler_tick(context)
    assert not context.store.lock.held
    assert not (context.store.jobs_root / "scheduler.lock").exists()


def test_a_long_lived_ticker_notices_what_others_do(context: JobsContext, launcher: FakeLauncher) -> None:
    """Between two of its ticks another process ends a job, and somebody deletes one by hand."""
    put(context.store, document("a", "succeeded"))
    put(context.store, document("b", "succeeded"))
    put(context.store, document("c", "running", second=1))
    put(context.store, document("d", second=2, schedule={"after": after("a", "c")}))
    for _ in range(3):
        scheduler_tick(context)
    other = next_command(context)
    with locked(other.store):
        other.index.refresh()
        other.store.update("c", lambda record: record.evolve(status=JobStatus.CANCELLED))
    shutil.rmtree(context.store.job_directory("b"))
    scheduler_tick(context)
    assert "b" not in context.index.heads
    assert reason(context, "d") == "dependencies: dependency failed for job c (cancelled)"
