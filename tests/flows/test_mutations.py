"""Whatever a template says, reading it ends well or with one clear message (spec 04 §1)."""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.repository import Repository
from vizier_core.errors import VizierError
from vizier_core.flow.prepare import give_inputs, load_flow, prepare_flow
from vizier_core.flow.resolve import FlowResolver
from vizier_kernel.template import audit_workflow

ROOT = Path(__file__).parents[2]
SEED = ROOT / "src" / "vizier_core" / "scaffold" / "seed"
PAGE = (ROOT / "docs" / "user" / "templates.md").read_text()

#: Templates to start from, by extension: those that are shipped and those of the page for authors.
TEXTS = {
    "hcl": [
        (SEED / name).read_text() for name in ("workflows/draft.hcl", "workflows/approve.hcl", "workflows/merge.hcl")
    ],
    "toml": [],
    "json": [],
}
for language, example in re.findall(r"^```(hcl|toml|json)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
    TEXTS[language].append(example)

#: What is put into a text.
PIECES = st.sampled_from(
    [
        *'"{}[]()=,.:#\\\n\r\t\0%$&*-/ \x7f',
        *(
            "${",
            "$${",
            "}",
            "%{",
            "${}",
            "${ }",
            "${slug",
            "<<E\n",
            "<<-E\n  x\nE\n",
            "'''",
            '"""',
            "[[",
            "]]",
            "[[nodes]]",
        ),
        *(
            "null",
            "true",
            "1",
            "-1",
            "1e999",
            "NaN",
            "Infinity",
            "9" * 400,
            "0x10",
            "1979-05-27",
            "é",
            "e\u0301",
            "\u2028",
        ),
        *("\ufeff", "\ud7ff", "😀", "[" * 300, "{" * 300, '{"a":' * 300, "a." * 300, "(" * 300, "-" * 300),
        *("id", "nodes", "after", "on", "needs", "custom", "kind", "gates", "imports", "links", "succeeded", "schema"),
        *("for x in y : x", "a = a", "__proto__", "x" * 5000),
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name and the content of a file that was a template once."""
    suffix = draw(st.sampled_from(sorted(TEXTS)))
    text = draw(st.sampled_from(TEXTS[suffix]))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 60)))
        change = draw(st.sampled_from(["insert", "replace", "delete", "repeat", "move"]))
        if change == "insert":
            text = text[:start] + draw(PIECES) + text[start:]
        elif change == "replace":
            text = text[:start] + draw(PIECES) + text[end:]
        elif change == "delete":
            text = text[:start] + text[end:]
        elif change == "repeat":
            text = text[:end] + text[start:end] + text[end:]
        else:
            text = text[:start] + text[end:] + text[start:end]
    data = text.encode()
    if draw(st.integers(0, 15)) == 0:
        start = draw(st.integers(0, len(data)))
        data = data[:start] + draw(st.binary(min_size=1, max_size=3)) + data[start:]
    return f"flow.{suffix}", data


VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, -1, 3, 2.5, 1e300, "", " ", "${slug}", "${", "n", "a__n", "yes", "x:y"])
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "kind", "key", "custom"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every list or map in a tree with each of its indexes or keys."""
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places(value)


def everything() -> list[dict[str, Any]]:
    """The trees of all examples."""
    from vizier_hcl import evaluate

    return [evaluate(text, display_path="x").value for text in TEXTS["hcl"]] + [json.loads(t) for t in TEXTS["json"]]


TREES = [json.dumps(tree) for tree in everything()]


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A template in JSON some of whose values, and of whose references, are others."""
    tree = json.loads(draw(st.sampled_from(TREES)))
    for _ in range(draw(st.integers(1, 4))):
        inside, key = draw(st.sampled_from(list(places(tree))))
        other, other_key = draw(st.sampled_from(list(places(tree))))
        change = draw(st.sampled_from(["value", "copy", "remove"]))
        if change == "value":
            inside[key] = draw(VALUES)
        elif change == "copy":
            inside[key] = json.loads(json.dumps(other[other_key]))
        elif isinstance(inside, dict):
            del inside[key]
        if not tree:
            break
    return json.dumps(tree).encode(errors="surrogatepass")


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """Where the files are; on Linux in memory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as made:
        (Path(made) / "README.md").write_text("test\n")
        yield Path(made).resolve()


def read(directory: Path, name: str) -> str:
    """What is said about a flow; empty if all is well."""
    try:
        flow = load_flow(FlowResolver(directory, {}, None, print), name)
        prepared = prepare_flow(give_inputs(flow, ["slug=s"], []), directory)
        report = audit_workflow(prepared.compile(runnable=False))
        assert report.node_count > 0
        workflow = prepared.compile("run_1")
        assert [node.id for node in workflow.nodes]
        for warning in (*flow.warnings, *workflow.warnings):
            assert str(warning).encode()
    except VizierError as error:
        return str(error)
    return ""


def check(directory: Path, name: str, data: bytes) -> None:
    (directory / name).write_bytes(data)
    said = read(directory, name)
    assert len(said) < 20_000
    assert said.encode().decode() == said
    imports = [{"name": "a", "path": name}, {"name": "b", "path": name}]
    (directory / "importing.json").write_text(json.dumps({"id": "i", "version": "v", "imports": imports}))
    said_of_import = read(directory, "importing.json")
    if said.startswith(("invalid HCL", "invalid TOML", "invalid JSON")):
        # The file is what is wrong, and the message says so whoever reads it.
        assert str(directory / name) in said
        assert said_of_import == f"{said}\nin the template imported as `a`"


SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(file=mutated())
def test_any_text_is_read_or_refused(directory: Path, file: tuple[str, bytes]) -> None:
    check(directory, *file)


@SETTINGS
@given(data=changed())
def test_any_tree_is_read_or_refused(directory: Path, data: bytes) -> None:
    check(directory, "flow.json", data)


@pytest.mark.slow
@settings(SETTINGS, max_examples=12)
@given(file=mutated(), data=changed())
def test_the_program_says_so_and_exits_0_or_1(repository: Repository, file: tuple[str, bytes], data: bytes) -> None:
    repository.write(*file)
    repository.write("tree.json", data)
    for flow in (file[0], "tree.json"):
        for command in (("audit", flow, "--format", "json"), ("run", flow, "--check")):
            done = repository.vizier(*command, "--set", "slug=s")
            assert done.code in {0, 1}, str(done)
            assert bool(done.out) == (done.code == 0), str(done)
            assert bool(done.err) >= (done.code == 1), str(done)
            assert "Traceback" not in done.err, str(done)
    assert not (repository.path / ".vizier").exists()
