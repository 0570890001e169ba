"""`vizier clean` (spec 03 §8)."""

import sys

from vizier_cli.cli.app import App
from vizier_cli.cli.confirm import confirm
from vizier_cli.cli.output import json_text, label_block
from vizier_core.errors import OptionError
from vizier_core.jobs import CleanRefusedError, CleanResult, CleanScope, clean_job, preview_clean
from vizier_core.vcs.rescue import how_to_get_back

_COUNTERS = (
    ("Jobs removed", "jobs"),
    ("Run manifests removed", "run_manifests"),
    ("Artifact markers removed", "artifact_markers"),
    ("Artifact payloads removed", "artifact_payloads"),
    ("Plan states deleted", "plan_state_deleted"),
    ("Plan states rewritten", "plan_state_rewritten"),
    ("Worktrees removed", "worktrees"),
    ("Branches removed", "branches"),
)


def run(app: App) -> int:
    """Cleans after a confirmation; 10 if guards refuse, 1 if something was left."""
    arguments = app.arguments
    job_id = arguments.positional("JOB_ID") or ""
    if not arguments.has("yes"):
        if not sys.stdin.isatty():
            raise OptionError("vizier clean requires --yes when stdin is not a TTY")
        print(_preview(preview_clean(app.jobs, job_id)), file=sys.stderr)
        confirm(f"Clean Vizier runtime residue for `{job_id}`?")
    app.jobs.store.ensure_jobs_root()
    force = arguments.has("force")
    try:
        result = clean_job(app.jobs, job_id, force=force, keep_branches=arguments.has("keep-branches"))
    except CleanRefusedError as error:
        print(error, file=sys.stderr)
        return 10
    print(_document(result, job_id) if arguments.value("format") == "json" else _text(result, job_id))
    return 1 if result.notes and not force else 0


def _preview(scope: CleanScope) -> str:
    worktrees = sum(record.meta.worktree_owned is True for record in scope.records)
    what = f"run {scope.run_id}" if scope.run_id else "one job"
    parts = [
        f"{len(scope.records)} job(s) with logs and artifacts",
        *([f"{worktrees} worktree(s)"] if worktrees else []),
    ]
    return f"This removes {what}: {', '.join(parts)}, and the draft branches they name."


def _text(result: CleanResult, job_id: str) -> str:
    block = label_block(
        [
            ("Outcome", "Cleanup completed"),
            ("Scope", result.scope.name),
            ("Requested job", job_id),
            ("Run", result.scope.run_id or ""),
            *((label, str(getattr(result.removed, name))) for label, name in _COUNTERS),
            ("Degraded", "yes" if result.notes else "no"),
        ]
    )
    deleted = [f"{b.name} (was {b.commit})" for b in result.deleted_branches]
    rescued = [f"{b.name}: {how_to_get_back(b.rescued_as)}" for b in result.deleted_branches if b.rescued_as]
    sections = (
        ("Skipped worktrees", result.skipped_worktrees),
        ("Skipped branches", result.skipped_branches),
        ("Deleted branches", deleted),
        ("Rescued commits", rescued),
        ("Degraded details", result.notes),
    )
    return "\n\n".join(
        [block, *("\n".join([f"{title}:", *(f"- {i}" for i in items)]) for title, items in sections if items)]
    )


def _document(result: CleanResult, job_id: str) -> str:
    return json_text(
        {
            "degraded": bool(result.notes),
            "degraded_notes": result.notes,
            "deleted_branches": [
                {"name": b.name, "commit": b.commit, "rescued_as": b.rescued_as} for b in result.deleted_branches
            ],
            "outcome": "clean_completed",
            "removed": {name: getattr(result.removed, name) for _, name in _COUNTERS},
            "requested_job_id": job_id,
            "run_id": result.scope.run_id,
            "scope": result.scope.name,
            "skipped": {"branches": result.skipped_branches, "worktrees": result.skipped_worktrees},
        }
    )
