"""Ends a process at every point at which it touches the disk, as far as that can be played in one process.

From the chosen step on every call raises: what a killed process had still to do does not happen, its clean-up included.
"""

import builtins
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_CALLS = ("open", "write", "pwrite", "fsync", "fchmod", "rename", "replace", "link", "mkdir", "unlink", "rmdir")


class KilledError(BaseException):
    """The process ended here."""


@contextmanager
def killed_at(step: int) -> Iterator[list[str]]:
    """Raises :class:`KilledError` at the given call that touches the disk, from 1, and at all later ones.

    Yields:
        The calls so far.
    """
    calls: list[str] = []

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            if len(calls) >= step:
                raise KilledError(name)
            return original(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(os, name, counted(name, getattr(os, name)))
        patch.setattr(builtins, "open", counted("builtins.open", builtins.open))
        yield calls


def every_interruption(
    prepare: Callable[[], Any], act: Callable[[Any], object], stride: int = 1
) -> Iterator[tuple[Any, bool]]:
    """Does something again and again, each time killed a step later, until it gets through.

    Args:
        prepare: makes a fresh place to act in.
        act: does it there.
        stride: how many steps later each time.

    Yields:
        The place, and whether the action got through; each place is to be looked at before the next one is made.
    """
    step = 1 - stride
    done = False
    while not done:
        step += stride
        place = prepare()
        with killed_at(step):
            try:
                act(place)
            except KilledError:
                pass
            else:
                done = True
        yield place, done
    assert step > 2, "hardly anything was done"
