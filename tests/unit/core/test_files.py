"""Writing files whole or not at all, and deleting only what is there (decisions D8, D16)."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core import files


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077, 0o000], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


# atomic_write


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "f"
    for text in (b"old", b"new"):
        files.atomic_write(path, text, mode=0o600, durable=durable)
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["f"]


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o664])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "made" / "on" / "the-way" / "f"
    files.atomic_write(path, b"", mode=mode, durable=False)
    assert mode_of(path) == mode
    directory_mode = {0o600: 0o700, 0o660: 0o770, 0o664: 0o775}[mode]
    assert {mode_of(parent) & 0o777 for parent in list(path.parents)[:3]} == {directory_mode}


def test_directories_of_a_shared_repository_keep_the_group(tmp_path: Path) -> None:
    files.make_directories(tmp_path / "a" / "b", 0o660)
    assert mode_of(tmp_path / "a" / "b") & stat.S_ISGID


def test_existing_directories_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    files.make_directories(tmp_path / "a" / "b", 0o600)
    assert (mode_of(tmp_path / "a"), mode_of(tmp_path / "a" / "b")) == (0o755, 0o700)


def test_the_file_is_complete_when_it_is_announced_and_the_old_one_still_in_place(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    seen = []

    def announced(status: os.stat_result) -> None:
        seen.append((status.st_size, path.read_bytes()))

    files.atomic_write(path, b"brand new", mode=0o600, durable=True, before_rename=announced)
    assert seen == [(9, b"old")]
    assert (path.stat().st_size, path.read_bytes()) == (9, b"brand new")


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
def test_ws_02_05_an_interrupted_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        files.atomic_write(path, b"new", mode=0o600, durable=True)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["f"]


def test_a_durable_write_is_flushed_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    for name in ("fsync", "rename"):
        original = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, original=original: (steps.append(name), original(*a)))
    files.atomic_write(tmp_path / "f", b"x", mode=0o600, durable=True)
    files.atomic_write(tmp_path / "g", b"x", mode=0o600, durable=False)
    assert steps == ["fsync", "rename", "rename"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: original(descriptor, bytes(data)[:3]))
    files.atomic_write(tmp_path / "f", b"0123456789", mode=0o600, durable=False)
    assert (tmp_path / "f").read_bytes() == b"0123456789"


def test_what_a_killed_process_with_the_same_pid_left_behind_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "_counter", iter(range(9)))
    monkeypatch.setattr(os, "rename", killed)
    monkeypatch.setattr(os, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        files.atomic_write(path, b"one", mode=0o600, durable=False)
    monkeypatch.undo()
    assert len(names(tmp_path)) == 1
    # The first write of the next process with this pid, as every first process of a container has the same.
    monkeypatch.setattr(files, "_counter", iter(range(9)))
    files.atomic_write(path, b"two", mode=0o600, durable=False)
    assert path.read_bytes() == b"two"


# The others


def test_a_file_without_a_name_can_be_written_and_read(tmp_path: Path) -> None:
    descriptor = files.unlinked_file(tmp_path)
    try:
        os.write(descriptor, b"text")
        assert os.pread(descriptor, 9, 0) == b"text"
        assert names(tmp_path) == []
        assert not os.get_inheritable(descriptor)
    finally:
        os.close(descriptor)


def test_a_file_without_a_name_where_the_system_has_none_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    test_a_file_without_a_name_can_be_written_and_read(tmp_path)


def test_discarding_the_beginning_keeps_the_rest_and_the_size(tmp_path: Path) -> None:
    descriptor = files.unlinked_file(tmp_path)
    try:
        os.write(descriptor, b"a" * 8192 + b"rest")
        files.discard_beginning(descriptor, 8192)
        assert os.fstat(descriptor).st_size == 8196
        assert os.pread(descriptor, 9, 8192) == b"rest"
    finally:
        os.close(descriptor)


def test_remove_file(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch()
    link.symlink_to(target)
    assert files.remove_file(link)
    assert names(tmp_path) == ["target"]
    assert not files.remove_file(link)
    assert not files.remove_file(target / "below-a-file")


def test_remove_empty_directory_removes_no_other(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "f").touch()
    for name in ("empty", "full", "missing"):
        files.remove_empty_directory(tmp_path / name)
    assert names(tmp_path) == ["full"]


def test_remove_tree_never_follows_a_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "f").touch()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(precious)
    (tmp_path / "tree-link").symlink_to(precious)
    for name in ("tree", "tree-link", "missing"):
        files.remove_tree(tmp_path / name)
    assert names(tmp_path) == ["precious"]
    assert names(precious) == ["f"]


def test_entries_of_what_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert [entry.name for entry in files.entries(tmp_path)] == ["f"]
    assert list(files.entries(tmp_path / "missing")) == []
    assert list(files.entries(tmp_path / "f")) == []


def test_syncing_what_is_no_directory_is_no_error(tmp_path: Path) -> None:
    files.sync_directory(tmp_path)
    files.sync_directory(tmp_path / "missing")


@pytest.mark.parametrize("name", ["a", "run_1", "job-clean-single", "ü", "a b", "..a", "...", "a.json"])
def test_names_that_are_single_components(name: str) -> None:
    assert files.is_single_component(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a/", "../x", "a\0b", "a\nb", "a\tb", "\x7f", "\udcff"])
def test_ws_02_09_names_that_leave_the_directory_or_cannot_be_shown(name: str) -> None:
    assert not files.is_single_component(name)


@given(st.text())
def test_a_single_component_stays_directly_below_its_directory(name: str) -> None:
    if files.is_single_component(name):
        path = Path("/directory") / name
        assert path.parent == Path("/directory")
        assert os.path.normpath(path) == str(path)
