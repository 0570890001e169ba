"""From the command line to an action, and from what it raises to an exit code (spec 08 §§2-3)."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from vizier_cli.cli.args import Arguments, HelpRequested, UsageError, VersionRequested, parse
from vizier_cli.cli.commands import ROOT
from vizier_cli.cli.early import early_flags
from vizier_cli.cli.rewrite import rewrite_dynamic_flags
from vizier_cli.cli.streams import (
    READER_GONE,
    needs_utf8_mode,
    prepare_streams,
    quiet_when_nobody_reads,
    restart_in_utf8_mode,
)
from vizier_core.errors import VizierError, explain
from vizier_core.version import __version__

if TYPE_CHECKING:
    from vizier_cli.cli.app import App


def dispatch(argv: list[str]) -> int:
    """Runs the command that a command line names; the exit code.

    Args:
        argv: the command line as typed, the program's name first.
    """
    prepare_streams()
    if needs_utf8_mode():
        restart_in_utf8_mode()
    try:
        with quiet_when_nobody_reads():
            code = _answer(argv)
            sys.stdout.flush()
    except BrokenPipeError:
        return READER_GONE
    except OSError as error:
        print(f"cannot write the output: {error.strerror or error}", file=sys.stderr)
        return 1
    return code


def _answer(argv: list[str]) -> int:
    try:
        arguments = parse(ROOT, rewrite_dynamic_flags(argv[1:]))
    except VersionRequested as request:
        print("-".join(command.name for command in request.path), __version__)
        return 0
    except HelpRequested as request:
        return _help(request, argv)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return _act(arguments, argv)


def _help(request: HelpRequested, argv: list[str]) -> int:
    """Answers `--help`; behind the flow of `run` it is about that flow (spec 08 §5.4)."""
    from vizier_cli.cli.help import LANDING_PAGE, command_help  # noqa: PLC0415 - only for help
    from vizier_cli.cli.pager import show_help  # noqa: PLC0415 - only for help

    command, flags = request.path[-1], early_flags(argv[1:])
    if command.action == "run" and request.words:
        arguments = Arguments(request.path)
        arguments.positionals["FLOW"] = [request.words[0]]
        if flags.config_file is not None:
            arguments.values["config-file"] = flags.config_file
        return _act(arguments, argv, "flow_help")
    show_help(LANDING_PAGE if command is ROOT else command_help(request.path), flags)
    return 0


def _act(arguments: Arguments, argv: list[str], action: str = "") -> int:
    """Runs an action, by default that of the command; a group answers with its help."""
    command = arguments.command
    if not command.action:
        return _help(HelpRequested(arguments.path), argv)
    from vizier_cli.cli.app import App  # noqa: PLC0415 - help and usage errors do without

    app = App(arguments, argv)
    run: Callable[[App], int] = import_module(f"vizier_cli.actions.{action or command.action}").run
    try:
        if not (command.anywhere or command.prepares_itself):
            app.prepare()
        return run(app)
    except VizierError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        _trace(app)
        print(explain(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a defect of ours, but still no reason for a traceback
        _trace(app)
        print(f"internal error: {type(error).__name__}: {error} (run with --debug for details)", file=sys.stderr)
        return 1


def _trace(app: "App") -> None:
    if app.arguments.has("debug"):
        import traceback  # noqa: PLC0415 - for debugging only

        traceback.print_exc()
