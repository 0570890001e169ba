"""Every row of the conformance table (spec 05 §16).

Rows that the table marks as free to change show what this implementation does: it accepts a last attribute or
terminator without a line break, names that begin with an underscore and ``.0.1``, and refuses an attribute that would
replace a block.
"""

import json

import pytest

from vizier_hcl import HclError, Plain, evaluate

BODY = {
    "": {},
    "# only a comment": {},
    "a = 1\n": {"a": 1},
    "a = 1": {"a": 1},
    "a = 1 # tail\n": {"a": 1},
    "a = 1 # tail": {"a": 1},
    "a = 1\n# tail": {"a": 1},
    "a = /* x\n y */ 1\n": {"a": 1},
    "_a = 1\n": {"_a": 1},
    "a-b = 1\n": {"a-b": 1},
    "true = 1\n": {"true": 1},
}

BODY_ERRORS = {
    "a = 1, b = 2\n": (1, 6),
    "a = 1 2\n": (1, 7),
    "a =\nb = 1\n": (1, 2),
    "a = 1\na = 2\n": (2, 1),
    '"a" = 1\n': (1, 1),
    "a: 1\n": (1, 2),
    "a.b = 1\n": (1, 2),
    "a = 1;\n": (1, 6),
    "a = 'x'\n": (1, 5),
    "a = 1\n}\n": (2, 1),
}

LITERALS = {
    "[0, 007, 1.5, 1e3, 7.2E-3]": [0, 7, 1.5, 1000, 0.0072],
    "-3": -3,
    "[true, false, null]": [True, False, None],
    r'"q\"b\\s\/f\n\t"': 'q"b\\s/f\n\t',
    r'"\u00e9\U0001F600"': "é😀",
    r'"\q"': "q",
    r'"\${x}"': "${x}",
    '"$${x}"': "${x}",
    '"%%{x}"': "%{x}",
    '"$$${x}"': "$${x}",
    '"$x $(y) 5% $$"': "$x $(y) 5% $$",
    '"n\u0303"': "\u00f1",
}

LITERAL_ERRORS = {
    "a = .5\n": (1, 5),
    "a = 0x10\n": (1, 6),
    "a = 1.\n": (1, 6),
    "a = 1e+\n": (1, 6),
    'a = "\\u12"\n': (1, 6),
    'a = "\\ud800"\n': (1, 6),
    'a = "${x}"\n': (1, 8),
    'a = "%{http_code}"\n': (1, 8),
    'a = "${V:-d}"\n': (1, 9),
    'a = "${#x}"\n': (1, 6),
    'a = "open\n': (1, 10),
}

TEMPLATES = {
    '"${true}"': True,
    '"${[1]}"': [1],
    '"${~ "x" ~}"': "x",
    '"${1}${2}"': "12",
    '"v=${null}/${1.50}/${1e21}/${-0}"': "v=null/1.5/1000000000000000000000/0",
    '"x ${~ 1 ~} y"': "x1y",
    '"${\n1 +\n1}"': 2,
    '"%{ if true }y%{ else }n%{ endif }"': "y",
    '"%{ for i, v in ["p", "q"] }${i}${v};%{ endfor }"': "0p;1q;",
    '"%{ for k, v in {b = 1, a = 2} }${k}${v}%{ endfor }"': "a2b1",
    '"%{ for v in [] }x%{ endfor }"': "",
    '"b${"c${"d"}"}"': "bcd",
}

TEMPLATE_ERRORS = {
    'a = "x${[1]}"\n': (1, 7),
    'a = "${}"\n': (1, 6),
    'a = "${1 2}"\n': (1, 10),
    'a = "%{ if 1 }y%{ endif }"\n': (1, 12),
    'a = "%{ if true }y"\n': (1, 6),
    'a = "%{ endif }"\n': (1, 6),
    'a = "%{ for v in 5 }x%{ endfor }"\n': (1, 18),
}

