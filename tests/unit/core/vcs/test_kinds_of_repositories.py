"""Every kind of repository that git knows: the same work is done in each, and nothing of it is lost or damaged.

Libraries that read repositories themselves refuse some of these or get them wrong (design §6, WS-09-43).
"""

import hashlib
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from vizier_core.errors import GitError
from vizier_core.vcs.git import Git
from vizier_core.vcs.merging import Conflicted, Merged, finish_merge
from vizier_core.vcs.patches import apply_patches, working_tree_patch
from vizier_core.vcs.staging import stage_exactly
from vizier_core.vcs.worktrees import unregister_worktree

from ..checkouts import Checkout, make_checkout
from .work import commit_all, merge, request, working_tree, worktree

Kind = Callable[[Path], Checkout]


def plain(base: Path) -> Checkout:
    return make_checkout(base / "repository")


def sha256(base: Path) -> Checkout:
    return make_checkout(base / "repository", "--object-format=sha256")


def linked(base: Path) -> Checkout:
    """The project is itself a linked worktree of another repository."""
    other = make_checkout(base / "other")
    other.git("worktree", "add", "--quiet", "-b", "project", str(base / "repository"))
    return Checkout(base / "repository")


def bare_with_worktree(base: Path) -> Checkout:
    """A worktree of a bare repository."""
    make_checkout(base / "other").git("clone", "--quiet", "--bare", ".", str(base / "bare.git"))
    Checkout(base / "bare.git").git("worktree", "add", "--quiet", str(base / "repository"), "main")
    return Checkout(base / "repository")


def split_index(base: Path) -> Checkout:
    """The index is in two files."""
    checkout = plain(base)
    checkout.git("config", "core.splitIndex", "true")
    checkout.git("update-index", "--split-index")
    return checkout


def many_files(base: Path) -> Checkout:
    """The newest format of the index, and a cache of what is untracked."""
    checkout = plain(base)
    checkout.git("config", "feature.manyFiles", "true")
    checkout.git("update-index", "--index-version=4", "--untracked-cache")
    return checkout


def relative_git_directory(base: Path) -> Checkout:
    """The git directory lies elsewhere, behind a link."""
    checkout = plain(base)
    (checkout.path / ".git").rename(base / "elsewhere")
    (checkout.path / ".git").symlink_to("../elsewhere")
    return checkout


def sparse(base: Path) -> Checkout:
    """Most of the files are not checked out."""
    checkout = plain(base)
    checkout.commit({"big/data.txt": "much\n", "src/code.py": "pass\n"})
    checkout.git("sparse-checkout", "set", "src")
    return checkout


def with_submodule(base: Path) -> Checkout:
    library = make_checkout(base / "library")
    checkout = plain(base)
    checkout.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "lib")
    checkout.commit(message="add the library")
    return checkout


def autocrlf(base: Path) -> Checkout:
    """Files end their lines with CR LF in the working tree and with LF in commits."""
    checkout = plain(base)
    checkout.git("config", "core.autocrlf", "true")
    checkout.git("rm", "--cached", "-r", "-q", ".")
    checkout.git("reset", "-q", "--hard")
    return checkout


_POINTER = """#!/bin/sh
# Large file storage as it works: commits have a pointer, the store has the content; what is no pointer passes.
cat >"$2/input.$$"
read -r kind name <"$2/input.$$"
case "$1 $kind" in
clean*) name=$(sha256sum <"$2/input.$$" | cut -d' ' -f1); cp "$2/input.$$" "$2/$name"; echo "pointer $name" ;;
'smudge pointer') cat "$2/$name" ;;
smudge*) cat "$2/input.$$" ;;
esac
"""


def lfs(base: Path) -> Checkout:
    checkout = plain(base)
    store = base / "store"
    store.mkdir()
    driver = base / "pointer.sh"
    driver.write_text(_POINTER)
    for way in ("clean", "smudge"):
        checkout.git("config", f"filter.pointer.{way}", shlex.join(["sh", str(driver), way, str(store)]))
    checkout.git("config", "filter.pointer.required", "true")
    checkout.commit({".gitattributes": "*.txt filter=pointer -text\n"})
    return checkout


