"""What a handler gets and what it returns (spec 06 §§3.3, 4)."""

import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from vizier_core.command import Finished, Output, run_program
from vizier_core.errors import OperationRefusedError
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.manifest import ManifestNode, RunManifest
from vizier_core.jobs.model import JobMetadata, JobRecord
from vizier_core.usage import Usage
from vizier_core.vcs.git import Git
from vizier_core.verbosity import Verbosity
from vizier_kernel.artifacts import Artifact
from vizier_kernel.workflow import Outcome


class NodeResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a node ended, as its handler sees it."""

    outcome: Outcome
    exit_code: int
    summary: str | None = None
    #: Published besides what the manifest declares for the outcome.
    artifacts: tuple[Artifact, ...] = ()
    #: Files it has written, as records store paths, in its order.
    payload_refs: tuple[str, ...] = ()
    metadata: JobMetadata | None = None
    stdout: Output | None = None
    stderr_lines: tuple[str, ...] = ()
    #: What the agents that it has asked have cost.
    usage: Usage | None = None


class RunningNode:
    """One node while its worker runs it.

    Args:
        context: the jobs.
        record: the job's record as it was at the start.
        manifest: its run.
        node: its entry there.
    """

    def __init__(self, context: JobsContext, record: JobRecord, manifest: RunManifest, node: ManifestNode) -> None:
        self.context = context
        self.store = context.store
        self.record = record
        self.manifest = manifest
        self.node = node

    @cached_property
    def execution_root(self) -> Path:
        """The directory the node works in, from the record alone, links resolved (spec 06 §4).

        Raises:
            OperationRefusedError: the recorded directory is missing or lies outside the project.
        """
        root = self.store.root
        meta = self.record.meta
        if (meta.execution_root or "").strip():
            key, value = "execution_root", meta.execution_root
        elif (meta.worktree_path or "").strip():
            key, value = "worktree_path", meta.worktree_path
        else:
            return root
        path = root / (value or "").strip()
        try:
            resolved = path.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OperationRefusedError(f"workflow metadata.{key} path {path} is invalid: {reason}") from None
        if resolved != root.resolve() and root.resolve() not in resolved.parents:
            raise OperationRefusedError(f"workflow metadata.{key} path {path} is outside repository root {root}")
        return resolved

    @property
    def git(self) -> Git:
        """Git in the execution root, with hooks and signing as they are configured."""
        return Git(self.execution_root, self.context.settings.git)

    @property
    def creator(self) -> str:
        """Who does it, for the logs of git's references."""
        return f"job {self.record.id}"

    def relative(self, path: Path) -> str:
        """A path as results store it: below the project root, else absolute."""
        return self.store.relative(path)

    @property
    def attempt(self) -> int:
        """Which attempt of the node this is, from 1."""
        attempt = self.record.meta.workflow_node_attempt
        return 1 if attempt is None else attempt

    def tell(self, line: str, level: Verbosity = Verbosity.NORMAL) -> None:
        """Puts a line into the job's stderr log, if the operator who started the run wants to read such lines."""
        if self.context.verbosity >= level:
            write_stderr(line + "\n")

    def run_shell(
        self,
        script: str,
        *,
        stdout: Callable[[str], None] | None = None,
        stderr: Callable[[str], None] | None = None,
    ) -> Finished:
        """Runs a script in a login shell in the execution root (spec 06 §3.6).

        Args:
            script: shell text.
            stdout: receives its output piece by piece; the job's log if omitted.
            stderr: likewise.

        Raises:
            OSError: there is no shell.
        """
        return run_program(
            ["sh", "-lc", script],
            self.execution_root,
            self.store.job_directory(self.record.id),
            stdout=stdout or write_stdout,
            stderr=stderr or write_stderr,
        )


class RefusedResultError(Exception):
    """Ends the steps of a handler with a failed result; its text is the summary, without the operation."""


Handler = Callable[[RunningNode], NodeResult]


def succeeded(summary: str, **more: Any) -> NodeResult:
    """A node that did what it should."""
    return NodeResult(outcome=Outcome.SUCCEEDED, exit_code=0, summary=summary, **more)


def failed(summary: str, exit_code: int = 1, **more: Any) -> NodeResult:
    """A node that could not do it."""
    return NodeResult(outcome=Outcome.FAILED, exit_code=exit_code, summary=summary, **more)


def blocked(summary: str, **more: Any) -> NodeResult:
    """A node that needs somebody else first."""
    return NodeResult(outcome=Outcome.BLOCKED, exit_code=10, summary=summary, **more)


def read_flag(text: str | None) -> bool | None:
    """A boolean argument; None if it is absent or no boolean (spec 06 §1)."""
    word = (text or "").strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    return False if word in {"0", "false", "no", "off"} else None


def write_stdout(text: str) -> None:
    """Puts text into the job's stdout log at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_stderr(text: str) -> None:
    """Puts text into the job's stderr log at once."""
    sys.stderr.write(text)
    sys.stderr.flush()
