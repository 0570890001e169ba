"""A derived index of job records: ten thousand finished jobs cost a tick or a view next to nothing (ruling R74).

Nothing here is ever the truth. An entry counts only while the record's inode, size and times are those it was made
from; the files live in the git common directory and may be deleted or damaged at any moment. Three things keep it
honest:

* a *complete* refresh looks at every record file; every command starts with one;
* a process that goes on (a follower, a worker that ticks) makes *partial* refreshes for a moment after that: it looks
  at the active jobs, at new and vanished directories, and at what other processes note in the journal before they
  change a record;
* a file that changed a moment ago is read again next time, because two changes within one clock tick look alike.
"""

import contextlib
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.errors import MalformedFileError, UnknownJobError
from vizier_core.files import atomic_write, make_directories
from vizier_core.jobs.codec import parse_document
from vizier_core.jobs.model import JobRecord
from vizier_core.jobs.store import JobStore, decode_record
from vizier_core.project import git_common_directory
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus

#: First line of the index file; a new layout gets a new number and old files are ignored.
_FORMAT: Final = b"vizier index 1"
#: Partial refreshes are trusted for so long after a complete one, in seconds: the time an edit by hand may go unseen.
_PARTIAL_FOR: Final = 1.0
#: A file younger than this when it was read may change again without looking different, in nanoseconds.
_RACY: Final = 50_000_000
#: Saving is worth it when so many finished records had to be opened.
_WORTH_SAVING: Final = 64
#: A journal longer than this is started anew, in bytes.
_JOURNAL_LIMIT: Final = 1 << 18

#: Inode, size, modification and status change time of a record file; None means: read it again.
Stamp = tuple[int, int, int, int]


class Head(msgspec.Struct, frozen=True, array_like=True):
    """What ticks and views ask about a job without opening its record."""

    job_id: str
    stamp: Stamp | None
    status: JobStatus
    created_at: int
    after: tuple[str, ...]
    needs: tuple[tuple[int, str, str], ...]
    makes: tuple[tuple[int, str, str], ...]
    run_id: str | None
    ephemeral: bool
    #: Path of the worktree that the record claims to own.
    worktree: str | None
    routes_pending: bool

    @property
    def age_key(self) -> tuple[int, str]:
        """Sorts oldest first, by id where two were created at the same moment."""
        return self.created_at, self.job_id


