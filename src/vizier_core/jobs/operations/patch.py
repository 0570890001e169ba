"""Patches: saving what has changed, and applying saved changes in order (spec 06 §§7.11-7.12)."""

from pathlib import Path
from typing import Any, Final

from vizier_core.errors import GitError, PatchError
from vizier_core.files import atomic_write
from vizier_core.jobs.codec import Document, pretty
from vizier_core.jobs.model import JobMetadata
from vizier_core.jobs.operations.git import files_of
from vizier_core.jobs.operations.names import usable_checkout
from vizier_core.jobs.operations.node import Handler, NodeResult, RunningNode, failed, succeeded, write_stderr
from vizier_core.timestamp import Timestamp
from vizier_core.vcs.patches import apply_patches, untracked_files, working_tree_patch
from vizier_core.vcs.paths import normalise_path
from vizier_kernel.artifacts import Artifact, ArtifactKind


def save_patch(running: RunningNode) -> NodeResult:
    """Saves what has changed in the node's working tree.

    Raises:
        OSError: the patch cannot be written.
    """
    try:
        path = _save(running)
    except GitError as error:
        return failed(f"git.save_worktree_patch could not produce patch: {error}")
    place = running.relative(path)
    return succeeded(
        "saved worktree patch",
        artifacts=(_artifact(running),),
        payload_refs=(place,),
        metadata=JobMetadata(patch_file=place, patch_index=1, patch_total=1),
    )


def prepare(running: RunningNode) -> NodeResult:
    """Checks that all patches are there, and notes which they are.

    Raises:
        OSError: the note cannot be written.
    """
    try:
        names = files_of(running)
    except ValueError as error:
        return failed(f"{running.node.executor_operation}: patch pipeline operation {error}")
    files = [running.execution_root / normalise_path(name) for name in names]
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        return failed(f"patch.pipeline_prepare missing patch file {missing}")
    place = _note(running, "patch-pipeline.json", {"files": names}, "prepared_at")
    return succeeded(
        "patch pipeline prepared",
        payload_refs=(place,),
        metadata=JobMetadata(patch_file=place, patch_index=0, patch_total=len(files)),
    )


def execute(running: RunningNode) -> NodeResult:
    """Applies all patches, or none if one of them does not apply."""
    try:
        names = files_of(running)
    except ValueError as error:
        return failed(f"{running.node.executor_operation}: patch pipeline operation {error}")
    files = [running.execution_root / normalise_path(name) for name in names]
    try:
        apply_patches(usable_checkout(running).git, files)
    except PatchError as error:
        return failed(f"patch.execute_pipeline failed applying {error.patch}: {error}")
    return succeeded("patch pipeline executed", metadata=JobMetadata(patch_index=len(files), patch_total=len(files)))


def finalize(running: RunningNode) -> NodeResult:
    """Saves what has changed, and that the pipeline has ended.

    Raises:
        OSError: a file cannot be written.
    """
    try:
        path = _save(running)
    except GitError as error:
        return failed(f"patch.pipeline_finalize could not capture patch: {error}")
    place = running.relative(path)
    note = _note(running, "patch-pipeline.finalize.json", {"patch_path": place}, "finalized_at")
    return succeeded(
        "patch pipeline finalized",
        artifacts=(_artifact(running),),
        payload_refs=(place, note),
        metadata=JobMetadata(patch_file=place),
    )


def _save(running: RunningNode) -> Path:
    path = running.store.job_directory(running.record.id) / "command.patch"
    git = usable_checkout(running).git
    patch = working_tree_patch(git)
    atomic_write(path, patch, mode=running.store.file_mode, durable=False)
    untracked = untracked_files(git)
    if untracked:
        # A patch of what HEAD has cannot contain them (WS-09-42).
        write_stderr(f"not in the patch, because untracked: {', '.join(untracked)}\n")
    return path


def _artifact(running: RunningNode) -> Artifact:
    return Artifact(ArtifactKind.COMMAND_PATCH, running.record.id)


def _note(running: RunningNode, name: str, content: dict[str, Any], when: str) -> str:
    document: Document = {
        **content,
        "job_id": running.record.id,
        "node_id": running.node.node_id,
        when: Timestamp.now().offset_form(),
    }
    path = running.store.job_directory(running.record.id) / name
    ascending = {key: document[key] for key in sorted(document)}
    atomic_write(path, pretty(ascending), mode=running.store.file_mode, durable=False)
    return running.relative(path)


HANDLERS: Final[dict[str, Handler]] = {
    "git.save_worktree_patch": save_patch,
    "patch.pipeline_prepare": prepare,
    "patch.execute_pipeline": execute,
    "patch.pipeline_finalize": finalize,
}
