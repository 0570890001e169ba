"""`vizier jobs approve` (spec 03 §3.2)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text, label_block
from vizier_core.jobs import approve_job


def run(app: App) -> int:
    """Approves a job and reports what the tick has started."""
    job_id = app.arguments.positional("JOB") or ""
    app.jobs.store.ensure_jobs_root()
    result = approve_job(app.jobs, job_id)
    approval = result.record.scheduling.approval
    state = approval.state.value if approval else "none"
    if app.arguments.value("format") == "json":
        document = {
            "approval_state": state,
            "job": job_id,
            "outcome": "Job approval granted",
            "started": result.tick.started,
            "status": result.record.status.value,
            "updated": result.tick.updated,
        }
        print(json_text(document))
        return 0
    rows = [
        ("Outcome", "Job approval granted"),
        ("Job", job_id),
        ("Status", result.record.status.value),
        ("Approval state", state),
        ("Started", ", ".join(result.tick.started)),
        ("Updated", ", ".join(result.tick.updated)),
    ]
    print(label_block(rows))
    return 0
