"""Chooses how to start workers (rulings R82, R83, R88)."""

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

from vizier_core import process
from vizier_core.jobs.settings import LauncherForm
from vizier_core.launcher.fork import ForkLauncher, worker_title
from vizier_core.launcher.port import Commit, Forked, Launcher, StartedWorker, StartRequest
from vizier_core.launcher.spawn import SpawnLauncher


def make_launcher(form: LauncherForm, program: Path) -> Launcher:
    """The launcher that the setting asks for; fork only where it is possible at all.

    Args:
        form: the setting.
        program: the directory of `vizier`, for workers that are new programs and cannot find it out.
    """
    if form is LauncherForm.EXEC or sys.platform != "linux":
        return SpawnLauncher(program)
    return ForkingLauncher(program)


#: So long an upgrade of the program may go unnoticed, in seconds.
_LOOK_AT_FILES_EVERY: Final = 1.0
#: What every worker uses; the operations of nodes that run a shell among them, as most nodes do.
_WORKER_MODULES: Final = (
    "setproctitle",
    "vizier_core.jobs.workflow_runtime",
    "vizier_core.jobs.operations.shell",
    "vizier_core.jobs.operations.gates",
)


class ForkingLauncher(ForkLauncher):
    """Forks while that is sound, and runs the program anew when it is not.

    Args:
        program: the directory of `vizier`.
    """

    def __init__(self, program: Path) -> None:
        super().__init__()
        self._program = program
        self._spawn: SpawnLauncher | None = None
        # Imported here once, so that forked workers find them loaded.
        for name in _WORKER_MODULES:
            import_module(name)
        self._files = _loaded_files()
        self._files_checked_at = time.monotonic()
        self._title_space = _title_space()

    def start(self, request: StartRequest, commit: Commit, on_fork: Callable[[], None]) -> StartedWorker | Forked:
        """See :meth:`vizier_core.launcher.port.Launcher.start`."""
        if self._can_fork(request):
            return super().start(request, commit, on_fork)
        if self._spawn is None:
            self._spawn = SpawnLauncher(self._program)
        return self._spawn.start(request, commit, on_fork)

    def reap_children(self) -> None:
        """Collects the ended workers of both kinds."""
        super().reap_children()
        if self._spawn is not None:
            self._spawn.reap_children()

    def _can_fork(self, request: StartRequest) -> bool:
        """Another thread could hold any lock; a new program must not run in old memory; the title needs room."""
        return (
            process.thread_count() == 1
            and len(os.fsencode(worker_title(request.child_args))) < self._title_space
            and self._files_are_unchanged()
        )

    def _files_are_unchanged(self) -> bool:
        """Whether the program is still the one that was loaded; workers inherit when that was last looked at."""
        if time.monotonic() - self._files_checked_at > _LOOK_AT_FILES_EVERY:
            if any(_changed_at(path) != changed for path, changed in self._files.items()):
                return False
            self._files_checked_at = time.monotonic()
        return True


def _loaded_files() -> dict[str, int]:
    """The program's files that this process has loaded, with the time of their last change."""
    packages = ("vizier_kernel", "vizier_hcl", "vizier_core", "vizier_cli")
    modules = (module for name, module in list(sys.modules.items()) if name.partition(".")[0] in packages)
    paths = {path for module in modules if (path := getattr(module, "__file__", None))}
    return {path: _changed_at(path) for path in paths}


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return -1


def _title_space() -> int:
    """Bytes that `ps` reads as the command line of this process, its environment included."""
    try:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[48]) - int(fields[45])
    except (OSError, IndexError, ValueError):
        return 0