HEREDOCS = {
    "<<E\nx\n  y\nE": "x\n  y\n",
    "<<E\nx\n  E": "x\n",
    "<<E\nE": "",
    '<<E\n\\n "q" $${x} %%{y}\nE': '\\n "q" ${x} %{y}\n',
    "<<-E\n    x\n      y\n    E": "x\n  y\n",
    "<<-E\n    x\n  y\n    E": "  x\ny\n",
    "<<-E\n  x\n\n  y\n  E": "x\n\ny\n",
    "<<-E\n\tx\n  y\n  E": "x\n y\n",
    "<<-E\n  p\n    ${1}\n  E": "p\n  1\n",
    "<<-E\n  %{ for v in [1, 2] ~}\n  - ${v}\n  %{ endfor ~}\n  end\n  E": "- 1\n- 2\nend\n",
    "<<E\nx\r\nE\r": "x\r\n",
    "[<<E\nx\nE\n2]": ["x\n", 2],
}

HEREDOC_ERRORS = {
    "a = <<E\nx\nE  \n": (1, 5),
    "a = <<E y\nx\nE\n": (1, 7),
    "a = << E\nx\nE\n": (1, 5),
    "a = [<<E\nx\nE\n, 2]\n": (4, 1),
}

COLLECTIONS = {
    "[1, 2,]": [1, 2],
    "[1\n2]": [1, 2],
    "[\n\n1\n\n]": [1],
    "{x = 1, y: 2\nz = 3,}": {"x": 1, "y": 2, "z": 3},
    '{"x y" = 1, (1 + 1) = 2, 4 = 5}': {"2": 2, "4": 5, "x y": 1},
    "{x = 1, x = 2}": {"x": 2},
    '{"for" = 1}': {"for": 1},
}

COLLECTION_ERRORS = {
    "a = [1\n, 2]\n": (2, 1),
    "a = [1,, 2]\n": (1, 8),
    "a = [1 2]\n": (1, 8),
    "a = {x.y = 1}\n": (1, 6),
    "a = {x =\n1}\n": (1, 9),
    "a = {for = 1}\n": (1, 10),
    "a = {[1] = 2}\n": (1, 6),
}

OPERATIONS = {
    "1 + 2 * 3 - 8 / 4": 5,
    "-7 % 3": -1,
    "5.5 % 2": 1.5,
    "2 < 3 && !false || false": True,
    '1 == "1"': False,
    "0.1 + 0.2 == 0.3": True,
    "{x = [1]} == {x = [1.0]}": True,
    "false && nope": False,
    "true ? 1 : nope": 1,
    "(1 +\n2)": 3,
    "[(1 +\n2)]": [3],
}

OPERATION_ERRORS = {
    "a = 1 / 0\n": (1, 5),
    'a = "1" + 1\n': (1, 5),
    'a = "a" < "b"\n': (1, 5),
    "a = !1\n": (1, 5),
    "a = true && 1\n": (1, 5),
    "a = 1 ? 2 : 3\n": (1, 5),
    "a = 1 +\n2\n": (1, 7),
    "a = [1 +\n2]\n": (1, 8),
}

TRAVERSALS = {
    "[for v in [3, 1, 2]: v * 2 if v > 1]": [6, 4],
    '[for i, v in ["x"]: "${i}=${v}"]': ["0=x"],
    "{for k, v in {b = 1, a = 2}: v => k}": {"1": "b", "2": "a"},
    "{for v in [1, 2, 3]: (v % 2 == 0) => v...}": {"false": [1, 3], "true": [2]},
    'length("né")': 2,
    "[length([1, 2]), length({x = 1})]": [2, 1],
    "[keys({b = 1, a = 2}), values({b = 1, a = 2})]": [["a", "b"], [2, 1]],
    "length([[1, 2]]...)": 2,
    "[1, 2][1]": 2,
    "{x = {y = 1}}.x.y": 1,
    '{"1" = 2}[1]': 2,
    "[[5]].0": [5],
    "[[5]].0.0": 5,
    "[{n = 1}, {n = 2}].*.n": [1, 2],
    "[{n = [1, 2]}, {n = [3]}].*.n[0]": [1, 2],
    "[{n = [1, 2]}, {n = [3]}][*].n[0]": [1, 3],
    "{b = {n = 1}, a = {n = 2}}[*].n": [2, 1],
    "[null[*], 5[*]]": [[], [5]],
}

TRAVERSAL_ERRORS = {
    'a = {for v in [1, 2]: "k" => v}\n': (1, 23),
    "a = [for v in 5: v]\n": (1, 15),
    "a = length(1)\n": (1, 5),
    "a = length()\n": (1, 5),
    'a = upper("x")\n': (1, 5),
    "a = nope\n": (1, 5),
    "a = [1][1]\n": (1, 8),
    "a = [1][0.5]\n": (1, 8),
    'a = [1]["0"]\n': (1, 8),
    "a = {}.x\n": (1, 7),
    "a = 5.*\n": (1, 6),
}

