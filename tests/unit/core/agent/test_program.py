"""Programs and wrappers (spec 07 §6.2)."""

import os
from pathlib import Path

import pytest

from vizier_core.agent.program import find_program, line_buffered


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_bare_name_is_searched_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "a/tool", 0o644)
    program(tmp_path / "b/tool")
    program(tmp_path / "cwd/tool")
    monkeypatch.setenv("PATH", f"{tmp_path}/none{os.pathsep}{tmp_path}/a{os.pathsep}{tmp_path}/b")
    assert find_program("tool", tmp_path / "cwd") == tmp_path / "b/tool"


def test_relative_names_and_relative_path_entries_start_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "tools/agent")
    monkeypatch.setenv("PATH", "tools")
    assert find_program("./tools/agent", tmp_path) == find_program("agent", tmp_path) == tmp_path / "tools/agent"


def test_an_absolute_name_is_itself(tmp_path: Path) -> None:
    assert find_program(str(program(tmp_path / "my tool")), Path("/")) == tmp_path / "my tool"


@pytest.mark.parametrize("name", ["tool", "./tool", "/no/such/tool"])
def test_a_missing_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        find_program(name, tmp_path)


@pytest.mark.parametrize("name", ["tool", "./tool", "directory", "./directory"])
def test_what_cannot_be_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program(tmp_path / "tool", 0o644)
    (tmp_path / "directory").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermissionError):
        find_program(name, tmp_path)


@pytest.mark.parametrize(
    ("installed", "prefix", "missing"),
    [
        (["stdbuf", "unbuffer"], ("stdbuf", "-oL", "-eL"), ()),
        (["unbuffer"], ("unbuffer", "-p"), ("stdbuf",)),
        ([], (), ("stdbuf", "unbuffer")),
    ],
)
def test_ws_07_18_only_a_wrapper_that_is_there_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: list[str], prefix: tuple[str, ...], missing: tuple[str]
) -> None:
    for name in installed:
        program(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert line_buffered(["agent", "a b"], tmp_path) == ((*prefix, "agent", "a b"), missing)


@pytest.mark.parametrize(
    ("value", "wrapped"), [("1", False), (" Yes ", False), ("TRUE", False), ("0", True), ("", True)]
)
def test_ws_07_18_wrappers_can_be_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, wrapped: bool
) -> None:
    program(tmp_path / "stdbuf")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("VIZIER_DISABLE_STDBUF", value)
    assert (len(line_buffered(["agent"], tmp_path)[0]) > 1) == wrapped
