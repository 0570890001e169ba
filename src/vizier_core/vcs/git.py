"""Runs git: one place for its environment, its errors and its version (design §4, rulings R76, 06 §12.3)."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from vizier_core.config.settings import GitSettings
from vizier_core.errors import GitError

#: `merge-tree --write-tree` appeared in this version.
OLDEST_GIT: Final = (2, 38)

#: Of git's own variables only these reach it: where its configuration is, how it reaches a network (LFS), and tracing.
_KEPT: Final = re.compile(
    r"GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|SSL_\w+|SSH\w*|ASKPASS|HTTP_\w+|PROXY_\w+|LFS_\w+|TRACE\w*|EXEC_PATH|TEMPLATE_DIR)"
)
#: Settings of the user's that would change what a command of ours means, or start things that outlive it.
_FIXED: Final = (
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
    "submodule.recurse=false",
    "merge.conflictStyle=merge",
)
_SET: Final = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}

_NOTHING_EXTRA: Final = GitSettings()


class Git:
    """Git in one directory.

    Args:
        directory: a working tree or a git directory.
        settings: whether hooks run and commits are signed; neither if omitted (decision D18).
    """

    def __init__(self, directory: Path, settings: GitSettings = _NOTHING_EXTRA) -> None:
        self.directory = directory
        self.settings = settings
        configured = _FIXED if settings.hooks else (*_FIXED, "core.hooksPath=/dev/null")
        self._command = ["git", *(word for setting in configured for word in ("-c", setting))]

    def at(self, directory: Path) -> "Git":
        """The same in another directory."""
        return Git(directory, self.settings)

    def run(
        self,
        *arguments: str,
        data: bytes = b"",
        accept: Sequence[int] = (0,),
        environment: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs one git command and waits for it.

        Args:
            arguments: the command and its arguments.
            data: text for its standard input.
            accept: exit codes that are no error.
            environment: further variables.
            keep_open: descriptors that the command and all it starts hold open.

        Raises:
            GitError: git is missing or ended with another exit code; the message carries its words.
        """
        try:
            done = subprocess.run(
                [*self._command, *arguments],
                input=data,
                cwd=self.directory,
                env={**clean_environment(), **(environment or {})},
                capture_output=True,
                check=False,
                pass_fds=keep_open,
            )
        except FileNotFoundError:
            if self.directory.is_dir():
                raise GitError("the git program was not found; install git 2.38 or newer") from None
            raise GitError(f"{self.directory} does not exist") from None
        except OSError as error:
            raise GitError(f"git cannot be started: {error.strerror or error}") from None
        if done.returncode not in accept:
            words = done.stderr.decode("utf-8", errors="replace").strip() or f"exit code {done.returncode}"
            raise GitError(f"git {arguments[0]} failed: {words}")
        return done

    def text(self, *arguments: str, accept: Sequence[int] = (0,)) -> str:
        """What a command prints, without the final line end; bytes that are no UTF-8 come back as surrogates."""
        return os.fsdecode(self.run(*arguments, accept=accept).stdout).removesuffix("\n")

    def fields(self, *arguments: str, accept: Sequence[int] = (0,)) -> list[str]:
        """What a command prints with `-z`: names of any bytes, without the NULs."""
        return os.fsdecode(self.run(*arguments, accept=accept).stdout).split("\0")[:-1]

    def require_version(self) -> None:
        """Checks that git is new enough.

        Raises:
            GitError: it is not; the message names the version found and the one needed.
        """
        found = self.text("--version")
        match = re.search(r"(\d+)\.(\d+)", found)
        if match is None or (int(match[1]), int(match[2])) < OLDEST_GIT:
            needed = ".".join(map(str, OLDEST_GIT))
            raise GitError(f"this operation needs git {needed} or newer, found {found.removeprefix('git version ')}")


def clean_environment() -> dict[str, str]:
    """The environment for git: the process's own, without what hooks and wrappers leave behind (WS-07-30)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    return {**kept, **_SET}
