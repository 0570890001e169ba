"""`vizier jobs list` (spec 03 §11).

Rows are printed as they are read, so that a store with very many jobs needs no more memory than a small one; only a
table has to know its widest cells first.
"""

import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from vizier_cli.cli.app import App
from vizier_cli.cli.jobs_raw import envelope, record_document
from vizier_cli.cli.jobs_view import JOB_LIST_FIELDS, View, make_view
from vizier_cli.cli.output import counted, json_text, label_block, table
from vizier_core.config import ViewFormat
from vizier_core.errors import OptionError
from vizier_core.jobs import JobListing, list_jobs
from vizier_kernel.scheduler import JobStatus

_EMPTY = "No background jobs found"


def run(app: App) -> int:
    """Lists the jobs, newest first."""
    arguments = app.arguments
    raw = arguments.has("raw")
    if raw and arguments.value("format") != "json":
        raise OptionError("`--raw` requires `--format json`.")
    show_all = arguments.has("all")
    display = app.settings.display.jobs
    listing = list_jobs(
        app.jobs,
        show_succeeded=show_all or display.show_succeeded,
        show_failed=show_all or not arguments.has("dismiss-failures"),
    )
    if raw:
        _print_json(envelope(), "jobs", map(record_document, listing.records()), sort=False)
        return 0
    if listing.is_empty:
        as_json = ViewFormat(arguments.value("format") or display.format) is ViewFormat.JSON
        print(json_text({"header": {"outcome": _EMPTY}, "jobs": []}) if as_json else f"Outcome: {_EMPTY}")
        return 0
    view = make_view(display, JOB_LIST_FIELDS, arguments.value("format"), app.warn, "display.lists.jobs.fields")
    outcome, hidden = _outcome(listing), _hidden(listing)
    if view.format is ViewFormat.JSON:
        header = {"outcome": outcome, **({"hidden": hidden} if hidden else {})}
        _print_json({"header": header}, "jobs", map(view.document, listing.records()), sort=True)
    else:
        print(label_block([(view.label("Outcome"), outcome), (view.label("Hidden"), hidden)]))
        for text in _bodies(listing, view):
            print(f"\n{text}")
    return 0


def _outcome(listing: JobListing) -> str:
    if listing.visible:
        return f"{counted(len(listing.visible))} background job" + ("s" if len(listing.visible) != 1 else "")
    return "No visible background jobs" if listing.hidden.get(JobStatus.FAILED) else "No active background jobs"


def _hidden(listing: JobListing) -> str:
    parts = [f"{counted(number)} {status}" for status, number in listing.hidden.items() if number]
    return f"{', '.join(parts)} (use --all to include)" if parts else ""


def _bodies(listing: JobListing, view: View) -> Iterator[str]:
    """What follows the header, each part to be preceded by a blank line."""
    if view.format is ViewFormat.TABLE:
        rows = [view.cells(record) for record in listing.records()]
        if rows and view.fields:
            yield table([[label for _, label in view.fields], *rows])
        return
    for record in listing.records():
        block = label_block(view.text_rows(record), indent=2)
        if block:
            yield block


def _print_json(head: dict[str, Any], key: str, items: Iterable[dict[str, Any]], *, sort: bool) -> None:
    """Prints a document whose last key holds a list, item by item, as if it were printed at once."""
    opening = json_text(head, sort=sort).removesuffix("\n}")
    print(f'{opening},\n  "{key}": [', end="")
    separator = ""
    for item in items:
        text = json.dumps(item, indent=2, ensure_ascii=False, sort_keys=sort)
        print(f"{separator}\n{textwrap.indent(text, '    ')}", end="")
        separator = ","
    print("\n  ]\n}" if separator else "]\n}")
