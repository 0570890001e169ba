"""Rules about the whole template and their order (spec 04 §13.1, §13.5)."""

import pytest

from vizier_kernel.template import TemplateError, compile_workflow, expand, preflight
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.validate import check_references

from . import shipped
from .trees import BUILTIN, OUTCOMES, Tree, compiled, composed, custom, expanded, node, refusal, shell, template

CICD = {"kind": "cicd", "script": "true"}


@pytest.mark.parametrize(
    "tree", [shipped.draft(), shipped.approve(), shipped.merge(), shipped.develop(), shipped.commit()]
)
def test_shipped_templates_pass_every_step(tree: Tree) -> None:
    inputs = {"slug": "s", "branch": "draft/s", "target_branch": "main", "spec_text": "x"}
    made = expanded(tree, shipped.FILES, **inputs)
    preflight(made, "f")
    assert len(compile_workflow(made, run_id="run_1").nodes) == len(made.nodes)
    assert made.composed.warnings == ()


def test_v1_reserved_contract() -> None:
    message = refusal(shell("n"), artifact_contracts=[{"id": "${o}"}], params={"o": "operation_output"})
    assert "declares reserved artifact contract `operation_output`" in message


@pytest.mark.parametrize("run_id", [None, "run_1"])
def test_v2_duplicate_node_ids(run_id: str | None) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_workflow(expanded(template(shell("a"), shell("n"), shell("n"))), run_id=run_id)
    assert "defines duplicate node id `n`" in str(caught.value)
    assert "duplicate workflow node id" in str(caught.value)


def test_v2_of_a_run_looks_at_ids_before_anything_else() -> None:
    made = expanded(template(shell("n") | {"uses": "x"}, shell("n"), artifact_contracts=[{"id": "operation_output"}]))
    with pytest.raises(TemplateError, match="duplicate"):
        compile_workflow(made, run_id="run_1")
    with pytest.raises(TemplateError, match="reserved"):
        compile_workflow(made)


@pytest.mark.parametrize("node_id", ["", "  \t"])
def test_r34_blank_node_ids(node_id: str) -> None:
    assert f"node `{node_id}` has a blank id" in refusal(shell(node_id))


def test_v3_one_cicd_gate_only() -> None:
    message = refusal(node("z", "control.gate.cicd", gates=[CICD]), node("a", "control.gate.cicd", gates=[CICD]))
    assert "violate single-gate cardinality: [a, z]" in message


def test_v10_no_nodes() -> None:
    assert "workflow template has no nodes" in refusal()


def test_v11_one_success_parent_only() -> None:
    to_end = {"succeeded": ["end"]}
    message = refusal(shell("z", on=to_end), shell("a", on=to_end), node("end", "control.terminal"))
    assert "node `end` has multiple on.succeeded parents: z, a" in message
    assert "parents: z, z" in refusal(shell("z", on={"succeeded": ["end", "end"]}), node("end", "control.terminal"))
    many = {"failed": ["end", "end"], "blocked": ["end"]}
    assert compiled(
        template(shell("z", on=many), shell("a", on=many), node("end", "control.terminal", after=("z", "a")))
    )


def test_v11_looks_at_targets_in_sorted_order() -> None:
    both = {"succeeded": ["y", "x"]}
    assert "node `x` has multiple" in refusal(shell("a", on=both), shell("b", on=both), shell("y"), shell("x"))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_unknown_targets(outcome: str) -> None:
    assert f"node `n` references unknown on.{outcome} target `gone`" in refusal(shell("n", on={outcome: ["gone"]}))


def test_unknown_predecessor() -> None:
    assert "node `n` references unknown after node `gone`" in refusal(shell("n", after=("gone",)))


def test_unresolved_predecessor() -> None:
    graph = WorkflowGraph(expanded(template(shell("a"), shell("n", after=("a",)))))
    with pytest.raises(TemplateError, match="node `n` requires unresolved after node `a`"):
        check_references(graph, graph.nodes["n"], {"n": "job"})


