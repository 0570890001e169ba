"""Answers a shell that asks what could stand where the cursor is (spec 09 §9.2)."""

import os
import sys
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final

from vizier_cli.cli.commands import ROOT
from vizier_cli.completion.candidates import Candidate, candidates_for
from vizier_cli.completion.values import known_values

#: Set by the scripts to the name of the shell.
VARIABLE: Final = "COMPLETE"


class Shell(Enum):
    """A shell that can ask; the value is what the registration script is called."""

    BASH = "bash"
    ELVISH = "elvish"
    FISH = "fish"
    POWERSHELL = "powershell"
    ZSH = "zsh"


_NAMES: Final = {
    **{shell.value: shell for shell in Shell},
    "pwsh": Shell.POWERSHELL,
    "powershell_ise": Shell.POWERSHELL,
}


def answer(argv: Sequence[str]) -> int:
    """Prints the candidates for the last word of a command line, or the registration script if there is no word.

    Args:
        argv: the program's command line; the one that is completed follows the first `--`.

    Returns:
        The exit code.
    """
    asked = os.environ.pop(VARIABLE)
    shell = _NAMES.get(os.path.basename(asked).partition(".")[0])
    if shell is None:
        listed = ", ".join(sorted(_NAMES))
        print(f"unknown shell `{asked}` in {VARIABLE}; expected one of {listed}", file=sys.stderr)
        return 1
    words = argv[list(argv).index("--") + 1 :]
    if words:
        text = "".join(f"{line}\n" for line in _lines(shell, candidates_for(ROOT, words[1:] or [""], known_values)))
    else:
        from vizier_cli.completion.registration import registration_script  # noqa: PLC0415 - once per shell

        text = registration_script(shell.value, argv[0])
    try:
        sys.stdout.buffer.write(os.fsencode(text))
        sys.stdout.flush()
    except OSError:
        # The shell has given up; nothing shall be said in the middle of a command line.
        os._exit(0)
    return 0


def _lines(shell: Shell, found: Iterable[Candidate]) -> Iterable[str]:
    for value, description in found:
        if not value.isprintable():
            continue  # would be two lines, or steer the terminal
        first = description.partition("\n")[0]
        if shell in {Shell.FISH, Shell.POWERSHELL}:
            yield f"{value}\t{first}" if first else value
        elif shell is Shell.ZSH:
            escaped = value.replace("\\", "\\\\").replace(":", "\\:")
            yield f"{escaped}:{first}" if first else escaped
        else:
            yield value
