"""Taking back what an interrupted change has done to the files of a working tree (decision D12)."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vizier_core.files import remove_empty_directory, remove_file
from vizier_core.vcs.git import Git
from vizier_core.vcs.index_lock import HeldIndex


class FileChange(NamedTuple):
    """A file that differs between two commits."""

    path: str
    #: The old and the new version; None where there is none, or it is no file.
    old: str | None
    new: str | None


def file_changes(git: Git, old: str, new: str) -> list[FileChange]:
    """The files that differ between two trees, in the order of their paths."""
    fields = git.fields("diff-tree", "-r", "--raw", "--no-renames", "--no-abbrev", "-z", old, new)
    changes = []
    for place in range(0, len(fields), 2):
        old_mode, new_mode, old_blob, new_blob, _ = fields[place].removeprefix(":").split(" ")
        changes.append(FileChange(fields[place + 1], _blob(old_mode, old_blob), _blob(new_mode, new_blob)))
    return changes


def undo_changes(held: HeldIndex, changes: Sequence[FileChange]) -> None:
    """Puts back the files of an index that was not changed yet, after a git that was to change them did not end.

    Before that began, none of these files had local changes. What is there now was written by it, whole or torn, unless
    somebody has edited the file since: that stays, and shows as a change.
    """
    checkout = held.checkout
    git = checkout.git
    held.discard_copy()
    indexed = set(git.fields("ls-files", "--cached", "-z"))
    ours = [change.path for change in changes if _was_written(git, change)]
    back = b"".join(os.fsencode(path) + b"\0" for path in ours if path in indexed)
    git.run("checkout-index", "--force", "-z", "--stdin", data=back)
    for path in ours:
        if path not in indexed:
            remove_file(checkout.root / path)
            _remove_empty_parents(checkout.root, path)


def _blob(mode: str, blob: str) -> str | None:
    return None if mode in {"000000", "160000"} else blob


def _was_written(git: Git, change: FileChange) -> bool:
    """Whether a file is its new version or the beginning of that, or gone although there was an old one."""
    path = git.directory / change.path
    try:
        status = os.lstat(path)
    except OSError:
        return change.old is not None
    if stat.S_ISLNK(status.st_mode):
        found = git.run("hash-object", "--stdin", data=os.fsencode(os.readlink(path))).stdout.decode("ascii").strip()
        return found == change.new
    if not stat.S_ISREG(status.st_mode):
        return False
    found = git.text("hash-object", "--", change.path)
    return found == change.new or (found != change.old and _is_torn(git, path, change))


def _is_torn(git: Git, path: Path, change: FileChange) -> bool:
    if change.new is None:
        return False
    whole = git.run("cat-file", "--filters", f"--path={change.path}", change.new).stdout
    return whole.startswith(path.read_bytes())


def _remove_empty_parents(root: Path, path: str) -> None:
    for parent in (root / path).parents:
        if parent == root:
            return
        remove_empty_directory(parent)
