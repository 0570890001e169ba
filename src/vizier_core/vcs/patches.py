"""Patches: what has changed in a working tree, and applying that elsewhere (spec 06 §§7.11-7.12, 09 §13.11)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from vizier_core.errors import GitError, LocalChangesError, PatchError
from vizier_core.vcs.checkout import Checkout, empty_tree
from vizier_core.vcs.commits import ScratchIndex, scratch_index
from vizier_core.vcs.git import Git
from vizier_core.vcs.moving import Move, move_checkout
from vizier_core.vcs.paths import is_runtime_path, without_runtime_paths

#: A patch looks the same whatever the user's `diff.*` settings say (ruling R63).
_DIFF: Final = (
    *("diff", "--binary", "--full-index", "--no-color", "--no-renames", "--no-ext-diff", "--no-textconv"),
    *("--no-relative", "--ignore-submodules=all", "--unified=3", "--inter-hunk-context=0", "-O/dev/null"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
_APPLY: Final = (
    "apply",
    "--cached",
    "--binary",
    "--whitespace=nowarn",
    "--no-ignore-whitespace",
    "-p1",
)


def working_tree_patch(git: Git) -> bytes:
    """The difference between HEAD and the tracked files as they are, staged or not; untracked files are left out.

    Raises:
        GitError: git cannot tell.
    """
    checkout = Checkout(git)
    return checkout.git.run(*_DIFF, checkout.head or empty_tree(checkout.git), "--").stdout


def untracked_files(git: Git) -> list[str]:
    """The files that git does not know and that are not ignored; what vizier keeps for itself does not count."""
    names = git.fields("ls-files", "--others", "--exclude-standard", "-z", "--", ":/", *without_runtime_paths())
    return [name for name in names if not is_runtime_path(name.rstrip("/"))]


def apply_patches(git: Git, patches: Sequence[Path]) -> None:
    """Applies patches, one after the other, to index and working tree: all of them, or none (WS-06-22).

    Args:
        git: in a directory of the working tree; the paths in the patches are relative to its root.
        patches: the files.

    Raises:
        PatchError: one does not apply, or a file that it is about has local changes; nothing was changed.
        GitError: git refuses; nothing was changed.
    """
    checkout = Checkout(git)
    with scratch_index(checkout) as index:
        before = index.run("write-tree")
        for patch in patches:
            _apply(index, patch)
        after = index.run("write-tree")
    try:
        move_checkout(checkout, Move(what="the patch", old=before, new=after))
    except LocalChangesError as error:
        raise PatchError(_first_about(checkout, patches, error.paths), str(error)) from None


def _apply(index: ScratchIndex, patch: Path) -> None:
    try:
        if patch.stat().st_size == 0:
            return  # of a tree without changes; git would take it for no patch
    except OSError as error:
        raise PatchError(patch, error.strerror or str(error)) from None
    try:
        index.run(*_APPLY, "--", str(patch))
    except GitError as error:
        raise PatchError(patch, str(error)) from None


def _first_about(checkout: Checkout, patches: Sequence[Path], paths: Sequence[str]) -> Path:
    """The first patch that changes one of these files."""
    for patch in patches:
        listed = checkout.git.fields("apply", "--numstat", "--allow-empty", "-z", "--", str(patch))
        if any(line.split("\t")[-1] in paths for line in listed):
            return patch
    return patches[0]
