"""Reading files from commits without checking anything out (spec 09 §13.10)."""

import os
from collections.abc import Mapping, Sequence

from vizier_core.vcs.git import Git


def read_blobs(git: Git, wanted: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
    """The contents of files in commits, by one git process.

    Args:
        git: the repository.
        wanted: pairs of a revision and a path below the root of its tree; neither may contain a line end.

    Returns:
        Those that exist and are files.

    Raises:
        GitError: git cannot read its objects.
    """
    asked = [pair for pair in dict.fromkeys(wanted) if "\n" not in "".join(pair)]
    if not asked:
        return {}
    lines = os.fsencode("".join(f"{revision}:{path}\n" for revision, path in asked))
    output = git.run("cat-file", "--batch=%(objecttype) %(objectsize)", data=lines).stdout
    found = {}
    place = 0
    for pair in asked:
        end = output.index(b"\n", place)
        kind, _, size = output[place:end].rpartition(b" ")
        place = end + 1
        if kind in {b"blob", b"tree", b"commit", b"tag"}:
            if kind == b"blob":
                found[pair] = output[place : place + int(size)]
            place += int(size) + 1
    return found
