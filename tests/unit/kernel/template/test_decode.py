"""From plain trees to templates (spec 04 §§4-6)."""

import datetime
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.scheduler import Lock, LockMode, MissingProducer
from vizier_kernel.template import TemplateError, TemplateWarning, decode_template
from vizier_kernel.template.decode import TEMPLATE
from vizier_kernel.template.model import (
    After,
    ArtifactContract,
    BranchExists,
    Cli,
    DeclaredApprovalGate,
    DeclaredCicdGate,
    DeclaredRetry,
    FailureMode,
    Import,
    Link,
    PinnedHead,
    Policy,
    ResumePolicy,
    ReuseMode,
)
from vizier_kernel.template.shapes import DEPTH_LIMIT
from vizier_kernel.workflow import (
    CleanWorktree,
    CustomGate,
    CustomPrecondition,
    GatePolicy,
    NodeKind,
    PerOutcome,
    ScriptGate,
)

from .trees import Tree, load, node, shell, template

MINIMAL = {"id": "template.t", "version": "v1"}


def with_node(**more: Any) -> Tree:
    return {**MINIMAL, "nodes": [{"id": "n", "uses": "control.terminal", **more}]}


def failure(tree: object) -> str:
    with pytest.raises(TemplateError) as caught:
        load(tree)
    return str(caught.value)


def test_defaults() -> None:
    decoded = load(with_node()).template
    assert decoded.policy == Policy(FailureMode.BLOCK_DOWNSTREAM, ResumePolicy("default", ReuseMode.STRICT))
    assert decoded.policy.dependencies.missing_producer is MissingProducer.BLOCK
    assert (decoded.params, decoded.imports, decoded.links, decoded.cli) == ({}, (), (), Cli())
    (only,) = decoded.nodes
    assert (only.kind, only.name, only.args, only.after, only.needs) == (NodeKind.BUILTIN, None, {}, (), ())
    assert (only.produces, only.on, only.gates, only.retry) == (
        PerOutcome(),
        PerOutcome(),
        (),
        DeclaredRetry("never", 0),
    )


def test_every_key_of_the_format() -> None:
    tree = {
        "id": "template.t",
        "version": "v2",
        "params": {"slug": "a"},
        "policy": {
            "failure_mode": "continue_independent",
            "resume": {"key": "k", "reuse_mode": "compatible"},
            "dependencies": {"missing_producer": "wait"},
        },
        "artifact_contracts": [{"id": "c", "version": "v9", "schema": {"const": None}}],
        "imports": [{"name": "i", "path": "p"}],
        "links": [{"from": "i", "to": "j"}],
        "cli": {"positional": ["slug"], "named": {"name": "slug"}},
        "nodes": [
            {
                "id": "n",
                "name": "N",
                "kind": "custom",
                "uses": "u",
                "args": {"a": "1"},
                "after": [{"node_id": "m", "policy": "success"}],
                "needs": [
                    {"plan_branch": {"slug": "s", "branch": "b"}},
                    {"plan_doc": {"branch": "b", "slug": "s"}},
                    {"plan_commits": {"slug": "s", "branch": "b"}},
                    {"target_branch": {"name": "t"}},
                    {"merge_sentinel": {"slug": "s"}},
                    {"command_patch": {"job_id": "j"}},
                    {"custom": {"key": "k", "type_id": "c"}},
                ],
                "produces": {"cancelled": [{"target_branch": {"name": "t"}}]},
                "locks": [{"key": "l", "mode": "shared"}],
                "preconditions": [
                    {"kind": "pinned_head"},
                    {"kind": "clean_worktree"},
                    {"kind": "branch_exists"},
                    {"kind": "custom", "id": "x", "args": {"p": "q"}},
                ],
                "gates": [
                    {"kind": "approval", "required": 1, "policy": "warn"},
                    {"kind": "script", "script": "s"},
                    {"kind": "cicd", "script": "s", "auto_resolve": "${x}", "policy": "retry"},
                    {"kind": "custom", "id": "g", "args": {"p": "q"}},
                ],
                "retry": {"mode": "${m}", "budget": 3.0},
                "on": {"failed": ["n"]},
            }
        ],
    }
    loaded = load(tree)
    decoded = loaded.template
    assert loaded.warnings == ()
    assert decoded.policy.failure_mode is FailureMode.CONTINUE_INDEPENDENT
    assert decoded.policy.resume == ResumePolicy("k", ReuseMode.COMPATIBLE)
    assert decoded.policy.dependencies.missing_producer is MissingProducer.WAIT
    assert decoded.artifact_contracts == (ArtifactContract("c", "v9", {"const": None}),)
    assert (decoded.imports, decoded.links) == ((Import("i", "p"),), (Link("i", "j"),))
    assert decoded.cli == Cli(("slug",), {"name": "slug"})
    (only,) = decoded.nodes
    assert (only.name, only.kind, only.after) == ("N", NodeKind.CUSTOM, (After("m"),))
    assert only.needs == (
        Artifact(ArtifactKind.PLAN_BRANCH, "s", "b"),
        Artifact(ArtifactKind.PLAN_DOC, "s", "b"),
        Artifact(ArtifactKind.PLAN_COMMITS, "s", "b"),
        Artifact(ArtifactKind.TARGET_BRANCH, "t"),
        Artifact(ArtifactKind.MERGE_SENTINEL, "s"),
        Artifact(ArtifactKind.COMMAND_PATCH, "j"),
        Artifact.custom("c", "k"),
    )
    assert only.produces == PerOutcome(cancelled=(Artifact(ArtifactKind.TARGET_BRANCH, "t"),))
    assert only.locks == (Lock("l", LockMode.SHARED),)
    assert only.preconditions == (PinnedHead(), CleanWorktree(), BranchExists(), CustomPrecondition("x", {"p": "q"}))
    assert only.gates == (
        DeclaredApprovalGate(1, GatePolicy.WARN),
        ScriptGate("s"),
        DeclaredCicdGate("s", "${x}", GatePolicy.RETRY),
        CustomGate("g", GatePolicy.BLOCK, {"p": "q"}),
    )
    assert only.retry == DeclaredRetry("${m}", 3.0)
    assert only.on == PerOutcome(failed=("n",))


