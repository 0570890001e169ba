"""What becomes of the bytes that agents and filters print (spec 07 §6.3)."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from vizier_core.command import KEPT, Output
from vizier_core.files import write_all

#: Of a longer line only so many bytes are shown and kept (WS-07-17).
LINE_KEPT: Final = 64 * 1024
#: Of what a program says on stderr so many characters are kept, half of them from the end (WS-07-17).
LINES_KEPT: Final = 1024 * 1024
_CHUNK: Final = 1 << 16


class NewlineNormaliser:
    r"""Removes the carriage return of `\r\n` and ends the last line, however the bytes are cut into pieces."""

    def __init__(self) -> None:
        self._held = b""
        self._unfinished = False

    def feed(self, data: bytes) -> bytes:
        """What can be passed on of everything so far."""
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        data = data.removesuffix(b"\r").replace(b"\r\n", b"\n")
        if data:
            self._unfinished = not data.endswith(b"\n")
        return data

    def end(self) -> bytes:
        """What is left at the end of the stream."""
        rest = self._held + (b"\n" if self._held or self._unfinished else b"")
        self._held, self._unfinished = b"", False
        return rest


class LineSplitter:
    """Cuts bytes into lines for people: decoded, trimmed, blank ones dropped, overlong ones cut off.

    Invalid UTF-8 is replaced (WS-07-15).
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._length = 0

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now."""
        *complete, rest = data.split(b"\n")
        lines = []
        for piece in complete:
            self._append(piece)
            lines += self.end()
        self._append(rest)
        return lines

    def end(self) -> list[str]:
        """The line that has no end; none if it is blank."""
        line = self._line.decode("utf-8", "replace").strip()
        if self._length > LINE_KEPT:
            line += f" [... {self._length - LINE_KEPT} more bytes]"
        self._line, self._length = bytearray(), 0
        return [line] if line else []

    def _append(self, piece: bytes) -> None:
        self._line += piece[: LINE_KEPT - len(self._line)]
        self._length += len(piece)


class CapturedLines:
    """Lines, the first and the last of them if they are too many."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._tail: list[str] = []
        self._head_size = 0
        self._tail_size = 0
        self._dropped = 0
        self._dropped_size = 0
        self._oldest = 0

    def append(self, line: str) -> None:
        """Takes one more line."""
        size = len(line) + 1
        if not self._tail and self._head_size + size <= LINES_KEPT // 2:
            self._head.append(line)
            self._head_size += size
            return
        self._tail.append(line)
        self._tail_size += size
        while self._tail_size > LINES_KEPT // 2:
            size = len(self._tail[self._oldest]) + 1
            self._oldest += 1
            self._tail_size -= size
            self._dropped += 1
            self._dropped_size += size
        if self._oldest > len(self._tail) // 2:
            del self._tail[: self._oldest]
            self._oldest = 0

    def lines(self) -> list[str]:
        """What was kept; a line in between says how much was not."""
        tail = self._tail[self._oldest :]
        if not self._dropped:
            return self._head + tail
        note = f"[vizier: {self._dropped} lines of {self._dropped_size} characters are left out here]"
        return [*self._head, note, *tail]


class Transcript:
    """All that a program has printed on one stream: in memory while it is little, then in a file without a name.

    Args:
        directory: on a disk with room for the file.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._memory = bytearray()
        self._size = 0
        self._characters = 0
        self._file: BinaryIO | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was printed."""
        return self._size == 0

    def feed(self, data: bytes) -> None:
        """Takes what was printed next.

        Raises:
            OSError: the file cannot be written.
        """
        self._size += len(data)
        self._characters += len(self._decoder.decode(data))
        if self._file is not None:
            write_all(self._file.fileno(), data)
            return
        self._memory += data
        if self._size > KEPT:
            self._file = _nameless_file(self._directory)
            write_all(self._file.fileno(), bytes(self._memory))
            self._memory = bytearray()

    def output(self) -> Output:
        """The text, its head and its tail if it is too long for memory (ruling R70)."""
        if self._file is None:
            return Output(self._memory.decode("utf-8", "replace"))
        descriptor = self._file.fileno()
        head = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(_read_at(descriptor, KEPT // 2, 0))
        tail = _read_at(descriptor, KEPT // 2, self._size - KEPT // 2)
        # The cut may have gone through a character.
        tail = tail[next(i for i in range(5) if i == 4 or tail[i] & 0xC0 != 0x80) :]
        total = self._characters + len(self._decoder.decode(b"", final=True))
        return Output(head + tail.decode("utf-8", "replace"), total)

    def copy_to(self, sink: Callable[[str], None]) -> None:
        """Gives all of the text to somebody, in pieces."""
        if self._file is None:
            sink(self._memory.decode("utf-8", "replace"))
            return
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        position = 0
        while data := os.pread(self._file.fileno(), _CHUNK, position):
            position += len(data)
            sink(decoder.decode(data))
        sink(decoder.decode(b"", final=True))

    def close(self) -> None:
        """Gives the file back."""
        if self._file is not None:
            self._file.close()


def _nameless_file(directory: Path) -> BinaryIO:
    import tempfile  # noqa: PLC0415 - dear to import, and hardly any agent says so much

    return tempfile.TemporaryFile(buffering=0, dir=directory)


def _read_at(descriptor: int, length: int, position: int) -> bytes:
    pieces = []
    while length > 0 and (data := os.pread(descriptor, length, position)):
        pieces.append(data)
        position += len(data)
        length -= len(data)
    return b"".join(pieces)
