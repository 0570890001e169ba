"""Where the project is (spec 08 §2.1, decision D3), and how private its files are (ruling R73)."""

from pathlib import Path

import pytest

from vizier_core.errors import NotARepositoryError
from vizier_core.project import (
    derived_directory,
    find_project_root,
    git_common_directory,
    git_directory,
    shared_file_mode,
)


def checkout(path: Path, git: str | None = None) -> Path:
    """A directory with `.git`: a directory, or a file with this text."""
    path.mkdir(parents=True, exist_ok=True)
    if git is None:
        (path / ".git").mkdir()
    else:
        (path / ".git").write_text(git)
    return path


def linked_worktree(owner: Path, path: Path, name: str = "w") -> Path:
    """A linked worktree of a checkout, as git lays it out."""
    admin = owner / ".git" / "worktrees" / name
    admin.mkdir(parents=True)
    (admin / "commondir").write_text("../..\n")
    return checkout(path, f"gitdir: {admin}\n")


def test_the_nearest_checkout_above(tmp_path: Path) -> None:
    outer = checkout(tmp_path / "outer")
    inner = checkout(outer / "inner")
    deep = inner / "a" / "b"
    deep.mkdir(parents=True)
    assert find_project_root(deep) == inner
    assert find_project_root(inner) == inner
    assert find_project_root(outer) == outer


def test_outside_of_any_checkout(tmp_path: Path) -> None:
    with pytest.raises(NotARepositoryError) as raised:
        find_project_root(tmp_path)
    assert "vizier cannot be used outside a git repository" in str(raised.value)
    assert "not a git repository" in str(raised.value)


@pytest.mark.parametrize(("text", "is_checkout"), [(" \n gitdir: x", True), ("gitdir:x", True), ("hello", False)])
def test_a_git_file_counts_if_it_points_somewhere(tmp_path: Path, text: str, is_checkout: bool) -> None:
    outer = checkout(tmp_path / "outer")
    inner = checkout(outer / "inner", text)
    assert find_project_root(inner) == (inner if is_checkout else outer)


def test_ws_02_17_links_are_resolved(tmp_path: Path) -> None:
    real = checkout(tmp_path / "real")
    (tmp_path / "link").symlink_to(real)
    assert find_project_root(tmp_path / "link") == real


def test_d3_a_managed_worktree_belongs_to_its_owner_any_other_to_itself(tmp_path: Path) -> None:
    owner = checkout(tmp_path / "owner")
    managed = linked_worktree(owner, owner / ".vizier" / "tmp-worktrees" / "notes-job", "managed")
    (managed / "src").mkdir()
    foreign = linked_worktree(owner, tmp_path / "foreign", "foreign")
    assert find_project_root(managed / "src") == owner
    assert find_project_root(foreign) == foreign


@pytest.mark.parametrize("stray", ["another repository", "a repository of its own"])
def test_d3_what_only_lies_where_managed_worktrees_lie_is_its_own_project(tmp_path: Path, stray: str) -> None:
    owner = checkout(tmp_path / "owner")
    place = owner / ".vizier" / "tmp-worktrees" / "stray"
    if stray == "another repository":
        linked_worktree(checkout(tmp_path / "other"), place)
    else:
        checkout(place)
    assert find_project_root(place) == place


def test_git_directories(tmp_path: Path) -> None:
    owner = checkout(tmp_path / "owner")
    linked = linked_worktree(owner, tmp_path / "linked")
    separate = checkout(tmp_path / "separate", "gitdir: ../owner/.git\n")
    assert git_directory(owner) == git_common_directory(owner) == owner / ".git"
    assert git_directory(linked) == owner / ".git" / "worktrees" / "w"
    assert git_common_directory(linked) == owner / ".git"
    assert git_directory(separate) == git_common_directory(separate) == owner / ".git"


def test_each_jobs_root_of_a_repository_has_derived_data_of_its_own_outside_of_the_checkout(tmp_path: Path) -> None:
    owner = checkout(tmp_path / "owner")
    linked = linked_worktree(owner, tmp_path / "linked")
    places = [derived_directory(root, root / ".vizier" / "jobs") for root in (owner, linked)]
    assert len(set(places)) == 2
    assert {place.parent for place in places if place} == {owner / ".git" / "vizier"}


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        ("", 0o600),
        ("[core]\n\tbare = false\n", 0o600),
        ("[core]\n\tsharedRepository = group\n", 0o660),
        ("[core]\n\tsharedrepository = true\n", 0o660),
        ("[core]\n\tsharedRepository = 1 ; note\n", 0o660),
        ("[core]\n\tSharedRepository = all\n", 0o664),
        ("[core]\n\tsharedRepository = everybody\n", 0o664),
        ("[core]\n\tsharedRepository = 2\n", 0o664),
        ("[core]\n\tsharedRepository = 0640\n", 0o640),
        ("[core]\n\tsharedRepository = umask\n", 0o600),
        ("[core]\n\tsharedRepository = false\n", 0o600),
        ("[core]\n\tsharedRepository = all\n\tsharedRepository = umask\n", 0o600),
    ],
)
def test_r73_files_are_private_or_as_git_shares_them(tmp_path: Path, config: str, mode: int) -> None:
    root = checkout(tmp_path / "p")
    (root / ".git" / "config").write_text(config)
    assert shared_file_mode(root) == mode


def test_r73_without_a_git_configuration_files_are_private(tmp_path: Path) -> None:
    assert shared_file_mode(checkout(tmp_path / "p")) == 0o600
