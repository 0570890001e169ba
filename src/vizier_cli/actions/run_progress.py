"""Prints what happens in a followed run, line by line (spec 08 §6.12)."""

import sys
from collections.abc import Mapping
from typing import Final

from vizier_core.jobs import JobsContext, LogLine, latest_log_line
from vizier_kernel.scheduler import JobStatus

#: Bytes from the end of a log in which the newest line is looked for.
_LOG_BUDGET: Final = 2048


class ChangePrinter:
    """Prints what is new since the last look.

    Args:
        context: the jobs.
        run_id: the run that is followed.
    """

    def __init__(self, context: JobsContext, run_id: str) -> None:
        self._context = context
        self._run_id = run_id
        self._statuses: dict[str, JobStatus] = {}
        self._lines: dict[str, LogLine] = {}

    def show(self, statuses: Mapping[str, JobStatus]) -> None:
        """Prints the changes of statuses, and the newest log line of each job that is at work, on stdout."""
        for job_id, status in statuses.items():
            changed = self._statuses.get(job_id) is not status
            if changed:
                self._statuses[job_id] = status
                print(f"[run:{self._run_id}] {job_id} => {status}")
            if changed or status is JobStatus.RUNNING:
                self._show_line(job_id)
        sys.stdout.flush()

    def _show_line(self, job_id: str) -> None:
        line = latest_log_line(self._context.store, job_id, _LOG_BUDGET)
        if line is not None and self._lines.get(job_id) != line:
            self._lines[job_id] = line
            print(f"[{job_id}/{line.stream}] {line.text}")
