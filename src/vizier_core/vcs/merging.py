"""Merging a branch into the one that is checked out (spec 06 §7.9, 09 §13.8)."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from vizier_core.errors import GitError, HeadMovedError, HookRefusedError, OperationInProgressError
from vizier_core.vcs.branch_users import follow_branch
from vizier_core.vcs.checkout import Checkout, branch_tip, commit_of, is_ancestor
from vizier_core.vcs.commits import advance, create_commit, index_tree, scratch_index, tree_without
from vizier_core.vcs.hooks import check_message, run_hook, tell_hook
from vizier_core.vcs.index_lock import held_index
from vizier_core.vcs.merge_state import (
    ConflictEntry,
    MergeState,
    clear_merge_state,
    forget_ended_merge,
    merge_target,
    merged_branch,
)
from vizier_core.vcs.moving import HeadChange, Move, move_checkout, recover_move, set_reference

_HEADS: Final = "refs/heads/"
#: How a merge of ours is noted in the log of its target; a squash merge leaves no other trace of its source (WS-06-18).
_NOTE: Final = re.compile(
    r"(?P<commit>[0-9a-f]+) vizier: merged (?P<branch>\S+) at (?P<tip>[0-9a-f]+) by (?P<creator>.+)"
)


class MergeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to merge, and how."""

    branch: str
    #: One commit with one parent instead of a merge commit.
    squash: bool
    message: str
    #: Who merges, in one line.
    creator: str


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is in its target now."""

    #: The tip of the source.
    tip: str
    #: The commit that was made; None if the target had everything already.
    commit: str | None
    #: Lines for the operator.
    lines: tuple[str, ...] = ()


class Conflicted(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that waits in the working tree for somebody to resolve its conflicts."""

    paths: list[str]
    #: What git says about each of them.
    lines: tuple[str, ...]


class ReadyMerge(msgspec.Struct, frozen=True, kw_only=True):
    """A merge without conflicts that only has to be committed; nothing has been touched."""

    head: str
    tip: str
    #: The merged files.
    tree: str


