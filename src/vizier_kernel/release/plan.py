"""What the next release would be (spec 09 §8.4, §8.5)."""

from functools import cached_property
from typing import Final, NamedTuple

from vizier_kernel.release.commits import Bump, ReleaseCommit, is_conventional
from vizier_kernel.release.version import ReleaseTag, Version

_FIRST: Final = Version(0, 0, 0)


class Entry(NamedTuple):
    """A line of the notes."""

    subject: str
    #: Abbreviated id of the commit.
    commit: str


class ReleasePlan:
    """The next release.

    Args:
        last: the tag of the last release, if there was one.
        commits: those since then, newest first and none before its parents.
        forced: how the version shall change whatever the commits say.
        listed: how many entries the notes have at most.
    """

    def __init__(
        self, last: ReleaseTag | None, commits: tuple[ReleaseCommit, ...], forced: Bump | None, listed: int
    ) -> None:
        self.last = last
        self.commits = commits
        self.forced = forced
        self._listed = listed

    @property
    def base(self) -> Version:
        """The version of the last release."""
        return self.last.version if self.last else _FIRST

    @property
    def range_label(self) -> str:
        """Which commits it is about, as people read it."""
        return f"{self.last.name if self.last else '<repo-root>'}..HEAD"

    @cached_property
    def computed(self) -> Bump:
        """What the commits ask for."""
        return max((commit.bump for commit in self.commits), default=Bump.NONE)

    @property
    def selected(self) -> Bump:
        """What is done; `NONE` means that there is nothing to release."""
        return self.computed if self.forced is None else self.forced

    @cached_property
    def version(self) -> Version:
        """The next version.

        Raises:
            VersionError: there is none.
        """
        steps = {Bump.PATCH: self.base.next_patch, Bump.MINOR: self.base.next_minor, Bump.MAJOR: self.base.next_major}
        return steps[self.selected]() if self.selected in steps else self.base

    @cached_property
    def releasable(self) -> int:
        """How many commits change the version."""
        return sum(commit.bump is not Bump.NONE for commit in self.commits)

    @cached_property
    def notable(self) -> tuple[ReleaseCommit, ...]:
        """The commits that notes are about."""
        return tuple(commit for commit in self.commits if is_conventional(commit.subject))

    @property
    def entries(self) -> list[Entry]:
        """The notes, as far as they are listed."""
        return [Entry(commit.subject, commit.short) for commit in self.notable[: self._listed]]

    @property
    def overflow(self) -> int:
        """How many further ones are only counted."""
        return len(self.notable) - len(self.entries)
