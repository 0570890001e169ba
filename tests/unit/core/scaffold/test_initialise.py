"""`init` on a directory: what it creates, what it leaves alone, how it fails (spec 09 §§2.1, 2.5, 18)."""

import os
import stat
import tomllib
from pathlib import Path

import pytest

from vizier_core.scaffold import initialise, missing_items
from vizier_core.scaffold.contract import SCAFFOLD
from vizier_core.scaffold.failure import InitError


def test_everything_is_created_once(tmp_path: Path) -> None:
    assert initialise(tmp_path)
    assert missing_items(tmp_path) == []
    assert not initialise(tmp_path)
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()} == {
        ".gitignore",
        *(file.path for file in SCAFFOLD),
    }


def test_modes_follow_the_umask_but_for_the_script(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        initialise(tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / ".vizier/config.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".gitignore").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ci.sh").stat().st_mode) == 0o755


def test_a_file_reached_through_a_link_is_there(tmp_path: Path) -> None:
    (tmp_path / "shared.sh").write_text("mine")
    (tmp_path / "ci.sh").symlink_to("shared.sh")
    initialise(tmp_path)
    assert (tmp_path / "ci.sh").read_text() == "mine"


@pytest.mark.parametrize("occupant", ["directory", "link to nowhere", "pipe"])
def test_an_occupied_path_is_named(tmp_path: Path, occupant: str) -> None:
    path = tmp_path / "ci.sh"
    match occupant:
        case "directory":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path.symlink_to("nowhere")
    message = rf"^failed to create required file {path}: path exists and is not a file$"
    with pytest.raises(InitError, match=message):
        initialise(tmp_path)


def test_a_file_where_a_directory_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / ".vizier").write_text("")
    with pytest.raises(InitError, match=rf"^failed to create directory {tmp_path}/\.vizier/narrative: "):
        initialise(tmp_path)


def test_ignore_rules_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").mkdir()
    with pytest.raises(InitError, match=rf"^failed to read file {tmp_path}/\.gitignore: Is a directory$"):
        missing_items(tmp_path)


def test_ws_09_01_a_read_only_file_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be allowed to write anything: the refusal is put in."""
    ignore = tmp_path / ".gitignore"
    ignore.write_text("x\n")
    real = open

    def refuse(path: object, mode: str = "r") -> object:
        if path == ignore:
            raise PermissionError(13, "Permission denied")
        return real(path, mode)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InitError, match=rf"^failed to write file {ignore}: Permission denied$"):
        initialise(tmp_path)
    assert ignore.read_text() == "x\n"


def test_ws_09_01_the_mode_and_the_link_of_ignore_rules_stay(tmp_path: Path) -> None:
    real = tmp_path / "rules"
    real.write_text("x\n")
    real.chmod(0o640)
    (tmp_path / ".gitignore").symlink_to("rules")
    initialise(tmp_path)
    assert (tmp_path / ".gitignore").is_symlink()
    assert real.read_text().startswith("x\n\n# Vizier\n")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_ws_09_01_a_failed_write_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vizier_core.files.write_all", stop)
    with pytest.raises(InitError, match=r"^failed to write file .*snapshot\.md: No space left on device$"):
        initialise(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_rerun_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    (tmp_path / "ci.sh").mkdir()
    with pytest.raises(InitError):
        initialise(tmp_path)
    assert missing_items(tmp_path)[0] == "ci.sh"
    (tmp_path / "ci.sh").rmdir()
    assert initialise(tmp_path)
    assert missing_items(tmp_path) == []


def test_ws_09_04_the_configuration_says_that_the_gate_key_does_nothing() -> None:
    (text,) = [file.content.decode() for file in SCAFFOLD if file.path.endswith("config.toml")]
    assert tomllib.loads(text)["merge"]["cicd_gate"] == {"script": "./ci.sh", "auto_resolve": True, "retries": 2}
    assert "--set cicd_script=./ci.sh" in text
