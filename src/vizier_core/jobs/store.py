"""The jobs root: where each file is, and the only code that reads and writes job records (spec 02 §§2-5).

Every rewrite of a record goes through :meth:`JobStore.update`, which reads the file afresh and insists on the scheduler
lock, so no change is ever based on what somebody else has replaced meanwhile (decision D6).
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from vizier_core.errors import InvalidIdError, MalformedFileError, UnknownJobError
from vizier_core.files import atomic_write, entries, is_single_component, make_directories, read_small
from vizier_core.jobs.codec import Document, from_document, parse_document, pretty, rewritten, to_plain
from vizier_core.jobs.lock import SchedulerLock
from vizier_core.jobs.model import OUTCOME_FIELDS, JobRecord
from vizier_core.project import derived_directory, shared_file_mode

#: Directories under the jobs root that are no jobs.
RESERVED_NAMES: Final = frozenset({"runs", "artifacts"})
#: The file of a job's directory that makes it a job.
RECORD: Final = "job.json"
#: The two streams of a worker, in the order in which views show them.
STREAMS: Final = ("stdout", "stderr")


def checked_job_id(job_id: str) -> str:
    """A job id from the command line or from a file, if it can name a directory; whether there is a job is not asked.

    Raises:
        InvalidIdError: it cannot.
    """
    if not is_single_component(job_id):
        raise InvalidIdError("job id", job_id)
    return job_id


def is_job_id(name: str) -> bool:
    """Whether a name can be that of a job directory."""
    return is_single_component(name) and name not in RESERVED_NAMES


class JobStore:
    """The records of one project.

    Args:
        root: the project root.
        warn: receives one line for the operator, without a line end.
    """

    def __init__(self, root: Path, warn: Callable[[str], None]) -> None:
        self.root = root
        self.warn = warn
        self.jobs_root = root / ".vizier" / "jobs"
        derived = derived_directory(root, self.jobs_root)
        self._file_mode: int | None = None
        self.lock = SchedulerLock(
            self.jobs_root / "scheduler.lock", derived / "lock" if derived else None, self.file_mode
        )
        #: Called with a new record and its file just before that takes its place; the index listens (ruling R74).
        self.on_change: Callable[[JobRecord, os.stat_result], None] = lambda record, status: None

    # Paths

    def job_directory(self, job_id: str) -> Path:
        """Where everything of one job lives."""
        return self.jobs_root / job_id

    def record_path(self, job_id: str) -> Path:
        """The record of a job."""
        return self.jobs_root / job_id / RECORD

    def log_path(self, job_id: str, stream: str) -> Path:
        """The log of one of the :data:`STREAMS` of a job."""
        return self.jobs_root / job_id / f"{stream}.log"

    def manifest_path(self, run_id: str) -> Path:
        """The manifest of a run."""
        return self.jobs_root / "runs" / f"{run_id}.json"

    def relative(self, path: Path) -> str:
        """A path as the files store it: below the project root and with slashes, absolute if it lies elsewhere."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()

    @property
    def file_mode(self) -> int:
        """Permission bits of new files: as private as the jobs root is (ruling R73)."""
        if self._file_mode is None:
            try:
                self._file_mode = stat.S_IMODE(self.jobs_root.stat().st_mode) & 0o666
            except OSError:
                return shared_file_mode(self.root)
        return self._file_mode

    def ensure_jobs_root(self) -> None:
        """Creates the jobs root, private unless the git repository is shared."""
        if not self.jobs_root.is_dir():
            make_directories(self.jobs_root, shared_file_mode(self.root))

    # Reading

    def exists(self, job_id: str) -> bool:
        """Whether there is a job with this id, readable or not; linked directories are no jobs (ruling R11)."""
        if not is_job_id(job_id):
            return False
        try:
            return stat.S_ISDIR(os.lstat(self.job_directory(job_id)).st_mode) and self.record_path(job_id).is_file()
        except OSError:
            return False

    def read(self, job_id: str) -> JobRecord:
        """The record of one job.

        Raises:
            InvalidIdError: the id cannot name a job.
            UnknownJobError: there is no such job.
            MalformedFileError: its record cannot be read.
        """
        return self._read_with_source(checked_job_id(job_id))[0]

    def read_text(self, job_id: str) -> bytes:
        """The bytes of a record.

        Raises:
            UnknownJobError: there is no such job.
            MalformedFileError: the file cannot be opened.
        """
        if job_id in RESERVED_NAMES:
            raise UnknownJobError(job_id)
        path = self.record_path(job_id)
        try:
            if stat.S_ISLNK(os.lstat(path.parent).st_mode):
                raise UnknownJobError(job_id)
            return read_small(path)[0]
        except (FileNotFoundError, NotADirectoryError):
            raise UnknownJobError(job_id) from None
        except OSError as error:
            raise MalformedFileError(path, error.strerror or str(error)) from None

    def job_ids(self) -> Iterator[str]:
        """The names of all directories that may be jobs, in no order."""
        for entry in entries(self.jobs_root):
            if is_job_id(entry.name) and entry.is_dir(follow_symlinks=False):
                yield entry.name

    # Writing

    def update(self, job_id: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Rewrites a record from what is on disk now; the scheduler lock must be held.

        Args:
            job_id: the job.
            change: gets the present record and returns the new one; the file stays as it is if they are equal.

        Raises:
            UnknownJobError: the job is gone.
            MalformedFileError: its record cannot be read.
            OSError: the new record cannot be written; the old one is untouched.
        """
        pending = self.begin_update(job_id)
        changed = change(pending.record)
        if changed != pending.record:
            pending.write(changed)
        return changed

    def begin_update(self, job_id: str) -> "PendingUpdate":
        """Reads a record in order to rewrite it; the scheduler lock must be held until that is done.

        Raises:
            UnknownJobError: the job is gone.
            MalformedFileError: its record cannot be read.
        """
        if not self.lock.held:
            raise RuntimeError("job records are only written under the scheduler lock")
        return PendingUpdate(self, *self._read_with_source(job_id))

    def write_outcome(self, record: JobRecord) -> str:
        """Writes the final snapshot of a record beside it; the path as records store it (spec 02 §5)."""
        path = self.job_directory(record.id) / "outcome.json"
        plain = {name: to_plain(getattr(record, name)) for name in OUTCOME_FIELDS}
        atomic_write(path, pretty(plain), mode=self.file_mode, durable=False)
        return self.relative(path)

    def _read_with_source(self, job_id: str) -> tuple[JobRecord, Document]:
        path = self.record_path(job_id)
        source = parse_document(self.read_text(job_id), path)
        return decode_record(source, path), source


class PendingUpdate:
    """A record that was read in order to be rewritten.

    Attributes:
        record: as it is on disk.
    """

    def __init__(self, store: JobStore, record: JobRecord, source: Document) -> None:
        self.record = record
        self._store = store
        self._source = source

    def write(self, changed: JobRecord) -> None:
        """Replaces the file.

        Raises:
            OSError: it cannot be written; the old record is untouched.
        """
        atomic_write(
            self._store.record_path(changed.id),
            pretty(rewritten(self._source, self.record, changed)),
            mode=self._store.file_mode,
            durable=True,
            before_rename=lambda status: self._store.on_change(changed, status),
        )


def decode_record(document: Document, path: Path) -> JobRecord:
    """The typed record of a parsed `job.json`.

    Raises:
        MalformedFileError: something is wrong in it, or it belongs to another directory (ruling R2).
    """
    record = from_document(document, JobRecord, path)
    if record.id != path.parent.name:
        raise MalformedFileError(path, f"its id is `{record.id}`, expected the name of its directory")
    return record
