"""Which plan, branch and checkout a node is about (spec 06 §6)."""

from pathlib import Path

from vizier_core.jobs.operations.node import RunningNode
from vizier_core.vcs.checkout import Checkout
from vizier_core.vcs.git import Git
from vizier_core.vcs.moving import recover_checkout
from vizier_kernel.names import component
from vizier_kernel.plan_document import DRAFT_PREFIX, default_branch


def usable_git(running: RunningNode, directory: Path | None = None) -> Git:
    """Git for a node that changes a repository.

    Args:
        running: the node.
        directory: where; its execution root if omitted.

    Raises:
        GitError: git is missing or too old (ruling R76).
    """
    git = running.git if directory is None else running.git.at(directory)
    git.require_version()
    return git


def usable_checkout(running: RunningNode) -> Checkout:
    """The working tree of a node, without what a killed process may have left half done.

    Raises:
        GitError: git is missing or too old, or the node does not work in a working tree.
    """
    checkout = Checkout(usable_git(running))
    recover_checkout(checkout)
    return checkout


def plan_of(running: RunningNode) -> str | None:
    """The plan that the arguments name, else the one that the record does."""
    return running.node.arg("slug", "plan") or _text(running.record.meta.plan)


def branch_of(running: RunningNode, *arguments: str) -> str | None:
    """The branch of a plan: the arguments, the plan they name, or what the record says."""
    meta = running.record.meta
    named = running.node.arg("slug", "plan")
    recorded = _text(meta.plan)
    return (
        running.node.arg(*arguments)
        or (default_branch(named) if named else None)
        or _text(meta.branch)
        or (default_branch(recorded) if recorded else None)
    )


def workflow_slug(running: RunningNode) -> str:
    """What a run is about, for the names of its files; not sanitised."""
    branch = _text(running.record.meta.branch) or ""
    from_branch = branch.removeprefix(DRAFT_PREFIX).strip() if branch.startswith(DRAFT_PREFIX) else ""
    return plan_of(running) or from_branch or component(running.record.id)


def merge_slug(running: RunningNode, source: str) -> str:
    """The plan that a branch carries out; of branches outside `draft/` nothing is known (ruling R62)."""
    from_source = source.removeprefix(DRAFT_PREFIX).strip() if source.startswith(DRAFT_PREFIX) else ""
    return plan_of(running) or from_source or workflow_slug(running)


def target_of(running: RunningNode) -> str | None:
    """The branch that work is merged into: the arguments, else what the record says."""
    return running.node.arg("target", "target_branch") or _text(running.record.meta.target)


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None
