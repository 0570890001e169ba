"""`vizier jobs retry` (spec 03 §4.5)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.output import joined, json_text, label_block
from vizier_core.jobs import retry_job


def run(app: App) -> int:
    """Retries a job and reports what was rewound and restarted."""
    job_id = app.arguments.positional("JOB") or ""
    app.jobs.store.ensure_jobs_root()
    result = retry_job(app.jobs, job_id)
    restarted = [started for started in result.tick.started if started in result.retry_set]
    updated = [changed for changed in result.tick.updated if changed in result.retry_set]
    if app.arguments.value("format") == "json":
        document = {
            "last_successful_point": result.last_successful_point,
            "outcome": "Jobs retried",
            "requested_job": job_id,
            "reset": result.retry_set,
            "restarted": restarted,
            "retry_root": result.root,
            "retry_set": result.retry_set,
            "updated": updated,
        }
        print(json_text(document))
        return 0
    rows = [
        ("Outcome", "Jobs retried"),
        ("Requested", job_id),
        ("Retry root", result.root),
        ("Last successful point", joined(result.last_successful_point)),
        ("Retry set", joined(result.retry_set)),
        ("Reset", joined(result.retry_set)),
        ("Restarted", joined(restarted)),
        ("Updated", ", ".join(updated)),
    ]
    print(label_block(rows))
    return 0
