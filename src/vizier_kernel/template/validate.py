"""Validation of an expanded template (spec 04 §13). The rules run in a fixed order and the first failure wins."""

from collections.abc import Mapping

from vizier_kernel.artifacts import OPERATION_OUTPUT
from vizier_kernel.names import component
from vizier_kernel.template.arguments import check_any_of, check_arguments
from vizier_kernel.template.capabilities import Control, ControlPolicy
from vizier_kernel.template.cycles import find_cycle
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.model import ExpandedNode
from vizier_kernel.template.routes import check_control, check_executor_routes


def validate(graph: WorkflowGraph) -> None:
    """Checks everything that can be checked without knowing the repository.

    Raises:
        TemplateError: the first rule that is broken.
    """
    _check_reserved_contract(graph)
    check_node_ids(graph, classify=True)
    _check_single_cicd_gate(graph)
    for node in graph.expanded.nodes:
        _check_node(graph, node)
    if not graph.expanded.nodes:
        raise graph.error("is empty: workflow template has no nodes")
    _check_success_parents(graph)
    for node in graph.expanded.nodes:
        check_references(graph, node, graph.nodes)
    _check_cycles(graph)
    _check_job_ids(graph)


def check_node_ids(graph: WorkflowGraph, *, classify: bool) -> None:
    """V2: every node has an id of its own; with `classify` also that its `uses` fits (spec 04 §13.2).

    Raises:
        TemplateError: an id is blank (ruling R34) or repeated, or a node does not fit its `uses`.
    """
    seen: set[str] = set()
    for node in graph.expanded.nodes:
        if not node.id.strip():
            raise graph.node_error(node, "has a blank id")
        if node.id in seen:
            raise graph.error(f"defines duplicate node id `{node.id}` (duplicate workflow node id `{node.id}`)")
        seen.add(node.id)
        if classify:
            graph.capability(node)


def check_references(graph: WorkflowGraph, node: ExpandedNode, job_ids: Mapping[str, object]) -> None:
    """What compiling a node needs (spec 04 §13.5): contracts of its artifacts, existing targets and predecessors.

    Args:
        graph: the template.
        node: one of its nodes.
        job_ids: has a job id for every node that others may wait for.

    Raises:
        TemplateError: something is missing.
    """
    contracts = graph.contracts
    for verb, artifacts in (("needs", node.needs), ("produces", node.produces.all())):
        for artifact in artifacts:
            violation = contracts.violation(artifact, graph.nodes)
            if violation is not None:
                raise graph.node_error(node, f"{verb} {violation}")
    graph.check_targets(node)
    graph.capability(node)
    for after in node.after:
        if after.node_id not in graph.nodes:
            raise graph.node_error(node, f"references unknown after node `{after.node_id}`")
        if after.node_id not in job_ids:
            raise graph.node_error(node, f"requires unresolved after node `{after.node_id}`")


def _check_reserved_contract(graph: WorkflowGraph) -> None:
    if any(contract.id == OPERATION_OUTPUT for contract in graph.expanded.artifact_contracts):
        raise graph.error(f"declares reserved artifact contract `{OPERATION_OUTPUT}`, which every template has anyway")


def _check_single_cicd_gate(graph: WorkflowGraph) -> None:
    gates = [
        node.id
        for node in graph.expanded.nodes
        if isinstance(control := graph.capability(node), Control) and control.policy is ControlPolicy.CICD
    ]
    if len(gates) > 1:
        raise graph.error(
            f"contract `{ControlPolicy.CICD}` nodes violate single-gate cardinality: [{', '.join(sorted(gates))}]"
        )


def _check_node(graph: WorkflowGraph, node: ExpandedNode) -> None:
    """V6 to V9."""
    capability = graph.capability(node)
    if isinstance(capability, Control):
        check_control(graph, node, capability)
        return
    check_any_of(graph, node, capability)
    check_arguments(graph, node, capability)
    check_executor_routes(graph, node, capability)


def _check_success_parents(graph: WorkflowGraph) -> None:
    """V11: the scheduler turns success routes into predecessors, of which there can be one only."""
    for target in sorted(graph.success_parents):
        parents = graph.success_parents[target]
        if len(parents) > 1:
            raise graph.error(f"node `{target}` has multiple on.succeeded parents: {', '.join(parents)}")


def _check_cycles(graph: WorkflowGraph) -> None:
    """Nodes that wait for each other would wait for ever (weak spot 3 of spec 04 §24)."""
    following: dict[str, list[str]] = {node.id: list(node.on.succeeded) for node in graph.expanded.nodes}
    for node in graph.expanded.nodes:
        for after in node.after:
            following[after.node_id].append(node.id)
    circle = find_cycle(following, following)
    if circle is not None:
        chain = " -> ".join(circle)
        raise graph.error(
            f"workflow node cycle detected over after and on.succeeded, so none of these could ever start: {chain}"
        )


def _check_job_ids(graph: WorkflowGraph) -> None:
    """Ids that are spelled alike in job ids would share one record (weak spot 2 of spec 04 §24)."""
    owners: dict[str, str] = {}
    for node in graph.expanded.nodes:
        part = component(node.id)
        owner = owners.setdefault(part, node.id)
        if owner != node.id:
            raise graph.error(
                f"nodes `{owner}` and `{node.id}` "
                f"would share one job id, as both become `{part}` in it; rename one of them"
            )
