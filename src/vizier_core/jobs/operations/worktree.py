"""`worktree.prepare` and `worktree.cleanup`: a directory of its own for what follows (spec 06 §§7.3-7.4)."""

import os
from pathlib import Path
from typing import Final

from vizier_core.errors import GitError
from vizier_core.files import make_directories
from vizier_core.jobs.cleanup import is_safe_to_remove, recorded_path, remove_worktree
from vizier_core.jobs.model import JobMetadata, RetryCleanup
from vizier_core.jobs.operations.names import plan_of, usable_git
from vizier_core.jobs.operations.node import Handler, NodeResult, RunningNode, failed, succeeded, write_stderr
from vizier_core.project import WORKTREES
from vizier_core.vcs.branches import ensure_branch
from vizier_core.vcs.checkout import branch_tip
from vizier_core.vcs.git import Git
from vizier_core.vcs.worktrees import add_worktree, find_registration, worktree_branch
from vizier_kernel.names import component
from vizier_kernel.plan_document import default_branch


def prepare_worktree(running: RunningNode) -> NodeResult:
    """Makes a worktree on the branch of the plan; the nodes that follow work there.

    Raises:
        OSError: the directory for worktrees cannot be made.
        GitError: git is missing or too old.
    """
    branch = _branch(running)
    if branch is None:
        return failed("worktree.prepare could not determine branch (set branch or slug/plan)")
    root = running.store.root
    git = usable_git(running, root)
    try:
        created = ensure_branch(git, branch, running.creator)
    except GitError as error:
        return failed(f"worktree.prepare could not ensure branch `{branch}`: {error}")
    purpose = component(running.node.arg("purpose") or running.node.node_id)
    path = root / WORKTREES / f"{purpose}-{running.record.id}"
    make_directories(path.parent, running.store.file_mode)
    try:
        name = _existing(git, path, branch)
        summary = "worktree already exists for this node"
        if name is None:
            name = add_worktree(git, path, branch)
            summary = "worktree prepared"
    except GitError as error:
        if created:
            _take_back(git, branch, running.creator)
        return failed(f"worktree.prepare failed to add worktree: {error}")
    place = running.relative(path)
    return succeeded(
        summary,
        payload_refs=(place,),
        metadata=JobMetadata(
            branch=branch,
            ephemeral_owned_branches=(branch,) if created else None,
            execution_root=place,
            worktree_path=place,
            worktree_name=name,
            worktree_owned=True,
        ),
    )


def _branch(running: RunningNode) -> str | None:
    """The branch to work on; what an earlier attempt has settled on goes before the plan of the arguments."""
    settled = running.node.arg("branch") or (running.record.meta.branch or "").strip()
    if settled:
        return settled
    plan = plan_of(running)
    return default_branch(plan) if plan else None


def _existing(git: Git, path: Path, branch: str) -> str | None:
    """The name of the worktree that an earlier attempt has made here; None if there is none (WS-06-09).

    Raises:
        GitError: there is one on another branch.
    """
    registration = find_registration(git.directory, path)
    if registration is None or registration.unfinished or not os.path.lexists(path):
        return None
    found = worktree_branch(git, path)
    if found != branch:
        stands_on = f"stands on branch {found}" if found else "stands on no branch"
        raise GitError(f"{path} {stands_on}, expected {branch}; check that branch out there, or remove the worktree")
    return registration.name


def _take_back(git: Git, branch: str, creator: str) -> None:
    """Deletes a branch that was created for a worktree that could not be made, if nothing has happened on it."""
    tip, head = branch_tip(git, branch), git.text("rev-parse", "HEAD")
    if tip == head:
        git.run("update-ref", "-d", "-m", f"branch: taken back by {creator}", f"refs/heads/{branch}", tip)


def clean_up_worktree(running: RunningNode) -> NodeResult:
    """Removes the worktree that was handed to this node; what would be lost is saved before (decision D4, ruling R10).

    One that is gone already is removed (WS-06-08).
    """
    meta = running.record.metadata
    if meta is None:
        return succeeded("worktree cleanup skipped (no worktree metadata)")
    if meta.worktree_owned is not True:
        return succeeded("worktree cleanup skipped (worktree not marked as job-owned)")
    if meta.worktree_path is None:
        return failed("worktree cleanup cannot run: missing worktree_path metadata")
    path = recorded_path(running.store, meta.worktree_path)
    if not is_safe_to_remove(running.store, path, meta.worktree_name):
        return failed(f"refusing to cleanup unsafe worktree path {path}")
    errors = remove_worktree(running.store, path, meta.worktree_name, running.record.id)
    if errors:
        problem = "; ".join(errors)
        warning = f"workflow worktree cleanup degraded for job {running.record.id}: {problem}"
        write_stderr(warning + "\n")
        return succeeded(
            "worktree cleanup degraded (manual prune may be needed)",
            payload_refs=(meta.worktree_path,),
            stderr_lines=(warning,),
            metadata=JobMetadata(retry_cleanup_status=RetryCleanup.DEGRADED, retry_cleanup_error=problem),
        )
    return succeeded(
        "worktree cleaned",
        payload_refs=(meta.worktree_path,),
        metadata=JobMetadata(execution_root=".", worktree_owned=False, retry_cleanup_status=RetryCleanup.DONE),
    )


HANDLERS: Final[dict[str, Handler]] = {
    "worktree.prepare": prepare_worktree,
    "worktree.cleanup": clean_up_worktree,
}
