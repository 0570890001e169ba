"""What `vizier release` prints (spec 09 §8.8)."""

from vizier_cli.cli.output import counted, label_block, printable
from vizier_core.release import Failure, Gate, Released, Rollback, Start
from vizier_core.vcs.rescue import how_to_get_back
from vizier_kernel.release import ReleasePlan, notes_preview

Row = tuple[str, str]


def no_release_text(plan: ReleasePlan) -> str:
    """There is nothing to release."""
    return label_block(
        [
            ("Outcome", "No release created"),
            ("Reason", "No releasable commits found; force a release with --major, --minor or --patch"),
            *_basis(plan),
        ]
    )


def dry_run_text(plan: ReleasePlan, *, tagged: bool) -> str:
    """What the release would be."""
    selected = plan.selected.label + (" (forced)" if plan.forced is not None else "")
    block = label_block(
        [
            ("Outcome", "Release dry run"),
            *_basis(plan),
            ("Selected bump", selected),
            ("Next version", plan.version.tag),
            ("Commits scanned", counted(len(plan.commits))),
            ("Releasable commits", counted(plan.releasable)),
            ("Tag action", f"create annotated tag {plan.version.tag}" if tagged else "skip (--no-tag)"),
        ]
    )
    preview = "\n".join(printable(line) for line in notes_preview(plan).split("\n"))
    return f"{block}\n\nRelease notes preview:\n{preview}"


def script_text(gate: Gate) -> str:
    """The script is about to run."""
    return label_block([*_script(gate), ("Script status", "running")])


def released_text(plan: ReleasePlan, released: Released, *, tagged: bool) -> str:
    """The release stays."""
    return label_block(
        [
            ("Outcome", "Release complete"),
            ("Version", plan.version.tag),
            ("Commit", released.commit[:8]),
            ("Tag", plan.version.tag if tagged else "skipped (--no-tag)"),
            ("Commit range", plan.range_label),
            ("Release script", f"passed ({released.script.text})" if released.script else ""),
        ]
    )


def failed_text(plan: ReleasePlan, start: Start, failure: Failure) -> str:
    """The script failed: what was taken back, and what a person has to do if not everything could be."""
    block = label_block(
        [
            ("Outcome", "Release failed"),
            ("Version", plan.version.tag),
            *_script(failure.gate),
            ("Script status", failure.script.text),
            *_rollback(plan, start, failure.rollback),
        ]
    )
    return (
        block
        if failure.rollback.complete
        else "\n\n".join([block, _details(plan, start, failure), _advice(plan, start, failure)])
    )


def _basis(plan: ReleasePlan) -> list[Row]:
    return [
        ("Last tag", plan.last.name if plan.last else "none"),
        ("Commit range", plan.range_label),
        ("Computed bump", plan.computed.label),
    ]


def _script(gate: Gate) -> list[Row]:
    return [("Release script", printable(gate.command)), ("Script source", gate.source)]


def _rollback(plan: ReleasePlan, start: Start, rollback: Rollback) -> list[Row]:
    tag, commit = plan.version.tag, start.commit[:8]
    tag_text = {None: "skipped (no tag created)", True: f"removed {tag}", False: f"FAILED to remove {tag}"}
    branch = f"{start.branch} to {commit}"
    left = ", ".join(printable(name) for name in rollback.untracked)
    return [
        ("Rollback", "complete" if rollback.complete else "incomplete"),
        ("Tag rollback", tag_text[rollback.tag_removed]),
        ("Branch rollback", f"restored {branch}" if rollback.branch_restored else f"FAILED to restore {branch}"),
        (
            "Worktree rollback",
            f"restored to {commit}" if rollback.worktree_restored else f"FAILED to restore to {commit}",
        ),
        ("Changed files", how_to_get_back(rollback.saved_as) if rollback.saved_as else ""),
        ("Untracked files", f"left where they are: {left}" if left else ""),
    ]


def _details(plan: ReleasePlan, start: Start, failure: Failure) -> str:
    rows = [
        ("start_head", start.commit),
        ("created_commit", failure.commit),
        ("branch", start.branch),
        ("created_tag", "<none>" if failure.rollback.tag_removed is None else plan.version.tag),
    ]
    lines = [f"  {label}: {value}" for label, value in rows]
    errors = [f"    - {line}" for error in failure.rollback.errors for line in error.split("\n")]
    return "\n".join(["Rollback recovery details:", *lines, "  rollback_errors:", *errors])


def _advice(plan: ReleasePlan, start: Start, failure: Failure) -> str:
    commands = [f"git checkout {start.branch}", f"git reset --hard {start.commit}"]
    if failure.rollback.tag_removed is not None:
        commands.append(f"git tag -d {plan.version.tag}")
    return "\n".join(["Manual recovery suggestions:", *(f"  {command}" for command in commands)])
