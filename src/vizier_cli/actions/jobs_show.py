"""`vizier jobs show` (spec 03 §12)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.jobs_view import JOB_SHOW_FIELDS, field_values
from vizier_cli.cli.output import json_text, table


def run(app: App) -> int:
    """Shows one job."""
    record = app.jobs.store.read(app.arguments.positional("JOB") or "")
    form = app.arguments.value("format") or "block"
    if form == "json":
        document: dict[str, object] = dict(field_values(record, JOB_SHOW_FIELDS, "json"))
        if record.config_snapshot is not None:
            document["config_snapshot"] = record.config_snapshot
        print(json_text(document))
    elif form == "table":
        print(table(field_values(record, JOB_SHOW_FIELDS, "label")))
    else:
        rows = field_values(record, JOB_SHOW_FIELDS, "label")
        print("\n".join(f"{label} {value}" if label == "Job" else f"{label}: {value}" for label, value in rows))
    return 0
