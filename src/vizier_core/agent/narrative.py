"""What a project says about itself, as far as prompts quote it (spec 07 §4.5)."""

import os
from collections.abc import Iterator
from pathlib import Path

from vizier_core.agent.errors import PromptContextError
from vizier_kernel.prompt import DOCUMENT_LIMIT, Narrative, NarrativeDocument

_SNAPSHOT = "snapshot.md"
_GLOSSARY = "glossary.md"


def load_narrative(execution_root: Path, project_root: Path, *, snapshot: bool, documents: bool) -> Narrative:
    """Reads `.vizier/narrative`, that of the execution root if it has one, else the project's (WS-07-19).

    Args:
        execution_root: where the agent works.
        project_root: the project.
        snapshot: whether the snapshot is wanted; one that cannot be read is empty.
        documents: whether the other documents are.

    Raises:
        PromptContextError: a directory cannot be listed.
    """
    candidates = (root / ".vizier" / "narrative" for root in (execution_root, project_root))
    directory = next((path for path in candidates if path.is_dir()), None)
    if directory is None:
        return Narrative("" if snapshot else None, () if documents else None)
    return Narrative(
        _read(directory / _SNAPSHOT) if snapshot else None, tuple(_documents(directory)) if documents else None
    )


def _documents(directory: Path) -> list[NarrativeDocument]:
    """All of them but snapshots: the glossary first, the others by the bytes of their path."""
    slugs = [path.relative_to(directory).as_posix() for path in _files(directory)]
    slugs.sort(key=lambda slug: (slug != _GLOSSARY, os.fsencode(slug)))
    return [NarrativeDocument(slug, _read(directory / slug)) for slug in slugs]


def _files(directory: Path) -> Iterator[Path]:
    """The documents at any depth; links to directories are not followed."""
    waiting = [directory]
    while waiting:
        here = waiting.pop()
        try:
            entries = list(os.scandir(here))
        except OSError as error:
            raise PromptContextError(here, error.strerror or str(error)) from None
        for entry in entries:
            path = here / entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif path.suffix.lower() == ".md" and entry.name != _SNAPSHOT and path.is_file():
                yield path


def _read(path: Path) -> str:
    """The beginning of a document, as much as can be quoted and a bit more; empty if it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return file.read(2 * DOCUMENT_LIMIT)
    except OSError:
        return ""
