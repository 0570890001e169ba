"""Deleting local branches without losing commits or disturbing a checkout (spec 03 §8.4)."""

from typing import NamedTuple

from vizier_core.errors import GitError
from vizier_core.vcs.git import Git
from vizier_core.vcs.rescue import rescue_commit


class DeletedBranch(NamedTuple):
    """A branch that was deleted."""

    name: str
    commit: str
    #: Where commits that nothing else leads to were saved.
    rescued_as: str | None


def checked_out_branches(git: Git) -> set[str]:
    """The branches that the main or a linked worktree has checked out."""
    lines = git.text("worktree", "list", "--porcelain").split("\n")
    return {line.removeprefix("branch refs/heads/") for line in lines if line.startswith("branch refs/heads/")}


def delete_branch(git: Git, name: str) -> DeletedBranch | None:
    """Deletes a local branch, merged or not; None if there is none.

    Raises:
        GitError: git refuses.
    """
    commit = git.text("rev-parse", "--verify", "--quiet", f"refs/heads/{name}", accept=(0, 1)).strip()
    if not commit:
        return None
    git.run("branch", "-D", "--", name)
    try:
        rescued = rescue_commit(git, commit, name)
    except GitError:
        git.run("update-ref", f"refs/heads/{name}", commit, "0" * len(commit))
        raise
    return DeletedBranch(name, commit, rescued)
