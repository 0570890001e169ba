"""Shows a followed run on a terminal: a table of its nodes that stays up to date."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from vizier_cli.cli.live import displayed, make_console
from vizier_cli.cli.output import display_width, printable
from vizier_core.jobs import EnqueuedRun, JobRecord, JobsContext, job_report, latest_log_line
from vizier_core.timestamp import Timestamp
from vizier_kernel.scheduler import JobStatus

#: Bytes from the end of a log in which the newest line is looked for.
_LOG_BUDGET: Final = 2048
#: What the worker itself notes in a log; not what somebody wants to see of a node.
_OWN_NOTES: Final = "[workflow-node] "
#: How the line begins that built-in nodes print for programs.
_RESULT: Final = '{"exit_code":'
#: Part of the terminal's width that the names of nodes may take.
_NODE_SHARE: Final = 3
#: Lines that are no rows: the title, the headings, the count of what is not shown, and where the cursor ends.
_OTHER_LINES: Final = 4
_COLOURS: Final = {
    JobStatus.RUNNING: "cyan",
    JobStatus.SUCCEEDED: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELLED: "red",
    JobStatus.BLOCKED_BY_DEPENDENCY: "magenta",
    JobStatus.BLOCKED_BY_APPROVAL: "magenta",
    JobStatus.WAITING_ON_APPROVAL: "yellow",
}


class _Row(msgspec.Struct):
    """What the table says about a job."""

    node: str
    status: JobStatus
    started: Timestamp | None = None
    finished: Timestamp | None = None
    attempt: int = 1
    #: Why it waits, while it does.
    reason: str = ""
    last_line: str = ""

    @property
    def state(self) -> str:
        """The status, and which attempt it is if there were others."""
        return self.status.value if self.attempt < 2 else f"{self.status} (attempt {self.attempt})"

    @property
    def time(self) -> str:
        """How long it runs or has run."""
        if self.started is None or (self.status.is_active and self.status is not JobStatus.RUNNING):
            return ""
        return elapsed((self.finished or Timestamp.now()) - self.started)

    @property
    def remark(self) -> str:
        """Its newest output; but rather what it waits for, or why it has failed."""
        return self.reason or self.last_line

    @property
    def urgency(self) -> int:
        """Smaller is shown rather, where there is no room for all."""
        if self.status is JobStatus.RUNNING:
            return 0
        if self.status.is_terminal:
            return 3 if self.status is JobStatus.SUCCEEDED else 1
        return 2


class RunTable:
    """The table of one run.

    Args:
        context: the jobs.
        run: the run.
        console: the terminal.
        live: what draws.
    """

    def __init__(self, context: JobsContext, run: EnqueuedRun, console: Console, live: Live) -> None:
        self._context = context
        self._run = run
        self._console = console
        self._live = live
        self._rows = {job_id: _Row(self._short(job_id), JobStatus.QUEUED) for job_id in run.job_ids}
        #: What the table depends on of each job's record, at the last look.
        self._seen: dict[str, tuple[JobStatus, int | None, str | None]] = {}
        self._drawn: Text | None = None

    def show(self, statuses: Mapping[str, JobStatus]) -> None:
        """Draws the present state."""
        for job_id, status in statuses.items():
            # A job that was retried between two looks may have the same status again.
            head = self._context.index.heads.get(job_id)
            state = (status, head.finished_at, head.waits_for) if head else (status, None, None)
            changed = self._seen.get(job_id) != state
            if changed:
                self._seen[job_id] = state
                self._look_at(job_id, status)
            if changed or status is JobStatus.RUNNING:
                self._rows[job_id].last_line = self._last_line(job_id)
        picture = self._picture()
        if picture != self._drawn:
            self._drawn = picture
            self._live.update(picture, refresh=True)

    def _last_line(self, job_id: str) -> str:
        """The newest line of a job, or the sentence in it if it is a result for programs."""
        line = latest_log_line(self._context.store, job_id, _LOG_BUDGET, ignoring=_OWN_NOTES)
        text = line.text if line else ""
        if text.startswith(_RESULT):
            record = self._context.find(job_id)
            text = job_report(self._context, record) if record else ""
        return printable(text)

    def _look_at(self, job_id: str, status: JobStatus) -> None:
        row = self._rows[job_id]
        row.status, row.reason = status, ""
        record = self._context.find(job_id)
        if record is None:  # cleaned up by somebody else; what was known of it has to do
            return
        row.node = printable(record.meta.workflow_node_id or job_id)
        row.started, row.finished = record.started_at, record.finished_at
        row.attempt = record.meta.workflow_node_attempt or 1
        row.reason = self._short(printable(self._reason(record)))

    def _reason(self, record: JobRecord) -> str:
        """Why a job does not run, or why it has failed."""
        if record.status is JobStatus.FAILED:
            return job_report(self._context, record)
        waiting = record.scheduling.wait_reason
        idle = record.status not in {JobStatus.RUNNING, JobStatus.SUCCEEDED}
        return (waiting.detail or "") if waiting is not None and idle else ""

    def _short(self, text: str) -> str:
        """A text without what all job ids of the run begin with."""
        return text.replace(f"wf-{self._run.run_id}-", "")

    def _picture(self) -> Text:
        rows = list(self._rows.values())
        shown = _most_urgent(rows, max(self._console.size.height - _OTHER_LINES, 1))
        cells = [("Node", "State", "Time"), *((row.node, row.state, row.time) for row in shown)]
        widths = [max(map(display_width, column)) for column in zip(*cells, strict=True)]
        widths[0] = min(widths[0], max(self._console.size.width // _NODE_SHARE, len("Node")))
        picture = Text(f"Run {self._run.run_id}\n", no_wrap=True, overflow="ellipsis")
        for row, texts in zip((None, *shown), cells, strict=True):
            styles = ["", _COLOURS.get(row.status, "") if row else "", ""]
            for text, width, style in zip(texts, widths, styles, strict=True):
                cell = Text(text, style=self._style(style) if row else self._style("bold"))
                cell.truncate(width, overflow="ellipsis", pad=True)
                picture.append_text(cell).append("  ")
            picture.append(row.remark if row else "Last line", self._style("" if row else "bold")).append("\n")
        drawn = set(map(id, shown))
        left = Counter(row.status for row in rows if id(row) not in drawn)
        if left:
            counts = ", ".join(f"{count} {status}" for status, count in sorted(left.items()))
            picture.append(f"and {left.total()} more: {counts}\n")
        picture.right_crop(1)
        return picture

    def _style(self, style: str) -> str:
        return "" if self._console.no_color else style


@contextmanager
def run_table(context: JobsContext, run: EnqueuedRun) -> Iterator[RunTable]:
    """A table that stays on the terminal, in its last state, when the block ends."""
    console = make_console()
    # The display draws only when told to: a process that may fork has no threads (ruling R82).
    live = Live(console=console, auto_refresh=False, redirect_stderr=sys.stderr.isatty())
    with displayed(live):
        yield RunTable(context, run, console, live)


def elapsed(nanoseconds: int) -> str:
    """A duration as people say it: ``7s``, ``3m 07s``, ``2h 05m``."""
    seconds = max(nanoseconds, 0) // 1_000_000_000
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    return f"{seconds // 3600}h {seconds // 60 % 60:02d}m"


def _most_urgent(rows: Sequence[_Row], limit: int) -> list[_Row]:
    """The rows that there is room for, in their order."""
    if len(rows) <= limit:
        return list(rows)
    chosen = sorted(range(len(rows)), key=lambda number: (rows[number].urgency, number))[:limit]
    return [rows[number] for number in sorted(chosen)]
