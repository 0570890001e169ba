"""Finding a file in the history of a branch (spec 06 §7.9 step 4, 09 §13.10)."""

from typing import NamedTuple

from vizier_core.errors import GitError
from vizier_core.vcs.checkout import branch_tip, commit_of
from vizier_core.vcs.git import Git
from vizier_core.vcs.objects import read_blobs


class FoundFile(NamedTuple):
    """A file in a commit."""

    text: str
    #: Whether the branch still has it at its tip.
    at_tip: bool


def find_on_branch(git: Git, branch: str, path: str, onto: str | None = None) -> FoundFile | None:
    """A file as the tip of a branch has it, else as the newest commit had it that changed and kept it.

    Args:
        git: the repository.
        branch: a local branch.
        path: the file, below the root of the tree.
        onto: a revision whose history does not count: a file from work that was merged long ago is none of this
            branch's (WS-06-21, WS-09-44).

    Raises:
        GitError: there is no such branch, or the file is not valid UTF-8.
    """
    tip = branch_tip(git, branch)
    if tip is None:
        raise GitError(f"there is no local branch `{branch}`")
    excluded = [f"^{onto}"] if onto is not None and commit_of(git, onto) else []
    listed = git.text("rev-list", "--topo-order", "--full-history", tip, *excluded, "--", f":(top,literal){path}")
    places = [(commit, path) for commit in (tip, *listed.split("\n")) if commit]
    blobs = read_blobs(git, places)
    found = next((place for place in places if place in blobs), None)
    if found is None:
        return None
    try:
        return FoundFile(blobs[found].decode("utf-8"), at_tip=found[0] == tip)
    except UnicodeDecodeError:
        raise GitError(f"{path} in commit {found[0]} is not valid UTF-8") from None
