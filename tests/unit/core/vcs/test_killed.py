"""Killed at any step, and done again: nothing is lost, nothing is doubled, nothing stays locked (decision D12)."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from vizier_core.config.settings import GitSettings
from vizier_core.vcs.branches import delete_at, ensure_branch
from vizier_core.vcs.checkout import Checkout as WorkingTree
from vizier_core.vcs.commits import commit_staged
from vizier_core.vcs.git import Git
from vizier_core.vcs.litter import remove_litter
from vizier_core.vcs.merging import (
    Conflicted,
    ReadyMerge,
    commit_merge,
    finish_merge,
    prepare_merge,
    remove_from_branch,
    switch_branch,
)
from vizier_core.vcs.moving import recover_checkout
from vizier_core.vcs.patches import apply_patches
from vizier_core.vcs.staging import stage_exactly, stage_paths
from vizier_core.vcs.worktrees import add_worktree

from ..checkouts import Checkout, make_checkout
from .murder import every_kill, wait_for_session
from .work import CREATOR, merge, request, working_tree

pytestmark = [pytest.mark.crash, pytest.mark.slow]

_NO_HOOKS = GitSettings()
_EDITED = {"mine.txt": "edited\n", "untracked.txt": "new\n"}


class Case(NamedTuple):
    """Something that may be done again after it was interrupted."""

    act: Callable[[Checkout], object]
    #: What is true afterwards.
    check: Callable[[Checkout], None]
    prepare: Callable[[Checkout], object] = lambda checkout: None


def _merge(squash: bool, settings: GitSettings = _NO_HOOKS) -> Callable[[Checkout], None]:
    def act(checkout: Checkout) -> None:
        tree = WorkingTree(Git(checkout.path, settings))
        recover_checkout(tree)
        wanted = request("draft/one", squash=squash)
        prepared = prepare_merge(tree, wanted)
        if isinstance(prepared, ReadyMerge):
            commit_merge(tree, prepared, wanted)

    return act


def _add_hooks(checkout: Checkout) -> None:
    """Hooks that look and agree."""
    for name in ("pre-commit", "pre-merge-commit", "commit-msg", "post-merge"):
        checkout.write(f".git/hooks/{name}", "#!/bin/sh\ngit status >/dev/null\n").chmod(0o755)


def _is_merged(parents: int) -> Callable[[Checkout], None]:
    def check(checkout: Checkout) -> None:
        assert checkout.git("log", "--first-parent", "--format=%s") == "feat: merge\nfiles\ninitial"
        assert len(checkout.parents()) == parents
        assert checkout.read("a/new.txt") == "new\n"
        assert checkout.read("story.txt") == "theirs\n"
        assert not checkout.exists("old/gone.txt")
        assert checkout.status() == ["?? untracked.txt", "M mine.txt"]

    return check


def _ours(checkout: Checkout) -> None:
    """A commit on the checked out branch that conflicts with `draft/two`."""
    checkout.write("story.txt", "ours\n")
    checkout.git("commit", "-q", "-m", "ours", "--", "story.txt")


def _conflict(checkout: Checkout) -> None:
    """The node: stops, or has stopped already."""
    tree = working_tree(checkout)
    recover_checkout(tree)
    if tree.merge_head is None:
        assert isinstance(prepare_merge(tree, request("draft/two")), Conflicted)


def _is_stopped(checkout: Checkout) -> None:
    assert checkout.git("log", "-1", "--format=%s") == "ours"
    assert checkout.tip("MERGE_HEAD") == checkout.tip("draft/two")
    assert "<<<<<<< HEAD\nours\n=======\ntheirs too\n>>>>>>>" in checkout.read("story.txt")
    assert working_tree(checkout).conflicts() == ["story.txt"]
    assert checkout.status() == ["?? untracked.txt", "A  b/other.txt", "M mine.txt", "UU story.txt"]


def _resolved(checkout: Checkout) -> None:
    _ours(checkout)
    merge(checkout, "draft/two")
    checkout.write("story.txt", "both\n")
    stage_exactly(Git(checkout.path), ["story.txt"])


def _finish(checkout: Checkout) -> None:
    tree = working_tree(checkout)
    recover_checkout(tree)
    if tree.merge_head is not None:
        finish_merge(tree, request("draft/two"))


def _is_finished(checkout: Checkout) -> None:
    assert checkout.git("log", "--first-parent", "--format=%s", "-3") == "feat: merge\nours\nfiles"
    assert checkout.git("show", "HEAD:story.txt") == "both"
    assert checkout.git("show", "HEAD:b/other.txt") == "other"
    assert checkout.status() == ["?? untracked.txt", "M mine.txt"]
    assert not (checkout.path / ".git" / "MERGE_HEAD").exists()


def _switch(checkout: Checkout) -> None:
    tree = working_tree(checkout)
    recover_checkout(tree)
    if tree.branch != "draft/one":
        switch_branch(tree, "draft/one")


def _is_switched(checkout: Checkout) -> None:
    assert checkout.git("symbolic-ref", "HEAD") == "refs/heads/draft/one"
    assert checkout.read("story.txt") == "theirs\n"
    assert checkout.status() == ["?? untracked.txt", "M mine.txt"]


def _stage(checkout: Checkout) -> None:
    recover_checkout(working_tree(checkout))
    stage_paths(Git(checkout.path), ["mine.txt", "untracked.txt"])


def _is_staged(checkout: Checkout) -> None:
    assert checkout.status() == ["A  untracked.txt", "M  mine.txt"]


def _commit(checkout: Checkout) -> None:
    tree = working_tree(checkout)
    recover_checkout(tree)
    if tree.staged():
        commit_staged(tree.git, "feat: both")


def _is_committed(checkout: Checkout) -> None:
    assert checkout.git("log", "--format=%s", "-2") == "feat: both\nfiles"
    assert checkout.status() == []


def _add_worktree(checkout: Checkout) -> None:
    git = Git(checkout.path)
    ensure_branch(git, "draft/new", CREATOR)
    path = checkout.path.parent / "tree"
    # As the node does: what is there and whole is taken.
    if not (path / "story.txt").exists() or "tree" not in checkout.git("worktree", "list"):
        add_worktree(git, path, "draft/new")


def _has_worktree(checkout: Checkout) -> None:
    tree = Checkout(checkout.path.parent / "tree")
    assert tree.git("symbolic-ref", "HEAD") == "refs/heads/draft/new"
    assert tree.status() == []
    assert ensure_branch(Git(checkout.path), "draft/new", CREATOR), "still knows that it has created the branch"


def _remove_document(checkout: Checkout) -> None:
    tree = working_tree(checkout)
    recover_checkout(tree)
    if "story.txt" in checkout.git("ls-tree", "--name-only", "draft/one").split("\n"):
        remove_from_branch(tree, "draft/one", "story.txt", "chore: remove", CREATOR)


def _is_removed(checkout: Checkout) -> None:
    assert checkout.git("log", "--format=%s", "-2", "draft/one") == "chore: remove\nwork"
    assert checkout.status() == ["?? untracked.txt", "M mine.txt"]


def _apply(checkout: Checkout) -> None:
    tree = working_tree(checkout)
    recover_checkout(tree)
    if not tree.staged():
        apply_patches(tree.git, [checkout.path.parent / "one.patch"])


def _is_applied(checkout: Checkout) -> None:
    assert checkout.read("story.txt") == "theirs\n"
    assert checkout.status() == ["?? untracked.txt", "A  a/new.txt", "D  old/gone.txt", "M  story.txt", "M mine.txt"]


def _write_patch(checkout: Checkout) -> None:
    text = checkout.git("diff", "--binary", "main", "draft/one")
    (checkout.path.parent / "one.patch").write_text(f"{text}\n")


def _delete(checkout: Checkout) -> None:
    tip = checkout.git("rev-parse", "--verify", "--quiet", "draft/one", check=False)
    if tip:
        delete_at(Git(checkout.path), "draft/one", tip, "test")


def _is_deleted(checkout: Checkout) -> None:
    assert checkout.git("branch", "--list", "draft/one") == ""


CASES = {
    "merge": Case(_merge(squash=False), _is_merged(parents=2)),
    "squash": Case(_merge(squash=True), _is_merged(parents=1)),
    "hooks": Case(_merge(squash=True, settings=GitSettings(hooks=True)), _is_merged(parents=1), _add_hooks),
    "conflict": Case(_conflict, _is_stopped, _ours),
    "finish": Case(_finish, _is_finished, _resolved),
    "switch": Case(_switch, _is_switched),
    "stage": Case(_stage, _is_staged),
    "commit": Case(_commit, _is_committed, _stage),
    "worktree": Case(_add_worktree, _has_worktree),
    "document": Case(_remove_document, _is_removed),
    "patch": Case(_apply, _is_applied, _write_patch),
    "delete": Case(_delete, _is_deleted),
}


@pytest.fixture
def model(tmp_path: Path) -> Checkout:
    """A repository to copy: two branches to merge, and edits of the operator's."""
    made = make_checkout(tmp_path / "model" / "repository")
    made.commit({"story.txt": "once\n", "mine.txt": "mine\n", "old/gone.txt": "gone\n"}, "files")
    made.branch("draft/one", {"story.txt": "theirs\n", "a/new.txt": "new\n", "old/gone.txt": None})
    made.branch("draft/two", {"story.txt": "theirs too\n", "b/other.txt": "other\n"})
    for name, content in _EDITED.items():
        made.write(name, content)
    return made


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", CASES)
def test_killed_at_every_step(name: str, after: bool, model: Checkout, tmp_path: Path) -> None:
    case = CASES[name]
    case.prepare(model)

    def fresh() -> Checkout:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(model.path.parent, tmp_path / "copy", symlinks=True)
        return Checkout(tmp_path / "copy" / "repository")

    for checkout in every_kill(fresh, case.act, tmp_path / "trace", after=after):
        for file, content in _EDITED.items():
            assert checkout.read(file) == content, "an edit was lost"
        case.act(checkout)
        case.check(checkout)
        checkout.fsck()
        git_directory = checkout.path / ".git"
        remove_litter(git_directory, age=-1)
        names = sorted(path.name for path in git_directory.iterdir())
        left = [name for name in names if name.endswith(".lock") or name.startswith(("vizier-index", "index."))]
        assert left == [], "something stays locked"


