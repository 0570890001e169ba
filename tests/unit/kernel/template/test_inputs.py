"""From the command line to parameters, and what inputs are called (spec 04 §8, §10, 08 §5.4)."""

from typing import Any

import pytest

from vizier_kernel.template import InputSpec, TemplateError, expand, input_spec, kebab, resolve_inputs, sample_value

from .trees import composed, shell

SELECTOR = "file:flow.json"


def spec(params: dict[str, str] | None = None, **cli: Any) -> InputSpec:
    tree = {"id": "t", "version": "v", "params": params or dict.fromkeys("abc", ""), "cli": cli, "nodes": [shell("n")]}
    return input_spec(composed(tree))


def resolved(inputs: InputSpec, set_tokens: list[str], *positionals: str) -> dict[str, str]:
    return dict(resolve_inputs(inputs, SELECTOR, set_tokens, positionals).overrides)


def refused(inputs: InputSpec, set_tokens: list[str], *positionals: str) -> str:
    with pytest.raises(TemplateError) as caught:
        resolve_inputs(inputs, SELECTOR, set_tokens, positionals)
    return str(caught.value)


def test_spec_is_sorted_and_normalised() -> None:
    found = spec({"b": "", "a": ""}, positional=["b"], named={" from-x ": " a ", "from_x": "b", "z-z": "a"})
    assert found == InputSpec(("a", "b"), ("b",), {"from_x": "b", "z_z": "a"})
    assert list(found.named) == ["from_x", "z_z"]


@pytest.mark.parametrize(
    ("tokens", "value"),
    [
        (["a=1"], "1"),
        (["a="], ""),
        (["a=x=y"], "x=y"),
        (["  a = 1"], " 1"),
        (["a=1", "a=2"], "2"),
        (["a=é\"'`"], "é\"'`"),
    ],
)
def test_set(tokens: list[str], value: str) -> None:
    assert resolved(spec(), tokens) == {"a": value}


def test_ws_04_21_set_keeps_trailing_blanks() -> None:
    assert resolved(spec(), ["a=x  \n"]) == {"a": "x  \n"}


@pytest.mark.parametrize("token", ["a", "just text", "", "  "])
def test_set_without_equals_sign(token: str) -> None:
    message = refused(spec(), [token])
    assert "expected KEY=VALUE" in message
    assert f"`{token}`" in message


@pytest.mark.parametrize("token", ["=1", "  =1", " = "])
def test_set_with_blank_key(token: str) -> None:
    assert "key cannot be empty" in refused(spec(), [token])


def test_aliases_set_their_parameter_and_are_consumed() -> None:
    assert resolved(spec(named={"alpha": "a"}), ["alpha=1"]) == {"a": "1"}
    assert resolved(spec(named={"a": "a"}), ["a=1"]) == {"a": "1"}


def test_aliases_chain_in_sorted_order_and_steal() -> None:
    assert resolved(spec(named={"a": "b", "b": "c"}), ["a=1"]) == {"c": "1"}


def test_alias_and_parameter_together() -> None:
    message = refused(spec(named={"in_file": "a"}), ["in_file=1", "a=2"])
    assert "provided multiple ways" in message
    assert "`a`" in message
    assert "--in-file" in message


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({" ": "a"}, "empty [cli].named alias key"),
        ({"x": " "}, "empty [cli].named target for alias `x`"),
        ({"x": "gone"}, "alias `x` maps to unknown parameter `gone`"),
        ({"x": "a", "y": "gone"}, "alias `y` maps to unknown parameter `gone`"),
    ],
)
def test_all_aliases_are_checked_even_unused(named: dict[str, str], message: str) -> None:
    found = refused(spec(named=named), [])
    assert message in found
    assert f"`{SELECTOR}`" in found


def test_positionals_are_taken_verbatim_in_order() -> None:
    assert resolved(spec(positional=["b", "a"]), [], "", " 2 ") == {"b": "", "a": " 2 "}


