"""One broken job does not stop the others (spec 01 §15 nos. 17 and 26)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from support.repository import PATIENCE, Repository

APPROVAL = {"required": True, "state": "pending", "requested_at": "2026-03-04T09:15:00Z"}


def put(repository: Repository, job_id: str, second: int, status: str = "queued", **schedule: Any) -> None:
    record = {
        "id": job_id,
        "status": status,
        "command": ["vizier", "run", "flow"],
        "child_args": ["__workflow-node", "--job-id", job_id],
        "created_at": f"2026-03-04T09:15:{second:02d}Z",
        "stdout_path": "",
        "stderr_path": "",
        "schedule": schedule,
    }
    repository.write(f".vizier/jobs/{job_id}/job.json", json.dumps(record))


@pytest.mark.parametrize("launcher", [None, "exec"])
def test_ws_01_17_a_worker_that_cannot_be_started_stops_no_other_job(tmp_path: Path, launcher: str | None) -> None:
    repository = Repository(tmp_path, launcher)
    put(repository, "job-a", 1)
    put(repository, "job-b", 2)
    put(repository, "gate", 3, "waiting_on_approval", approval=APPROVAL)
    log = repository.jobs_root / "job-a" / "stdout.log"
    log.mkdir()
    done = repository.vizier("jobs", "approve", "gate").fails()
    assert "job job-a cannot be started" in done.err
    assert "Is a directory" in done.err
    assert repository.record("job-a")["status"] == "queued"
    repository.wait_until_quiet()
    assert {repository.record(job_id)["status"] for job_id in ("job-b", "gate")} == {"failed"}
    repository.close()


def test_ws_01_17_a_record_that_is_no_file_is_told_and_passed_over(repository: Repository) -> None:
    put(repository, "good", 1, "waiting_on_approval", approval=APPROVAL)
    pipe = repository.jobs_root / "pipe" / "job.json"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    listed = repository.vizier("jobs", "list", timeout=min(PATIENCE, 20)).ok()
    assert "unable to load background job pipe: Not a regular file" in listed.err
    assert "good" in listed.out
    pipe.unlink()  # what looks at the files that tests leave would wait for a writer
