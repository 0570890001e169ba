"""Placeholders and typed values (spec 04 §9)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.template import TemplateError
from vizier_kernel.template.expand import placeholders
from vizier_kernel.workflow import ApprovalGate, CicdGate, Retry, RetryMode

from .trees import Tree, composed, custom, expanded, shell

M = "${missing}"


def value(text: str, **params: str) -> str:
    tree = {"id": "t", "version": "v", "params": params, "nodes": [shell("n") | {"args": {"x": text}}]}
    return expanded(tree).nodes[0].args["x"]


def refused(tree: Tree, **overrides: str) -> str:
    with pytest.raises(TemplateError) as caught:
        expanded(tree, **overrides)
    return str(caught.value)


def with_node(**more: Any) -> Tree:
    return {"id": "t", "version": "v", "nodes": [shell("single", **more)]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${a}", "1"),
        ("<${a}${b}>", "<12>"),
        ("${ a }", "1"),
        ("$a $ $$ $(a)", "$a $ $$ $(a)"),
        ("$${a}", "$1"),
        ("{a} }{", "{a} }{"),
        ("${a}}", "1}"),
        ("%{a}", "%{a}"),
        ("${nested}", "${a}"),
        ("\n\t${b}\n", "\n\t2\n"),
    ],
)
def test_expansion(text: str, found: str) -> None:
    assert value(text, a="1", b="2", nested="${a}") == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x ${a", "unclosed parameter placeholder in nodes[n].args.x"),
        ("${}", "empty parameter placeholder in nodes[n].args.x"),
        ("${  }", "empty parameter placeholder in nodes[n].args.x"),
        ("${zz}", "unresolved parameter `zz` in nodes[n].args.x"),
        ("${a${b}}", "unresolved parameter `a${b` in nodes[n].args.x"),
    ],
)
def test_bad_placeholders(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        value(text, a="1", b="2")
    assert message in str(caught.value)


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_what_is_put_in_is_not_looked_at_again(parameter: str, tail: str) -> None:
    assert value("${p}" + tail.replace("${", ""), p=parameter) == parameter + tail.replace("${", "")


@given(st.text("${}a ", max_size=20))
def test_any_text_expands_or_is_refused(text: str) -> None:
    try:
        found = value(text, a="A", **{"": "unreachable"})
    except TemplateError:
        assert "${" in text
    else:
        assert found.count("A") == text.count("${") - found.count("${")


def test_defaults_are_overlaid_by_overrides_which_may_be_undeclared() -> None:
    tree = {"id": "t", "version": "v", "params": {"a": "1", "b": "2"}, "nodes": [shell("n", "${a}${b}${free}")]}
    assert expanded(tree, b="9", free="x").nodes[0].args == {"script": "19x"}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"name": M}, "name"),
        ({"args": {"b": "1", "a": M}}, "args.a"),
        ({"needs": [custom("t", "k"), {"plan_branch": {"slug": M, "branch": "b"}}]}, "needs[1].plan_branch.slug"),
        ({"needs": [{"plan_doc": {"slug": M, "branch": M}}]}, "needs[0].plan_doc.slug"),
        ({"needs": [{"plan_commits": {"slug": "s", "branch": M}}]}, "needs[0].plan_commits.branch"),
        ({"needs": [{"target_branch": {"name": M}}]}, "needs[0].target_branch.name"),
        ({"produces": {"succeeded": [{"merge_sentinel": {"slug": M}}]}}, "produces.succeeded[0].merge_sentinel.slug"),
        ({"produces": {"failed": [{"command_patch": {"job_id": M}}]}}, "produces.failed[0].command_patch.job_id"),
        ({"produces": {"blocked": [custom(M, "k")]}}, "produces.blocked[0].custom.type_id"),
        ({"produces": {"cancelled": [custom("t", M)]}}, "produces.cancelled[0].custom.key"),
        ({"locks": [{"key": "a", "mode": "shared"}, {"key": M, "mode": "shared"}]}, "locks[1].key"),
        ({"preconditions": [{"kind": "custom", "id": "x", "args": {"p": M}}]}, "preconditions[0].custom.args.p"),
        ({"gates": [{"kind": "approval", "required": M}]}, "gates[0].approval.required"),
        ({"gates": [{"kind": "script", "script": M}]}, "gates[0].script"),
        ({"gates": [{"kind": "cicd", "script": M}]}, "gates[0].cicd.script"),
        ({"gates": [{"kind": "cicd", "script": "s", "auto_resolve": M}]}, "gates[0].cicd.auto_resolve"),
        ({"gates": [{"kind": "custom", "id": M}]}, "gates[0].custom.id"),
        ({"gates": [{"kind": "custom", "id": "x", "args": {"p": M}}]}, "gates[0].custom.args.p"),
        ({"retry": {"mode": M}}, "retry.mode"),
        ({"retry": {"budget": M}}, "retry.budget"),
    ],
)
def test_field_paths(more: Tree, path: str) -> None:
    assert f"unresolved parameter `missing` in nodes[single].{path}:" in refused(
        with_node() | {"nodes": [shell("single") | more]}
    )


@pytest.mark.parametrize("key", ["id", "version"])
def test_field_paths_of_contracts(key: str) -> None:
    tree = {"id": "t", "version": "v", "artifact_contracts": [{"id": "a"}, {"id": "b", "version": "v", key: M}]}
    assert f"unresolved parameter `missing` in artifact_contracts[1].{key}:" in refused(tree)


def test_order_of_fields_decides_which_error_is_reported() -> None:
    later = shell("later") | {"args": {"b": "${x}", "a": "${y}"}, "name": "fine"}
    tree = {"id": "t", "version": "v", "params": {"branch": "${z}"}, "nodes": [later]}
    assert "`z` in nodes[later].lock_scope_context.branch" in refused(tree)
    assert "`y` in nodes[later].args.a" in refused(tree, z="1", branch="")
    tree["artifact_contracts"] = [{"id": "${c}"}]
    assert "`c` in artifact_contracts[0].id" in refused(tree)


def test_lock_scopes_get_overrides_for_their_own_keys_and_one_level_of_expansion() -> None:
    tree = {
        "id": "t",
        "version": "v",
        "params": {"branch": "${base}/x", "base": "draft", "slug": "s"},
        "nodes": [shell("n")],
    }
    assert expanded(tree).nodes[0].lock_scope == {"branch": "draft/x"}
    assert expanded(tree, branch="b", target="main").nodes[0].lock_scope == {"branch": "b"}


def test_ws_04_04_only_branch_parameters_are_expanded_in_lock_scopes() -> None:
    tree = {"id": "t", "version": "v", "params": {"cmd": ""}, "nodes": [shell("n", "${cmd}")]}
    assert expanded(tree, cmd="echo ${HOME}").nodes[0].args == {"script": "echo ${HOME}"}


@pytest.mark.parametrize(
    "change",
    [
        {"uses": "${op}"},
        {"id": "${op}"},
        {"after": [{"node_id": "${op}"}]},
        {"on": {"failed": ["${op}"]}},
        {"preconditions": [{"kind": "custom", "id": "${op}"}]},
        {"args": {"${op}": "x"}},
    ],
)
def test_what_is_not_expanded(change: Tree) -> None:
    tree = {"id": "t-${op}", "version": "${op}", "params": {"op": "run"}, "nodes": [shell("n") | change]}
    made = expanded(tree)
    assert (made.composed.template.id, made.composed.template.version) == ("t-${op}", "${op}")
    kept = made.nodes[0]
    assert "${op}" in repr((kept.uses, kept.id, kept.after, kept.on, kept.preconditions, kept.args))


def test_schemas_are_not_expanded() -> None:
    tree = {
        "id": "t",
        "version": "v",
        "params": {"x": "1"},
        "artifact_contracts": [{"id": "${x}", "schema": {"const": "${x}"}}],
    }
    (contract,) = expanded(tree).artifact_contracts
    assert (contract.id, contract.schema) == ("1", {"const": "${x}"})


# typed values (spec 04 §9.3)


@pytest.mark.parametrize(
    ("given_value", "meaning"),
    [
        (True, True),
        (False, False),
        ("yes", True),
        (" On ", True),
        ("TRUE", True),
        ("1", True),
        (1, True),
        (1.0, True),
        ("off", False),
        ("no", False),
        (0, False),
        (0.0, False),
        ("False", False),
        ("${flag}", True),
    ],
)
def test_lenient_booleans(given_value: object, meaning: bool) -> None:
    gates = [
        {"kind": "approval", "required": given_value},
        {"kind": "cicd", "script": "s", "auto_resolve": given_value},
    ]
    assert expanded(with_node(gates=gates), flag="on").nodes[0].gates == (ApprovalGate(meaning), CicdGate("s", meaning))


@pytest.mark.parametrize(
    ("given_value", "shown"),
    [
        ("maybe", "maybe"),
        ("", ""),
        (2, "2"),
        (2.0, "2"),
        (-1, "-1"),
        (0.5, "0.5"),
        (1e300, "1e+300"),
        (2**70, "1.1805916207174113e+21"),
        ("${flag}", "maybe"),
    ],
)
def test_no_booleans(given_value: object, shown: str) -> None:
    message = refused(with_node(gates=[{"kind": "approval", "required": given_value}]), flag="maybe")
    assert f"invalid bool value `{shown}` for nodes[single].gates[0].approval.required" in message
    message = refused(with_node(gates=[{"kind": "cicd", "script": "s", "auto_resolve": given_value}]), flag="maybe")
    assert f"invalid bool value `{shown}` for nodes[single].gates[0].cicd.auto_resolve" in message


@pytest.mark.parametrize("mode", ["never", "on_failure", "until_gate", " until_gate "])
def test_retry_modes(mode: str) -> None:
    assert expanded(with_node(retry={"mode": mode})).nodes[0].retry == Retry(RetryMode(mode.strip()), 0)


@pytest.mark.parametrize("mode", ["Never", "always", ""])
def test_no_retry_modes(mode: str) -> None:
    assert f"invalid retry mode value `{mode}` for nodes[single].retry.mode" in refused(with_node(retry={"mode": mode}))


@pytest.mark.parametrize(
    ("budget", "meaning"),
    [
        (0, 0),
        (3, 3),
        ("3", 3),
        (" 12 ", 12),
        ("007", 7),
        ("0" * 5000 + "7", 7),
        (4294967295, 4294967295),
        ("4294967295", 4294967295),
        ("${b}", 4),
    ],
)
def test_budgets(budget: object, meaning: int) -> None:
    assert expanded(with_node(retry={"budget": budget}), b=" 4").nodes[0].retry.budget == meaning


@pytest.mark.parametrize(("budget", "meaning"), [(3.0, 3), (0.0, 0), (4294967295.0, 4294967295)])
def test_ws_04_05_whole_floating_point_numbers_are_budgets(budget: float, meaning: int) -> None:
    found = expanded(with_node(retry={"budget": budget})).nodes[0].retry.budget
    assert (found, type(found)) == (meaning, int)


@pytest.mark.parametrize(
    ("budget", "shown"),
    [
        (-1, "-1"),
        (4294967296, "4294967296"),
        ("4294967296", "4294967296"),
        (4294967296.0, "4294967296"),
        ("three", "three"),
        ("", ""),
        ("+3", "+3"),
        ("٣", "٣"),
        (1.5, "1.5"),
        ("1.0", "1.0"),
        ("9" * 5000, "9" * 5000),
        (1e300, "1e+300"),
        (int("1" * 40), "1.1111111111111112e+39"),
    ],
)
def test_no_budgets(budget: object, shown: str) -> None:
    assert f"invalid u32 value `{shown}` for nodes[single].retry.budget" in refused(with_node(retry={"budget": budget}))


def test_names_in_placeholders() -> None:
    assert placeholders("a ${b} ${ c }${d") == ["b", "c"]
    assert placeholders("none $x {y}") == []


def test_a_node_without_a_scope_of_its_own_uses_all_parameters() -> None:
    from vizier_kernel.template import Composed, expand

    made = composed({"id": "t", "version": "v", "params": {"branch": "b", "slug": "s"}, "nodes": [shell("n")]})
    bare = Composed(template=made.template, lock_scopes={}, origins=made.origins, origin=made.origin)
    assert expand(bare, {"target": "main"}).nodes[0].lock_scope == {"branch": "b", "target": "main"}


@pytest.mark.parametrize("text", ["x", "${p}"])
def test_maps_of_gates_and_preconditions_ascend_as_they_do_in_files(text: str) -> None:
    words = {"z": text, "b": "1", "a": text}
    node = shell(
        "single",
        gates=[{"kind": "custom", "id": "g", "args": words}],
        preconditions=[{"kind": "custom", "id": "branch_exists", "args": words}],
    )
    found = expanded({"id": "t", "version": "v", "params": {"p": "x"}, "nodes": [node]}).nodes[0]
    for item in (*found.gates, *found.preconditions):
        assert list(item.args.items()) == [("a", "x"), ("b", "1"), ("z", "x")]
