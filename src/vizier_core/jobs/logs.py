"""Reading the logs of jobs (spec 03 §9)."""

import codecs
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from vizier_core.files import open_regular
from vizier_core.jobs.store import STREAMS, JobStore

_CHUNK: Final = 1 << 16
#: Characters of a line without an end that are held back at most.
_LONGEST_HELD: Final = 1 << 20


class LogLine(NamedTuple):
    """One line of one stream, without its line end."""

    stream: str
    text: str


class LogFollower:
    """Reads what is appended to the logs of a job, in bounded memory however much it is (WS-03-22).

    Survives a log that is emptied by a retry, and bytes that are no UTF-8.
    """

    def __init__(self, store: JobStore, job_id: str, streams: Sequence[str] = STREAMS) -> None:
        self._logs = [(_Tail(store.log_path(job_id, stream)), _Lines(f"[{stream}] ")) for stream in streams]

    def labelled(self) -> Iterator[str]:
        """What was appended since the last call, stdout first, each line with its stream in front.

        The beginning of a line is held back until its end comes, unless the line is very long.
        """
        for tail, lines in self._logs:
            for text in tail.pieces(lines.forget):
                if ready := lines.complete(text):
                    yield from self._apart_from(lines)
                    yield ready

    def labelled_rest(self) -> Iterator[str]:
        """What is left after the last line end; to be asked when nothing more will come."""
        for tail, lines in self._logs:
            if rest := lines.rest(tail.rest()):
                yield from self._apart_from(lines)
                yield rest

    def text(self) -> Iterator[str]:
        """What was appended since the last call, as it is."""
        for tail, _ in self._logs:
            yield from tail.pieces()

    def text_rest(self) -> Iterator[str]:
        """What is left of a character that was not completed; to be asked when nothing more will come."""
        return filter(None, (tail.rest() for tail, _ in self._logs))

    def _apart_from(self, lines: "_Lines") -> Iterator[str]:
        """A line end where the beginning of a long line of another stream stands already."""
        for _, other in self._logs:
            if other is not lines and other.begun:
                other.begun = False
                yield "\n"


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
            with open(store.log_path(job_id, stream), "rb", opener=open_regular) as file:
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

    def pieces(self, emptied: Callable[[], object] = lambda: None) -> Iterator[str]:
        """The text that was appended since the last call.

        Args:
            emptied: called when the file begins anew.
        """
        try:
            file = open(self._path, "rb", opener=open_regular)  # noqa: SIM115 - closed below; yields while it is open
        except OSError:
            return
        with file:
            if os.fstat(file.fileno()).st_size < self._position:
                self._position = 0
                self._decoder = _decoder()
                emptied()
            file.seek(self._position)
            while data := file.read(_CHUNK):
                self._position += len(data)
                if text := self._decoder.decode(data):
                    yield text

    def rest(self) -> str:
        """What is left of a character that is not complete."""
        return self._decoder.decode(b"", final=True)


class _Lines:
    """Puts a label in front of each line of a text that comes in pieces."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._held: list[str] = []
        self._held_length = 0
        #: The beginning of the line that is held was given out already.
        self.begun = False
        #: What is still to be given out before the next label.
        self._line_end = ""

    def complete(self, text: str) -> str:
        """What can be given out now that this piece has come."""
        end = text.rfind("\n")
        if end >= 0:
            ended = "".join([*self._held, text[: end + 1]]).replace("\r\n", "\n")
            ready = self._start() + ended[:-1].replace("\n", f"\n{self._label}") + "\n"
            self._hold([text[end + 1 :]])
            self.begun = False
            return ready
        self._held.append(text)
        self._held_length += len(text)
        if self._held_length < _LONGEST_HELD:
            return ""
        held = "".join(self._held)
        kept = held[-1:] if held.endswith("\r") else ""  # the line end may follow
        ready = self._start() + held.removesuffix(kept)
        self._hold([kept])
        self.begun = True
        return ready

    def rest(self, more: str) -> str:
        """The line that has no end, with its last characters."""
        text = "".join([*self._held, more])
        ready = f"{self._start()}{text}\n" if text or self.begun else ""
        self._hold([])
        self.begun = False
        return ready

    def forget(self) -> None:
        """Drops what is held: the text begins anew, and on a line of its own."""
        self._hold([])
        if self.begun:
            self.begun = False
            self._line_end = "\n"

    def _start(self) -> str:
        if self.begun:
            return ""
        line_end, self._line_end = self._line_end, ""
        return line_end + self._label

    def _hold(self, pieces: list[str]) -> None:
        self._held = pieces
        self._held_length = sum(map(len, pieces))


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")(errors="replace")
