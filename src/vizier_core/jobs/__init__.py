"""Jobs: records, scheduling, workers and what operators do to them.

This is the facade the command line uses::

    context = open_project(root, settings, warn)
    for run in enqueue_workflow_runs(context, [RunRequest(...)]): ...
    approve_job(context, job_id)

Names are loaded when they are first used: a command that shows one record does not import the scheduler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from vizier_core.jobs.clean import CleanRefusedError, CleanResult, CleanScope, clean_job, preview_clean
    from vizier_core.jobs.collect import gc_jobs
    from vizier_core.jobs.context import JobsContext
    from vizier_core.jobs.ephemeral import Cleanup
    from vizier_core.jobs.followers import following
    from vizier_core.jobs.graph import Edge, ScheduleGraph
    from vizier_core.jobs.liveness import is_dead
    from vizier_core.jobs.logs import LogFollower, LogLine, latest_log_line
    from vizier_core.jobs.manifest import EphemeralBaseline
    from vizier_core.jobs.model import JobMetadata, JobRecord, JobSchedule
    from vizier_core.jobs.opening import open_project
    from vizier_core.jobs.ops import approve_job, cancel_job, reject_job, retry_job
    from vizier_core.jobs.plan_jobs import PlanJobs
    from vizier_core.jobs.reconcile import reconcile_job
    from vizier_core.jobs.report import job_report
    from vizier_core.jobs.scheduler import TickOutcome, finish_following, scheduler_tick
    from vizier_core.jobs.scratch import take_baseline
    from vizier_core.jobs.settings import JobSettings
    from vizier_core.jobs.views import JobListing, Schedule, list_jobs, view_schedule
    from vizier_core.jobs.workflow_enqueue import EnqueuedRun, RunRequest, enqueue_workflow_runs
    from vizier_core.jobs.workflow_runtime import run_workflow_node_command

__all__ = [
    "CleanRefusedError",
    "CleanResult",
    "CleanScope",
    "Cleanup",
    "Edge",
    "EnqueuedRun",
    "EphemeralBaseline",
    "JobListing",
    "JobMetadata",
    "JobRecord",
    "JobSchedule",
    "JobSettings",
    "JobsContext",
    "LogFollower",
    "LogLine",
    "PlanJobs",
    "RunRequest",
    "Schedule",
    "ScheduleGraph",
    "TickOutcome",
    "approve_job",
    "cancel_job",
    "clean_job",
    "enqueue_workflow_runs",
    "finish_following",
    "following",
    "gc_jobs",
    "is_dead",
    "job_report",
    "latest_log_line",
    "list_jobs",
    "open_project",
    "preview_clean",
    "reconcile_job",
    "reject_job",
    "retry_job",
    "run_workflow_node_command",
    "scheduler_tick",
    "take_baseline",
    "view_schedule",
]

_HOME: Final = {
    "clean": ("CleanRefusedError", "CleanResult", "CleanScope", "clean_job", "preview_clean"),
    "collect": ("gc_jobs",),
    "context": ("JobsContext",),
    "ephemeral": ("Cleanup",),
    "followers": ("following",),
    "graph": ("Edge", "ScheduleGraph"),
    "liveness": ("is_dead",),
    "logs": ("LogFollower", "LogLine", "latest_log_line"),
    "manifest": ("EphemeralBaseline",),
    "model": ("JobMetadata", "JobRecord", "JobSchedule"),
    "plan_jobs": ("PlanJobs",),
    "opening": ("open_project",),
    "ops": ("approve_job", "cancel_job", "reject_job", "retry_job"),
    "scheduler": ("TickOutcome", "finish_following", "scheduler_tick"),
    "scratch": ("take_baseline",),
    "settings": ("JobSettings",),
    "report": ("job_report",),
    "reconcile": ("reconcile_job",),
    "views": ("JobListing", "Schedule", "list_jobs", "view_schedule"),
    "workflow_enqueue": ("EnqueuedRun", "RunRequest", "enqueue_workflow_runs"),
    "workflow_runtime": ("run_workflow_node_command",),
}
_MODULE_OF: Final = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
