"""What a node becomes (spec 04 §15, §18)."""

import pytest

from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.scheduler import MissingProducer
from vizier_kernel.template import BranchExists, TemplateError, compile_node, compile_workflow, effective_artifact
from vizier_kernel.template import compile as compile_module
from vizier_kernel.template import contracts as contracts_module
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.snapshot import snapshot_hash
from vizier_kernel.workflow import (
    ApprovalGate,
    CleanWorktree,
    CustomPrecondition,
    GatePolicy,
    PerOutcome,
    Retry,
    RetryMode,
    Route,
    RouteMode,
    ScriptGate,
)

from .trees import OUTCOMES, Tree, compiled, custom, expanded, node, only, plan, shell, template


def test_identity_and_ids() -> None:
    made = compiled(template(shell("a.b"), shell("é"), id="template.x", version="v7"))
    assert (made.template_id, made.template_version) == ("template.x", "v7")
    assert [n.job_id for n in made.nodes] == ["wf-run_1-a-b", "wf-run_1-node"]
    assert made.policy_snapshot_hash == snapshot_hash(
        expanded(template(shell("a.b"), shell("é"), id="template.x", version="v7"))
    )


def test_without_a_run_the_ids_are_placeholders_and_the_rest_is_the_same() -> None:
    made = expanded(template(shell("n", after=("m",)), shell("m")))
    checked, run = compile_workflow(made), compile_workflow(made, run_id="run_1")
    assert checked.policy_snapshot_hash == run.policy_snapshot_hash
    assert [n.id for n in checked.nodes] == ["n", "m"]
    assert checked.nodes[0].schedule.after == (checked.nodes[1].job_id,)


def test_after_is_the_union_of_predecessors_and_the_success_parent() -> None:
    nodes = [shell("z", on={"succeeded": ["n"]}), shell("a"), shell("m"), shell("n", after=("m", "a", "m"))]
    assert only(template(*nodes)).schedule.after == ("wf-run_1-a", "wf-run_1-m", "wf-run_1-z")
    both = [shell("k", on={"succeeded": ["n"]}), shell("n", after=("k",))]
    assert only(template(*both)).schedule.after == ("wf-run_1-k",)


@pytest.mark.parametrize("outcome", ["failed", "blocked", "cancelled"])
def test_other_routes_make_no_predecessor(outcome: str) -> None:
    assert only(template(shell("k", on={outcome: ["n"]}), shell("n"))).schedule.after == ()


def test_dependencies_are_sorted_by_label_and_distinct() -> None:
    needs = [
        {"target_branch": {"name": "main"}},
        custom("t", "b"),
        plan("plan_doc", "s", "b"),
        custom("t", "a"),
        custom("t", "b"),
    ]
    labels = [artifact.label for artifact in only(template(shell("n", needs=needs))).schedule.dependencies]
    assert labels == ["custom:t:a", "custom:t:b", "plan_doc:s (b)", "target_branch:main"]


def test_artifacts_are_sorted_by_kind_and_hold_the_operation_output() -> None:
    produces = {
        "succeeded": [custom("z", "k"), {"command_patch": {"job_id": "j"}}, plan("plan_doc", "s", "b")],
        "failed": [custom("a", "k"), {"merge_sentinel": {"slug": "s"}}],
        "blocked": [{"target_branch": {"name": "t"}}, plan("plan_commits", "s", "b")],
        "cancelled": [plan("plan_branch", "s", "b"), custom("z", "k"), plan("plan_branch", "a", "b")],
    }
    labels = [artifact.label for artifact in only(template(shell("n", produces=produces))).schedule.artifacts]
    assert labels == [
        "plan_branch:a (b)",
        "plan_branch:s (b)",
        "plan_doc:s (b)",
        "plan_commits:s (b)",
        "target_branch:t",
        "merge_sentinel:s",
        "command_patch:j",
        "custom:a:k",
        "custom:operation_output:n",
        "custom:z:k",
    ]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_artifacts_by_outcome_keep_declared_order(outcome: str) -> None:
    declared = [custom("z", "k"), custom("a", "k"), custom("z", "k"), custom("operation_output", "n")]
    own = Artifact.operation_output("n")
    found = only(template(shell("n", produces={outcome: declared}))).artifacts_by_outcome
    expected = dict.fromkeys(OUTCOMES, (own,)) | {outcome: (Artifact.custom("z", "k"), Artifact.custom("a", "k"), own)}
    assert found == PerOutcome(**expected)


def test_missing_producer_is_that_of_the_template() -> None:
    assert only(template(shell("n"))).schedule.missing_producer is MissingProducer.BLOCK
    waiting = template(shell("n"), policy={"dependencies": {"missing_producer": "wait"}})
    assert only(waiting).schedule.missing_producer is MissingProducer.WAIT


def test_preconditions_are_distinct_in_declared_order() -> None:
    conditions = [
        {"kind": "custom", "id": "check", "args": {"a": "${x}"}},
        {"kind": "clean_worktree"},
        {"kind": "branch_exists"},
        {"kind": "clean_worktree"},
        {"kind": "custom", "id": "check", "args": {"a": "1"}},
    ]
    found = only(template(shell("n", preconditions=conditions), params={"x": "1"})).schedule.preconditions
    assert found == (CustomPrecondition("check", {"a": "1"}), CleanWorktree(), BranchExists())


