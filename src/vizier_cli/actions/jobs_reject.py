"""`vizier jobs reject` (spec 03 §3.3)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text, label_block, printable_lines
from vizier_core.jobs import reject_job


def run(app: App) -> int:
    """Rejects a job."""
    job_id = app.arguments.positional("JOB") or ""
    app.jobs.store.ensure_jobs_root()
    result = reject_job(app.jobs, job_id, app.arguments.value("reason"))
    approval = result.record.scheduling.approval
    state = approval.state.value if approval else "none"
    reason = (approval.reason if approval else None) or "approval rejected"
    status = result.record.status.value
    if app.arguments.value("format") == "json":
        document = {
            "approval_state": state,
            "job": job_id,
            "outcome": "Job approval rejected",
            "reason": reason,
            "status": status,
        }
        print(json_text(document))
        return 0
    rows = [
        ("Outcome", "Job approval rejected"),
        ("Job", job_id),
        ("Status", status),
        ("Approval state", state),
        ("Reason", printable_lines(reason)),
    ]
    print(label_block(rows))
    return 0
