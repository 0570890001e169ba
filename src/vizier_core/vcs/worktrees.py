"""The linked worktrees of a repository: which git knows, adding one, removing one (spec 02 §15, 03 §6, 09 §13.7)."""

import contextlib
import os
from pathlib import Path
from typing import Final, NamedTuple

from vizier_core.errors import GitError
from vizier_core.files import entries, remove_tree
from vizier_core.project import git_common_directory
from vizier_core.vcs.checkout import Checkout
from vizier_core.vcs.git import Git

#: What git writes into the lock of a worktree while it makes it; it stays there if git is killed.
_UNFINISHED: Final = "initializing"


class Registration(NamedTuple):
    """A linked worktree as git has registered it."""

    name: str
    path: Path
    #: Git was killed while it made it.
    unfinished: bool


def registered_worktrees(root: Path) -> dict[str, Path]:
    """Linked worktrees by the name under which git has registered them, whether their directories exist or not.

    Raises:
        OSError: the git directory cannot be read.
    """
    found = {}
    for entry in entries(git_common_directory(root) / "worktrees"):
        path = _registered_path(Path(entry.path))
        if path is not None:
            found[entry.name] = path
    return found


def find_registration(root: Path, path: Path) -> Registration | None:
    """How git has registered the worktree at a path; None if it has not.

    Raises:
        OSError: the git directory cannot be read.
    """
    for name, registered in registered_worktrees(root).items():
        if os.path.realpath(registered) == os.path.realpath(path):
            return Registration(name, registered, _is_unfinished(_administration(root, name)))
    return None


def add_worktree(git: Git, path: Path, branch: str) -> str:
    """Checks a branch out at a new path, even if it is checked out elsewhere too; the name git has given it.

    What an earlier attempt has left of the same worktree is removed before, and what this one leaves if it fails.

    Args:
        git: in the main or a linked worktree.
        path: where; its parent exists, it does not, but for what an earlier attempt has left.
        branch: a local branch.

    Raises:
        GitError: something else is there, or git cannot make it.
    """
    root = git.directory
    existing = find_registration(root, path)
    if existing is not None and (existing.unfinished or not path.exists()):
        _discard(root, existing.name, path)
    elif os.path.lexists(path):
        raise GitError(f"{path} is there already and is no worktree of this job; move it away")
    elif _registered_path(_administration(root, path.name)) is None:
        # Killed so early that git does not know yet where it was to be.
        remove_tree(_administration(root, path.name))
    try:
        git.run("worktree", "add", "--quiet", "--force", "--no-guess-remote", str(path), branch)
    except GitError:
        with contextlib.suppress(OSError):
            _discard(root, path.name, path)
        raise
    made = find_registration(root, path)
    if made is None:
        raise GitError(f"git has made no worktree at {path}")
    return made.name


def worktree_branch(git: Git, path: Path) -> str | None:
    """The branch that a worktree stands on; None if it is on none, or is no worktree any more."""
    try:
        checkout = Checkout(git.at(path))
        return checkout.branch if checkout.root == path.resolve() else None
    except (GitError, OSError):
        return None


def unregister_worktree(git: Git, root: Path, name: str, path: Path) -> None:
    """Removes a linked worktree from git and from the disk, locked or dirty as it may be.

    Raises:
        GitError: git refuses.
        OSError: something cannot be deleted.
    """
    if path.exists() and not (path / ".git").exists():
        # Not a working tree any more: git would refuse to touch it, but the registration can go.
        remove_tree(_administration(root, name))
        return
    git.run("worktree", "remove", "--force", "--force", "--", str(path))


def _discard(root: Path, name: str, path: Path) -> None:
    """Removes what is left of a worktree that was never finished, or that somebody has deleted (WS-09-38a)."""
    if path.exists():
        remove_tree(path)
    administration = _administration(root, name)
    if _registered_path(administration) in {None, path}:
        remove_tree(administration)


def _administration(root: Path, name: str) -> Path:
    return git_common_directory(root) / "worktrees" / name


def _registered_path(administration: Path) -> Path | None:
    try:
        pointer = (administration / "gitdir").read_bytes()
    except OSError:
        return None
    return (administration / os.fsdecode(pointer.strip())).parent


def _is_unfinished(administration: Path) -> bool:
    try:
        return (administration / "locked").read_text(encoding="utf-8", errors="replace").strip() == _UNFINISHED
    except OSError:
        return False
