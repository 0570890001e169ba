"""`git.stage`, `git.commit` and `git.stage_commit` (spec 06 §§7.6-7.8)."""

from collections.abc import Sequence
from typing import Final

import msgspec

from vizier_core.errors import OperationInProgressError, OperationRefusedError, VizierError
from vizier_core.jobs.operations.names import usable_checkout
from vizier_core.jobs.operations.node import (
    Handler,
    NodeResult,
    RefusedResultError,
    RunningNode,
    failed,
    succeeded,
    write_stderr,
)
from vizier_core.jobs.operations.payloads import expand_payload_call
from vizier_core.vcs.commits import commit_staged, refuse_in_progress
from vizier_core.vcs.staging import stage_exactly, stage_paths
from vizier_kernel.artifacts import ArtifactKind
from vizier_kernel.plan_document import plan_document_path

_DEFAULT_MESSAGE: Final = "chore: workflow stage commit"


def stage(running: RunningNode) -> NodeResult:
    """Stages the files of the arguments and the plan documents that the node declares."""
    try:
        files = files_of(running)
    except ValueError as error:
        return failed(f"git.stage {error}")
    try:
        usable_checkout(running)
        _stage(running, files)
    except RefusedResultError as refusal:
        return failed(f"git.stage {refusal}")
    return succeeded("git.stage staged changes")


def commit(running: RunningNode) -> NodeResult:
    """Commits what is staged; nothing staged is a success."""
    try:
        return _commit(running)
    except RefusedResultError as refusal:
        return failed(f"git.commit {refusal}")


def stage_and_commit(running: RunningNode) -> NodeResult:
    """Stages everything that has changed, and commits it."""
    try:
        usable_checkout(running)
        _stage(running, ["."])
        return _commit(running)
    except RefusedResultError as refusal:
        return failed(f"git.stage_commit {refusal}")


def files_of(running: RunningNode) -> list[str]:
    """The files of the argument `files_json`.

    Raises:
        ValueError: the argument is missing, empty or no list of texts; the message goes behind the operation's name.
    """
    text = running.node.args.get("files_json")
    if text is None:
        raise ValueError("requires args.files_json")
    try:
        files = msgspec.json.decode(text.encode("utf-8", errors="surrogateescape"), type=list[str])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"has invalid files_json payload: {error}") from None
    if not files:
        raise ValueError("requires at least one value in args.files_json")
    return files


def _stage(running: RunningNode, files: Sequence[str]) -> None:
    git = running.git
    try:
        stage_paths(git, files)
    except VizierError as error:
        raise RefusedResultError(f"failed to stage changes: {error}") from None
    declared = (a.first.strip() for a in running.node.artifacts_by_outcome.succeeded if a.kind is ArtifactKind.PLAN_DOC)
    documents = [plan_document_path(slug) for slug in dict.fromkeys(declared) if slug]
    for document in documents:
        if not (git.directory / document).is_file():
            raise RefusedResultError(f"expected plan doc `{document}` for declared plan_doc artifact")
    try:
        stage_exactly(git, documents)
    except VizierError as error:
        raise RefusedResultError(f"failed to stage plan docs: {error}") from None


def _commit(running: RunningNode) -> NodeResult:
    name = running.node.executor_operation
    try:
        checkout = usable_checkout(running)
        conflicts = checkout.conflicts()
        nothing = not conflicts and not checkout.staged()
    except VizierError as error:
        raise RefusedResultError(f"could not inspect staged changes: {error}") from None
    if nothing:
        return succeeded(f"{name}: no staged changes")
    try:
        refuse_in_progress(checkout)
    except OperationInProgressError as error:
        raise RefusedResultError(f"failed to create commit: {error}") from None
    try:
        message = _message(running)
    except VizierError as error:
        raise RefusedResultError(f"could not resolve commit message: {error}") from None
    try:
        lines = commit_staged(running.git, message)
    except VizierError as error:
        raise RefusedResultError(f"failed to create commit: {error}") from None
    for line in lines:
        write_stderr(f"{line}\n")
    return succeeded(f"{name} committed changes", stderr_lines=tuple(lines))


def _message(running: RunningNode) -> str:
    given = running.node.arg("message", "commit_message") or _DEFAULT_MESSAGE
    message = expand_payload_call(running, given).strip()
    if not message:
        raise OperationRefusedError("empty commit message")
    return message


HANDLERS: Final[dict[str, Handler]] = {
    "git.stage": stage,
    "git.commit": commit,
    "git.stage_commit": stage_and_commit,
}
