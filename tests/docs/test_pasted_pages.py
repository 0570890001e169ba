"""README.md and the tutorial work when they are pasted, block after block, in a clean home."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import living
from support.repository import VIZIER

from .pages import ROOT, Block, Shell, blocks

#: Commands that need a package index or take very long, and the test or script that runs them instead.
ELSEWHERE = {
    "./demo.sh": "tests/bootstrap/test_demo.py",
    "./cicd.sh": ".ci/run",
    "pipx install .": "scripts/try-installers.sh",
    "uv tool install .": "scripts/try-installers.sh",
    "pip install .": "scripts/try-installers.sh",
    "PREFIX=$HOME/.local ./install.sh": "tests/bootstrap/test_install.py",
}


def is_elsewhere(block: Block) -> bool:
    return any(line.startswith(command) for line in block.commands.splitlines() for command in ELSEWHERE)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """As a newcomer has it: an empty home, no git configuration, `vizier` on the PATH."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    program = programs / "vizier"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(VIZIER)} "$@"\n')
    program.chmod(0o755)
    env = {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    made = Shell(home, env)
    yield made
    made.close()
    for process in living(tmp_path):
        process.kill()


def paste(page: str, shell: Shell) -> None:
    pasted = [block for block in blocks((ROOT / page).read_text()) if not is_elsewhere(block)]
    assert pasted
    for block in pasted:
        shell.paste(block)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/user/tutorial.md", "docs/user/install.md"])
def test_every_block_works_when_it_is_pasted(page: str, shell: Shell) -> None:
    paste(page, shell)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("jq"), reason="the recipes use jq")
def test_the_recipes_for_scripts_work(shell: Shell) -> None:
    shell.paste(Block("git init --quiet project\ncd project\nmkdir .vizier", ()))
    for name, script in (("hello", "echo hello"), ("broken", "echo no luck today; exit 1")):
        node = (
            f'{{ id = "only", kind = "shell", uses = "cap.env.shell.command.run", args = {{ script = "{script}" }} }}'
        )
        template = f'id = "template.{name}"\nversion = "v1"\nnodes = [{node}]'
        shell.paste(Block(f"cat >.vizier/{name}.hcl <<'END'\n{template}\nEND", ()))
    paste("docs/user/scripting.md", shell)


@pytest.mark.parametrize("page", ["README.md", "docs/user/tutorial.md", "docs/user/install.md"])
def test_what_is_not_pasted_is_run_elsewhere(page: str) -> None:
    for block in filter(is_elsewhere, blocks((ROOT / page).read_text())):
        for line in block.commands.splitlines():
            command = line.partition("#")[0].strip()
            assert command in ELSEWHERE, command
            runner = (ROOT / ELSEWHERE[command]).read_text()
            # What the script calls it by: the program and its first word, or the script itself.
            words = [word for word in command.split() if "=" not in word]
            name = words[0].removeprefix("./")
            assert name in runner or " ".join(words[:2]) in runner, command


def test_the_runner_notices_what_a_page_gets_wrong(shell: Shell) -> None:
    for block in (
        Block("false\ntrue\n", ()),
        Block("false\n", ()),
        Block("true  # exits 1\n", ()),
        Block("false; true; false  # exits 1\n", ()),
        Block("echo one; echo two\n", ("two", "one")),
        Block("echo onetwo\n", ("one…three",)),
    ):
        with pytest.raises(AssertionError):
            shell.paste(block)
    shell.paste(Block("cat; echo one; echo two; false  # exits 1\n", ("o…e", "two")))


# What pages say of the program, beyond their commands

SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.py")))
PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md")))]


@pytest.mark.parametrize(
    "title", re.findall(r"^### (.*)$", (ROOT / "docs/user/troubleshooting.md").read_text(), re.MULTILINE)
)
def test_the_program_prints_what_troubleshooting_explains(title: str) -> None:
    for message in re.findall(r"`([^`]+)`", title):
        parts = [part.strip() for part in message.split("…") if part.strip()]
        assert parts
        assert [part for part in parts if part not in SOURCES] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), target
        headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, target
