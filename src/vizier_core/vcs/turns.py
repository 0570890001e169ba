"""One after the other: who changes what a working tree has checked out waits for its turn (spec 06 §7.9).

The locks of the scheduler are about branches. Two merges into different branches may run at once, and still there is
only one HEAD in the operator's checkout.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from vizier_core.vcs.checkout import Checkout


@contextmanager
def checkout_turn(checkout: Checkout) -> Iterator[None]:
    """Keeps other vizier processes from moving HEAD here; waits for them first, however long they take."""
    path = checkout.git_directory / "vizier-turn"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
