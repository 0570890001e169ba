"""The store: which directories are jobs, and how records are rewritten (spec 02 §§2-5, decisions D6, D8, D16)."""

import json
import os
import stat
from pathlib import Path

import pytest

from vizier_core.errors import InvalidIdError, MalformedFileError, UnknownJobError
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.store import JobStore
from vizier_kernel.scheduler import JobStatus

from ..records import document, locked, on_disk, put, put_text, text_of, touched
from .schemas import problems

BAD_IDS = ["", ".", "..", "../job-a", "job-a/../job-a", "/job-a", "a\nb"]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Which directories are jobs


@pytest.mark.parametrize("job_id", BAD_IDS)
def test_ws_01_26_ids_that_are_no_job_directories_are_refused(store: JobStore, job_id: str) -> None:
    put(store, document())
    with pytest.raises(InvalidIdError, match="invalid job id"):
        store.read(job_id)
    assert not store.exists(job_id)


@pytest.mark.parametrize("name", ["runs", "artifacts"])
def test_what_else_lies_beside_the_jobs_is_no_job(store: JobStore, name: str) -> None:
    put(store, document(name))
    with pytest.raises(UnknownJobError, match=f"no background job {name}"):
        store.read(name)
    assert not store.exists(name)


def test_an_unknown_job_is_named(store: JobStore) -> None:
    with pytest.raises(UnknownJobError, match="no background job job-z"):
        store.read("job-z")
    assert not store.exists("job-z")


def test_a_directory_without_a_record_is_no_job(store: JobStore) -> None:
    store.job_directory("job-a").mkdir()
    store.job_directory("job-b").touch()
    for job_id in ("job-a", "job-b"):
        assert not store.exists(job_id)
        with pytest.raises(UnknownJobError):
            store.read(job_id)


def test_r11_a_linked_directory_is_no_job(store: JobStore, tmp_path: Path) -> None:
    put(store, document())
    os.rename(store.job_directory("job-a"), tmp_path / "elsewhere")
    store.job_directory("job-a").symlink_to(tmp_path / "elsewhere")
    assert not store.exists("job-a")
    assert list(store.job_ids()) == []
    with pytest.raises(UnknownJobError):
        store.read("job-a")


def test_a_malformed_record_exists_and_says_what_is_wrong_with_which_file(store: JobStore) -> None:
    path = put_text(store, "job-a", "{")
    assert store.exists("job-a")
    with pytest.raises(MalformedFileError, match=str(path)):
        store.read("job-a")


def test_a_record_that_is_a_directory_is_an_error_with_its_name(store: JobStore) -> None:
    store.record_path("job-a").mkdir(parents=True)
    with pytest.raises(MalformedFileError, match="Is a directory"):
        store.read("job-a")


def test_an_id_that_is_too_long_for_the_file_system_is_no_crash(store: JobStore) -> None:
    assert not store.exists("x" * 300)
    with pytest.raises((MalformedFileError, UnknownJobError)):
        store.read("x" * 300)


def test_job_ids_are_the_directories_except_the_reserved_ones(store: JobStore, tmp_path: Path) -> None:
    for name in ("job-a", "runs", "artifacts", "not-a-job"):
        store.job_directory(name).mkdir()
    (store.jobs_root / "scheduler.lock").touch()
    (store.jobs_root / "link").symlink_to(tmp_path)
    assert sorted(store.job_ids()) == ["job-a", "not-a-job"]


def test_without_a_jobs_root_there_are_no_jobs(root: Path) -> None:
    store = JobStore(root, print)
    assert list(store.job_ids()) == []
    assert not store.exists("job-a")
    assert not store.jobs_root.exists()


# Privacy


@pytest.mark.parametrize(("shared", "directory", "file"), [("", 0o700, 0o600), ("group", 0o2770, 0o660)])
def test_r73_ws_02_21_directories_and_files_are_private_unless_the_repository_is_shared(
    root: Path, shared: str, directory: int, file: int
) -> None:
    (root / ".git" / "config").write_text(f"[core]\n\tsharedRepository = {shared}\n" if shared else "")
    store = JobStore(root, print)
    store.ensure_jobs_root()
    put(store, document())
    with locked(store):
        store.update("job-a", touched)
        store.write_outcome(store.read("job-a"))
    assert mode_of(store.jobs_root) == directory
    assert mode_of(store.record_path("job-a")) == file
    assert mode_of(store.job_directory("job-a") / "outcome.json") == file


def test_new_files_are_as_private_as_the_jobs_root_is(store: JobStore) -> None:
    store.jobs_root.chmod(0o750)
    assert store.file_mode == 0o640


