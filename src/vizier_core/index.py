"""A derived index of job records: ten thousand finished jobs cost a tick or a view next to nothing (ruling R74).

Nothing here is ever the truth. An entry counts only while the record's inode, size and times are those it was made
from; the files live in the git common directory and may be deleted or damaged at any moment. Three things keep it
honest:

* a *complete* refresh looks at every record file; every command starts with one;
* a process that goes on (a follower, a worker that ticks) makes *partial* refreshes for a moment after that: it looks
  at new and vanished directories, and at what other processes note in the journal whenever they replace a record;
* a file that changed a moment ago is read again by the next complete refresh, because two changes within one clock
  tick look alike.
"""

import contextlib
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from vizier_core.errors import MalformedFileError, UnknownJobError
from vizier_core.files import atomic_write, make_directories, read_small
from vizier_core.jobs.codec import parse_document
from vizier_core.jobs.model import JobRecord, WorkerIdentity
from vizier_core.jobs.store import JobStore, decode_record
from vizier_core.project import derived_directory
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import WAITING_ON_JOB, JobStatus, Lock

#: First line of the index file; a new layout gets a new number and old files are ignored.
_FORMAT: Final = b"vizier index 4"
#: Partial refreshes are trusted for so long after a complete one, in seconds: the time an edit by hand may go unseen.
_PARTIAL_FOR: Final = 1.0
#: A file younger than this when it was read may change again without looking different, in nanoseconds.
_RACY: Final = 20_000_000
#: Saving is worth it when so many finished records had to be opened.
_WORTH_SAVING: Final = 64
#: A journal longer than this is started anew, in bytes.
_JOURNAL_LIMIT: Final = 1 << 20
#: Length of the random bytes at the beginning of a journal.
_MARK: Final = 8

#: Inode, size, modification time and status change time of a record file.
Stamp = tuple[int, int, int, int]
#: Of a file that cannot even be looked at; equal to no other.
_NO_STAMP: Final = (-1, -1, -1, -1)
_ArtifactKey = tuple[int, str, str]


class Head(msgspec.Struct, frozen=True, array_like=True):
    """What ticks and views ask about a job without opening its record."""

    job_id: str
    status: JobStatus
    created_at: int
    finished_at: int | None
    after: tuple[str, ...]
    needs: tuple[_ArtifactKey, ...]
    makes: tuple[_ArtifactKey, ...]
    run_id: str | None
    ephemeral: bool
    #: Path of the worktree that the record claims to own.
    worktree: str | None
    routes_pending: bool
    #: The plan and the branch that the record names.
    plan: str | None = None
    branch: str | None = None
    #: The predecessor that a job waits for, as its record says.
    waits_for: str | None = None
    #: Of running jobs only: what they hold, and who runs them.
    locks: tuple[Lock, ...] = ()
    pid: int | None = None
    worker: WorkerIdentity | None = None
    #: First word of the worker's arguments, which identifies workers of records without a worker identity.
    token: str | None = None

    @property
    def age_key(self) -> tuple[int, str]:
        """Sorts oldest first, by id where two were created at the same moment."""
        return self.created_at, self.job_id

    @classmethod
    def of(cls, record: JobRecord) -> "Head":
        """The head of a record."""
        scheduling, meta = record.scheduling, record.meta
        running = record.status is JobStatus.RUNNING
        words = record.child_args or record.command
        return cls(
            job_id=record.id,
            status=record.status,
            created_at=_storable(record.created_at),
            finished_at=None if record.finished_at is None else _storable(record.finished_at),
            after=tuple(entry.job_id for entry in scheduling.after),
            needs=tuple(_key(need.artifact) for need in scheduling.dependencies),
            makes=tuple(_key(artifact) for artifact in scheduling.artifacts),
            run_id=meta.workflow_run_id,
            ephemeral=meta.ephemeral_run is True,
            worktree=meta.worktree_path if meta.worktree_owned else None,
            routes_pending=meta.routes_pending is True,
            plan=meta.plan,
            branch=meta.branch,
            waits_for=_waits_for(record),
            locks=scheduling.locks if running else (),
            pid=record.pid if running else None,
            worker=meta.worker if running else None,
            token=((words[0].strip() if words else "") or None) if running else None,
        )


class _SavedHead(msgspec.Struct, frozen=True, array_like=True):
    """A line of the index file."""

    head: Head
    stamp: Stamp


