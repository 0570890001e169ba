"""Entry-input preflight: says what the operator forgot before internal rules say it in their words (spec 04 §10)."""

from collections.abc import Sequence

from vizier_kernel.template.capabilities import ANY_OF, Executor, look_up
from vizier_kernel.template.errors import TemplateError
from vizier_kernel.template.expand import Expanded, placeholders
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.inputs import InputSpec, input_spec, missing_inputs_message
from vizier_kernel.template.model import ExpandedNode, Node
from vizier_kernel.template.validate import check_references


def preflight(expanded: Expanded, selector: str, alias: str | None = None) -> None:
    """Checks the nodes that a run begins with, then looks for forgotten inputs behind them (ruling R35).

    Args:
        expanded: the template, before spec files are taken in.
        selector: names the flow.
        alias: what the operator called the flow, if by an alias.

    Raises:
        TemplateError: the message for operators, or what is wrong with an entry node.
    """
    graph = WorkflowGraph(expanded)
    spec = input_spec(expanded.composed)
    flow_label = alias or selector
    later = []
    for declared, node in zip(expanded.composed.template.nodes, expanded.nodes, strict=True):
        if node.after or node.id in graph.success_parents:
            later.append((declared, node))
            continue
        try:
            check_references(graph, node, graph.nodes)
        except TemplateError as error:
            problem = f"workflow `{selector}` failed entry-node preflight for `{node.id}`: {error}"
            raise TemplateError(problem) from error
        keys = _missing_any_of(node)
        if keys:
            raise TemplateError(missing_inputs_message(spec, flow_label, _required(declared, spec, keys)))
    for declared, node in later:
        keys = _missing_any_of(node)
        # Without a parameter behind it there is nothing that the operator could have given; the rules will tell.
        if any(name in spec.params for key in keys for name in placeholders(declared.args.get(key, ""))):
            raise TemplateError(missing_inputs_message(spec, flow_label, _required(declared, spec, keys)))


def _missing_any_of(node: ExpandedNode) -> tuple[str, ...]:
    """The arguments of which the node needs one and has none; empty if nothing is missing."""
    capability = look_up(node.uses)
    keys = ANY_OF.get(capability.operation, ()) if isinstance(capability, Executor) else ()
    return () if node.arg(*keys) else keys


def _required(node: Node, spec: InputSpec, keys: Sequence[str]) -> list[str]:
    """What to ask for, in the order of the positional inputs.

    That is the parameters in the placeholders of the arguments, if they are named like the arguments or the command
    line offers them (weak spot 15 of spec 04 §24); else the arguments themselves.
    """
    present = [key for key in keys if key in node.args]
    offered = spec.cli_params()
    followed = dict.fromkeys(
        name
        for key in present
        for name in placeholders(node.args[key])
        if name in spec.params and (name == key or name in offered)
    )
    required = list(followed) or [key for key in present if key in spec.params] or present or list(keys)
    rank = {name: index for index, name in reversed(list(enumerate(spec.positional)))}
    return sorted(required, key=lambda name: rank.get(name, len(rank)))