@pytest.mark.parametrize("whom", ["$PPID", "0"], ids=["git", "everybody"])
@pytest.mark.parametrize("name", ["merge", "squash", "conflict", "switch", "patch"])
def test_git_killed_while_it_changes_files(name: str, whom: str, model: Checkout, tmp_path: Path) -> None:
    """By a filter, when some files are changed and others are not; alone, or together with who has started it."""
    case = CASES[name]
    case.prepare(model)
    (model.path / ".git" / "info").mkdir(exist_ok=True)
    model.write(".git/info/attributes", "story.txt filter=deadly\n")
    flag = tmp_path / "kill"
    model.git("config", "filter.deadly.smudge", f"if test -e '{flag}'; then rm '{flag}'; kill -9 {whom}; fi; cat")
    model.git("config", "filter.deadly.clean", "cat")
    model.git("config", "filter.deadly.required", "true")
    before = model.status()
    flag.touch()
    victim = os.fork()
    if victim == 0:
        os.setsid()
        with contextlib.suppress(BaseException):
            case.act(model)
        os._exit(0)
    os.waitpid(victim, 0)
    wait_for_session(victim)
    assert not flag.exists(), "nobody was killed"
    lock = model.path / ".git" / "index.lock"
    deadline = time.monotonic() + 30
    recover_checkout(working_tree(model))
    while lock.exists() and time.monotonic() < deadline:
        # The system takes its time to close what the dead had open.
        recover_checkout(working_tree(model))
    assert model.status() == before
    assert {file: model.read(file) for file in _EDITED} == _EDITED
    case.act(model)
    case.check(model)
    model.fsck()


def test_litter_goes_when_it_is_old(tmp_path: Path) -> None:
    for name in ("vizier-index.12", "vizier-index.12.lock", "index.lock.vizier.12", "index.lock", "vizier-index", "x"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    remove_litter(tmp_path)
    assert len(list(tmp_path.iterdir())) == 6, "the times of a copy say nothing"
    remove_litter(tmp_path, age=-1)
    assert {path.name for path in tmp_path.iterdir()} == {"index.lock", "vizier-index", "x"}
