"""Runs a program for a node: output into files, copied to the log while it runs, bounded in memory (ruling R86).

The output goes to files without a name instead of pipes, so a grandchild that keeps it open cannot hold up anybody.
"""

import codecs
import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.files import discard_beginning, unlinked_file

#: Above this many characters only the head and the tail of an output are kept in memory and in payloads (ruling R70).
KEPT: Final = 8 * 1024 * 1024
#: How often a running program's output is looked at, in seconds.
_LOOK_AGAIN: Final = 0.05
_CHUNK: Final = 1 << 16
#: The output files are in memory; so many bytes that were copied already may stay there.
_HELD: Final = 16 * 1024 * 1024
#: Signals that Python ignores; programs get them back as they were.
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


class Output(msgspec.Struct, frozen=True):
    """What a program has printed on one stream."""

    text: str
    #: Characters that it printed in all, if `text` is not all of it.
    truncated_from: int | None = None

    def lines(self) -> list[str]:
        """The text in lines, without trailing blanks and empty lines (spec 06 §5.3)."""
        return [stripped for line in self.text.split("\n") if (stripped := line.rstrip())]

    @classmethod
    def joined(cls, outputs: "Sequence[Output]") -> "Output":
        """The outputs of several programs as that of one."""
        text = "".join(output.text for output in outputs)
        total = sum(len(output.text) if output.truncated_from is None else output.truncated_from for output in outputs)
        return cls(text, total if total > len(text) else None)


class Finished(msgspec.Struct, frozen=True):
    """How a program ended."""

    #: Its exit code; 1 if a signal ended it.
    exit_code: int
    stdout: Output
    stderr: Output


def run_program(
    argv: Sequence[str],
    cwd: Path,
    scratch: Path,
    *,
    stdout: Callable[[str], None],
    stderr: Callable[[str], None],
) -> Finished:
    """Runs a program to its end, in a process group of its own, with empty input.

    Args:
        argv: program and arguments.
        cwd: where it runs.
        scratch: a directory on a disk with room for the output while the program runs.
        stdout: receives its output piece by piece, invalid UTF-8 replaced.
        stderr: likewise.

    Raises:
        OSError: the program cannot be started.
    """
    out, err = unlinked_file(scratch), unlinked_file(scratch)
    try:
        followers = (_Follower(out, stdout), _Follower(err, stderr))
        pid = _start(argv, cwd, out, err)
        for _ in _until_ended(pid):
            for follower in followers:
                follower.copy_news()
        for follower in followers:
            follower.copy_news(final=True)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(out)
        os.close(err)
    return Finished(code if code >= 0 else 1, followers[0].output(), followers[1].output())


class _Follower:
    """Copies what is appended to a file as text, and keeps head and tail of it."""

    def __init__(self, descriptor: int, sink: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._sink = sink
        self._position = 0
        self._discarded = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._head: list[str] = []
        self._tail: list[str] = []
        self._head_length = 0
        self._tail_length = 0
        self._total = 0

    def copy_news(self, *, final: bool = False) -> None:
        # No further than it reaches now: somebody who was left behind may print for ever.
        end = os.fstat(self._descriptor).st_size
        while data := os.pread(self._descriptor, min(_CHUNK, end - self._position), self._position):
            self._position += len(data)
            self._take(self._decoder.decode(data))
            if self._position - self._discarded > _HELD:
                discard_beginning(self._descriptor, self._position)
                self._discarded = self._position
        if final:
            self._take(self._decoder.decode(b"", final=True))

    def output(self) -> Output:
        text = "".join(self._head) + "".join(self._tail)
        return Output(text, self._total if self._total > len(text) else None)

    def _take(self, text: str) -> None:
        if not text:
            return
        self._sink(text)
        self._total += len(text)
        if self._head_length < KEPT // 2:
            self._head.append(text)
            self._head_length += len(text)
            return
        self._tail.append(text)
        self._tail_length += len(text)
        while self._tail_length - len(self._tail[0]) >= KEPT // 2:
            self._tail_length -= len(self._tail.pop(0))


def _start(argv: Sequence[str], cwd: Path, stdout: int, stderr: int) -> int:
    """Starts a program in a process group of its own, without input; its pid.

    This takes a fraction of the time of `subprocess`, but has no argument for the working directory.
    """
    for name in os.listdir("/dev/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # that of the listing itself is closed already
                os.set_inheritable(int(name), False)
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.chdir(cwd)
            streams = [(os.POSIX_SPAWN_DUP2, source, target) for target, source in enumerate((null, stdout, stderr))]
            return os.posix_spawnp(
                argv[0], tuple(argv), os.environ, file_actions=streams, setpgroup=0, setsigdef=_IGNORED_BY_PYTHON
            )
        finally:
            os.close(null)
            os.fchdir(here)
    finally:
        os.close(here)


def _until_ended(pid: int) -> Iterator[None]:
    """Yields now and then while a child runs; it is left to be waited for."""
    descriptor = _pidfd(pid)
    if descriptor is None:
        from vizier_core.process import is_alive  # noqa: PLC0415 - only where the system has no such descriptors

        pause = 0.001
        # Not `os.waitid`, which Python has not on macOS before 3.13. One that has ended and waits for us is not alive.
        while is_alive(pid):
            yield
            time.sleep(pause)
            pause = min(pause * 2, _LOOK_AGAIN)
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not poll.poll(_LOOK_AGAIN * 1000):
            yield
    finally:
        os.close(descriptor)


def _pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends, where the system has such a thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
