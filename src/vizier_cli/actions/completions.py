"""`vizier completions`: prints the script that a shell evaluates (spec 09 §9)."""

import sys

from vizier_cli.cli.app import App
from vizier_cli.completion.registration import registration_script


def run(app: App) -> int:
    """Prints the script of the shell that was named."""
    sys.stdout.write(registration_script(app.arguments.positional("SHELL") or "", app.argv[0]))
    return 0
