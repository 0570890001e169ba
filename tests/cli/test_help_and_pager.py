"""Help where it is read, and the pager (spec 08 §5, §10 nos. 12, 16, 17)."""

import re
import tomllib
from pathlib import Path

import pytest

from support.repository import VIZIER, Repository
from support.terminal import Terminal

ROOT = Path(__file__).parents[2]


def on_terminal(repository: Repository, *words: str, **env: str) -> str:
    with Terminal([*VIZIER, *words], repository.path, {**repository.env, "TERM": "xterm", **env}) as terminal:
        assert terminal.finish() == 0
        return terminal.text


@pytest.mark.parametrize("pager", ["no-such-pager", "/nonexistent/pager -F", "exit 127", "exit 126"])
def test_ws_08_12_a_pager_that_is_missing_does_not_swallow_the_help(repository: Repository, pager: str) -> None:
    """The shell starts all right, so only its exit code tells."""
    assert "Core commands:" in on_terminal(repository, "help", VIZIER_PAGER=pager, PATH="/nonexistent")


def test_ws_08_12_a_pager_that_was_left_early_is_not_missing(repository: Repository) -> None:
    assert "Core commands:" not in on_terminal(repository, "help", VIZIER_PAGER="head -c 0; exit 1")


def test_ws_08_12_a_file_name_with_a_q_is_not_the_quiet_flag(repository: Repository) -> None:
    text = on_terminal(repository, "-Cquick.toml", "help", VIZIER_PAGER="sed 's/^/| /'")
    assert "| Core commands:" in text


def test_ws_08_16_a_group_without_a_command_shows_the_commands_of_the_group(repository: Repository) -> None:
    bare = repository.vizier("jobs").ok()
    assert bare.out == repository.vizier("jobs", "--help").out
    assert re.search(r"^  approve  ", bare.out, re.MULTILINE)


def test_ws_08_17_the_version_is_that_of_the_package(repository: Repository) -> None:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in about["dynamic"]
    scope: dict[str, str] = {}
    exec((ROOT / "src" / "vizier_core" / "version.py").read_text(), scope)
    assert repository.vizier("--version").ok().out == f"vizier {scope['__version__']}\n"
