"""`vizier list`: the plans whose branches are not merged yet (spec 09 §5)."""

import msgspec

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text
from vizier_cli.cli.plans_view import Entry, Header, PlanListView
from vizier_core.config import PlanListDisplay, ViewFormat
from vizier_core.errors import OptionError
from vizier_core.jobs import PlanJobs
from vizier_core.plan_inventory import PendingPlan, pending_plans


def run(app: App) -> int:
    """Lists the pending plans."""
    settings = _settings(app)
    view = PlanListView(settings, app.warn)
    target = app.arguments.value("target")
    plans = pending_plans(app.root, target, warn=app.warn, tell=app.debug)
    entries = _with_jobs(app, plans) if view.needs_jobs and plans else [Entry(plan, None) for plan in plans]
    header = Header(len(plans), target)
    if settings.format is ViewFormat.JSON:
        print(json_text(view.document(header, entries)))
    else:
        layout = view.table if settings.format is ViewFormat.TABLE else view.block
        text = layout(header, entries)
        if text:
            print(text)
    return 0


def _settings(app: App) -> PlanListDisplay:
    """The configuration with what the command line says instead."""
    settings = app.settings.display.list
    form, fields = app.arguments.value("format"), app.arguments.value("fields")
    if form is not None:
        settings = msgspec.structs.replace(settings, format=ViewFormat(form))
    if fields is None:
        return settings
    names = tuple(name for part in fields.split(",") if (name := part.strip()))
    if not names:
        raise OptionError("list fields cannot be empty")
    return msgspec.structs.replace(settings, entry_fields=names)


def _with_jobs(app: App, plans: list[PendingPlan]) -> list[Entry]:
    try:
        jobs = PlanJobs(app.jobs)
        return [Entry(plan, jobs.find(plan.slug, plan.branch)) for plan in plans]
    except OSError as error:
        app.warn(f"unable to load background jobs: {error.strerror or error}")
        return [Entry(plan, None) for plan in plans]
