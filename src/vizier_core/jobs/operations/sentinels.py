"""Merge-conflict sentinels: files that say that a merge waits for somebody (spec 02 §12, 06 §7.14, decision D2)."""

from pathlib import Path
from typing import Any, Final

from vizier_core.errors import InvalidIdError
from vizier_core.files import atomic_write, entries, is_single_component, remove_empty_directory, remove_file
from vizier_core.jobs.codec import Document, parse_document, pretty
from vizier_core.jobs.operations.names import target_of, workflow_slug
from vizier_core.jobs.operations.node import Handler, NodeResult, RunningNode, succeeded
from vizier_core.project import git_directory
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact, ArtifactKind

_DIRECTORY: Final = Path(".vizier") / "tmp" / "merge-conflicts"


class Sentinel:
    """The sentinel of one merge, whether it is there or not; always below the project root.

    Args:
        root: the project root.
        slug: the name.

    Raises:
        InvalidIdError: the slug cannot name a file (decision D16).
    """

    def __init__(self, root: Path, slug: str) -> None:
        if not is_single_component(slug):
            raise InvalidIdError("slug", slug)
        self.slug = slug
        self.path = root / _DIRECTORY / f"{slug}.json"
        #: Where the reference looked for it; honoured if somebody has put it there.
        self._elsewhere = git_directory(root) / _DIRECTORY / f"{slug}.json"

    @property
    def exists(self) -> bool:
        """Whether the merge waits."""
        return self.path.is_file() or self._elsewhere.is_file()

    @property
    def artifact(self) -> Artifact:
        """What tells other nodes of it."""
        return Artifact(ArtifactKind.MERGE_SENTINEL, self.slug)

    def branch(self, key: str) -> str | None:
        """`source_branch` or `target_branch`; None if it is not there, or no usable text."""
        return _branch(self.path if self.path.is_file() else self._elsewhere, key)

    def write(self, content: Document, mode: int) -> None:
        """Creates or replaces it.

        Raises:
            OSError: it cannot be written.
        """
        ascending = {key: content[key] for key in sorted(content)}
        atomic_write(self.path, pretty(ascending), mode=mode, durable=True)

    def remove(self) -> None:
        """Deletes it, and its directory if that is empty.

        Raises:
            OSError: it cannot be deleted.
        """
        for path in (self.path, self._elsewhere):
            remove_file(path)
            remove_empty_directory(path.parent)


def sentinel_of_branch(root: Path, branch: str) -> Sentinel | None:
    """The sentinel of the merge of a branch, whatever it is called (WS-06-17); None if there is none."""
    for entry in sorted(entries(root / _DIRECTORY), key=lambda entry: entry.name):
        name, dot, extension = entry.name.rpartition(".")
        if dot and extension == "json" and _branch(Path(entry.path), "source_branch") == branch:
            return Sentinel(root, name)
    return None


def write_sentinel(running: RunningNode) -> NodeResult:
    """Writes a sentinel; git is left alone."""
    sentinel = Sentinel(running.store.root, workflow_slug(running))
    meta = running.record.meta
    content: dict[str, Any] = {
        "job_id": running.record.id,
        "node_id": running.node.node_id,
        "run_id": meta.workflow_run_id,
        "slug": sentinel.slug,
        "source_branch": running.node.arg("branch", "source_branch") or (meta.branch or "").strip() or None,
        "target_branch": target_of(running),
        "written_at": Timestamp.now().offset_form(),
    }
    sentinel.write(content, running.store.file_mode)
    return succeeded(
        "merge sentinel written", artifacts=(sentinel.artifact,), payload_refs=(running.relative(sentinel.path),)
    )


def clear_sentinel(running: RunningNode) -> NodeResult:
    """Removes a sentinel; git is left alone."""
    sentinel = Sentinel(running.store.root, workflow_slug(running))
    sentinel.remove()
    return succeeded("merge sentinel cleared", payload_refs=(running.relative(sentinel.path),))


def _branch(path: Path, key: str) -> str | None:
    try:
        value = parse_document(path.read_bytes(), path).get(key)
    except Exception:  # whatever is wrong with it, it says nothing about branches (spec 02 §12)
        return None
    return value.strip() or None if isinstance(value, str) else None


HANDLERS: Final[dict[str, Handler]] = {
    "merge.sentinel.write": write_sentinel,
    "merge.sentinel.clear": clear_sentinel,
}
