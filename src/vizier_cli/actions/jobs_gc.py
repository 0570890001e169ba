"""`vizier jobs gc` (spec 03 §7)."""

from vizier_cli.cli.app import App
from vizier_core.jobs import gc_jobs


def run(app: App) -> int:
    """Removes old finished jobs and says how many."""
    app.jobs.store.ensure_jobs_root()
    print(f"Outcome: removed {gc_jobs(app.jobs, int(app.arguments.value('days') or 0))} job(s)")
    return 0
