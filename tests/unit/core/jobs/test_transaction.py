"""A run appears as a whole or not at all, wherever its enqueuer is killed (decision D5, WS-02-02)."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vizier_core.jobs.codec import from_document
from vizier_core.jobs.manifest import RunManifest, read_manifest
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.store import JobStore, decode_record
from vizier_core.jobs.transaction import publish_run, recover

from ..killing import every_interruption
from ..records import document
from .schemas import problems

EXAMPLE = Path(__file__).parent / "examples" / "run-manifest.json"


@pytest.fixture
def manifest() -> RunManifest:
    plain = json.loads(EXAMPLE.read_bytes())
    for node_id, node in plain["nodes"].items():
        node["job_id"] = f"wf-{node_id}"
    return from_document({**plain, "run_id": "run_1"}, RunManifest, EXAMPLE)


@pytest.fixture
def records(manifest: RunManifest, store: JobStore) -> list[JobRecord]:
    documents = [
        document(node.job_id, schedule={}, metadata={"workflow_node_id": node.node_id})
        for node in manifest.nodes.values()
    ]
    return [decode_record(one, store.record_path(one["id"])) for one in documents]


def publish(store: JobStore, manifest: RunManifest, records: list[JobRecord]) -> None:
    store.lock.acquire(5)
    publish_run(store, manifest, records)
    store.lock.release()


def recovered(store: JobStore) -> JobStore:
    """The jobs as the next command finds them."""
    fresh = JobStore(store.root, print)
    fresh.lock.acquire(5)
    recover(fresh)
    fresh.lock.release()
    return fresh


def visible_jobs(store: JobStore) -> list[str]:
    return sorted(job_id for job_id in store.job_ids() if store.exists(job_id))


def test_everything_of_a_run_is_there_and_as_the_schemas_say(
    store: JobStore, manifest: RunManifest, records: list[JobRecord]
) -> None:
    publish(store, manifest, records)
    assert problems("run-manifest", json.loads(store.manifest_path("run_1").read_bytes())) == []
    assert read_manifest(store, "run_1") == manifest
    assert visible_jobs(store) == sorted(record.id for record in records)
    for record in records:
        assert store.read(record.id) == record
        assert problems("job", json.loads(store.record_path(record.id).read_bytes())) == []
        assert {path.name: path.stat().st_size > 0 for path in store.job_directory(record.id).iterdir()} == {
            "job.json": True,
            "stdout.log": False,
            "stderr.log": False,
        }
    assert [path.name for path in (store.jobs_root / "runs").iterdir()] == ["run_1.json"]


def test_r73_nothing_of_a_run_can_be_read_by_others(
    store: JobStore, manifest: RunManifest, records: list[JobRecord]
) -> None:
    publish(store, manifest, records)
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in store.jobs_root.rglob("*")} == {0}


def test_ws_02_02_ws_08_03_killed_anywhere_a_run_is_there_whole_or_not_at_all(
    root: Path, manifest: RunManifest, records: list[JobRecord]
) -> None:
    everything = sorted(record.id for record in records)

    def fresh_store() -> JobStore:
        shutil.rmtree(root / ".vizier", ignore_errors=True)
        store = JobStore(root, print)
        store.ensure_jobs_root()
        return store

    outcomes = set()
    for store, done in every_interruption(fresh_store, lambda store: publish(store, manifest, records)):
        if visible_jobs(store):
            assert store.manifest_path("run_1").exists(), "a job was visible before its manifest"
        store.lock.abandon()
        after = recovered(store)
        outcomes.add(found := tuple(visible_jobs(after)))
        assert list(found) in ([], everything)
        assert after.manifest_path("run_1").exists() is bool(found)
        for job_id in found:
            assert sorted(path.name for path in after.job_directory(job_id).iterdir()) == [
                "job.json",
                "stderr.log",
                "stdout.log",
            ]
        assert found or not done
        # Whatever was left does not keep the next run from being published.
        if not found:
            publish(after, manifest, records)
            assert visible_jobs(after) == everything
        assert {path.name for path in (root / ".vizier/jobs/runs").iterdir()} == {"run_1.json"}
    assert len(outcomes) == 2


@pytest.mark.parametrize("call", ["mkdir", "open", "write", "fsync", "rename"])
def test_d5_an_error_leaves_nothing_behind(
    store: JobStore,
    manifest: RunManifest,
    records: list[JobRecord],
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    (store.jobs_root / "runs").mkdir()
    store.lock.acquire(5)
    original: Callable[..., object] = getattr(os, call)

    def fail(path: object, *arguments: Any, **options: Any) -> object:
        reads = call == "open" and not arguments[0] & os.O_CREAT
        if call in {"write", "fsync"} or ("enqueue.staging" in str(path) and not reads):
            raise OSError(28, "No space left on device")
        return original(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="No space left"):
            publish_run(store, manifest, records)
    store.lock.release()
    assert [path.name for path in store.jobs_root.rglob("*")] == ["runs"]


def test_recovering_what_needs_no_recovery_does_nothing(store: JobStore, manifest: RunManifest) -> None:
    recover(store)
    publish(store, manifest, [])
    before = sorted(store.jobs_root.rglob("*"))
    recover(store)
    assert sorted(store.jobs_root.rglob("*")) == before


def test_a_directory_in_the_place_of_a_job_does_not_stop_every_later_command(
    store: JobStore, manifest: RunManifest, records: list[JobRecord]
) -> None:
    """A directory without a record is no job: it may be what a removal that was interrupted has left."""
    store.job_directory(records[0].id).mkdir()
    (store.job_directory(records[0].id) / "stdout.log").touch()
    store.lock.acquire(5)
    try:
        publish_run(store, manifest, records)
    except OSError:
        pass  # refusing such a run would be fine
    finally:
        store.lock.release()
    recovered(store)
