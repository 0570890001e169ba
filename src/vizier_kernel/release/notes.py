"""The texts of a release: notes, commit message, tag message (spec 09 §8.5, §8.7)."""

from vizier_kernel.release.plan import ReleasePlan


def notes_preview(plan: ReleasePlan) -> str:
    """The notes for somebody who decides about the release."""
    return (
        "\n".join(["Changes:", *(f"  {line}" for line in _lines(plan))])
        if plan.entries
        else "(no release notes entries)"
    )


def commit_message(plan: ReleasePlan, generated_at: str) -> str:
    """The message of the release commit.

    Args:
        plan: the release.
        generated_at: the moment, in RFC 3339.
    """
    notes = ["### Changes", *_lines(plan)] if plan.entries else ["- No release notes entries"]
    return "\n".join(
        [
            f"chore(release): {plan.version.tag}",
            "",
            f"Previous version: {plan.base.tag}",
            f"New version: {plan.version.tag}",
            f"Bump: {plan.selected.label}",
            f"Commit range: {plan.range_label}",
            f"Commits scanned: {len(plan.commits)}",
            f"Releasable commits: {plan.releasable}",
            "",
            "Release Notes:",
            *notes,
            "",
            "Generated-by: vizier release",
            f"Generated-at: {generated_at}",
        ]
    )


def tag_message(plan: ReleasePlan) -> str:
    """The message of the annotated tag."""
    return "\n".join(
        [
            f"Release {plan.version.tag}",
            "",
            f"From: {plan.base.tag}",
            f"Bump: {plan.selected.label}",
            f"Commits scanned: {len(plan.commits)}",
            f"Releasable commits: {plan.releasable}",
            f"Release note entries (Conventional Commits): {len(plan.notable)}",
        ]
    )


def _lines(plan: ReleasePlan) -> list[str]:
    lines = [f"- {entry.subject} ({entry.commit})" for entry in plan.entries]
    return [*lines, f"- +{plan.overflow} more"] if plan.overflow else lines
