"""An expanded template with its references resolved once, so that every rule can look things up in constant time."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from vizier_kernel.template.capabilities import Capability, Executor, MisfitError, Operation, classify
from vizier_kernel.template.contracts import ContractBook, SchemaError
from vizier_kernel.template.errors import TemplateError
from vizier_kernel.template.expand import Expanded
from vizier_kernel.template.model import ExpandedNode
from vizier_kernel.workflow import Outcome


class WorkflowGraph:
    """The nodes of a template by id, who leads to whom, and what each can do."""

    def __init__(self, expanded: Expanded) -> None:
        self.expanded = expanded
        self.identity = expanded.identity
        self.nodes: Mapping[str, ExpandedNode] = {node.id: node for node in reversed(expanded.nodes)}
        #: For each node that some `on.succeeded` names, the nodes that name it: in template order, repeats included.
        self.success_parents = _inverted((node.id, node.on.succeeded) for node in expanded.nodes)
        #: The same for `on.blocked`.
        self.blocked_parents = _inverted((node.id, node.on.blocked) for node in expanded.nodes)
        self._capabilities: dict[str, Capability] = {}

    def capability(self, node: ExpandedNode) -> Capability:
        """What the node can do.

        Raises:
            TemplateError: its `uses`, kind and arguments do not fit (spec 04 §13.2).
        """
        known = self._capabilities.get(node.id)
        if known is None:
            try:
                known = classify(node)
            except MisfitError as error:
                raise self.node_error(node, str(error)) from None
            self._capabilities[node.id] = known
        return known

    def operation(self, node: ExpandedNode) -> Operation | None:
        """The operation of an executor node, None for a control node."""
        capability = self.capability(node)
        return capability.operation if isinstance(capability, Executor) else None

    @cached_property
    def contracts(self) -> ContractBook:
        """The artifact contracts.

        Raises:
            TemplateError: a schema is not supported.
        """
        try:
            return ContractBook(self.expanded.artifact_contracts)
        except SchemaError as error:
            raise self.error(str(error)) from None

    def targets(self, node: ExpandedNode, outcome: Outcome) -> list[ExpandedNode]:
        """The nodes that follow on this outcome.

        Raises:
            TemplateError: one of them does not exist.
        """
        return [self._target(node, outcome, target) for target in node.on.of(outcome)]

    def check_targets(self, node: ExpandedNode) -> None:
        """Looks up all nodes that follow.

        Raises:
            TemplateError: one of them does not exist.
        """
        for outcome, targets in node.on.items():
            for target in targets:
                self._target(node, outcome, target)

    def _target(self, node: ExpandedNode, outcome: Outcome, target: str) -> ExpandedNode:
        if target not in self.nodes:
            raise self.node_error(node, f"references unknown on.{outcome} target `{target}`")
        return self.nodes[target]

    def node_error(self, node: ExpandedNode, detail: str) -> TemplateError:
        """An error about a node; `detail` is the end of the sentence."""
        return self._error(node, f"node `{node.id}` {detail}")

    def executor_error(self, node: ExpandedNode, operation: str, detail: str) -> TemplateError:
        """An error about a node as the performer of an operation."""
        return self._error(node, f"executor `{operation}` node `{node.id}` {detail}")

    def contract_error(self, node: ExpandedNode, contract: str, detail: str) -> TemplateError:
        """An error about a node that breaks the rules of its operation or policy."""
        return self._error(node, f"contract `{contract}` node `{node.id}` {detail}")

    def error(self, problem: str) -> TemplateError:
        """An error about the template as a whole; `problem` is the rest of the sentence."""
        return TemplateError(f"template {self.identity} {problem}\nat {self.expanded.composed.origin}")

    def _error(self, node: ExpandedNode, problem: str) -> TemplateError:
        index = next(index for index, other in enumerate(self.expanded.nodes) if other is node)
        return TemplateError(f"template {self.identity} {problem}\n{self.expanded.composed.origins[index]}")


def _inverted(routes: Iterable[tuple[str, tuple[str, ...]]]) -> Mapping[str, list[str]]:
    parents: dict[str, list[str]] = {}
    for parent, targets in routes:
        for target in targets:
            parents.setdefault(target, []).append(parent)
    return parents
