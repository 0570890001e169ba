"""Releases: a commit and a tag made from the history, kept only if the gate script is content (spec 09 §8).

::

    start = check_preconditions(root)
    history = read_history(root, start)
    plan = ReleasePlan(history.last, history.commits, forced, listed)
    outcome = Release(root, start, plan, settings).make(gate)
"""

from vizier_core.release.gate import Gate, ScriptStatus
from vizier_core.release.history import History, read_history, tag_exists
from vizier_core.release.preconditions import Start, check_preconditions
from vizier_core.release.transaction import Failure, Interrupted, Release, Released, ReleaseError, Rollback

__all__ = [
    "Failure",
    "Gate",
    "History",
    "Interrupted",
    "Release",
    "ReleaseError",
    "Released",
    "Rollback",
    "ScriptStatus",
    "Start",
    "check_preconditions",
    "read_history",
    "tag_exists",
]
