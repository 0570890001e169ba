"""Questions to the operator (spec 07 §9.3)."""

import sys

from vizier_core.errors import OperationRefusedError


def confirm(question: str) -> None:
    """Asks on stderr and returns if the answer is yes.

    Raises:
        OperationRefusedError: it is not.
    """
    print(f"{question} [y/N]: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise OperationRefusedError("aborted by user")
