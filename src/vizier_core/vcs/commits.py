"""Making commits without touching files: whose they are, what they say, what hooks say to it (spec 09 §13.5)."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vizier_core.errors import GitError, NothingToCommitError, OperationInProgressError
from vizier_core.files import remove_file
from vizier_core.vcs.branch_users import follow_branch
from vizier_core.vcs.checkout import Checkout, empty_tree
from vizier_core.vcs.git import Git
from vizier_core.vcs.hooks import check_message, run_hook, tell_hook
from vizier_core.vcs.identity import repository_identity
from vizier_core.vcs.moving import HeadChange, set_reference
from vizier_core.vcs.progress import OperationInProgress

#: A plain commit would be taken for the end of these, and lose what they know.
_ENDED_BY_COMMIT: Final = frozenset(
    {OperationInProgress.MERGE, OperationInProgress.CHERRY_PICK, OperationInProgress.REVERT}
)


def commit_staged(git: Git, message: str) -> list[str]:
    """Commits the index on HEAD.

    Args:
        git: in a directory of the working tree.
        message: stored as it is.

    Returns:
        Lines for the operator.

    Raises:
        OperationInProgressError: a merge or the like is in progress, or there are conflicts (WS-06-24).
        NothingToCommitError: the index is what HEAD has.
        HeadMovedError: somebody else has committed meanwhile.
        GitError: git or a hook refuses; its words are in the message.
    """
    checkout = Checkout(git)
    refuse_in_progress(checkout)
    run_hook(checkout, "pre-commit")
    head = checkout.head
    tree = index_tree(checkout)
    parent_tree = checkout.git.text("rev-parse", f"{head}^{{tree}}") if head else empty_tree(checkout.git)
    if tree == parent_tree:
        raise NothingToCommitError
    message = check_message(checkout, message, "message")
    commit = create_commit(checkout.git, tree, [head] if head else [], message)
    change = advance(checkout, head, commit, f"commit: {subject_of(message)}")
    set_reference(checkout, change)
    lines = tell_hook(checkout, "post-commit")
    return [*lines, *follow_branch(checkout, change)]


def refuse_in_progress(checkout: Checkout) -> None:
    """Refuses to commit in the middle of something else.

    Raises:
        OperationInProgressError: there is something else.
    """
    conflicts = checkout.conflicts()
    if conflicts:
        raise OperationInProgressError(f"there are unresolved conflicts: {', '.join(conflicts)}")
    operation = checkout.operation
    if operation in _ENDED_BY_COMMIT:
        raise OperationInProgressError(f"a {operation.value} is in progress; finish or abort it first")


def index_tree(checkout: Checkout) -> str:
    """The index as a tree; the index itself is neither locked nor changed.

    Raises:
        GitError: it has conflicts.
    """
    with scratch_index(checkout) as index:
        return index.run("write-tree")


def tree_without(checkout: Checkout, commit: str, path: str) -> str:
    """The tree of a commit without one file."""
    with scratch_index(checkout, copied=False) as index:
        index.run("read-tree", commit)
        index.run("update-index", "--force-remove", "--", path)
        return index.run("write-tree")


class ScratchIndex:
    """An index of its own, to make trees in.

    Attributes:
        environment: what makes any git use this index.
    """

    def __init__(self, git: Git, path: Path) -> None:
        self._git = git
        self.environment = {"GIT_INDEX_FILE": str(path)}

    def run(self, *arguments: str, accept: Sequence[int] = (0,)) -> str:
        """What a git command that uses this index prints."""
        done = self._git.run(*arguments, accept=accept, environment=self.environment)
        return os.fsdecode(done.stdout).strip()


@contextmanager
def scratch_index(checkout: Checkout, *, copied: bool = True) -> Iterator[ScratchIndex]:
    """A scratch index for as long as the block lasts.

    Args:
        checkout: the repository.
        copied: whether it begins as a copy of the working tree's index.
    """
    path = checkout.git_directory / f"vizier-index.{os.getpid()}"
    try:
        if copied:
            _copy_index(checkout.git_directory / "index", path)
        yield ScratchIndex(checkout.git, path)
    finally:
        remove_file(path)
        remove_file(path.with_name(f"{path.name}.lock"))


def create_commit(git: Git, tree: str, parents: Sequence[str], message: str) -> str:
    """Makes a commit object, signed if the settings say so; nothing points to it yet.

    Raises:
        GitError: git cannot make or sign it.
    """
    arguments = [word for parent in parents for word in ("-p", parent)]
    if git.settings.sign:
        arguments.append("-S")
    data = message.encode("utf-8", errors="surrogateescape")
    made = git.run(
        "commit-tree", *arguments, "-F", "-", tree, data=data, environment=repository_identity(git).environment()
    )
    return made.stdout.decode("ascii").strip()


def advance(checkout: Checkout, old: str | None, new: str, reason: str) -> HeadChange:
    """The change of HEAD, or of the branch it stands on, from one commit to the next."""
    branch = checkout.branch
    reference = "HEAD" if branch is None else f"refs/heads/{branch}"
    return HeadChange(reference=reference, old=old or "", new=new, reason=reason)


def subject_of(message: str) -> str:
    """The first line of a message."""
    return message.strip().split("\n", 1)[0]


def _copy_index(index: Path, copy: Path) -> None:
    try:
        shutil.copy2(index, copy)
    except FileNotFoundError:
        return  # no index yet
    except OSError as error:
        raise GitError(f"cannot read {index}: {error.strerror or error}") from None
