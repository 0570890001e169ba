"""Makes the program fail at a chosen system call; Python loads this module first when its directory is on PYTHONPATH.

VIZIER_FAULT holds a JSON object, see `Fault` in tests/crash/faults.py. All processes of a scenario, forked or started
anew, count their calls together: each call appends a line of fixed length to one file, so its place in that file is its
number. The file is opened for every call because a descriptor that stays open would not survive the worker's clean-up
of descriptors, and its number could then belong to another file.
"""

import errno
import json
import os
import re
import signal
import stat
import sys

#: Bytes of one line in the trace.
LINE = 400

if sys.platform == "linux" and "VIZIER_FAULT" in os.environ:
    import _posixsubprocess
    import fcntl

    _fault = json.loads(os.environ["VIZIER_FAULT"])
    _calls = frozenset(_fault["calls"])
    _where = re.compile(_fault["where"])
    _open, _write, _lseek, _close, _kill, _fstat = os.open, os.write, os.lseek, os.close, os.kill, os.fstat

    def _number(name, target):
        """Counts a call; 0 if it is none of those that count."""
        if name not in _calls or not _where.search(target) or _fault["parent"] not in (None, os.getppid()):
            return 0
        line = f"{os.getpid()} {name} {target}".encode(errors="replace")[: LINE - 1].ljust(LINE - 1) + b"\n"
        descriptor = _open(_fault["trace"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _write(descriptor, line)
            return _lseek(descriptor, 0, os.SEEK_CUR) // LINE
        finally:
            _close(descriptor)

    def _wrap(name, original, describe, failure):
        """The call with the fault built in.

        Args:
            name: what the call is called in faults and traces.
            original: the call.
            describe: makes a text of the call's arguments; None if this very call is of no interest.
            failure: the error number it fails with when there is no room; None if it always succeeds.
        """

        def call(*args, **kwargs):
            target = describe(*args, **kwargs)
            number = 0 if target is None else _number(name, target)
            action = _fault["action"]
            if action == "full" and failure and number >= _fault["at"] and os.path.exists(_fault["trace"] + ".full"):
                raise _error(failure, args)
            if number != _fault["at"]:
                return original(*args, **kwargs)
            if action == "fail" and failure:
                raise _error(failure, args)
            if action == "kill":
                _kill(os.getpid(), signal.SIGKILL)
            if action == "interrupt":
                _kill(os.getpid(), signal.SIGINT)
            if action == "stop":
                _kill(os.getpid(), signal.SIGSTOP)
            result = original(*args, **kwargs)
            if action == "kill-after" and result != 0:  # 0 is what fork returns in the child
                _kill(os.getpid(), signal.SIGKILL)
            if action == "kill-child" and result:
                _kill(result, signal.SIGKILL)
            return result

        return call

    def _error(number, args):
        """What the system call would raise; it names a file only if it was given one."""
        names = [arg for arg in args[:2] if isinstance(arg, str | os.PathLike)]
        places = (names[0], None, names[1]) if len(names) == 2 else tuple(names)
        return OSError(number, os.strerror(number), *places)

    def _path(path=".", *rest, **kwargs):
        return str(path)

    def _two_paths(source, target, *rest, **kwargs):
        return f"{source} -> {target}"

    def _creating(path, flags, *rest, **kwargs):
        wanted = flags & (os.O_CREAT | getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY)
        return str(path) if wanted else None

    def _descriptor(descriptor, *rest):
        return _name_of(descriptor)

    def _nothing(*rest):
        return ""

    def _program(args, *rest):
        return " ".join(os.fsdecode(word) for word in args)

    def _spawned(path, args, *rest, **kwargs):
        return _program(args)

    def _name_of(descriptor):
        try:
            return os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:
            return "?"

    def _room_for(original):
        """Writing: called `write` if it goes to a file, where there may be no room, and `send` if it goes to a pipe."""
        to_file = _wrap("write", original, _descriptor, errno.ENOSPC)
        to_pipe = _wrap("send", original, _descriptor, None)

        def write(descriptor, *rest):
            regular = stat.S_ISREG(_fstat(descriptor).st_mode)
            return (to_file if regular else to_pipe)(descriptor, *rest)

        return write

    for _name, _describe, _failure in (
        ("open", _creating, errno.ENOSPC),
        ("rename", _two_paths, errno.ENOSPC),
        ("replace", _two_paths, errno.ENOSPC),
        ("link", _two_paths, errno.ENOSPC),
        ("unlink", _path, None),
        ("remove", _path, None),
        ("rmdir", _path, None),
        ("mkdir", _path, errno.ENOSPC),
        ("fsync", _descriptor, errno.ENOSPC),
        ("fork", _nothing, errno.EAGAIN),
        ("setsid", _nothing, None),
        ("chdir", _path, None),
        ("listdir", _path, None),
    ):
        _original = getattr(os, _name)
        _wrapped = _wrap(_name, _original, _describe, _failure)
        for _group in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if _original in _group:
                _group.add(_wrapped)
        setattr(os, _name, _wrapped)
    os.write = _room_for(os.write)
    os.pwrite = _room_for(os.pwrite)
    fcntl.flock = _wrap("flock", fcntl.flock, _descriptor, None)
    os.posix_spawn = _wrap("spawn", os.posix_spawn, _spawned, errno.EAGAIN)
    os.posix_spawnp = _wrap("spawn", os.posix_spawnp, _spawned, errno.EAGAIN)
    # `subprocess` takes this over when it is imported, which is later than now.
    _posixsubprocess.fork_exec = _wrap("spawn", _posixsubprocess.fork_exec, _program, errno.EAGAIN)

if "VIZIER_CLOCK" in os.environ:
    import time

    _offset = int(os.environ["VIZIER_CLOCK"])
    _time, _time_ns = time.time, time.time_ns
    time.time = lambda: _time() + _offset
    time.time_ns = lambda: _time_ns() + _offset * 1_000_000_000
