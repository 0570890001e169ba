"""Versions, bumps and notes (spec 09 §8.4, §8.5, §8.7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.release import (
    Bump,
    ReleaseCommit,
    ReleasePlan,
    ReleaseTag,
    Version,
    VersionError,
    commit_message,
    is_conventional,
    notes_preview,
    parse_release_tag,
    tag_message,
)

NUMBERS = st.integers(min_value=0, max_value=2**64 - 1)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS)


def commit(message: str | None, oid: str = "0123456789") -> ReleaseCommit:
    return ReleaseCommit(oid, message)


def plan(*messages: str, last: str | None = "v1.4.2", forced: Bump | None = None, listed: int = 20) -> ReleasePlan:
    commits = tuple(commit(message, f"{number:040x}") for number, message in enumerate(messages))
    return ReleasePlan(parse_release_tag(last) if last else None, commits, forced, listed)


# Tags


@given(VERSIONS)
def test_a_version_survives_its_tag(version: Version) -> None:
    assert parse_release_tag(version.tag) == ReleaseTag(version.tag, version)


@pytest.mark.parametrize(
    ("name", "version"),
    [("v1.2.3", (1, 2, 3)), ("v0.0.0", (0, 0, 0)), ("v01.002.3", (1, 2, 3)), (" v1.2.3 ", (1, 2, 3))],
)
def test_tags_that_are_versions(name: str, version: tuple[int, int, int]) -> None:
    found = parse_release_tag(name)
    assert found is not None
    assert found.version == version


@pytest.mark.parametrize(
    "name",
    ["v1.2", "v1.2.x", "v1.2.3.4", "v1.0.0-rc1", "v1", "v1.2.3+b", f"v{2**64}.0.0", f"v{'9' * 5000}.0.0", "v1/2"],
)
def test_tags_that_only_look_like_versions_are_errors(name: str) -> None:
    with pytest.raises(VersionError, match="invalid release tag"):
        parse_release_tag(name)


@pytest.mark.parametrize(
    "name", ["1.2.3", "vendor-drop", "v", "v/next", "release-2", "version-1", "V1.2.3", "v\u0661.2.3"]
)
def test_ws_09_19_other_tags_are_none_of_its_business(name: str) -> None:
    assert parse_release_tag(name) is None


# The next version


def test_next_versions() -> None:
    version = Version(0, 3, 1)
    assert [str(v) for v in (version.next_patch(), version.next_minor(), version.next_major())] == [
        "0.3.2",
        "0.4.0",
        "1.0.0",
    ]


@given(VERSIONS)
def test_a_next_version_is_greater_or_there_is_none(version: Version) -> None:
    for step in (version.next_patch, version.next_minor, version.next_major):
        try:
            assert step() > version
        except VersionError:
            assert 2**64 - 1 in version


# Commits


@pytest.mark.parametrize(
    ("message", "bump", "listed"),
    [
        ("feat: add x", Bump.MINOR, True),
        ("FEAT(ui): x", Bump.MINOR, True),
        ("feat (ui): x", Bump.MINOR, True),
        ("feat!: x", Bump.MAJOR, True),
        ("feat(core)!: x", Bump.MAJOR, True),
        ("feat(core) !: x", Bump.MAJOR, True),
        ("refactor!: x", Bump.MAJOR, True),
        ("fix(core): x", Bump.PATCH, True),
        ("perf: x", Bump.PATCH, True),
        ("docs: x", Bump.NONE, True),
        ("build(deps): bump a: b", Bump.NONE, True),
        ("revert: feat: x", Bump.NONE, True),
        ("docs: x\n\nBREAKING CHANGE: y", Bump.MAJOR, True),
        ("docs: x\n\ntext\nBREAKING-CHANGE: y", Bump.MAJOR, True),
        ("docs: x\n\nBREAKING CHANGE #12", Bump.MAJOR, True),
        ("docs: x\n\nbreaking change: y", Bump.MAJOR, True),
        ("feat add release", Bump.NONE, False),
        ("1feat: x", Bump.NONE, False),
        ("Merge branch 'topic' into main", Bump.NONE, False),
        ("feat: add\nmore\n\nbody", Bump.MINOR, True),
    ],
)
def test_what_a_commit_means(message: str, bump: Bump, listed: bool) -> None:
    assert commit(message).bump is bump
    assert is_conventional(commit(message).subject) == listed


@pytest.mark.parametrize(
    "message",
    [
        "chore: x\n\nNo breaking changes.",
        "chore: x\n\nThis is no BREAKING CHANGE: it only looks like one.",
        "chore: x\n\nBREAKING CHANGES are none",
        "Ship it!",
        "feat",
        "feat():  x",
        "feat(scope: x",
        "feat(scope)): x",
        "feat: ",
        "feat(a(b)): x",
        "!: x",
        ": x",
    ],
)
def test_ws_09_18_what_only_resembles_a_conventional_commit_raises_no_version(message: str) -> None:
    assert commit(message).bump is Bump.NONE


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("one", "one"),
        ("\n\n  one\ntwo  \n\nthree", "one two"),
        ("", "<no subject>"),
        (" \n ", "<no subject>"),
        (None, "<no subject>"),
    ],
)
def test_subjects(message: str | None, subject: str) -> None:
    assert commit(message).subject == subject


@given(st.text())
def test_any_message_means_something(message: str) -> None:
    assert commit(message).bump in Bump
    assert "\n" not in commit(message).subject


# Plans


def test_the_greatest_bump_counts() -> None:
    found = plan("fix: a", "docs: b", "feat: c", last="v0.3.1")
    assert (found.computed, str(found.version), found.releasable) == (Bump.MINOR, "0.4.0", 2)


def test_a_forced_bump_counts_instead() -> None:
    found = plan("feat: a", forced=Bump.PATCH)
    assert (found.computed, found.selected, found.version.tag) == (Bump.MINOR, Bump.PATCH, "v1.4.3")


def test_nothing_to_release() -> None:
    found = plan("docs: a")
    assert (found.selected, found.version) == (Bump.NONE, found.base)
    assert plan().computed is Bump.NONE


def test_the_first_release() -> None:
    found = plan("fix: a", last=None)
    assert (found.range_label, found.version.tag, found.base.tag) == ("<repo-root>..HEAD", "v0.0.1", "v0.0.0")


def test_the_cap_limits_what_is_listed_only() -> None:
    found = plan(*(f"fix: {number}" for number in range(5)), "no entry", listed=2)
    assert ([entry.subject for entry in found.entries], found.overflow, found.releasable) == (
        ["fix: 0", "fix: 1"],
        3,
        5,
    )


# Texts


def test_the_message_of_the_commit() -> None:
    found = plan("feat: stream", "words", "docs: explain")
    assert commit_message(found, "NOW") == (
        "chore(release): v1.5.0\n\nPrevious version: v1.4.2\nNew version: v1.5.0\nBump: minor\n"
        "Commit range: v1.4.2..HEAD\nCommits scanned: 3\nReleasable commits: 1\n\nRelease Notes:\n### Changes\n"
        "- feat: stream (0000000)\n- docs: explain (0000000)\n\nGenerated-by: vizier release\nGenerated-at: NOW"
    )


def test_the_message_of_a_commit_without_notes() -> None:
    text = commit_message(plan(forced=Bump.MAJOR, last=None), "NOW")
    assert "\n\nRelease Notes:\n- No release notes entries\n\nGenerated-by:" in text
    assert "Previous version: v0.0.0\n" in text


def test_the_message_of_the_tag() -> None:
    assert tag_message(plan("feat: a", "docs: b", listed=1)) == (
        "Release v1.5.0\n\nFrom: v1.4.2\nBump: minor\nCommits scanned: 2\nReleasable commits: 1\n"
        "Release note entries (Conventional Commits): 2"
    )


def test_the_preview() -> None:
    assert notes_preview(plan("fix: a", "fix: b", listed=1)) == "Changes:\n  - fix: a (0000000)\n  - +1 more"
    assert notes_preview(plan()) == "(no release notes entries)"
