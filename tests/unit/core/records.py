"""Job records for tests: plain documents, put on disk as a program or a person would."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.store import JobStore

Document = dict[str, Any]

#: A moment long ago; records made by one test differ by seconds from there.
CREATED = "2026-03-04T09:15:{:02d}Z"
WORKER = ["__workflow-node", "--job-id"]


def document(job_id: str = "job-a", status: str = "queued", *, second: int = 0, **more: Any) -> Document:
    """The smallest useful record; `more` adds or replaces top-level keys."""
    return {
        "id": job_id,
        "status": status,
        "command": ["vizier", "run", "flow"],
        "child_args": [*WORKER, job_id],
        "created_at": CREATED.format(second),
        "stdout_path": f".vizier/jobs/{job_id}/stdout.log",
        "stderr_path": f".vizier/jobs/{job_id}/stderr.log",
        **more,
    }


def after(*job_ids: str) -> list[Document]:
    return [{"job_id": job_id, "policy": "success"} for job_id in job_ids]


def custom(type_id: str = "token", key: str = "t") -> Document:
    return {"custom": {"type_id": type_id, "key": key}}


def needs(*artifacts: Document) -> list[Document]:
    return [{"artifact": artifact} for artifact in artifacts]


def text_of(value: object) -> str:
    """JSON in the layout of all files (spec 02 §3.1)."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def put(store: JobStore, record: Mapping[str, Any], name: str | None = None) -> Path:
    """Writes a record by hand, as an editor does: the file is replaced."""
    path = store.record_path(name or record["id"])
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name("aside")
    aside.write_text(text_of(record), encoding="utf-8")
    os.replace(aside, path)
    return path


def put_text(store: JobStore, job_id: str, text: str | bytes) -> Path:
    """Writes any text in the place of a record."""
    path = store.record_path(job_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def on_disk(store: JobStore, job_id: str) -> Document:
    """What the file of a record says now."""
    found: Document = json.loads(store.record_path(job_id).read_bytes())
    return found


@contextmanager
def locked(store: JobStore) -> Iterator[None]:
    """Holds the scheduler lock."""
    store.ensure_jobs_root()
    store.lock.acquire(5)
    try:
        yield
    finally:
        store.lock.release()


def touched(record: JobRecord) -> JobRecord:
    """The smallest change of a record."""
    return record.evolve(exit_code=(record.exit_code or 0) + 1)
