"""Putting files into the index (spec 06 §§7.6, 12.3, 09 §13.4): all of what is asked for, or nothing."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from vizier_core.errors import OperationRefusedError
from vizier_core.vcs.checkout import Checkout
from vizier_core.vcs.git import Git
from vizier_core.vcs.index_lock import HeldIndex, held_index
from vizier_core.vcs.moving import recover_move
from vizier_core.vcs.paths import is_runtime_path, literal, path_in_tree, without_runtime_paths


def stage_paths(git: Git, paths: Iterable[str]) -> None:
    """Stages directories as `git add -A` does, and single files even if they are ignored.

    Of directories, what vizier keeps for itself is left out (WS-06-20). A file that is gone is staged as deleted.

    Args:
        git: in the directory that the paths are relative to (WS-06-19).
        paths: as templates write them.

    Raises:
        OperationRefusedError: a path is neither there nor tracked, or lies elsewhere; nothing was staged.
        GitError: git refuses; nothing was staged.
    """
    wanted = [path_in_tree(path, git.directory) for path in paths]
    directories = [path for path in wanted if _is_directory(git.directory / path)]
    files = [path for path in wanted if path not in directories]
    with held_index(Checkout(git), recover_move) as held:
        held.make_copy()
        index = _Index(git, held)
        index.require_known(files)
        index.add_directories(directories)
        index.add_files(files)
        held.publish()


def stage_exactly(git: Git, paths: Sequence[str]) -> None:
    """Makes the index agree with the files at these paths, ignored or not; what is gone is removed from it.

    Args:
        git: in the directory that the paths are relative to.
        paths: exact paths; entries in conflict are resolved by this, nothing else is touched.

    Raises:
        GitError: git refuses; nothing was staged.
    """
    if not paths:
        return
    with held_index(Checkout(git), recover_move) as held:
        held.make_copy()
        index = _Index(git, held)
        index.add_files([path for path in paths if _is_there(git.directory / path)])
        index.remove([path for path in paths if not _is_there(git.directory / path)])
        held.publish()


class _Index:
    """Git commands on the private copy of an index, run where the paths are relative to."""

    def __init__(self, git: Git, held: HeldIndex) -> None:
        self._git = git
        self._held = held

    def require_known(self, files: Sequence[str]) -> None:
        missing = [path for path in files if not _is_there(self._git.directory / path)]
        if not missing:
            return
        tracked = set(self._fields("ls-files", "-z", "--", *map(literal, missing)))
        unknown = [path for path in missing if path not in tracked]
        if unknown:
            raise OperationRefusedError(f"no such file, on disk or tracked: {', '.join(unknown)}")

    def add_directories(self, directories: Sequence[str]) -> None:
        if not directories:
            return
        specs = [*map(literal, directories), *without_runtime_paths()]
        # Tracked files first, for they count even where everything new is ignored.
        self._run("add", "--update", "--sparse", "--", *specs)
        untracked = self._fields("ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", *specs)
        self._add([path for path in untracked if not is_runtime_path(path.rstrip("/"))], top=True)

    def add_files(self, files: Sequence[str]) -> None:
        self._add(files, "--force")

    def remove(self, files: Sequence[str]) -> None:
        if files:
            self._run("rm", "--cached", "--quiet", "--ignore-unmatch", "--sparse", *_FROM_INPUT, data=_specs(files))

    def _add(self, paths: Sequence[str], *options: str, top: bool = False) -> None:
        if paths:
            self._run("add", "--all", "--sparse", *options, *_FROM_INPUT, data=_specs(paths, top=top))

    def _run(self, *arguments: str, data: bytes = b"") -> bytes:
        return self._held.run(*arguments, data=data, directory=self._git.directory)

    def _fields(self, *arguments: str) -> list[str]:
        return os.fsdecode(self._run(*arguments)).split("\0")[:-1]


#: Paths come on standard input, however many there are.
_FROM_INPUT = ("--pathspec-from-file=-", "--pathspec-file-nul")


def _specs(paths: Iterable[str], *, top: bool = False) -> bytes:
    magic = ":(top,literal)" if top else ":(literal)"
    return b"".join(os.fsencode(f"{magic}{path}") + b"\0" for path in paths)


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
