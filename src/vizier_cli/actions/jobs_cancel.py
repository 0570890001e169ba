"""`vizier jobs cancel` (spec 03 §5)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text
from vizier_core.jobs import cancel_job


def run(app: App) -> int:
    """Cancels a job; what could not be ended or cleaned is said on stderr."""
    job_id = app.arguments.positional("JOB") or ""
    app.jobs.store.ensure_jobs_root()
    choices = {"cleanup-worktree": True, "no-cleanup-worktree": False}
    wanted = next((choice for option, choice in choices.items() if app.arguments.has(option)), None)
    result = cancel_job(app.jobs, job_id, cleanup_worktree=wanted)
    if result.survivors:
        app.warn(f"processes of job {job_id} could not be ended: {', '.join(map(str, result.survivors))}")
    if result.cleanup_detail:
        verb = "failed" if result.cleanup.value == "failed" else "skipped"
        app.warn(f"cleanup {verb} for job {job_id}: {result.cleanup_detail}")
    record = result.record
    if app.arguments.value("format") == "json":
        document = {
            "cleanup": result.cleanup.value,
            "cleanup_detail": result.cleanup_detail,
            "job": job_id,
            "outcome": "Job cancelled",
            "status": record.status.value,
            "stderr": record.stderr_path,
            "stdout": record.stdout_path,
            "survivors": result.survivors,
        }
        print(json_text(document))
        return 0
    print(
        f"Job {job_id} marked cancelled (stdout: {record.stdout_path}, stderr: {record.stderr_path}, "
        f"cleanup={result.cleanup})"
    )
    return 0