def test_gates_are_distinct_by_label_in_declared_order() -> None:
    gates: list[Tree] = [
        {"kind": "script", "script": "b"},
        {"kind": "approval", "required": "yes"},
        {"kind": "script", "script": "b", "policy": "block"},
        {"kind": "script", "script": "b", "policy": "warn"},
        {"kind": "cicd", "script": "ci", "auto_resolve": True},
        {"kind": "custom", "id": "c", "args": {"a": "b"}},
    ]
    found = only(template(shell("n", gates=gates)))
    assert found.gates[:3] == (ScriptGate("b"), ApprovalGate(True), ScriptGate("b", GatePolicy.WARN))
    assert found.gate_summaries == (
        "script(b)",
        "approval(required=true)",
        "script(b)",
        "cicd(script=ci, auto_resolve=true)",
        "custom(c)",
    )
    assert found.schedule.needs_approval


def test_approval_is_needed_only_if_required() -> None:
    gates = [{"kind": "approval"}, {"kind": "script", "script": "x"}]
    assert not only(template(shell("n", gates=gates))).schedule.needs_approval
    assert not only(template(node("n", "control.gate.approval"))).schedule.needs_approval


def test_routes_are_sorted_distinct_and_know_their_mode() -> None:
    on = {"succeeded": ["z", "a"], "failed": ["z", "a", "z", "n"], "cancelled": ["n"]}
    found = only(template(shell("n", on=on), shell("z"), shell("a"))).routes
    assert found.succeeded == (Route("a", RouteMode.PROPAGATE_CONTEXT), Route("z", RouteMode.PROPAGATE_CONTEXT))
    assert found.failed == tuple(Route(target, RouteMode.RETRY_JOB) for target in ("a", "n", "z"))
    assert found.blocked == ()
    assert found.cancelled == (Route("n", RouteMode.RETRY_JOB),)


def test_what_a_manifest_needs() -> None:
    tree = shell("n", name="A ${x} step", retry={"mode": "until_gate", "budget": "2"}) | {
        "args": {"script": "${x}", "a": "1"}
    }
    found = only(template(tree, params={"x": "small"}), x="big")
    assert (found.name, found.uses, found.kind, found.retry) == (
        "A big step",
        "cap.env.shell.command.run",
        "shell",
        Retry(RetryMode.UNTIL_GATE, 2),
    )
    assert list(found.args.items()) == [("a", "1"), ("script", "big")]


def test_roots_and_sinks() -> None:
    nodes = [
        shell("z", needs=[custom("t", "k")]),
        shell("b", after=("z",)),
        shell("a", on={"succeeded": ["c"]}),
        shell("c", on={"failed": ["b"]}),
    ]
    made = compiled(template(*nodes))
    assert [n.id for n in made.roots] == ["a", "z"]
    assert [n.id for n in made.sinks] == ["b", "c", "z"]


def test_r18_a_node_followed_only_through_after_is_a_sink() -> None:
    assert [n.id for n in compiled(template(shell("a"), shell("b", after=("a",)))).sinks] == ["a", "b"]


@pytest.mark.parametrize("kind", ["plan_branch", "plan_doc", "plan_commits"])
def test_r19_plan_artifacts_without_branch_mean_the_branch_of_their_slug(kind: str) -> None:
    blank, named = plan(kind, "s", " "), plan(kind, "s", "draft/s")
    found = only(template(shell("n", needs=[blank, named], produces={"succeeded": [blank]})))
    meant = Artifact(ArtifactKind[kind.upper()], "s", "draft/s")
    assert found.schedule.dependencies == (meant,)
    assert found.schedule.artifacts[0] == found.artifacts_by_outcome.succeeded[0] == meant


def test_ws_04_18_blanks_around_the_node_of_an_operation_output_do_not_count() -> None:
    found = only(template(shell("n", needs=[custom("operation_output", " n ")])))
    assert found.schedule.dependencies == (Artifact.operation_output("n"),)
    kept = Artifact.custom("report", " n ")
    assert effective_artifact(kept) is kept


def test_compiling_a_single_node() -> None:
    graph = WorkflowGraph(expanded(template(shell("a"), shell("n", after=("a",)), shell("odd") | {"uses": "x"})))
    assert compile_node(graph, "n", {"n": "job-n", "a": "job-a"}).schedule.after == ("job-a",)
    with pytest.raises(TemplateError, match="requires unresolved after node `a`"):
        compile_node(graph, "n", {"n": "job-n"})
    with pytest.raises(TemplateError, match="unknown label"):
        compile_node(graph, "odd", {"odd": "job"})


def test_failure_handlers_are_named() -> None:
    nodes = [shell("a", on={"failed": ["fix", "a", "both"], "succeeded": ["both"]}), shell("fix"), shell("both")]
    assert compiled(template(*nodes)).failure_handlers == ("fix",)


def test_ws_04_10_snapshot_and_schemas_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"snapshot": 0, "schema": 0}

    def count(name: str, original):
        def counted(*args):
            calls[name] += 1
            return original(*args)

        return counted

    monkeypatch.setattr(compile_module, "snapshot_hash", count("snapshot", compile_module.snapshot_hash))
    monkeypatch.setattr(contracts_module, "read_schema", count("schema", contracts_module.read_schema))
    contracts = [{"id": "t", "schema": {"type": "object"}}]
    nodes = [shell(f"n{i}", needs=[custom("t", "k")]) for i in range(50)]
    compiled(template(*nodes, artifact_contracts=contracts))
    assert calls == {"snapshot": 1, "schema": 1}
