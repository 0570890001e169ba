"""Publishing a run in one step (decision D5).

The manifest and all records of a run are first written into a staging directory. Renaming that directory is the commit:
before it nothing has happened, after it whoever takes the scheduler lock next moves the files to their places, manifest
first. So a run exists as a whole or not at all, wherever a process is killed.
"""

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

from vizier_core.errors import LaunchError, explain
from vizier_core.files import make_directories, name_file, remove_tree, sync_directory, write_all
from vizier_core.jobs.codec import pretty, to_plain
from vizier_core.jobs.manifest import RunManifest, manifest_text
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.store import STREAMS, JobStore

#: Beside the manifests; nothing else there has these names.
_STAGING: Final = "enqueue.staging"
_COMMITTED: Final = "enqueue.committed"


def publish_run(store: JobStore, manifest: RunManifest, records: list[JobRecord]) -> None:
    """Makes a run appear, complete. The scheduler lock must be held and the job ids must be free.

    Raises:
        OSError: it could not be written; nothing of it is left.
        LaunchError: it is there, but its files are not all in their places yet; who takes the lock next goes on.
    """
    runs = store.manifest_path(manifest.run_id).parent
    staging = runs / _STAGING
    remove_tree(staging)
    try:
        make_directories(staging, store.file_mode)
        _write_new(staging / f"{manifest.run_id}.json", manifest_text(manifest), store.file_mode)
        for record in records:
            directory = staging / record.id
            make_directories(directory, store.file_mode)
            for stream in STREAMS:
                _write_new(directory / f"{stream}.log", b"", store.file_mode)
            status = _write_new(directory / "job.json", pretty(to_plain(record)), store.file_mode)
            store.on_change(record, status)
        sync_directory(staging)
        os.rename(staging, runs / _COMMITTED)
    except BaseException:
        with contextlib.suppress(OSError):
            remove_tree(staging)
        raise
    sync_directory(runs)
    try:
        recover(store)
    except OSError as error:
        raise LaunchError(
            f"run {manifest.run_id} is enqueued, but its jobs cannot be started yet: {explain(error)}; "
            "the next command that schedules jobs goes on with it"
        ) from None


def recover(store: JobStore) -> None:
    """Moves the files of a committed run to their places; after an interruption, those that are still left.

    Raises:
        OSError: a file cannot be moved; the next one to take the lock tries again.
    """
    committed = store.jobs_root / "runs" / _COMMITTED
    if not committed.is_dir():
        return
    for path in sorted(committed.iterdir(), key=Path.is_dir):
        if path.is_dir():
            _move_directory(path, store.job_directory(path.name))
        else:
            os.rename(path, committed.parent / path.name)
    sync_directory(store.jobs_root)
    os.rmdir(committed)


def _move_directory(path: Path, target: Path) -> None:
    """Moves a job directory to its place, also into what an interrupted removal has left there."""
    try:
        os.rename(path, target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or (target / "job.json").exists():
            raise
        for file in path.iterdir():
            os.rename(file, target / file.name)
        os.rmdir(path)


def _write_new(path: Path, data: bytes, mode: int) -> os.stat_result:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        if data:
            write_all(descriptor, data)
            os.fsync(descriptor)
        return os.fstat(descriptor)
    except OSError as error:
        name_file(error, path)
        raise
    finally:
        os.close(descriptor)
