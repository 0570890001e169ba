"""`vizier jobs tail` and `vizier jobs attach` (spec 03 §9)."""

import sys
import time
from typing import Final

from vizier_cli.cli.app import App
from vizier_core.errors import LaunchError, SchedulerBusyError
from vizier_core.jobs import LogFollower, reconcile_job, scheduler_tick
from vizier_core.jobs.store import STREAMS, checked_job_id
from vizier_kernel.scheduler import JobStatus

#: Pauses in seconds: after news, then after the first, second, third and every further look without any.
_AFTER_NEWS: Final = 0.015
_IDLE: Final = (0.04, 0.08, 0.16, 0.24)
#: A job that does not run may wait for a tick that nobody makes; this many idle looks apart, the follower makes one.
_TICK_AFTER: Final = 4


def run(app: App) -> int:
    """Prints logs from their beginning; with `--follow` until the job has ended."""
    job_id = checked_job_id(app.arguments.positional("JOB") or "")
    attach = app.arguments.command.name == "attach"
    stream = "both" if attach else app.arguments.value("stream") or "both"
    if attach or app.arguments.has("follow"):
        app.jobs.store.ensure_jobs_root()
        return _follow(app, job_id, _Printer(app, job_id, stream))
    if not app.jobs.store.exists(job_id):
        app.warn(f"no background job {job_id}")
        return 0
    printer = _Printer(app, job_id, stream)
    printer.print_news()
    printer.print_rest()
    return 0


class _Printer:
    """Prints one log as it is, or both with a label in front of each line."""

    def __init__(self, app: App, job_id: str, stream: str) -> None:
        self._labelled = stream == "both"
        self._follower = LogFollower(app.jobs.store, job_id, STREAMS if self._labelled else (stream,))

    def print_news(self) -> bool:
        """Prints what was appended; whether there was anything."""
        texts = self._follower.labelled() if self._labelled else self._follower.text()
        advanced = False
        for text in texts:
            advanced = True
            sys.stdout.write(text)
        sys.stdout.flush()
        return advanced

    def print_rest(self) -> None:
        """Prints a last line without an end."""
        sys.stdout.writelines(self._follower.labelled_rest() if self._labelled else self._follower.text_rest())


def _follow(app: App, job_id: str, printer: _Printer) -> int:
    """Prints what is logged until the job has ended and nothing more comes; 0 whatever became of it."""
    app.jobs.store.read(job_id)
    try:
        _print_until_ended(app, job_id, printer)
    finally:
        # Also when the job is removed meanwhile: what was logged last may be the reason (ruling R6).
        printer.print_rest()
    return 0


def _print_until_ended(app: App, job_id: str, printer: _Printer) -> None:
    idle = 0
    ended = False
    while True:
        advanced = printer.print_news()
        if ended and not advanced:
            return
        # What was written before the job ended is read in one more round (ruling R6).
        ended = not _is_active(app, job_id, idle)
        idle = 0 if advanced else idle + 1
        if not ended:
            time.sleep(_AFTER_NEWS if advanced else _IDLE[min(idle, len(_IDLE)) - 1])


def _is_active(app: App, job_id: str, idle: int) -> bool:
    """Whether the job has not ended; ends it if its worker is dead, and ticks now and then while it waits (R17)."""
    try:
        if reconcile_job(app.jobs, job_id):
            return app.jobs.store.read(job_id).status.is_active
        record = app.jobs.store.read(job_id)
        waits = record.status.is_active and record.status is not JobStatus.RUNNING
        if waits and idle % _TICK_AFTER == _TICK_AFTER - 1:
            scheduler_tick(app.jobs)
    except (SchedulerBusyError, LaunchError):
        return True  # look again in the next round
    return record.status.is_active
