"""Starting and finalising a job, and what a finalisation leaves in its metadata (spec 01 §7)."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.jobs.codec import from_document
from vizier_core.jobs.lifecycle import finalize_job, merge_metadata, start_job
from vizier_core.jobs.model import JobMetadata
from vizier_core.jobs.published import is_published, write_payload
from vizier_core.jobs.store import JobStore
from vizier_core.launcher import StartedWorker
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus, WaitKind, WaitReason

from ..killing import every_interruption
from ..records import custom, document, locked, on_disk, put
from .fakes import FakeLauncher, identity
from .schemas import problems

TOKEN = Artifact.custom("token", "t")
TERMINAL = [status for status in JobStatus if status.is_terminal]


def words(text: str) -> list[str]:
    return text.split()


# The table of spec 01 §7.7, row by row

FIRST_STAYS = words("""
    command_alias scope target plan branch ephemeral_run workflow_run_id workflow_node_name workflow_node_attempt
    workflow_node_outcome workflow_template_selector workflow_template_id workflow_template_version workflow_node_id
    workflow_executor_class workflow_executor_operation workflow_control_policy workflow_policy_snapshot_hash
    build_pipeline build_target build_review_mode build_skip_checks build_keep_branch patch_file patch_index patch_total
    revision agent_selector agent_backend agent_label config_backend config_agent_selector config_agent_label
    background_quiet
""")
FIRST_STAYS_UNLESS_EMPTY = words("""
    ephemeral_owned_branches workflow_payload_refs workflow_gates build_dependencies agent_command config_agent_command
""")
UPDATE_WINS = words("""
    ephemeral_cleanup_requested execution_root agent_exit_code cancel_cleanup_status cancel_cleanup_error
    retry_cleanup_status retry_cleanup_error process_liveness_state process_liveness_checked_at
    process_liveness_failure_reason
