"""Moves bytes between this process and the programs it has started, without ever waiting for one of them alone.

No threads: one `poll` over all pipes at once (ruling R82).
"""

import os
import select
from collections import deque
from collections.abc import Callable, Iterable
from typing import IO, Final

_CHUNK: Final = 1 << 16


class Inlet:
    """Bytes on their way into a program; what it does not take any more is dropped."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._pending: deque[memoryview] = deque()
        self._finishing = False
        #: Bytes that the program has not taken yet.
        self.backlog = 0
        os.set_blocking(pipe.fileno(), False)

    @property
    def busy(self) -> bool:
        """Whether there is something to write."""
        return bool(self._pending)

    def fileno(self) -> int:
        """The descriptor to be polled."""
        return self._pipe.fileno()

    def write(self, data: bytes) -> None:
        """Hands over what the program shall read next."""
        if data and not self._pipe.closed:
            self._pending.append(memoryview(data))
            self.backlog += len(data)

    def finish(self) -> None:
        """Closes the pipe when everything is written."""
        self._finishing = True
        if not self._pending:
            self.abandon()

    def flush(self) -> None:
        """Writes as much as the program takes at the moment."""
        try:
            while self._pending:
                written = os.write(self._pipe.fileno(), self._pending[0])
                self.backlog -= written
                if written == len(self._pending[0]):
                    self._pending.popleft()
                else:
                    self._pending[0] = self._pending[0][written:]
        except BlockingIOError:
            return
        except OSError:  # nobody reads it any more
            self.abandon()
        if self._finishing:
            self.abandon()

    def abandon(self) -> None:
        """Closes the pipe and drops what is not written."""
        self._pending.clear()
        self.backlog = 0
        self._pipe.close()


class Outlet:
    """Bytes that come out of a program.

    Args:
        pipe: the reading end.
        sink: receives them.
    """

    def __init__(self, pipe: IO[bytes], sink: Callable[[bytes], None]) -> None:
        self._pipe = pipe
        self._sink = sink
        os.set_blocking(pipe.fileno(), False)

    @property
    def open(self) -> bool:
        """Whether somebody may still write something."""
        return not self._pipe.closed

    def fileno(self) -> int:
        """The descriptor to be polled."""
        return self._pipe.fileno()

    def read(self) -> None:
        """Takes what is there, but not more than one portion."""
        try:
            data = os.read(self._pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return
        if data:
            self._sink(data)
        else:
            self.close()

    def close(self) -> None:
        """Gives up listening."""
        self._pipe.close()


def exchange(inlets: Iterable[Inlet], outlets: Iterable[Outlet], seconds: float) -> bool:
    """Waits until a pipe can be written or read, and does so; whether there was one.

    Args:
        inlets: those with nothing to write are left out.
        outlets: those that are closed are left out.
        seconds: how long to wait at most.
    """
    poll = select.poll()
    actions: dict[int, Callable[[], None]] = {}
    for inlet in inlets:
        if inlet.busy:
            poll.register(inlet, select.POLLOUT)
            actions[inlet.fileno()] = inlet.flush
    for outlet in outlets:
        if outlet.open:
            poll.register(outlet, select.POLLIN)
            actions[outlet.fileno()] = outlet.read
    ready = poll.poll(seconds * 1000)
    for descriptor, _ in ready:
        actions[descriptor]()
    return bool(ready)
