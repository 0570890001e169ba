"""What has to be in order before a release is even planned (spec 09 §8.3)."""

from pathlib import Path
from typing import NamedTuple

from vizier_core.errors import OperationRefusedError
from vizier_core.vcs.git import Git
from vizier_core.vcs.progress import operation_in_progress
from vizier_core.vcs.refs import RepositoryView

_BRANCHES = "refs/heads/"


class Start(NamedTuple):
    """Where a release begins. Everything after is compared with this (WS-09-15)."""

    #: Name of the branch that is checked out.
    branch: str
    #: Its tip.
    commit: str

    @property
    def reference(self) -> str:
        """The full name of the branch."""
        return f"{_BRANCHES}{self.branch}"


def check_preconditions(root: Path) -> Start:
    """Checks that the checkout can be released.

    Raises:
        OperationRefusedError: git is in the middle of something, no branch is checked out, or there are changes.
        GitError: there is no commit yet, or git cannot tell.
    """
    operation = operation_in_progress(root)
    if operation is not None:
        raise OperationRefusedError(f"cannot release while a {operation.value} is in progress")
    git = Git(root)
    commit = git.text("rev-parse", "--verify", "HEAD^{commit}")
    reference = git.text("symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
    if not reference.startswith(_BRANCHES):
        raise OperationRefusedError("cannot release from detached HEAD; checkout a branch first")
    if not RepositoryView(git).is_clean:
        raise OperationRefusedError(
            "working tree has uncommitted or untracked changes; commit, stash or remove them first"
        )
    return Start(reference.removeprefix(_BRANCHES), commit)
