"""Rules about how gates and the operations around them are wired (spec 04 §13.4: V8 without `git.commit`, and V9)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from vizier_kernel.template.arguments import check_commit_message
from vizier_kernel.template.capabilities import Capability, Control, ControlPolicy, Executor, Operation
from vizier_kernel.template.errors import TemplateError
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.model import ExpandedNode
from vizier_kernel.template.scalars import boolean_word
from vizier_kernel.workflow import NodeKind, Outcome, RetryMode

#: Node ids that make a gate what it is, whatever its `uses` says (spec 04 §23).
_STOP_ID: Final = "approve_gate_stop_condition"
_CONFLICT_ID: Final = "merge_conflict_resolution"
_CICD_ID: Final = "merge_gate_cicd"

#: Id of the custom gate that configures conflict resolution.
_CONFLICT_GATE: Final = "conflict_resolution"

_COMMITS: Final = frozenset({Operation.GIT_COMMIT, Operation.GIT_STAGE_COMMIT})


def check_executor_routes(graph: WorkflowGraph, node: ExpandedNode, executor: Executor) -> None:
    """V8: what the routes of an operation must lead to."""
    match executor.operation:
        case Operation.GIT_COMMIT:
            check_commit_message(graph, node, executor)
        case Operation.GIT_STAGE_COMMIT:
            _check_stage_commit(graph, node)
        case Operation.GIT_INTEGRATE_PLAN_BRANCH:
            _check_integrate(graph, node)
        case _:
            pass


def check_control(graph: WorkflowGraph, node: ExpandedNode, control: Control) -> None:
    """V9: the gates of a control node, what leads to it and where it leads."""
    rule = _CONTROL_RULES.get(control.policy)
    if rule is not None:
        rule(graph, node)


def _check_stage_commit(graph: WorkflowGraph, node: ExpandedNode) -> None:
    def error(detail: str) -> TemplateError:
        return graph.contract_error(node, Operation.GIT_STAGE_COMMIT, detail)

    if len(node.script_gates()) > 1:
        raise error("defines multiple script gates")
    targets = graph.targets(node, Outcome.SUCCEEDED)
    if not targets:
        return
    gates = [
        target
        for target in targets
        if target.id == _STOP_ID
        or _is(graph.capability(target), ControlPolicy.STOP_CONDITION)
        or (target.kind is NodeKind.GATE and target.script_gates())
    ]
    if not gates:
        raise error("has on.succeeded targets, but none resolve to a stop-condition gate")
    if len(gates) > 1:
        raise error(f"has ambiguous stop-condition targets: {_ids(gates)}")
    gate = gates[0]
    if gate.kind is not NodeKind.GATE:
        raise error(f"leads to stop-condition node `{gate.id}`, whose kind is not gate")
    if len(gate.script_gates()) > 1:
        raise error(f"leads to stop-condition gate `{gate.id}`, which defines multiple script gates")
    if _loops(gate) and not _leads_to(graph, gate, Outcome.FAILED, node):
        raise error(f"leads to stop-condition gate `{gate.id}`, whose on.failed does not route back to `{node.id}`")


def _check_integrate(graph: WorkflowGraph, node: ExpandedNode) -> None:
    def error(detail: str) -> TemplateError:
        return graph.contract_error(node, Operation.GIT_INTEGRATE_PLAN_BRANCH, detail)

    if len(node.cicd_gates()) > 1:
        raise error("defines multiple cicd gates")
    conflict_gates = [
        target
        for target in graph.targets(node, Outcome.BLOCKED)
        if target.id == _CONFLICT_ID
        or _is(graph.capability(target), ControlPolicy.CONFLICT_RESOLUTION)
        or target.custom_gates(_CONFLICT_GATE)
    ]
    if len(conflict_gates) > 1:
        raise error(f"has ambiguous conflict-resolution targets: {_ids(conflict_gates)}")
    if conflict_gates and conflict_gates[0].kind is not NodeKind.GATE:
        raise error(f"leads to conflict-resolution node `{conflict_gates[0].id}`, whose kind is not gate")
    cicd_nodes = [
        target
        for target in graph.targets(node, Outcome.SUCCEEDED)
        if target.id == _CICD_ID or _is(graph.capability(target), ControlPolicy.CICD) or target.cicd_gates()
    ]
    if len(cicd_nodes) > 1:
        raise error(f"has ambiguous cicd gate targets: {_ids(cicd_nodes)}")
    if not cicd_nodes:
        return
    gate_node = cicd_nodes[0]
    if gate_node.kind is not NodeKind.GATE:
        raise error(f"leads to cicd node `{gate_node.id}`, whose kind is not gate")
    if len(gate_node.cicd_gates()) != 1:
        raise error(f"leads to cicd gate `{gate_node.id}`, which must define exactly one cicd gate")
    if gate_node.cicd_gates()[0].auto_resolve and not _closes(graph, gate_node):
        raise error(f"leads to auto-resolving cicd gate `{gate_node.id}`, whose on.failed does not return to the gate")


def _check_stop_condition(graph: WorkflowGraph, node: ExpandedNode) -> None:
    def error(detail: str) -> TemplateError:
        return graph.contract_error(node, ControlPolicy.STOP_CONDITION, detail)

    if len(node.script_gates()) > 1:
        raise error("defines multiple script gates")
    parents = _distinct_parents(graph, graph.success_parents.get(node.id, ()), _COMMITS)
    if not parents:
        raise error("is not targeted from any git.commit on.succeeded edge")
    if len(parents) > 1:
        raise error(f"is targeted by multiple commit nodes: {_ids(parents)}")
    if _loops(node) and not _leads_to(graph, node, Outcome.FAILED, parents[0]):
        raise error(f"is repeated until its script succeeds, but on.failed does not route back to `{parents[0].id}`")


def _check_conflict_resolution(graph: WorkflowGraph, node: ExpandedNode) -> None:
    def error(detail: str) -> TemplateError:
        return graph.contract_error(node, ControlPolicy.CONFLICT_RESOLUTION, detail)

    integrating = {Operation.GIT_INTEGRATE_PLAN_BRANCH}
    parents = _distinct_parents(graph, graph.blocked_parents.get(node.id, ()), integrating)
    if not parents:
        raise error("is not targeted from any git.integrate_plan_branch on.blocked edge")
    if len(parents) > 1:
        raise error(f"is targeted by multiple integrate nodes: {_ids(parents)}")
    resolves = boolean_word(node.args.get("auto_resolve", ""))
    if resolves is None:
        gates = node.custom_gates(_CONFLICT_GATE)
        if len(gates) > 1:
            raise error(f"defines multiple {_CONFLICT_GATE} gates")
        resolves = any(boolean_word(gate.args.get("auto_resolve", "")) for gate in gates)
    if resolves and not _leads_to(graph, node, Outcome.SUCCEEDED, parents[0]):
        raise error(f"resolves automatically, but on.succeeded does not route back to `{parents[0].id}`")


def _check_cicd(graph: WorkflowGraph, node: ExpandedNode) -> None:
    gates = node.cicd_gates()
    if len(gates) != 1:
        raise graph.contract_error(node, ControlPolicy.CICD, f"must define exactly one cicd gate, but has {len(gates)}")
    if gates[0].auto_resolve and not _closes(graph, node):
        detail = "resolves automatically, but on.failed does not return to the gate"
        raise graph.contract_error(node, ControlPolicy.CICD, detail)


def _check_terminal(graph: WorkflowGraph, node: ExpandedNode) -> None:
    if node.on.all():
        raise graph.contract_error(node, ControlPolicy.TERMINAL, "must not declare outgoing routes")


_CONTROL_RULES: Final[Mapping[ControlPolicy, Callable[[WorkflowGraph, ExpandedNode], None]]] = {
    ControlPolicy.STOP_CONDITION: _check_stop_condition,
    ControlPolicy.CONFLICT_RESOLUTION: _check_conflict_resolution,
    ControlPolicy.CICD: _check_cicd,
    ControlPolicy.TERMINAL: _check_terminal,
}


def _is(capability: Capability, policy: ControlPolicy) -> bool:
    return isinstance(capability, Control) and capability.policy is policy


def _loops(gate: ExpandedNode) -> bool:
    """Whether a stop-condition gate repeats what came before it until its script succeeds."""
    return len(gate.script_gates()) == 1 and gate.retry.mode is RetryMode.UNTIL_GATE


def _leads_to(graph: WorkflowGraph, node: ExpandedNode, outcome: Outcome, target: ExpandedNode) -> bool:
    return any(found is target for found in graph.targets(node, outcome))


def _closes(graph: WorkflowGraph, gate: ExpandedNode) -> bool:
    """Whether the failure route of a gate comes back to it, at once or over one node."""
    return any(target is gate or gate.id in target.on.succeeded for target in graph.targets(gate, Outcome.FAILED))


def _distinct_parents(
    graph: WorkflowGraph, parents: Sequence[str], operations: frozenset[Operation] | set[Operation]
) -> list[ExpandedNode]:
    nodes = [graph.nodes[node_id] for node_id in dict.fromkeys(parents)]
    return [node for node in nodes if graph.operation(node) in operations]


def _ids(nodes: Sequence[ExpandedNode]) -> str:
    return ", ".join(node.id for node in nodes)
