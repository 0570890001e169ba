"""Records that no worker can work on: what it says, and what becomes of the job (spec 01 §7.5, 06 §3.2)."""

import json
from typing import Any

import pytest

from support.flows import command, template
from support.repository import Repository

METADATA = [
    (None, "is missing metadata"),
    ({}, "missing workflow_run_id"),
    ({"workflow_node_id": "n"}, "missing workflow_run_id"),
    ({"workflow_run_id": "run_x"}, "missing workflow_node_id"),
]


def put(repository: Repository, job_id: str, status: str, **more: Any) -> None:
    record = {
        "id": job_id,
        "status": status,
        "command": ["vizier", "run", "flow"],
        "child_args": ["__workflow-node", "--job-id", job_id],
        "created_at": "2026-03-04T09:15:00Z",
        "stdout_path": "",
        "stderr_path": "",
        **more,
    }
    repository.write(f".vizier/jobs/{job_id}/job.json", json.dumps(record))


def outcome(repository: Repository, job_id: str) -> tuple[str, int, str | None]:
    record = repository.record(job_id)
    return record["status"], record["exit_code"], record["metadata"]["workflow_node_outcome"]


@pytest.mark.parametrize(("metadata", "problem"), METADATA)
def test_a_job_without_a_node_fails_and_tells_what_is_missing(
    repository: Repository, metadata: dict[str, Any] | None, problem: str
) -> None:
    approval = {"required": True, "state": "pending", "requested_at": "2026-03-04T09:15:00Z"}
    put(repository, "job-a", "waiting_on_approval", metadata=metadata, schedule={"approval": approval})
    repository.vizier("jobs", "approve", "job-a").ok()
    repository.wait_until_quiet()
    assert repository.read(".vizier/jobs/job-a/stderr.log") == f"workflow node job job-a {problem}\n"
    assert outcome(repository, "job-a") == ("failed", 1, "failed")


@pytest.mark.parametrize(("metadata", "problem"), METADATA)
def test_a_worker_that_is_run_by_hand_tells_it_too(
    repository: Repository, metadata: dict[str, Any] | None, problem: str
) -> None:
    reason = {"kind": "locks", "detail": "waiting on locks"}
    put(repository, "job-a", "waiting_on_locks", metadata=metadata, schedule={"wait_reason": reason})
    done = repository.vizier("__workflow-node", "--job-id", "job-a").fails()
    assert done.err == f"workflow node job job-a {problem}\n"
    assert outcome(repository, "job-a") == ("failed", 1, "failed")
    assert repository.record("job-a")["schedule"]["wait_reason"] is None


def flow(repository: Repository, script: str = "true") -> str:
    """A run of one node and one that waits for it; the job of the first has to be approved."""
    nodes = [command("n", script), command("next", "true", after=["n"])]
    repository.write("flow.json", template(*nodes))
    repository.vizier("run", "file:flow.json", "--require-approval").ok()
    return repository.job("n")


def test_d10_ws_01_16_results_that_cannot_be_published_end_the_job_at_once(repository: Repository) -> None:
    job_id = flow(repository)
    repository.write(".vizier/jobs/artifacts/data", "in the way of payloads")
    repository.vizier("jobs", "approve", job_id).ok()
    repository.wait_until_quiet()
    assert "Not a directory" in repository.log("n")
    assert outcome(repository, job_id) == ("failed", 1, "failed")
    assert repository.status("next") == "blocked_by_dependency"


def test_d14_ws_01_16_a_configuration_that_became_unreadable_ends_the_job_at_once(repository: Repository) -> None:
    job_id = flow(repository)
    record = repository.record(job_id)
    record["child_args"] += ["--config-file", str(repository.write("team.toml", "[[["))]
    repository.write(f".vizier/jobs/{job_id}/job.json", json.dumps(record))
    repository.vizier("jobs", "approve", job_id).ok()
    repository.wait_until_quiet()
    assert "invalid TOML in" in repository.log("n")
    assert outcome(repository, job_id) == ("failed", 1, "failed")
    assert repository.status("next") == "blocked_by_dependency"
