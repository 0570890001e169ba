"""Tells which nodes are there only for the failure of others."""

from collections.abc import Iterable

from vizier_kernel.template.model import NodeBase


def failure_handlers(nodes: Iterable[NodeBase]) -> frozenset[str]:
    """Ids of the nodes to which nothing leads but `on.failed`, `on.blocked` and `on.cancelled` of other nodes.

    The scheduler does not know such routes, so these nodes also start by themselves, and what is linked behind them
    waits for them (weak spot 13 of spec 04 §24).
    """
    failing: set[str] = set()
    ordered: set[str] = set()
    for node in nodes:
        ordered.update(node.on.succeeded)
        if node.after:
            ordered.add(node.id)
        failing.update(
            target for target in (*node.on.failed, *node.on.blocked, *node.on.cancelled) if target != node.id
        )
    return frozenset(failing - ordered)
