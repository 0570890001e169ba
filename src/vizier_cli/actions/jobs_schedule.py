"""`vizier jobs schedule` (spec 03 §15)."""

import sys

from vizier_cli.cli.app import App
from vizier_cli.cli.jobs_raw import envelope
from vizier_cli.cli.output import json_text
from vizier_cli.cli.schedule_view import EMPTY, ORDERING, dag_text, edge_documents, invocations, rows_of, summary_table
from vizier_core.errors import OptionError
from vizier_core.jobs import view_schedule


def run(app: App) -> int:
    """Prints or watches the schedule."""
    arguments = app.arguments
    form = arguments.value("format") or "summary"
    top, interval, depth = (int(arguments.value(name) or 0) for name in ("top", "interval-ms", "max-depth"))
    _check(app, form, top, interval)
    show_all, focus = arguments.has("all"), arguments.value("job")
    if arguments.has("watch"):
        from vizier_cli.cli.watch import watch_schedule  # noqa: PLC0415 - dear to import

        return watch_schedule(app.jobs, show_all=show_all, focus=focus, depth=depth, top=top, interval=interval)
    schedule = view_schedule(app.jobs, show_all=show_all, focus=focus, depth=depth)
    rows = rows_of(schedule)
    if form == "json":
        raw = arguments.has("raw")
        content = {
            "ordering": ORDERING,
            "jobs": [row.document(raw=raw) for row in rows],
            "edges": edge_documents(schedule, depth),
        }
        print(json_text(envelope(**content) if raw else {"version": 1, **content}, sort=False))
    elif not rows:
        print(EMPTY)
    elif form == "dag":
        print(dag_text(schedule, rows, depth))
    else:
        commands = invocations(rows)
        print("\n".join(["Schedule (Summary)", summary_table(rows), *(["", commands] if commands else [])]))
    return 0


def _check(app: App, form: str, top: int, interval: int) -> None:
    """The checks of spec 03 §15, in their order."""
    arguments = app.arguments
    if arguments.has("raw") and form != "json":
        raise OptionError("`--raw` requires `--format json`.")
    if top < 1:
        raise OptionError("`--top` must be at least 1.")
    if interval < 100:
        raise OptionError("`--interval-ms` must be at least 100.")
    if not arguments.has("watch"):
        return
    if form != "summary":
        raise OptionError("`--watch` only supports summary format; rerun without `--format dag|json`.")
    if arguments.has("no-ansi") or not (sys.stdout.isatty() and sys.stderr.isatty()):
        raise OptionError(
            "`--watch` requires an interactive TTY with ANSI enabled; rerun without `--watch` for static output."
        )
