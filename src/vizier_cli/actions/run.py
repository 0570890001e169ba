"""`vizier run` (spec 08 §6); what it does with `--check` is here (spec 08 §6.2)."""

from typing import Any

from vizier_cli.actions.run_inputs import compile_runs, print_result, read_runs
from vizier_cli.cli.app import App
from vizier_cli.cli.output import label_block
from vizier_core.flow.batch import Batch
from vizier_kernel.template import CompiledWorkflow


def run(app: App) -> int:
    """Checks, enqueues or follows one run or several."""
    if app.arguments.has("check"):
        return _check(app)
    from vizier_cli.actions.run_enqueue import enqueue  # noqa: PLC0415 - a check needs no scheduler

    return enqueue(app)


def _check(app: App) -> int:
    """Does everything that can fail before anything is written; a batch shows the template of its first item."""
    wanted = read_runs(app)
    workflow = compile_runs(app, wanted, [None] * wanted.count)[0]
    selector = wanted.given.flow.source.selector
    print_result(app.arguments, _document(selector, workflow, wanted.batch), _text(selector, workflow, wanted.batch))
    return 0


def _document(selector: str, workflow: CompiledWorkflow, batch: Batch | None) -> dict[str, Any]:
    document = {
        "outcome": "workflow_validation_passed",
        "workflow_template_selector": selector,
        "workflow_template_id": workflow.template_id,
        "workflow_template_version": workflow.template_version,
        "node_count": len(workflow.nodes),
    }
    if batch is not None:
        items = [{"index": item.index, "spec_file": item.spec_file, "slug": item.slug} for item in batch.items]
        document |= {"batch_dir": batch.directory, "spec_count": len(batch.items), "items": items}
    return document


def _text(selector: str, workflow: CompiledWorkflow, batch: Batch | None) -> str:
    rows = [
        ("Outcome", "Workflow validation passed"),
        ("Selector", selector),
        ("Template", f"{workflow.template_id}@{workflow.template_version}"),
        ("Nodes", str(len(workflow.nodes))),
    ]
    if batch is not None:
        rows += [
            ("Batch dir", batch.directory),
            ("Specs", str(len(batch.items))),
            ("Items", "\n".join(f"#{item.index} {item.spec_file} => {item.slug}" for item in batch.items)),
        ]
    return label_block(rows)