@pytest.mark.parametrize(
    ("positional", "given", "message"),
    [
        ([], ["1"], "does not define positional inputs"),
        (["a", "b"], ["1", "2", "3"], "accepts at most 2 positional input(s) (a, b)"),
        (["a", " "], ["1"], "empty positional mapping entry"),
        ([" a"], ["1"], "` a` is not declared in [params]"),
        (["a", "gone"], ["1"], "`gone` is not declared in [params]"),
    ],
)
def test_positionals_that_do_not_fit(positional: list[str], given: list[str], message: str) -> None:
    found = refused(spec(positional=positional), [], *given)
    assert message in found
    assert f"`{SELECTOR}`" in found
    assert resolved(spec(positional=positional), []) == {}


def test_positional_and_named_together() -> None:
    inputs = spec(positional=["a", "b"], named={"beta": "b"})
    message = refused(inputs, ["beta=3"], "1", "2")
    assert "parameter `b` was provided multiple ways" in message
    assert message.endswith("positional input 2")
    assert "positional input 1" in refused(inputs, ["a=3"], "1")


def test_ws_04_06_an_undeclared_parameter_may_have_been_meant_as_an_option() -> None:
    given = ["folow=true", "require_aproval=true", "wrod=x", "zzz=x"]
    found = resolve_inputs(spec({"word": ""}), SELECTOR, given, [], ["follow", "require-approval", "check"])
    problem = f"workflow `{SELECTOR}` does not declare a parameter"
    assert [warning.message for warning in found.warnings] == [
        f"{problem} `folow`; did you mean the option `--follow`?",
        f"{problem} `require_aproval`; did you mean the option `--require-approval`?",
        f"{problem} `wrod`; did you mean `word`?",
        f"{problem} `zzz`",
    ]


def test_ws_04_06_d15_undeclared_parameters_warn_with_the_likely_name() -> None:
    inputs = spec({"word": ""}, named={"term": "word"})
    found = resolve_inputs(inputs, SELECTOR, ["wrod=2", "zzz=1", "term=3"], [])
    assert found.overrides == {"wrod": "2", "zzz": "1", "word": "3"}
    assert [w.message for w in found.warnings] == [
        f"workflow `{SELECTOR}` does not declare a parameter `wrod`; did you mean `word`?",
        f"workflow `{SELECTOR}` does not declare a parameter `zzz`",
    ]


def test_values_that_are_no_text_are_refused() -> None:
    made = composed({"id": "t", "version": "v", "nodes": [shell("n")]})
    with pytest.raises(TemplateError, match=r"the value of `a` is no valid Unicode text"):
        expand(made, {"a": "\udcff"})


# names of inputs


def test_labels() -> None:
    inputs = spec({"spec_file": "", "slug": ""}, named={"the_file": "spec_file", "in_file": "spec_file"})
    assert inputs.label("spec_file") == "in-file"
    assert inputs.label("slug") == "slug"
    assert inputs.label("no_such") == "no-such"
    assert kebab(" a_b_ ") == "a-b-"


def test_order_of_parameters() -> None:
    inputs = spec(dict.fromkeys("dcba", ""), positional=["c"], named={"y": "b", "x": "d", "z": "c", "w": "d"})
    assert inputs.cli_params() == ("c", "d", "b")
    assert inputs.ordered_params() == ("c", "d", "b", "a")
    assert inputs.named_inputs() == (("z", "c"), ("w", "d"), ("x", "d"), ("y", "b"), ("a", "a"))
    assert inputs.has_cli
    assert not spec().has_cli


@pytest.mark.parametrize(
    ("label", "sample"),
    [
        ("file", "LIBRARY.md"),
        ("Out-Path", "LIBRARY.md"),
        ("file-name", "LIBRARY.md"),
        ("nickname", "my-change"),
        ("slug", "my-change"),
        ("source", "draft/my-change"),
        ("target-branch", "main"),
        ("the-branch", "draft/my-change"),
        ("how_much", "example-how-much"),
    ],
)
def test_sample_values(label: str, sample: str) -> None:
    assert sample_value(label) == sample