def test_order_of_the_rules() -> None:
    """Each template breaks one rule more than the next one; the earliest rule is reported."""
    reserved: Tree = {"artifact_contracts": [{"id": "operation_output"}]}
    unknown = shell("u", after=("run",)) | {"uses": "x"}
    gates = [node(i, "control.gate.cicd", gates=[CICD]) for i in ("g1", "g2")]
    no_command = node("run", after=("ok",))
    twice = [shell(i, on={"succeeded": ["t"]}) for i in ("p1", "p2")]
    rest = [shell("ok"), *twice, shell("t", needs=[custom("undeclared", "k")])]
    assert "reserved artifact contract" in refusal(*gates, no_command, unknown, *rest, **reserved)
    assert "unknown label" in refusal(*gates, no_command, unknown, *rest, artifact_contracts=[])
    assert "single-gate cardinality" in refusal(*gates, no_command, *rest, artifact_contracts=[])
    assert "requires args.command" in refusal(no_command, *rest, artifact_contracts=[])
    assert "multiple on.succeeded parents" in refusal(*rest, artifact_contracts=[])
    assert "without declared artifact contract" in refusal(*rest[:2], *rest[3:], artifact_contracts=[])


def test_order_within_one_node() -> None:
    bad = shell("n", after=("gone",), on={"failed": ["gone"]}, needs=[custom("undeclared", "k")])
    assert "undeclared" in refusal(bad, artifact_contracts=[])
    del bad["needs"]
    assert "on.failed target" in refusal(bad)
    del bad["on"]
    assert "after node" in refusal(bad)


# what the reference does not check


@pytest.mark.parametrize(
    ("nodes", "chain"),
    [
        ([shell("a", after=("a",))], "a -> a"),
        ([shell("a", on={"succeeded": ["a"]})], "a -> a"),
        ([shell("a", after=("b",)), shell("b", after=("a",))], "a -> b -> a"),
        ([shell("a", on={"succeeded": ["b"]}), shell("b", on={"succeeded": ["a"]})], "a -> b -> a"),
        (
            [shell("x"), shell("a", after=("x", "c")), shell("b", after=("a",), on={"succeeded": ["c"]}), shell("c")],
            "a -> b -> c -> a",
        ),
    ],
)
def test_ws_04_03_cycles_over_after_and_success_routes(nodes: list[Tree], chain: str) -> None:
    message = refusal(*nodes)
    assert "cycle" in message
    assert f": {chain}\n" in message


def test_ws_04_03_other_routes_may_go_round() -> None:
    nodes = [shell("a", on={"failed": ["a"], "blocked": ["b"]}), shell("b", after=("a",), on={"cancelled": ["a"]})]
    assert len(compiled(template(*nodes)).nodes) == 2
    assert compiled(shipped.merge(), slug="s").nodes


def test_ws_04_02_job_ids_that_collide() -> None:
    message = refusal(shell("a.b"), shell("other"), shell("a-b"))
    assert "nodes `a.b` and `a-b` would share one job id" in message
    assert "nodes `é` and `...`" in refusal(shell("é"), shell("..."))


def test_ws_04_14_operation_outputs_of_a_stage_are_named_by_composed_id() -> None:
    inner = {
        "id": "p",
        "version": "v",
        "nodes": [shell("a"), shell("b", after=("a",), needs=[custom("operation_output", "a")])],
    }
    made = expand(composed({"id": "t", "version": "v", "imports": [{"name": "x", "path": "p"}]}, {"p": inner}), {})
    with pytest.raises(
        TemplateError, match="node `x__b` needs artifact `custom:operation_output:a`, but no template node has that id"
    ):
        compile_workflow(made)


def test_r68_the_conflict_gate_of_the_shipped_merge_comes_first() -> None:
    made = compiled(shipped.merge(), slug="s")
    assert [root.id for root in made.roots] == ["merge_conflict_resolution"]
    assert made.nodes[0].uses == BUILTIN + "git.integrate_plan_branch"
