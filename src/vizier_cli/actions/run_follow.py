"""Follows a run to its end (spec 08 §6.12).

The follower is a ticker like any other. It looks at the run's jobs at short intervals while something changes and at
longer ones while nothing does. It reports what its ticks have seen under the scheduler lock, so a run that is about to
be rewound by a route is not taken for finished (WS-08-07).
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from vizier_core.errors import LaunchError, SchedulerBusyError
from vizier_core.jobs import EnqueuedRun, JobsContext, scheduler_tick
from vizier_core.usage import Usage, total_usage
from vizier_kernel.scheduler import JobStatus

#: Shortest and longest pause between two looks, in seconds.
_PAUSES: Final = (0.03, 0.25)


class FollowResult(msgspec.Struct, frozen=True):
    """How a followed run ended; job ids sorted."""

    succeeded: list[str]
    failed: list[str]
    blocked: list[str]
    cancelled: list[str]
    #: What the agents of all jobs have cost; None if none of them has told.
    usage: Usage | None

    @property
    def terminal_state(self) -> str:
        """The run as a whole."""
        if self.failed or self.cancelled:
            return "failed"
        return "blocked" if self.blocked else "succeeded"

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return {"failed": 1, "blocked": 10, "succeeded": 0}[self.terminal_state]


def follow_run(
    context: JobsContext, run: EnqueuedRun, show: Callable[[Mapping[str, JobStatus]], None] | None = None
) -> FollowResult:
    """Ticks and watches until every job of the run has ended.

    Args:
        context: the jobs.
        run: the run.
        show: called after each look with the status of every job, by id, sorted.
    """
    pause = _PAUSES[0]
    previous: dict[str, JobStatus] = {}
    problems: set[str] = set()
    while True:
        try:
            scheduler_tick(context)
        except SchedulerBusyError:
            pass  # somebody else is at it; look again later (WS-01-02)
        except LaunchError as error:
            if str(error) not in problems:
                problems.add(str(error))
                context.warn(str(error))
        statuses = {job_id: _status(context, job_id, previous.get(job_id)) for job_id in sorted(run.job_ids)}
        if show is not None:
            show(statuses)
        if all(status.is_terminal for status in statuses.values()):
            return _result(statuses, total_usage(_usage(context, job_id) for job_id in statuses))
        pause = _PAUSES[0] if statuses != previous else min(pause * 1.5, _PAUSES[1])
        previous = statuses
        time.sleep(pause)


def _status(context: JobsContext, job_id: str, previous: JobStatus | None) -> JobStatus:
    """What a job's state is; one that is gone or unreadable will not end any more, so it has to be something final."""
    head = context.index.heads.get(job_id)
    if head is not None:
        return head.status
    if previous is not None and previous.is_terminal:
        return previous
    return JobStatus.FAILED if job_id in context.index.malformed else JobStatus.CANCELLED


def _usage(context: JobsContext, job_id: str) -> Usage | None:
    record = context.find(job_id)
    return record.meta.agent_usage if record else None


def _result(statuses: Mapping[str, JobStatus], usage: Usage | None) -> FollowResult:
    def ids(*wanted: JobStatus) -> list[str]:
        return [job_id for job_id, status in statuses.items() if status in wanted]

    return FollowResult(
        succeeded=ids(JobStatus.SUCCEEDED),
        failed=ids(JobStatus.FAILED),
        blocked=ids(JobStatus.BLOCKED_BY_DEPENDENCY, JobStatus.BLOCKED_BY_APPROVAL),
        cancelled=ids(JobStatus.CANCELLED),
        usage=usage,
    )
