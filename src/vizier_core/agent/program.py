"""Whether a program can be started, and the wrappers that make it print line by line (spec 07 §6.2)."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from vizier_core.agent.flags import environment_flag

#: Programs that make another one flush every line it prints, best first.
_WRAPPERS: Final = (("stdbuf", "-oL", "-eL"), ("unbuffer", "-p"))


def find_program(name: str, cwd: Path) -> Path:
    """The file that starting a program executes.

    Args:
        name: with a slash a path, else a name to be searched on PATH.
        cwd: where it is started; relative paths are relative to it.

    Raises:
        FileNotFoundError: there is none.
        PermissionError: there is one, but it is not executable.
    """
    candidates = [path for path in _candidates(name, cwd) if path.exists()]
    if not candidates:
        raise FileNotFoundError(name)
    executable = next((path for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)
    if executable is None:
        raise PermissionError(name)
    return executable


def line_buffered(argv: Sequence[str], cwd: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arguments with the first wrapper there is in front, and the names of those that are not there.

    VIZIER_DISABLE_STDBUF=1 leaves the arguments as they are. The caller has looked for the program before, so that a
    wrapper need not explain that it is missing (WS-07-18).
    """
    if environment_flag("VIZIER_DISABLE_STDBUF"):
        return tuple(argv), ()
    missing = []
    for wrapper, *options in _WRAPPERS:
        try:
            find_program(wrapper, cwd)
        except OSError:
            missing.append(wrapper)
            continue
        return (wrapper, *options, *argv), tuple(missing)
    return tuple(argv), tuple(missing)


def _candidates(name: str, cwd: Path) -> Iterator[Path]:
    if "/" in name:
        yield cwd / name
        return
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield cwd / directory / name