def test_resume_without_key_has_an_empty_one() -> None:
    assert load({**MINIMAL, "policy": {"resume": {}}}).template.policy.resume.key == ""


def test_null_only_where_something_is_optional() -> None:
    decoded = load({**with_node(name=None), "artifact_contracts": [{"id": "c", "schema": None}]}).template
    assert decoded.nodes[0].name is None
    assert decoded.artifact_contracts[0].schema is None


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ([], "expected a map, got a list"),
        (None, "expected a map, got null"),
        ({"version": "v1"}, "missing field `id`"),
        ({"id": "a"}, "missing field `version`"),
        ({**MINIMAL, "id": 5}, "id: expected a string, got a number"),
        ({**MINIMAL, "version": True}, "version: expected a string, got a boolean"),
        ({**MINIMAL, "params": {"n": 3}}, "params.n: expected a string, got a number"),
        ({**MINIMAL, "params": {"a b": None}}, 'params["a b"]: expected a string, got null'),
        ({**MINIMAL, "params": None}, "params: expected a map, got null"),
        ({**MINIMAL, "params": {5: "x"}}, "params: expected a map with text keys, got a number"),
        ({**MINIMAL, "nodes": {}}, "nodes: expected a list, got a map"),
        ({**MINIMAL, "nodes": [{"id": "n"}]}, "nodes[0]: missing field `uses`"),
        ({**MINIMAL, "imports": [{"name": "x"}]}, "imports[0]: missing field `path`"),
        ({**MINIMAL, "links": [{"to": "x"}]}, "links[0]: missing field `from`"),
        ({**MINIMAL, "cli": {"positional": "slug"}}, "cli.positional: expected a list, got a string"),
        ({**MINIMAL, "artifact_contracts": [{"version": "v"}]}, "artifact_contracts[0]: missing field `id`"),
        (
            {**MINIMAL, "policy": {"failure_mode": "stop"}},
            "policy.failure_mode: unknown label `stop`, expected one of block_downstream, continue_independent",
        ),
        (
            with_node(kind="Gate"),
            "nodes[0].kind: unknown label `Gate`, expected one of builtin, agent, shell, gate, custom",
        ),
        (with_node(name=5), "nodes[0].name: expected a string, got a number"),
        (with_node(args={"x": 1}), "nodes[0].args.x: expected a string, got a number"),
        (with_node(after=["x"]), "nodes[0].after[0]: expected a map, got a string"),
        (with_node(after=[{"policy": "success"}]), "nodes[0].after[0]: missing field `node_id`"),
        (
            with_node(after=[{"node_id": "x", "policy": "always"}]),
            "nodes[0].after[0].policy: unknown label `always`, expected one of success",
        ),
        (with_node(locks=[{"key": "a"}]), "nodes[0].locks[0]: missing field `mode`"),
        (with_node(needs=[{}]), "nodes[0].needs[0]: expected exactly one key out of plan_branch"),
        (with_node(needs=[{"plan_doc": {}, "custom": {}}]), "got plan_doc, custom"),
        (
            with_node(needs=[{"plan_text": {}}]),
            "nodes[0].needs[0]: unknown key `plan_text`, expected exactly one key out of",
        ),
        (with_node(needs=[{"plan_doc": {"slug": "s"}}]), "nodes[0].needs[0].plan_doc: missing field `branch`"),
        (
            with_node(produces={"failed": [{"custom": "x"}]}),
            "nodes[0].produces.failed[0].custom: expected a map, got a string",
        ),
        (with_node(on={"succeeded": "n"}), "nodes[0].on.succeeded: expected a list, got a string"),
        (with_node(gates=[{"script": "x"}]), "nodes[0].gates[0]: missing field `kind`"),
        (
            with_node(gates=[{"kind": "manual"}]),
            "nodes[0].gates[0].kind: unknown label `manual`, expected one of approval, script, cicd, custom",
        ),
        (with_node(gates=[{"kind": "script"}]), "nodes[0].gates[0]: missing field `script`"),
        (
            with_node(gates=[{"kind": "approval", "required": None}]),
            "nodes[0].gates[0].required: expected a boolean, a number or a string, got null",
        ),
        (with_node(preconditions=[{"kind": "custom"}]), "nodes[0].preconditions[0]: missing field `id`"),
        (with_node(retry={"mode": 1}), "nodes[0].retry.mode: expected a string, got a number"),
        (with_node(retry={"budget": True}), "nodes[0].retry.budget: expected a number or a string, got a boolean"),
        (with_node(retry={"budget": float("inf")}), "nodes[0].retry.budget: expected a finite number"),
        (with_node(retry={"budget": 10**5000}), "nodes[0].retry.budget: the number is out of range"),
        (with_node(name=datetime.date(2026, 1, 1)), "nodes[0].name: expected a string, got a date"),
        (
            {**MINIMAL, "artifact_contracts": [{"id": "c", "schema": [datetime.date(2026, 1, 1)]}]},
            "artifact_contracts[0].schema[0]: expected a value that JSON can hold",
        ),
        ({**MINIMAL, "params": {"a": "\ud800"}}, "params.a: holds half of a character pair"),
        ({**MINIMAL, "params": {"\ud800": "a"}}, "params: has a key with half of a character pair"),
    ],
)
def test_what_is_refused(tree: object, message: str) -> None:
    assert message in failure(tree)


