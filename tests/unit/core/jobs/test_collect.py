"""What the collector finds that commands have left behind which were killed (spec 03 §7)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vizier_core.jobs import collect
from vizier_core.jobs.collect import gc_jobs
from vizier_core.jobs.context import JobsContext

from ..records import document, put, put_text
from .test_manifest import EXAMPLE


def orphan(context: JobsContext) -> list[str]:
    """The manifest of a run without records; the ids of its jobs."""
    path = context.store.manifest_path("run_4f1c2a9be0d34c6f8b7a5e2190cd3f64")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(EXAMPLE.read_bytes())
    os.utime(path, (0, 0))
    return [f"wf-{path.stem}-{node}" for node in ("compose", "mark")]


def manifests(context: JobsContext) -> int:
    return len(list((context.store.jobs_root / "runs").glob("*.json")))


def test_a_manifest_that_has_lost_its_last_job_goes(context: JobsContext) -> None:
    orphan(context)
    assert gc_jobs(context, 7) == 0
    assert manifests(context) == 0


def test_a_manifest_that_is_young_stays(context: JobsContext) -> None:
    orphan(context)
    (path,) = (context.store.jobs_root / "runs").glob("*.json")
    os.utime(path)
    gc_jobs(context, 7)
    assert manifests(context) == 1


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_manifest_whose_job_cannot_be_read_stays(context: JobsContext, text: str) -> None:
    put_text(context.store, orphan(context)[0], text)
    gc_jobs(context, 7)
    assert manifests(context) == 1


def test_a_manifest_that_cannot_be_read_stays(context: JobsContext) -> None:
    orphan(context)
    (path,) = (context.store.jobs_root / "runs").glob("*.json")
    path.write_text("{")
    os.utime(path, (0, 0))
    gc_jobs(context, 7)
    assert manifests(context) == 1


def test_the_directory_of_a_job_that_was_being_deleted_goes(context: JobsContext) -> None:
    put(context.store, document("job-a", "succeeded"))
    (context.store.jobs_root / "half-gone").mkdir()
    gc_jobs(context, 100_000)
    assert {path.name for path in context.store.jobs_root.iterdir() if path.is_dir()} <= {"job-a", "runs", "artifacts"}
    assert context.store.exists("job-a")


@pytest.mark.parametrize("age", [0, 4000])
def test_ws_02_05_half_written_artifacts_go_when_nobody_can_be_at_them(context: JobsContext, age: int) -> None:
    half = context.store.jobs_root / "artifacts" / "data" / "74" / "6b" / "job-a.json.tmp.77.0"
    half.parent.mkdir(parents=True)
    half.write_text("{")
    changed = half.stat().st_mtime - age
    os.utime(half, (changed, changed))
    gc_jobs(context, 7)
    assert half.exists() == (age == 0)


def test_a_file_that_gets_its_name_while_gc_looks_at_it_is_no_failure(
    context: JobsContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = context.store.jobs_root / "runs"
    half = runs / "run_1.json.tmp.7.0"
    runs.mkdir()
    half.touch()
    look = collect.entries

    def entries(directory: Path) -> Iterator["os.DirEntry[str]"]:
        found = list(look(directory))
        if directory == runs:
            half.unlink(missing_ok=True)
        yield from found

    monkeypatch.setattr(collect, "entries", entries)
    assert gc_jobs(context, 7) == 0