BLOCKS = {
    "b {}\n": {"b": {}},
    "b {}": {"b": {}},
    "b { x = 1 }\n": {"b": {"x": 1}},
    'b "k" {\n  x = 1\n}\nb j {\n  x = 2\n}\n': {"b": {"j": {"x": 2}, "k": {"x": 1}}},
    'b "k" "j" {\n  x = 1\n}\n': {"b": {"k": {"j": {"x": 1}}}},
    'b = {x = 1}\nb "k" {\n}\n': {"b": {"k": {}, "x": 1}},
}

BLOCK_ERRORS = {
    "b { x = 1, y = 2 }\n": (1, 10),
    "b { x = 1\n}\n": (1, 10),
    "b { c {} }\n": (1, 5),
    "b {\n  x = 1 }\n": (2, 9),
    "b {\n  x = 1\n}\nb {\n  y = 2\n}\n": (4, 1),
    'b "k" {\n}\nb "k" {\n}\n': (3, 1),
    'b = 1\nb "k" {\n}\n': (2, 1),
    "b {\n}\nb = 1\n": (3, 1),
    'b "x${1}" {\n}\n': (1, 3),
    "b\n{\n}\n": (1, 2),
    "b {\n": (1, 3),
}

VALUES = LITERALS | TEMPLATES | HEREDOCS | COLLECTIONS | OPERATIONS | TRAVERSALS
ERRORS = (
    BODY_ERRORS
    | LITERAL_ERRORS
    | TEMPLATE_ERRORS
    | HEREDOC_ERRORS
    | COLLECTION_ERRORS
    | OPERATION_ERRORS
    | TRAVERSAL_ERRORS
    | BLOCK_ERRORS
)


def as_json(value: Plain) -> str:
    """Text that tells `1`, `1.0` and `true` apart and shows the order of keys."""
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize(("source", "tree"), (BODY | BLOCKS).items(), ids=map(repr, BODY | BLOCKS))
def test_a_file_gives_this_tree(source: str, tree: dict[str, Plain]) -> None:
    assert as_json(evaluate(source, display_path="t.hcl").value) == as_json(tree)


@pytest.mark.parametrize(("expression", "value"), VALUES.items(), ids=map(repr, VALUES))
def test_an_expression_has_this_value(expression: str, value: Plain) -> None:
    assert as_json(evaluate(f"a = {expression}\n", display_path="t.hcl").value) == as_json({"a": value})


@pytest.mark.parametrize(("source", "place"), ERRORS.items(), ids=map(repr, ERRORS))
def test_a_file_has_its_first_error_here(source: str, place: tuple[int, int]) -> None:
    with pytest.raises(HclError) as refused:
        evaluate(source, display_path="t.hcl")
    assert refused.value.diagnostics[0].position == place


def test_the_example_of_the_chapter() -> None:
    """Spec 05 §14."""
    source = """
# .vizier/workflows/lint.hcl
id      = "template.tools.lint"
version = "v1"

params {
  target = "src"
}

artifact_contracts = [for t in ["lint_report", "lint_token"]: { id = t, version = "v1" }]

nodes = [
  {
    id   = "run"
    kind = "shell"
    args = {
      script = <<-SH
        set -eu
        lint --path "$${target}" \\
          --format '%%{file}:%%{line}'
      SH
    }
    on = { succeeded = ["done"] }
  }
  { id = "done", kind = "gate", uses = "control.terminal" }
]
"""
    assert evaluate(source, display_path="lint.hcl").value == {
        "artifact_contracts": [{"id": "lint_report", "version": "v1"}, {"id": "lint_token", "version": "v1"}],
        "id": "template.tools.lint",
        "nodes": [
            {
                "args": {"script": "set -eu\nlint --path \"${target}\" \\\n  --format '%{file}:%{line}'\n"},
                "id": "run",
                "kind": "shell",
                "on": {"succeeded": ["done"]},
            },
            {"id": "done", "kind": "gate", "uses": "control.terminal"},
        ],
        "params": {"target": "src"},
        "version": "v1",
    }
