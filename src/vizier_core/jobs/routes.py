"""Where the outcome of a node leads (spec 01 §9, 06 §10).

Success hands the execution context to the next nodes; failure and blocking rewind the nodes that shall try again. Both
are part of the same critical section as the node's finalisation, and both survive a kill at any point: the context is
handed on *before* the node counts as succeeded, a rewind is written down before it counts as failed.
"""

from collections.abc import Sequence

import msgspec

from vizier_core.errors import VizierError
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.lifecycle import finalize_job, merge_metadata
from vizier_core.jobs.manifest import ManifestNode, RunManifest, read_manifest
from vizier_core.jobs.model import JobMetadata, JobRecord
from vizier_core.jobs.rewind import (
    ExecutionContext,
    Rewind,
    RunningInSetError,
    check_merge_state,
    perform_rewind,
    plan_rewind,
    write_intention,
)
from vizier_core.project import git_directory
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import JobStatus, WaitKind, WaitReason
from vizier_kernel.workflow import Outcome, Route

#: The status of a job whose node ended like this (spec 06 §3.4).
STATUS_OF_OUTCOME = {
    Outcome.SUCCEEDED: JobStatus.SUCCEEDED,
    Outcome.FAILED: JobStatus.FAILED,
    Outcome.BLOCKED: JobStatus.BLOCKED_BY_DEPENDENCY,
    Outcome.CANCELLED: JobStatus.CANCELLED,
}

_OUTCOMES = frozenset(outcome.value for outcome in Outcome)


class NodeEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a workflow node ended."""

    outcome: Outcome
    exit_code: int
    #: What the node's own run, or the discovery of its death, adds to the metadata.
    update: JobMetadata
    #: What it has published; None for nothing, as of a worker that died.
    written: tuple[Artifact, ...] | None = None


class _Followed(msgspec.Struct, frozen=True):
    """What came of looking at the routes of a failed or blocked node."""

    rewind: Rewind | None = None
    #: Why a route was not taken for good.
    refusal: WaitReason | None = None
    #: A route has to wait until a job it leads to has ended.
    pending: bool = False


def end_node(context: JobsContext, record: JobRecord, end: NodeEnd, manifest: RunManifest | None) -> bool:
    """Finalises the job of a node and follows its routes; the scheduler lock must be held.

    Args:
        context: the jobs, just refreshed.
        record: the job as it is now.
        end: how its node ended.
        manifest: its run; without it there are no routes.

    Returns:
        Whether anything was done: a job that had ended before stays as it is.
    """
    node = manifest.nodes.get(record.meta.workflow_node_id or "") if manifest else None
    update = msgspec.structs.replace(end.update, workflow_node_outcome=end.outcome)
    followed = _Followed()
    if manifest is not None and node is not None:
        ended = record.evolve(metadata=merge_metadata(record.metadata, update))
        if end.outcome is Outcome.SUCCEEDED:
            _hand_on_context(context, ended, node, manifest)
        else:
            followed = _follow(context, ended, node, manifest, end.outcome)
    if followed.pending:
        update = msgspec.structs.replace(update, routes_pending=True)
    if followed.rewind is not None:
        write_intention(context.store, followed.rewind)
    status = STATUS_OF_OUTCOME[end.outcome]
    final = finalize_job(
        context.store, record.id, status, end.exit_code, update=update, written=end.written, reason=followed.refusal
    )
    if followed.rewind is not None and final is not None:
        perform_rewind(context, followed.rewind)
    return final is not None


def follow_pending_routes(context: JobsContext) -> list[str]:
    """Follows routes that had to wait for a running job, where that is possible now (WS-06-39).

    Returns:
        The jobs whose routes were followed.
    """
    followed_jobs = []
    for job_id in sorted(context.index.with_pending_routes):
        record = context.store.read(job_id)
        followed = _Followed()
        try:
            manifest = read_manifest(context.store, record.meta.workflow_run_id or "")
            node = manifest.nodes.get(record.meta.workflow_node_id or "")
            if node is not None and record.meta.workflow_node_outcome in _OUTCOMES:
                followed = _follow(context, record, node, manifest, Outcome(record.meta.workflow_node_outcome))
        except VizierError as error:
            context.warn(f"cannot follow the routes of {job_id}: {error}")
        if followed.pending:
            continue
        if followed.rewind is not None:
            write_intention(context.store, followed.rewind)
            perform_rewind(context, followed.rewind)
        context.store.update(job_id, lambda fresh: fresh.with_metadata(routes_pending=None))
        followed_jobs.append(job_id)
    return followed_jobs


def _hand_on_context(context: JobsContext, source: JobRecord, node: ManifestNode, manifest: RunManifest) -> None:
    """Makes the successors work where this node has worked (spec 01 §9.2)."""
    handed = ExecutionContext.of(source.metadata)
    if handed is None:
        return
    for route in node.routes.succeeded:
        target = _target(context, route, manifest)
        if target is None:
            continue
        try:
            context.store.update(
                target.job_id, lambda fresh: fresh if fresh.status is JobStatus.RUNNING else handed.apply(fresh)
            )
        except (OSError, VizierError) as error:
            context.warn(f"workflow route {node.node_id} -> {route.node_id} context propagation failed: {error}")


def _follow(
    context: JobsContext, source: JobRecord, node: ManifestNode, manifest: RunManifest, outcome: Outcome
) -> _Followed:
    """Plans the rewind that the routes of an outcome ask for (spec 01 §9.3); problems only warn."""
    roots: list[str] = []
    refusal = None
    for route in node.routes.of(outcome):
        target = _target(context, route, manifest)
        if target is None or not _can_be_rewound(context, target.job_id, source):
            continue
        try:
            exhausted = _limit_reached(context, target)
        except VizierError as error:
            context.warn(f"workflow route {node.node_id} -> {target.node_id} retry failed: {error}")
            continue
        if exhausted is None:
            roots.append(target.job_id)
        refusal = refusal or exhausted
    if not roots:
        return _Followed(refusal=refusal)
    if _other_merge_goes_on(context, source):
        detail = "another merge has stopped in the same working tree; this one goes on when that is finished or aborted"
        return _Followed(pending=True, refusal=WaitReason(WaitKind.DEPENDENCIES, detail))
    try:
        rewind = plan_rewind(context.index, roots, source)
        check_merge_state(context.store, rewind)
    except RunningInSetError:
        return _Followed(pending=True)
    except VizierError as error:
        names = ", ".join(_node_ids(manifest, roots))
        context.warn(f"workflow route {node.node_id} -> {names} retry failed: {error}")
        return _Followed()
    return _Followed(rewind=rewind, refusal=refusal)


def _target(context: JobsContext, route: Route, manifest: RunManifest) -> ManifestNode | None:
    target = manifest.nodes.get(route.node_id)
    if target is None:
        context.warn(f"workflow route target `{route.node_id}` missing from run manifest {manifest.run_id}")
    return target


def _can_be_rewound(context: JobsContext, job_id: str, source: JobRecord) -> bool:
    """A target that is under way already needs no rewind; the source itself is just ending."""
    head = context.index.heads.get(job_id)
    return head is None or head.status.is_terminal or job_id == source.id


def _other_merge_goes_on(context: JobsContext, source: JobRecord) -> bool:
    """Whether the merge that a node has found in its working tree, and that it waits for, is still there."""
    merge_head = source.meta.waits_for_merge
    if merge_head is None:
        return False
    try:
        directory = git_directory(context.root / (source.meta.execution_root or "."))
        return (directory / "MERGE_HEAD").read_text(encoding="ascii").strip() == merge_head
    except (OSError, UnicodeDecodeError):
        return False


def _limit_reached(context: JobsContext, target: ManifestNode) -> WaitReason | None:
    """The reason not to rewind a node once more (ruling R72, WS-01-38)."""
    limit = context.settings.jobs.max_route_attempts
    if (context.store.read(target.job_id).meta.route_rewinds or 0) < limit:
        return None
    detail = (
        f"node {target.node_id} was rewound by routes {limit} times and is not rewound again "
        "(setting jobs.max_route_attempts); `vizier jobs retry` starts it anew"
    )
    context.warn(detail)
    return WaitReason(WaitKind.DEPENDENCIES, detail)


def _node_ids(manifest: RunManifest, job_ids: Sequence[str]) -> list[str]:
    return [node.node_id for node in manifest.nodes.values() if node.job_id in job_ids]
