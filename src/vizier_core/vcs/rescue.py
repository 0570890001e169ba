"""Keeps what would be lost with a worktree or a branch: as a commit under `refs/vizier/rescue/`.

Nothing that git or a person could still want is deleted without such a reference. `git switch -c NAME REFERENCE` brings
it back.
"""

import os
from pathlib import Path
from typing import Final

from vizier_core.errors import GitError
from vizier_core.vcs.git import Git
from vizier_core.vcs.identity import FALLBACK
from vizier_core.vcs.paths import without_runtime_paths

_PREFIX: Final = "refs/vizier/rescue/"


def rescue_worktree(root: Path, worktree: Path, name: str) -> str | None:
    """Saves the state of a worktree that is about to be removed.

    Args:
        root: the project root.
        worktree: a linked worktree; uncommitted and untracked files count, ignored ones do not.
        name: what the reference is called after, usually the job.

    Returns:
        The reference; None if there was nothing that would be lost.

    Raises:
        GitError: the state cannot be saved.
    """
    git = Git(worktree)
    head = git.text("rev-parse", "--verify", "--quiet", "HEAD", accept=(0, 1)).strip()
    if _has_changes(git):
        commit = _snapshot(git, head, f"Files of the worktree {worktree.name} when it was removed")
    elif head and not _is_reachable(git, head, detached=not git.text("symbolic-ref", "-q", "HEAD", accept=(0, 1))):
        commit = head
    else:
        return None
    return _save(Git(root), name, commit)


def rescue_commit(git: Git, commit: str, name: str) -> str | None:
    """Saves a commit that no branch or tag will lead to any more; None if one still does."""
    if git.text("for-each-ref", f"--contains={commit}", "--count=1", "--format=%(refname)"):
        return None
    return _save(git, name, commit)


def how_to_get_back(reference: str) -> str:
    """What to tell the operator."""
    return f"saved as {reference}; get it back with `git switch -c rescued {reference}`"


def _has_changes(git: Git) -> bool:
    listed = git.run("status", "--porcelain=v1", "-z", "--untracked-files=all", "--", ":/", *without_runtime_paths())
    return bool(listed.stdout)


def _is_reachable(git: Git, commit: str, *, detached: bool) -> bool:
    """Whether something else than the worktree's own HEAD leads to its commit."""
    if not detached:
        return True
    return bool(git.text("for-each-ref", f"--contains={commit}", "--count=1", "--format=%(refname)"))


def _snapshot(git: Git, head: str, message: str) -> str:
    """A commit of all files as they are, made in an index of its own."""
    index = Path(git.text("rev-parse", "--git-path", "vizier-rescue-index"))
    environment = {"GIT_INDEX_FILE": str((git.directory / index).resolve())}
    try:
        if head:
            git.run("read-tree", head, environment=environment)
        git.run("add", "--all", "--", ":/", *without_runtime_paths(), environment=environment)
        tree = os.fsdecode(git.run("write-tree", environment=environment).stdout).strip()
    finally:
        Path(environment["GIT_INDEX_FILE"]).unlink(missing_ok=True)
    parents = ["-p", head] if head else []
    made = git.run("commit-tree", tree, *parents, "-m", message, environment=FALLBACK.environment())
    return os.fsdecode(made.stdout).strip()


def _save(git: Git, name: str, commit: str) -> str:
    """Creates a reference that does not exist yet; an earlier rescue of the same name stays."""
    for attempt in range(1, 1000):
        reference = f"{_PREFIX}{name}" + (f".{attempt}" if attempt > 1 else "")
        present = git.text("rev-parse", "--verify", "--quiet", reference, accept=(0, 1)).strip()
        if present == commit:
            return reference
        if not present:
            git.run("update-ref", reference, commit, "0" * len(commit))
            return reference
    raise GitError(f"there are too many references like {_PREFIX}{name}; delete some")
