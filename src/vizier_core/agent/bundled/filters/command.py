"""The filter as a program: which vendor's, its streams, its exit status."""

import os
import sys

from .claude import ClaudeFilter
from .codex import CodexFilter
from .gemini import GeminiFilter
from .stream import Progress, run

_FILTERS = {"claude": ClaudeFilter, "codex": CodexFilter, "gemini": GeminiFilter}


def main(label: str) -> None:
    """Filters stdin as the event stream of a vendor, then exits: 0, or 1 if the vendor reported a failure."""
    terminal = sys.stderr.isatty()
    coloured = terminal and not os.environ.get("NO_COLOR") and not os.environ.get("VIZIER_NO_ANSI")
    progress = Progress(sys.stderr.buffer, coloured=coloured, reports=not terminal)
    try:
        code = run(_FILTERS[label](progress), sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # nobody listens any more
        code = 1
    # Without the interpreter's own flush, which would complain about a closed pipe once more.
    os._exit(code)
