"""Finding shims (spec 07 §§5.3, 5.4)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vizier_core.agent.errors import InvalidLabelError, ShimNotFoundError
from vizier_core.agent.shims import BUNDLED, agent_shim, filter_shim, shim_directories
from vizier_core.installation import program_directory


@pytest.fixture(autouse=True)
def no_configured_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIZIER_AGENT_SHIMS_DIR", raising=False)


def shim(directory: Path, label: str, *names: str) -> Path:
    for name in names or ("agent.sh",):
        path = directory / label / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
    return directory


def test_search_path_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [
        tmp_path / "own",
        tmp_path / "bin/agents",
        tmp_path / "share/vizier/agents",
        tmp_path / "cwd/examples/agents",
    ]
    for directory in wanted:
        directory.mkdir(parents=True)
    monkeypatch.setenv("VIZIER_AGENT_SHIMS_DIR", f"  {wanted[0]} ")
    assert list(shim_directories(tmp_path / "cwd", tmp_path / "bin")) == [*wanted, BUNDLED]


@pytest.mark.parametrize("value", ["", "  ", "/nowhere/at/all"])
def test_directories_that_do_not_exist_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("VIZIER_AGENT_SHIMS_DIR", value)
    assert shim_directories(tmp_path, tmp_path) == (BUNDLED,)


def test_ws_07_08_relative_directories_are_absolute_after_the_lookup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim(tmp_path / "mine", "a")
    shim(tmp_path / "examples/agents", "b")
    monkeypatch.setenv("VIZIER_AGENT_SHIMS_DIR", "mine")
    monkeypatch.chdir(tmp_path)
    directories = shim_directories(Path(), tmp_path / "bin")
    monkeypatch.chdir("/")
    assert agent_shim("a", directories) == tmp_path / "mine/a/agent.sh"
    assert agent_shim("b", directories) == tmp_path / "examples/agents/b/agent.sh"


def test_each_script_comes_from_the_first_directory_that_has_it(tmp_path: Path) -> None:
    first = shim(tmp_path / "first", "x", "agent.sh")
    second = shim(tmp_path / "second", "x", "agent.sh", "filter.sh")
    assert agent_shim("x", (first, second)) == first / "x/agent.sh"
    assert filter_shim("x", (first, second)) == second / "x/filter.sh"


def test_a_filter_alone_is_no_agent(tmp_path: Path) -> None:
    with pytest.raises(ShimNotFoundError):
        agent_shim("x", (shim(tmp_path, "x", "filter.sh"),))
    assert filter_shim("y", (tmp_path,)) is None


def test_missing_shim_names_label_directories_and_remedy(tmp_path: Path) -> None:
    with pytest.raises(ShimNotFoundError) as caught:
        agent_shim("nobody", (tmp_path / "a", tmp_path / "b"))
    text = str(caught.value)
    assert "no bundled agent shim named `nobody`" in text
    assert f"looked in {tmp_path}/a, {tmp_path}/b" in text
    assert "agent.command" in text


def test_missing_shim_without_any_directory() -> None:
    with pytest.raises(ShimNotFoundError, match="no shim directories detected"):
        agent_shim("nobody", ())


@pytest.mark.parametrize("label", ["../evil", "a/b", "/etc", "..", ".", "", "a\nb", "a\0b"])
def test_ws_07_09_a_label_is_one_path_component(tmp_path: Path, label: str) -> None:
    shim(tmp_path, "evil", "agent.sh", "filter.sh")
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(InvalidLabelError, match="invalid agent label"):
        agent_shim(label, (inside,))
    with pytest.raises(InvalidLabelError, match="invalid agent label"):
        filter_shim(label, (inside,))


@pytest.mark.parametrize("label", ["codex", "claude", "gemini"])
@pytest.mark.parametrize("name", ["agent.sh", "filter.sh"])
def test_ws_07_12_bundled_scripts_are_executable(label: str, name: str) -> None:
    assert os.access(BUNDLED / label / name, os.X_OK)


def test_the_program_started_by_name_is_where_its_file_is(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "real/vizier"
    program.write_text(
        "import os\nos.chdir('/')\nfrom vizier_core.installation import program_directory\nprint(program_directory())\n"
    )
    (tmp_path / "bin/vizier").symlink_to(program)
    done = subprocess.run([sys.executable, "bin/vizier"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "real")


def test_another_program_counts_as_where_its_interpreter_is() -> None:
    assert program_directory() == Path(sys.executable).parent
