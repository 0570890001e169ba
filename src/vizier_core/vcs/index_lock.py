"""Holding the index of a working tree, the way git itself does, but so that a kill leaves nothing locked.

Git holds an index by creating `index.lock` beside it; what a killed git leaves there stays until a person deletes it.
Here that file carries a note about what is being done, and an OS lock, which ends with the process and with every git
that it has started (ruling D7 has the same for the scheduler). Whoever finds a note that nobody locks any more finishes
or undoes what it says and goes on.

The index is changed in a private copy that takes its place as a whole: what fails, or is killed, has changed nothing.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vizier_core.errors import CheckoutBusyError
from vizier_core.files import remove_file, write_all
from vizier_core.vcs.checkout import Checkout

Note = dict[str, Any]
#: Undoes or finishes what a killed process has noted; the index is held meanwhile.
Recovery = Callable[["HeldIndex", Note], None]

#: First key of a note; no file of git's begins like this.
_MAGIC: Final = "vizier"
#: How long somebody else may hold the index without anything changing, in seconds.
PATIENCE: Final = 10.0
_LOOK_AGAIN: Final = 0.02
#: What a file system says that knows no hard links.
_NO_HARD_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class HeldIndex:
    """The index of a working tree while this process holds it.

    Attributes:
        checkout: the working tree.
        index: the index.
        copy: the private copy; exists after :meth:`make_copy`.
    """

    def __init__(self, checkout: Checkout, lock: Path, descriptor: int) -> None:
        self.checkout = checkout
        self.index = checkout.git_directory / "index"
        self.copy = checkout.git_directory / "vizier-index"
        self._lock = lock
        self._descriptor = descriptor

    def make_copy(self) -> None:
        """Copies the index with its times: git tells from them which entries it has to look at again."""
        try:
            shutil.copy2(self.index, self.copy)
        except FileNotFoundError:
            remove_file(self.copy)  # no index yet: git creates the copy

    def run(
        self, *arguments: str, data: bytes = b"", accept: Sequence[int] = (0,), directory: Path | None = None
    ) -> bytes:
        """Runs git on the private copy; its output. Git, and what it starts, holds the index as well.

        Args:
            arguments: the command and its arguments.
            data: text for its standard input.
            accept: exit codes that are no error.
            directory: where it runs; the root of the working tree if omitted.

        Raises:
            GitError: git refuses.
        """
        environment = {"GIT_INDEX_FILE": str(self.copy)}
        git = self.checkout.git if directory is None else self.checkout.git.at(directory)
        done = git.run(*arguments, data=data, accept=accept, environment=environment, keep_open=(self._descriptor,))
        return done.stdout

    def fields(self, *arguments: str) -> list[str]:
        """What a command prints with `-z`, run on the private copy."""
        return os.fsdecode(self.run(*arguments)).split("\0")[:-1]

    def note(self, note: Note) -> None:
        """Writes down what is going on, for whoever comes after a kill."""
        fresh = _write_note(_beside(self._lock), note)
        os.rename(_beside(self._lock), self._lock)
        os.close(self._descriptor)
        self._descriptor = fresh

    def publish(self) -> None:
        """Lets the private copy take the place of the index."""
        if self.copy.exists():
            os.rename(self.copy, self.index)

    def discard_copy(self) -> None:
        """Deletes the private copy, and what a killed git has left of changing it."""
        remove_file(self.copy)
        remove_file(self.copy.with_name(f"{self.copy.name}.lock"))

    def release(self) -> None:
        """Lets go of the index."""
        self.discard_copy()
        remove_file(self._lock)
        os.close(self._descriptor)


@contextmanager
def held_index(checkout: Checkout, recover: Recovery, *, patience: float = PATIENCE) -> Iterator[HeldIndex]:
    """Holds the index of a working tree; without an explicit `publish` it stays as it is.

    Args:
        checkout: the working tree.
        recover: what to do about a note that a killed process has left.
        patience: seconds after which somebody else who holds it is not waited for any more.

    Raises:
        CheckoutBusyError: somebody else holds it.
        GitError: what a killed process has left cannot be mended.
    """
    held = _acquire(checkout, recover, patience)
    try:
        yield held
    finally:
        held.release()


def _acquire(checkout: Checkout, recover: Recovery, patience: float) -> HeldIndex:
    lock = checkout.git_directory / "index.lock"
    deadline = time.monotonic() + patience
    while True:
        descriptor = _claim(lock)
        if descriptor is not None:
            return HeldIndex(checkout, lock, descriptor)
        if _mend(checkout, lock, recover):
            continue
        if time.monotonic() > deadline:
            raise CheckoutBusyError(lock)
        time.sleep(_LOOK_AGAIN)


def _claim(lock: Path) -> int | None:
    """Creates the lock file, which appears with its content and its OS lock; None if it is there already."""
    descriptor = _write_note(_beside(lock), {})
    try:
        os.link(_beside(lock), lock)
    except FileExistsError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        if error.errno not in _NO_HARD_LINKS:
            raise
        with contextlib.suppress(FileExistsError):
            return _write_note(lock, {})
        return None
    finally:
        remove_file(_beside(lock))
    return descriptor


def _mend(checkout: Checkout, lock: Path, recover: Recovery) -> bool:
    """Takes over from a killed process, if that is who holds the index; whether it is free now."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return not os.path.lexists(lock)
    note = _orphaned(lock, descriptor)
    if note is None:
        os.close(descriptor)
        return False
    held = HeldIndex(checkout, lock, descriptor)
    try:
        recover(held, note)
    finally:
        held.release()
    return True


def _orphaned(lock: Path, descriptor: int) -> Note | None:
    """The note in an index lock that nobody holds any more; None if somebody does, or it is git's own."""
    note = _parse(os.pread(descriptor, 1 << 24, 0))
    if note is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.fstat(descriptor).st_ino == os.stat(lock).st_ino
    except OSError:
        return None
    return note if same else None


def _write_note(path: Path, note: Mapping[str, Any]) -> int:
    """Writes a note into a new file and locks that; the descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        write_all(descriptor, json.dumps({_MAGIC: os.getpid(), **note}).encode("ascii"))
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    return descriptor


def _parse(data: bytes) -> Note | None:
    if not data.startswith(b'{"%s"' % _MAGIC.encode("ascii")):
        return None
    try:
        note = json.loads(data)
    except ValueError:
        return None
    return note if isinstance(note, dict) else None


def _beside(lock: Path) -> Path:
    return lock.with_name(f"{lock.name}.vizier.{os.getpid()}")
