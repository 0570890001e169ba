"""Changing the files of a working tree from one commit to another, keeping every local change (decision D12).

A move happens as a whole or not at all, wherever a process is killed: the index lock carries a note about it (see
`index_lock`). Only files that differ between the two commits are touched; if one of them has local changes, nothing is.
"""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.errors import CheckoutBusyError, GitError, HeadMovedError, LocalChangesError
from vizier_core.vcs.checkout import Checkout, empty_tree
from vizier_core.vcs.index_lock import HeldIndex, Note, held_index
from vizier_core.vcs.litter import remove_litter
from vizier_core.vcs.merge_state import MergeState
from vizier_core.vcs.undoing import file_changes, undo_changes

_MOVE: Final = "move"


class HeadChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of HEAD when the files have changed."""

    #: A reference that is set, usually a branch, from one commit to another; None if none is.
    reference: str | None = None
    old: str = ""
    new: str = ""
    #: A branch that HEAD is to stand on from now on; None if it stays where it is.
    switch_to: str | None = None
    #: The line in the log of references.
    reason: str


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a working tree."""

    #: What the operator should read as the cause of a refusal, for example `merge`.
    what: str
    #: The commits or trees from and to which the files change; None for the tree without files.
    old: str | None
    new: str
    head: HeadChange | None = None
    #: A merge that stops here because of conflicts.
    merge: MergeState | None = None


def move_checkout(checkout: Checkout, move: Move) -> None:
    """Makes a working tree what a move says.

    Raises:
        LocalChangesError: local changes are in the way; nothing was changed.
        HeadMovedError: somebody else has moved the branch meanwhile; nothing was changed.
        CheckoutBusyError: another git process holds the index.
        GitError: git refuses; nothing was changed.
    """
    with held_index(checkout, recover_move) as held:
        changes = file_changes(checkout.git, _tree(checkout, move.old), move.new)
        changed = [change.path for change in changes]
        if move.head is not None and move.head.reference is not None:
            _check_unmoved(checkout, move.head)
        held.make_copy()
        # What only looks changed, because it was touched, must not be taken for a local change.
        held.run("update-index", "-q", "--refresh", accept=(0, 1))
        _refuse_local_changes(held, move, changed)
        held.note({_MOVE: msgspec.to_builtins(move)})
        try:
            held.run("read-tree", "-m", "-u", _tree(checkout, move.old), move.new)
            if move.merge is not None:
                move.merge.prepare(checkout.git_directory)
                held.run("update-index", "-z", "--index-info", data=move.merge.index_info())
        except BaseException:
            undo_changes(held, changes)
            raise
        held.publish()
        try:
            _finish(checkout, move)
        except GitError:
            _move_back(held, move)
            raise


def recover_checkout(checkout: Checkout) -> None:
    """Finishes or undoes what a killed process has left half done here, if there is anything.

    Raises:
        GitError: it cannot be mended.
    """
    with contextlib.suppress(OSError):
        remove_litter(checkout.git_directory)
    with contextlib.suppress(CheckoutBusyError):
        if (checkout.git_directory / "index.lock").exists():
            with held_index(checkout, recover_move, patience=0):
                pass


def recover_move(held: HeldIndex, note: Note) -> None:
    """Finishes the move of a killed process if its index is in place, else undoes it."""
    if _MOVE not in note:
        return
    try:
        move = msgspec.convert(note[_MOVE], Move)
    except msgspec.ValidationError:
        return
    if held.copy.exists():
        git = held.checkout.git
        undo_changes(held, file_changes(git, _tree(held.checkout, move.old), move.new))
    else:
        # If the branch was moved by somebody else, the files stay: as changes that the operator can see.
        with contextlib.suppress(HeadMovedError):
            _finish(held.checkout, move)


def _tree(checkout: Checkout, revision: str | None) -> str:
    return empty_tree(checkout.git) if revision is None else revision