KINDS: tuple[Kind, ...] = (
    *(plain, sha256, linked, bare_with_worktree, split_index, many_files, relative_git_directory),
    *(sparse, with_submodule, autocrlf, lfs),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Checkout:
    """A repository with a file that two branches will change, and edits of the operator's in other files."""
    made: Checkout = request.param(tmp_path)
    made.commit({"story.txt": "once\nupon\na time\n", "mine.txt": "mine\n", "staged.txt": "staged\n"}, "files")
    return made


def line_end(checkout: Checkout) -> str:
    return "\r\n" if checkout.git("config", "core.autocrlf", check=False) == "true" else "\n"


def text(checkout: Checkout, name: str) -> str:
    """A file as it is in the working tree, its line ends checked and made those of commits."""
    content = (checkout.path / name).read_bytes().decode()
    end = line_end(checkout)
    assert content.replace("\r\n", "\n") == content.replace(end, "\n"), f"{name} has other line ends"
    return content.replace(end, "\n")


def put(checkout: Checkout, name: str, content: str) -> None:
    checkout.write(name, content.replace("\n", line_end(checkout)))


def test_work_is_done_and_merged(checkout: Checkout, tmp_path: Path) -> None:
    """Worktree, commit, a merge beside the operator's edits, clean-up."""
    before = checkout.status()
    put(checkout, "mine.txt", "edited\n")
    work = worktree(checkout, "draft/one", tmp_path / "trees" / "one")
    put(work, "story.txt", "once\nupon\na night\n")
    put(work, "new.txt", "new\n")
    commit_all(work)
    assert isinstance(merge(checkout, "draft/one"), Merged)
    assert text(checkout, "story.txt") == "once\nupon\na night\n"
    assert text(checkout, "new.txt") == "new\n"
    assert text(checkout, "mine.txt") == "edited\n"
    assert checkout.status() == sorted([*before, "M mine.txt"])
    unregister_worktree(Git(checkout.path), checkout.path, "one", work.path)
    assert not work.path.exists()
    checkout.fsck()


def test_a_conflict_is_resolved(checkout: Checkout, tmp_path: Path) -> None:
    """Left in the working tree with the operator's edits untouched, staged exactly, finished as a merge."""
    before = checkout.status()
    for name, word in (("one", "night"), ("two", "day")):
        work = worktree(checkout, f"draft/{name}", tmp_path / "trees" / name)
        put(work, "story.txt", f"once\nupon\na {word}\n")
        commit_all(work)
    put(checkout, "mine.txt", "edited\n")
    assert isinstance(merge(checkout, "draft/one", squash=False), Merged)
    stopped = merge(checkout, "draft/two", squash=False)
    assert isinstance(stopped, Conflicted)
    assert stopped.paths == ["story.txt"]
    if "filter=pointer" not in checkout.git("show", "HEAD:.gitattributes", check=False):
        assert "<<<<<<< HEAD" in text(checkout, "story.txt")
    put(checkout, "story.txt", "once\nupon\na day and a night\n")
    stage_exactly(Git(checkout.path), stopped.paths)
    finish_merge(working_tree(checkout), request("draft/two", squash=False))
    assert len(checkout.parents()) == 2
    assert text(checkout, "story.txt") == "once\nupon\na day and a night\n"
    assert text(checkout, "mine.txt") == "edited\n"
    assert checkout.status() == sorted([*before, "M mine.txt"])
    checkout.fsck()


def test_a_patch_goes_around(checkout: Checkout, tmp_path: Path) -> None:
    """What was changed, saved, taken back and applied again is what was changed."""
    before = checkout.status()
    put(checkout, "story.txt", "once\nupon\na patch\n")
    patch = tmp_path / "saved.patch"
    patch.write_bytes(working_tree_patch(Git(checkout.path)))
    checkout.git("checkout", "-q", "--", "story.txt")
    apply_patches(Git(checkout.path), [patch])
    assert text(checkout, "story.txt") == "once\nupon\na patch\n"
    assert checkout.status() == sorted([*before, "M  story.txt"])
    checkout.fsck()


def test_ids_of_sha256_are_long(tmp_path: Path) -> None:
    checkout = sha256(tmp_path)
    checkout.branch("draft/one", {"new.txt": "new\n"})
    done = merge(checkout, "draft/one")
    assert isinstance(done, Merged)
    assert len(done.commit or "") == 64
    assert checkout.tip("HEAD") == done.commit


def test_what_is_not_checked_out_stays_away(tmp_path: Path) -> None:
    """A merge changes a file outside the sparse checkout: the commit has it, the disk still has not."""
    checkout = sparse(tmp_path)
    checkout.branch("draft/one", {"big/data.txt": "more\n", "src/code.py": "work()\n"})
    assert isinstance(merge(checkout, "draft/one"), Merged)
    assert checkout.read("src/code.py") == "work()\n"
    assert not checkout.exists("big/data.txt")
    assert checkout.git("show", "HEAD:big/data.txt") == "more"
    assert checkout.status() == []


def test_files_outside_the_sparse_checkout_are_staged_as_well(tmp_path: Path) -> None:
    """An agent that writes there means it."""
    checkout = sparse(tmp_path)
    checkout.write("big/new.txt", "new\n")
    commit_all(checkout)
    assert checkout.git("show", "HEAD:big/new.txt") == "new"
    assert checkout.git("show", "HEAD:big/data.txt") == "much", "what is not there was not deleted"


def test_a_submodule_is_left_alone(tmp_path: Path) -> None:
    """Merges move what the commit says about it, never its files, which may have work of the operator's."""
    checkout = with_submodule(tmp_path)
    library = Checkout(checkout.path / "lib")
    old = library.tip("HEAD")
    library.write("README.md", "work in the library\n")
    newer = make_checkout(tmp_path / "scratch").commit({"new.txt": "newer\n"})
    checkout.branch("draft/one", {"new.txt": "new\n"})
    checkout.git("update-index", "--cacheinfo", f"160000,{newer},lib")
    checkout.git("commit", "-q", "-m", "another library")
    assert isinstance(merge(checkout, "draft/one"), Merged)
    assert library.tip("HEAD") == old
    assert library.read("README.md") == "work in the library\n"
    assert checkout.git("rev-parse", "HEAD:lib") == newer


def test_ws_09_43_filters_run(tmp_path: Path) -> None:
    """Commits have pointers, working trees have contents."""
    checkout = lfs(tmp_path)
    work = worktree(checkout, "draft/one", tmp_path / "trees" / "one")
    work.write("large.txt", "large\n")
    commit_all(work)
    assert isinstance(merge(checkout, "draft/one"), Merged)
    pointer = f"pointer {hashlib.sha256(b'large' + bytes([10])).hexdigest()}"
    assert checkout.git("show", "HEAD:large.txt") == pointer
    assert checkout.read("large.txt") == "large\n"
    assert checkout.status() == []


def test_a_filter_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Its store has lost the content: the merge is refused as a whole, and the message says what git says."""
    checkout = lfs(tmp_path)
    work = worktree(checkout, "draft/one", tmp_path / "trees" / "one")
    work.write("a.txt", "a\n")
    work.write("large.txt", "large\n")
    commit_all(work)
    head = checkout.tip("HEAD")
    (tmp_path / "store" / hashlib.sha256(b"large" + bytes([10])).hexdigest()).unlink()
    with pytest.raises(GitError, match=r"large\.txt"):
        merge(checkout, "draft/one")
    assert checkout.tip("HEAD") == head
    assert checkout.status() == []
    assert not checkout.exists("a.txt")


def test_commits_have_the_line_ends_of_commits(tmp_path: Path) -> None:
    checkout = autocrlf(tmp_path)
    checkout.write("dos.txt", "one\r\ntwo\r\n")
    commit_all(checkout)
    assert checkout.git("cat-file", "-s", "HEAD:dos.txt") == "8"
    assert (checkout.path / "dos.txt").read_bytes() == b"one\r\ntwo\r\n"
    assert checkout.status() == []
