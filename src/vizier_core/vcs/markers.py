"""Conflict markers that somebody has left in a file (WS-06-14)."""

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from vizier_core.vcs.git import Git
from vizier_core.vcs.objects import read_blobs

#: Seven characters, or as many as the attribute `conflict-marker-size` asks for.
_MARKER: Final = re.compile(rb"^(?:<{7,}|>{7,}) .*$", re.MULTILINE)
#: Our version of a file in conflict, and theirs.
_SIDES: Final = (":2", ":3")


def with_markers(git: Git, paths: Iterable[str]) -> list[str]:
    """Those of the files in conflict that have marker lines which neither side of the merge has.

    Args:
        git: at the root of the working tree.
        paths: files with conflicts in the index.
    """
    marked = {path: found for path in paths if (found := _marker_lines(git.directory / path))}
    blobs = read_blobs(git, [(side, path) for path in marked for side in _SIDES])
    left = []
    for path, found in marked.items():
        known = {line for side in _SIDES for line in _MARKER.findall(blobs.get((side, path), b""))}
        if found - known:
            left.append(path)
    return left


def _marker_lines(path: Path) -> set[bytes]:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return set()
        return set(_MARKER.findall(path.read_bytes()))
    except OSError:
        return set()
