"""Patches: complete, independent of the user's settings, and applied as a whole (spec 06 §§7.11-7.12, 09 §13.11)."""

from pathlib import Path

import pytest

from vizier_core.errors import PatchError
from vizier_core.vcs.git import Git
from vizier_core.vcs.patches import apply_patches, untracked_files, working_tree_patch

from ..checkouts import Checkout, make_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = make_checkout(tmp_path / "repository")
    made.commit({"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "binary": b"\0\1"}, "files")
    return made


def patch_of(checkout: Checkout, path: Path) -> Path:
    path.write_bytes(working_tree_patch(Git(checkout.path)))
    checkout.git("reset", "-q", "--hard")
    return path


def test_staged_and_unstaged_and_binary_changes(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("a.txt", "staged\n")
    checkout.git("add", "a.txt")
    checkout.write("a.txt", "and changed\n")
    checkout.git("rm", "-q", "--cached", "b.txt")
    (checkout.path / "c.txt").unlink()
    checkout.write("binary", b"\0\2")
    (checkout.path / "README.md").chmod(0o755)
    saved = patch_of(checkout, tmp_path / "saved.patch")
    apply_patches(Git(checkout.path), [saved])
    assert checkout.read("a.txt") == "and changed\n"
    assert (checkout.path / "binary").read_bytes() == b"\0\2"
    assert not checkout.exists("c.txt")
    assert checkout.status() == ["D  b.txt", "D  c.txt", "M  README.md", "M  a.txt", "M  binary"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.srcPrefix", "x/"),
        ("diff.external", "false"),
        ("diff.renames", "copies"),
        ("diff.context", "0"),
        ("diff.relative", "true"),
        ("diff.orderFile", "/nonexistent"),
        ("diff.algorithm", "patience"),
        ("color.ui", "always"),
        ("core.quotePath", "false"),
        ("core.abbrev", "7"),
    ],
)
def test_ruling_r63_settings_change_nothing(key: str, value: str, checkout: Checkout) -> None:
    checkout.git("mv", "a.txt", "moved.txt")
    checkout.write("b.txt", "changed\n")
    expected = working_tree_patch(Git(checkout.path))
    checkout.git("config", key, value)
    assert working_tree_patch(Git(checkout.path)) == expected
    assert b"--- a/b.txt\n+++ b/b.txt\n" in expected


def test_before_the_first_commit(tmp_path: Path) -> None:
    empty = Checkout(tmp_path)
    empty.git("init", "-q")
    empty.write("new.txt", "new\n")
    empty.git("add", "new.txt")
    assert b"+new" in working_tree_patch(Git(tmp_path))


def test_ws_09_42_what_a_patch_leaves_out_can_be_told(checkout: Checkout) -> None:
    checkout.write("new.txt", "new\n")
    checkout.write(".vizier/jobs/j/job.json", "{}")
    assert working_tree_patch(Git(checkout.path)) == b""
    assert untracked_files(Git(checkout.path)) == ["new.txt"]


def test_ws_06_22_the_first_patch_does_not_stay_if_the_second_fails(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("a.txt", "one\n")
    first = patch_of(checkout, tmp_path / "first.patch")
    second = tmp_path / "second.patch"
    second.write_bytes(first.read_bytes().replace(b"a.txt", b"b.txt"))
    with pytest.raises(PatchError, match=r"b\.txt: patch does not apply") as caught:
        apply_patches(Git(checkout.path), [first, second])
    assert caught.value.patch == second
    assert checkout.status() == []


def test_a_local_change_is_in_the_way_of_the_patch_that_needs_the_file(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("a.txt", "one\n")
    first = patch_of(checkout, tmp_path / "first.patch")
    checkout.write("b.txt", "two\n")
    second = patch_of(checkout, tmp_path / "second.patch")
    checkout.write("b.txt", "mine\n")
    with pytest.raises(PatchError, match=r"local changes would be overwritten by the patch: b\.txt") as caught:
        apply_patches(Git(checkout.path), [first, second])
    assert caught.value.patch == second
    assert checkout.status() == ["M b.txt"]
    assert checkout.read("b.txt") == "mine\n"


def test_patches_build_on_each_other(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("a.txt", "one\n")
    first = patch_of(checkout, tmp_path / "first.patch")
    apply_patches(Git(checkout.path), [first])
    checkout.git("commit", "-q", "-m", "one")
    checkout.write("a.txt", "two\n")
    second = patch_of(checkout, tmp_path / "second.patch")
    checkout.git("reset", "-q", "--hard", "HEAD^")
    apply_patches(Git(checkout.path), [first, second])
    assert checkout.read("a.txt") == "two\n"


@pytest.mark.parametrize("content", [b"", b"no patch at all\n", b"\0\xff"])
def test_what_is_no_patch(content: bytes, checkout: Checkout, tmp_path: Path) -> None:
    """An empty one changes nothing: that is what an unchanged tree gives."""
    path = tmp_path / "x.patch"
    path.write_bytes(content)
    if content:
        with pytest.raises(PatchError):
            apply_patches(Git(checkout.path), [path])
    else:
        apply_patches(Git(checkout.path), [path])
    assert checkout.status() == []


def test_a_patch_cannot_leave_the_tree(checkout: Checkout, tmp_path: Path) -> None:
    path = tmp_path / "x.patch"
    path.write_bytes(b"--- /dev/null\n+++ b/../outside.txt\n@@ -0,0 +1 @@\n+out\n")
    with pytest.raises(PatchError):
        apply_patches(Git(checkout.path), [path])
    assert not (tmp_path / "outside.txt").exists()
