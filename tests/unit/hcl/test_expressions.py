"""What expressions are worth (spec 05 §6, §8)."""

import json

import pytest

from vizier_hcl import HclError, Plain, evaluate

VALUES: dict[str, Plain] = {
    # Precedence and associativity.
    "[2 + 3 * 4, (2 + 3) * 4, 20 - 5 - 3, 100 / 10 / 5, 7 % 4 * 2]": [14, 20, 12, 2, 6],
    "[-2 * 3, 2 - -3, --3, !!true, - -1]": [-6, 5, 3, True, 1],
    "[1 + 1 == 2, 1 < 2 == true, true || false && false, !true || true]": [True, True, True, True],
    "[1+2, 5-3, 2*3, 8/4, 7%4, 1<2, 1<=2, 1==2, 1!=2]": [3, 2, 6, 2, 3, True, True, False, True],
    "true ? 1 : false ? 2 : 3": 1,
    "false ? 1 : false ? 2 : 3": 3,
    "true ? true ? 1 : 2 : 3": 1,
    '[true ? 1 : "x", false ? 1 : "x"]': [1, "x"],
    "-[1][0]": -1,
    # Operators.
    "[7 % 3, -7 % 3, 7 % -3, 1 / 4]": [1, -1, 1, 0.25],
    "[1 <= 1, 1 >= 2, 2 > 1, 1 != 1]": [True, False, True, False],
    '[null == null, null == false, "1" == 1, true == 1, [] == {}]': [True, False, False, False, False],
    "[[1, 2] == [1, 2], [1, 2] == [2, 1], [1] == [1, 1]]": [True, False, False],
    "[{a = 1, b = 2} == {b = 2, a = 1}, {a = 1} == {a = 2}, {a = 1} == {b = 1}]": [True, False, False],
    "[[[1], {a = [2]}] == [[1], {a = [2]}], [[1], {a = [2]}] == [[1], {a = [3]}]]": [True, False],
    "[0.1 + 0.2 < 0.3, 0.1 + 0.2 <= 0.3, 0.1 + 0.2 != 0.3]": [False, False, False],
    "[1e999 > 1, length([1e999]), length([1e999 % 2])]": [True, 1, 1],
    "[true || nope, false && length(1)]": [True, False],
    # Collections and line breaks.
    "[1, 2,\n3\n4,\n\n5]": [1, 2, 3, 4, 5],
    "[\n(1\n+\n2)\n3\n]": [3, 3],
    "[ # one\n  1, // two\n  2 /* three */\n]": [1, 2],
    "[[1] [0]]": [1],
    '{a = 1, "b" = 2, (true) = 3, 1.50 = 4, null : 5}': {"1.5": 4, "a": 1, "b": 2, "null": 5, "true": 3},
    '{"${"k"}1" = 1, ("k" == "k" ? "x" : "y") = 2, -1 = 3}': {"-1": 3, "k1": 1, "x": 2},
    '{"a"\n= 1}': {"a": 1},
    "{true = 1, null = 2, if = 3, in = 4, length = 5}": {"if": 3, "in": 4, "length": 5, "null": 2, "true": 1},
    "{a = {b = [{c = {}}]}}": {"a": {"b": [{"c": {}}]}},
    "{b = 1, a = 2, B = 3, é = 4}": {"B": 3, "a": 2, "b": 1, "é": 4},
    # Loops.
    "[for v in []: v]": [],
    "[for k, v in {b = 1, a = 2}: [k, v]]": [["a", 2], ["b", 1]],
    "[for a in [1, 2]: [for b in [10, 20]: a + b]]": [[11, 21], [12, 22]],
    "[for v in [1, 2]: [for v in [v * 10]: v]]": [[10], [20]],
    "[for v in [1, 2]: [[for v in [9]: v][0], v]]": [[9, 1], [9, 2]],
    "[\n  for v in [1, 2] :\n    v\n    if v > 1\n]": [2],
    "{\n  for\n  k\n  ,\n  v\n  in\n  {a = 1}\n  :\n  k\n  =>\n  v\n  if\n  true\n}": {"a": 1},
    "[for x, x in [7]: x]": [7],
    "[for v in true ? [1] : [2]: v]": [1],
    "{for k, v in {a = 2, b = 1, c = 2}: v => k...}": {"1": ["b"], "2": ["a", "c"]},
    "{for k, v in {a = 2, b = 1, c = 2}: v => k... if v == 2}": {"2": ["a", "c"]},
    "{for v in [1, 1]: v => v if false}": {},
    # Functions.
    '[length(""), length("😀"), length([]), length({a = 1, b = 2})]': [0, 1, 0, 2],
    "[keys({}), values({}), length(\n  [1, 2],\n)]": [[], [], 2],
    '[keys({for v in ["b", "a"]: v => 1}), keys({for v in ["b", "a"]: v => 1...}), values({b = 1, a = 2})]': [
        ["a", "b"],
        ["a", "b"],
        [2, 1],
    ],
    '[keys({"\uff5e" = 1, "\U0001f600" = 2})]': [["\uff5e", "\U0001f600"]],
    "length(([[1, 2]])...)": 2,
    # Traversals.
    '[{a = {b = 1}}["a"]["b"], {a = {b = 1}}.a["b"], [[1, 2], [3]][0][1]]': [1, 1, 2],
    "[[1, 2, 3][2], [1, 2][1.0], [1, 2][0 * -1]]": [3, 2, 1],
    '[{"1" = 2}.1, {"true" = 3}[true], {"null" = 4}[null], {"0.5" = 5}[0.5]]': [2, 3, 4, 5],
    "[[1, 2], [3, 4]][*][0]": [1, 3],
    "[[[1], [2]], [[3]]][*][*][0]": [[1, 2], [3]],
    "[[], {}][*]": [[], {}],
    "[[][*][nope], [].*.nope]": [[], []],
    '["x"[*], true[*]]': [["x"], [True]],
    "[{a = [1, 2]}, {a = [3, 4]}].*.a[1]": [3, 4],
    "[{a = {b = 1}}, {a = {b = 2}}].*.a.b": [1, 2],
    "{b = {n = 1}, a = {n = 2}}.*.n": [2, 1],
    "([{n = 1}]\n[0]\n.n)": 1,
    "[[[5, 6]]].0.0.1": 6,
}


