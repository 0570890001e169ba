"""`vizier release`: plans a release, asks, makes it, and takes it back if its script fails (spec 09 §8)."""

import sys

from vizier_cli.actions.release_summary import (
    dry_run_text,
    failed_text,
    no_release_text,
    released_text,
    script_text,
)
from vizier_cli.cli.app import App
from vizier_cli.cli.confirm import confirm
from vizier_core.errors import OperationRefusedError, OptionError
from vizier_core.release import (
    Failure,
    Gate,
    Interrupted,
    Release,
    Start,
    check_preconditions,
    read_history,
    tag_exists,
)
from vizier_kernel.release import Bump, ReleasePlan, Version, VersionError


def run(app: App) -> int:
    """Releases, or shows what would be released."""
    arguments = app.arguments
    listed = int(arguments.value("max-commits") or 0)
    if listed < 1:
        raise OptionError("--max-commits must be at least 1")
    start = check_preconditions(app.root)
    gate = _gate(app)
    plan = _plan(app, start, listed)
    if plan.selected is Bump.NONE:
        print(no_release_text(plan))
        return 0
    if tag_exists(app.root, plan.version.tag):
        raise OperationRefusedError(
            f"target release tag {plan.version.tag} already exists; choose a different bump or remove the tag"
        )
    tagged = not arguments.has("no-tag")
    if arguments.has("dry-run"):
        print(dry_run_text(plan, tagged=tagged))
        return 0
    if not arguments.has("yes"):
        if not sys.stdin.isatty():
            raise OptionError("vizier release requires --yes when stdin is not a TTY")
        confirm(f"Create release {plan.version.tag} ({plan.selected.label} bump) from {plan.range_label}?")
    return _make(app, start, plan, gate, tagged=tagged)


def _plan(app: App, start: Start, listed: int) -> ReleasePlan:
    app.progress("reading the history since the last release")
    history = read_history(app.root, start)
    bumps = {"major": Bump.MAJOR, "minor": Bump.MINOR, "patch": Bump.PATCH}
    forced = next((bump for option, bump in bumps.items() if app.arguments.has(option)), None)
    plan = ReleasePlan(history.last, history.commits, forced, listed)
    try:
        _warn_of_higher_version(app, plan.version, history.highest_elsewhere)
    except VersionError as error:
        raise OperationRefusedError(str(error)) from None
    return plan


def _warn_of_higher_version(app: App, version: Version, elsewhere: Version | None) -> None:
    """A release of another branch may have taken a higher number (WS-09-20)."""
    if elsewhere is not None and elsewhere > version:
        app.warn(f"tag {elsewhere.tag} is not in the history of this branch and is higher than {version.tag}")


def _gate(app: App) -> Gate | None:
    """The command that decides: the one given, else the configured one."""
    if app.arguments.has("no-release-script"):
        return None
    given = app.arguments.value("release-script")
    if given is not None:
        if not given.strip():
            raise OptionError("--release-script must be a non-empty command")
        return Gate(given.strip(), "--release-script")
    configured = (app.settings.release_script or "").strip()
    return Gate(configured, "[release.gate].script") if configured else None


def _make(app: App, start: Start, plan: ReleasePlan, gate: Gate | None, *, tagged: bool) -> int:
    release = Release(app.root, start, plan, tagged=tagged, sign=app.settings.git.sign)
    try:
        outcome = release.make(gate, lambda script: print(script_text(script), flush=True))
    except Interrupted as signalled:
        print("interrupted; the release was taken back", file=sys.stderr)
        return 128 + signalled.number
    if isinstance(outcome, Failure):
        print(failed_text(plan, start, outcome))
        ended = "release commit/tag rolled back"
        if not outcome.rollback.complete:
            ended = "rollback incomplete; see output for recovery instructions"
        print(f"release script failed ({outcome.script.text}); {ended}", file=sys.stderr)
        return 1 if outcome.signal_number is None else 128 + outcome.signal_number
    print(released_text(plan, outcome, tagged=tagged))
    return 0
