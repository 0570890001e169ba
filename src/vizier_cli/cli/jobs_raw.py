"""The typed JSON envelopes of `--raw`: whatever the display configuration says, in contract order (spec 03 §17)."""

from typing import Any

from vizier_core.jobs import JobMetadata, JobRecord, JobSchedule
from vizier_core.jobs.codec import to_plain
from vizier_core.timestamp import Timestamp

_CONTEXT = ("command_alias", "plan", "target", "branch", "execution_root")
_WORKFLOW = {
    "run_id": "workflow_run_id",
    "node_id": "workflow_node_id",
    "node_name": "workflow_node_name",
    "executor_class": "workflow_executor_class",
    "executor_operation": "workflow_executor_operation",
    "control_policy": "workflow_control_policy",
    "template_selector": "workflow_template_selector",
    "template_id": "workflow_template_id",
    "template_version": "workflow_template_version",
}
#: Left out while they are null.
_WORKFLOW_EPHEMERAL = {
    "ephemeral_run": "ephemeral_run",
    "cleanup_state": "ephemeral_cleanup_state",
    "cleanup_detail": "ephemeral_cleanup_detail",
}
_SCHEDULE = ("after", "dependencies", "artifacts", "locks", "approval", "pinned_head")


def envelope(**content: Any) -> dict[str, Any]:
    """An envelope with its version and the time of its making in front."""
    return {"version": 1, "generated_at": Timestamp.now().offset_form(), **content}


def record_document(record: JobRecord) -> dict[str, Any]:
    """One job."""
    return {
        "job_id": record.id,
        "status": record.status.value,
        "command": list(record.command),
        "created_at": record.created_at.offset_form(),
        "started_at": _moment(record.started_at),
        "finished_at": _moment(record.finished_at),
        "pid": record.pid,
        "exit_code": record.exit_code,
        "stdout_path": record.stdout_path,
        "stderr_path": record.stderr_path,
        "session_path": record.session_path,
        "outcome_path": record.outcome_path,
        "wait": wait_document(record),
        "waited_on": [kind.value for kind in record.scheduling.waited_on],
        "schedule": None if record.schedule is None else _schedule(record.schedule),
        "workflow": _workflow(record.meta),
        "context": {name: getattr(record.meta, name) for name in _CONTEXT},
    }


def wait_document(record: JobRecord) -> dict[str, str] | None:
    """Why a job waits; a blank detail is replaced by the kind."""
    reason = record.scheduling.wait_reason
    if reason is None:
        return None
    return {"kind": reason.kind.value, "detail": (reason.detail or "").strip() or reason.kind.value}


def _schedule(schedule: JobSchedule) -> dict[str, Any]:
    return {name: to_plain(getattr(schedule, name)) for name in _SCHEDULE}


def _workflow(meta: JobMetadata) -> dict[str, Any]:
    document = {key: getattr(meta, name) for key, name in _WORKFLOW.items()}
    ephemeral = {key: to_plain(getattr(meta, name)) for key, name in _WORKFLOW_EPHEMERAL.items()}
    return {**document, **{key: value for key, value in ephemeral.items() if value is not None}}


def _moment(value: Timestamp | None) -> str | None:
    return None if value is None else value.offset_form()
