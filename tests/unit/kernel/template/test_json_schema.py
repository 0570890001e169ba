"""The JSON Schema of templates says what the decoder does."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizier_kernel.template import TemplateError, decode_template
from vizier_kernel.template.decode import TEMPLATE
from vizier_kernel.template.json_schema import template_schema
from vizier_kernel.template.shapes import ListOf, OneOf, Record, Tagged

from .trees import Tree, custom, node

SCHEMA = template_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
PUBLISHED = Path(__file__).parents[4] / "docs" / "user" / "template.schema.json"

#: A template that uses every construct.
EVERYTHING: Tree = {
    "$schema": "https://example.invalid/template.schema.json",
    "id": "template.t",
    "version": "v1",
    "params": {"p": "1"},
    "policy": {
        "failure_mode": "continue_independent",
        "resume": {"key": "k", "reuse_mode": "compatible"},
        "dependencies": {"missing_producer": "wait"},
    },
    "artifact_contracts": [{"id": "c", "version": "v1", "schema": {"type": "object"}}],
    "imports": [{"name": "one", "path": "one.hcl"}, {"name": "two", "path": "two.hcl"}],
    "links": [{"from": "one", "to": "two"}],
    "cli": {"positional": ["p"], "named": {"q": "p"}},
    "nodes": [
        node(
            "n",
            name=None,
            args={"script": "${p}"},
            after=("m",),
            needs=[custom("c", "k"), {"plan_doc": {"slug": "s", "branch": "b"}}, {"target_branch": {"name": "main"}}],
            produces={"succeeded": [{"plan_branch": {"slug": "s", "branch": "b"}}], "failed": [custom("c", "k")]},
            locks=[{"key": "k", "mode": "shared"}],
            preconditions=[{"kind": "clean_worktree"}, {"kind": "custom", "id": "branch_exists", "args": {}}],
            gates=[
                {"kind": "approval", "required": "${p}"},
                {"kind": "script", "script": "true", "policy": "warn"},
                {"kind": "cicd", "script": "true", "auto_resolve": 1},
                {"kind": "custom", "id": "conflict_resolution", "args": {"auto_resolve": "true"}},
            ],
            retry={"mode": "until_gate", "budget": "3"},
            on={"succeeded": ["m"], "failed": ["n"]},
        ),
        {"id": "m", "kind": "gate", "uses": "control.terminal"},
    ],
}

VALUES = st.sampled_from(
    [None, True, 0, 1.5, "", "a", "approval", [], [None], ["a"], {}, {"id": "a"}, {"kind": "script"}, {"custom": {}}]
)


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every list or map in a tree with each of its indexes or keys."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield tree, key
        yield from places(value)


def is_accepted(tree: Any) -> bool:
    try:
        decode_template(tree, origin="/t")
    except TemplateError:
        return False
    return True


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_what_is_published_is_current() -> None:
    assert json.loads(PUBLISHED.read_text()) == SCHEMA, "write it with `vizier schema template`"


def test_everything_is_accepted_without_warnings() -> None:
    VALIDATOR.validate(EVERYTHING)
    assert decode_template(EVERYTHING, origin="/t").warnings == ()


@settings(max_examples=400)
@given(st.data())
def test_it_accepts_what_the_decoder_accepts(data: st.DataObject) -> None:
    tree = copy.deepcopy(EVERYTHING)
    for _ in range(data.draw(st.integers(1, 2))):
        inside, key = data.draw(st.sampled_from(list(places(tree))))
        change = data.draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            inside[key] = copy.deepcopy(data.draw(VALUES))
        elif change == "remove":
            del inside[key]
        elif isinstance(inside, dict):
            inside[data.draw(st.sampled_from(["kind", "id", "unknown"]))] = copy.deepcopy(data.draw(VALUES))
    assert VALIDATOR.is_valid(tree) == is_accepted(tree)


def described(shape: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every key of the format with what is said about it."""
    if isinstance(shape, Record):
        for key, field in shape.fields.items():
            yield f"{path}.{key}", field.about
            yield from described(field.shape, f"{path}.{key}")
    elif isinstance(shape, Tagged | OneOf):
        for key, variant in shape.variants.items():
            yield from described(variant, f"{path}<{key}>")
    elif isinstance(shape, ListOf):
        yield from described(shape.item, f"{path}[]")


@pytest.mark.parametrize(("path", "about"), list(described(TEMPLATE)))
def test_every_key_is_explained(path: str, about: str) -> None:
    assert about, path
