"""Reading the logs of jobs (spec 03 §9)."""

import codecs
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from vizier_core.jobs.store import STREAMS, JobStore

_CHUNK: Final = 1 << 16


class LogLine(NamedTuple):
    """One line of one stream, without its line end."""

    stream: str
    text: str


def read_log(store: JobStore, job_id: str, stream: str) -> Iterator[str]:
    """A whole log as text, piece by piece, invalid UTF-8 replaced; nothing if there is no such file."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    try:
        with open(store.log_path(job_id, stream), "rb") as file:
            while data := file.read(_CHUNK):
                yield decoder.decode(data)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield decoder.decode(b"", final=True)


class LogFollower:
    """Reads what is appended to the logs of a job, in complete lines.

    Survives a log that is emptied by a retry, and bytes that are no UTF-8. A line without an end is held back until it
    is complete or :meth:`rest` asks for it.
    """

    def __init__(self, store: JobStore, job_id: str, streams: Sequence[str] = STREAMS) -> None:
        self._tails = {stream: _Tail(store.log_path(job_id, stream)) for stream in streams}

    def news(self) -> Iterator[LogLine]:
        """The lines that were completed since the last call, stdout first."""
        for stream, tail in self._tails.items():
            yield from (LogLine(stream, text) for text in tail.lines())

    def rest(self) -> Iterator[LogLine]:
        """What is left after the last line end; to be asked when nothing more will come."""
        for stream, tail in self._tails.items():
            if text := tail.rest():
                yield LogLine(stream, text)


def latest_log_line(store: JobStore, job_id: str, budget: int) -> LogLine | None:
    """The newest non-blank line of a job (spec 03 §9.3).

    Args:
        store: the records.
        job_id: the job.
        budget: how many bytes from the end of each log to look at.

    Returns:
        The last line of the log that changed last, trimmed; stderr wins a tie; None if both have none.
    """
    newest: tuple[int, LogLine] | None = None
    for stream in STREAMS:
        try:
            with open(store.log_path(job_id, stream), "rb") as file:
                status = os.fstat(file.fileno())
                file.seek(max(0, status.st_size - budget))
                text = file.read(budget).decode("utf-8", errors="replace")
        except OSError:
            continue
        line = next((line for line in reversed(text.split("\n")) if line.strip()), None)
        if line is not None and (newest is None or status.st_mtime_ns >= newest[0]):
            newest = (status.st_mtime_ns, LogLine(stream, line.strip()))
    return newest[1] if newest else None


class _Tail:
    """One log file that grows, and may be emptied."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._partial = b""

    def lines(self) -> Iterator[str]:
        try:
            file = open(self._path, "rb")  # noqa: SIM115 - closed below; the generator yields while it is open
        except OSError:
            return
        with file:
            if os.fstat(file.fileno()).st_size < self._position:
                self._position = 0
                self._partial = b""
            file.seek(self._position)
            while data := file.read(_CHUNK):
                self._position += len(data)
                *complete, self._partial = (self._partial + data).split(b"\n")
                for line in complete:
                    yield _text(line)

    def rest(self) -> str:
        partial, self._partial = self._partial, b""
        return _text(partial)


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", errors="replace")
