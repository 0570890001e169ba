"""Narrative documents (spec 07 §4.5)."""

import os
import subprocess
from pathlib import Path

import pytest

from vizier_core.agent.errors import PromptContextError
from vizier_core.agent.narrative import load_narrative
from vizier_kernel.prompt import DOCUMENT_LIMIT, Narrative


def put(root: Path, **documents: str | bytes) -> Path:
    for name, text in documents.items():
        path = root / ".vizier/narrative" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def load(root: Path, project: Path | None = None, *, snapshot: bool = True, documents: bool = True) -> Narrative:
    return load_narrative(root, project or root, snapshot=snapshot, documents=documents)


def slugs(root: Path) -> list[str]:
    return [document.slug for document in load(root).documents or ()]


def test_which_documents_and_in_which_order(tmp_path: Path) -> None:
    names = ["z.md", "B.MD", "a/deep/x.md", "a/snapshot.md", "a/glossary.md", "glossary.md", "note.txt", "Snapshot.md"]
    put(tmp_path, **{name: f"text of {name}" for name in [*names, "md", "a.mdx", ".md", "é.md", "snapshot.md"]})
    found = load(tmp_path)
    assert found.snapshot == "text of snapshot.md"
    assert slugs(tmp_path) == ["glossary.md", "B.MD", "Snapshot.md", "a/deep/x.md", "a/glossary.md", "z.md", "é.md"]
    assert all(document.body == f"text of {document.slug}" for document in found.documents or ())


@pytest.mark.parametrize("snapshot", [True, False])
@pytest.mark.parametrize("documents", [True, False])
def test_only_what_is_wanted(tmp_path: Path, snapshot: bool, documents: bool) -> None:
    empty = load(tmp_path, snapshot=snapshot, documents=documents)
    assert empty == Narrative("" if snapshot else None, () if documents else None)
    put(tmp_path, **{"snapshot.md": "s", "a.md": "a"})
    found = load(tmp_path, snapshot=snapshot, documents=documents)
    assert (found.snapshot == "s", found.documents is not None) == (snapshot, documents)


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, **{"real/a.md": "a"})
    narrative = tmp_path / ".vizier/narrative"
    (narrative / "link").symlink_to(narrative)
    (narrative / "b.md").symlink_to(narrative / "real/a.md")
    (narrative / "loop.md").symlink_to("loop.md")
    (narrative / "gone.md").symlink_to("nowhere")
    assert slugs(tmp_path) == ["b.md", "real/a.md"]


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path, **{"a.md": "a"})
    os.mkfifo(tmp_path / ".vizier/narrative/pipe.md")
    (tmp_path / ".vizier/narrative/directory.md").mkdir()
    assert slugs(tmp_path) == ["a.md"]


def test_invalid_bytes_are_replaced_and_line_ends_kept(tmp_path: Path) -> None:
    put(tmp_path, **{"snapshot.md": b"caf\xe9\r\n", "a.md": b"\xff"})
    found = load(tmp_path)
    assert found.snapshot == "caf\ufffd\r\n"
    assert [document.body for document in found.documents or ()] == ["\ufffd"]


def test_a_very_deep_directory_is_no_problem(tmp_path: Path) -> None:
    directory = tmp_path / ".vizier/narrative"
    directory.mkdir(parents=True)
    descriptor = os.open(directory, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=descriptor)
        deeper = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = deeper
    os.close(descriptor)
    try:
        assert load(tmp_path).documents == ()
    finally:
        subprocess.run(["rm", "-rf", directory], check=True)  # too deep for pytest's own clean-up


def test_a_directory_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, **{"sub/a.md": "a"})
    real = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "sub":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PromptContextError, match=r"I/O error: cannot read .*/sub: Permission denied"):
        load(tmp_path)


def test_ws_07_19_the_narrative_of_the_execution_root_comes_first(tmp_path: Path) -> None:
    project, worktree = tmp_path / "project", tmp_path / "worktree"
    put(project, **{"snapshot.md": "project", "old.md": "old"})
    worktree.mkdir()
    assert load(worktree, project).snapshot == "project"
    put(worktree, **{"new.md": "new"})
    found = load(worktree, project)
    assert found.snapshot == ""
    assert [document.slug for document in found.documents or ()] == ["new.md"]


def test_ws_07_20_of_a_huge_document_only_the_beginning_is_read(tmp_path: Path) -> None:
    put(tmp_path, **{"snapshot.md": "x" * (5 * DOCUMENT_LIMIT)})
    assert len(load(tmp_path).snapshot or "") == 2 * DOCUMENT_LIMIT
