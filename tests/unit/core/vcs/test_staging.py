"""What gets into the index, and what does not (spec 06 §§7.6, 12.3, 09 §13.4)."""

from pathlib import Path

import pytest

from vizier_core.errors import GitError, OperationRefusedError
from vizier_core.vcs.git import Git
from vizier_core.vcs.paths import normalise_path
from vizier_core.vcs.staging import stage_exactly, stage_paths

from ..checkouts import Checkout, make_checkout
from .work import working_tree, worktree


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = make_checkout(tmp_path / "repository")
    made.commit({"src/a.txt": "a\n", "src/b.txt": "b\n", "tracked.o": "t\n"}, "files")
    made.commit({".gitignore": "*.o\n"}, "ignore")
    return made


def staged(checkout: Checkout) -> list[str]:
    return working_tree(checkout).staged()


def test_a_directory_takes_everything_below_it_and_nothing_else(checkout: Checkout) -> None:
    """New, changed and deleted files; ignored ones only if they are tracked."""
    checkout.write("src/a.txt", "changed\n")
    (checkout.path / "src/b.txt").unlink()
    checkout.write("src/new.txt", "new\n")
    checkout.write("src/new.o", "ignored\n")
    checkout.write("tracked.o", "changed\n")
    checkout.write("beside.txt", "beside\n")
    stage_paths(Git(checkout.path), ["src"])
    assert staged(checkout) == ["src/a.txt", "src/b.txt", "src/new.txt"]
    stage_paths(Git(checkout.path), ["."])
    assert staged(checkout) == ["beside.txt", "src/a.txt", "src/b.txt", "src/new.txt", "tracked.o"]


def test_a_file_is_staged_even_if_it_is_ignored(checkout: Checkout) -> None:
    checkout.write("src/new.o", "wanted\n")
    stage_paths(Git(checkout.path), ["src/new.o"])
    assert staged(checkout) == ["src/new.o"]


def test_ws_06_19_whether_it_is_a_directory_is_looked_up_in_the_tree(checkout: Checkout, tmp_path: Path) -> None:
    """Not where the process happens to be (WS-09-36)."""
    tree = worktree(checkout, "draft/one", tmp_path / "tree")
    tree.write("only-there/new.txt", "new\n")
    checkout.write("a-directory-here/x", "x\n")
    tree.write("a-directory-here", "a file there\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(checkout.path)
        stage_paths(Git(tree.path), ["only-there", "a-directory-here"])
    assert staged(tree) == ["a-directory-here", "only-there/new.txt"]
    assert staged(checkout) == []


def test_ws_06_19_a_deleted_file_can_be_named(checkout: Checkout) -> None:
    (checkout.path / "src/a.txt").unlink()
    stage_paths(Git(checkout.path), ["src/a.txt"])
    assert staged(checkout) == ["src/a.txt"]


def test_all_or_nothing(checkout: Checkout) -> None:
    checkout.write("src/a.txt", "changed\n")
    with pytest.raises(OperationRefusedError, match=r"no such file, on disk or tracked: absent\.txt"):
        stage_paths(Git(checkout.path), ["src/a.txt", "absent.txt"])
    assert staged(checkout) == []


@pytest.mark.parametrize("path", ["..", "../other", "/etc/passwd", "src/../../x", "", "  "])
def test_paths_outside_of_the_tree_are_refused(path: str, checkout: Checkout) -> None:
    with pytest.raises(OperationRefusedError, match="is not below"):
        stage_paths(Git(checkout.path), [path])


def test_a_link_that_leads_outside_is_staged_as_a_link(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret\n")
    (checkout.path / "link").symlink_to(tmp_path / "outside")
    stage_paths(Git(checkout.path), ["."])
    assert staged(checkout) == ["link"]
    with pytest.raises(GitError, match="symbolic link"):
        stage_paths(Git(checkout.path), ["link/secret.txt"])
    assert staged(checkout) == ["link"]


def test_ws_06_20_what_vizier_keeps_for_itself_is_never_staged(checkout: Checkout) -> None:
    """Even where nothing ignores it: managed worktrees would become submodules."""
    worktree(checkout, "draft/one", checkout.path / ".vizier" / "tmp-worktrees" / "one")
    for name in ("jobs/j/job.json", "sessions/s.json", "tmp/x", "config.toml", "tmpfoo"):
        checkout.write(f".vizier/{name}", "x\n")
    stage_paths(Git(checkout.path), ["."])
    assert staged(checkout) == [".vizier/config.toml", ".vizier/tmpfoo"]
    stage_paths(Git(checkout.path), [".vizier"])
    assert staged(checkout) == [".vizier/config.toml", ".vizier/tmpfoo"]


def test_exactly_these_paths(checkout: Checkout) -> None:
    """What is gone is removed, what was never there is nothing, what is beside stays."""
    checkout.write("src/a.txt", "changed\n")
    (checkout.path / "src/b.txt").unlink()
    checkout.write("new.o", "ignored\n")
    checkout.write("beside.txt", "beside\n")
    stage_exactly(Git(checkout.path), ["src/b.txt", "new.o", "never.txt"])
    assert staged(checkout) == ["new.o", "src/b.txt"]
    stage_exactly(Git(checkout.path), [])
    assert staged(checkout) == ["new.o", "src/b.txt"]


def test_ten_thousand_files(checkout: Checkout) -> None:
    """More names than fit on a command line."""
    names = [f"many/{'long-name-' * 12}{number}" for number in range(10_000)]
    for name in names:
        checkout.write(name, "")
    stage_exactly(Git(checkout.path), names)
    assert len(staged(checkout)) == len(names)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (" src//utils/// ", "src/utils"),
        ("./a/b/", "a/b"),
        ("a\\win\\path\\", "a/win/path"),
        ("//server//share//x", "//server/share/x"),
        (".", "."),
        ("././a", "./a"),
    ],
)
def test_paths_as_templates_write_them(given: str, expected: str) -> None:
    """Spec 09 §13.1."""
    assert normalise_path(given) == expected
