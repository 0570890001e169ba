"""What `vizier run` prints when it has enqueued or followed runs (spec 08 §6.13).

A single run has a summary of its own; several, repeated or of a batch, share another.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from vizier_cli.actions.run_series import Ending, Launch, Series
from vizier_cli.cli.output import joined, label_block
from vizier_core.jobs import Cleanup
from vizier_core.usage import Usage, total_usage

_NEXT: Final = {
    "schedule": "vizier jobs schedule",
    "show": "vizier jobs show <job-id>",
    "tail": "vizier jobs tail <job-id> --follow",
}


def enqueued_document(series: Series) -> dict[str, Any]:
    """The JSON summary of enqueued runs."""
    if series.is_single:
        return {"outcome": "workflow_run_enqueued", **_run_document(series.launches[0]), "next": _NEXT}
    runs = [
        {
            **_place_document(launch),
            "workflow_template_id": launch.request.workflow.template_id,
            "workflow_template_version": launch.request.workflow.template_version,
            "root_job_ids": launch.run.root_job_ids,
        }
        for launch in series.launches
    ]
    return {"outcome": "workflow_runs_enqueued", **_series_document(series), "runs": runs, "next": _NEXT}


def enqueued_text(series: Series) -> str:
    """The text summary of enqueued runs, with what to do next."""
    first = series.launches[0]
    if series.is_single:
        rows = [("Outcome", "Workflow run enqueued"), *_run_rows(first)]
    elif series.batch is None:
        lines = [f"{launch.run_id}: {joined(launch.run.root_job_ids)}" for launch in series.launches]
        rows = [("Outcome", "Workflow runs enqueued"), *_series_rows(series), ("Root jobs", "\n".join(lines))]
    else:
        lines = [
            f"#{launch.index} {launch.item.spec_file} slug={launch.item.slug} "
            f"run={launch.run_id} roots={joined(launch.run.root_job_ids)}"
            for launch in series.launches
            if launch.item is not None
        ]
        rows = [("Outcome", "Workflow runs enqueued"), *_series_rows(series), ("Items", "\n".join(lines))]
    return label_block([*rows, ("Next", _next_commands(first.run.root_job_ids))])


def terminal_document(series: Series, endings: Sequence[Ending]) -> dict[str, Any]:
    """The JSON summary of followed runs; the last one decides how all ended."""
    last = endings[-1]
    verdict = {"terminal_state": last.result.terminal_state, "exit_code": last.result.exit_code}
    if series.is_single:
        return {
            "outcome": "workflow_run_terminal",
            **verdict,
            **_run_document(last.launch),
            **_ending_document(last),
        }
    runs = [{**_place_document(ending.launch), **_ending_document(ending)} for ending in endings]
    usage = _usage_document(_usage_of(endings))
    return {"outcome": "workflow_runs_terminal", **verdict, **_series_document(series), "usage": usage, "runs": runs}


def terminal_text(series: Series, endings: Sequence[Ending]) -> str:
    """The text summary of followed runs."""
    last = endings[-1]
    result = last.result
    if series.is_single:
        return label_block(
            [
                ("Outcome", f"Workflow run {result.terminal_state}"),
                *_run_rows(last.launch),
                ("Exit", str(result.exit_code)),
                ("Succeeded", ", ".join(result.succeeded)),
                ("Blocked", ", ".join(result.blocked)),
                ("Failed", ", ".join(result.failed)),
                ("Cancelled", ", ".join(result.cancelled)),
                *_usage_rows(result.usage),
                *(_cleanup_rows(last.cleanup) if last.cleanup else ()),
            ]
        )
    followed = joined(ending.launch.run_id for ending in endings)
    return label_block(
        [
            ("Outcome", f"Workflow runs {result.terminal_state}"),
            *_series_rows(series, followed),
            ("Exit", str(result.exit_code)),
            ("Run states", "\n".join(map(_state_line, endings))),
            *_usage_rows(_usage_of(endings)),
            ("Ephemeral cleanup", "\n".join(_cleanup_line(ending) for ending in endings if ending.cleanup)),
        ]
    )


# Parts of a single run's summary


def _run_document(launch: Launch) -> dict[str, Any]:
    request = launch.request
    return {
        "run_id": launch.run_id,
        "ephemeral": launch.is_ephemeral,
        "workflow_template_selector": request.selector,
        "workflow_template_id": request.workflow.template_id,
        "workflow_template_version": request.workflow.template_version,
        "root_job_ids": launch.run.root_job_ids,
    }


def _run_rows(launch: Launch) -> list[tuple[str, str]]:
    return [
        ("Run", launch.run_id),
        ("Template", launch.template),
        ("Selector", launch.request.selector),
        ("Root jobs", joined(launch.run.root_job_ids)),
        ("Ephemeral", "yes" if launch.is_ephemeral else "no"),
    ]


def _cleanup_rows(cleanup: Cleanup) -> list[tuple[str, str]]:
    return [
        ("Ephemeral cleanup", cleanup.state.value),
        ("Cleanup detail", cleanup.detail or ""),
        ("Cleanup notes", "; ".join(cleanup.notes)),
    ]


def _next_commands(root_job_ids: Sequence[str]) -> str:
    if not root_job_ids:
        return "vizier jobs schedule"
    root = root_job_ids[0]
    return f"vizier jobs schedule --job {root}\nvizier jobs show {root}\nvizier jobs tail {root} --follow"


# Parts of the summary of several runs


def _series_document(series: Series) -> dict[str, Any]:
    first = series.launches[0]
    extent: dict[str, Any] = {"repeat": len(series.launches)}
    if series.batch is not None:
        extent = {"batch_dir": series.batch.directory, "spec_count": len(series.batch.items)}
    return {"ephemeral": first.is_ephemeral, "workflow_template_selector": first.request.selector, **extent}


def _series_rows(series: Series, followed: str = "") -> list[tuple[str, str]]:
    first = series.launches[0]
    extent = [("Repeat", str(len(series.launches)))]
    if series.batch is not None:
        extent = [("Batch dir", series.batch.directory), ("Specs", str(len(series.batch.items)))]
    return [
        *extent,
        ("Runs", joined(launch.run_id for launch in series.launches)),
        ("Followed", followed),
        ("Template", first.template),
        ("Selector", first.request.selector),
        ("Ephemeral", "yes" if first.is_ephemeral else "no"),
    ]


def _place_document(launch: Launch) -> dict[str, Any]:
    return {
        "index": launch.index,
        "run_id": launch.run_id,
        "spec_file": launch.item and launch.item.spec_file,
        "slug": launch.item and launch.item.slug,
    }


def _state_line(ending: Ending) -> str:
    launch, result = ending.launch, ending.result
    if launch.item is None:
        return f"#{launch.index} {launch.run_id} => {result.terminal_state} ({result.exit_code})"
    about = f"#{launch.index} {launch.item.spec_file} ({launch.item.slug})"
    return f"{about} => {launch.run_id} {result.terminal_state} ({result.exit_code})"


def _cleanup_line(ending: Ending) -> str:
    cleanup = ending.cleanup
    if cleanup is None:
        return ""
    detail = f": {cleanup.detail}" if cleanup.detail else ""
    return f"#{ending.launch.index} {cleanup.run_id} => {cleanup.state.value}{detail}"


# Parts of both


def _ending_document(ending: Ending) -> dict[str, Any]:
    result = ending.result
    return {
        "terminal_state": result.terminal_state,
        "exit_code": result.exit_code,
        "succeeded": result.succeeded,
        "failed": result.failed,
        "blocked": result.blocked,
        "cancelled": result.cancelled,
        "usage": _usage_document(result.usage),
        "ephemeral_cleanup": ending.cleanup and _cleanup_document(ending.cleanup),
    }


def _usage_of(endings: Sequence[Ending]) -> Usage | None:
    return total_usage(ending.result.usage for ending in endings)


def _usage_document(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    return {name: value for name, value in msgspec.structs.asdict(usage).items() if value is not None}


def _usage_rows(usage: Usage | None) -> list[tuple[str, str]]:
    if usage is None:
        return []
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
