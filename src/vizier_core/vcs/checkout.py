"""A working tree: where its files and its git directory are, and what state it is in."""

import os
from typing import Final

from vizier_core.errors import GitError
from vizier_core.project import git_directory
from vizier_core.vcs.git import Git
from vizier_core.vcs.progress import OperationInProgress, operation_in_progress

_HEADS: Final = "refs/heads/"


class Checkout:
    """One working tree, the main one or a linked one.

    Args:
        git: git in a directory of the working tree.

    Raises:
        GitError: the directory is in no working tree.
    """

    def __init__(self, git: Git) -> None:
        directory = git.directory
        try:
            top = next(path for path in (directory, *directory.parents) if os.path.lexists(path / ".git"))
            self.git_directory = git_directory(top)
        except (StopIteration, OSError):
            raise GitError(f"{directory} is in no git working tree") from None
        #: The root of the working tree.
        self.root = top
        self.git = git.at(top)

    @property
    def head(self) -> str | None:
        """The commit that is checked out; None if there is none yet."""
        return commit_of(self.git, "HEAD")

    @property
    def branch(self) -> str | None:
        """The branch that is checked out, even if it has no commit yet; None on a detached HEAD."""
        name = self.git.text("symbolic-ref", "--quiet", "HEAD", accept=(0, 1))
        return name.removeprefix(_HEADS) if name.startswith(_HEADS) else None

    @property
    def operation(self) -> OperationInProgress | None:
        """What was begun and not ended here."""
        return operation_in_progress(self.root)

    @property
    def merge_head(self) -> str | None:
        """The commit of the merge in progress; None if there is none.

        Raises:
            GitError: several commits are being merged at once.
        """
        try:
            lines = (self.git_directory / "MERGE_HEAD").read_text(encoding="ascii").split()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise GitError(f"cannot read MERGE_HEAD: {error}") from None
        if len(lines) != 1:
            raise GitError(f"the merge in progress has {len(lines)} other parents, expected one")
        return lines[0]

    def conflicts(self) -> list[str]:
        """The paths with conflicts in the index, sorted.

        Raises:
            GitError: the index cannot be read; that never means that there are none (WS-06-15).
        """
        listed = self.git.fields("ls-files", "--unmerged", "-z")
        return sorted({line.partition("\t")[2] for line in listed}, key=os.fsencode)

    def staged(self) -> list[str]:
        """The paths whose index entries differ from HEAD, without those in conflict, sorted."""
        against = self.head or empty_tree(self.git)
        names = self.git.fields(
            "diff-index", "--cached", "--name-only", "--no-renames", "--diff-filter=ACDMT", "-z", against
        )
        return sorted(set(names) - set(self.conflicts()), key=os.fsencode)


def commit_of(git: Git, revision: str) -> str | None:
    """The commit that a revision names; None if there is no such."""
    found = git.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", accept=(0, 1))
    return found or None


def branch_tip(git: Git, branch: str) -> str | None:
    """The commit at the tip of a local branch; None if there is no such branch, or can be none of this name."""
    found = git.run("show-ref", "--verify", "--hash", "--", _HEADS + branch, accept=(0, 1, 128))
    return found.stdout.decode("ascii").strip() or None if found.returncode == 0 else None


def is_ancestor(git: Git, ancestor: str, descendant: str) -> bool:
    """Whether one commit is another or in its history."""
    return git.run("merge-base", "--is-ancestor", ancestor, descendant, accept=(0, 1)).returncode == 0


def empty_tree(git: Git) -> str:
    """The tree without files, in the hash of the repository."""
    return git.text("hash-object", "-t", "tree", "/dev/null")
