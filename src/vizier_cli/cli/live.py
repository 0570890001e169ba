"""Displays that stay up to date on a terminal: whether they may be used, and that they leave it as it was."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from vizier_cli.cli.app import App

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def can_refresh(app: App) -> bool:
    """Whether stdout is a terminal on which lines can be written anew."""
    return sys.stdout.isatty() and not app.arguments.has("no-ansi") and os.environ.get("TERM", "dumb") != "dumb"


def make_console() -> "Console":
    """The terminal on stdout.

    One that calls itself dumb was asked for a display all the same. Lines are not coloured by what they look like.
    """
    from rich.console import Console  # noqa: PLC0415 - dear to import

    environment = {**os.environ, "TERM": "xterm"} if os.environ.get("TERM", "dumb") == "dumb" else dict(os.environ)
    return Console(highlight=False, markup=False, emoji=False, _environ=environment)


@contextmanager
def signals_end_in_order() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end the block by an exception, so that the terminal is put right before the program ends.

    Workers that are forked inside get the default handlers back (ruling R81).
    """

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    former = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def displayed(live: "Live") -> Iterator[None]:
    """Takes the terminal for a display and gives it back as it was, whatever ends the block.

    `with live` would not do so for an interrupt that comes while it is still being entered.
    """
    with signals_end_in_order():
        former = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, *_ENDING))
        try:
            try:
                live.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, former)
            yield
        finally:
            live.stop()
