"""docs/user/templates.md: every example works as the page says, and no key of the format is missing."""

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.repository import VIZIER, Repository
from vizier_hcl import evaluate
from vizier_kernel.template import CAPABILITIES
from vizier_kernel.template.decode import TEMPLATE
from vizier_kernel.template.shapes import ListOf, OneOf, Record, Tagged

PAGE = (Path(__file__).parents[2] / "docs" / "user" / "templates.md").read_text()
_BLOCK = re.compile(r"^(?:\*\*`([^`]+)`\*\*\n\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(.*?)(?:\s+# exits (\d+))?")


class Block(NamedTuple):
    """An example: a file, or command lines."""

    path: str
    language: str
    text: str


class Command(NamedTuple):
    """A command line of the page, with what it should exit with and print."""

    line: str
    code: int
    output: list[str]


BLOCKS = [Block(*found.groups(default="")) for found in _BLOCK.finditer(PAGE)]
FILES = [block for block in BLOCKS if block.language != "console"]


def commands(block: Block) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        first, *output = part.splitlines()
        found = _COMMAND.fullmatch(first)
        assert found is not None
        yield Command(found[1], int(found[2] or 0), output)


@pytest.fixture
def shell_path(repository: Repository) -> str:
    """A search path on which `vizier` is the program under test."""
    program = repository.base / "bin" / "vizier"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(VIZIER)} "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}:{repository.env['PATH']}"


def check(command: Command, repository: Repository, path: str) -> None:
    """Runs a command; what the page shows of the output is there, in this order."""
    done = subprocess.run(
        ["sh", "-c", command.line],
        cwd=repository.path,
        env={**repository.env, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == command.code, f"$ {command.line}\n{done.stdout}\n{done.stderr}"
    printed = done.stdout + done.stderr
    rest = printed
    for line in command.output:
        assert line in rest, f"$ {command.line}\n{printed}\nlacks, or has too early: {line}"
        rest = rest.split(line, 1)[1]


@pytest.mark.slow
def test_every_example_works_as_the_page_says(repository: Repository, shell_path: str) -> None:
    repository.vizier("init").ok()
    repository.git("add", "-A")
    repository.git("commit", "-qm", "scaffold")
    for block in BLOCKS:
        if block.path:
            repository.write(block.path, block.text)
        for command in commands(block):
            check(command, repository, shell_path)


def test_every_template_of_the_page_is_used_by_a_command_of_it() -> None:
    typed = " ".join(command.line for block in BLOCKS for command in commands(block))
    imported = " ".join(block.text for block in FILES)
    for block in FILES:
        assert block.path, block.text
        assert block.path in typed or f'"{block.path.removeprefix(".vizier/")}"' in imported, block.path


def tree_of(block: Block) -> Any:
    if block.language == "hcl":
        return evaluate(block.text.encode(), display_path=block.path).value
    return tomllib.loads(block.text) if block.language == "toml" else json.loads(block.text)


def keys_of(shape: Any, tree: Any, path: str = "") -> Iterator[str]:
    """The keys of the format that a template uses."""
    if isinstance(shape, ListOf):
        for item in tree:
            yield from keys_of(shape.item, item, path)
    elif isinstance(shape, Tagged):
        label = tree[shape.tag]
        yield f"{path}<{label}>"
        yield from keys_of(shape.variants[label], tree, f"{path}<{label}>")
    elif isinstance(shape, Record | OneOf):
        inner = (
            {key: field.shape for key, field in shape.fields.items()} if isinstance(shape, Record) else shape.variants
        )
        for key in tree.keys() & inner.keys():
            yield f"{path}.{key}"
            yield from keys_of(inner[key], tree[key], f"{path}.{key}")


def known_keys(shape: Any, path: str = "") -> Iterator[str]:
    """All keys of the format."""
    if isinstance(shape, ListOf):
        yield from known_keys(shape.item, path)
    elif isinstance(shape, Tagged):
        for label, variant in shape.variants.items():
            yield f"{path}<{label}>"
            yield from known_keys(variant, f"{path}<{label}>")
    elif isinstance(shape, Record | OneOf):
        inner = (
            {key: field.shape for key, field in shape.fields.items()} if isinstance(shape, Record) else shape.variants
        )
        for key, part in inner.items():
            yield f"{path}.{key}"
            yield from known_keys(part, f"{path}.{key}")


def test_every_key_of_the_format_is_in_an_example() -> None:
    used = {key for block in FILES for key in keys_of(TEMPLATE, tree_of(block))}

    # Which artifact is produced on which outcome makes no difference to the format.
    def simplified(keys: set[str]) -> set[str]:
        return {re.sub(r"\.(needs|produces\.\w+)(?=\.)", ".artifact", key) for key in keys}

    assert simplified(set(known_keys(TEMPLATE))) - simplified(used) == set()


def test_every_capability_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `(c\w+\.[\w.]+)` \|", PAGE, re.MULTILINE)) == set(CAPABILITIES)


def test_links_within_the_page_lead_somewhere() -> None:
    headings = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) == anchors
