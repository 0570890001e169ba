"""`vizier audit`: what a workflow produces, needs and locks, without running it (spec 04 §19, 08 §7)."""

from vizier_cli.actions.flow_inputs import read_flow
from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text, label_block
from vizier_core.flow.prepare import prepare_flow
from vizier_kernel.scheduler import Lock
from vizier_kernel.template import AuditReport, audit_workflow


def run(app: App) -> int:
    """Prints the report; 10 if it is strict and some input has no producer."""
    prepared = prepare_flow(read_flow(app), app.root)
    workflow = prepared.compile(runnable=False)
    app.warn_all(workflow.warnings)
    report = audit_workflow(workflow)
    selector = prepared.source.selector
    print(
        json_text(_document(report, selector)) if app.arguments.value("format") == "json" else _text(report, selector)
    )
    return 10 if app.arguments.has("strict") and report.untethered_inputs else 0


def _document(report: AuditReport, selector: str) -> dict[str, object]:
    by_outcome = {outcome.value: list(labels) for outcome, labels in report.output_artifacts_by_outcome.items()}
    return {
        "outcome": "workflow_audit_completed",
        "workflow_template_selector": selector,
        "workflow_template_id": report.template_id,
        "workflow_template_version": report.template_version,
        "node_count": report.node_count,
        "output_artifacts": list(report.output_artifacts),
        "output_artifacts_by_outcome": by_outcome,
        "untethered_inputs": [
            {"artifact": item.artifact, "consumers": list(item.consumers)} for item in report.untethered_inputs
        ],
        "effective_locks": [
            {"node_id": item.node_id, "locks": [{"key": lock.key, "mode": lock.mode.value} for lock in item.locks]}
            for item in report.effective_locks
        ],
        "failure_handlers": list(report.failure_handlers),
        "overruled_policies": [
            {"stage": item.stage, "missing_producer": item.missing_producer.value} for item in report.overruled
        ],
        "summary": {
            "untethered_count": len(report.untethered_inputs),
            "has_untethered": bool(report.untethered_inputs),
        },
    }


def _text(report: AuditReport, selector: str) -> str:
    head = label_block(
        [
            ("Outcome", "Workflow audit completed"),
            ("Selector", selector),
            ("Template", f"{report.template_id}@{report.template_version}"),
            ("Nodes", str(report.node_count)),
        ]
    )
    untethered = [f"{item.artifact} (consumed by: {', '.join(item.consumers)})" for item in report.untethered_inputs]
    locks = [f"{item.node_id}: {_locks(item.locks)}" for item in report.effective_locks]
    sections = [
        _section("Output artifacts", report.output_artifacts),
        _section("Untethered inputs", untethered),
        _section("Effective locks", locks),
    ]
    if report.failure_handlers:
        sections.append(_section("Failure handlers (start by themselves, too)", report.failure_handlers))
    if report.overruled:
        overruled = [f"{item.stage}: missing_producer = {item.missing_producer}" for item in report.overruled]
        sections.append(_section("Policies of stages that do not apply", overruled))
    return "\n\n".join([head, *sections])


def _section(title: str, lines: "list[str] | tuple[str, ...]") -> str:
    return "\n".join([f"{title}:", *(f"- {line}" for line in lines or ["none"])])


def _locks(locks: tuple[Lock, ...]) -> str:
    return ", ".join(f"{lock.key} ({lock.mode})" for lock in locks) or "none"
