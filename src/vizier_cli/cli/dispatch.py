"""From the command line to an action, and from what it raises to an exit code (spec 08 §§2-3)."""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from vizier_cli.cli.args import Arguments, HelpRequested, UsageError, VersionRequested, parse
from vizier_cli.cli.commands import ROOT
from vizier_cli.cli.rewrite import rewrite_dynamic_flags
from vizier_core.errors import VizierError
from vizier_core.version import __version__

if TYPE_CHECKING:
    from vizier_cli.cli.app import App


def dispatch(argv: list[str]) -> int:
    """Runs the command that a command line names; the exit code.

    Args:
        argv: the command line as typed, the program's name first.
    """
    try:
        arguments = parse(ROOT, rewrite_dynamic_flags(argv[1:]))
    except VersionRequested as request:
        print("-".join(command.name for command in request.path), __version__)
        return 0
    except HelpRequested as request:
        from vizier_cli.cli.help import command_help  # noqa: PLC0415 - only for help

        print(command_help(request.path), end="")
        return 0
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return _act(arguments, argv)


def _act(arguments: Arguments, argv: list[str]) -> int:
    if not arguments.command.action:
        from vizier_cli.cli.help import LANDING_PAGE  # noqa: PLC0415 - only for help

        print(LANDING_PAGE, end="")
        return 0
    from vizier_cli.cli.app import App  # noqa: PLC0415 - help and usage errors do without

    app = App(arguments, argv)
    run: Callable[[App], int] = import_module(f"vizier_cli.actions.{arguments.command.action}").run
    try:
        if not (arguments.command.anywhere or arguments.command.reads_config_itself):
            app.settings  # noqa: B018 - a broken configuration fails every command that works on a project
        code = run(app)
        sys.stdout.flush()
    except VizierError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads has seen enough. Keep the interpreter from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        _trace(app)
        print(_os_error_text(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a defect of ours, but still no reason for a traceback
        _trace(app)
        print(f"internal error: {type(error).__name__}: {error} (run with --debug for details)", file=sys.stderr)
        return 1
    return code


def _os_error_text(error: OSError) -> str:
    names = " -> ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    return f"{names}: {error.strerror or error}" if names else str(error)


def _trace(app: "App") -> None:
    if app.arguments.has("debug"):
        import traceback  # noqa: PLC0415 - for debugging only

        traceback.print_exc()
