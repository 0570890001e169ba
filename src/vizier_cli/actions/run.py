"""`vizier run`: from a flow and its inputs to an enqueued, perhaps followed run (spec 08 §6)."""

import uuid

from vizier_cli.actions.run_follow import follow_run
from vizier_cli.actions.run_summary import enqueued_document, enqueued_text, terminal_document, terminal_text
from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text, label_block
from vizier_core.flow.prepare import PreparedFlow, load_flow, prepare_flow
from vizier_core.jobs import (
    EnqueuedRun,
    EphemeralBaseline,
    RunRequest,
    enqueue_workflow_runs,
    finish_following,
    following,
    take_baseline,
)


def run(app: App) -> int:
    """Checks, enqueues or follows a run."""
    arguments = app.arguments
    baseline = take_baseline(app.root) if arguments.has("ephemeral") else None
    if not arguments.has("check"):
        app.jobs.store.ensure_jobs_root()
    flow = load_flow(app.flows, arguments.positional("FLOW") or "")
    inputs = arguments.positionals.get("INPUT", [])
    prepared = prepare_flow(flow, app.root, arguments.all_values("set"), inputs)
    app.warn_all(prepared.warnings)
    as_json = arguments.value("format") == "json"
    if arguments.has("check"):
        print(_check(prepared, as_json))
        return 0
    request = _request(app, prepared, baseline)
    if arguments.has("follow"):
        with following(app.jobs.store, [request.run_id] if baseline else []):
            return _enqueue_and_follow(app, request)
    enqueued = _enqueue(app, request)
    print(json_text(enqueued_document(request, enqueued)) if as_json else enqueued_text(request, enqueued))
    return 0


def _enqueue(app: App, request: RunRequest) -> EnqueuedRun:
    (enqueued,) = enqueue_workflow_runs(app.jobs, [request])
    app.jobs.index.save()
    return enqueued


def _enqueue_and_follow(app: App, request: RunRequest) -> int:
    as_json = app.arguments.value("format") == "json"
    enqueued = _enqueue(app, request)
    result = follow_run(app.jobs, enqueued, print_changes=not as_json)
    cleanup = finish_following(app.jobs, request.run_id) if request.baseline else None
    if result.exit_code == 10 and not as_json:
        app.warn(f"workflow run {enqueued.run_id} is blocked; see `vizier jobs schedule`")
    print(
        json_text(terminal_document(request, enqueued, result, cleanup))
        if as_json
        else terminal_text(request, enqueued, result, cleanup)
    )
    return result.exit_code


def _request(app: App, prepared: PreparedFlow, baseline: EphemeralBaseline | None) -> RunRequest:
    arguments = app.arguments
    run_id = f"run_{uuid.uuid4().hex}"
    approval = {"require-approval": True, "no-require-approval": False}
    return RunRequest(
        run_id=run_id,
        workflow=prepared.compile(run_id),
        selector=prepared.source.selector,
        alias=prepared.source.alias,
        command=tuple(app.argv),
        after=tuple(arguments.all_values("after")),
        approval=next((wanted for option, wanted in approval.items() if arguments.has(option)), None),
        baseline=baseline,
        worker_options=app.worker_options,
    )


def _check(prepared: PreparedFlow, as_json: bool) -> str:
    """Compiles without enqueueing; what to print."""
    workflow = prepared.compile()
    if as_json:
        return json_text(
            {
                "outcome": "workflow_validation_passed",
                "workflow_template_selector": prepared.source.selector,
                "workflow_template_id": workflow.template_id,
                "workflow_template_version": workflow.template_version,
                "node_count": len(workflow.nodes),
            }
        )
    return label_block(
        [
            ("Outcome", "Workflow validation passed"),
            ("Selector", prepared.source.selector),
            ("Template", f"{workflow.template_id}@{workflow.template_version}"),
            ("Nodes", str(len(workflow.nodes))),
        ]
    )
