"""Other working trees that stand on the same branch (WS-06-12, WS-09-37)."""

import os
from pathlib import Path
from typing import NamedTuple

from vizier_core.errors import GitError
from vizier_core.vcs.checkout import Checkout
from vizier_core.vcs.git import Git
from vizier_core.vcs.moving import HeadChange, Move, move_checkout

_HEADS = "refs/heads/"


class BranchUser(NamedTuple):
    """A working tree and the branch that it has checked out."""

    root: Path
    branch: str


def branch_users(git: Git) -> list[BranchUser]:
    """The working trees that stand on a branch, the main one first.

    Raises:
        GitError: git cannot tell.
    """
    users = []
    root = Path()
    for line in git.fields("worktree", "list", "--porcelain", "-z"):
        key, _, value = line.partition(" ")
        if key == "worktree":
            root = Path(value)
        elif key == "branch":
            users.append(BranchUser(root, value.removeprefix(_HEADS)))
    return users


def follow_branch(checkout: Checkout, change: HeadChange) -> list[str]:
    """Brings other working trees up to date whose branch has just been moved from here.

    Without it they would look as if somebody had staged the reverse change there.

    Args:
        checkout: the working tree that has moved the branch; it is up to date.
        change: what has happened.

    Returns:
        Lines for the operator about those that could not be brought up to date.
    """
    branch = (change.reference or "").removeprefix(_HEADS)
    try:
        users = branch_users(checkout.git)
    except GitError as error:
        return [f"cannot tell who else stands on {branch}: {error}"]
    lines = []
    for user in users:
        if user.branch != branch or not user.root.is_dir() or os.path.samefile(user.root, checkout.root):
            continue
        try:
            other = Checkout(checkout.git.at(user.root))
            if other.operation is not None:
                raise GitError(f"a {other.operation.value} is in progress there")
            move_checkout(other, Move(what=f"the new commit on {branch}", old=change.old or None, new=change.new))
        except (GitError, OSError) as error:
            lines.append(f"{user.root} stands on {branch} as well and is behind its new commit: {error}")
    return lines
