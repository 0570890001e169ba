"""`vizier help`: the landing page, the full reference or the help of a command (spec 08 §5.1)."""

import sys

from vizier_cli.cli.app import App
from vizier_cli.cli.args import UsageError, similar_command
from vizier_cli.cli.commands import ROOT
from vizier_cli.cli.early import early_flags
from vizier_cli.cli.help import LANDING_PAGE, command_help, full_reference
from vizier_cli.cli.pager import show_help


def run(app: App) -> int:
    """Shows help."""
    name = app.arguments.positional("COMMAND")
    if name is not None:
        command = ROOT.child(name)
        if command is None:
            print(UsageError(f"unrecognized subcommand '{name}'{similar_command(name, ROOT)}", [ROOT]), file=sys.stderr)
            return 1
        text = command_help([ROOT, command])
    else:
        text = full_reference() if app.arguments.has("all") else LANDING_PAGE
    show_help(text, early_flags(app.argv[1:]))
    return 0
