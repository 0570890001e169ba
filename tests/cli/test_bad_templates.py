"""Templates that cannot be used: one message that names the file, the place in it and the cure, and nothing happens."""

import json
import random
import re
import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from support.flows import command, template
from support.repository import Repository

FORMATS = ("hcl", "toml", "json")
#: Seconds after which the program is taken to be stuck; megabytes take a while on a slow and busy machine.
PATIENCE = 300.0
MEGABYTES = 10_000_000


@pytest.fixture
def used(repository: Repository) -> Repository:
    """A repository with a finished job, so that there is something to leave alone."""
    repository.write("good.json", template(command("good", "true")))
    repository.vizier("run", "good.json", "--follow").ok()
    repository.wait_until_quiet()
    return repository


def refused(repository: Repository, flow: str, *needles: str) -> str:
    """Checks that a template is refused everywhere, in the same words, and that nothing is touched; the message."""
    before = everything_below(repository.path / ".vizier")
    messages = set()
    for words in (("run", flow), ("run", "--check", flow)):
        done = repository.vizier(*words, timeout=PATIENCE).fails()
        assert done.out == "", str(done)
        assert "internal error" not in done.err, str(done)
        messages.add(done.err)
    assert everything_below(repository.path / ".vizier") == before
    assert len(messages) == 1, messages
    message = messages.pop()
    for needle in needles:
        assert re.search(needle, message), f"{needle!r} not in {message!r}"
    return message


def everything_below(directory: Path) -> dict[Path, bytes | None]:
    """All files with their content, and all directories."""
    return {path: path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


def write(repository: Repository, form: str, tree: Mapping[str, Any]) -> str:
    """Writes a template in a format; its name."""
    if form == "json":
        text = json.dumps(tree, indent=1)
    elif form == "toml":
        text = tomli_w.dumps(tree)
    else:
        # Expressions of the template language include JSON's; only its own interpolation has to be kept out.
        lines = (f"{key} = {json.dumps(value)}" for key, value in tree.items())
        text = "\n".join(lines).replace("${", "$${") + "\n"
    return str(repository.write(f"bad.{form}", text).name)


def tree(*nodes: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "template.bad", "version": "v1", "nodes": list(nodes), **more}


# What is wrong in the text


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        (
            "bad.json",
            '{"id": "template.bad",\n  "version": "v1"\n  "nodes": []}',
            r"bad\.json:3:3: Expecting ',' delimiter",
        ),
        ("bad.toml", 'id = "template.bad"\nversion = "v1\n', r"bad\.toml:2:14: "),
        ("bad.hcl", 'id = "template.bad"\nnodes = [\n', r"bad\.hcl:3:1: expected a tuple element or `\]`"),
        ("bad.hcl", "id = template.bad(\n", r"bad\.hcl:1:\d+: "),
        ("bad.json", "", r"bad\.json:1:1: "),
        ("bad.toml", "", r"bad\.toml:1:1: missing field `id`"),
        ("bad.hcl", "", r"bad\.hcl:1:1: missing field `id`"),
        ("bad.json", '{"id": "\udcff"}', r"bad\.json: not valid UTF-8 at byte 8"),
        ("bad.toml", 'id = "\udcff"', r"bad\.toml: not valid UTF-8 at byte 6"),
        ("bad.hcl", 'id = "\udcff"', r"bad\.hcl: not valid UTF-8 at byte 6"),
        ("bad.json", "[" * 100_000, r"bad\.json: nested too deeply"),
        ("bad.toml", "a = " + "[" * 100_000, r"bad\.toml: nested too deeply"),
        ("bad.hcl", "a = " + "[" * 100_000, r"bad\.hcl:1:\d+: nested more than 200 levels deep"),
        ("bad.json", f'{{"id": {"1" * 5000}}}', r"bad\.json: .*digits"),
        ("bad.toml", f"id = {'1' * 5000}", r"bad\.toml: .*digits"),
        ("bad.hcl", f"id = {'1' * 5000}", r"bad\.hcl:1:6: .*number"),
        ("bad.json", "[]", r"bad\.json:1:1: expected a map, got a list"),
        ("bad.yaml", "id: template.bad", r"`bad\.yaml`; expected .*\.hcl/\.toml/\.json path"),
    ],
)
def test_text_that_is_no_template(name: str, text: str, place: str, used: Repository) -> None:
    used.write(name, text.encode(errors="surrogateescape"))
    refused(used, name, place)


