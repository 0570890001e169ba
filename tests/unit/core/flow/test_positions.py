"""Where values stand in the text of JSON and TOML templates."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizier_core.flow.positions import json_positions, toml_positions
from vizier_kernel.template import KeyPath

TOML = """\
# [[nodes]] is no table here
id = "template.t" # nor is ] here
params = { a = "x", "b" = '[' }
"odd = [" = 1
cli.positional = [
  "one", # a comment with , and ]
  "two",

  'three'
]

[[nodes]]
id = "n"
needs = [
  { custom = { type_id = "t", key = "a,b" } },
  { plan_doc = { slug = "s", branch = "b" } }, { target_branch = { name = "m" } },
]
args.script = \"\"\"
[[nodes]]
x = 1
\"\"\"

  [nodes.retry]
  budget = 3
  [[nodes.gates]]
  kind = "approval"
[[nodes]]
id = "m"
matrix = [[1, 2],
          [3]]
"""


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ((), (1, 1)),
        (("id",), (2, 1)),
        (("params",), (3, 1)),
        (("params", "a"), None),
        (("odd = [",), (4, 1)),
        (("cli", "positional"), (5, 1)),
        (("cli", "positional", 0), (6, 3)),
        (("cli", "positional", 2), (9, 3)),
        (("nodes", 0), (12, 1)),
        (("nodes", 0, "id"), (13, 1)),
        (("nodes", 0, "needs"), (14, 1)),
        (("nodes", 0, "needs", 0), (15, 3)),
        (("nodes", 0, "needs", 1), (16, 3)),
        (("nodes", 0, "needs", 2), (16, 48)),
        (("nodes", 0, "args", "script"), (18, 1)),
        (("nodes", 0, "retry"), (23, 3)),
        (("nodes", 0, "retry", "budget"), (24, 3)),
        (("nodes", 0, "gates", 0), (25, 3)),
        (("nodes", 0, "gates", 0, "kind"), (26, 3)),
        (("nodes", 1), (27, 1)),
        (("nodes", 1, "matrix", 0, 1), (29, 15)),
        (("nodes", 1, "matrix", 1), (30, 11)),
        (("nodes", 2), None),
    ],
)
def test_toml(path: KeyPath, position: tuple[int, int] | None) -> None:
    tomllib.loads(TOML)
    assert toml_positions(TOML)(path) == position


def paths(tree: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every place of a tree with its value."""
    yield path, tree
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from paths(value, (*path, key))


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\{}[],:\n é'), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from('ab"{,'), max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(TREES, st.sampled_from([None, 1]), st.booleans())
def test_json(tree: Any, indent: int | None, is_ascii: bool) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=is_ascii)
    positions = json_positions(text)
    lines = text.split("\n")
    for path, value in paths(tree):
        position = positions(path)
        assert position is not None
        rest = "\n".join([lines[position[0] - 1][position[1] - 1 :], *lines[position[0] :]])
        assert json.JSONDecoder().raw_decode(rest)[0] == value
