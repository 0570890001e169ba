"""What `vizier run` prints about a run (spec 08 §6.13)."""

from typing import Any, Final

import msgspec

from vizier_cli.actions.run_follow import FollowResult
from vizier_cli.cli.output import joined, label_block
from vizier_core.jobs import Cleanup, EnqueuedRun, RunRequest
from vizier_core.usage import Usage

_NEXT: Final = {
    "schedule": "vizier jobs schedule",
    "show": "vizier jobs show <job-id>",
    "tail": "vizier jobs tail <job-id> --follow",
}
_OUTCOMES: Final = {
    "succeeded": "Workflow run succeeded",
    "blocked": "Workflow run blocked",
    "failed": "Workflow run failed",
}


def enqueued_document(request: RunRequest, run: EnqueuedRun) -> dict[str, Any]:
    """The JSON summary of an enqueued run."""
    return {**_common_document(request, run), "outcome": "workflow_run_enqueued", "next": _NEXT}


def terminal_document(
    request: RunRequest, run: EnqueuedRun, result: FollowResult, cleanup: Cleanup | None
) -> dict[str, Any]:
    """The JSON summary of a followed run."""
    return {
        **_common_document(request, run),
        "outcome": "workflow_run_terminal",
        "terminal_state": result.terminal_state,
        "exit_code": result.exit_code,
        "succeeded": result.succeeded,
        "failed": result.failed,
        "blocked": result.blocked,
        "cancelled": result.cancelled,
        "usage": result.usage and _usage_document(result.usage),
        "ephemeral_cleanup": cleanup and _cleanup_document(cleanup),
    }


def enqueued_text(request: RunRequest, run: EnqueuedRun) -> str:
    """The text summary of an enqueued run, with what to do next."""
    roots = run.root_job_ids
    commands = ["vizier jobs schedule"]
    if roots:
        commands = [
            f"vizier jobs schedule --job {roots[0]}",
            f"vizier jobs show {roots[0]}",
            f"vizier jobs tail {roots[0]} --follow",
        ]
    rows = [("Outcome", "Workflow run enqueued"), *_common_rows(request, run), ("Next", "\n".join(commands))]
    return label_block(rows)


def terminal_text(request: RunRequest, run: EnqueuedRun, result: FollowResult, cleanup: Cleanup | None) -> str:
    """The text summary of a followed run."""
    return label_block(
        [
            ("Outcome", _OUTCOMES[result.terminal_state]),
            *_common_rows(request, run),
            ("Exit", str(result.exit_code)),
            ("Succeeded", ", ".join(result.succeeded)),
            ("Blocked", ", ".join(result.blocked)),
            ("Failed", ", ".join(result.failed)),
            ("Cancelled", ", ".join(result.cancelled)),
            *(_usage_rows(result.usage) if result.usage else []),
            *(_cleanup_rows(cleanup) if cleanup else []),
        ]
    )


def _usage_document(usage: Usage) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(usage).items() if value is not None}


def _usage_rows(usage: Usage) -> list[tuple[str, str]]:
    return [("Agent tokens", usage.tokens_text() or ""), ("Agent cost", usage.cost_text() or "")]


def _cleanup_document(cleanup: Cleanup) -> dict[str, Any]:
    document: dict[str, Any] = {"run_id": cleanup.run_id, "state": cleanup.state.value}
    if cleanup.prune_vizier_root:
        document["prune_vizier_root"] = True
    if cleanup.detail is not None:
        document["detail"] = cleanup.detail
    if cleanup.removed is not None:
        document["removed"] = msgspec.structs.asdict(cleanup.removed)
    if cleanup.notes:
        document["degraded_notes"] = cleanup.notes
    return document


def _cleanup_rows(cleanup: Cleanup) -> list[tuple[str, str]]:
    return [
        ("Ephemeral cleanup", cleanup.state.value),
        ("Cleanup detail", cleanup.detail or ""),
        ("Cleanup notes", "; ".join(cleanup.notes)),
    ]


def _common_document(request: RunRequest, run: EnqueuedRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "ephemeral": request.baseline is not None,
        "workflow_template_selector": request.selector,
        "workflow_template_id": request.workflow.template_id,
        "workflow_template_version": request.workflow.template_version,
        "root_job_ids": run.root_job_ids,
    }


def _common_rows(request: RunRequest, run: EnqueuedRun) -> list[tuple[str, str]]:
    return [
        ("Run", run.run_id),
        ("Template", f"{request.workflow.template_id}@{request.workflow.template_version}"),
        ("Selector", request.selector),
        ("Root jobs", joined(run.root_job_ids)),
        ("Ephemeral", "yes" if request.baseline is not None else "no"),
    ]
