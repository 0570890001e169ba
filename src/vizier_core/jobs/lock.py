"""The scheduler lock: one writer at a time, freed by the kernel when its holder dies (decision D7, ruling R1).

The lock is a file that exists while it is held, with an advisory lock on it that decides. The file appears complete
(text included) in one step and only the process that holds the advisory lock removes it, so:

* a file with `pid=<n>` and nobody holding it is the leftover of a killed process and is replaced at once;
* a file with other text was put there by somebody else and counts as held until it is old;
* whoever gets the advisory lock of a file that is no longer at the path was too late and tries again.
"""

import errno
import fcntl
import os
import re
import time
from pathlib import Path
from typing import Final

from vizier_core.errors import LocksUnsupportedError, SchedulerBusyError
from vizier_core.files import make_directories

#: A lock file with text that is not ours is left alone until it is this old, in seconds.
FOREIGN_TEXT_EXPIRES: Final = 60.0
#: Longest pause between two looks at a lock that somebody else holds, in seconds.
LONGEST_PAUSE: Final = 0.02

_OURS = re.compile(rb"pid=\d+\n?")
_UNSUPPORTED: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


class SchedulerLock:
    """A lock on one path. Not re-entrant; one object per process (a forked child calls :meth:`abandon`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._proven = False

    @property
    def held(self) -> bool:
        """Whether this process holds the lock."""
        return self._descriptor is not None

    def acquire(self, timeout: float | None) -> None:
        """Waits for the lock and takes it.

        Args:
            timeout: give up when the lock has not changed hands for so many seconds; None waits without bound.

        Raises:
            SchedulerBusyError: the bound was exceeded.
            LocksUnsupportedError: advisory locks do not work on this file system.
            OSError: the lock file cannot be created.
        """
        if self.held:
            raise RuntimeError("the scheduler lock is not re-entrant")
        seen: object = None
        since = time.monotonic()
        pause = 0.001
        while True:
            descriptor = self._create()
            if descriptor is None:
                holder = self._clear_way(block=timeout is None)
                if holder is None:
                    continue
                now = time.monotonic()
                if holder != seen:
                    seen, since = holder, now
                elif timeout is not None and now - since > timeout:
                    raise SchedulerBusyError(self._describe_holder())
                # A little noise keeps many waiting commands from looking at the same moments.
                time.sleep(pause * (1 + time.time_ns() // 1000 % 64 / 64))
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            self._descriptor = descriptor
            self._prove()
            return

    def release(self) -> None:
        """Removes the file and lets go; nothing happens if the lock is not held."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            if _is_file_at(descriptor, self._path):
                os.unlink(self._path)
        except OSError:
            pass  # the file without the advisory lock reads as the leftover of a dead process
        finally:
            os.close(descriptor)

    def abandon(self) -> None:
        """Forgets the lock in a forked child: closing the copy leaves the parent's lock alone (ruling R80)."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _create(self) -> int | None:
        """A new, locked lock file with our pid at the path; None if there is a file already."""
        if os.path.lexists(self._path):
            return None
        text = f"pid={os.getpid()}\n".encode()
        try:
            return self._create_unnamed(text)
        except FileNotFoundError:
            make_directories(self._path.parent, 0o600)
            return self._create()
        except FileExistsError:
            return None

    def _create_unnamed(self, text: bytes) -> int:
        """Gives a file its name only when text and lock are on it."""
        if not hasattr(os, "O_TMPFILE"):
            return self._create_renamed(text)
        try:
            descriptor = os.open(self._path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}:
                return self._create_renamed(text)
            raise
        try:
            os.write(descriptor, text)
            self._flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A directory descriptor, though unused for an absolute path, makes Python follow the link in /proc.
            os.link(f"/proc/self/fd/{descriptor}", self._path, src_dir_fd=descriptor, follow_symlinks=True)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _create_renamed(self, text: bytes) -> int:
        """The same through a temporary name, where files without a name do not exist."""
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, text)
            self._flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.link(temporary, self._path)
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            os.unlink(temporary)
        return descriptor

    def _clear_way(self, *, block: bool) -> object | None:
        """Looks at the file in the way; None if it is gone now, else what identifies the present holder."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            return error.errno
        try:
            status = os.fstat(descriptor)
            holder = (status.st_ino, status.st_ctime_ns)
            try:
                self._flock(descriptor, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))
            except BlockingIOError:
                return holder
            if not _is_file_at(descriptor, self._path):
                return None
            ours = _OURS.fullmatch(os.pread(descriptor, 64, 0)) is not None
            if not ours and time.time() - status.st_mtime < FOREIGN_TEXT_EXPIRES:
                return holder
            os.unlink(self._path)
            return None
        finally:
            os.close(descriptor)

    def _prove(self) -> None:
        """Checks once per process that a second taker is really turned away (ruling R89)."""
        if self._proven:
            return
        try:
            second = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return
        try:
            self._flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._proven = True
        else:
            self.release()
            raise LocksUnsupportedError(self._path.parent)
        finally:
            os.close(second)

    def _flock(self, descriptor: int, operation: int) -> None:
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                raise LocksUnsupportedError(self._path.parent) from None
            raise

    def _describe_holder(self) -> str:
        try:
            text = self._path.read_bytes()[:64].decode("utf-8", errors="replace").strip()
        except OSError:
            text = ""
        return f"{self._path} is held" + (f" by {text}" if text.startswith("pid=") else "")


def _is_file_at(descriptor: int, path: Path) -> bool:
    """Whether the path still names the file that is open."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
