"""`vizier jobs gc` (spec 03 §7)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text
from vizier_core.jobs import gc_jobs


def run(app: App) -> int:
    """Removes old finished jobs and says how many."""
    app.jobs.store.ensure_jobs_root()
    removed = gc_jobs(app.jobs, int(app.arguments.value("days") or 0))
    outcome = f"removed {removed} job(s)"
    if app.arguments.value("format") == "json":
        print(json_text({"outcome": outcome, "removed": {"jobs": removed}}))
    else:
        print(f"Outcome: {outcome}")
    return 0
