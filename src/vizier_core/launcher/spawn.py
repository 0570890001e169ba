"""Starts workers by running the program anew: works everywhere, costs an interpreter start (ruling R80).

The worker's standard input is a pipe that tells it when the record names it; the start token tells it which record
entry is its own.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from vizier_core.jobs.worker_options import PROGRAM_OPTION, TOKEN_OPTION
from vizier_core.launcher.local import LocalWorkers, new_token
from vizier_core.launcher.port import Commit, StartedWorker, StartRequest

#: Runs this program; `-P` keeps the project's own files from shadowing Python modules.
THIS_PROGRAM: Final = (sys.executable, "-P", "-m", "vizier_core.worker")


class SpawnLauncher(LocalWorkers):
    """A worker is a new process.

    Args:
        program: the directory of `vizier`, which the worker passes on: its agents are looked for beside it.
    """

    def __init__(self, program: Path) -> None:
        super().__init__()
        self._program = program

    def start(self, request: StartRequest, commit: Commit, on_fork: Callable[[], None]) -> StartedWorker:
        """Spawns; see :meth:`vizier_core.launcher.port.Launcher.start`. Nothing is ever forked here."""
        self.reap_children()
        token = new_token()
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        stdout = os.open(request.stdout, append, request.file_mode)
        stderr = os.open(request.stderr, append, request.file_mode)
        wait, release = os.pipe()
        try:
            child = subprocess.Popen(
                [*THIS_PROGRAM, *request.child_args, TOKEN_OPTION, token, PROGRAM_OPTION, str(self._program)],
                cwd=request.root,
                stdin=wait,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            worker = self._identify(child.pid, token)
            # The set of children reaps it; the object would complain that it is still running.
            child.returncode = 0
            commit(worker.identity, worker.pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(release, b"1")
        finally:
            for descriptor in (stdout, stderr, wait, release):
                os.close(descriptor)
        return worker
