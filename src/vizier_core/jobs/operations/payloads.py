"""What a node reads from the nodes it depends on (spec 06 §§6.3-6.4)."""

from typing import Final

from vizier_core.errors import OperationRefusedError
from vizier_core.jobs.operations.node import RunningNode
from vizier_core.jobs.published import latest_payload, payload_text
from vizier_kernel.artifacts import Artifact, ArtifactKind

_CALL: Final = "read_payload("


def needed_artifacts(running: RunningNode, type_id: str | None = None) -> list[Artifact]:
    """The custom artifacts that a job needs, of one type or of all, each once and in order."""
    needed = dict.fromkeys(need.artifact for need in running.record.scheduling.dependencies)
    return [a for a in needed if a.kind is ArtifactKind.CUSTOM and type_id in {None, a.first}]


def expand_payload_call(running: RunningNode, text: str) -> str:
    """A text, or what it asks for with `read_payload(<selector>)`; of several payloads, that of the node's own run.

    Raises:
        OperationRefusedError: the call names no payload, or not exactly one.
        MalformedFileError: the payload cannot be read.
    """
    call = text.strip()
    selector = call.removeprefix(_CALL).removesuffix(")").strip()
    if not call.startswith(_CALL) or not call.endswith(")") or not selector:
        return text
    artifact = _selected(running, selector)
    named = f"read_payload({selector})"
    found = latest_payload(running.store, artifact, running.manifest.job_ids)
    if found is None:
        raise OperationRefusedError(f"{named} could not read payload for {artifact.label}")
    content = payload_text(found[0])
    if content is None:
        raise OperationRefusedError(f"{named} payload missing text field for {artifact.label}")
    return content


def _selected(running: RunningNode, selector: str) -> Artifact:
    """The needed artifact that a selector means: its type, its key, or both with a colon between."""
    named = f"read_payload({selector})"
    candidates = needed_artifacts(running)
    if not candidates:
        raise OperationRefusedError(f"{named} requires at least one custom dependency")
    type_id, colon, key = selector.partition(":")
    if colon:
        matching = [a for a in candidates if (a.first, a.second) == (type_id, key)]
    else:
        matching = [a for a in candidates if selector in {a.first, a.second}]
    if not matching:
        raise OperationRefusedError(f"{named} did not match any custom dependency")
    if len(matching) > 1:
        labels = ", ".join(sorted(artifact.label for artifact in matching))
        raise OperationRefusedError(f"{named} is ambiguous across dependencies: {labels}")
    return matching[0]
