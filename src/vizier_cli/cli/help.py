"""Help texts, made from the declarations (spec 08 §5)."""

from collections.abc import Sequence
from typing import Final

from vizier_cli.cli.args import ENDING_OPTIONS, usage_line
from vizier_cli.cli.commands import GLOBAL_OPTIONS, ROOT
from vizier_cli.cli.declarations import Command, Kind, Option, Positional

LANDING_PAGE: Final = """\
vizier - coding agents and scripts at work on your repository, under your control

Core commands:
  vizier init --check            check that the repository is set up
  vizier list                    list pending plans
  vizier jobs list               list background jobs
  vizier run develop             run a workflow
  vizier audit develop           show what a workflow produces, needs and locks
  vizier release --dry-run       show what the next release would be

Examples:
  vizier jobs schedule --watch
  vizier jobs tail <job-id> --follow
  vizier completions zsh
  vizier help jobs

More help:
  vizier help --all              every command
  vizier help <command>          one command
  man vizier
"""


def full_reference() -> str:
    """The description of all commands and global options."""
    return command_help([ROOT])


def command_help(path: Sequence[Command]) -> str:
    """The help of one command (spec 08 §5.2)."""
    command = path[-1]
    sections = [command.help, f"Usage: {usage_line(path)}"]
    if command.commands:
        visible = [(c.name, c.help) for c in command.commands if not c.hidden]
        sections.append(_section("Commands", visible))
    if command.positionals:
        sections.append(_section("Arguments", [(p.usage, _described(p)) for p in command.positionals]))
    own = () if command is ROOT else command.options
    options = [option for option in (*own, *GLOBAL_OPTIONS, *ENDING_OPTIONS) if not option.hidden]
    sections.append(_section("Options", [(_spelled(option), _described(option)) for option in options]))
    return "\n\n".join(sections) + "\n"


def _section(title: str, rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"{title}:", *(f"  {name:<{width}}  {text}".rstrip() for name, text in rows)])


def _spelled(option: Option) -> str:
    short = f"-{option.short}, " if option.short else "    "
    return short + option.usage + ("..." if option.kind in {Kind.COUNT, Kind.VALUES} else "")


def _described(item: Option | Positional) -> str:
    text = item.help
    if isinstance(item, Option) and item.default:
        text += f" [default: {item.default}]"
    return text + (f" [possible values: {', '.join(item.choices)}]" if item.choices else "")
