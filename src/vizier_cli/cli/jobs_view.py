"""The fields that views of jobs show (spec 03 §10)."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from vizier_cli.cli.fields import choose_fields
from vizier_cli.cli.output import printable, printable_lines
from vizier_core.config import JobsDisplay, JobsShowDisplay, ViewFormat, field_key
from vizier_core.jobs import JobMetadata, JobRecord, JobSchedule
from vizier_core.timestamp import Timestamp
from vizier_kernel.scheduler import JobStatus, WaitKind


class Field(NamedTuple):
    """One field of a view."""

    label: str
    #: The value as text; None where the job has none.
    value: Callable[[JobRecord], str | None]

    @property
    def key(self) -> str:
        """The name in JSON, which no configuration changes."""
        return self.label.lower().replace(" ", "_")


class View(NamedTuple):
    """How a view is shown, by the configuration and the command line."""

    format: ViewFormat
    #: Fields and what they are called in text, in order.
    fields: tuple[tuple[Field, str], ...]
    labels: Mapping[str, str]

    def text_rows(self, record: JobRecord) -> list[tuple[str, str]]:
        """Label and value of each field that the job has a value for; only in a block has a value several lines."""
        clean = printable if self.format is ViewFormat.TABLE else printable_lines
        found = ((label, field.value(record)) for field, label in self.fields)
        return [(label, clean(value)) for label, value in found if value is not None]

    def show_lines(self, record: JobRecord) -> list[str]:
        """The fields that the job has a value for, one below the other and not aligned."""
        return [
            f"{label} {printable_lines(value)}" if field.key == "job" else f"{label}: {printable_lines(value)}"
            for field, label in self.fields
            if (value := field.value(record)) is not None
        ]

    def cells(self, record: JobRecord) -> list[str]:
        """The value of each field, empty where the job has none."""
        return [printable(field.value(record) or "") for field, _ in self.fields]

    def document(self, record: JobRecord) -> dict[str, Any]:
        """The fields by key; every value is a text, but a snapshot of the configuration stays what it is."""
        found = ((field, field.value(record)) for field, _ in self.fields)
        return {
            field.key: record.config_snapshot if field.key == "config_snapshot" else value
            for field, value in found
            if value is not None
        }

    def label(self, name: str) -> str:
        """What a header row is called in text."""
        return self.labels.get(field_key(name), name)


def make_view(
    settings: JobsDisplay | JobsShowDisplay,
    catalogue: Sequence[Field],
    form: str | None,
    warn: Callable[[str], None],
    key: str,
) -> View:
    """A view with the configured fields; names that the catalogue does not know are warned about and left out.

    Args:
        settings: the configuration of the view.
        catalogue: the fields there are.
        form: the format that was asked for, if any.
        warn: receives a line for each unknown field.
        key: the key of the list of fields in the configuration.
    """
    fields = choose_fields(settings.fields, catalogue, settings.labels, warn, key)
    return View(ViewFormat(form or settings.format), fields, settings.labels)


def _moment(value: Timestamp | None) -> str | None:
    return None if value is None else value.offset_form()


def _text(value: object) -> str | None:
    """Numbers and booleans as JSON spells them; enumerations by their labels."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(items: Iterable[str]) -> str:
    return ", ".join(items) or "none"


def _kind(kind: WaitKind) -> str:
    """Wait kinds lose their underscore in these views (spec 03 §10.2)."""
    return kind.value.replace("_", "")


def wait_text(record: JobRecord) -> str | None:
    """Why the job waits, or why it ended without running."""
    reason = record.scheduling.wait_reason
    if reason is None:
        return None
    return f"{_kind(reason.kind)}: {'waiting' if reason.detail is None else reason.detail}".lower()


def locks_text(record: JobRecord) -> str:
    """The locks of a job."""
    return _joined(f"{lock.key}:{lock.mode}".lower() for lock in record.scheduling.locks)


def _failed(record: JobRecord) -> str | None:
    if record.status is not JobStatus.FAILED:
        return None
    return _moment(record.finished_at) or "unknown"


def _pinned(record: JobRecord) -> str | None:
    pinned = record.scheduling.pinned_head
    return None if pinned is None else f"{pinned.branch}@{pinned.oid}"


def _scheduled(value: Callable[[JobSchedule], str]) -> Callable[[JobRecord], str | None]:
    return lambda record: None if record.schedule is None else value(record.schedule)


def _meta(value: Callable[[JobMetadata], object]) -> Callable[[JobRecord], str | None]:
    return lambda record: None if record.metadata is None else _text(value(record.metadata))


def _meta_list(
    value: Callable[[JobMetadata], Sequence[str] | None], separator: str
) -> Callable[[JobRecord], str | None]:
    def text(record: JobRecord) -> str | None:
        items = None if record.metadata is None else value(record.metadata)
        return None if items is None else separator.join(items) or "none"

    return text


def _approval(name: str) -> Callable[[JobRecord], str | None]:
    def text(record: JobRecord) -> str | None:
        value = getattr(record.scheduling.approval, name, None)
        return _moment(value) if isinstance(value, Timestamp) else _text(value)

    return text


_JOB: Final = Field("Job", lambda record: record.id)
_STATUS: Final = Field("Status", lambda record: record.status.value)
_AFTER: Final = Field("After", _scheduled(lambda s: _joined(f"{a.job_id} ({a.policy})" for a in s.after)))
_DEPENDENCIES: Final = Field("Dependencies", _scheduled(lambda s: _joined(d.artifact.label for d in s.dependencies)))
_LOCKS: Final = Field("Locks", lambda record: None if record.schedule is None else locks_text(record))
_WAIT: Final = Field("Wait", wait_text)
_WAITED_ON: Final = Field("Waited on", _scheduled(lambda s: _joined(map(_kind, s.waited_on))))
_PINNED_HEAD: Final = Field("Pinned head", _pinned)
_APPROVAL_REQUIRED: Final = Field("Approval required", _approval("required"))
_APPROVAL_STATE: Final = Field("Approval state", _approval("state"))
_APPROVAL_DECIDED_BY: Final = Field("Approval decided by", _approval("decided_by"))
_ARTIFACTS: Final = Field("Artifacts", _scheduled(lambda s: _joined(a.label for a in s.artifacts)))

