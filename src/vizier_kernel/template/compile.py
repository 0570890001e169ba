"""Compilation: from an expanded template to what has to be enqueued (spec 04 §15, §18).

The result is data: job ids, schedules, routes and artifacts of every node. The core writes records and a manifest
from it.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

import msgspec

from vizier_kernel.artifacts import OPERATION_OUTPUT, PLAN_KINDS, Artifact, ArtifactKind
from vizier_kernel.names import workflow_job_id
from vizier_kernel.scheduler.model import Lock, MissingProducer
from vizier_kernel.template.capabilities import Capability, ControlPolicy, Executor, ExecutorClass, Operation
from vizier_kernel.template.compose import OverruledPolicy
from vizier_kernel.template.doubts import doubtful_preconditions
from vizier_kernel.template.expand import Expanded
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.handlers import failure_handlers
from vizier_kernel.template.locks import infer_locks
from vizier_kernel.template.model import ExpandedNode, Precondition, TemplateWarning
from vizier_kernel.template.runnable import check_runnable
from vizier_kernel.template.snapshot import snapshot_hash
from vizier_kernel.template.validate import check_node_ids, check_references, validate
from vizier_kernel.workflow import ApprovalGate, Gate, NodeKind, Outcome, PerOutcome, Retry, Route, RouteMode


class NodeSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """What the scheduler has to know about a node's job (spec 04 §18.3)."""

    #: Ids of the jobs that must have succeeded, sorted.
    after: tuple[str, ...]
    #: Artifacts that must exist, sorted by label.
    dependencies: tuple[Artifact, ...]
    missing_producer: MissingProducer
    locks: tuple[Lock, ...]
    #: Artifacts that the job may make, sorted by kind; its operation output is among them.
    artifacts: tuple[Artifact, ...]
    preconditions: tuple[Precondition, ...]
    #: Whether a person has to agree before the job may start.
    needs_approval: bool


class CompiledNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a run: what its job record and its entry in the manifest say (spec 04 §15, §18.4, §18.5)."""

    id: str
    name: str | None
    job_id: str
    uses: str
    kind: NodeKind
    capability: Capability
    #: Sorted by key.
    args: Mapping[str, str]
    #: In declared order; of gates with the same label only the first.
    gates: tuple[Gate, ...]
    retry: Retry
    routes: PerOutcome[Route]
    #: In declared order, the operation output last.
    artifacts_by_outcome: PerOutcome[Artifact]
    schedule: NodeSchedule

    @property
    def executor_class(self) -> ExecutorClass | None:
        """Who performs the operation; None for control nodes."""
        return self.capability.executor_class if isinstance(self.capability, Executor) else None

    @property
    def operation(self) -> Operation | None:
        """What the node does; None for control nodes."""
        return self.capability.operation if isinstance(self.capability, Executor) else None

    @property
    def policy(self) -> ControlPolicy | None:
        """What the node decides; None for executor nodes."""
        return None if isinstance(self.capability, Executor) else self.capability.policy

    @property
    def gate_summaries(self) -> tuple[str, ...]:
        """The gates as job records list them."""
        return tuple(gate.summary for gate in self.gates)


class CompiledWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run, ready to be enqueued."""

    template_id: str
    template_version: str
    policy_snapshot_hash: str
    #: In template order, which is the order in which jobs are created.
    nodes: tuple[CompiledNode, ...]
    #: Nodes that only the failure of others leads to, sorted; they also start by themselves.
    failure_handlers: tuple[str, ...] = ()
    #: What stages say about missing producers and does not count.
    overruled: tuple[OverruledPolicy, ...] = ()
    #: What is doubtful about the nodes.
    warnings: tuple[TemplateWarning, ...] = ()

    @property
    def roots(self) -> tuple[CompiledNode, ...]:
        """Nodes that wait for no other node, sorted by job id."""
        return tuple(sorted((node for node in self.nodes if not node.schedule.after), key=lambda node: node.job_id))

    @property
    def sinks(self) -> tuple[CompiledNode, ...]:
        """Nodes without a success route, sorted by id; a node followed only through `after` is one (ruling R18)."""
        return tuple(sorted((node for node in self.nodes if not node.routes.succeeded), key=lambda node: node.id))


