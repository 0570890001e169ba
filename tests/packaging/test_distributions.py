"""The distributions: complete, equal however they are made, and working where they are installed (spec 09 §10)."""

import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from vizier_core.version import __version__

from .conftest import ROOT, Distributions, build

SOURCES = ROOT / "src"


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_every_file_of_the_packages(distributions: Distributions) -> None:
    """Modules, and what they read: templates, prompts, schemas, scripts."""
    wanted = {
        str(path.relative_to(SOURCES)): path.read_bytes()
        for path in SOURCES.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    }
    found = members(distributions.wheel)
    assert {name for name, data in wanted.items() if found.get(name) != data} == set()


def test_programs_in_the_wheel_are_executable(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    programs = {str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.sh") if path.stat().st_mode & 0o111}
    assert programs
    assert {name for name in programs if not modes[name] & 0o111} == set()


def test_the_wheel_brings_the_manual_pages(distributions: Distributions) -> None:
    found = members(distributions.wheel)
    for page in (ROOT / "docs" / "man").rglob("*.[157]"):
        name = f"vizier-{__version__}.data/data/share/man/{page.relative_to(ROOT / 'docs' / 'man')}"
        assert found[name] == page.read_bytes()


def test_nothing_of_tests_or_tools_is_shipped(distributions: Distributions) -> None:
    tops = {name.partition("/")[0] for name in members(distributions.wheel)}
    own = {path.name for path in SOURCES.iterdir() if path.is_dir() and not path.name.endswith(".egg-info")}
    assert tops == {*own, f"vizier-{__version__}.dist-info", f"vizier-{__version__}.data"}


@pytest.mark.slow
def test_the_source_distribution_builds_the_same_wheel(distributions: Distributions, tmp_path: Path) -> None:
    with tarfile.open(distributions.sdist) as archive:
        # Python 3.11 has filters since 3.11.4 only.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(tmp_path / "unpacked", **safely)
    again = build(tmp_path / "unpacked" / f"vizier-{__version__}", tmp_path / "again", "wheel")
    assert again.read_bytes() == distributions.wheel.read_bytes()


def run(installation: Path, *words: str, cwd: Path = Path("/"), **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{installation / 'bin'}:/usr/bin:/bin", "HOME": str(installation), **variables}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_installed_program_runs(installation: Path) -> None:
    for command in (["vizier"], ["python", "-m", "vizier_cli"]):
        done = run(installation, *command, "--version")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"vizier {__version__}\n", "")
        assert "Commands:" in run(installation, *command, "help", "--all").stdout


@pytest.mark.slow
def test_the_installed_program_is_the_one_from_the_wheel(installation: Path) -> None:
    done = run(installation, "python", "-c", "import vizier_core; print(vizier_core.__file__)")
    assert done.stdout.startswith(str(installation))


@pytest.mark.slow
def test_the_installed_manual_pages_are_where_man_looks(installation: Path) -> None:
    assert (installation / "share" / "man" / "man1" / "vizier.1").is_file()
    if shutil.which("man"):
        done = run(installation, "man", "-w", "vizier")
        assert done.stdout.strip() == str(installation / "share" / "man" / "man1" / "vizier.1")


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "elvish", "powershell"])
def test_the_installed_program_has_its_completion_scripts(installation: Path, shell: str) -> None:
    done = run(installation, "vizier", "completions", shell)
    assert done.returncode == 0
    # By its name, as it is the one on the PATH.
    assert str(installation) not in done.stdout


@pytest.mark.slow
def test_the_installed_program_runs_a_flow(installation: Path, tmp_path: Path) -> None:
    """Both ways of starting workers find the installed packages."""
    environment = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    run(installation, "git", "init", "-q", cwd=tmp_path, **environment)
    nodes = '[{"id": "a", "kind": "shell", "uses": "cap.env.shell.command.run", "args": {"script": "echo hello"}}]'
    (tmp_path / "flow.json").write_text(f'{{"id": "t", "version": "v1", "nodes": {nodes}}}')
    for form in ("auto", "exec"):
        (tmp_path / "config.toml").write_text(f'[jobs]\nlauncher = "{form}"\n')
        words = ["-C", "config.toml", "run", "flow.json", "--follow"]
        done = run(installation, "vizier", *words, cwd=tmp_path, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        logs = [log.read_text() for log in tmp_path.glob(".vizier/jobs/wf-*/stdout.log")]
        assert logs.pop() == "hello\n"
        shutil.rmtree(tmp_path / ".vizier")