@pytest.mark.parametrize(("expression", "plain"), VALUES.items(), ids=map(repr, VALUES))
def test_value(expression: str, plain: Plain) -> None:
    found = evaluate(f"a = {expression}\n", display_path="t.hcl").value["a"]
    assert json.dumps(found) == json.dumps(plain)


@pytest.mark.parametrize("name", ["upper", "jsonencode", "file", "env", "timestamp", "concat", "max", "LENGTH", "null"])
def test_there_are_no_other_functions(name: str) -> None:
    with pytest.raises(HclError, match=f"unknown function `{name}`"):
        evaluate(f'a = {name}("x")\n', display_path="t.hcl")


@pytest.mark.parametrize("name", ["var", "local", "path", "slug", "each", "self", "env", "a", "v"])
def test_there_are_no_variables(name: str) -> None:
    """Neither other attributes nor what a loop has bound before."""
    with pytest.raises(HclError, match=rf"t.hcl:2:9: unknown variable `{name}` in evaluation"):
        evaluate(f"b = [for v in [1]: v]\na = [1, {name}.x]\n", display_path="t.hcl")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1e21", "1000000000000000000000"),
        ("1e-7", "0.0000001"),
        ("1.50", "1.5"),
        ("123456789012345678901234567890", "123456789012345680000000000000"),
        ("0 * -1", "0"),
        ("1 / 3", "0.3333333333333333"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("1.5e300", "15" + "0" * 299),
        ("-2.5e-5", "-0.000025"),
        ("5e-324", "0." + "0" * 323 + "5"),
    ],
)
def test_text_of_numbers(expression: str, text: str) -> None:
    assert evaluate(f'a = "${{{expression}}}."\n', display_path="t.hcl").value == {"a": f"{text}."}