class RecordIndex:
    """All records of a store, as heads.

    Args:
        store: the records; the index asks it to announce changes.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._directory = derived_directory(store.root, store.jobs_root)
        #: Readable records by job id.
        self.heads: dict[str, Head] = {}
        #: Records that cannot be read, with the reason.
        self.malformed: dict[str, str] = {}
        #: Finished jobs whose routes have to be followed yet.
        self.with_pending_routes: set[str] = set()
        self._active: set[str] = set()
        self._running: set[str] = set()
        #: Active jobs without those that sleep, and for each job those that sleep until it changes.
        self._awake: set[str] = set()
        self._sleepers: dict[str, set[str]] = {}
        #: How the file of each head looked; those in `_racy` may have changed since without looking different.
        self._stamps: dict[str, Stamp] = {}
        self._racy: set[str] = set()
        #: Full records of waiting jobs, and of others that were asked for.
        self._records: dict[str, JobRecord] = {}
        self._producers: dict[_ArtifactKey, set[str]] | None = None
        self._journal = _Journal(self._directory / "changes" if self._directory else None, store)
        self._complete_at = -1e9
        self._links = -1
        self._opened = 0
        store.on_change = self._journal.note

    def refresh(self, *, complete: bool = False) -> None:
        """Brings the heads up to date with the files.

        Args:
            complete: look at every file, whatever is known; without it only if the last such look was a while ago.
        """
        news = self._journal.news()
        if complete or news is None or time.monotonic() - self._complete_at > _PARTIAL_FOR:
            if not self.heads:
                self._load()
            names = set(self._names())
            self._look_at(names, news=news, distrusted=self._settled())
            for job_id in (self.heads.keys() | self.malformed.keys()) - names:
                self._forget(job_id)
            self._complete_at = time.monotonic()
            return
        changed = news.keys() | self.malformed.keys()
        if not self._directory_count_unchanged():
            changed |= (self.heads.keys() | self.malformed.keys()) ^ set(self._names())
        self._look_at(changed, news=news)

    def catch_up(self) -> None:
        """Takes over what this process has changed since the last refresh, while it holds the scheduler lock."""
        news = self._journal.news()
        if news is None:
            self.refresh(complete=True)
        elif news:
            self._look_at(news, news=news)

    def record(self, job_id: str) -> JobRecord:
        """The full record of a job, without opening the file again while it is as it was at the last refresh.

        Raises:
            UnknownJobError: there is no such job.
            MalformedFileError: its record cannot be read.
        """
        if job_id in self._records:
            return self._records[job_id]
        record = self._store.read(job_id)
        if Head.of(record) == self.heads.get(job_id):
            self._records[job_id] = record
        return record

    def announce_removal(self, job_id: str) -> None:
        """Tells other processes that a job is about to be deleted."""
        if job_id in self.heads:
            self._journal.append(_Note(self.heads[job_id], (0, 0, 0)))

    def find(self, job_id: str) -> JobRecord | None:
        """Like :meth:`record`, but None for a job that is gone, or cannot be read any more."""
        try:
            return self.record(job_id)
        except (UnknownJobError, MalformedFileError):
            return None

    def active(self) -> list[Head]:
        """The jobs that have not ended, oldest first."""
        return sorted((self.heads[job_id] for job_id in self._active), key=lambda head: head.age_key)

    def running(self) -> list[Head]:
        """The jobs that run, oldest first."""
        return sorted((self.heads[job_id] for job_id in self._running), key=lambda head: head.age_key)

    def awake(self) -> list[Head]:
        """The active jobs but those that certainly go on waiting for the same predecessor as before, oldest first.

        A job that waits for an unfinished predecessor need not be looked at before one of its predecessors, or its own
        record, changes. In a long chain that is nearly every job.
        """
        for job_id in list(self._awake):
            head = self.heads[job_id]
            if head.waits_for is not None and self._goes_on_waiting(head):
                self._awake.discard(job_id)
                for predecessor in head.after:
                    self._sleepers.setdefault(predecessor, set()).add(job_id)
        return sorted((self.heads[job_id] for job_id in self._awake), key=lambda head: head.age_key)

    def _goes_on_waiting(self, head: Head) -> bool:
        """Whether the first predecessor that has not succeeded is the one that it waits for, and has not ended."""
        for predecessor in sorted(set(head.after)):
            found = self.heads.get(predecessor)
            if found is None or found.status is not JobStatus.SUCCEEDED:
                return found is not None and predecessor == head.waits_for and found.status.is_active
        return False

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
        trusted = (head for head in self.heads.values() if head.status.is_terminal and head.job_id not in self._racy)
        try:
            body = msgspec.msgpack.encode([_SavedHead(head, self._stamps[head.job_id]) for head in trusted])
        except UnicodeEncodeError:
            return  # something in a record is no UTF-8
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
            if (magic, root, int(checksum)) != (_FORMAT, os.fsencode(self._store.jobs_root), zlib.crc32(body)):
                return
            saved = msgspec.msgpack.decode(body, type=list[_SavedHead])
        except (OSError, ValueError, msgspec.MsgspecError):
            return
        self.heads = {entry.head.job_id: entry.head for entry in saved}
        self._stamps = {entry.head.job_id: entry.stamp for entry in saved}
        self.with_pending_routes = {entry.head.job_id for entry in saved if entry.head.routes_pending}

    def _names(self) -> Iterator[str]:
        """The job directories, and how many entries the jobs root says it has."""
        with contextlib.suppress(OSError):
            self._links = os.stat(self._store.jobs_root).st_nlink
        count = 0
        for name in self._store.job_ids():
            count += 1
            yield name
        if self._links < 2 + count:
            self._links = -1  # this file system does not count sub-directories

    def _directory_count_unchanged(self) -> bool:
        try:
            return self._links == os.stat(self._store.jobs_root).st_nlink
        except OSError:
            return False

    def _settled(self) -> set[str]:
        """Racy files that have been left alone for long enough to be read once and trusted from then on."""
        limit = time.time_ns() - _RACY
        return {job_id for job_id in self._racy if self._stamps[job_id][3] < limit}

    def _look_at(
        self,
        job_ids: Iterable[str],
        *,
        news: "dict[str, _Note] | None" = None,
        distrusted: Iterable[str] = (),
    ) -> None:
        """Takes over what has changed about these jobs: from the journal if it knows, else from the record."""
        distrusted = set(distrusted)
        for job_id, stamp in self._current_stamps(job_ids):
            if stamp is None:
                self._forget(job_id)
            elif self._stamps.get(job_id) != stamp or job_id in distrusted:
                note = news.get(job_id) if news and job_id not in distrusted else None
                if note is not None and note.describes(stamp):
                    self._take(note.head, stamp)
                else:
                    self._read(job_id)

    def _current_stamps(self, job_ids: Iterable[str]) -> Iterator[tuple[str, Stamp | None]]:
        try:
            directory = os.open(self._store.jobs_root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            yield from ((job_id, None) for job_id in job_ids)
            return
        try:
            for job_id in job_ids:
                try:
                    yield job_id, _stamp(os.stat(f"{job_id}/job.json", dir_fd=directory))
                except (FileNotFoundError, NotADirectoryError):
                    yield job_id, None
                except OSError:
                    yield job_id, _NO_STAMP  # there is something; reading it tells what is wrong
        finally:
            os.close(directory)

    def _read(self, job_id: str) -> None:
        path = self._store.record_path(job_id)
        try:
            data, status = read_small(path)
            record = decode_record(parse_document(data, path), path)
        except (FileNotFoundError, NotADirectoryError, UnknownJobError):
            self._forget(job_id)
            return
        except (MalformedFileError, OSError) as error:
            self._forget(job_id)
            cause = error.cause if isinstance(error, MalformedFileError) else error.strerror
            self.malformed[job_id] = cause or str(error)
            return
        self._take(Head.of(record), _stamp(status))
        if record.status.is_terminal:
            self._opened += 1
        elif record.status is not JobStatus.RUNNING:
            self._records[job_id] = record

    def _take(self, head: Head, stamp: Stamp) -> None:
        job_id = head.job_id
        self._forget(job_id)
        self.heads[job_id] = head
        self._stamps[job_id] = stamp
        if time.time_ns() - stamp[3] < _RACY:
            self._racy.add(job_id)
        if head.status.is_active:
            self._active.add(job_id)
            self._awake.add(job_id)
        if head.status is JobStatus.RUNNING:
            self._running.add(job_id)
        if head.routes_pending:
            self.with_pending_routes.add(job_id)
        if self._producers is not None:
            for made in head.makes:
                self._producers.setdefault(made, set()).add(job_id)

    def _forget(self, job_id: str) -> None:
        head = self.heads.pop(job_id, None)
        self.malformed.pop(job_id, None)
        self._stamps.pop(job_id, None)
        self._records.pop(job_id, None)
        for group in (self._active, self._running, self._awake, self._racy, self.with_pending_routes):
            group.discard(job_id)
        self._awake.update(self._sleepers.pop(job_id, set()) & self._active)
        if head is not None and self._producers is not None:
            for made in head.makes:
                self._producers.get(made, set()).discard(job_id)


class _Note(msgspec.Struct, frozen=True, array_like=True):
    """What a process wrote into the journal just before it replaced a record."""

    head: Head
    #: Inode, size and modification time of the new file, zeros if there will be none. Its status change time is only
    #: known after the renaming.
    file: tuple[int, int, int]

    def describes(self, stamp: Stamp) -> bool:
        """Whether the file at the record's path is the one that was announced."""
        return self.file == stamp[:3]


