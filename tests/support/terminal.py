"""A program on a pseudo-terminal: what it shows, and typing into it."""

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

#: Seconds until a test gives up on what should appear.
PATIENCE = float(os.environ.get("VIZIER_TEST_PATIENCE", "60"))
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_=>]|[()][A-Z0-9])")


class Terminal:
    """A running program whose three standard streams are one terminal.

    Args:
        argv: the program.
        cwd: where it runs.
        env: all of its environment.
        columns: width of the terminal.
        rows: height of the terminal.
    """

    def __init__(
        self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self._leader, follower = pty.openpty()
        self._resize(follower, columns, rows)
        self._process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            # Signals of the keyboard go to the foreground of the terminal that a session has taken for its own.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - tests have no threads
        )
        os.close(follower)
        #: Everything that was written, escape sequences included.
        self.raw = ""
        # A character may come in two pieces.
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._leader)

    @property
    def text(self) -> str:
        """What was written, without escape sequences and carriage returns."""
        return _ESCAPES.sub("", self.raw).replace("\r", "")

    def type(self, text: str) -> None:
        """Types a text; `\\t` and `\\r` are keys."""
        os.write(self._leader, text.encode())

    def send(self, number: int) -> None:
        """Sends a signal to the program."""
        self._process.send_signal(number)

    def resize(self, columns: int, rows: int) -> None:
        """Changes the size of the terminal; the program is told."""
        self._resize(self._leader, columns, rows)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Reads until something appears in the text."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.text)
            if found:
                return found
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.text!r}"
            assert self._read(), f"ended without {pattern!r}: {self.text!r}"

    def finish(self) -> int:
        """Reads until the program has ended; its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < deadline, f"still running: {self.text!r}"
        return self._process.wait(timeout=PATIENCE)

    def _read(self) -> bool:
        """Reads what has come; whether more may come."""
        if not select.select([self._leader], [], [], 1.0)[0]:
            return True
        try:
            data = os.read(self._leader, 1 << 16)
        except OSError:  # the last one has closed its end
            return False
        self.raw += self._decoder.decode(data)
        return bool(data)

    @staticmethod
    def _resize(descriptor: int, columns: int, rows: int) -> None:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
