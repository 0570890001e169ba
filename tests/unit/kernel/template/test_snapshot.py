"""The policy snapshot and its hash, byte for byte (spec 04 §17, 02 §19)."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.template.expand import Expanded
from vizier_kernel.template.snapshot import snapshot_bytes, snapshot_hash

from . import shipped
from .trees import OUTCOMES, Tree, composed, custom, expanded, node, plan, shell, template

EMPTY: Tree = {outcome: [] for outcome in OUTCOMES}

DEMO: Tree = {
    "id": "template.demo",
    "version": "v1",
    "params": {"topic": "alpha", "strict": "yes", "tries": "2"},
    "policy": {
        "failure_mode": "continue_independent",
        "resume": {"key": "demo", "reuse_mode": "compatible"},
        "dependencies": {"missing_producer": "wait"},
    },
    "artifact_contracts": [
        {
            "id": "report",
            "version": "v3",
            "schema": {"type": "object", "required": ["key"], "properties": {"key": {"pattern": "^(alpha|beta)$"}}},
        },
        {"id": "plan_doc"},
    ],
    "nodes": [
        shell("build", "make ${topic}")
        | {
            "name": "Build ${topic}",
            "args": {"script": "make ${topic}", "note": 'caf\u00e9\t/"q"'},
            "needs": [plan("plan_doc", "${topic}", "draft/${topic}")],
            "produces": {"succeeded": [custom("report", "${topic}")], "failed": [custom("report", "beta")]},
            "locks": [{"key": "topic:${topic}", "mode": "exclusive"}, {"key": "cache", "mode": "shared"}],
            "preconditions": [
                {"kind": "clean_worktree"},
                {"kind": "custom", "id": "branch_exists", "args": {"branch": "main"}},
            ],
            "gates": [
                {"kind": "approval", "required": "${strict}"},
                {"kind": "script", "script": "./verify ${topic}", "policy": "warn"},
            ],
            "retry": {"mode": "on_failure", "budget": "${tries}"},
            "on": {"succeeded": ["done"], "failed": ["build"]},
        },
        node("done", "control.terminal", after=("build",)),
    ],
}


def in_order(**part: Any) -> Tree:
    """What a snapshot of one shell node looks like, with some parts of the node replaced."""
    plain: Tree = {
        "id": "n",
        "kind": "shell",
        "uses": "cap.env.shell.command.run",
        "args": {"script": "true"},
        "after": [],
        "needs": [],
        "produces": EMPTY,
        "locks": [],
        "preconditions": [],
        "gates": [],
        "retry": {"mode": "never", "budget": 0},
        "on": EMPTY,
    }
    return {
        "template_id": "template.t",
        "template_version": "v1",
        "failure_mode": "block_downstream",
        "resume": {"key": "default", "reuse_mode": "strict"},
        "dependencies": {"missing_producer": "block"},
        "artifact_contracts": [],
        "nodes": [{**plain, **part}],
    }


def bytes_of(plain: Tree) -> bytes:
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()


def snapshot(node_tree: Tree, **top: Any) -> bytes:
    return snapshot_bytes(expanded({"id": "template.t", "version": "v1", "nodes": [node_tree], **top}))


def test_vector_a() -> None:
    single = expanded({"id": "template.single", "version": "v1", "nodes": [shell("single")]})
    plain = in_order(id="single") | {"template_id": "template.single"}
    assert snapshot_bytes(single) == bytes_of(plain)
    assert snapshot_hash(single) == "42e69d850dbf1c2a09ced00aae3f72c5d34639cccadb99acac04b3dc19711800"


def test_vector_b() -> None:
    demo = expanded(DEMO)
    schema = {"properties": {"key": {"pattern": "^(alpha|beta)$"}}, "required": ["key"], "type": "object"}
    build = {
        "id": "build",
        "kind": "shell",
        "uses": "cap.env.shell.command.run",
        "args": {"note": 'café\t/"q"', "script": "make alpha"},
        "after": [],
        "needs": ["plan_doc:alpha (draft/alpha)"],
        "produces": {**EMPTY, "succeeded": ["custom:report:alpha"], "failed": ["custom:report:beta"]},
        "locks": [{"key": "cache", "mode": "shared"}, {"key": "topic:alpha", "mode": "exclusive"}],
        "preconditions": ["clean_worktree", "custom:branch_exists:branch=main"],
        "gates": ["approval:true:Block", "script:./verify alpha:Warn"],
        "retry": {"mode": "on_failure", "budget": 2},
        "on": {**EMPTY, "succeeded": ["done"], "failed": ["build"]},
    }
    done = in_order(
        id="done", kind="gate", uses="control.terminal", args={}, after=[{"node_id": "build", "policy": "success"}]
    )["nodes"][0]
    plain = {
        "template_id": "template.demo",
        "template_version": "v1",
        "failure_mode": "continue_independent",
        "resume": {"key": "demo", "reuse_mode": "compatible"},
        "dependencies": {"missing_producer": "wait"},
        "artifact_contracts": [{"id": "plan_doc", "version": ""}, {"id": "report", "version": "v3", "schema": schema}],
        "nodes": [build, done],
    }
    assert len(snapshot_bytes(demo)) == 1318
    assert snapshot_bytes(demo) == bytes_of(plain)
    assert snapshot_hash(demo) == "59d954a7eee158816de765a0309226dfc693a4f4a819693d1489ba0a8f97aed9"


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (shipped.draft(), "e526d88a5d5bab3b7006ed61d88912da996642ff7d940ef053f4bf0d7a7b5033"),
        (shipped.approve(), "80e8de18f33245d6e5a7b2e186ef007b637370b664f57388aa0186173f8b6b79"),
        (shipped.merge(), "6bc53063088d096e337163a8da21e50ec45922b2f2bffa23dd5b3b21c09fa6d9"),
        (shipped.develop(), "2610617c58cbf2e5e7a0abbf850dab3b524cd81e91006ac3d1b01c07a7d72f2c"),
    ],
)
def test_vector_c(tree: Tree, expected: str) -> None:
    inputs = {"slug": "s", "branch": "draft/s", "target_branch": "main", "spec_text": "x"}
    assert snapshot_hash(expanded(tree, shipped.FILES, **inputs)) == expected


def test_vector_of_chapter_02() -> None:
    only = shell("only") | {
        "needs": [custom("prompt_text", "main")],
        "produces": {"succeeded": [plan("plan_doc", "alpha", "draft/alpha")]},
        "locks": [{"key": "repo_serial", "mode": "exclusive"}],
        "preconditions": [{"kind": "clean_worktree"}],
        "gates": [{"kind": "cicd", "script": "./ci.sh", "policy": "retry"}],
        "retry": {"mode": "on_failure", "budget": 2},
    }
    tiny = {
        "id": "template.tiny",
        "version": "v1",
        "artifact_contracts": [{"id": "prompt_text", "version": "v1"}],
        "nodes": [only],
    }
    assert snapshot_hash(expanded(tiny)) == "8e6106d25ba2ea4f22ff3ff887bf53182c8a4cf743b5701bc1abfe671f655eb5"


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": DEMO["nodes"][::-1]},
        {"artifact_contracts": DEMO["artifact_contracts"][::-1]},
        {"params": {**DEMO["params"], "extra": "${nothing}"}, "cli": {"positional": ["topic"]}},
        {"nodes": [{**DEMO["nodes"][0], "name": None}, DEMO["nodes"][1]]},
        {
            "nodes": [
                {
                    **DEMO["nodes"][0],
                    **{key: DEMO["nodes"][0][key][::-1] * 2 for key in ("needs", "locks", "gates", "preconditions")},
                },
                DEMO["nodes"][1],
            ]
        },
    ],
)
def test_what_does_not_matter(change: Tree) -> None:
    assert snapshot_bytes(expanded(DEMO | change)) == snapshot_bytes(expanded(DEMO))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "template.other"},
        {"version": "v2"},
        {"policy": {**DEMO["policy"], "dependencies": {"missing_producer": "block"}}},
        {"policy": {**DEMO["policy"], "failure_mode": "block_downstream"}},
        {"policy": {**DEMO["policy"], "resume": {"reuse_mode": "compatible"}}},
        {"artifact_contracts": [DEMO["artifact_contracts"][0], {"id": "plan_doc", "version": "v1"}]},
        {"nodes": [DEMO["nodes"][0], {**DEMO["nodes"][1], "after": []}]},
        {"nodes": [DEMO["nodes"][0], {**DEMO["nodes"][1], "after": [{"node_id": "build"}] * 2}]},
        {"nodes": [DEMO["nodes"][0], {**DEMO["nodes"][1], "uses": " control.terminal"}]},
    ],
)
def test_what_matters(change: Tree) -> None:
    assert snapshot_bytes(expanded(DEMO | change)) != snapshot_bytes(expanded(DEMO))


def test_overrides_are_in_it() -> None:
    assert b"make beta" in snapshot_bytes(expanded(DEMO, topic="beta"))


def test_locks_are_the_declared_ones() -> None:
    tree = node("n", args={"script": "true", "branch": "b"})
    assert b'"locks":[]' in snapshot(tree)
    locks = [
        {"key": "b", "mode": "shared"},
        {"key": "a", "mode": "exclusive"},
        {"key": "a", "mode": "shared"},
        {"key": "b", "mode": "shared"},
    ]
    ordered = [{"key": "a", "mode": "exclusive"}, {"key": "a", "mode": "shared"}, {"key": "b", "mode": "shared"}]
    assert snapshot(shell("n", locks=locks)) == bytes_of(in_order(locks=ordered))


@pytest.mark.parametrize(
    ("gate", "label"),
    [
        ({"kind": "approval"}, "approval:false:Block"),
        ({"kind": "approval", "required": "on", "policy": "retry"}, "approval:true:Retry"),
        ({"kind": "script", "script": "a:b", "policy": "warn"}, "script:a:b:Warn"),
        ({"kind": "cicd", "script": "ci", "auto_resolve": 1.0, "policy": "retry"}, "cicd:ci:true:Retry"),
        ({"kind": "custom", "id": "c"}, "custom:c:Block"),
        ({"kind": "custom", "id": "c", "args": {"b": "2", "a": "1"}}, "custom:c:Block:a=1,b=2"),
    ],
)
def test_gate_labels(gate: Tree, label: str) -> None:
    assert snapshot(shell("n", gates=[gate])) == bytes_of(in_order(gates=[label]))


def test_precondition_labels() -> None:
    conditions = [
        {"kind": "pinned_head"},
        {"kind": "custom", "id": "x", "args": {"b": "2", "a": "1"}},
        {"kind": "custom", "id": "x"},
        {"kind": "branch_exists"},
        {"kind": "clean_worktree"},
    ]
    labels = ["branch_exists", "clean_worktree", "custom:x", "custom:x:a=1,b=2", "pinned_head"]
    assert snapshot(shell("n", preconditions=conditions)) == bytes_of(in_order(preconditions=labels))


def test_text_is_escaped_as_little_as_json_allows() -> None:
    text = 'a"\\/\b\f\n\r\t\x00\x01\x1f\x7fé\u2028😀'
    assert snapshot(shell("n") | {"args": {"x": text}}) == bytes_of(in_order(args={"x": text}))


def test_r31_numbers_in_schemas() -> None:
    numbers = [1, 1.0, -0.0, 1e15, 1e16, 1.5e21, 0.0001, 0.00001, 0.000015, 1e-7, -1.25e-5, 2**64 - 1, 2**64, 1e300]
    texts = (
        "1,1.0,-0.0,1000000000000000.0,1e+16,1.5e+21,0.0001,0.00001,0.000015,1e-7,-0.0000125,"
        "18446744073709551615,1.8446744073709552e+19,1e+300"
    )
    found = snapshot(
        shell("n"), artifact_contracts=[{"id": "c", "schema": {"b": {"z": None, "a": True}, "a": numbers}}]
    )
    assert f'"schema":{{"a":[{texts}],"b":{{"a":true,"z":null}}}}'.encode() in found


def test_r19_the_hash_keeps_the_declared_spelling_of_artifacts() -> None:
    found = snapshot_bytes(
        expanded(template(shell("n", needs=[plan("plan_doc", "s", ""), custom("operation_output", " n ")])))
    )
    assert b'"needs":["custom:operation_output: n ","plan_doc:s ()"]' in found


@given(st.permutations(shipped.draft()["nodes"]), st.permutations(shipped.draft()["artifact_contracts"]))
def test_order_does_not_change_the_hash(nodes: list[Tree], contracts: list[Tree]) -> None:
    tree = shipped.draft() | {"nodes": nodes, "artifact_contracts": contracts}
    assert snapshot_hash(expanded(tree)) == snapshot_hash(expanded(shipped.draft()))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(VALUES)
def test_the_snapshot_is_json_that_says_the_same(schema: object) -> None:
    made: Expanded = expanded({"id": "t", "version": "v", "artifact_contracts": [{"id": "c", "schema": schema}]})
    plain = json.loads(snapshot_bytes(made))
    assert plain["artifact_contracts"][0].get("schema") == schema
    assert hashlib.sha256(snapshot_bytes(made)).hexdigest() == snapshot_hash(made)


def test_composing_needs_no_hash_of_its_own() -> None:
    """A composed template and the same nodes written by hand are the same to the snapshot."""
    made = composed({**shipped.develop()}, shipped.FILES).template
    assert [n.id for n in made.nodes][:2] == ["develop_draft__worktree_prepare", "develop_draft__resolve_prompt"]
    assert len(made.nodes) == 21
