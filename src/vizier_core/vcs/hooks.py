"""The repository's hooks, which run only where the configuration says so (decision D18)."""

from collections.abc import Mapping
from pathlib import Path

from vizier_core.errors import GitError, HookRefusedError
from vizier_core.vcs.checkout import Checkout


def run_hook(checkout: Checkout, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    """Runs a hook that may object; nothing happens if there is none, or hooks are off.

    Args:
        checkout: the working tree it runs in.
        name: the hook.
        arguments: what it is told.
        environment: further variables.

    Raises:
        HookRefusedError: it objects; the message has its words.
    """
    if not checkout.git.settings.hooks:
        return
    variables = {"GIT_EDITOR": ":", **(environment or {})}
    try:
        checkout.git.run("hook", "run", "--ignore-missing", name, "--", *arguments, environment=variables)
    except GitError as error:
        raise HookRefusedError(name, str(error).partition(": ")[2]) from None


def tell_hook(checkout: Checkout, name: str, *arguments: str) -> list[str]:
    """Runs a hook that is only told of what has happened; if it fails, a line for the operator."""
    try:
        run_hook(checkout, name, *arguments)
    except HookRefusedError as error:
        return [str(error)]
    return []


def check_message(checkout: Checkout, message: str, source: str, environment: Mapping[str, str] | None = None) -> str:
    """Lets the hooks see a commit message; what they make of it.

    Args:
        checkout: the working tree.
        message: the message.
        source: where it comes from, as `prepare-commit-msg` is told: `message`, `merge` or `squash`.
        environment: further variables.

    Raises:
        HookRefusedError: one of them objects.
    """
    if not checkout.git.settings.hooks:
        return message
    path: Path = checkout.git_directory / "COMMIT_EDITMSG"
    path.write_bytes(f"{message}\n".encode("utf-8", errors="surrogateescape"))
    run_hook(checkout, "prepare-commit-msg", str(path), source, environment=environment)
    run_hook(checkout, "commit-msg", str(path), environment=environment)
    return path.read_bytes().decode("utf-8", errors="surrogateescape").strip()
