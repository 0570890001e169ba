"""Runs the command that decides whether a release stays (spec 09 §8.9)."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

#: Seconds that the command gets to end after it was told to, when the release is interrupted.
_GRACE: Final = 5.0


class Gate(NamedTuple):
    """A command, and where it comes from."""

    command: str
    #: How outputs call its origin.
    source: str


class ScriptStatus(NamedTuple):
    """How the command ended."""

    passed: bool
    #: As outputs show it.
    text: str


def run_gate(gate: Gate, root: Path, variables: Mapping[str, str]) -> ScriptStatus:
    """Runs the command in the project root, on the streams and in the environment of this process.

    It may take as long as it likes. It reads from a terminal only: anything else on stdin was meant for somebody else
    (WS-09-21). It stays in the process group of this process, so that Ctrl-C reaches it.

    Args:
        gate: the command.
        root: the project root.
        variables: what it is told about the release; they replace inherited ones.
    """
    interactive = sys.stdin is not None and sys.stdin.isatty()
    sys.stdout.flush()
    try:
        script = subprocess.Popen(
            ["sh", "-c", gate.command],
            cwd=root,
            env={**os.environ, **variables},
            stdin=None if interactive else subprocess.DEVNULL,
        )
    except OSError as error:
        return ScriptStatus(False, f"failed to start ({error.strerror or error})")
    try:
        code = script.wait()
    except BaseException:
        _end(script)
        raise
    if code < 0:
        return ScriptStatus(False, "terminated by signal")
    return ScriptStatus(code == 0, f"exit {code}")


def _end(script: "subprocess.Popen[bytes]") -> None:
    script.terminate()
    try:
        script.wait(_GRACE)
    except subprocess.TimeoutExpired:
        script.kill()
        script.wait()
