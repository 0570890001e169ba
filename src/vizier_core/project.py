"""Where the project is: its root, its git directories, and how far its files are shared (spec 08 §2.1, decision D3)."""

import os
import re
import zlib
from pathlib import Path

from vizier_core.errors import NotARepositoryError

#: Managed worktrees live here, below the project root (spec 02 §15).
WORKTREES = Path(".vizier") / "tmp-worktrees"

_SHARED_REPOSITORY = re.compile(r"^\s*sharedrepository\s*=\s*\"?(\w+)\"?\s*(?:[#;].*)?$", re.IGNORECASE | re.MULTILINE)


def find_project_root(start: Path) -> Path:
    """The nearest directory at or above `start` that is a git checkout, symlinks resolved.

    A worktree that vizier manages maps back to the project that owns it, so that what an agent runs there finds the
    same jobs; any other linked worktree is a project of its own.

    Raises:
        NotARepositoryError: there is none.
    """
    start = start.resolve()
    for directory in (start, *start.parents):
        if _is_checkout(directory):
            return _owner_of_worktree(directory) or directory
    raise NotARepositoryError


def git_directory(root: Path) -> Path:
    """The git directory of a checkout: `.git`, or where the `.git` file points."""
    dot_git = root / ".git"
    if dot_git.is_dir():
        return dot_git
    text = dot_git.read_text(encoding="utf-8", errors="surrogateescape").strip()
    return (root / text.removeprefix("gitdir:").strip()).resolve()


def git_common_directory(root: Path) -> Path:
    """The git directory that all worktrees of the repository share, found without starting git."""
    directory = git_directory(root)
    try:
        pointer = (directory / "commondir").read_text(encoding="utf-8", errors="surrogateescape").strip()
    except OSError:
        return directory
    return (directory / pointer).resolve()


def derived_directory(root: Path, jobs_root: Path) -> Path | None:
    """Where derived data about a jobs root lives, outside of what a checkout shows (ruling R74); None if nowhere.

    One directory per jobs root: the worktrees of a repository share the git common directory.
    """
    try:
        common = git_common_directory(root)
    except OSError:
        return None
    return common / "vizier" / f"{zlib.crc32(os.fsencode(jobs_root)):08x}"


def shared_file_mode(root: Path) -> int:
    """Permission bits for new private files: the owner's alone, or as `core.sharedRepository` says (ruling R73)."""
    try:
        text = (git_common_directory(root) / "config").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0o600
    found = _SHARED_REPOSITORY.findall(text)
    value = found[-1].lower() if found else "umask"
    if value in {"group", "true", "1"}:
        return 0o660
    if value in {"all", "world", "everybody", "2"}:
        return 0o664
    if re.fullmatch(r"0[0-7]{3}", value):
        return int(value, 8) & 0o666 | 0o600
    return 0o600


def _is_checkout(directory: Path) -> bool:
    dot_git = directory / ".git"
    if dot_git.is_dir():
        return True
    if not dot_git.is_file():
        return False
    try:
        return dot_git.read_text(encoding="utf-8", errors="replace").lstrip().startswith("gitdir:")
    except OSError:
        return True


def _owner_of_worktree(root: Path) -> Path | None:
    """The project whose managed worktree this is."""
    if root.parent.parts[-2:] != WORKTREES.parts:
        return None
    owner = root.parents[2]
    try:
        if _is_checkout(owner) and git_common_directory(owner).samefile(git_common_directory(root)):
            return owner
    except OSError:
        return None
    return None
