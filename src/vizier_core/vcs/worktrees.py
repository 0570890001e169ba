"""The worktrees that git knows about (spec 02 §15, 03 §6)."""

import os
from pathlib import Path

from vizier_core.files import entries
from vizier_core.project import git_common_directory
from vizier_core.vcs.git import Git


def registered_worktrees(root: Path) -> dict[str, Path]:
    """Linked worktrees by the name under which git has registered them, whether their directories exist or not.

    Raises:
        OSError: the git directory cannot be read.
    """
    found = {}
    for entry in entries(git_common_directory(root) / "worktrees"):
        try:
            pointer = Path(entry.path, "gitdir").read_bytes()
        except OSError:
            continue
        found[entry.name] = Path(os.fsdecode(pointer.strip())).parent
    return found


def unregister_worktree(git: Git, root: Path, name: str, path: Path) -> None:
    """Removes a linked worktree from git and from the disk, locked or dirty as it may be.

    Raises:
        GitError: git refuses.
    """
    if path.exists() and not (path / ".git").exists():
        # Not a working tree any more: git would refuse to touch it, but the registration can go.
        admin = git_common_directory(root) / "worktrees" / name
        (admin / "locked").unlink(missing_ok=True)
        git.run("worktree", "prune", "--expire=now")
        return
    git.run("worktree", "remove", "--force", "--force", "--", str(path))
