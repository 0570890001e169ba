"""What tests do with the version control of the core: a merge from beginning to end, a worktree on a branch."""

from pathlib import Path

from vizier_core.vcs.branches import ensure_branch
from vizier_core.vcs.checkout import Checkout as WorkingTree
from vizier_core.vcs.commits import commit_staged
from vizier_core.vcs.git import Git
from vizier_core.vcs.merging import Conflicted, Merged, MergeRequest, ReadyMerge, commit_merge, prepare_merge
from vizier_core.vcs.staging import stage_paths
from vizier_core.vcs.worktrees import add_worktree

from ..checkouts import Checkout

CREATOR = "job test"


def working_tree(checkout: Checkout) -> WorkingTree:
    """The same working tree as the core sees it."""
    return WorkingTree(Git(checkout.path))


def request(branch: str, *, squash: bool = True, message: str = "feat: merge") -> MergeRequest:
    return MergeRequest(branch=branch, squash=squash, message=message, creator=CREATOR)


def merge(checkout: Checkout, branch: str, *, squash: bool = True) -> Merged | Conflicted:
    """Merges as the node does: looks at it first, then commits."""
    tree, wanted = working_tree(checkout), request(branch, squash=squash)
    prepared = prepare_merge(tree, wanted)
    return commit_merge(tree, prepared, wanted) if isinstance(prepared, ReadyMerge) else prepared


def worktree(checkout: Checkout, branch: str, path: Path) -> Checkout:
    """A worktree on a branch, which is created if it does not exist."""
    git = Git(checkout.path)
    ensure_branch(git, branch, CREATOR)
    path.parent.mkdir(parents=True, exist_ok=True)
    add_worktree(git, path, branch)
    return Checkout(path)


def commit_all(checkout: Checkout, message: str = "work") -> str:
    """Stages and commits everything; the commit."""
    git = Git(checkout.path)
    stage_paths(git, ["."])
    commit_staged(git, message)
    return checkout.tip("HEAD")
