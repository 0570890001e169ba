"""Writing files so that a reader never sees half of one, and deleting only what is really there (decisions D8, D16)."""

import contextlib
import errno
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

_counter = itertools.count()


def atomic_write(
    path: Path,
    data: bytes,
    *,
    mode: int | None,
    durable: bool,
    before_rename: Callable[[os.stat_result], None] | None = None,
) -> None:
    """Replaces a file by way of a temporary sibling; missing parent directories are created.

    Args:
        path: the file; readers see its old content or all of the new one.
        data: the new content.
        mode: permission bits of the new file, not masked by the umask; None for what the umask gives.
        durable: flush the data to the disk before the rename, so that power loss cannot leave an empty file behind.
        before_rename: told how the new file looks, just before it takes its place.

    Raises:
        OSError: the file could not be written; the old one is untouched and the temporary one removed.
    """
    temporary = f"{path}.tmp.{os.getpid()}.{next(_counter)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    wanted = 0o666 if mode is None else mode
    try:
        descriptor = os.open(temporary, flags, wanted)
    except FileNotFoundError:
        if mode is None:
            os.makedirs(path.parent, exist_ok=True)
        else:
            make_directories(path.parent, mode)
        descriptor = os.open(temporary, flags, wanted)
    except FileExistsError:
        # Left by a killed process that had the pid of this one.
        os.unlink(temporary)
        descriptor = os.open(temporary, flags, wanted)
    try:
        try:
            if mode is not None and mode & 0o077:
                os.fchmod(descriptor, mode)  # the umask may have taken from what others shall have
            write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
            if before_rename is not None:
                before_rename(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            name_file(error, path)
        raise


def name_file(error: OSError, path: Path | str) -> None:
    """Makes the error of a call that knows nothing but a descriptor say which file it is about."""
    if error.filename is None:
        error.filename = str(path)


def read_small(path: Path | str) -> tuple[bytes, os.stat_result]:
    """The content of a regular file and how it looked when it was opened, with as few system calls as possible.

    Raises:
        OSError: it cannot be read, or is something else, such as a pipe that nobody writes to.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        wanted = status.st_size + 1
        data = os.read(descriptor, wanted)
        while len(data) >= wanted:  # it has grown meanwhile
            data += os.read(descriptor, wanted)
            wanted *= 2
        return data, status
    except OSError as error:  # a directory can be opened, too
        name_file(error, path)
        raise
    finally:
        os.close(descriptor)


def open_regular(path: str, flags: int) -> int:
    """An opener for `open` that takes regular files only, and does not wait for the other end of a pipe.

    Raises:
        OSError: it cannot be opened, or is something else.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "Not a regular file", path)
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Writes everything; a single `write` may stop short on a pipe or a nearly full disk."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_directory(path: Path) -> None:
    """Makes renames and new names in a directory survive power loss, where the file system can."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(path: Path, file_mode: int) -> None:
    """Creates a directory and its missing parents, searchable by whoever may read files of this mode.

    Where a group may write, new entries belong to the group of their directory, as in a shared git repository.
    """
    directory_mode = file_mode | (file_mode & 0o444) >> 2 | (0o2000 if file_mode & 0o020 else 0)
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        try:
            os.mkdir(directory, directory_mode)
            if directory_mode & 0o077:
                os.chmod(directory, directory_mode)
        except FileExistsError:
            continue


def unlinked_file(directory: Path) -> int:
    """A descriptor for a new file without a name, gone when the last process closes it.

    Where the system has them it is a file in memory: creating and deleting one on a disk is dear. What was read from a
    large one should be given back with :func:`discard_beginning`.

    Args:
        directory: on a disk with room, for systems without files in memory.
    """
    try:
        return os.memfd_create("output", os.MFD_CLOEXEC)
    except (AttributeError, OSError):
        path = f"{directory}/output.tmp.{os.getpid()}.{next(_counter)}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.unlink(path)
        return descriptor


def discard_beginning(descriptor: int, end: int) -> None:
    """Gives back the memory of a file's first bytes, without changing its size, where the system can do that.

    Args:
        descriptor: from :func:`unlinked_file`.
        end: how many bytes are not needed any more.
    """
    import ctypes  # noqa: PLC0415 - for very large outputs only; Python has no binding of its own

    punch_hole, keep_size = 2, 1
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fallocate(descriptor, punch_hole | keep_size, ctypes.c_longlong(0), ctypes.c_longlong(end))


def remove_file(path: Path) -> bool:
    """Deletes a file or a link, not what it points to; whether there was one."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def remove_empty_directory(path: Path) -> None:
    """Deletes a directory if nothing is in it."""
    with contextlib.suppress(OSError):
        os.rmdir(path)


def remove_tree(path: Path) -> None:
    """Deletes a directory with all that is in it; links are removed, never followed.

    Raises:
        OSError: something could not be deleted; the rest may be gone already.
    """
    import shutil  # noqa: PLC0415 - rarely needed, and dear to import

    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def entries(path: Path) -> Iterator[os.DirEntry[str]]:
    """What a directory holds; nothing when it does not exist."""
    try:
        with os.scandir(path) as found:
            yield from found
    except (FileNotFoundError, NotADirectoryError):
        return


def is_single_component(name: str) -> bool:
    """Whether a name can be joined to a directory without leaving it."""
    return name not in {"", ".", ".."} and "/" not in name and name.isprintable()