def compile_workflow(expanded: Expanded, *, run_id: str | None = None, runnable: bool = True) -> CompiledWorkflow:
    """Validates a template and compiles all its nodes.

    Args:
        expanded: the template, with spec files taken in.
        run_id: of the run to be enqueued; None if nothing will be, then job ids are placeholders.
        runnable: also refuse what only an audit accepts (ruling R52).

    Raises:
        TemplateError: the first rule that is broken.
    """
    graph = WorkflowGraph(expanded)
    if run_id is not None:
        check_node_ids(graph, classify=False)
    validate(graph)
    if runnable:
        check_runnable(graph)
    job_ids = {node.id: workflow_job_id(run_id or "unnamed", node.id) for node in expanded.nodes}
    nodes = tuple([_compile(graph, node, job_ids) for node in expanded.nodes])
    template = expanded.composed.template
    return CompiledWorkflow(
        template_id=template.id,
        template_version=template.version,
        policy_snapshot_hash=snapshot_hash(expanded),
        nodes=nodes,
        failure_handlers=tuple(sorted(failure_handlers(expanded.nodes))),
        overruled=expanded.composed.overruled,
        warnings=tuple(
            [
                warning
                for node in nodes
                for warning in doubtful_preconditions(node.id, node.schedule.preconditions, node.schedule.locks)
            ]
        ),
    )


def compile_node(graph: WorkflowGraph, node_id: str, job_ids: Mapping[str, str]) -> CompiledNode:
    """Compiles a single node, checking only its own references.

    Args:
        graph: the template.
        node_id: one of its nodes.
        job_ids: job ids by node id; needed for this node and all that it waits for.

    Raises:
        TemplateError: a reference leads nowhere (spec 04 §13.5).
        KeyError: there is no such node, or no job id for it.
    """
    node = graph.nodes[node_id]
    check_references(graph, node, job_ids)
    return _compile(graph, node, job_ids)


def effective_artifact(artifact: Artifact) -> Artifact:
    """The artifact as runs name it, so that two spellings of one thing meet.

    A plan artifact without a branch means `draft/<slug>` (ruling R19), and blanks around the node id of an operation
    output do not count (weak spot 18 of spec 04 §24). Hashes and inferred locks keep the declared spelling.
    """
    if artifact.kind in PLAN_KINDS and not artifact.second.strip():
        return Artifact(artifact.kind, artifact.first, f"draft/{artifact.first}")
    if artifact.kind is ArtifactKind.CUSTOM and artifact.first == OPERATION_OUTPUT:
        return Artifact.operation_output(artifact.second.strip())
    return artifact


def _compile(graph: WorkflowGraph, node: ExpandedNode, job_ids: Mapping[str, str]) -> CompiledNode:
    """Compiles a node whose references have been checked."""
    own = Artifact.operation_output(node.id)
    capability = graph.capability(node)
    gates = _distinct(node.gates)
    by_outcome = PerOutcome(
        *(tuple(dict.fromkeys((*map(effective_artifact, made), own))) for _, made in node.produces.items())
    )
    predecessors = (*(after.node_id for after in node.after), *graph.success_parents.get(node.id, ()))
    schedule = NodeSchedule(
        after=tuple(sorted({job_ids[node_id] for node_id in predecessors if node_id in job_ids})),
        dependencies=tuple(sorted(set(map(effective_artifact, node.needs)), key=lambda artifact: artifact.label)),
        missing_producer=graph.expanded.policy.dependencies.missing_producer,
        locks=infer_locks(node, capability),
        artifacts=tuple(sorted(set(by_outcome.all()))),
        preconditions=_distinct(node.preconditions),
        needs_approval=any(isinstance(gate, ApprovalGate) and gate.required for gate in gates),
    )
    return CompiledNode(
        id=node.id,
        name=node.name,
        job_id=job_ids[node.id],
        uses=node.uses,
        kind=node.kind,
        capability=capability,
        args=dict(sorted(node.args.items())),
        gates=gates,
        retry=node.retry,
        routes=node.on.map(_routes),
        artifacts_by_outcome=by_outcome,
        schedule=schedule,
    )


def _routes(outcome: Outcome, targets: tuple[str, ...]) -> list[Route]:
    mode = RouteMode.PROPAGATE_CONTEXT if outcome is Outcome.SUCCEEDED else RouteMode.RETRY_JOB
    return [Route(target, mode) for target in sorted(set(targets))]


class _Labelled(Protocol):
    @property
    def label(self) -> str: ...


_L = TypeVar("_L", bound=_Labelled)


def _distinct(items: Iterable[_L]) -> tuple[_L, ...]:
    """The first of each label, in order."""
    first: dict[str, _L] = {}
    for item in items:
        first.setdefault(item.label, item)
    return tuple(first.values())