class _Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge would give; nothing has been touched."""

    clean: bool
    #: The merged files; those in conflict with markers.
    tree: str
    entries: tuple[ConflictEntry, ...]
    words: tuple[str, ...]


def switch_branch(checkout: Checkout, branch: str) -> list[str]:
    """Checks a branch out, even if another working tree has it too; local changes stay (ruling R61, decision D12).

    Returns:
        Lines for the operator.

    Raises:
        LocalChangesError: local changes are in the way; HEAD does not move.
        GitError: there is no such branch, or something else is in progress; HEAD does not move.
    """
    tip = branch_tip(checkout.git, branch)
    if tip is None:
        raise GitError(f"there is no local branch `{branch}`")
    if checkout.operation is not None:
        raise OperationInProgressError(f"cannot switch branches while a {checkout.operation.value} is in progress")
    head = checkout.head
    reason = f"checkout: moving from {checkout.branch or head} to {branch}"
    change = HeadChange(switch_to=branch, reason=reason)
    move_checkout(checkout, Move(what=f"checkout of {branch}", old=head, new=tip, head=change))
    return tell_hook(checkout, "post-checkout", head or "0" * len(tip), tip, "1")


def prepare_merge(checkout: Checkout, request: MergeRequest) -> Merged | ReadyMerge | Conflicted:
    """Merges without committing. A merge with conflicts is left in the working tree; any other touches nothing.

    Raises:
        OperationInProgressError: another operation is in progress; nothing was changed.
        LocalChangesError: local changes are in the way of the conflicts; nothing was changed.
        GitError: git refuses.
    """
    head, tip = _begin(checkout, request.branch)
    forget_ended_merge(checkout.git_directory)
    if is_ancestor(checkout.git, tip, head) or was_merged(checkout, tip):
        return Merged(tip=tip, commit=None)
    preview = _preview(checkout, head, request.branch)
    if preview.clean:
        return ReadyMerge(head=head, tip=tip, tree=preview.tree)
    return _stop(checkout, head, tip, preview, request)


def commit_merge(checkout: Checkout, ready: ReadyMerge, request: MergeRequest) -> Merged:
    """Commits a merge without conflicts and brings the files to it; never a fast-forward.

    Raises:
        LocalChangesError: local changes are in the way; nothing was changed.
        HeadMovedError: somebody else has committed meanwhile; nothing was changed.
        GitError: git or a hook refuses.
    """
    if checkout.git.settings.hooks:
        return _commit_asking_hooks(checkout, ready, request)
    commit = create_commit(checkout.git, ready.tree, _parents(ready, request), request.message)
    change = advance(checkout, ready.head, commit, _note(request, ready.tip))
    move_checkout(checkout, Move(what="merge", old=ready.head, new=commit, head=change))
    return Merged(tip=ready.tip, commit=commit, lines=tuple(follow_branch(checkout, change)))


def finish_merge(checkout: Checkout, request: MergeRequest) -> Merged:
    """Commits the merge in progress as it stands in the index, and ends it (spec 06 §7.9 step 7).

    Raises:
        GitError: there is none, it has conflicts left, or git or a hook refuses.
    """
    # First of all: if somebody else commits the merge meanwhile, the branch will not be where it is expected.
    head = checkout.head
    theirs = checkout.merge_head
    if theirs is None:
        raise GitError("no merge in progress to finalize")
    if head is None:
        raise GitError("HEAD has no commit to merge into")
    if checkout.conflicts():
        raise GitError("cannot finalize merge until all conflicts are resolved")
    if is_ancestor(checkout.git, theirs, head) or was_merged(checkout, theirs):
        # Killed just after the commit was made, or the operator has made it this very moment.
        clear_merge_state(checkout.git_directory)
        return Merged(tip=theirs, commit=None)
    begun_on = merge_target(checkout.git_directory, theirs)
    if begun_on not in {None, head}:
        # What is in the index does not have those commits; to commit it would take them back.
        raise GitError(
            f"{checkout.branch or 'HEAD'} has moved to {head} since the merge stopped at {begun_on}; "
            "abort it with `git merge --abort`, then retry"
        )
    run_hook(checkout, "pre-commit")
    message = check_message(checkout, request.message, "merge")
    parents = [head] if request.squash else [head, theirs]
    commit = create_commit(checkout.git, index_tree(checkout), parents, message)
    change = advance(checkout, head, commit, _note(request, theirs))
    set_reference(checkout, change)
    clear_merge_state(checkout.git_directory)
    lines = [*tell_hook(checkout, "post-commit"), *follow_branch(checkout, change)]
    return Merged(tip=theirs, commit=commit, lines=tuple(lines))


def is_merge_of(checkout: Checkout, branch: str) -> bool:
    """Whether the merge in progress is of this branch (WS-06-15, WS-06-16).

    Of a merge that somebody has begun by hand, the branch may have moved on since.
    """
    merge_head = checkout.merge_head
    if merge_head is None:
        return False
    begun = merged_branch(checkout.git_directory, merge_head)
    if begun is not None:
        return begun == branch
    tip = branch_tip(checkout.git, branch)
    return tip is not None and is_ancestor(checkout.git, merge_head, tip)


def was_merged(checkout: Checkout, tip: str) -> bool:
    """Whether the branch that is checked out contains a commit of ours that merged this tip (WS-06-18)."""
    return any(note["tip"] == tip and _contains(checkout, note) for note in _notes(checkout))


def merged_tip(checkout: Checkout, branch: str, creator: str) -> str | None:
    """The tip of a branch that this creator has merged already; None if it has not."""
    for note in _notes(checkout):
        if note["branch"] == branch and note["creator"] == creator and _contains(checkout, note):
            return note["tip"]
    return None


def remove_from_branch(checkout: Checkout, branch: str, path: str, message: str, creator: str) -> list[str]:
    """Commits the removal of a file on a branch that is not checked out here; no files are touched (WS-09-34).

    Returns:
        Lines for the operator.

    Raises:
        GitError: git or a hook refuses.
    """
    tip = branch_tip(checkout.git, branch)
    if tip is None:
        raise GitError(f"there is no local branch `{branch}`")
    message = check_message(checkout, message, "message")
    commit = create_commit(checkout.git, tree_without(checkout, tip, path), [tip], message)
    reason = f"commit: {message} (by {creator})"
    change = HeadChange(reference=_HEADS + branch, old=tip, new=commit, reason=reason)
    set_reference(checkout, change)
    return follow_branch(checkout, change)


def _begin(checkout: Checkout, branch: str) -> tuple[str, str]:
    """HEAD and the tip of the source, if a merge may begin."""
    if checkout.operation is not None:
        raise OperationInProgressError(
            f"cannot start a merge while another git operation is in progress ({checkout.operation.value})"
        )
    head = checkout.head
    if head is None:
        raise GitError("cannot merge: HEAD has no commit yet")
    if checkout.branch is None:
        raise GitError("cannot merge into detached HEAD; checkout a branch first")
    conflicts = checkout.conflicts()
    if conflicts:
        raise OperationInProgressError(
            f"cannot start a merge while another git operation is in progress (conflicts in {', '.join(conflicts)})"
        )
    tip = branch_tip(checkout.git, branch)
    if tip is None:
        raise GitError(f"there is no local branch `{branch}`")
    return head, tip


def _preview(checkout: Checkout, head: str, branch: str) -> _Preview:
    # Named, not by their commits, because conflict markers repeat the names.
    done = checkout.git.run(
        "merge-tree", "--write-tree", "--messages", "--allow-unrelated-histories", "-z", "HEAD", _HEADS + branch,
        accept=(0, 1),
    )  # fmt: skip
    if commit_of(checkout.git, "HEAD") != head:
        raise HeadMovedError(checkout.branch or "HEAD", "while the merge was prepared")
    fields = os.fsdecode(done.stdout).split("\0")
    end = fields.index("", 1)
    return _Preview(
        clean=done.returncode == 0,
        tree=fields[0],
        entries=tuple(_entry(field) for field in fields[1:end]),
        words=tuple(_messages(fields[end + 1 : -1])),
    )


def _entry(field: str) -> ConflictEntry:
    description, _, path = field.partition("\t")
    mode, blob, stage = description.split(" ")
    return ConflictEntry(mode=mode, blob=blob, stage=int(stage), path=path)


def _messages(fields: Sequence[str]) -> Iterator[str]:
    """What `merge-tree -z` says about conflicts: a number of paths, these, a type and the words, again and again."""
    place = 0
    while place < len(fields):
        place += int(fields[place]) + 1
        kind, words = fields[place : place + 2]
        place += 2
        if kind.startswith("CONFLICT"):
            yield words.strip()


def _stop(checkout: Checkout, head: str, tip: str, preview: _Preview, request: MergeRequest) -> Conflicted:
    """Leaves the merge in the working tree, with markers in the files and conflicts in the index."""
    state = MergeState(branch=request.branch, ours=head, theirs=tip, message=request.message, entries=preview.entries)
    if not state.entries:
        raise GitError(f"git cannot merge: {'; '.join(preview.words) or 'it gives no reason'}")
    move_checkout(checkout, Move(what="merge", old=head, new=preview.tree, merge=state))
    return Conflicted(paths=state.paths, lines=preview.words)


def _parents(ready: ReadyMerge, request: MergeRequest) -> list[str]:
    return [ready.head] if request.squash else [ready.head, ready.tip]


def _commit_asking_hooks(checkout: Checkout, ready: ReadyMerge, request: MergeRequest) -> Merged:
    """Like `git merge`: hooks look at the merged files in place, in an index without the operator's own changes."""
    move_checkout(checkout, Move(what="merge", old=ready.head, new=ready.tree))
    try:
        tree, message = _ask_hooks(checkout, ready.tree, request)
    except HookRefusedError as error:
        problem = _put_back(checkout, ready.tree, ready.head)
        raise error.with_remark(problem) if problem else error from None
    commit = create_commit(checkout.git, tree, _parents(ready, request), message)
    change = advance(checkout, ready.head, commit, _note(request, ready.tip))
    try:
        set_reference(checkout, change)
    except HeadMovedError:
        _put_back(checkout, tree, ready.head)
        raise
    lines = tell_hook(checkout, "post-merge", "1" if request.squash else "0")
    return Merged(tip=ready.tip, commit=commit, lines=(*lines, *follow_branch(checkout, change)))


