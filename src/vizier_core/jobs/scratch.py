"""What the nodes of an ephemeral run leave in the shared directories of `.vizier` (spec 01 §10, ruling R15).

Narrative, plan documents and scratch files belong to the project, not to a job: nothing in them says who made them. So
the worker of a node looks at these directories before and after its work and notes what has appeared meanwhile. Only
that is ever deleted. Links are listed, never followed.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.files import atomic_write, entries, remove_file
from vizier_core.jobs.manifest import EphemeralBaseline
from vizier_core.jobs.store import JobStore

_VIZIER: Final = ".vizier"
#: The shared directories, below the project root.
_SHARED: Final = tuple(f"{_VIZIER}/{name}" for name in ("implementation-plans", "narrative", "tmp"))
#: Merge sentinels are removed by their names, and other runs have some, too.
_SENTINELS: Final = f"{_VIZIER}/tmp/merge-conflicts"
#: In a job directory: what was there before the node's first attempt, and what all its attempts have made.
_NOTES: Final = "scratch.json"


class _Notes(msgspec.Struct, frozen=True):
    before: list[str]
    #: None while the node is at work, and for ever if its worker was killed.
    made: list[str] | None = None


def take_baseline(root: Path) -> EphemeralBaseline:
    """What there is before an ephemeral run; to be called before anything is created (spec 02 §16)."""
    return EphemeralBaseline((root / _VIZIER).is_dir(), tuple(_list(root)))


@contextmanager
def watched(store: JobStore, job_id: str) -> Iterator[None]:
    """Notes what appears in the shared directories meanwhile."""
    path = store.job_directory(job_id) / _NOTES
    known = _read(path)
    before = set(_list(store.root))
    made = set(known.made or ()) if known else set()
    _write(store, path, _Notes(known.before if known else sorted(before), sorted(made) if made else None))
    try:
        yield
    finally:
        made.update(set(_list(store.root)) - before)
        _write(store, path, _Notes(known.before if known else sorted(before), sorted(made)))


def made_by(store: JobStore, job_ids: Iterable[str], baseline: EphemeralBaseline) -> set[str]:
    """The paths that these jobs have made and that are still there.

    What a killed worker has made was not noted; it is what was not there at its start and no job's start knows of.
    """
    present = set(_list(store.root)) - set(baseline.preexisting_paths)
    made: set[str] = set()
    for job_id in job_ids:
        notes = _read(store.job_directory(job_id) / _NOTES)
        if notes is None:
            continue
        if notes.made is not None:
            made.update(notes.made)
        else:
            started = (store.job_directory(job_id) / _NOTES).lstat().st_mtime_ns
            made.update(path for path in present - set(notes.before) if changed_at(store.root / path) >= started)
    return present & made


def changed_at(path: Path) -> int:
    """When a file or link was last changed, in nanoseconds since 1970; 0 if it is gone."""
    try:
        return path.lstat().st_ctime_ns
    except OSError:
        return 0


def remove(root: Path, paths: Collection[str]) -> list[str]:
    """Deletes files, links and then-empty directories; what could not be deleted, one line each."""
    problems = []
    # Deepest first, so that a directory is empty by the time its turn comes.
    for path in sorted(paths, reverse=True):
        full = root / path
        try:
            if full.is_dir() and not full.is_symlink():
                with suppress(OSError):  # not empty: somebody else's files are in it
                    full.rmdir()
            else:
                remove_file(full)
        except OSError as error:
            problems.append(f"unable to remove {path}: {error.strerror or error}")
    return problems


def prune(root: Path) -> None:
    """Deletes what vizier creates below `.vizier`, and that itself, where it is empty (spec 02 §16)."""
    vizier = root / _VIZIER
    for name in (
        *("jobs/runs", "jobs/artifacts/custom", "jobs/artifacts/data", "jobs/artifacts", "jobs"),
        *("tmp/merge-conflicts", "tmp", "tmp-worktrees", "sessions", "state/plans", "state"),
        *("narrative/threads", "narrative", "implementation-plans/builds", "implementation-plans"),
    ):
        with suppress(OSError):
            os.rmdir(vizier / name)
    with suppress(OSError):
        os.rmdir(vizier)


def _list(root: Path) -> list[str]:
    """Everything in the shared directories and they themselves, relative to the project root, sorted."""
    found: list[str] = []
    pending: list[str] = [path for path in _SHARED if os.path.lexists(root / path)]
    while pending:
        path = pending.pop()
        if path == _SENTINELS:
            continue
        found.append(path)
        full = root / path
        if not full.is_symlink():
            with suppress(PermissionError):  # what nobody may read, nobody deletes
                pending.extend(f"{path}/{entry.name}" for entry in entries(full))
    return sorted(found)


def _read(path: Path) -> _Notes | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Notes)
    except (OSError, msgspec.MsgspecError):
        return None


def _write(store: JobStore, path: Path, notes: _Notes) -> None:
    atomic_write(path, msgspec.json.encode(notes), mode=store.file_mode, durable=False)
