"""`vizier jobs list` (spec 03 §11)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.jobs_view import JOB_LIST_FIELDS, field_values
from vizier_cli.cli.output import counted, json_text, label_block, table
from vizier_core.jobs import JobRecord, all_records
from vizier_kernel.scheduler import JobStatus

_EMPTY = "No background jobs found"


def run(app: App) -> int:
    """Lists the jobs, newest first."""
    arguments = app.arguments
    records = all_records(app.jobs)
    form = arguments.value("format") or "block"
    if not records:
        print(json_text({"header": {"outcome": _EMPTY}, "jobs": []}) if form == "json" else f"Outcome: {_EMPTY}")
        return 0
    show_all = arguments.has("all")
    hidden = {
        JobStatus.FAILED: not show_all and arguments.has("dismiss-failures"),
        JobStatus.SUCCEEDED: not show_all,
    }
    visible = [record for record in records if not hidden.get(record.status)]
    counts = {status: sum(record.status is status for record in records) for status, hide in hidden.items() if hide}
    header = _header(visible, counts)
    if form == "json":
        rows = [dict(field_values(record, JOB_LIST_FIELDS, "json")) for record in visible]
        print(json_text({"header": {label.lower(): value for label, value in header if value}, "jobs": rows}))
    else:
        print("\n\n".join([label_block(header), *_bodies(visible, form)]))
    return 0


def _header(visible: list[JobRecord], hidden: dict[JobStatus, int]) -> list[tuple[str, str]]:
    if visible:
        outcome = f"{counted(len(visible))} background job" + ("s" if len(visible) != 1 else "")
    elif hidden.get(JobStatus.FAILED):
        outcome = "No visible background jobs"
    else:
        outcome = "No active background jobs"
    parts = [f"{counted(number)} {status}" for status, number in hidden.items() if number]
    return [("Outcome", outcome), ("Hidden", f"{', '.join(parts)} (use --all to include)" if parts else "")]


def _bodies(visible: list[JobRecord], form: str) -> list[str]:
    if not visible:
        return []
    if form == "table":
        labels = [field.label for field in JOB_LIST_FIELDS]
        rows = [[dict(field_values(r, JOB_LIST_FIELDS, "label")).get(label, "") for label in labels] for r in visible]
        return [table([labels, *rows])]
    return [label_block(field_values(record, JOB_LIST_FIELDS, "label"), indent=2) for record in visible]
