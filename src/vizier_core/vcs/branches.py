"""Creating and deleting local branches without losing commits or disturbing a checkout (spec 03 §8.4, 09 §13.6)."""

from typing import NamedTuple

from vizier_core.errors import GitError
from vizier_core.vcs.branch_users import branch_users
from vizier_core.vcs.checkout import branch_tip, commit_of
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
    return {user.branch for user in branch_users(git)}


def ensure_branch(git: Git, name: str, creator: str) -> bool:
    """Makes sure that a local branch exists, created at HEAD if need be; nothing is checked out (spec 06 §6.2).

    Args:
        git: in the working tree whose HEAD counts.
        name: the branch.
        creator: who asks, in one line. It stands in the log of the branch, so that who was killed after it had created
            the branch still knows later that it did.

    Returns:
        Whether the branch is the creator's.

    Raises:
        GitError: the branch cannot be created.
    """
    note = f"branch: created by {creator}"
    if branch_tip(git, name) is not None:
        return _first_note(git, name) == note
    try:
        check_branch_name(git, name)
        head = commit_of(git, "HEAD")
        if head is None:
            raise GitError("HEAD has no commit yet, so there is nothing a branch could begin with")
        git.run("update-ref", "--create-reflog", "-m", note, "--", f"refs/heads/{name}", head, "0" * len(head))
    except GitError as error:
        if branch_tip(git, name) is None:
            raise GitError(f"unable to create local branch `{name}`: {error}") from None
        return False  # somebody else was faster
    return True


def check_branch_name(git: Git, name: str) -> None:
    """Refuses names that git does not allow for branches, or takes for options (WS-06-25).

    Raises:
        GitError: the name is no good.
    """
    if (
        name == "HEAD"
        or name.startswith("-")
        or git.run("check-ref-format", f"refs/heads/{name}", accept=(0, 1)).returncode
    ):
        raise GitError(f"`{name}` is not a valid branch name")


def delete_at(git: Git, name: str, commit: str, reason: str) -> None:
    """Deletes a branch, merged or not, with its configuration, if it is still at a commit.

    Raises:
        GitError: it has moved on, or is checked out somewhere.
    """
    for user in branch_users(git):
        if user.branch == name:
            raise GitError(f"{name} is checked out at {user.root}")
    tip = branch_tip(git, name)
    if tip is None:
        return
    if tip != commit:
        raise GitError(f"{name} has moved on to {tip}")
    git.run("update-ref", "-m", reason, "-d", f"refs/heads/{name}", commit)
    # Exit code 128: there is no such section.
    git.run("config", "--local", "--remove-section", f"branch.{name}", accept=(0, 1, 5, 128))


def _first_note(git: Git, name: str) -> str | None:
    """The oldest line in the log of a branch; None if there is no log."""
    notes = git.text("reflog", "show", "--format=%gs", f"refs/heads/{name}", "--", accept=(0, 128)).split("\n")
    return notes[-1] or None


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