# Rewriting


def test_d6_records_are_only_written_under_the_lock(store: JobStore) -> None:
    put(store, document())
    with pytest.raises(RuntimeError, match="under the scheduler lock"):
        store.update("job-a", touched)
    assert on_disk(store, "job-a") == document()


def test_ws_02_04_every_rewrite_starts_from_what_is_on_disk_now(store: JobStore) -> None:
    put(store, document())
    seen_before = store.read("job-a")
    put(store, document(status="cancelled", exit_code=143))
    seen: list[JobRecord] = []
    with locked(store):
        store.update("job-a", lambda fresh: seen.append(fresh) or fresh)
    assert seen_before.status is JobStatus.QUEUED
    assert [record.status for record in seen] == [JobStatus.CANCELLED]


def test_a_rewrite_that_changes_nothing_leaves_the_file_alone(store: JobStore) -> None:
    path = put(store, document(unknown=1))
    before = path.stat()
    with locked(store):
        assert store.update("job-a", lambda fresh: fresh) == store.read("job-a")
    assert path.stat() == before


def test_a_rewrite_replaces_the_file_and_leaves_no_other(store: JobStore) -> None:
    path = put(store, document())
    before = path.stat().st_ino
    with locked(store):
        changed = store.update("job-a", touched)
    assert path.stat().st_ino != before
    assert changed == store.read("job-a")
    assert [entry.name for entry in store.job_directory("job-a").iterdir()] == ["job.json"]


def test_ws_02_06_a_rewrite_keeps_what_it_does_not_know(store: JobStore) -> None:
    source = {"note": ["kept"], **document(), "metadata": {"mine": {"a": 1}, "plan": "p"}, "zzz": None}
    put(store, source)
    with locked(store):
        store.update("job-a", touched)
    result = on_disk(store, "job-a")
    assert next(iter(result)) == "note"
    assert (result["note"], result["metadata"]["mine"], result["zzz"]) == (["kept"], {"a": 1}, None)
    assert problems("job", result) == []


def test_a_malformed_record_is_not_rewritten(store: JobStore) -> None:
    put_text(store, "job-a", '{"id": "job-a"}')
    with locked(store), pytest.raises(MalformedFileError):
        store.update("job-a", touched)
    assert store.record_path("job-a").read_text() == '{"id": "job-a"}'


def test_a_rewrite_that_fails_leaves_the_old_record(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, document())
    with locked(store):
        monkeypatch.setattr(os, "fsync", lambda descriptor: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.update("job-a", touched)
        monkeypatch.undo()
    assert on_disk(store, "job-a") == document()
    assert [entry.name for entry in store.job_directory("job-a").iterdir()] == ["job.json"]


def test_a_rewrite_is_announced_with_the_file_that_is_going_to_be_there(store: JobStore) -> None:
    path = put(store, document())
    announced = []
    store.on_change = lambda record, status: announced.append((record, status, path.stat().st_ino))
    with locked(store):
        changed = store.update("job-a", touched)
    ((record, status, inode_at_that_time),) = announced
    assert record == changed
    assert status.st_ino == path.stat().st_ino != inode_at_that_time


def test_an_update_can_be_prepared_and_written_later(store: JobStore) -> None:
    put(store, document(unknown=1))
    with locked(store):
        pending = store.begin_update("job-a")
        pending.write(touched(pending.record))
    assert (on_disk(store, "job-a")["exit_code"], on_disk(store, "job-a")["unknown"]) == (1, 1)


def test_the_outcome_is_a_copy_of_the_record_without_what_only_the_scheduler_needs(store: JobStore) -> None:
    put(store, document(status="failed", exit_code=1, pid=7, finished_at="2026-03-04T09:16:00Z", schedule={}))
    with locked(store):
        path = store.write_outcome(store.read("job-a"))
    assert path == ".vizier/jobs/job-a/outcome.json"
    data = (store.root / path).read_bytes()
    outcome = json.loads(data)
    assert problems("outcome", outcome) == []
    assert data.decode() == text_of(outcome)
    assert "pid" not in outcome
    assert "outcome_path" not in outcome
    assert (outcome["exit_code"], outcome["finished_at"]) == (1, "2026-03-04T09:16:00Z")


# Paths


def test_paths_are_stored_relative_to_the_root_unless_they_lie_elsewhere(store: JobStore) -> None:
    assert store.relative(store.log_path("j", "stdout")) == ".vizier/jobs/j/stdout.log"
    assert store.relative(Path("/elsewhere/f")) == "/elsewhere/f"
    assert store.relative(store.manifest_path("run_1")) == ".vizier/jobs/runs/run_1.json"
