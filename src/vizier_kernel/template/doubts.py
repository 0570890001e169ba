"""What compiles and will hardly do what its author wanted."""

from collections.abc import Iterable, Iterator
from typing import Final

from vizier_kernel.scheduler.model import Lock
from vizier_kernel.suggest import did_you_mean
from vizier_kernel.template.model import BranchExists, Precondition, TemplateWarning
from vizier_kernel.workflow import CustomPrecondition

_BRANCH_LOCK: Final = "branch:"
#: What the scheduler knows (spec 01 §4.4).
_CUSTOM: Final = ("clean_worktree", "branch_exists")


def doubtful_preconditions(
    node_id: str, preconditions: Iterable[Precondition], locks: Iterable[Lock]
) -> Iterator[TemplateWarning]:
    """Preconditions that nothing can fulfil, or that are about another branch than it seems (WS-04-17)."""
    branches = sorted({lock.key.removeprefix(_BRANCH_LOCK) for lock in locks if lock.key.startswith(_BRANCH_LOCK)})
    for precondition in preconditions:
        if isinstance(precondition, CustomPrecondition) and precondition.id not in _CUSTOM:
            yield TemplateWarning(
                f"node `{node_id}` can never start: its precondition `{precondition.id}` does not exist"
                f"{did_you_mean(precondition.id, _CUSTOM)}"
            )
        elif len(branches) > 1 and _takes_branch_from_locks(precondition):
            yield TemplateWarning(
                f"node `{node_id}` locks several branches ({', '.join(branches)}), so its precondition `branch_exists` "
                "is about the one that is checked out; a custom precondition with `branch` among its args names one"
            )


def _takes_branch_from_locks(precondition: Precondition) -> bool:
    if isinstance(precondition, CustomPrecondition):
        return precondition.id == "branch_exists" and not precondition.args.get("branch", "").strip()
    return isinstance(precondition, BranchExists)
