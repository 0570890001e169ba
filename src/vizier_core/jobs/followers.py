"""Who follows which run: an ephemeral run that is followed is cleaned up by its follower (rulings R14, R55).

Any full tick may clean up an ephemeral run that has ended. The follower would find it gone, and could neither tell how
it ended nor what the clean-up did. So it holds an advisory lock per run while it follows; the kernel drops it when the
follower dies.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vizier_core.files import is_single_component, make_directories, remove_file
from vizier_core.jobs.store import JobStore
from vizier_core.project import derived_directory


@contextmanager
def following(store: JobStore, run_ids: Iterable[str]) -> Iterator[None]:
    """Keeps other processes from cleaning up these runs."""
    held = [(path, _hold(path)) for run_id in run_ids if (path := _path(store, run_id)) is not None]
    try:
        yield
    finally:
        for path, descriptor in held:
            if descriptor is not None:
                with suppress(OSError):
                    remove_file(path)
                os.close(descriptor)


def is_followed(store: JobStore, run_id: str) -> bool:
    """Whether a process that is alive follows the run; also true of this process's own."""
    path = _path(store, run_id)
    if path is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    remove_file(path)  # of a follower that was killed
    return False


def _path(store: JobStore, run_id: str) -> Path | None:
    derived = derived_directory(store.root, store.jobs_root)
    return derived / f"follow-{run_id}" if derived and is_single_component(run_id) else None


def _hold(path: Path) -> int | None:
    """Creates and locks a file; None where that is not possible, which only costs the protection."""
    try:
        make_directories(path.parent, 0o600)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor
