"""What an audit accepts but no run can have; `run --check` refuses it, too (ruling R52)."""

from collections.abc import Iterator
from typing import Final

from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.template.graph import WorkflowGraph
from vizier_kernel.template.model import ExpandedNode, PinnedHead
from vizier_kernel.workflow import CicdGate, ScriptGate

#: Files are named after node ids and custom artifacts in hexadecimal, and file names have at most 255 bytes (WS-02-15).
NAME_LIMIT: Final = 127


def check_runnable(graph: WorkflowGraph) -> None:
    """Checks what only matters when nodes become jobs.

    Raises:
        TemplateError: a node has a `pinned_head` precondition, a text that no command can be given, or something whose
            name would be too long for a file.
    """
    for node in graph.expanded.nodes:
        if any(isinstance(precondition, PinnedHead) for precondition in node.preconditions):
            raise graph.node_error(node, "uses unsupported scheduler precondition `pinned_head`")
        if _length(node.id) > NAME_LIMIT:
            raise graph.node_error(
                node, f"has a node id that is too long: {_length(node.id)} bytes, at most {NAME_LIMIT} are possible"
            )
        for artifact in (*node.needs, *node.produces.all()):
            _check_artifact(graph, node, artifact)
        for place, text in _commands(node):
            if "\0" in text:
                raise graph.node_error(node, f"has a NUL character in {place}, which no command can be given")


def _check_artifact(graph: WorkflowGraph, node: ExpandedNode, artifact: Artifact) -> None:
    if artifact.kind is not ArtifactKind.CUSTOM:
        return
    longest = max(_length(artifact.first), _length(artifact.second))
    if longest > NAME_LIMIT:
        raise graph.node_error(
            node,
            f"names the artifact `{artifact.label}`, whose type or key is too long: {longest} bytes, "
            f"at most {NAME_LIMIT} are possible",
        )


def _commands(node: ExpandedNode) -> Iterator[tuple[str, str]]:
    """The texts of a node that end up on command lines, with their places."""
    yield from ((f"args.{key}", text) for key, text in node.args.items())
    for index, gate in enumerate(node.gates):
        if isinstance(gate, ScriptGate | CicdGate):
            yield f"gates[{index}].script", gate.script


def _length(text: str) -> int:
    return len(text.encode())