#: The fields of `jobs list` (spec 03 §10.3); the configuration says which are shown.
JOB_LIST_FIELDS: Final = (
    _AFTER,
    _JOB,
    _STATUS,
    Field("Created", lambda record: _moment(record.created_at)),
    _WAIT,
    _WAITED_ON,
    _DEPENDENCIES,
    _LOCKS,
    _PINNED_HEAD,
    _APPROVAL_REQUIRED,
    _APPROVAL_STATE,
    _APPROVAL_DECIDED_BY,
    _ARTIFACTS,
    Field("Failed", _failed),
    Field("Command", lambda record: " ".join(record.command) or "<command unavailable>"),
)

#: The fields of `jobs show` (spec 03 §10.4).
JOB_SHOW_FIELDS: Final = (
    _JOB,
    _STATUS,
    Field("PID", lambda record: _text(record.pid)),
    Field("Started", lambda record: _moment(record.started_at)),
    Field("Finished", lambda record: _moment(record.finished_at)),
    Field("Exit code", lambda record: _text(record.exit_code)),
    Field("Stdout", lambda record: record.stdout_path),
    Field("Stderr", lambda record: record.stderr_path),
    Field("Session", lambda record: record.session_path),
    Field("Outcome", lambda record: record.outcome_path),
    Field("Scope", _meta(lambda m: m.command_alias)),
    Field("Plan", _meta(lambda m: m.plan)),
    Field("Target", _meta(lambda m: m.target)),
    Field("Branch", _meta(lambda m: m.branch)),
    Field("Build pipeline", _meta(lambda m: m.build_pipeline)),
    Field("Build target", _meta(lambda m: m.build_target)),
    Field("Build review mode", _meta(lambda m: m.build_review_mode)),
    Field("Build skip checks", _meta(lambda m: m.build_skip_checks)),
    Field("Build keep branch", _meta(lambda m: m.build_keep_branch)),
    Field("Build dependencies", _meta_list(lambda m: m.build_dependencies, ", ")),
    Field(
        "Workflow template",
        _meta(
            lambda m: m.workflow_template_id if m.workflow_template_selector is None else m.workflow_template_selector
        ),
    ),
    Field("Workflow template version", _meta(lambda m: m.workflow_template_version)),
    Field("Workflow node", _meta(lambda m: m.workflow_node_id)),
    Field("Workflow policy snapshot", _meta(lambda m: m.workflow_policy_snapshot_hash)),
    Field("Workflow gates", _meta_list(lambda m: m.workflow_gates, " | ")),
    Field("Workflow run", _meta(lambda m: m.workflow_run_id)),
    Field("Workflow node attempt", _meta(lambda m: m.workflow_node_attempt)),
    Field("Workflow node outcome", _meta(lambda m: m.workflow_node_outcome)),
    Field("Workflow payload refs", _meta_list(lambda m: m.workflow_payload_refs, ", ")),
    Field("Workflow executor class", _meta(lambda m: m.workflow_executor_class)),
    Field("Workflow executor operation", _meta(lambda m: m.workflow_executor_operation)),
    Field("Workflow control policy", _meta(lambda m: m.workflow_control_policy)),
    Field("Patch file", _meta(lambda m: m.patch_file)),
    Field("Patch index", _meta(lambda m: m.patch_index)),
    Field("Patch total", _meta(lambda m: m.patch_total)),
    Field("Revision", _meta(lambda m: m.revision)),
    _AFTER,
    _DEPENDENCIES,
    _LOCKS,
    _WAIT,
    _WAITED_ON,
    _APPROVAL_REQUIRED,
    _APPROVAL_STATE,
    Field("Approval requested at", _approval("requested_at")),
    Field("Approval requested by", _approval("requested_by")),
    Field("Approval decided at", _approval("decided_at")),
    _APPROVAL_DECIDED_BY,
    Field("Approval reason", _approval("reason")),
    _PINNED_HEAD,
    _ARTIFACTS,
    Field("Execution root", _meta(lambda m: m.execution_root)),
    Field("Worktree", _meta(lambda m: m.execution_root)),
    Field("Worktree name", _meta(lambda m: m.worktree_name)),
    Field("Agent backend", _meta(lambda m: m.agent_backend)),
    Field("Agent label", _meta(lambda m: m.agent_label)),
    Field("Agent command", _meta_list(lambda m: m.agent_command, " ")),
    Field("Agent exit", _meta(lambda m: m.agent_exit_code)),
    Field("Agent tokens", _meta(lambda m: m.agent_usage and m.agent_usage.tokens_text())),
    Field("Agent cost", _meta(lambda m: m.agent_usage and m.agent_usage.cost_text())),
    Field("Cancel cleanup", _meta(lambda m: m.cancel_cleanup_status)),
    Field("Cancel cleanup error", _meta(lambda m: m.cancel_cleanup_error)),
    Field("Retry cleanup", _meta(lambda m: m.retry_cleanup_status)),
    Field("Retry cleanup error", _meta(lambda m: m.retry_cleanup_error)),
    Field(
        "Config snapshot",
        lambda record: None if record.config_snapshot is None else _compact(record.config_snapshot),
    ),
    Field("Command", lambda record: " ".join(record.command) or None),
)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