class RecordIndex:
    """All records of a store, as heads; the full record of the active ones.

    Args:
        store: the records; the index asks it to announce changes.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._directory = _index_directory(store)
        #: Readable records by job id.
        self.heads: dict[str, Head] = {}
        #: Records that cannot be read, with the reason.
        self.malformed: dict[str, str] = {}
        #: Finished jobs whose routes have to be followed yet.
        self.with_pending_routes: set[str] = set()
        self._active: dict[str, JobRecord] = {}
        self._producers: dict[tuple[int, str, str], set[str]] | None = None
        self._journal = _Journal(self._directory / "touched" if self._directory else None, store)
        self._complete_at = -1e9
        self._links = -1
        self._opened = 0
        store.before_change = self._journal.note

    def refresh(self, *, complete: bool = False) -> None:
        """Brings the heads up to date with the files.

        Args:
            complete: look at every file, whatever is known; without it only if the last such look was a while ago.
        """
        touched = self._journal.news()
        if complete or touched is None or time.monotonic() - self._complete_at > _PARTIAL_FOR:
            if not self.heads:
                self._load()
            self._look_at(self._names())
            self._complete_at = time.monotonic()
            return
        if not self._directory_count_unchanged():
            known = self.heads.keys() | self.malformed.keys()
            touched |= known ^ set(self._names())
        self._look_at([*touched, *self._active, *self.malformed], drop_others=False)

    def record(self, job_id: str) -> JobRecord:
        """The full record of a job, without opening the file of an active one again.

        Raises:
            UnknownJobError: there is no such job.
            MalformedFileError: its record cannot be read.
        """
        return self._active.get(job_id) or self._store.read(job_id)

    def active(self) -> list[JobRecord]:
        """The jobs that have not ended, oldest first."""
        return sorted(self._active.values(), key=lambda record: record.age_key)

    def producers(self, artifact: Artifact) -> tuple[str, ...]:
        """The jobs that list an artifact among their products, oldest first."""
        if self._producers is None:
            self._producers = {}
            for head in self.heads.values():
                for made in head.makes:
                    self._producers.setdefault(made, set()).add(head.job_id)
        makers = self._producers.get(_key(artifact), ())
        return tuple(sorted(makers, key=lambda job_id: self.heads[job_id].age_key))

    def save(self) -> None:
        """Stores the heads of the finished jobs if many of them had to be read; failure to do so is no failure."""
        if self._directory is None or self._opened < _WORTH_SAVING:
            return
        heads = [head for head in self.heads.values() if head.status.is_terminal and head.stamp is not None]
        body = msgspec.msgpack.encode(heads)
        header = b"%s\n%s\n%d\n" % (_FORMAT, os.fsencode(self._store.jobs_root), zlib.crc32(body))
        with contextlib.suppress(OSError):
            atomic_write(self._directory / "records", header + body, mode=self._store.file_mode, durable=False)
            self._opened = 0
            self._journal.shorten()

    def _load(self) -> None:
        if self._directory is None:
            return
        try:
            magic, root, checksum, body = (self._directory / "records").read_bytes().split(b"\n", 3)
            intact = (
                magic == _FORMAT and root == os.fsencode(self._store.jobs_root) and int(checksum) == zlib.crc32(body)
            )
            heads = msgspec.msgpack.decode(body, type=list[Head]) if intact else []
        except (OSError, ValueError, msgspec.MsgspecError):
            return
        self.heads = {head.job_id: head for head in heads}
        self.with_pending_routes = {head.job_id for head in heads if head.routes_pending}

    def _names(self) -> list[str]:
        with contextlib.suppress(OSError):
            self._links = os.stat(self._store.jobs_root).st_nlink
        names = list(self._store.job_ids())
        if self._links < 2 + len(names):
            self._links = -1  # this file system does not count sub-directories
        return names

    def _directory_count_unchanged(self) -> bool:
        try:
            return self._links == os.stat(self._store.jobs_root).st_nlink
        except OSError:
            return False

    def _look_at(self, job_ids: Iterable[str], *, drop_others: bool = True) -> None:
        """Reads the records whose files changed; forgets those that are gone."""
        seen = set(job_ids)
        for job_id, stamp in self._stamps(seen):
            head = self.heads.get(job_id)
            if stamp is None:
                self._forget(job_id)
            elif head is None or head.stamp != stamp:
                self._read(job_id)
        if drop_others:
            for job_id in (self.heads.keys() | self.malformed.keys()) - seen:
                self._forget(job_id)

    def _stamps(self, job_ids: Iterable[str]) -> Iterator[tuple[str, Stamp | None]]:
        try:
            directory = os.open(self._store.jobs_root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            yield from ((job_id, None) for job_id in job_ids)
            return
        try:
            for job_id in job_ids:
                try:
                    yield job_id, _stamp(os.stat(f"{job_id}/job.json", dir_fd=directory))
                except OSError:
                    yield job_id, None
        finally:
            os.close(directory)

    def _read(self, job_id: str) -> None:
        self._forget(job_id)
        path = self._store.record_path(job_id)
        try:
            with open(path, "rb") as file:
                stamp = _stamp(os.fstat(file.fileno()))
                record = decode_record(parse_document(file.read(), path), path)
        except (FileNotFoundError, NotADirectoryError, UnknownJobError):
            return
        except MalformedFileError as error:
            self.malformed[job_id] = error.cause
            return
        except OSError as error:
            self.malformed[job_id] = error.strerror or str(error)
            return
        racy = time.time_ns() - stamp[3] < _RACY
        self.heads[job_id] = head = _head(record, None if racy else stamp)
        if head.routes_pending:
            self.with_pending_routes.add(job_id)
        if record.status.is_active:
            self._active[job_id] = record
        else:
            self._opened += 1
        if self._producers is not None:
            for made in head.makes:
                self._producers.setdefault(made, set()).add(job_id)

    def _forget(self, job_id: str) -> None:
        head = self.heads.pop(job_id, None)
        self._active.pop(job_id, None)
        self.with_pending_routes.discard(job_id)
        self.malformed.pop(job_id, None)
        if head is not None and self._producers is not None:
            for made in head.makes:
                self._producers.get(made, set()).discard(job_id)


class _Journal:
    """Names of jobs whose records are about to change, one per line, appended by whoever changes them."""

    def __init__(self, path: Path | None, store: JobStore) -> None:
        self._path = path
        self._store = store
        self._position: tuple[int, int] | None = None

    def note(self, job_id: str) -> None:
        """Announces a change. If that fails, others find out at their next complete refresh."""
        if self._path is None:
            return
        try:
            descriptor = self._open()
        except OSError:
            return
        try:
            with contextlib.suppress(OSError):
                os.write(descriptor, os.fsencode(job_id) + b"\n")
        finally:
            os.close(descriptor)

    def news(self) -> set[str] | None:
        """The jobs noted since the last call; None if the journal cannot tell."""
        if self._path is None:
            return None
        try:
            with open(self._path, "rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                start = self._position[1] if self._position and self._position[0] == inode else None
                end = file.seek(0, os.SEEK_END)
                if start is None or end < start:
                    self._position = (inode, end)
                    return None
                file.seek(start)
                data = file.read()
        except OSError:
            self._position = None
            with contextlib.suppress(OSError):
                os.close(self._open())
            return None
        self._position = (inode, start + len(data))
        return {os.fsdecode(line) for line in data.split(b"\n") if line}

    def shorten(self) -> None:
        """Starts anew when the journal has grown long; other processes notice and refresh completely."""
        if self._path is not None and self._path.stat().st_size > _JOURNAL_LIMIT:
            self._path.unlink()

    def _open(self) -> int:
        assert self._path is not None
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, self._store.file_mode)
        except FileNotFoundError:
            make_directories(self._path.parent, self._store.file_mode)
            return os.open(self._path, flags, self._store.file_mode)


def _index_directory(store: JobStore) -> Path | None:
    """One directory per jobs root: the worktrees of a repository share the git common directory."""
    try:
        common = git_common_directory(store.root)
    except OSError:
        return None
    return common / "vizier" / f"{zlib.crc32(os.fsencode(store.jobs_root)):08x}"


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _key(artifact: Artifact) -> tuple[int, str, str]:
    return int(artifact.kind), artifact.first, artifact.second


def _head(record: JobRecord, stamp: Stamp | None) -> Head:
    scheduling, meta = record.scheduling, record.meta
    return Head(
        job_id=record.id,
        stamp=stamp,
        status=record.status,
        created_at=record.created_at,
        after=tuple(entry.job_id for entry in scheduling.after),
        needs=tuple(_key(need.artifact) for need in scheduling.dependencies),
        makes=tuple(_key(artifact) for artifact in scheduling.artifacts),
        run_id=meta.workflow_run_id,
        ephemeral=meta.ephemeral_run is True,
        worktree=meta.worktree_path if meta.worktree_owned else None,
        routes_pending=meta.routes_pending is True,
    )
