"""The prompts that vizier assembles itself (spec 07 §4.5); what agents read is put together here, byte for byte.

Only the prompt of the merge-conflict agent is ever sent. Its blocks, in this order: the prompt text, the bounds that
every agent works in, the merge, the plan being merged, and the project's narrative.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

#: Of one narrative document, or of the snapshot, so many characters are quoted (WS-07-20).
DOCUMENT_LIMIT: Final = 64 * 1024
#: Of all narrative documents together so many.
NARRATIVE_LIMIT: Final = 512 * 1024

#: How an agent has to behave whatever it is asked (spec 07 §4.4); not configurable.
AGENT_BOUNDS: Final = """\
- Work only inside the working tree of the repository you were started in, and edit its files directly.
- Do not run vizier commands: vizier is running you.
- Leave parent directories and the network alone unless this prompt allows them.
- Finish with a brief summary of what you did."""


class NarrativeDocument(msgspec.Struct, frozen=True):
    """One document about the project."""

    #: Its path below the narrative directory.
    slug: str
    body: str


class Narrative(msgspec.Struct, frozen=True):
    """What a prompt says about the project; None for a block that it is not to have."""

    snapshot: str | None = None
    documents: tuple[NarrativeDocument, ...] | None = None


class MergeConflict(msgspec.Struct, frozen=True):
    """A merge that has stopped."""

    target_branch: str
    source_branch: str
    #: Paths with conflicts; empty if nobody knows them.
    files: tuple[str, ...] = ()
    #: The plan that the source branch carries out, if there is one.
    plan_document: str | None = None


def with_companion(companion: str | None, prompt_text: str) -> str:
    """A prompt text with what the node adds in front of it (spec 07 §4.6 step 2); a blank companion adds nothing."""
    companion = (companion or "").strip()
    return f"{companion}\n\n{prompt_text.strip()}" if companion else prompt_text


def merge_conflict_prompt(prompt_text: str, conflict: MergeConflict, narrative: Narrative) -> str:
    """The whole prompt of the agent that resolves a merge conflict."""
    return "".join(
        (
            f"{prompt_text}\n\n",
            _block("agentBounds", AGENT_BOUNDS),
            _block("mergeContext", _merge(conflict)),
            _plan(conflict.plan_document),
            _narrative(narrative),
        )
    )


def _merge(conflict: MergeConflict) -> str:
    files = conflict.files or ("(there are conflicts, but no list of the files was given)",)
    return "\n".join(
        (
            f"target_branch: {conflict.target_branch}",
            f"source_branch: {conflict.source_branch}",
            "conflict_files:",
            *(f"- {path}" for path in files),
        )
    )


def _plan(document: str | None) -> str:
    text = (document or "").strip()
    return _block("sourcePlanDocument", text) if text else ""


def _narrative(narrative: Narrative) -> str:
    parts = []
    if narrative.snapshot is not None:
        snapshot = _quoted(narrative.snapshot, DOCUMENT_LIMIT)
        parts.append(_block("snapshot", snapshot or "(snapshot is currently empty)"))
    if narrative.documents is not None:
        documents = _documents(narrative.documents) or "(no additional narrative docs)\n"
        parts.append(f"<narrativeDocs>\n{documents}</narrativeDocs>\n\n")
    return "".join(parts)


def _documents(documents: Sequence[NarrativeDocument]) -> str:
    room = NARRATIVE_LIMIT
    parts = []
    for document in documents:
        quoted = _quoted(document.body, min(room, DOCUMENT_LIMIT))
        room -= min(len(quoted), room)
        parts.append(f"### {document.slug}\n{quoted}\n\n")
    return "".join(parts)


def _quoted(text: str, limit: int) -> str:
    """A text as a prompt quotes it: trimmed, and cut off with a remark where it is too long."""
    text = text.strip()
    return text if len(text) <= limit else f"{text[:limit]}\n(cut off by vizier after {limit} characters)"


def _block(name: str, text: str) -> str:
    return f"<{name}>\n{text}\n</{name}>\n\n"
