"""Loading: what is said, what is read again, what it costs (spec 07 §2.1, §2.7)."""

import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from vizier_core.config import Settings, load_settings
from vizier_core.config.layers import decode
from vizier_core.errors import ConfigError


def test_without_files_the_defaults_hold(load):
    assert load() == (Settings(), [])


def test_each_file_is_told(root, tmp_path, monkeypatch, configure):
    monkeypatch.setenv("VIZIER_CONFIG_DIR", str(tmp_path))
    everywhere = tmp_path / "vizier" / "config.toml"
    everywhere.parent.mkdir()
    everywhere.write_text("")
    here = configure("")
    lines: list[str] = []
    load_settings(root, tell=lines.append)
    assert lines == [f"Loading global config from {everywhere}", f"Loading repo config from {here}"]


def test_the_file_of_the_environment_is_told_and_a_named_one_is_not(root, tmp_path, monkeypatch):
    path = tmp_path / "c.toml"
    path.write_text("")
    lines: list[str] = []
    load_settings(root, path, tell=lines.append)
    assert lines == []
    monkeypatch.setenv("VIZIER_CONFIG_FILE", str(path))
    load_settings(root, tell=lines.append)
    assert lines == [f"Loading env config from {path}"]


def test_warnings_come_with_every_load(load, configure):
    configure('colour = 1\ncommits.meta.style = "odd"\n')
    assert load()[1] == load()[1]
    assert len(load()[1]) == 2


def test_a_refused_file_is_not_warned_about(root, configure):
    configure('colour = 1\nmodel = "x"\n')
    warnings: list[str] = []
    with pytest.raises(ConfigError):
        load_settings(root, warn=warnings.append)
    assert warnings == []


def test_a_refused_file_stays_refused(load, configure):
    configure("commands = 3\n")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"\[commands\] must be a table"):
            load()


def test_an_error_in_a_weaker_layer_counts(load, tmp_path, monkeypatch, configure):
    monkeypatch.setenv("VIZIER_CONFIG_DIR", str(tmp_path))
    everywhere = tmp_path / "vizier" / "config.toml"
    everywhere.parent.mkdir()
    everywhere.write_text("commands.draft = 3\n")
    configure('commands.draft = "file:x.hcl"\n')
    with pytest.raises(ConfigError) as error:
        load()
    assert str(everywhere) in str(error.value)


def test_ws_08_14_a_missing_file_is_named(load, tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file or directory"):
        load(tmp_path / "gone.toml")


def reads(load, path: Path, monkeypatch) -> bool:
    """Whether loading opens a file."""
    opened: list[Path] = []
    original = Path.read_bytes
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda self: opened.append(self) or original(self))
        load()
    return path in opened


def test_an_unchanged_file_is_read_once(load, configure, monkeypatch):
    path = configure("git.sign = true\n")
    assert reads(load, path, monkeypatch)
    assert not reads(load, path, monkeypatch)
    assert load()[0].git.sign


@pytest.mark.parametrize("how", ["rewritten", "replaced", "same size and time"])
def test_a_changed_file_is_read_again(load, configure, how):
    path = configure("git.sign = true \n")
    before = path.stat()
    assert load()[0].git.sign
    if how == "replaced":
        other = path.with_suffix(".new")
        other.write_text("git.sign = false\n")
        other.rename(path)
    else:
        path.write_text("git.sign = false\n")
    if how == "same size and time":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert not load()[0].git.sign


def test_a_changed_prompt_file_is_read_again(load, root, configure):
    configure('agents.default.prompts.review.path = "p.md"\n')
    prompt = root / ".vizier" / "p.md"

    def text() -> str | None:
        (found,) = load()[0].agents.default.prompts.values()
        return found.text

    prompt.write_text("one")
    assert text() == "one"
    prompt.write_text("three")
    assert text() == "three"
    prompt.unlink()
    with pytest.raises(ConfigError):
        load()


LOADED = """
import sys
before = set(sys.modules)
from pathlib import Path
from vizier_core.config import load_settings
load_settings(Path(sys.argv[1]))
print(*sorted(set(sys.modules) - before))
"""
#: Dear to import.
DEAR = {"tomllib", "json", "difflib", "dataclasses", "inspect", "datetime", "vizier_kernel.template"}


def modules_loaded(root: Path) -> set[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
    # msgspec is what the whole program stands on, and it brings modules of its own.
    script = "import msgspec\n" + LOADED
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-c", script, root], env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_without_files_nothing_that_reads_them_is_imported(root):
    loaded = modules_loaded(root)
    assert not loaded & DEAR
    assert not {name for name in loaded if name.startswith("vizier_core.config.k")}, "nor is the list of keys"


def test_reading_json_needs_no_other_parser(root, configure):
    configure('{"git": {"sign": true}}', "config.json")
    assert not modules_loaded(root) & DEAR


def test_reading_toml_needs_its_parser_alone(root, configure):
    configure("git.sign = true\n")
    # The parser itself knows dates.
    assert modules_loaded(root) & DEAR - {"datetime"} == {"tomllib"}


def test_a_small_file_takes_well_under_a_millisecond():
    tree = tomllib.loads(
        """
        agent = "codex"
        [commands]
        draft = "file:.vizier/workflows/draft.hcl"
        merge = "file:.vizier/workflows/merge.hcl"
        [display.lists.jobs]
        format = "table"
        fields = ["Job", "Status"]
        [agents.commands.merge.agent]
        command = ["run", "--fast"]
        """
    )
    best = float("inf")
    for _ in range(50):
        began = time.perf_counter()
        decode(tree, Path("/config.toml"))
        best = min(best, time.perf_counter() - began)
    assert best < 0.0005
