"""What a commit means for the next version (spec 09 §8.4).

Only Conventional Commits count: a subject such as `feat(ui)!: text`, and `BREAKING CHANGE: text` at the beginning of a
line. A remark like "no breaking changes", an exclamation at the end of an ordinary sentence or the word `feat` without
a colon raise no version (WS-09-18).
"""

import re
from enum import IntEnum
from typing import Final, NamedTuple

_NO_SUBJECT: Final = "<no subject>"
_HEADER: Final = re.compile(r"\s*([A-Za-z]+)\s*(?:\(([^()]*)\))?\s*(!?)\s*", re.ASCII)
_BREAKING: Final = re.compile(r"^BREAKING[ -]CHANGE(?::| #)", re.ASCII | re.IGNORECASE | re.MULTILINE)


class Bump(IntEnum):
    """Which part of the version changes; the greatest of all commits counts."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def label(self) -> str:
        """How messages and outputs spell it."""
        return self.name.lower()


_BUMP_OF_TYPE: Final = {"feat": Bump.MINOR, "fix": Bump.PATCH, "perf": Bump.PATCH}


class ReleaseCommit(NamedTuple):
    """A commit since the last release."""

    oid: str
    #: The whole message; None if it is no text.
    message: str | None

    @property
    def subject(self) -> str:
        """The first paragraph of the message in one line."""
        lines = (self.message or "").strip().splitlines()
        end = next((number for number, line in enumerate(lines) if not line.strip()), len(lines))
        return " ".join(line.strip() for line in lines[:end]) or _NO_SUBJECT

    @property
    def short(self) -> str:
        """The beginning of its id, as notes show it."""
        return self.oid[:7]

    @property
    def bump(self) -> Bump:
        """What it does to the version."""
        if _BREAKING.search(self.message or ""):
            return Bump.MAJOR
        header = _header(self.subject)
        if header is None:
            return Bump.NONE
        return Bump.MAJOR if header[3] else _BUMP_OF_TYPE.get(header[1].lower(), Bump.NONE)


def is_conventional(subject: str) -> bool:
    """Whether the notes of a release list a commit with this subject."""
    return _header(subject) is not None


def _header(subject: str) -> "re.Match[str] | None":
    """Type, scope and mark of a conventional subject; None for any other."""
    header, colon, text = subject.partition(":")
    found = _HEADER.fullmatch(header) if colon and text.strip() else None
    return None if found is None or (found[2] is not None and not found[2].strip()) else found
