"""Versions, and the tags that carry them (spec 09 §8.4)."""

import re
from typing import Final, NamedTuple

#: Parts of a version are unsigned 64-bit numbers.
_LARGEST: Final = 2**64 - 1
_TAG: Final = re.compile(r"v([0-9]+)\.([0-9]+)\.([0-9]+)", re.ASCII)
_LIKE_A_VERSION: Final = re.compile(r"v[0-9]", re.ASCII)


class VersionError(ValueError):
    """A release tag that is no version, or a version with no next one; the text says which."""


class Version(NamedTuple):
    """A version; versions compare as numbers."""

    major: int
    minor: int
    patch: int

    def next_major(self) -> "Version":
        """The version after a breaking change; below 1.0.0 as well."""
        return self._checked(Version(self.major + 1, 0, 0))

    def next_minor(self) -> "Version":
        """The version after a new feature."""
        return self._checked(Version(self.major, self.minor + 1, 0))

    def next_patch(self) -> "Version":
        """The version after a correction."""
        return self._checked(Version(self.major, self.minor, self.patch + 1))

    @property
    def tag(self) -> str:
        """The name of its tag."""
        return f"v{self}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def _checked(self, following: "Version") -> "Version":
        if max(following) > _LARGEST:
            raise VersionError(f"there is no version after {self.tag}: its numbers are too large")
        return following


class ReleaseTag(NamedTuple):
    """A tag that names a version."""

    name: str
    version: Version


def parse_release_tag(name: str) -> ReleaseTag | None:
    """The version that a tag names; None for a tag of another kind, such as `vendor-drop` or `v/next` (WS-09-19).

    Raises:
        VersionError: the tag looks like a version and is none.
    """
    text = name.strip()
    if not _LIKE_A_VERSION.match(text):
        return None
    found = _TAG.fullmatch(text)
    # Looked at by its length first: Python refuses to read numbers of many thousand digits.
    if found is not None and all(len(part.lstrip("0")) <= len(str(_LARGEST)) for part in found.groups()):
        version = Version(*map(int, found.groups()))
        if max(version) <= _LARGEST:
            return ReleaseTag(name, version)
    raise VersionError(f"invalid release tag `{name}`: expected v<major>.<minor>.<patch>; delete or rename the tag")
