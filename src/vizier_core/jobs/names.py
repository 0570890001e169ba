"""The names of jobs, runs and sessions, found without reading whole records: for the completion of command lines."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from vizier_core.files import entries

_JOBS: Final = os.path.join(".vizier", "jobs")
_SESSIONS: Final = os.path.join(".vizier", "sessions")
#: The status stands near the beginning of a record; so many bytes are looked at.
_HEAD: Final = 1024
_STATUS: Final = re.compile(rb'"status"\s*:\s*"(\w+)"')


class JobName(NamedTuple):
    """A job by its id."""

    id: str
    #: Its status as the record has it; empty if that cannot be told at a glance.
    status: str


def recent_jobs(root: Path, prefix: str = "") -> Iterator[JobName]:
    """The jobs of a project whose ids begin with a text, those first to which something happened last.

    Args:
        root: the project root.
        prefix: how the ids begin.
    """
    for entry in _newest_first(root / _JOBS, prefix):
        try:
            with open(os.path.join(entry.path, "job.json"), "rb") as file:
                head = file.read(_HEAD)
        except OSError:
            continue  # not a job, or gone meanwhile
        found = _STATUS.search(head)
        yield JobName(entry.name, found[1].decode() if found else "")


def recent_runs(root: Path, prefix: str = "") -> Iterator[str]:
    """The ids of runs, newest first."""
    for entry in _newest_first(root / _JOBS / "runs", prefix):
        name, suffix = os.path.splitext(entry.name)
        if suffix == ".json":
            yield name


def recent_sessions(root: Path, prefix: str = "") -> Iterator[str]:
    """The ids of recorded sessions, newest first."""
    return (entry.name for entry in _newest_first(root / _SESSIONS, prefix) if entry.is_dir())


def _newest_first(directory: Path, prefix: str) -> list[os.DirEntry[str]]:
    found = (entry for entry in entries(directory) if entry.name.startswith(prefix))
    return sorted(found, key=_changed, reverse=True)


def _changed(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0
