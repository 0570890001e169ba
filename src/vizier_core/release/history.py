"""The last release and what came after it, read from git (spec 09 §8.4)."""

import os
from pathlib import Path
from typing import NamedTuple

from vizier_core.errors import OperationRefusedError
from vizier_core.release.preconditions import Start
from vizier_core.vcs.git import Git
from vizier_kernel.release import ReleaseCommit, ReleaseTag, Version, VersionError, parse_release_tag

_TAGS = "refs/tags/"


class History(NamedTuple):
    """What a release is planned from."""

    last: ReleaseTag | None
    #: Since the last release, newest first and none before its parents.
    commits: tuple[ReleaseCommit, ...]
    #: The highest version that is tagged elsewhere, not in the history of the branch.
    highest_elsewhere: Version | None


def read_history(root: Path, start: Start) -> History:
    """The tags and commits that lead to the start of a release.

    Raises:
        OperationRefusedError: a tag in the history looks like a version and is none.
        GitError: git cannot tell.
    """
    git = Git(root)
    reachable = _tags(git, f"--merged={start.commit}")
    try:
        parsed = [tag for name in reachable if (tag := parse_release_tag(name))]
    except VersionError as error:
        raise OperationRefusedError(str(error)) from None
    # Of equal versions the first in the order of names.
    last = max(parsed, key=lambda tag: tag.version, default=None)
    elsewhere = [tag.version for name in _tags(git, f"--no-merged={start.commit}") if (tag := _parsed(name))]
    return History(last, _commits(git, start, last), max(elsewhere, default=None))


def tag_exists(root: Path, name: str) -> bool:
    """Whether there is a tag of this name, in whatever history."""
    return Git(root).run("show-ref", "--verify", "--quiet", _TAGS + name, accept=(0, 1)).returncode == 0


def _tags(git: Git, which: str) -> list[str]:
    """Names of the tags of commits that may be versions; tags of other objects have no place in a history."""
    text = git.text("for-each-ref", which, "--format=%(refname)", f"{_TAGS}v*")
    return [line.removeprefix(_TAGS) for line in text.split("\n") if line]


def _parsed(name: str) -> ReleaseTag | None:
    try:
        return parse_release_tag(name)
    except VersionError:
        return None


def _commits(git: Git, start: Start, last: ReleaseTag | None) -> tuple[ReleaseCommit, ...]:
    exclude = [f"^{_TAGS}{last.name}"] if last else []
    output = git.run(
        *("-c", "i18n.logOutputEncoding=UTF-8", "rev-list", "--date-order"),
        *("--no-commit-header", "--format=%H%x00%B%x00", start.commit, *exclude),
    ).stdout
    fields = output.split(b"\0")
    oids, messages = fields[0:-1:2], fields[1::2]
    return tuple(ReleaseCommit(os.fsdecode(oid.strip()), _text(m)) for oid, m in zip(oids, messages, strict=False))


def _text(message: bytes) -> str | None:
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        return None
