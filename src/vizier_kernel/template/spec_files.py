"""Spec files that a flow takes in before it is compiled (spec 04 §11). Reading them is left to the caller."""

from collections.abc import Mapping

import msgspec

from vizier_kernel.template.capabilities import Executor, Operation, look_up
from vizier_kernel.template.expand import Expanded
from vizier_kernel.template.model import ExpandedNode


class SpecFile(msgspec.Struct, frozen=True):
    """A node that wants the text of a file as its `spec_text`."""

    node_id: str
    #: As the node gives it, trimmed: relative to the project root, or absolute.
    path: str


def spec_files(expanded: Expanded) -> tuple[SpecFile, ...]:
    """The files to read, in template order."""
    wanted = ((node.id, _wanted_file(node)) for node in expanded.nodes)
    return tuple(SpecFile(node_id, path) for node_id, path in wanted if path is not None)


def with_spec_texts(expanded: Expanded, texts: Mapping[str, str]) -> Expanded:
    """The template with texts in the `spec_text` of nodes, by node id; they are taken as they are."""
    if not texts:
        return expanded
    nodes = tuple([_with_text(node, texts[node.id]) if node.id in texts else node for node in expanded.nodes])
    return msgspec.structs.replace(expanded, nodes=nodes)


def _wanted_file(node: ExpandedNode) -> str | None:
    capability = look_up(node.uses)
    if not isinstance(capability, Executor) or capability.operation is not Operation.PLAN_PERSIST:
        return None
    source = node.args.get("spec_source", "inline").strip().lower()
    if source not in {"inline", "stdin"} or node.arg("spec_text") is not None:
        return None
    return node.arg("spec_file")


def _with_text(node: ExpandedNode, text: str) -> ExpandedNode:
    return msgspec.structs.replace(node, args={**node.args, "spec_text": text})
