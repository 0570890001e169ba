"""Custom artifacts on disk: markers say that a job has published one, payloads hold its content (spec 02 §10).

Names on disk are the hexadecimal form of type and key, so any text makes a valid file name.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from vizier_core.errors import MalformedFileError
from vizier_core.files import atomic_write, entries, remove_empty_directory, remove_file
from vizier_core.jobs.codec import Document, parse_document, pretty
from vizier_core.jobs.store import JobStore
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact, ArtifactKind

#: Where the text of a payload may be, in the order in which it is looked for.
_TEXT_PLACES: Final = (
    ("text",),
    ("stdout_text",),
    ("assistant_text",),
    ("payload", "text"),
    ("payload", "assistant_text"),
)


def marker_directory(store: JobStore, artifact: Artifact) -> Path:
    """Where the markers of a custom artifact are."""
    return store.jobs_root / "artifacts" / "custom" / _hex(artifact.first) / _hex(artifact.second)


def payload_path(store: JobStore, artifact: Artifact, job_id: str) -> Path:
    """The payload that one job wrote for a custom artifact."""
    return store.jobs_root / "artifacts" / "data" / _hex(artifact.first) / _hex(artifact.second) / f"{job_id}.json"


def is_published(store: JobStore, artifact: Artifact) -> bool:
    """Whether some job has a marker for it. Leftovers of an interrupted write do not count (WS-01-28)."""
    return any(_is_marker(entry) for entry in entries(marker_directory(store, artifact)))


def write_payload(store: JobStore, artifact: Artifact, job_id: str, content: Document) -> str:
    """Stores what a job made, keys ascending; the path as records store it."""
    path = payload_path(store, artifact, job_id)
    atomic_write(path, pretty(_ascending(content)), mode=store.file_mode, durable=False)
    return store.relative(path)


def publish(store: JobStore, job_id: str, declared: Iterable[Artifact], written: Iterable[Artifact]) -> None:
    """Makes the markers of a job agree with what it has written.

    Args:
        store: the records.
        job_id: the job that ended.
        declared: its `schedule.artifacts`; whatever of these was not written loses its marker and its payload.
        written: what it published; each gets a marker.
    """
    wanted = [artifact for artifact in written if artifact.kind is ArtifactKind.CUSTOM]
    for artifact in declared:
        if artifact.kind is ArtifactKind.CUSTOM and artifact not in wanted:
            unpublish(store, job_id, artifact)
    for artifact in wanted:
        content = {
            "job_id": job_id,
            "key": artifact.second,
            "type_id": artifact.first,
            "written_at": Timestamp.now().offset_form(),
        }
        path = marker_directory(store, artifact) / f"{job_id}.json"
        atomic_write(path, pretty(content), mode=store.file_mode, durable=False)


def unpublish(store: JobStore, job_id: str, artifact: Artifact) -> None:
    """Removes marker and payload of one job, and the directories that became empty."""
    for path in (marker_directory(store, artifact) / f"{job_id}.json", payload_path(store, artifact, job_id)):
        if remove_file(path):
            remove_empty_directory(path.parent)
            remove_empty_directory(path.parent.parent)


def latest_payload(store: JobStore, artifact: Artifact, run_jobs: Iterable[str] = ()) -> tuple[Document, Path] | None:
    """The payload a reader should see: that of the newest marker, one of its own run if there is any (decision D13).

    There is none if that job has left no payload: an older one would say what is not true any more (spec 02 §10.4).

    Raises:
        MalformedFileError: that payload is not JSON.
    """
    own = frozenset(run_jobs)
    found = []
    for entry in entries(marker_directory(store, artifact)):
        if _is_marker(entry):
            job_id = entry.name.removesuffix(".json")
            found.append((job_id in own, _written_at(entry), job_id))
    if not found:
        return None
    path = payload_path(store, artifact, max(found)[2])
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MalformedFileError(path, error.strerror or str(error)) from None
    return parse_document(data, path), path


def payload_text(payload: Document) -> str | None:
    """The text of a payload, wherever its writer put it; an empty string is a text."""
    for place in _TEXT_PLACES:
        value: Any = payload
        for key in place:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return None


def _hex(text: str) -> str:
    return text.encode("utf-8", errors="surrogateescape").hex()


def _is_marker(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    return name.endswith(".json") and bool(name[:-5].strip()) and entry.is_file(follow_symlinks=False)


def _written_at(entry: os.DirEntry[str]) -> int:
    """When the marker says it was written; a copy of the repository changes file times, not this."""
    path = Path(entry.path)
    try:
        return Timestamp.parse(parse_document(path.read_bytes(), path).get("written_at"))
    except (OSError, ValueError, MalformedFileError):
        status = entry.stat(follow_symlinks=False)
        return status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0


def _ascending(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ascending(value[key]) for key in sorted(value)}
    return [_ascending(item) for item in value] if isinstance(value, list) else value
