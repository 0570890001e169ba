"""Removing managed worktrees, and only what is verifiably vizier's own (spec 03 §6, decision D16)."""

from pathlib import Path

from vizier_core.errors import GitError
from vizier_core.files import remove_tree
from vizier_core.jobs.model import JobRecord, RetryCleanup
from vizier_core.jobs.store import JobStore
from vizier_core.project import WORKTREES
from vizier_core.vcs.git import Git
from vizier_core.vcs.rescue import how_to_get_back, rescue_worktree
from vizier_core.vcs.worktrees import registered_worktrees, unregister_worktree


def recorded_path(store: JobStore, path: str) -> Path:
    """Where a path of a record is: below the project root unless it is absolute."""
    return store.root / path


def is_safe_to_remove(store: JobStore, path: Path, name: str | None) -> bool:
    """Whether a recorded worktree may be removed: a direct child of the managed directory, links resolved (D16)."""
    if (name or "").startswith("vizier-workspace-") or path.name.startswith("workspace-"):
        return False
    if path.name in {"", ".", ".."} or path.is_symlink():
        return False
    managed = store.root / WORKTREES
    try:
        return path.parent.resolve() == managed.resolve() and path.resolve().parent == managed.resolve()
    except (OSError, RuntimeError):
        return False


def remove_worktree(store: JobStore, path: Path, name: str | None, job_id: str) -> list[str]:
    """Removes a managed worktree, its registration first; the directory goes even if that fails (spec 03 §6.2).

    What would be lost with it is saved before, and the operator is told where.

    Args:
        store: the records.
        path: the directory; the caller has checked that it may be removed.
        name: the name git may know it by.
        job_id: whose worktree it is; names what is saved.

    Returns:
        What went wrong; empty when nothing is left of the worktree.
    """
    errors: list[str] = []
    git = Git(store.root)
    if (path / ".git").is_file():
        try:
            saved = rescue_worktree(store.root, path, job_id)
        except GitError as error:
            if _is_worktree(path):
                return [f"cannot save what is in {path}, so it stays: {error}"]
            saved = None
        if saved is not None:
            store.warn(f"worktree {store.relative(path)} had work that is nowhere else: {how_to_get_back(saved)}")
    try:
        registered = registered_worktrees(store.root)
    except OSError as error:
        return [str(error)]
    by_path = next((found for found, where in registered.items() if _same(where, path)), None)
    candidates = list(dict.fromkeys(found for found in ((name or "").strip(), by_path) if found))
    failure = _unregister_first(git, store.root, candidates, registered)
    if failure is not None and (by_path is not None or path.exists()):
        listed = ", ".join(candidates)
        if (path / ".git").is_file():
            detail = f"unable to prune worktree metadata via candidates [{listed}]"
        else:
            detail = f"no registered worktree matched path {path} (candidates: [{listed}])"
        errors.append(f"failed to prune worktree {candidates[-1]}: {failure}; fallback cleanup failed: {detail}")
    try:
        remove_tree(path)
    except OSError as error:
        errors.append(f"failed to remove worktree directory {path}: {error.strerror or error}")
    return errors


def release_worktree(store: JobStore, record: JobRecord) -> tuple[RetryCleanup, str | None]:
    """Removes the worktree that a record owns, before the job is run again.

    Returns:
        What became of it, and why if it is degraded.
    """
    meta = record.meta
    if meta.worktree_owned is not True:
        return RetryCleanup.SKIPPED, None
    if meta.worktree_path is None:
        return RetryCleanup.DEGRADED, "worktree metadata is incomplete (missing worktree_path)"
    path = recorded_path(store, meta.worktree_path)
    if not is_safe_to_remove(store, path, meta.worktree_name):
        return RetryCleanup.DEGRADED, f"refusing to clean unsafe worktree path {path}"
    errors = remove_worktree(store, path, meta.worktree_name, record.id)
    return (RetryCleanup.DEGRADED, "; ".join(errors)) if errors else (RetryCleanup.DONE, None)


def _is_worktree(path: Path) -> bool:
    """Whether git still takes a directory for a working tree; otherwise there is nothing it could save."""
    try:
        return Git(path).text("rev-parse", "--is-inside-work-tree") == "true"
    except GitError:
        return False


def _unregister_first(git: Git, root: Path, candidates: list[str], registered: dict[str, Path]) -> str | None:
    """Unregisters the first candidate that can be; None on success or without candidates, else the last failure."""
    failure = None
    for name in candidates:
        if name not in registered:
            failure = f"`{name}` is not a registered worktree"
            continue
        try:
            unregister_worktree(git, root, name, registered[name])
        except (GitError, OSError) as error:
            failure = str(error)
        else:
            return None
    return failure


def _same(first: Path, second: Path) -> bool:
    try:
        return first.resolve() == second.resolve()
    except (OSError, RuntimeError):
        return False
