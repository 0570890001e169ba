"""Names of files that have blanks, quotes, line ends, wildcards or bytes that are no text; git knows all of them."""

import os
from pathlib import Path
from typing import Final

import pytest

from vizier_core.vcs.git import Git
from vizier_core.vcs.merging import Conflicted, Merged, finish_merge
from vizier_core.vcs.patches import apply_patches, working_tree_patch
from vizier_core.vcs.staging import stage_exactly, stage_paths

from ..checkouts import Checkout, make_checkout
from .work import commit_all, merge, request, working_tree, worktree

NAMES: Final = (
    "with blank.txt",
    " leading and trailing ",
    "double\"quote'single.txt",
    "back\\slash.txt",
    "line\nend.txt",
    "tab\there.txt",
    "*.txt",
    "[ab]?.txt",
    ":(top)magic.txt",
    "-option",
    "--",
    "grün/straße.txt",
    os.fsdecode(b"latin-\xe9\xff.txt"),
    os.fsdecode(b"dir-\xff/line\nend-\xfe"),
    "#comment",
    "$(touch broken)",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = make_checkout(tmp_path / "with blank and 'quote'" / os.fsdecode(b"line\nend-\xff"))
    made.commit(dict.fromkeys(NAMES, "once\n"), "files")
    return made


def listed(checkout: Checkout, revision: str = "HEAD") -> set[str]:
    lines = checkout.git("ls-tree", "-r", "-z", revision).split("\0")[:-1]
    return {line.partition("\t")[2] for line in lines} - {"README.md"}


def test_changes_go_from_a_worktree_into_the_checkout(checkout: Checkout, tmp_path: Path) -> None:
    work = worktree(checkout, "draft/one", tmp_path / "tree\nof 'mine'")
    for name in NAMES:
        work.write(name, "changed\n")
        work.write(f"new {name.strip('/')}", "new\n")
    commit_all(work)
    assert isinstance(merge(checkout, "draft/one"), Merged)
    assert listed(checkout) == {*NAMES, *(f"new {name}" for name in NAMES)}
    assert {name: checkout.read(name) for name in NAMES} == dict.fromkeys(NAMES, "changed\n")
    assert checkout.status() == []
    assert not checkout.exists("broken")
    checkout.fsck()


def test_deletions_too(checkout: Checkout, tmp_path: Path) -> None:
    work = worktree(checkout, "draft/one", tmp_path / "tree")
    for name in NAMES:
        (work.path / name).unlink()
    commit_all(work)
    assert isinstance(merge(checkout, "draft/one"), Merged)
    assert listed(checkout) == set()
    assert sorted(os.listdir(checkout.path)) == [".git", "README.md"], "directories that became empty are gone as well"


@pytest.mark.parametrize("name", NAMES)
def test_one_file_is_staged_and_no_other(name: str, checkout: Checkout) -> None:
    """No name is a pattern, an option or an escape; only blanks around it go, and backslashes are slashes."""
    for each in NAMES:
        checkout.write(each, "changed\n")
    stage_exactly(Git(checkout.path), [name])
    assert working_tree(checkout).staged() == [name]


@pytest.mark.parametrize("name", [name for name in NAMES if name == name.strip() and "\\" not in name])
def test_one_file_is_staged_by_a_template(name: str, checkout: Checkout) -> None:
    for each in NAMES:
        checkout.write(each, "changed\n")
    stage_paths(Git(checkout.path), [name])
    assert working_tree(checkout).staged() == [name]


def test_conflicts(checkout: Checkout, tmp_path: Path) -> None:
    """All of them are found, resolved by their names, and part of the merge."""
    checkout.branch("draft/one", dict.fromkeys(NAMES, "theirs\n"))
    checkout.commit(dict.fromkeys(NAMES, "ours\n"))
    stopped = merge(checkout, "draft/one", squash=False)
    assert isinstance(stopped, Conflicted)
    assert stopped.paths == sorted(NAMES, key=os.fsencode) == working_tree(checkout).conflicts()
    for name in NAMES:
        assert checkout.read(name) == "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> refs/heads/draft/one\n"
        checkout.write(name, "both\n")
    stage_exactly(Git(checkout.path), stopped.paths)
    finish_merge(working_tree(checkout), request("draft/one", squash=False))
    assert {name: checkout.read(name) for name in NAMES} == dict.fromkeys(NAMES, "both\n")
    assert checkout.status() == []
    checkout.fsck()


def test_patches(checkout: Checkout, tmp_path: Path) -> None:
    for name in NAMES:
        checkout.write(name, "changed\n")
    patch = tmp_path / os.fsdecode(b"saved \xff\n.patch")
    patch.write_bytes(working_tree_patch(Git(checkout.path)))
    checkout.git("checkout", "-q", "--", ".")
    apply_patches(Git(checkout.path), [patch])
    assert {name: checkout.read(name) for name in NAMES} == dict.fromkeys(NAMES, "changed\n")
    assert set(working_tree(checkout).staged()) == set(NAMES)
