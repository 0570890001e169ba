"""Watch mode: the schedule as a frame that stays up to date on a terminal (spec 03 §16)."""

import time
from collections.abc import Sequence
from typing import Final

from rich.live import Live
from rich.text import Text

from vizier_cli.cli.live import displayed, make_console
from vizier_cli.cli.output import printable
from vizier_cli.cli.schedule_view import Row, invocations, rows_of, summary_table
from vizier_core.jobs import JobsContext, latest_log_line, view_schedule
from vizier_core.timestamp import Timestamp
from vizier_kernel.scheduler import JobStatus

#: Bytes from the end of a log in which the newest line is looked for.
_LOG_BUDGET: Final = 16_384
#: Lines at the end of a frame that are about the running job.
_OUTPUT_LINES: Final = 3
_GROUPS: Final = ("queued", "waiting", "running", "blocked", "terminal")


def watch_schedule(
    context: JobsContext, *, show_all: bool, focus: str | None, depth: int, top: int, interval: int
) -> int:
    """Shows frames until it is interrupted; the terminal is as before afterwards.

    Args:
        context: the jobs.
        show_all: show jobs that are hidden otherwise, too.
        focus: the job to show with its neighbours, if any.
        depth: how far those may be.
        top: how many rows to show.
        interval: milliseconds between two frames.

    Returns:
        The exit code of an interrupted program.
    """
    console = make_console()

    def frame() -> Text:
        schedule = view_schedule(context, show_all=show_all, focus=focus, depth=depth)
        lines = _fitted(_frame(context, rows_of(schedule), focus, top, interval), console.height)
        return Text("\n".join(lines), no_wrap=True, overflow="crop")

    try:
        # The display draws only when told to: a process that may fork has no threads (ruling R82).
        live = Live(frame(), console=console, screen=True, auto_refresh=False)
        with displayed(live):
            live.refresh()
            while True:
                time.sleep(interval / 1000)
                live.update(frame(), refresh=True)
    except KeyboardInterrupt:
        return 130


def _frame(context: JobsContext, rows: Sequence[Row], focus: str | None, top: int, interval: int) -> list[str]:
    shown = rows[:top]
    counts = [_group(row.record.status) for row in rows]
    commands = invocations(shown)
    running = _selected(rows, focus, top)
    return [
        f"Schedule Watch | refreshed {Timestamp.now().local_form()} | interval={interval}ms | top={top}",
        "State: " + " ".join(f"{group}={counts.count(group)}" for group in _GROUPS),
        "",
        "Schedule (Summary)",
        *(summary_table(shown).split("\n") if shown else ["(no scheduled jobs)"]),
        "",
        *([*commands.split("\n"), ""] if commands else []),
        "Running Job Output",
        f"Running job: {running.record.id}" if running else "No running job",
        f"Latest line: {_latest(context, running)}",
    ]


def _fitted(lines: list[str], height: int) -> list[str]:
    """As many lines as the terminal is high: what is about the running job stays, rows go (WS-03-30)."""
    missing = len(lines) - height
    if missing <= 0:
        return lines
    kept = max(height - _OUTPUT_LINES - 1, 1)
    return [*lines[:kept], f"... {missing + 1} more lines", *lines[-_OUTPUT_LINES:]]


def _group(status: JobStatus) -> str:
    if status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        return status.value
    if status.is_active:
        return "waiting"
    return "blocked" if status.is_blocked else "terminal"


def _selected(rows: Sequence[Row], focus: str | None, top: int) -> Row | None:
    """The running job whose output is shown: the one asked for, else the first of the shown rows."""
    running = [row for row in rows if row.record.status is JobStatus.RUNNING]
    asked = (row for row in running if row.record.id == focus)
    return next(asked, None) or next((row for row in running if row.order <= top), None)


def _latest(context: JobsContext, running: Row | None) -> str:
    if running is None:
        return "(none)"
    line = latest_log_line(context.store, running.record.id, _LOG_BUDGET)
    return f"[{line.stream}] {printable(line.text)}" if line else "(no output yet)"
