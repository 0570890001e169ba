"""The script that lets a shell complete vizier's command lines (spec 09 §9.1)."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

#: Stands in the scripts for the command that runs this program.
_PROGRAM: Final = "@VIZIER@"
_SCRIPTS: Final = Path(__file__).with_name("scripts")


def registration_script(shell: str, program: str) -> str:
    """The script for a shell; it holds no list of commands, but asks the program each time.

    Args:
        shell: its name, as `vizier completions` takes it.
        program: how this program was started, `argv[0]`.
    """
    text = (_SCRIPTS / f"vizier.{shell}").read_text(encoding="utf-8")
    return text.replace(_PROGRAM, _QUOTED[shell](_command(program)))


def _command(program: str) -> list[str]:
    """A command that runs this program from wherever the shell may be (WS-09-24)."""
    if os.path.basename(program) == "__main__.py":
        return [sys.executable, "-m", "vizier_cli"]
    found = shutil.which("vizier")
    if os.sep not in program or (found and os.path.exists(program) and os.path.samefile(found, program)):
        # By its name: an installation may move, and the script is often kept.
        return [os.path.basename(program)]
    return [os.path.abspath(program)]


def _posix(words: Sequence[str]) -> str:
    return shlex.join(words)


def _fish(words: Sequence[str]) -> str:
    escaped = (word.replace("\\", "\\\\").replace("'", "\\'") for word in words)
    return " ".join(f"'{word}'" for word in escaped)


def _elvish(words: Sequence[str]) -> str:
    first, *rest = ("'" + word.replace("'", "''") + "'" for word in words)
    return " ".join([f"(external {first})", *rest])


def _powershell(words: Sequence[str]) -> str:
    return "& " + " ".join("'" + word.replace("'", "''") + "'" for word in words)


_QUOTED: Final[dict[str, Callable[[Sequence[str]], str]]] = {
    "bash": _posix,
    "elvish": _elvish,
    "fish": _fish,
    "powershell": _powershell,
    "zsh": _posix,
}
