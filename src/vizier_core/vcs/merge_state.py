"""What a merge leaves in the git directory while it waits for somebody to resolve its conflicts (spec 06 §12.3)."""

import contextlib
import json
import os
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.files import atomic_write, remove_file

#: What becomes MERGE_HEAD.
_PREPARED: Final = "MERGE_HEAD.vizier"
#: Says which branch our merge is of; git does not know it.
_NOTE: Final = "VIZIER_MERGE"
#: Everything that is kept about a merge in progress.
_FILES: Final = (
    *("MERGE_HEAD", _PREPARED, _NOTE),
    *("MERGE_MSG", "MERGE_MODE", "MERGE_RR", "AUTO_MERGE", "SQUASH_MSG"),
)


class ConflictEntry(msgspec.Struct, frozen=True):
    """One version of a file that could not be merged."""

    mode: str
    blob: str
    #: 1 is the common ancestor's, 2 ours, 3 theirs.
    stage: int
    path: str


class MergeState(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that has stopped."""

    #: The branch that is merged, and the commit at its tip.
    branch: str
    theirs: str
    #: The commit that it is merged into.
    ours: str
    message: str
    entries: tuple[ConflictEntry, ...]

    @property
    def paths(self) -> list[str]:
        """The files with conflicts, sorted."""
        return sorted({entry.path for entry in self.entries}, key=os.fsencode)

    def index_info(self) -> bytes:
        """Replaces the entries of these files in an index by those in conflict (`update-index -z --index-info`)."""
        zero = "0" * len(self.theirs)
        lines = [f"0 {zero}\t{path}" for path in self.paths]
        lines += [f"{entry.mode} {entry.blob} {entry.stage}\t{entry.path}" for entry in self.entries]
        return b"".join(os.fsencode(line) + b"\0" for line in lines)

    def prepare(self, git_directory: Path) -> None:
        """Writes everything down, but git does not know of it yet.

        Raises:
            OSError: something cannot be written.
        """
        texts = {
            "MERGE_MSG": f"{self.message}\n",
            "MERGE_MODE": "no-ff",
            _NOTE: json.dumps({"branch": self.branch, "theirs": self.theirs, "ours": self.ours}),
            _PREPARED: f"{self.theirs}\n",
        }
        for name, text in texts.items():
            content = text.encode("utf-8", errors="surrogateescape")
            atomic_write(git_directory / name, content, mode=0o644, durable=False)

    def begin(self, git_directory: Path) -> None:
        """Lets git know; may be repeated."""
        with contextlib.suppress(FileNotFoundError):
            os.rename(git_directory / _PREPARED, git_directory / "MERGE_HEAD")


def merged_branch(git_directory: Path, merge_head: str) -> str | None:
    """The branch that the merge in progress is of, if vizier has begun it; None if somebody else has."""
    return _noted(git_directory, merge_head, "branch")


def merge_target(git_directory: Path, merge_head: str) -> str | None:
    """The commit that the merge in progress was begun on, if vizier has begun it; None if somebody else has."""
    return _noted(git_directory, merge_head, "ours")


def _noted(git_directory: Path, merge_head: str, key: str) -> str | None:
    try:
        note = json.loads((git_directory / _NOTE).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(note, dict) or note.get("theirs") != merge_head:
        return None
    value = note.get(key)
    return value if isinstance(value, str) else None


def forget_ended_merge(git_directory: Path) -> None:
    """Deletes what git does not know to delete when somebody has ended a merge of ours by hand."""
    if not (git_directory / "MERGE_HEAD").exists():
        remove_file(git_directory / _NOTE)


def clear_merge_state(git_directory: Path) -> None:
    """Ends the merge in progress; `MERGE_HEAD`, by which git knows of it, goes first."""
    for name in _FILES:
        remove_file(git_directory / name)
