"""Worktrees and branches: made whole or not at all, and only deleted when nobody needs them (spec 09 §13.6-13.7)."""

from pathlib import Path

import pytest

from vizier_core.errors import GitError
from vizier_core.vcs.branches import check_branch_name, checked_out_branches, delete_at, ensure_branch
from vizier_core.vcs.git import Git
from vizier_core.vcs.worktrees import add_worktree, find_registration, unregister_worktree, worktree_branch

from ..checkouts import Checkout, make_checkout
from .work import CREATOR, worktree


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path / "repository")


def test_a_branch_is_created_once(checkout: Checkout) -> None:
    """And its creator is known even to a later attempt of itself, which may have been killed in between."""
    git = Git(checkout.path)
    assert ensure_branch(git, "draft/one", "job a")
    assert ensure_branch(git, "draft/one", "job a")
    assert not ensure_branch(git, "draft/one", "job b")
    assert not ensure_branch(git, "main", "job a")
    assert checkout.tip("draft/one") == checkout.tip("HEAD")


@pytest.mark.parametrize("name", ["-d", "--force", "a b", "a..b", "x.lock", "HEAD", "a\nb", "", "@{1}"])
def test_ws_06_25_names_that_are_no_branches(name: str, checkout: Checkout) -> None:
    with pytest.raises(GitError, match="is not a valid branch name"):
        check_branch_name(Git(checkout.path), name)


def test_a_branch_needs_a_commit_to_begin_with(tmp_path: Path) -> None:
    empty = Checkout(tmp_path)
    empty.git("init", "-q")
    with pytest.raises(GitError, match="HEAD has no commit yet"):
        ensure_branch(Git(tmp_path), "draft/one", CREATOR)


def test_a_branch_may_be_checked_out_twice(checkout: Checkout, tmp_path: Path) -> None:
    first = worktree(checkout, "draft/one", tmp_path / "first")
    second = worktree(checkout, "draft/one", tmp_path / "second")
    assert {worktree_branch(Git(checkout.path), tree.path) for tree in (first, second)} == {"draft/one"}
    assert checked_out_branches(Git(checkout.path)) == {"main", "draft/one"}


def test_ws_09_38_no_branch_is_made_on_the_way(checkout: Checkout, tmp_path: Path) -> None:
    worktree(checkout, "main", tmp_path / "tree")
    assert checkout.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert "__vizier" not in checkout.git("reflog", "show", "--all")


def test_ws_09_38a_a_worktree_that_somebody_has_deleted_can_be_made_again(checkout: Checkout, tmp_path: Path) -> None:
    tree = worktree(checkout, "draft/one", tmp_path / "tree")
    checkout.git("worktree", "lock", str(tree.path))
    for path in sorted(tree.path.rglob("*"), reverse=True):
        path.unlink()
    tree.path.rmdir()
    worktree(checkout, "draft/one", tmp_path / "tree")
    assert tree.read("README.md") == "hello\n"
    assert tree.status() == []


def test_ws_09_38a_a_worktree_that_cannot_be_made_leaves_nothing(checkout: Checkout, tmp_path: Path) -> None:
    """A required filter fails in the middle of the checkout."""
    checkout.write(".gitattributes", "*.md filter=broken\n")
    checkout.git("add", ".gitattributes")
    checkout.git("commit", "-q", "-m", "attributes")
    checkout.git("config", "filter.broken.smudge", "false")
    checkout.git("config", "filter.broken.required", "true")
    with pytest.raises(GitError, match=r"README\.md"):
        worktree(checkout, "draft/one", tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    assert find_registration(checkout.path, tmp_path / "tree") is None
    assert not any((checkout.path / ".git" / "worktrees").glob("*"))


def test_ws_06_09_a_directory_that_is_no_worktree_is_not_taken_for_one(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "precious.txt").write_text("mine\n")
    ensure_branch(Git(checkout.path), "draft/one", CREATOR)
    with pytest.raises(GitError, match="is there already and is no worktree"):
        add_worktree(Git(checkout.path), tmp_path / "tree", "draft/one")
    assert (tmp_path / "tree" / "precious.txt").read_text() == "mine\n"


def test_a_worktree_goes_locked_or_dirty_as_it_is(checkout: Checkout, tmp_path: Path) -> None:
    tree = worktree(checkout, "draft/one", tmp_path / "tree")
    tree.write("new.txt", "new\n")
    checkout.git("worktree", "lock", str(tree.path))
    unregister_worktree(Git(checkout.path), checkout.path, "tree", tree.path)
    assert not tree.path.exists()
    assert checkout.git("worktree", "list").count("\n") == 0
    assert checkout.tip("draft/one")


def test_a_branch_goes_with_its_configuration(checkout: Checkout) -> None:
    tip = checkout.branch("draft/one", {"new.txt": "new\n"})
    checkout.git("config", "branch.draft/one.remote", "origin")
    delete_at(Git(checkout.path), "draft/one", tip, "test")
    assert checkout.git("for-each-ref", "refs/heads/draft") == ""
    assert checkout.git("config", "--get-regexp", "^branch", check=False) == ""
    delete_at(Git(checkout.path), "draft/one", tip, "test")


@pytest.mark.parametrize("reason", ["checked out", "moved on"])
def test_ws_06_23_a_branch_that_is_still_needed_is_kept(reason: str, checkout: Checkout, tmp_path: Path) -> None:
    """And the error says why (WS-09-41)."""
    tip = checkout.branch("draft/one", {"new.txt": "new\n"})
    if reason == "checked out":
        worktree(checkout, "draft/one", tmp_path / "tree")
    else:
        checkout.branch("draft/one", {"more.txt": "more\n"}, base="draft/one")
    with pytest.raises(GitError, match=reason):
        delete_at(Git(checkout.path), "draft/one", tip, "test")
    assert checkout.tip("draft/one")
