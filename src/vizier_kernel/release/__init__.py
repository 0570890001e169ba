"""What a release is called and what it says, decided from commits and tags alone (spec 09 §8.4, §8.5, §8.7).

::

    plan = ReleasePlan(last_tag=..., commits=..., forced=None, listed=20)
    plan.selected, plan.tag
    commit_message(plan, generated_at)
"""

from vizier_kernel.release.commits import Bump, ReleaseCommit, is_conventional
from vizier_kernel.release.notes import commit_message, notes_preview, tag_message
from vizier_kernel.release.plan import Entry, ReleasePlan
from vizier_kernel.release.version import ReleaseTag, Version, VersionError, parse_release_tag

__all__ = [
    "Bump",
    "Entry",
    "ReleaseCommit",
    "ReleasePlan",
    "ReleaseTag",
    "Version",
    "VersionError",
    "commit_message",
    "is_conventional",
    "notes_preview",
    "parse_release_tag",
    "tag_message",
]