def _put_back(checkout: Checkout, tree: str, head: str) -> str | None:
    """Takes the merged files out of the working tree again; what is wrong if that cannot be done."""
    try:
        move_checkout(checkout, Move(what="the end of the merge", old=tree, new=head))
    except GitError as problem:
        return f"the merged files stay, uncommitted: {problem}"
    return None


def _ask_hooks(checkout: Checkout, tree: str, request: MergeRequest) -> tuple[str, str]:
    """The merged files and the message, as the hooks want them."""
    hook, source = ("pre-commit", "squash") if request.squash else ("pre-merge-commit", "merge")
    with scratch_index(checkout) as index:
        index.run("read-tree", "--reset", tree)
        index.run("update-index", "-q", "--refresh", accept=(0, 1))
        run_hook(checkout, hook, environment=index.environment)
        message = check_message(checkout, request.message, source, index.environment)
        result = index.run("write-tree")
    if result != tree:
        with held_index(checkout, recover_move) as held:
            held.make_copy()
            held.run("read-tree", "-m", "-i", tree, result)
            held.publish()
    return result, message


def _note(request: MergeRequest, tip: str) -> str:
    return f"vizier: merged {request.branch} at {tip} by {request.creator}"


def _notes(checkout: Checkout) -> Iterator[dict[str, str]]:
    """What the log of the branch that is checked out says about merges of ours, newest first."""
    branch = checkout.branch
    if branch is None:
        return
    for line in checkout.git.fields("reflog", "show", "-z", "--format=%H %gs", _HEADS + branch, "--", accept=(0, 128)):
        match = _NOTE.fullmatch(line)
        if match:
            yield match.groupdict()


def _contains(checkout: Checkout, note: dict[str, str]) -> bool:
    """Whether the commit that a note is about is still part of the branch."""
    return is_ancestor(checkout.git, note["commit"], "HEAD")
