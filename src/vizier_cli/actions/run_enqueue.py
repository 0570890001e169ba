"""`vizier run` without `--check`: from a flow and its inputs to enqueued, perhaps followed runs (spec 08 §6)."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from vizier_cli.actions.run_follow import follow_run
from vizier_cli.actions.run_inputs import compile_runs, print_result, read_runs
from vizier_cli.actions.run_progress import ChangePrinter
from vizier_cli.actions.run_series import Ending, Launch, Series
from vizier_cli.actions.run_summary import (
    enqueued_document,
    enqueued_text,
    terminal_document,
    terminal_text,
)
from vizier_cli.cli.app import App
from vizier_cli.cli.live import can_refresh
from vizier_cli.cli.output import printable
from vizier_core.flow.batch import Batch
from vizier_core.jobs import (
    RunRequest,
    enqueue_workflow_runs,
    finish_following,
    following,
    job_report,
    take_baseline,
)
from vizier_kernel.scheduler import JobStatus


def enqueue(app: App) -> int:
    """Enqueues one run or several, and follows them if that is wanted."""
    arguments = app.arguments
    baseline = take_baseline(app.root) if arguments.has("ephemeral") else None
    app.jobs.store.ensure_jobs_root()
    wanted = read_runs(app)
    source = wanted.given.flow.source
    batch = wanted.batch
    run_ids = [f"run_{uuid.uuid4().hex}" for _ in range(wanted.count)]
    # Every run waits for the one before it.
    chain = [(), *((f"run:{run_id}",) for run_id in run_ids[:-1])]
    requests = [
        RunRequest(
            run_id=run_id,
            workflow=workflow,
            selector=source.selector,
            alias=source.alias,
            command=tuple(app.argv),
            after=(*arguments.all_values("after"), *before),
            approval=_approval(app),
            baseline=baseline,
            worker_options=app.worker_options,
        )
        for run_id, workflow, before in zip(run_ids, compile_runs(app, wanted, run_ids), chain, strict=True)
    ]
    if arguments.has("follow"):
        with following(app.jobs.store, run_ids if baseline else []):
            return _follow(app, _enqueue(app, requests, batch))
    series = _enqueue(app, requests, batch)
    print_result(app.arguments, enqueued_document(series), enqueued_text(series))
    return 0


def _approval(app: App) -> bool | None:
    """Whether the first jobs need an approval; None if the template shall say so."""
    choices = {"require-approval": True, "no-require-approval": False}
    return next((wanted for option, wanted in choices.items() if app.arguments.has(option)), None)


def _enqueue(app: App, requests: Sequence[RunRequest], batch: Batch | None) -> Series:
    runs = enqueue_workflow_runs(app.jobs, requests)
    app.jobs.index.save()
    items = batch.items if batch else [None] * len(runs)
    launches = [Launch(*parts) for parts in zip(requests, runs, range(1, len(runs) + 1), items, strict=True)]
    return Series(tuple(launches), batch)


def _follow(app: App, series: Series) -> int:
    """Follows the runs one after the other, up to the first that does not succeed, which decides the exit code."""
    endings: list[Ending] = []
    for launch in series.launches:
        try:
            with _progress(app, launch) as show:
                endings.append(Ending(launch, follow_run(app.jobs, launch.run, show)))
        except KeyboardInterrupt:
            app.warn(f"run {launch.run_id} goes on without being followed; see `vizier jobs schedule`")
            raise
        if endings[-1].result.exit_code:
            break
    if app.arguments.value("format") != "json":
        _explain(app, endings[-1])
    endings = _cleaned_up(app, endings)
    print_result(app.arguments, terminal_document(series, endings), terminal_text(series, endings))
    return endings[-1].result.exit_code


@contextmanager
def _progress(app: App, launch: Launch) -> Iterator[Callable[[Mapping[str, JobStatus]], None] | None]:
    """What shows how a run goes on: nothing in JSON mode, a table on a terminal, else lines."""
    if app.arguments.value("format") == "json":
        yield None
    elif can_refresh(app):
        from vizier_cli.actions.run_table import run_table  # noqa: PLC0415 - dear to import

        with run_table(app.jobs, launch.run) as table:
            yield table.show
    else:
        yield ChangePrinter(app.jobs, launch.run_id).show


def _explain(app: App, ending: Ending) -> None:
    """Says why a run did not succeed and where to look."""
    if ending.result.exit_code == 10:
        app.warn(f"workflow run {ending.launch.run_id} is blocked; see `vizier jobs schedule`")
    for job_id in ending.result.failed:
        record = app.jobs.find(job_id)
        reason = printable(job_report(app.jobs, record)) if record else ""
        where = "" if ending.launch.is_ephemeral else f"; see `vizier jobs tail {job_id}`"
        app.warn(f"{job_id} failed{reason and f': {reason}'}{where}")


def _cleaned_up(app: App, endings: list[Ending]) -> list[Ending]:
    """Ephemeral runs go when all have ended: while a run is at work, the one that it has waited for has to stay."""
    run_ids = [ending.launch.run_id for ending in endings if ending.launch.is_ephemeral]
    if not run_ids:
        return endings
    cleanups = {cleanup.run_id: cleanup for cleanup in finish_following(app.jobs, run_ids)}
    return [msgspec.structs.replace(ending, cleanup=cleanups.get(ending.launch.run_id)) for ending in endings]
