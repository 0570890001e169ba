"""Shows help: through a pager on a terminal, else as it is (spec 08 §5.3)."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from vizier_cli.cli.early import EarlyFlags

#: What a shell answers when a program is missing or cannot be run: nothing was shown then (WS-07-21, WS-08-12).
_NOT_RUN: Final = (126, 127)


def show_help(text: str, flags: EarlyFlags) -> None:
    """Prints a help text, on a terminal through the first pager that works."""
    if flags.pages and sys.stdout.isatty() and _paged(text):
        return
    sys.stdout.write(text)


def _paged(text: str) -> bool:
    wanted = os.environ.get("VIZIER_PAGER", "")
    pagers = [["sh", "-c", wanted]] if wanted.strip() else []
    return any(_through(pager, text) for pager in (*pagers, ["less", "-FRSX"]))


def _through(pager: Sequence[str], text: str) -> bool:
    """Whether the pager has run; how it ended is its own business."""
    import subprocess  # noqa: PLC0415 - only on a terminal

    # Ctrl-C is the pager's while it runs. A handler, as the pager would inherit that the signal is ignored.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        done = subprocess.run(pager, input=os.fsencode(text), check=False)
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return done.returncode not in _NOT_RUN
