"""`vizier jobs tail` and `vizier jobs attach` (spec 03 §9)."""

import sys
import time
from typing import Final

from vizier_cli.cli.app import App
from vizier_core.errors import LaunchError, SchedulerBusyError
from vizier_core.jobs import LogFollower, LogLine, read_log, reconcile_job, scheduler_tick
from vizier_core.jobs.store import STREAMS
from vizier_kernel.scheduler import JobStatus

#: Pauses in seconds: after news, then after the first, second, third and every further look without any.
_AFTER_NEWS: Final = 0.015
_IDLE: Final = (0.04, 0.08, 0.16, 0.24)
#: A job that does not run may wait for a tick that nobody makes; this many idle looks apart, the follower makes one.
_TICK_AFTER: Final = 4


def run(app: App) -> int:
    """Prints logs from their beginning; with `--follow` until the job has ended."""
    job_id = app.arguments.positional("JOB") or ""
    attach = app.arguments.command.name == "attach"
    stream = "both" if attach else app.arguments.value("stream") or "both"
    streams = STREAMS if stream == "both" else (stream,)
    if attach or app.arguments.has("follow"):
        return _follow(app, job_id, streams)
    if not app.jobs.store.exists(job_id):
        app.warn(f"no background job {job_id}")
        return 0
    if stream == "both":
        follower = LogFollower(app.jobs.store, job_id)
        for line in (*follower.news(), *follower.rest()):
            _print(line, labelled=True)
    else:
        for text in read_log(app.jobs.store, job_id, stream):
            sys.stdout.write(text)
    return 0


def _follow(app: App, job_id: str, streams: tuple[str, ...]) -> int:
    """Prints what is logged until the job has ended and nothing more comes; 0 whatever became of it."""
    labelled = len(streams) > 1
    follower = LogFollower(app.jobs.store, job_id, streams)
    app.jobs.store.read(job_id)
    idle = 0
    ended = False
    while True:
        advanced = False
        for line in follower.news():
            advanced = True
            _print(line, labelled=labelled)
        sys.stdout.flush()
        if ended and not advanced:
            break
        # What was written before the job ended is read in one more round (ruling R6).
        ended = not _is_active(app, job_id, idle)
        idle = 0 if advanced else idle + 1
        if not ended:
            time.sleep(_AFTER_NEWS if advanced else _IDLE[min(idle, len(_IDLE)) - 1])
    for line in follower.rest():
        _print(line, labelled=labelled)
    return 0


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


def _print(line: LogLine, *, labelled: bool) -> None:
    print(f"[{line.stream}] {line.text}" if labelled else line.text)