class _Position(NamedTuple):
    """How far a journal was read: its random bytes, and how long it was."""

    mark: bytes
    end: int


class _Journal:
    """Notes about replaced records, appended by whoever replaces them.

    The file begins with random bytes, so that one which was emptied and filled again, or has got the inode of one that
    was deleted, is not taken for its predecessor. Before each note stand its length and its checksum, four bytes each.
    """

    def __init__(self, path: Path | None, store: JobStore) -> None:
        self._path = path
        self._store = store
        self._position: _Position | None = None
        self._decoder = msgspec.msgpack.Decoder(_Note)

    def note(self, record: JobRecord, status: os.stat_result) -> None:
        """Announces that a record is about to be replaced by the file that looks like this.

        If that fails, other processes find out at their next complete refresh.
        """
        self.append(_Note(Head.of(record), _stamp(status)[:3]))

    def append(self, note: "_Note") -> None:
        """Adds a note."""
        if self._path is None:
            return
        try:
            data = msgspec.msgpack.encode(note)
        except UnicodeEncodeError:
            # Something in the record is no UTF-8. Without a journal others look at everything.
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            return
        self._write(len(data).to_bytes(4, "big") + zlib.crc32(data).to_bytes(4, "big") + data)

    def news(self) -> dict[str, _Note] | None:
        """The last note about each job that has one since the last call; None if the journal cannot tell."""
        if self._path is None:
            return None
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._position = None
            self._write(b"")
            return None
        try:
            mark, end = os.read(descriptor, _MARK), os.fstat(descriptor).st_size
            known = self._position
            if known is None or known.mark != mark or end < known.end:
                self._position = _Position(mark, end) if len(mark) == _MARK else None
                return None
            data = os.pread(descriptor, end - known.end, known.end) if end > known.end else b""
        except OSError:  # not a file any more
            self._position = None
            return None
        finally:
            os.close(descriptor)
        self._position = _Position(mark, known.end + len(data))
        return self._decode(data)

    def shorten(self) -> None:
        """Starts anew when the journal has grown long; other processes notice and refresh completely."""
        if self._path is not None and self._path.stat().st_size > _JOURNAL_LIMIT:
            self._path.unlink()

    def _decode(self, data: bytes) -> dict[str, _Note] | None:
        notes: dict[str, _Note] = {}
        place = 0
        try:
            while place < len(data):
                length = int.from_bytes(data[place : place + 4], "big")
                checksum = int.from_bytes(data[place + 4 : place + 8], "big")
                text = data[place + 8 : place + 8 + length]
                if zlib.crc32(text) != checksum:
                    return None
                note = self._decoder.decode(text)
                notes[note.head.job_id] = note
                place += 8 + length
        except (msgspec.MsgspecError, ValueError):
            return None  # damaged: look at everything
        return notes

    def _write(self, text: bytes) -> None:
        """Appends to the journal, which is made if there is none; whoever reads it never sees one without its mark."""
        assert self._path is not None
        try:
            descriptor = self._open()
        except OSError:
            self._position = None
            return
        try:
            mark = os.urandom(_MARK) if os.fstat(descriptor).st_size == 0 else b""
            os.write(descriptor, mark + text)
        except OSError:
            # Without the note others would not notice; without a journal they look at everything.
            self._position = None
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        assert self._path is not None
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            return os.open(self._path, flags, self._store.file_mode)
        except FileNotFoundError:
            make_directories(self._path.parent, self._store.file_mode)
            return os.open(self._path, flags, self._store.file_mode)


def _waits_for(record: JobRecord) -> str | None:
    reason = record.scheduling.wait_reason
    if (
        record.status is not JobStatus.WAITING_ON_DEPS
        or reason is None
        or reason.kind not in record.scheduling.waited_on
    ):
        return None
    detail = reason.detail or ""
    return detail.removeprefix(WAITING_ON_JOB) if detail.startswith(WAITING_ON_JOB) else None


def _storable(moment: int) -> int:
    """A time as the index file can hold it: the years 1678 to 2554 as they are, others as the nearest of them."""
    return max(-(1 << 63), min(int(moment), (1 << 64) - 1))


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _key(artifact: Artifact) -> _ArtifactKey:
    return int(artifact.kind), artifact.first, artifact.second
