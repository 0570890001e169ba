"""Merging into a checkout in which somebody works (spec 06 §7.9, 09 §13.8)."""

from pathlib import Path

import pytest

from vizier_core.errors import GitError, LocalChangesError, OperationInProgressError
from vizier_core.vcs.commits import commit_staged
from vizier_core.vcs.git import Git
from vizier_core.vcs.history import find_on_branch
from vizier_core.vcs.markers import with_markers
from vizier_core.vcs.merging import (
    Conflicted,
    Merged,
    finish_merge,
    is_merge_of,
    prepare_merge,
    remove_from_branch,
    switch_branch,
)
from vizier_core.vcs.staging import stage_exactly

from ..checkouts import Checkout, make_checkout
from .work import CREATOR, commit_all, merge, request, working_tree, worktree

_FILES = {"story.txt": "once\n", "mine.txt": "mine\n", "dir/file.txt": "file\n"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = make_checkout(tmp_path / "repository")
    made.commit({**_FILES, ".gitignore": "*.o\n"}, "files")
    return made


def conflicting(checkout: Checkout) -> None:
    """`draft/one` and the checked out branch change the same line."""
    checkout.branch("draft/one", {"story.txt": "theirs\n"})
    checkout.commit({"story.txt": "ours\n"}, "ours")


def stopped(checkout: Checkout) -> Conflicted:
    conflicting(checkout)
    result = merge(checkout, "draft/one", squash=False)
    assert isinstance(result, Conflicted)
    return result


# The operator's edits


def test_ws_06_11_edits_beside_the_merge_stay(checkout: Checkout) -> None:
    """Changed, staged, partly staged, deleted, new, ignored, or with another mode: as before, in index and files."""
    checkout.commit(dict.fromkeys(("staged.txt", "both.txt", "gone.txt", "mode.sh"), "x\n"))
    checkout.branch("draft/one", {"story.txt": "theirs\n", "new/file.txt": "new\n", "dir/file.txt": None})
    for name in ("mine.txt", "new.txt", "ignored.o"):
        checkout.write(name, "edited\n")
    checkout.write("staged.txt", "staged\n")
    checkout.write("both.txt", "staged\n")
    checkout.git("add", "staged.txt", "both.txt")
    checkout.write("both.txt", "and more\n")
    (checkout.path / "gone.txt").unlink()
    (checkout.path / "mode.sh").chmod(0o755)
    before = checkout.status()
    assert len(before) == 6
    assert isinstance(merge(checkout, "draft/one"), Merged)
    assert checkout.status() == before
    assert checkout.git("show", ":both.txt") == "staged"
    assert [checkout.read(name) for name in ("mine.txt", "both.txt", "ignored.o")] == [
        "edited\n",
        "and more\n",
        "edited\n",
    ]
    assert checkout.git("diff", "--name-only", "HEAD^", "HEAD").split("\n") == [
        "dir/file.txt",
        "new/file.txt",
        "story.txt",
    ]


@pytest.mark.parametrize(
    ("theirs", "edit", "named"),
    [
        ({"mine.txt": "theirs\n"}, {"mine.txt": "edited\n"}, "mine.txt"),
        ({"mine.txt": None}, {"mine.txt": "edited\n"}, "mine.txt"),
        ({"new.txt": "theirs\n"}, {"new.txt": "untracked\n"}, "new.txt"),
        ({"new.o": "theirs\n"}, {"new.o": "ignored\n"}, "new.o"),
        ({"new/file.txt": "theirs\n"}, {"new": "a file where a directory is needed\n"}, "new"),
        ({"new": "theirs\n"}, {"new/file.txt": "untracked\n"}, "new/file.txt"),
        ({"dir/file.txt": None, "dir": "a file\n"}, {"dir/other.txt": "untracked\n"}, "dir/other.txt"),
    ],
)
@pytest.mark.parametrize("squash", [True, False])
def test_ws_09_33_an_edit_in_the_way_is_named_and_stays(
    squash: bool, theirs: dict[str, str | None], edit: dict[str, str], named: str, checkout: Checkout
) -> None:
    """Nothing at all is changed then, also not where nothing would have been in the way."""
    checkout.branch("draft/one", {**theirs, "story.txt": "theirs\n"})
    for name, content in edit.items():
        checkout.write(name, content)
    head, before = checkout.tip("HEAD"), checkout.status()
    with pytest.raises(LocalChangesError) as caught:
        merge(checkout, "draft/one", squash=squash)
    assert caught.value.paths == (named,)
    assert named in str(caught.value)
    assert (checkout.tip("HEAD"), checkout.status()) == (head, before)
    assert {name: checkout.read(name) for name in edit} == edit
    assert checkout.read("story.txt") == "once\n"


def test_an_edit_that_is_what_the_merge_brings_is_in_its_way_all_the_same(checkout: Checkout) -> None:
    """Whether it is the same by chance only the operator knows."""
    checkout.branch("draft/one", {"mine.txt": "same\n"})
    checkout.write("mine.txt", "same\n")
    with pytest.raises(LocalChangesError):
        merge(checkout, "draft/one")


def test_touched_files_are_no_edits(checkout: Checkout) -> None:
    checkout.branch("draft/one", {"mine.txt": "theirs\n"})
    checkout.write("mine.txt", _FILES["mine.txt"])
    assert isinstance(merge(checkout, "draft/one"), Merged)


def test_ws_09_33_a_conflict_leaves_edits_alone(checkout: Checkout) -> None:
    conflicting(checkout)
    checkout.write("mine.txt", "edited\n")
    assert isinstance(merge(checkout, "draft/one"), Conflicted)
    assert checkout.read("mine.txt") == "edited\n"
    checkout.git("merge", "--abort")
    assert checkout.read("mine.txt") == "edited\n"


@pytest.mark.parametrize("staged", [True, False])
def test_a_conflict_over_edits_is_refused(staged: bool, checkout: Checkout) -> None:
    """Staged changes would become part of the merge, wherever they are."""
    conflicting(checkout)
    name = "mine.txt" if staged else "story.txt"
    checkout.write(name, "edited\n")
    if staged:
        checkout.git("add", name)
    before = checkout.status()
    with pytest.raises(LocalChangesError, match=rf"would be overwritten by merge: {name}"):
        merge(checkout, "draft/one")
    assert checkout.status() == before
    assert working_tree(checkout).operation is None


def test_ruling_r61_a_missing_target_moves_nothing(checkout: Checkout) -> None:
    with pytest.raises(GitError, match="no local branch `nowhere`"):
        switch_branch(working_tree(checkout), "nowhere")
    assert checkout.git("symbolic-ref", "HEAD") == "refs/heads/main"


def test_ws_09_35_a_switch_that_fails_stays_where_it_was(checkout: Checkout) -> None:
    checkout.branch("other", {"mine.txt": "theirs\n", "story.txt": "theirs\n"})
    checkout.write("mine.txt", "edited\n")
    with pytest.raises(LocalChangesError, match=r"checkout of other: mine\.txt"):
        switch_branch(working_tree(checkout), "other")
    assert checkout.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert checkout.status() == ["M mine.txt"]
    assert checkout.read("story.txt") == "once\n"


# Commits


def test_ws_09_34_the_plan_document_goes_without_a_checkout(checkout: Checkout) -> None:
    document = ".vizier/implementation-plans/one.md"
    tip = checkout.branch("draft/one", {document: "plan\n", "new.txt": "new\n"})
    checkout.write("mine.txt", "edited\n")
    log = checkout.git("reflog", "show", "HEAD")
    remove_from_branch(working_tree(checkout), "draft/one", document, "chore: remove", CREATOR)
    assert checkout.git("ls-tree", "-r", "--name-only", "draft/one", "new.txt", document) == "new.txt"
    assert checkout.parents("draft/one") == [tip]
    assert checkout.git("reflog", "show", "HEAD") == log, "HEAD was somewhere else in between"
    assert checkout.status() == ["M mine.txt"]


def test_ws_06_12_another_worktree_on_the_branch_follows(checkout: Checkout, tmp_path: Path) -> None:
    """Otherwise it would look as if somebody had staged the reverse of the merge there."""
    checkout.git("worktree", "add", "-q", "--force", str(tmp_path / "other"), "main")
    other = Checkout(tmp_path / "other")
    other.write("mine.txt", "edited there\n")
    checkout.branch("draft/one", {"story.txt": "theirs\n"})
    done = merge(checkout, "draft/one")
    assert isinstance(done, Merged)
    assert done.lines == ()
    assert other.read("story.txt") == "theirs\n"
    assert other.status() == ["M mine.txt"]


def test_ws_09_37_a_worktree_that_cannot_follow_is_named(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("worktree", "add", "-q", "--force", str(tmp_path / "other"), "main")
    other = Checkout(tmp_path / "other")
    other.write("story.txt", "edited there\n")
    checkout.branch("draft/one", {"story.txt": "theirs\n"})
    done = merge(checkout, "draft/one")
    assert isinstance(done, Merged)
    (line,) = done.lines
    assert str(other.path) in line
    assert "story.txt" in line
    assert other.read("story.txt") == "edited there\n"


@pytest.mark.parametrize("squash", [True, False])
def test_ws_06_13_merges_need_no_identity(squash: bool, checkout: Checkout) -> None:
    """Nor do any other commits (WS-09-39); half an identity is none."""
    checkout.git("config", "user.name", "Only a Name")
    checkout.branch("draft/one", {"story.txt": "theirs\n"})
    assert isinstance(merge(checkout, "draft/one", squash=squash), Merged)
    assert checkout.git("log", "-1", "--format=%an <%ae> %cn <%ce>") == " ".join(["Vizier <vizier@local>"] * 2)


@pytest.mark.parametrize("squash", [True, False])
def test_the_configured_identity_is_used(squash: bool, checkout: Checkout) -> None:
    checkout.git("config", "user.name", "Own Er")
    checkout.git("config", "user.email", "own@example.invalid")
    checkout.branch("draft/one", {"story.txt": "theirs\n"})
    merge(checkout, "draft/one", squash=squash)
    assert checkout.git("log", "-1", "--format=%an <%ae> %cn <%ce>") == " ".join(["Own Er <own@example.invalid>"] * 2)


def test_messages_are_stored_as_they_are(checkout: Checkout) -> None:
    message = "# feat: not a comment\n\n\n  indented  \n---\n# nor this"
    checkout.write("new.txt", "new\n")
    checkout.git("add", "new.txt")
    checkout.git("config", "commit.cleanup", "strip")
    checkout.git("config", "commit.template", "nowhere")
    commit_staged(Git(checkout.path), message)
    assert checkout.git("cat-file", "commit", "HEAD").partition("\n\n")[2] == message


def test_ws_06_18_a_squashed_source_is_not_merged_twice(checkout: Checkout) -> None:
    checkout.branch("draft/one", {"story.txt": "theirs\n"})
    merge(checkout, "draft/one")
    head = checkout.tip("HEAD")
    checkout.commit({"later.txt": "later\n"})
    again = merge(checkout, "draft/one")
    assert isinstance(again, Merged)
    assert again.commit is None
    assert checkout.parents() == [head]


def test_ws_06_18_work_that_was_added_since_is_merged(checkout: Checkout) -> None:
    checkout.branch("draft/one", {"one.txt": "one\n"})
    merge(checkout, "draft/one")
    checkout.branch("draft/one", {"two.txt": "two\n"}, base="draft/one")
    again = merge(checkout, "draft/one")
    assert isinstance(again, Merged)
    assert again.commit
    assert checkout.read("two.txt") == "two\n"


def test_ws_06_18_a_merge_that_was_taken_back_can_be_repeated(checkout: Checkout) -> None:
    """What counts is what the branch contains, not what was done once."""
    checkout.branch("draft/one", {"story.txt": "theirs\n"})
    merge(checkout, "draft/one")
    checkout.git("reset", "-q", "--hard", "HEAD^")
    again = merge(checkout, "draft/one")
    assert isinstance(again, Merged)
    assert again.commit
    assert checkout.read("story.txt") == "theirs\n"


def test_a_source_without_changes_gets_its_commit(checkout: Checkout) -> None:
    """Spec 06 §15, vector 14."""
    checkout.branch("draft/one", {})
    head = checkout.tip("HEAD")
    merge(checkout, "draft/one")
    assert checkout.parents() == [head]
    assert checkout.tip("HEAD^{tree}") == checkout.tip("HEAD^^{tree}")


# Merges that have stopped


def test_ws_06_16_the_merge_is_of_the_commit_that_was_resolved(checkout: Checkout) -> None:
    """Not of what somebody has added to the source meanwhile: nobody has looked at that."""
    stopped(checkout)
    merged = checkout.tip("MERGE_HEAD")
    checkout.branch("draft/one", {"surprise.txt": "!\n"}, base="draft/one")
    checkout.write("story.txt", "both\n")
    stage_exactly(Git(checkout.path), ["story.txt"])
    assert is_merge_of(working_tree(checkout), "draft/one")
    finish_merge(working_tree(checkout), request("draft/one", squash=False))
    assert checkout.parents()[1] == merged
    assert not checkout.exists("surprise.txt")


def test_ws_06_16_another_merge_is_not_taken_for_this_one(checkout: Checkout) -> None:
    stopped(checkout)
    checkout.branch("draft/two", {"two.txt": "two\n"})
    assert not is_merge_of(working_tree(checkout), "draft/two")
    with pytest.raises(OperationInProgressError, match="cannot start a merge while another git operation"):
        prepare_merge(working_tree(checkout), request("draft/two"))


def test_commits_that_came_meanwhile_are_not_taken_back(checkout: Checkout, tmp_path: Path) -> None:
    """The branch was moved from another worktree: what is in the index here does not have those commits."""
    stopped(checkout)
    checkout.git("worktree", "add", "-q", "--force", str(tmp_path / "other"), "main")
    moved = Checkout(tmp_path / "other").commit({"precious.txt": "precious\n"})
    checkout.write("story.txt", "both\n")
    stage_exactly(Git(checkout.path), ["story.txt"])
    with pytest.raises(GitError, match=r"main has moved to .* `git merge --abort`"):
        finish_merge(working_tree(checkout), request("draft/one"))
    assert checkout.tip("main") == moved


def test_ws_06_15_an_index_that_cannot_be_read_is_not_free_of_conflicts(checkout: Checkout) -> None:
    stopped(checkout)
    (checkout.path / ".git" / "index").write_bytes(b"DIRC damaged")
    with pytest.raises(GitError, match="index"):
        working_tree(checkout).conflicts()


def test_ws_06_24_a_plain_commit_does_not_end_a_merge(checkout: Checkout) -> None:
    """It would forget the other parent (WS-09-40)."""
    stopped(checkout)
    checkout.write("story.txt", "both\n")
    checkout.git("add", "story.txt")
    with pytest.raises(OperationInProgressError, match="a merge is in progress"):
        commit_staged(Git(checkout.path), "feat: oops")
    assert checkout.git("log", "-1", "--format=%s") == "ours"


def test_ws_06_24_conflicts_are_not_nothing(checkout: Checkout) -> None:
    stopped(checkout)
    with pytest.raises(OperationInProgressError, match=r"unresolved conflicts: story\.txt"):
        commit_staged(Git(checkout.path), "feat: oops")


def test_ws_06_14_markers_are_found(checkout: Checkout) -> None:
    stopped(checkout)
    git = working_tree(checkout).git
    assert with_markers(git, ["story.txt"]) == ["story.txt"]
    checkout.write("story.txt", "ours\ntheirs\n>>>>>>> refs/heads/draft/one\n")
    assert with_markers(git, ["story.txt"]) == ["story.txt"], "one is enough"
    checkout.write("story.txt", "ours\n=======\ntheirs\n")
    assert with_markers(git, ["story.txt"]) == [], "a line under a heading is no marker"


def test_ws_06_14_what_looks_like_a_marker_and_was_there_before_is_none(checkout: Checkout) -> None:
    """A document about conflicts may be in conflict itself."""
    quoted = "<<<<<<< HEAD\n>>>>>>> example\n"
    checkout.branch("draft/one", {"story.txt": f"theirs\n{quoted}"})
    checkout.commit({"story.txt": f"ours\n{quoted}"})
    merge(checkout, "draft/one")
    checkout.write("story.txt", f"both\n{quoted}")
    assert with_markers(working_tree(checkout).git, ["story.txt"]) == []


@pytest.mark.parametrize("style", ["diff3", "zdiff3"])
def test_markers_have_two_sides_whatever_is_configured(style: str, checkout: Checkout) -> None:
    checkout.git("config", "merge.conflictStyle", style)
    stopped(checkout)
    assert "|||||||" not in checkout.read("story.txt")


def test_nothing_is_resolved_by_what_was_recorded(checkout: Checkout) -> None:
    """`rerere` has no effect, also not on later merges of the operator's (spec 09 §13.1)."""
    checkout.git("config", "rerere.enabled", "true")
    checkout.git("config", "rerere.autoUpdate", "true")
    stopped(checkout)
    checkout.write("story.txt", "both\n")
    stage_exactly(Git(checkout.path), ["story.txt"])
    finish_merge(working_tree(checkout), request("draft/one"))
    checkout.git("reset", "-q", "--hard", "HEAD^")
    assert isinstance(merge(checkout, "draft/one"), Conflicted)
    assert "<<<<<<<" in checkout.read("story.txt")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"story.txt": None}, {"story.txt": "theirs\n"}),
        ({"story.txt": "ours\n"}, {"story.txt": None}),
        ({"new.txt": "ours\n"}, {"new.txt": "theirs\n"}),
        ({"dir/file.txt": None, "dir": "a file\n"}, {"dir/file.txt": "theirs\n"}),
        ({"story.txt": b"\x00ours"}, {"story.txt": b"\x00theirs"}),
    ],
    ids=["deleted here", "deleted there", "both new", "file and directory", "binary"],
)
def test_every_kind_of_conflict_can_be_resolved(
    ours: dict[str, str | bytes | None], theirs: dict[str, str | bytes | None], checkout: Checkout
) -> None:
    checkout.branch("draft/one", theirs)
    checkout.commit({name: content for name, content in ours.items() if content is None}, "ours, first")
    checkout.git("clean", "-qfd")
    checkout.commit({name: content for name, content in ours.items() if content is not None}, "ours")
    result = merge(checkout, "draft/one", squash=False)
    assert isinstance(result, Conflicted)
    assert result.lines
    assert result.paths == working_tree(checkout).conflicts()
    tree = working_tree(checkout)
    for path in result.paths:
        (checkout.path / path).unlink(missing_ok=True)
    checkout.write("resolved.txt", "resolved\n")
    stage_exactly(tree.git, [*result.paths, "resolved.txt"])
    finish_merge(tree, request("draft/one", squash=False))
    assert len(checkout.parents()) == 2
    assert checkout.read("resolved.txt") == "resolved\n"
    assert checkout.status() == []
    checkout.fsck()


# The plan in the message


def test_ws_06_21_a_plan_that_was_merged_long_ago_is_none_of_this_branch(checkout: Checkout) -> None:
    path = ".vizier/implementation-plans/one.md"
    checkout.commit({path: "old plan\n"})
    checkout.commit({path: None})
    checkout.branch("draft/one", {"new.txt": "new\n"})
    git = Git(checkout.path)
    assert find_on_branch(git, "draft/one", path, onto="HEAD") is None
    checkout.branch("draft/one", {path: "new plan\n"}, base="draft/one")
    checkout.branch("draft/one", {path: None}, base="draft/one")
    found = find_on_branch(git, "draft/one", path, onto="HEAD")
    assert found is not None
    assert (found.text, found.at_tip) == ("new plan\n", False)


def test_work_in_a_linked_worktree_moves_only_its_branch(checkout: Checkout, tmp_path: Path) -> None:
    tree = worktree(checkout, "draft/one", tmp_path / "tree")
    head = checkout.tip("HEAD")
    tree.write("new.txt", "new\n")
    commit = commit_all(tree)
    assert checkout.tip("draft/one") == commit
    assert checkout.tip("HEAD") == head
    assert checkout.status() == []
