"""The manual pages: current, sound, and complete where they list something (spec 09 §10)."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vizier_cli.cli.commands import ROOT as PROGRAM
from vizier_core.config.keys import KEYS, Status
from vizier_kernel.template import CAPABILITIES

ROOT = Path(__file__).parents[2]
MAN = ROOT / "docs" / "man"
PAGES = sorted(MAN.rglob("vizier*.[157]"))
GENERATED = ("man1/vizier.1", "man1/vizier-jobs.1")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the generator works with."""
    for name in ("scripts/man_pages.py", "docs/man"):
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    (tmp_path / "src").symlink_to(ROOT / "src")
    return tmp_path


def generate(checkout: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", checkout / "scripts" / "man_pages.py", *arguments]
    return subprocess.run(command, cwd=cwd or checkout, capture_output=True, text=True, check=False)


def text_of(page: str) -> str:
    """A page without its escapes and requests, one blank between words."""
    source = (MAN / page).read_text()
    lines = (re.sub(r"^\.[A-Z]+ ?", "", line).replace('"', "") for line in source.splitlines())
    plain = re.sub(r"\\f.", "", " ".join(lines)).replace("\\-", "-").replace("\\&", "").replace("\\(dq", '"')
    return re.sub(r"\s+", " ", plain)


def test_there_are_five_regular_files() -> None:
    names = {"vizier.1", "vizier-jobs.1", "vizier-config.5", "vizier-workflow.7", "vizier-workflow-template.7"}
    assert {page.name for page in PAGES} == names
    assert all(page.is_file() and not page.is_symlink() for page in PAGES)


def test_generated_pages_are_current() -> None:
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_page_is_named_and_nothing_is_written(checkout: Path) -> None:
    page = checkout / "docs" / "man" / GENERATED[1]
    page.write_text("old")
    done = generate(checkout, "--check")
    assert done.returncode == 1
    assert f"docs/man/{GENERATED[1]}" in done.stderr
    assert "scripts/man_pages.py" in done.stderr
    assert GENERATED[0] not in done.stderr
    assert page.read_text() == "old"


def test_missing_pages_are_written_and_links_replaced(checkout: Path, tmp_path: Path) -> None:
    folder = checkout / "docs" / "man" / "man1"
    current = {name: (checkout / "docs" / "man" / name).read_text() for name in GENERATED}
    shutil.rmtree(folder)
    folder.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (folder / "vizier.1").symlink_to(elsewhere)
    assert generate(checkout).returncode == 0
    assert {name: (checkout / "docs" / "man" / name).read_text() for name in GENERATED} == current
    assert not (folder / "vizier.1").is_symlink()
    assert elsewhere.read_text() == "mine"


def test_what_is_current_is_not_written_again(checkout: Path) -> None:
    pages = [checkout / "docs" / "man" / name for name in GENERATED]
    before = [page.stat().st_mtime_ns for page in pages]
    assert generate(checkout).returncode == 0
    assert [page.stat().st_mtime_ns for page in pages] == before


def test_ws_09_26_the_check_does_not_depend_on_the_directory(checkout: Path) -> None:
    assert generate(checkout, "--check", cwd=Path("/")).returncode == 0


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("a\\nb", "a\\enb"),
        ("--all", "\\-\\-all"),
        (".hidden", "\\&.hidden"),
        ("'quoted'", "\\&'quoted'"),
        ("  .x", "  .x"),
        ("", ""),
    ],
)
def test_ws_09_26_everything_that_troff_would_eat_is_escaped(line: str, source: str) -> None:
    code = f"import runpy; print(runpy.run_path({str(ROOT / 'scripts' / 'man_pages.py')!r})['escaped']({line!r}))"
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{source}\n"


@pytest.mark.skipif(not shutil.which("man"), reason="needs man")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_renders_without_complaints(page: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "100"}
    command = ["man", "--warnings", "--local-file", page]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    assert "NAME" in done.stdout
    assert "SEE ALSO" in done.stdout


def test_every_live_key_is_explained() -> None:
    text = text_of("man5/vizier-config.5")
    parts = {part for key in KEYS if key.status is Status.LIVE for part in key.path.split(".")}
    named = {part for part in parts if not part.startswith("<")} - {"enabled"}
    missing = sorted(part for part in named if not re.search(rf"(?<![\w]){re.escape(part)}(?![\w])", text))
    # Kinds of prompts are chosen by name.
    assert [part for part in missing if f"prompts.{part}" not in " ".join(key.path for key in KEYS)] == []


def test_every_capability_is_listed() -> None:
    lines = (MAN / "man7/vizier-workflow-template.7").read_text().splitlines()
    assert [name for name in CAPABILITIES if name not in lines] == []
    assert [line for line in lines if line.startswith(("cap.", "control.")) and line not in CAPABILITIES] == []


def test_every_option_that_a_page_names_exists() -> None:
    known = {option.flag for option in _options(PROGRAM)} | {"--help", "--version"}
    for page in ("man5/vizier-config.5", "man7/vizier-workflow.7", "man7/vizier-workflow-template.7"):
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text_of(page)))
        examples = {"--file", "--name", "--channel"}
        assert named - known - examples == set(), page


def _options(command):
    from vizier_cli.cli.commands import GLOBAL_OPTIONS

    yield from GLOBAL_OPTIONS
    yield from command.options
    for child in command.commands:
        yield from _options(child)
