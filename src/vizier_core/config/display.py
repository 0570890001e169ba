"""How lists are shown: `display.lists.*` of the configuration (spec 07 §2.5.1, 03 §10.1)."""

from enum import StrEnum

import msgspec


class ViewFormat(StrEnum):
    """How a view is laid out."""

    BLOCK = "block"
    TABLE = "table"
    JSON = "json"


class PlanListDisplay(msgspec.Struct, frozen=True, kw_only=True):
    """How `vizier list` shows pending plans; names of fields are as the operator wrote them."""

    format: ViewFormat = ViewFormat.BLOCK
    header_fields: tuple[str, ...] = ("Outcome", "Target")
    entry_fields: tuple[str, ...] = ("Plan", "Branch", "Summary")
    job_fields: tuple[str, ...] = ("Job", "Job status", "Job scope", "Job started")
    command_fields: tuple[str, ...] = ("Status", "Logs", "Attach")
    #: Characters that a summary may have; 0 for any number.
    summary_max_length: int = 120
    summary_single_line: bool = True
    #: What fields are called in text, by :func:`field_key`.
    labels: dict[str, str] = {}


class JobsDisplay(msgspec.Struct, frozen=True, kw_only=True):
    """How `vizier jobs list` shows jobs; names of fields are as the operator wrote them."""

    format: ViewFormat = ViewFormat.BLOCK
    show_succeeded: bool = False
    fields: tuple[str, ...] = (
        "Job",
        "Status",
        "Created",
        "Wait",
        "Waited on",
        "Dependencies",
        "Locks",
        "Pinned head",
        "Approval required",
        "Approval state",
        "Approval decided by",
        "Artifacts",
        "Failed",
        "Command",
    )
    #: What fields are called in text, by :func:`field_key`.
    labels: dict[str, str] = {}


class JobsShowDisplay(msgspec.Struct, frozen=True, kw_only=True):
    """How `vizier jobs show` shows a job; names of fields are as the operator wrote them."""

    format: ViewFormat = ViewFormat.BLOCK
    fields: tuple[str, ...] = (
        "Job",
        "Status",
        "PID",
        "Started",
        "Finished",
        "Exit code",
        "Stdout",
        "Stderr",
        "Session",
        "Outcome",
        "Scope",
        "Plan",
        "Target",
        "Branch",
        "Build pipeline",
        "Build target",
        "Build review mode",
        "Build skip checks",
        "Build keep branch",
        "Build dependencies",
        "Workflow template",
        "Workflow template version",
        "Workflow node",
        "Workflow policy snapshot",
        "Workflow gates",
        "Patch file",
        "Patch index",
        "Patch total",
        "Revision",
        "After",
        "Dependencies",
        "Locks",
        "Wait",
        "Waited on",
        "Approval required",
        "Approval state",
        "Approval requested at",
        "Approval requested by",
        "Approval decided at",
        "Approval decided by",
        "Approval reason",
        "Pinned head",
        "Artifacts",
        "Worktree",
        "Worktree name",
        "Agent backend",
        "Agent label",
        "Agent command",
        "Agent exit",
        "Agent tokens",
        "Agent cost",
        "Cancel cleanup",
        "Cancel cleanup error",
        "Config snapshot",
        "Command",
    )
    #: What fields are called in text, by :func:`field_key`.
    labels: dict[str, str] = {}


class DisplaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How each view is shown unless the command line says otherwise."""

    list: PlanListDisplay = PlanListDisplay()
    jobs: JobsDisplay = JobsDisplay()
    jobs_show: JobsShowDisplay = JobsShowDisplay()


def field_key(name: str) -> str:
    """A field name as it is compared: `Waited-on` and `waited on` are one (spec 03 §10.1)."""
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
