"""`vizier help`: the landing page, the full reference or the help of a command (spec 08 §5.1)."""

import sys

from vizier_cli.cli.app import App
from vizier_cli.cli.args import UsageError
from vizier_cli.cli.commands import ROOT
from vizier_cli.cli.help import LANDING_PAGE, command_help, full_reference


def run(app: App) -> int:
    """Prints help."""
    name = app.arguments.positional("COMMAND")
    if app.arguments.has("all"):
        print(full_reference(), end="")
    elif name is None:
        print(LANDING_PAGE, end="")
    else:
        command = ROOT.child(name)
        if command is None:
            print(UsageError(f"unrecognized subcommand '{name}'", [ROOT]), file=sys.stderr)
            return 1
        print(command_help([ROOT, command]), end="")
    return 0
