"""Runs the scripts beside the tests (`*_probe.py`) in interpreters of their own.

What forks, kills or counts descriptors must not do so in the process that runs the tests: that has threads and
descriptors of its own.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

#: A probe that takes longer than this many seconds hangs.
PATIENCE = 60


def run_probe(script: Path, *arguments: str | Path, **variables: str) -> Any:
    """The JSON value that a probe prints last. Whatever else it has left running is killed."""
    command = [sys.executable, "-P", "-B", script, *arguments]
    environment = {**os.environ, **variables}
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as probe:
        try:
            output, errors = probe.communicate(timeout=PATIENCE)
        finally:
            kill_group(probe.pid)
    assert probe.returncode == 0, f"{output}\n{errors}"
    return json.loads(output.splitlines()[-1])


def kill_group(group: int) -> None:
    """Kills every process of a group that is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
