"""Audit: how the artifacts of a flow are wired and what it locks (spec 04 §19)."""

import msgspec

from vizier_kernel.scheduler.model import Lock, LockMode
from vizier_kernel.template.compile import CompiledWorkflow
from vizier_kernel.template.compose import OverruledPolicy
from vizier_kernel.workflow import Outcome, PerOutcome


class UntetheredInput(msgspec.Struct, frozen=True):
    """An artifact that some node needs and none makes."""

    #: Label of the artifact.
    artifact: str
    #: Ids of the nodes that need it, sorted.
    consumers: tuple[str, ...]


class NodeLocks(msgspec.Struct, frozen=True):
    """The locks of one node, sorted by key, shared before exclusive."""

    node_id: str
    locks: tuple[Lock, ...]


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit says; everything is sorted."""

    template_id: str
    template_version: str
    node_count: int
    #: Labels of all that any node makes on any outcome.
    output_artifacts: tuple[str, ...]
    output_artifacts_by_outcome: PerOutcome[str]
    untethered_inputs: tuple[UntetheredInput, ...]
    effective_locks: tuple[NodeLocks, ...]
    #: Nodes that only the failure of others leads to; they also start by themselves (weak spot 9 of spec 08 §10).
    failure_handlers: tuple[str, ...]
    #: What stages say about missing producers and does not count; in import order.
    overruled: tuple[OverruledPolicy, ...]


def audit_workflow(workflow: CompiledWorkflow) -> AuditReport:
    """Analyses a compiled flow. Artifacts that the repository may already have do not count."""
    labels: dict[Outcome, set[str]] = {outcome: set() for outcome in Outcome}
    for node in workflow.nodes:
        for outcome, artifacts in node.artifacts_by_outcome.items():
            labels[outcome].update(artifact.label for artifact in artifacts)
    made = PerOutcome(*(tuple(sorted(labels[outcome])) for outcome in Outcome))
    outputs = set(made.all())
    consumers: dict[str, set[str]] = {}
    for node in workflow.nodes:
        for artifact in node.schedule.dependencies:
            if artifact.label not in outputs:
                consumers.setdefault(artifact.label, set()).add(node.id)
    return AuditReport(
        template_id=workflow.template_id,
        template_version=workflow.template_version,
        node_count=len(workflow.nodes),
        output_artifacts=tuple(sorted(outputs)),
        output_artifacts_by_outcome=made,
        untethered_inputs=tuple(UntetheredInput(label, tuple(sorted(consumers[label]))) for label in sorted(consumers)),
        effective_locks=tuple(
            NodeLocks(node.id, tuple(sorted(set(node.schedule.locks), key=_lock_order)))
            for node in sorted(workflow.nodes, key=lambda node: node.id)
        ),
        failure_handlers=workflow.failure_handlers,
        overruled=workflow.overruled,
    )


def _lock_order(lock: Lock) -> tuple[str, bool]:
    return lock.key, lock.mode is LockMode.EXCLUSIVE