""")
PAIR = ["ephemeral_cleanup_state", "ephemeral_cleanup_detail"]
TRIPLE = ["worktree_name", "worktree_path", "worktree_owned"]
#: Not in the table because this program has added them.
OWN = ["worker", "route_rewinds", "routes_pending", "waits_for_merge", "agent_usage"]

#: Two different values for each key.
VALUES: dict[str, tuple[Any, Any]] = {
    **dict.fromkeys(JobMetadata.__struct_fields__, ("first", "second")),
    **dict.fromkeys(("workflow_node_attempt", "patch_index", "patch_total", "agent_exit_code"), (1, 2)),
    **dict.fromkeys(("ephemeral_run", "build_skip_checks", "build_keep_branch", "background_quiet"), (False, True)),
    **{name: (["first"], ["second"]) for name in FIRST_STAYS_UNLESS_EMPTY},
    "ephemeral_cleanup_requested": (True, False),
    "ephemeral_cleanup_state": ("pending", "degraded"),
    "workflow_node_outcome": ("failed", "succeeded"),
    "cancel_cleanup_status": ("skipped", "done"),
    "retry_cleanup_status": ("skipped", "done"),
    "process_liveness_state": ("stale_not_running", "stale_missing_pid"),
    "process_liveness_checked_at": ("2026-03-04T09:15:02Z", "2026-03-04T09:15:03Z"),
    "worktree_owned": (True, True),
    "agent_usage": ({"total_tokens": 5}, {"total_tokens": 7}),
}


def metadata(**values: Any) -> JobMetadata:
    return from_document(values, JobMetadata, Path("job.json"))


def merged(old: dict[str, Any], new: dict[str, Any]) -> JobMetadata:
    result = merge_metadata(metadata(**old), metadata(**new))
    assert result is not None
    return result


def test_the_table_is_complete() -> None:
    named = [*FIRST_STAYS, *FIRST_STAYS_UNLESS_EMPTY, *UPDATE_WINS, *PAIR, *TRIPLE, *OWN]
    assert sorted(named) == sorted(JobMetadata.__struct_fields__)


@pytest.mark.parametrize("name", [*FIRST_STAYS, *FIRST_STAYS_UNLESS_EMPTY])
def test_the_first_value_stays(name: str) -> None:
    first, second = VALUES[name]
    assert merged({name: first}, {name: second}) == metadata(**{name: first})
    assert merged({}, {name: second}) == metadata(**{name: second})
    assert merged({name: first}, {}) == metadata(**{name: first})


@pytest.mark.parametrize("name", FIRST_STAYS_UNLESS_EMPTY)
def test_an_empty_list_counts_as_no_value(name: str) -> None:
    _, second = VALUES[name]
    assert merged({name: []}, {name: second}) == metadata(**{name: second})
    assert merged({name: second}, {name: []}) == metadata(**{name: second})


@pytest.mark.parametrize("name", [*UPDATE_WINS, "worktree_name", "worktree_path", "ephemeral_cleanup_detail"])
def test_the_update_wins(name: str) -> None:
    first, second = VALUES[name]
    assert merged({name: first}, {name: second}) == metadata(**{name: second})
    assert merged({name: first}, {}) == metadata(**{name: first})


def test_a_cleanup_state_comes_with_its_detail_even_if_that_is_none() -> None:
    old = {"ephemeral_cleanup_state": "degraded", "ephemeral_cleanup_detail": "full disk"}
    assert merged(old, {"ephemeral_cleanup_state": "pending"}) == metadata(ephemeral_cleanup_state="pending")
    assert merged(old, {"ephemeral_cleanup_detail": "worse"}) == metadata(
        **{**old, "ephemeral_cleanup_detail": "worse"}
    )
    assert merged(old, {}) == metadata(**old)


def test_ws_01_30_a_worktree_that_was_given_up_is_forgotten_in_one_merge() -> None:
    old = {"worktree_name": "w", "worktree_path": "p", "worktree_owned": True, "execution_root": "p"}
    assert merged(old, {"worktree_owned": False, "execution_root": "."}) == metadata(execution_root=".")
    assert merged(old, {"worktree_owned": False, "worktree_name": "x", "worktree_path": "y"}) == metadata(
        execution_root="p"
    )


def test_nothing_and_something() -> None:
    something = metadata(plan="p", worktree_owned=False)
    assert merge_metadata(None, None) is None
    assert merge_metadata(something, None) == something
    assert merge_metadata(None, something) == something


_some = st.dictionaries(
    st.sampled_from(sorted(set(VALUES) - {"worker", "route_rewinds", "routes_pending"})), st.booleans()
)


@given(_some, _some)
def test_merging_loses_no_value_but_those_of_a_worktree_or_a_state(old: dict[str, bool], new: dict[str, bool]) -> None:
    first = metadata(**{name: VALUES[name][choice] for name, choice in old.items()})
    second = metadata(**{name: VALUES[name][choice] for name, choice in new.items()})
    result = merge_metadata(first, second)
    for name in JobMetadata.__struct_fields__:
        values = {repr(getattr(first, name)), repr(getattr(second, name))}
        if name == "ephemeral_cleanup_detail" and "ephemeral_cleanup_state" in new:
            assert getattr(result, name) == getattr(second, name)
        else:
            assert repr(getattr(result, name)) in values
            assert (getattr(result, name) is None) is (values == {"None"})
    assert merge_metadata(result, second) == result


# Finalising


def finalized(store: JobStore, status: JobStatus = JobStatus.SUCCEEDED, code: int = 0, **options: Any) -> Any:
    with locked(store):
        return finalize_job(store, "job-a", status, code, **options)


def test_a_finished_record_says_all_that_it_should(store: JobStore) -> None:
    put(
        store,
        document(
            status="running", pid=7, started_at="2026-03-04T09:16:00Z", schedule={}, stdout_path="", stderr_path=""
        ),
    )
    final = finalized(store, JobStatus.FAILED, 3, update=JobMetadata(plan="p"))
    record = on_disk(store, "job-a")
    assert store.read("job-a") == final
    assert problems("job", record) == []
    assert (record["status"], record["exit_code"], record["pid"]) == ("failed", 3, 7)
    assert record["finished_at"] > record["started_at"]
    assert record["metadata"]["plan"] == "p"
    assert record["stdout_path"] == ".vizier/jobs/job-a/stdout.log"
    assert record["stderr_path"] == ".vizier/jobs/job-a/stderr.log"
    assert record["outcome_path"] == ".vizier/jobs/job-a/outcome.json"


def test_ws_01_33_ws_02_18_the_outcome_is_that_of_the_present_attempt(store: JobStore) -> None:
    put(store, document(status="running", outcome_path=".vizier/jobs/job-a/outcome.json"))
    store.job_directory("job-a").joinpath("outcome.json").write_text("{}")
    finalized(store, JobStatus.FAILED, 3)
    outcome = json.loads((store.job_directory("job-a") / "outcome.json").read_bytes())
    assert problems("outcome", outcome) == []
    assert (outcome["status"], outcome["exit_code"]) == ("failed", 3)
    assert outcome["finished_at"] == on_disk(store, "job-a")["finished_at"]


@pytest.mark.parametrize("status", TERMINAL)
@pytest.mark.parametrize("wanted", TERMINAL)
def test_ws_01_06_d6_a_terminal_status_never_becomes_another(
    store: JobStore, status: JobStatus, wanted: JobStatus
) -> None:
    before = put(store, document(status=status.value, schedule={"artifacts": [custom()]})).read_bytes()
    assert finalized(store, wanted, 9) is None
    assert store.record_path("job-a").read_bytes() == before
    assert not is_published(store, TOKEN)
    assert not (store.job_directory("job-a") / "outcome.json").exists()


@pytest.mark.parametrize("status", TERMINAL)
def test_only_success_publishes_what_was_declared(store: JobStore, status: JobStatus) -> None:
    put(store, document(status="running", schedule={"artifacts": [custom()]}))
    write_payload(store, TOKEN, "job-a", {"text": "t"})
    finalized(store, status)
    succeeded = status is JobStatus.SUCCEEDED
    assert is_published(store, TOKEN) is succeeded


def test_what_was_written_is_published_whatever_the_status(store: JobStore) -> None:
    put(store, document(status="running", schedule={"artifacts": [custom()]}))
    finalized(store, JobStatus.FAILED, 1, written=[TOKEN])
    assert is_published(store, TOKEN)


def test_a_job_without_a_schedule_publishes_nothing(store: JobStore) -> None:
    put(store, document(status="running"))
    finalized(store, written=[TOKEN])
    assert not is_published(store, TOKEN)


def test_a_reason_is_what_the_operator_reads(store: JobStore) -> None:
    reason = {"kind": "locks", "detail": "waiting on locks"}
    put(store, document(status="running", schedule={"wait_reason": reason}))
    finalized(store)
    assert on_disk(store, "job-a")["schedule"]["wait_reason"] == reason
    put(store, document(status="running", schedule={"wait_reason": reason}))
    finalized(store, reason=WaitReason(WaitKind.DEPENDENCIES, "missing child args"))
    assert on_disk(store, "job-a")["schedule"]["wait_reason"]["detail"] == "missing child args"


def test_ws_01_05_killed_anywhere_a_terminal_status_implies_all_that_belongs_to_it(store: JobStore) -> None:
    def running() -> JobStore:
        put(store, document(status="running", schedule={"artifacts": [custom()]}))
        for path in store.jobs_root.rglob("outcome.json"):
            path.unlink()
        store.lock.release()
        store.lock.acquire(5)
        return store

    for _, done in every_interruption(running, lambda store: finalize_job(store, "job-a", JobStatus.SUCCEEDED, 0)):
        record = store.read("job-a")
        if record.status.is_terminal:
            assert is_published(store, TOKEN)
            outcome = json.loads((store.job_directory("job-a") / "outcome.json").read_bytes())
            assert outcome["status"] == "succeeded"
        else:
            assert (record.status, record.finished_at, record.exit_code) == (JobStatus.RUNNING, None, None)
        assert record.status.is_terminal or not done
    store.lock.release()


# Starting


def test_ws_01_07_d20_the_record_says_running_before_the_worker_may_do_anything(store: JobStore) -> None:
    put(store, document(schedule={"wait_reason": {"kind": "locks", "detail": None}, "waited_on": ["locks"]}))
    seen: list[dict[str, Any]] = []

    class Launcher(FakeLauncher):
        def start(self, request: Any, commit: Any, on_fork: Any) -> Any:
            seen.append(on_disk(store, "job-a"))
            commit(identity("token"), 77)
            seen.append(on_disk(store, "job-a"))
            assert request.child_args == ("__workflow-node", "--job-id", "job-a")
            assert (request.root, request.stdout) == (store.root, store.log_path("job-a", "stdout"))
            return StartedWorker(77, identity("token"))

    with locked(store):
        start_job(store, "job-a", Launcher())
    before, after = seen
    assert before["status"] == "queued"
    assert (after["status"], after["pid"], after["metadata"]["worker"]["token"]) == ("running", 77, "token")
    assert after["started_at"]
    assert (after["schedule"]["wait_reason"], after["schedule"]["waited_on"]) == (None, ["locks"])
    assert problems("job", after) == []


def test_ws_01_32_what_a_dead_worker_left_is_forgotten_at_the_next_start(store: JobStore) -> None:
    put(
        store,
        document(
            metadata={
                "process_liveness_state": "stale_not_running",
                "process_liveness_checked_at": "2026-03-04T09:15:02Z",
                "process_liveness_failure_reason": "worker process 7 is not running",
            }
        ),
    )
    with locked(store):
        start_job(store, "job-a", FakeLauncher())
    meta = on_disk(store, "job-a")["metadata"]
    assert {meta[key] for key in meta if key.startswith("process_liveness")} == {None}


def test_a_job_that_cannot_be_started_keeps_its_status(store: JobStore) -> None:
    before = put(store, document()).read_bytes()
    launcher = FakeLauncher()
    launcher.failures["job-a"] = OSError(11, "Resource temporarily unavailable")
    with locked(store), pytest.raises(OSError, match="temporarily unavailable"):
        start_job(store, "job-a", launcher)
    assert store.record_path("job-a").read_bytes() == before


@pytest.mark.parametrize("status", ["running", *(status.value for status in TERMINAL)])
def test_d6_a_job_that_does_not_wait_is_not_started_whatever_was_decided(store: JobStore, status: str) -> None:
    before = put(store, document("job-a", status)).read_bytes()
    launcher = FakeLauncher()
    with locked(store):
        assert start_job(store, "job-a", launcher) is None
    assert launcher.started == []
    assert store.record_path("job-a").read_bytes() == before


def test_metadata_of_a_job_that_had_none_is_made(store: JobStore) -> None:
    put(store, document(metadata=None, schedule=None))
    with locked(store):
        start_job(store, "job-a", FakeLauncher())
    assert msgspec.structs.asdict(store.read("job-a").meta.worker or identity())["token"] == "t"
