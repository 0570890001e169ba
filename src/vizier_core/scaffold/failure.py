"""Failures of `init`, which say what was tried and on which path (spec 09 §2.5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vizier_core.errors import VizierError


class InitError(VizierError):
    """The scaffold could not be read or written; what was written before that stays, and a rerun goes on."""


@contextmanager
def doing(action: str, path: Path) -> Iterator[None]:
    """Names the action and the path when the system refuses it.

    Raises:
        InitError: it did.
    """
    try:
        yield
    except OSError as error:
        raise InitError(f"failed to {action} {path}: {error.strerror or error}") from None
