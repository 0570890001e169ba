"""`vizier jobs show` (spec 03 §12)."""

from vizier_cli.cli.app import App
from vizier_cli.cli.jobs_raw import envelope, record_document
from vizier_cli.cli.jobs_view import JOB_SHOW_FIELDS, make_view
from vizier_cli.cli.output import json_text, table
from vizier_core.config import ViewFormat
from vizier_core.errors import OptionError


def run(app: App) -> int:
    """Shows one job."""
    arguments = app.arguments
    raw = arguments.has("raw")
    if raw and arguments.value("format") != "json":
        raise OptionError("`--raw` requires `--format json`.")
    record = app.jobs.store.read(arguments.positional("JOB") or "")
    if raw:
        print(json_text(envelope(job=record_document(record)), sort=False))
        return 0
    display = app.settings.display.jobs_show
    view = make_view(display, JOB_SHOW_FIELDS, arguments.value("format"), app.warn, "display.lists.jobs_show.fields")
    if view.format is ViewFormat.JSON:
        print(json_text(view.document(record)))
    elif view.format is ViewFormat.TABLE:
        print(table(view.text_rows(record)))
    else:
        print("\n".join(view.show_lines(record)))
    return 0
