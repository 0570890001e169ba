"""Whether git is in the middle of something in a working tree (spec 09 §8.3, §13.8)."""

from enum import Enum
from pathlib import Path
from typing import Final

from vizier_core.project import git_directory


class OperationInProgress(Enum):
    """What git has begun and not finished; the value is how messages call it."""

    REBASE = "rebase or apply-mailbox operation"
    MERGE = "merge"
    REVERT = "revert"
    CHERRY_PICK = "cherry-pick"
    SEQUENCE = "sequence of picks or reverts"
    BISECT = "bisect"


#: What git leaves in its directory meanwhile; the first that is there decides.
_TRACES: Final = (
    ("rebase-merge", OperationInProgress.REBASE),
    ("rebase-apply", OperationInProgress.REBASE),
    ("MERGE_HEAD", OperationInProgress.MERGE),
    ("REVERT_HEAD", OperationInProgress.REVERT),
    ("CHERRY_PICK_HEAD", OperationInProgress.CHERRY_PICK),
    ("sequencer", OperationInProgress.SEQUENCE),
    ("BISECT_LOG", OperationInProgress.BISECT),
)


def operation_in_progress(root: Path) -> OperationInProgress | None:
    """What git is doing in the working tree at `root`, if anything."""
    directory = git_directory(root)
    return next((operation for name, operation in _TRACES if (directory / name).exists()), None)
