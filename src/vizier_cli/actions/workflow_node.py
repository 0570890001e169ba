"""`vizier __workflow-node`: works as the worker of one job (spec 06 §3.1)."""

from vizier_cli.cli.app import App
from vizier_core.jobs import run_workflow_node_command


def run(app: App) -> int:
    """Runs the node; never returns."""
    job_id = app.arguments.value("job-id") or ""
    app.jobs.store.ensure_jobs_root()
    run_workflow_node_command(app.jobs, job_id, app.arguments.value("start-token"))
