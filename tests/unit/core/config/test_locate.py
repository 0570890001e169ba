"""Which files count (spec 07 §2.1)."""

from pathlib import Path

import pytest

from vizier_core.config import base_config_directory, locate_config_files
from vizier_core.config.locate import Origin

BASES = {
    "VIZIER_CONFIG_DIR": "one",
    "XDG_CONFIG_HOME": "two",
    "APPDATA": "three",
    "HOME": "four/.config",
    "USERPROFILE": "five/AppData/Roaming",
}


def of_user(base: Path, name: str = "config.toml") -> Path:
    path = base / "vizier" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


@pytest.mark.parametrize("first", range(5))
def test_the_first_base_that_is_not_blank_decides(tmp_path, monkeypatch, first):
    for place, (variable, below) in enumerate(BASES.items()):
        monkeypatch.setenv(variable, " \t" if place < first else f" {tmp_path / below.split('/')[0]} ")
    assert base_config_directory() == tmp_path / list(BASES.values())[first]


def test_without_any_base_there_is_no_global_file(root, monkeypatch):
    monkeypatch.delenv("HOME")
    assert base_config_directory() is None
    assert locate_config_files(root) == []


def test_global_before_repo(root, tmp_path, monkeypatch, configure):
    monkeypatch.setenv("VIZIER_CONFIG_DIR", str(tmp_path / "base"))
    everywhere, here = of_user(tmp_path / "base"), configure("")
    assert locate_config_files(root) == [(Origin.GLOBAL, everywhere), (Origin.REPO, here)]


def test_a_global_json_file_is_never_looked_at(root, tmp_path, monkeypatch):
    monkeypatch.setenv("VIZIER_CONFIG_DIR", str(tmp_path))
    of_user(tmp_path, "config.json")
    assert locate_config_files(root) == []


def test_toml_hides_json(root, configure):
    as_json = configure("{}", "config.json")
    assert locate_config_files(root) == [(Origin.REPO, as_json)]
    as_toml = configure("")
    assert locate_config_files(root) == [(Origin.REPO, as_toml)]


def test_a_directory_is_no_configuration_of_the_project(root, configure):
    as_json = configure("{}", "config.json")
    (root / ".vizier" / "config.toml").mkdir()
    assert locate_config_files(root) == [(Origin.REPO, as_json)]


def test_the_environment_is_the_last_resort(root, tmp_path, monkeypatch, configure):
    named = tmp_path / "env.toml"
    monkeypatch.setenv("VIZIER_CONFIG_FILE", f" {named} ")
    assert locate_config_files(root) == [], "it does not exist"
    named.write_text("")
    assert locate_config_files(root) == [(Origin.ENVIRONMENT, named)]
    here = configure("")
    assert locate_config_files(root) == [(Origin.REPO, here)]


def test_blank_names_in_the_environment_are_none(root, monkeypatch):
    monkeypatch.setenv("VIZIER_CONFIG_FILE", "   ")
    assert locate_config_files(root) == []


def test_the_named_file_is_the_only_one(root, tmp_path, configure):
    configure("")
    assert locate_config_files(root, tmp_path / "gone.toml") == [(Origin.EXPLICIT, tmp_path / "gone.toml")]