def _check_unmoved(checkout: Checkout, change: HeadChange) -> None:
    """Finds out early what updating the reference would find out after the files have changed."""
    name = change.reference or ""
    found = checkout.git.run("rev-parse", "--verify", "--quiet", name, accept=(0, 1)).stdout.decode("ascii").strip()
    if found != change.old:
        raise HeadMovedError(name.removeprefix("refs/heads/"), f"expected {change.old}, found {found or 'none'}")


def _refuse_local_changes(held: HeldIndex, move: Move, changed: Sequence[str]) -> None:
    git = held.checkout.git
    tracked = set(held.fields("ls-files", "-z"))
    unstaged = set(held.fields("diff-files", "--name-only", "--ignore-submodules=all", "-z"))
    staged = set(_staged(held, move))
    if move.merge is not None and staged:
        # They would become part of the merge.
        raise LocalChangesError(sorted(staged), move.what)
    present = {path for path in changed if os.path.lexists(git.directory / path)}
    in_the_way = {path for path in changed if path in unstaged or path in staged}
    in_the_way |= _untracked(held.checkout.root, present - tracked, tracked)
    in_the_way |= _blocked_parents(held.checkout.root, set(changed) - present, tracked)
    if in_the_way:
        raise LocalChangesError(sorted(in_the_way, key=os.fsencode), move.what)


def _staged(held: HeldIndex, move: Move) -> Iterable[str]:
    """Paths whose index entry is neither that of the old commit nor that of the new one."""
    against_old = held.fields(
        "diff-index", "--cached", "--name-only", "--no-renames", "-z", _tree(held.checkout, move.old)
    )
    if not against_old:
        return ()
    against_new = set(held.fields("diff-index", "--cached", "--name-only", "--no-renames", "-z", move.new))
    return [path for path in against_old if path in against_new]


def _untracked(root: Path, present: Iterable[str], tracked: set[str]) -> set[str]:
    """Files of the operator's, ignored ones too, at or below paths that the new commit brings (WS-09-33)."""
    found = set()
    for path in present:
        if not (root / path).is_dir() or (root / path).is_symlink():
            found.add(path)
            continue
        for directory, _, names in os.walk(root / path):
            inside = (os.path.relpath(os.path.join(directory, name), root) for name in names)
            found.update(name for name in inside if name not in tracked)
    return found


def _blocked_parents(root: Path, missing: Iterable[str], tracked: set[str]) -> set[str]:
    """Untracked files where the new commit needs a directory."""
    parents = {parent.as_posix() for path in missing for parent in Path(path).parents if parent.name}
    return {
        parent
        for parent in parents - tracked
        if os.path.lexists(root / parent) and ((root / parent).is_symlink() or not (root / parent).is_dir())
    }


def _finish(checkout: Checkout, move: Move) -> None:
    """What comes when files and index are in place; may be repeated."""
    if move.merge is not None:
        move.merge.begin(checkout.git_directory)
    head = move.head
    if head is None:
        return
    if head.reference is not None:
        set_reference(checkout, head)
    if head.switch_to is not None:
        checkout.git.run("symbolic-ref", "-m", head.reason, "HEAD", f"refs/heads/{head.switch_to}")


def set_reference(checkout: Checkout, change: HeadChange) -> None:
    """Sets a reference from one commit to another.

    Raises:
        HeadMovedError: it points to neither.
    """
    name = change.reference or ""
    zero = "0" * len(change.new)
    try:
        checkout.git.run(
            "update-ref", "--create-reflog", "-m", change.reason, "--", name, change.new, change.old or zero
        )
    except GitError as error:
        found = checkout.git.text("rev-parse", "--verify", "--quiet", name, accept=(0, 1))
        if found != change.new:
            raise HeadMovedError(name.removeprefix("refs/heads/"), str(error)) from None


def _move_back(held: HeldIndex, move: Move) -> None:
    """Takes back a finished change of files whose branch could not be moved."""
    held.make_copy()
    held.run("read-tree", "-m", "-u", move.new, _tree(held.checkout, move.old))
    held.publish()