# What is wrong with the graph


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("bad", "needles"),
    [
        (tree(command("a", "true"), version=3), ("version: expected a string, got a number",)),
        ({**tree(command("a", "true")), "nodes": "a"}, ("nodes: expected a list, got a string",)),
        (tree({**command("a", "true"), "after": "b"}), (r"nodes\[0\]\.after: expected a list, got a string",)),
        (
            tree({**command("a", "true"), "uses": "cap.env.shell.comand.run"}),
            ("node `a`", "unknown label `cap.env.shell.comand.run`", "expected one of"),
        ),
        (
            tree(command("a", "true", ["c"]), command("b", "true", ["a"]), command("c", "true", ["b"])),
            ("cycle", "a -> .* -> a"),
        ),
        (tree(command("a.b", "true"), command("a-b", "true")), ("`a.b` and `a-b`", "rename one of them")),
        (tree(command("a", "true"), command("a", "false")), ("duplicate node id `a`",)),
        (tree(command("a", "true", ["nowhere"])), ("`a`", "`nowhere`")),
        (
            tree(command("a", "echo ${name}")),
            (r"unresolved parameter `name` in nodes\[a\]\.args\.script", "--set name=VALUE"),
        ),
        (tree(), ("has no nodes",)),
        (tree(command("a", "echo \0")), ("node `a`", r"NUL character in args\.script")),
        (tree(command("a" * 130, "true")), ("node id", "too long")),
    ],
    ids=[
        "type",
        "nodes",
        "nested-type",
        "uses",
        "cycle",
        "collision",
        "twice",
        "unknown",
        "input",
        "empty",
        "nul",
        "long",
    ],
)
def test_graph_that_cannot_run(bad: dict[str, Any], needles: tuple[str, ...], form: str, used: Repository) -> None:
    message = refused(used, write(used, form, bad), *needles)
    assert f"bad.{form}" in message, "WS-08-14: always name the file"


# What is no file


def test_a_directory_is_no_template(used: Repository) -> None:
    (used.path / "bad.json").mkdir()
    refused(used, "bad.json", r"bad\.json is not a file")


def test_a_link_to_nowhere_is_no_template(used: Repository) -> None:
    (used.path / "bad.hcl").symlink_to("nowhere")
    refused(used, "bad.hcl", r"bad\.hcl does not resolve to a readable file: No such file")


def test_a_link_to_itself_is_no_template(used: Repository) -> None:
    (used.path / "bad.toml").symlink_to("bad.toml")
    refused(used, "bad.toml", r"bad\.toml does not resolve to a readable file: Symlink loop")


# Ten megabytes of junk


def noise(form: str) -> bytes:
    return random.Random(form).randbytes(MEGABYTES)


def scribble(form: str) -> bytes:
    return bytes(random.Random(form).choices(b'abc{}[]"=\n ,:$%0', k=MEGABYTES))


def zeros(form: str) -> bytes:
    return bytes(MEGABYTES)


def one_string(form: str) -> bytes:
    return (b'"' if form == "json" else b'id = "') + b"x" * MEGABYTES


def nothing_but_blanks(form: str) -> bytes:
    return (b" " if form == "json" else b"#\n ") * (MEGABYTES // 3)


def one_number(form: str) -> bytes:
    return (b'{"id": ' if form == "json" else b"id = ") + b"1" * MEGABYTES


def many_keys(form: str) -> bytes:
    keys = (f'"k{i}": {i}' if form == "json" else f"k{i} = {i}" for i in range(MEGABYTES // 16))
    return ("{" + ",\n".join(keys) + "}" if form == "json" else "\n".join(keys)).encode()


JUNK: tuple[Callable[[str], bytes], ...] = (
    noise, scribble, zeros, one_string, nothing_but_blanks, one_number, many_keys,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("junk", "form"),
    [(junk, form) for junk in JUNK for form in FORMATS],
)
def test_megabytes_of_junk_are_refused(junk: Callable[[str], bytes], form: str, used: Repository) -> None:
    used.write(f"bad.{form}", junk(form))
    message = refused(used, f"bad.{form}", rf"bad\.{form}")
    assert len(message) < 2000, "a message, not the file"


@pytest.mark.slow
def test_a_key_of_many_parts_is_refused_before_it_eats_the_memory(used: Repository) -> None:
    """TOML only: what Python's parser builds for such a key grows with the square of its parts."""
    used.write("bad.toml", ".".join(["a"] * 100_000) + " = 1\n")
    with used.start("run", "--check", "bad.toml") as process:
        resource.prlimit(process.pid, resource.RLIMIT_AS, (1 << 30, 1 << 30))
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "bad.toml" in err
    assert "internal error" not in err
