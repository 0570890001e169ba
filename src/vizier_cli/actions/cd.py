"""`vizier cd`: refused, with what to do instead (spec 09 §6)."""

from vizier_cli.cli.app import App
from vizier_core.errors import OperationRefusedError, OptionError
from vizier_kernel.names import plan_slug


def run(app: App) -> int:
    """Always fails, and changes nothing."""
    name = app.arguments.positional("PLAN")
    if name is None:
        raise OptionError("plan argument is required for vizier cd")
    try:
        slug = plan_slug(name)
    except ValueError as error:
        raise OptionError(str(error)) from None
    branch = app.arguments.value("branch") or f"draft/{slug}"
    ignored = " (path-only flag ignored)" if app.arguments.has("path-only") else ""
    raise OperationRefusedError(
        f"vizier cd is deprecated: there is no workspace for plan {slug} on branch {branch}{ignored}\n"
        "vizier cd is deprecated: jobs work in worktrees of their own; "
        "`vizier jobs list` shows them and `vizier jobs show <job-id>` says where"
    )
