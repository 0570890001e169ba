"""`vizier jobs status` (spec 03 §13)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text


def run(app: App) -> int:
    """Prints the status of a job in one line."""
    record = app.jobs.store.read(app.arguments.positional("JOB") or "")
    if app.arguments.value("format") == "json":
        document = {
            "exit_code": record.exit_code,
            "job": record.id,
            "status": record.status.value,
            "stderr": record.stderr_path,
            "stdout": record.stdout_path,
        }
        print(json_text(document))
        return 0
    code = "-" if record.exit_code is None else record.exit_code
    print(f"{record.id} [{record.status}] exit={code} stdout={record.stdout_path} stderr={record.stderr_path}")
    return 0
