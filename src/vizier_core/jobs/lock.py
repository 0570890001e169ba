"""The scheduler lock: one writer at a time, freed by the kernel when its holder dies (decision D7, ruling R1).

The lock is a file that exists while it is held, with an advisory lock on it that decides: who holds the advisory lock
of the file at the path holds the scheduler lock. The file appears complete, text included, in one step, and only the
holder of its advisory lock removes it. So:

* a file with `pid=<n>` and nobody holding it is the leftover of a killed process and is replaced at once;
* a file with other text was put there by somebody else and counts as held until it is old;
* whoever gets the advisory lock of a file that is not at the path (any more) goes on from there.

The file is given its name by a hard link from a spare one that stays outside the jobs root, because creating and
deleting a file for every critical section is by far the dearest part of it. The spare is derived data: it may vanish at
any time.
"""

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from pathlib import Path
from typing import Final

from vizier_core.errors import LocksUnsupportedError, SchedulerBusyError
from vizier_core.files import make_directories, name_file

#: A lock file with text that is not ours is left alone until it is this old, in seconds.
FOREIGN_TEXT_EXPIRES: Final = 60.0
#: Longest pause between two looks at a lock that somebody else holds, in seconds.
LONGEST_PAUSE: Final = 0.02

_OURS = re.compile(rb"pid=\d+\n?")
_UNSUPPORTED: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
#: Why a hard link to the spare file may not be possible: another file system, or one without hard links.
_NO_LINK: Final = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK})


class SchedulerLock:
    """A lock on one path. Not re-entrant; one object per process (a forked child calls :meth:`abandon`).

    Args:
        path: the lock file.
        spare: where the file stays while the lock is not held; None to create it anew each time.
        mode: permission bits of the file; whoever shall use the lock has to be able to read it.
    """

    def __init__(self, path: Path, spare: Path | None = None, mode: int = 0o600) -> None:
        self._path = path
        self._spare = spare
        self._mode = mode
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
        while (holder := self._try(block=timeout is None)) is not None:
            now = time.monotonic()
            if holder != seen:
                seen, since = holder, now
            elif timeout is not None and now - since > timeout:
                raise SchedulerBusyError(self._describe_holder())
            # A little noise keeps many waiting commands from looking at the same moments.
            time.sleep(pause * (1 + time.time_ns() // 1000 % 64 / 64))
            pause = min(pause * 2, LONGEST_PAUSE)
        self._prove()

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

    def _try(self, *, block: bool) -> object | None:
        """Takes the lock if that is possible now; else what identifies the present holder."""
        while True:
            descriptor, at_path, writable = self._open()
            status = os.fstat(descriptor)
            holder = (status.st_ino, status.st_mtime_ns)
            try:
                self._flock(descriptor, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))
                if at_path and _is_file_at(descriptor, self._path):
                    text = os.pread(descriptor, 64, 0)
                    if not _OURS.fullmatch(text) and time.time() - status.st_mtime < FOREIGN_TEXT_EXPIRES:
                        return holder
                    os.unlink(self._path)
                    if not writable:
                        continue
                if self._publish(descriptor):
                    self._descriptor = descriptor
                    return None
            except BlockingIOError:
                return holder
            finally:
                if self._descriptor is None:
                    os.close(descriptor)

    def _open(self) -> tuple[int, bool, bool]:
        """The file to take the advisory lock of, whether it was found at the path, and whether it can be written."""
        flags = os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._path, flags | os.O_RDWR), True, True
        except PermissionError:
            # Of another user: good enough to wait for.
            return os.open(self._path, flags | os.O_RDONLY), True, False
        except FileNotFoundError:
            make_directories(self._path.parent, self._mode)
        if self._spare is not None:
            # Its directory may be missing, or vanish just now.
            try:
                return self._create(self._spare), False, True
            except OSError:
                with contextlib.suppress(OSError):
                    make_directories(self._spare.parent, self._mode)
                    return self._create(self._spare), False, True
            self._spare = None
        return self._unnamed(), False, True

    def _create(self, path: Path) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, self._mode)
        self._open_up(descriptor)
        return descriptor

    def _open_up(self, descriptor: int) -> None:
        """Gives others the permissions that the umask may have taken from them."""
        if self._mode & 0o077 and stat.S_IMODE(os.fstat(descriptor).st_mode) != self._mode:
            with contextlib.suppress(PermissionError):
                os.fchmod(descriptor, self._mode)

    def _publish(self, descriptor: int) -> bool:
        """Gives the locked file our text and its name; False if somebody was faster or the file cannot have it."""
        text = f"pid={os.getpid()}\n".encode()
        try:
            os.pwrite(descriptor, text, 0)
            os.ftruncate(descriptor, len(text))
            _link(descriptor, self._path, self._spare)
        except (FileExistsError, FileNotFoundError):
            return False
        except OSError as error:
            if error.errno in _NO_LINK and self._spare is not None:
                self._spare = None
                return False
            name_file(error, self._path)
            raise
        return True

    def _unnamed(self) -> int:
        """A new file without a name, or where there is no such thing with one of its own."""
        try:
            descriptor = os.open(self._path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, self._mode)
        except (AttributeError, OSError):
            self._spare = self._path.with_name(f".{self._path.name}.spare")
            return self._create(self._spare)
        self._open_up(descriptor)
        return descriptor

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


def _link(descriptor: int, path: Path, spare: Path | None) -> None:
    """Gives an open file a further name."""
    if os.path.isdir("/proc/self/fd"):
        # A directory descriptor, though unused for an absolute path, makes Python follow the link in /proc.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
    elif spare is not None and _is_file_at(descriptor, spare):
        os.link(spare, path)
    else:
        raise FileNotFoundError(spare)


def _is_file_at(descriptor: int, path: Path) -> bool:
    """Whether the path still names the file that is open."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
