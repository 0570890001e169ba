"""Lock inference: what a node holds while it runs, if it does not say so itself (spec 04 §16)."""

from collections.abc import Iterator
from typing import Final

from vizier_kernel.artifacts import PLAN_KINDS, ArtifactKind
from vizier_kernel.scheduler.model import Lock, LockMode
from vizier_kernel.template.capabilities import Capability, Control
from vizier_kernel.template.model import BRANCH_KEYS, ExpandedNode

#: Held by nodes about which nothing is known, so that they run one after the other.
FALLBACK: Final = Lock("repo_serial", LockMode.EXCLUSIVE)


def infer_locks(node: ExpandedNode, capability: Capability) -> tuple[Lock, ...]:
    """The locks of a node: those it declares, else one for each branch it has to do with, else `FALLBACK`."""
    if node.locks:
        return tuple(dict.fromkeys(node.locks))
    if isinstance(capability, Control) and not capability.infers_locks:
        return ()
    branches = dict.fromkeys(branch for text in _branches(node) if (branch := text.strip()))
    return tuple(Lock(f"branch:{branch}", LockMode.EXCLUSIVE) for branch in branches) or (FALLBACK,)


def _branches(node: ExpandedNode) -> Iterator[str]:
    """Everything that may name a branch, blank or not, in the order in which locks are listed."""
    yield from (node.args[key] for key in BRANCH_KEYS if key in node.args)
    for artifact in (*node.needs, *node.produces.all()):
        if artifact.kind in PLAN_KINDS:
            yield artifact.second
        elif artifact.kind is ArtifactKind.TARGET_BRANCH:
            yield artifact.first
    yield from (node.lock_scope[key] for key in BRANCH_KEYS if key in node.lock_scope)
