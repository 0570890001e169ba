"""What becomes of an agent when only its runner is asked to end (WS-06-27)."""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType


class Terminated(BaseException):
    """This process was asked to end."""


@contextlib.contextmanager
def ending_tidily() -> Iterator[None]:
    """While the block runs, SIGTERM raises `Terminated` in it, so that it can clean up; then the process dies of it.

    Only the main thread can do this.
    """

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: the clean-up shall not be interrupted
        raise Terminated

    previous = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    except Terminated:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)