@pytest.mark.parametrize(
    "tree", [{**MINIMAL, "policy": []}, {**MINIMAL, "cli": []}, with_node(retry=[]), with_node(on=[])]
)
def test_r30_a_list_is_not_a_map(tree: Tree) -> None:
    assert "expected a map, got a list" in failure(tree)


def test_errors_carry_the_nearest_known_position() -> None:
    positions = {(): (1, 1), ("nodes",): (3, 9), ("nodes", 0, "kind"): (4, 12)}.get

    def message(tree: object) -> str:
        with pytest.raises(TemplateError) as caught:
            decode_template(tree, origin="/f.hcl", positions=positions)
        return str(caught.value)

    assert message(with_node(kind="x")).startswith("/f.hcl:4:12: nodes[0].kind: ")
    assert message(with_node(name=5)).startswith("/f.hcl:3:9: nodes[0].name: ")
    assert message({"id": "a"}) == "/f.hcl:1:1: missing field `version`"


def test_ws_04_06_unknown_keys_warn_with_the_likely_name() -> None:
    tree = {
        **with_node(neds=[], gates=[{"kind": "approval", "by": "me"}], produces={"skipped": []}, retry={"delay": 3}),
        "polices": {},
    }
    tree["nodes"][0]["needs"] = [{"plan_doc": {"slug": "s", "branch": "b", "extra": 1}}]
    warnings = load(tree, "/f").warnings
    assert {w.origin for w in warnings} == {"/f"}
    assert [w.message for w in warnings] == [
        "nodes[0].needs[0].plan_doc.extra: unknown key `extra` is ignored",
        "nodes[0].produces.skipped: unknown key `skipped` is ignored",
        "nodes[0].gates[0].by: unknown key `by` is ignored",
        "nodes[0].retry.delay: unknown key `delay` is ignored",
        "nodes[0].neds: unknown key `neds` is ignored; did you mean `needs`?",
        "polices: unknown key `polices` is ignored; did you mean `policy`?",
    ]
    assert str(warnings[-1]).startswith("/f: polices: ")


def test_ws_04_13_r37_links_without_imports_warn() -> None:
    assert load({**MINIMAL, "links": [{"from": "a", "to": "b"}]}, "/f").warnings == (
        TemplateWarning("`links` without `imports` do nothing", "/f"),
    )


def nested(levels: int) -> object:
    value: object = "x"
    for _ in range(levels):
        value = {"properties": value}
    return value


def test_free_form_values_nest_up_to_a_limit() -> None:
    def contract(levels: int) -> Tree:
        return {**MINIMAL, "artifact_contracts": [{"id": "c", "schema": nested(levels)}]}

    load(contract(DEPTH_LIMIT))
    assert failure(contract(DEPTH_LIMIT + 1)).startswith(
        f"artifact_contracts[0].schema: nests more than {DEPTH_LIMIT} levels"
    )
    assert "nests more than" in failure(contract(50_000))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
KEYS = (
    st.sampled_from([*TEMPLATE.fields, "kind", "uses", "gates", "custom", "resume", "needs"])
    | st.text(max_size=3)
    | st.integers()
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=30
)


@given(TREES)
def test_any_tree_gives_a_template_or_a_template_error(tree: object) -> None:
    with suppress(TemplateError):
        load(tree)


@given(
    st.dictionaries(st.sampled_from([*node("n")]), TREES), st.dictionaries(st.sampled_from([*TEMPLATE.fields]), TREES)
)
def test_any_change_of_a_good_template_gives_a_template_or_a_template_error(in_node: Tree, in_template: Tree) -> None:
    with suppress(TemplateError):
        load({**template({**shell("n"), **in_node}), **in_template})
