"""Blocks as maps, and what clashes (spec 05 §6.1, §9)."""

import json

import pytest

from vizier_hcl import HclError, Plain, evaluate, top_level_strings

TREES: dict[str, dict[str, Plain]] = {
    'b "k" {\n  x = 1\n}\nb "j" "i" {\n}\n': {"b": {"j": {"i": {}}, "k": {"x": 1}}},
    'b "k" {\n}\nb "k" "j" {\n  x = 1\n}\n': {"b": {"k": {"j": {"x": 1}}}},
    'b {\n  k {\n    x = 1\n  }\n}\nb "k" "j" {\n}\n': {"b": {"k": {"j": {}, "x": 1}}},
    'b "n\\u0061me" {}\n': {"b": {"name": {}}},
    'b "e\u0301" {}\n': {"b": {"e\u0301": {}}},
    "b { x = {\n  y = 1\n} }\n": {"b": {"x": {"y": 1}}},
    "b {\n\n  # inner\n  c { y = 1 }\n  x = 1\n\n}": {"b": {"c": {"y": 1}, "x": 1}},
    "z = 1\na {\n}\n": {"a": {}, "z": 1},
    "for {\n}\nif = 2\nnull true {\n}\n": {"for": {}, "if": 2, "null": {"true": {}}},
}


@pytest.mark.parametrize(("source", "tree"), TREES.items(), ids=map(repr, TREES))
def test_blocks_are_maps(source: str, tree: dict[str, Plain]) -> None:
    assert json.dumps(evaluate(source, display_path="t.hcl").value) == json.dumps(tree)


def test_merging_into_an_attribute_leaves_shared_values_alone() -> None:
    source = 'b = [for o in [{k = {}}]: {x = o, y = o}][0]\nb "x" "k" "new" {\n}\n'
    assert evaluate(source, display_path="t.hcl").value == {"b": {"x": {"k": {"new": {}}}, "y": {"k": {}}}}


def test_reading_some_strings_only() -> None:
    source = 'id = "template.${"x"}"\nversion = "v${1 + 1}"\nname = 5\nbroken = nope\nparams {\n  id = "inner"\n}\n'
    assert top_level_strings(source, ("id", "version", "name", "absent"), display_path="t.hcl") == {
        "id": "template.x",
        "version": "v2",
    }


@pytest.mark.parametrize("source", ['id = "x"\na = [1\n', 'id = "${nope}"\n', 'id = "x"\n\x00'])
def test_reading_strings_of_a_broken_file(source: str) -> None:
    with pytest.raises(HclError):
        top_level_strings(source, ("id",), display_path="t.hcl")
