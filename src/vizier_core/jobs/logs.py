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


class LogFollower:
    """Reads what is appended to the logs of a job.

    Survives a log that is emptied by a retry, and bytes that are no UTF-8.
    """

    def __init__(self, store: JobStore, job_id: str, streams: Sequence[str] = STREAMS) -> None:
        self._tails = {stream: _Tail(store.log_path(job_id, stream)) for stream in streams}

    def news(self) -> Iterator[LogLine]:
        """The lines that were completed since the last call, stdout first; the rest of a line waits for its end."""
        for stream, tail in self._tails.items():
            for text in tail.pieces():
                yield from (LogLine(stream, line) for line in tail.complete_lines(text))

    def text(self) -> Iterator[str]:
        """What was appended since the last call, as it is."""
        for tail in self._tails.values():
            yield from tail.pieces()

    def rest(self) -> Iterator[LogLine]:
        """What is left after the last line end; to be asked when nothing more will come."""
        for stream, tail in self._tails.items():
            if text := tail.rest():
                yield LogLine(stream, text)


def latest_log_line(store: JobStore, job_id: str, budget: int, *, ignoring: str | None = None) -> LogLine | None:
    """The newest non-blank line of a job (spec 03 §9.3).

    Args:
        store: the records.
        job_id: the job.
        budget: how many bytes from the end of each log to look at.
        ignoring: how lines begin that do not count.

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
        lines = (line for line in reversed(text.split("\n")) if line.strip())
        line = next((line for line in lines if ignoring is None or not line.startswith(ignoring)), None)
        if line is not None and (newest is None or status.st_mtime_ns >= newest[0]):
            newest = (status.st_mtime_ns, LogLine(stream, line.strip()))
    return newest[1] if newest else None


class _Tail:
    """One log file that grows, and may be emptied."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0
        self._decoder = _decoder()
        self._partial = ""

    def pieces(self) -> Iterator[str]:
        """The text that was appended since the last call."""
        try:
            file = open(self._path, "rb")  # noqa: SIM115 - closed below; the generator yields while it is open
        except OSError:
            return
        with file:
            if os.fstat(file.fileno()).st_size < self._position:
                self._position = 0
                self._decoder = _decoder()
                self._partial = ""
            file.seek(self._position)
            while data := file.read(_CHUNK):
                self._position += len(data)
                if text := self._decoder.decode(data):
                    yield text

    def complete_lines(self, text: str) -> list[str]:
        """The lines that a further piece of text completes."""
        *lines, self._partial = (self._partial + text).split("\n")
        return [line.removesuffix("\r") for line in lines]

    def rest(self) -> str:
        """The line that has no end yet."""
        text, self._partial = self._partial + self._decoder.decode(b"", final=True), ""
        return text


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")(errors="replace")
