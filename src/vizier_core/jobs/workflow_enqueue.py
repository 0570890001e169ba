"""Turns compiled workflows into jobs, all of a run or nothing of it (spec 01 §7.3, 04 §18; decision D5)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from vizier_core.errors import EnqueueError, InvalidIdError, MalformedFileError, UnknownJobError
from vizier_core.files import is_single_component
from vizier_core.index import Head
from vizier_core.jobs.actor import approval_actor
from vizier_core.jobs.codec import parse_document
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.critical import exclusive
from vizier_core.jobs.manifest import EphemeralBaseline, ManifestNode, RunManifest, read_manifest
from vizier_core.jobs.model import (
    AfterDependency,
    ArtifactDependency,
    BranchExists,
    CleanupState,
    JobApproval,
    JobMetadata,
    JobRecord,
    JobSchedule,
    Precondition,
)
from vizier_core.jobs.scheduler import scheduler_tick_locked
from vizier_core.jobs.transaction import publish_run
from vizier_core.timestamp import Timestamp
from vizier_kernel.scheduler import ApprovalState, JobStatus
from vizier_kernel.template import BranchExists as TemplateBranchExists
from vizier_kernel.template import CompiledNode, CompiledWorkflow, PinnedHead
from vizier_kernel.template import Precondition as TemplatePrecondition
from vizier_kernel.workflow import DependencyPolicy

RUN_PREFIX = "run:"


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A run to enqueue."""

    run_id: str
    workflow: CompiledWorkflow
    selector: str
    #: What the operator called the flow, if by an alias.
    alias: str | None = None
    #: The operator's command line, recorded with every job.
    command: tuple[str, ...] = ()
    #: What the roots wait for: job ids and `run:<run id>`.
    after: tuple[str, ...] = ()
    #: Whether the roots need an approval; None leaves that to the template.
    approval: bool | None = None
    #: What to remember for the clean-up of an ephemeral run; None if it is none.
    baseline: EphemeralBaseline | None = None
    #: Further arguments for the workers, such as the configuration file to use (decision D14).
    worker_options: tuple[str, ...] = ()


class EnqueuedRun(msgspec.Struct, frozen=True):
    """A run that was enqueued."""

    run_id: str
    #: In template order.
    job_ids: list[str]
    #: Jobs of the run that wait for no other job of it, sorted.
    root_job_ids: list[str]


def enqueue_workflow_runs(context: JobsContext, requests: Sequence[RunRequest]) -> list[EnqueuedRun]:
    """Enqueues runs, in one critical section that ends with a tick.

    Raises:
        EnqueueError: a reference in `after` cannot be resolved; the runs before that one stay enqueued.
        LaunchError: everything was enqueued, but a job could not be started.
    """
    with exclusive(context):
        enqueued = []
        for request in requests:
            enqueued.append(_enqueue(context, request))
            context.index.refresh()
        scheduler_tick_locked(context, full=True)
    return enqueued


def resolve_after(context: JobsContext, references: Sequence[str]) -> list[str]:
    """The job ids that `--after` references stand for, in order, each once (spec 08 §6.9).

    Raises:
        EnqueueError: a job or a run is unknown, unreadable or cannot be waited for.
    """
    job_ids: list[str] = []
    for reference in (text.strip() for text in references):
        if reference.startswith(RUN_PREFIX):
            job_ids.extend(_sinks(context, reference.removeprefix(RUN_PREFIX).strip()))
        elif not reference:
            raise EnqueueError("unknown --after job id: <empty>")
        elif reference.startswith("run_") and not context.store.exists(reference):
            raise EnqueueError(f"--after {reference} names a run; use `run:{reference}` to wait for a run")
        else:
            job_ids.append(reference)
    distinct = list(dict.fromkeys(job_ids))
    for job_id in distinct:
        try:
            context.store.read(job_id)
        except (UnknownJobError, InvalidIdError):
            raise EnqueueError(f"unknown --after job id: {job_id}") from None
        except MalformedFileError as error:
            raise EnqueueError(f"cannot read job record for --after {job_id}: {error}") from None
    return distinct


def _enqueue(context: JobsContext, request: RunRequest) -> EnqueuedRun:
    after = resolve_after(context, request.after)
    nodes = request.workflow.nodes
    for node in nodes:
        if node.job_id in after:
            raise EnqueueError(f"invalid --after self dependency: {node.job_id}")
        if context.store.exists(node.job_id):
            raise EnqueueError(f"job {node.job_id} exists already")
    _refuse_cycle(context, after)
    now = Timestamp.now()
    # One microsecond apart, so that the order of the template is the order of the records.
    records = [_record(request, node, after, Timestamp(now + index * 1000)) for index, node in enumerate(nodes)]
    publish_run(context.store, _manifest(request), records)
    # Forked workers inherit what is parsed here once.
    read_manifest(context.store, request.run_id)
    return EnqueuedRun(
        run_id=request.run_id,
        job_ids=[node.job_id for node in nodes],
        root_job_ids=[node.job_id for node in request.workflow.roots],
    )


def _sinks(context: JobsContext, run_id: str) -> list[str]:
    """The jobs that end a run well: those of nodes without a success route (ruling R18)."""
    reference = f"{RUN_PREFIX}{run_id}"
    if not run_id or not is_single_component(run_id):
        raise EnqueueError(f"invalid --after reference `{reference}`: expected `run:<run id>`")
    path = context.store.manifest_path(run_id)
    try:
        document = parse_document(path.read_bytes(), path)
    except FileNotFoundError:
        raise EnqueueError(f"--after {reference}: manifest not found at {path}") from None
    except OSError as error:
        raise EnqueueError(f"--after {reference}: unable to read manifest {path}: {error.strerror}") from None
    except MalformedFileError as error:
        raise EnqueueError(f"--after {reference}: unable to parse manifest {path}: {error.cause}") from None
    nodes = document.get("nodes")
    if not isinstance(nodes, Mapping) or not all(isinstance(node, Mapping) for node in nodes.values()):
        raise EnqueueError(
            f"--after {reference}: unable to parse manifest {path}: `nodes` must be an object of objects"
        )
    sinks: dict[str, str] = {}
    for node_id in sorted(nodes):
        if _success_routes(nodes[node_id]):
            continue
        job_id = nodes[node_id].get("job_id", "")
        if not isinstance(job_id, str) or not (job_id := job_id.strip()):
            raise EnqueueError(f"--after {reference}: sink node `{node_id}` has an empty job_id")
        if job_id in sinks:
            raise EnqueueError(f"--after {reference}: duplicate sink job_id `{job_id}`")
        sinks[job_id] = node_id
    if not sinks:
        raise EnqueueError(f"--after {reference}: run {run_id} has no success-terminal sink nodes")
    return list(sinks)


def _success_routes(node: Mapping[str, Any]) -> bool:
    routes = node.get("routes")
    return bool(routes.get("succeeded")) if isinstance(routes, Mapping) else False


def _refuse_cycle(context: JobsContext, after: Sequence[str]) -> None:
    """Refuses to wait for jobs that wait for each other; only what the new jobs can reach is looked at (WS-01-23)."""
    heads = context.index.heads
    finished: set[str] = set()
    for start in sorted(after):
        path = [start]
        pending = [_predecessors(heads, start)]
        while pending:
            following = next(pending[-1], None)
            if following is None:
                pending.pop()
                finished.add(path.pop())
            elif following in path:
                cycle = [*path[path.index(following) :], following]
                raise EnqueueError(f"invalid --after cycle: {' -> '.join(cycle)}")
            elif following in heads and following not in finished:
                path.append(following)
                pending.append(_predecessors(heads, following))


def _predecessors(heads: Mapping[str, Head], job_id: str) -> Iterator[str]:
    """What a job waits for by name, in the order in which cycles are looked for (spec 01 §7.3)."""
    return iter(sorted(name.strip() for name in heads[job_id].after) if job_id in heads else ())


def _record(request: RunRequest, node: CompiledNode, after: Sequence[str], created_at: Timestamp) -> JobRecord:
    schedule = node.schedule
    is_root = not schedule.after
    predecessors = after if is_root else schedule.after
    needs_approval = schedule.needs_approval
    if is_root and request.approval is not None:
        needs_approval = request.approval
    child_args = ("__workflow-node", "--job-id", node.job_id, *request.worker_options)
    log = f".vizier/jobs/{node.job_id}"
    return JobRecord(
        id=node.job_id,
        status=JobStatus.QUEUED,
        command=request.command or ("vizier", *child_args),
        child_args=child_args,
        created_at=created_at,
        stdout_path=f"{log}/stdout.log",
        stderr_path=f"{log}/stderr.log",
        metadata=_metadata(request, node),
        schedule=JobSchedule(
            after=tuple(AfterDependency(job_id) for job_id in predecessors),
            dependencies=tuple(ArtifactDependency(artifact) for artifact in schedule.dependencies),
            dependency_policy=DependencyPolicy(schedule.missing_producer),
            locks=schedule.locks,
            artifacts=schedule.artifacts,
            preconditions=tuple(_precondition(item, node) for item in schedule.preconditions),
            approval=_pending_approval() if needs_approval else None,
        ),
    )


def _metadata(request: RunRequest, node: CompiledNode) -> JobMetadata:
    ephemeral = request.baseline is not None
    return JobMetadata(
        command_alias=request.alias,
        ephemeral_run=ephemeral or None,
        ephemeral_cleanup_requested=ephemeral or None,
        ephemeral_cleanup_state=CleanupState.PENDING if ephemeral else None,
        workflow_run_id=request.run_id,
        workflow_node_name=node.name,
        workflow_node_attempt=1,
        workflow_template_selector=request.selector,
        workflow_template_id=request.workflow.template_id,
        workflow_template_version=request.workflow.template_version,
        workflow_node_id=node.id,
        workflow_executor_class=node.executor_class,
        workflow_executor_operation=node.operation,
        workflow_control_policy=node.policy,
        workflow_policy_snapshot_hash=request.workflow.policy_snapshot_hash,
        workflow_gates=node.gate_summaries or None,
    )


def _pending_approval() -> JobApproval:
    return JobApproval(
        required=True, state=ApprovalState.PENDING, requested_at=Timestamp.now(), requested_by=approval_actor()
    )


def _precondition(item: TemplatePrecondition, node: CompiledNode) -> Precondition:
    if isinstance(item, PinnedHead):
        raise EnqueueError(f"workflow node `{node.id}` uses unsupported scheduler precondition `pinned_head`")
    return BranchExists() if isinstance(item, TemplateBranchExists) else item


def _manifest(request: RunRequest) -> RunManifest:
    ephemeral = request.baseline is not None
    return RunManifest(
        run_id=request.run_id,
        template_selector=request.selector,
        template_id=request.workflow.template_id,
        template_version=request.workflow.template_version,
        policy_snapshot_hash=request.workflow.policy_snapshot_hash,
        ephemeral=ephemeral,
        ephemeral_cleanup_requested=ephemeral,
        ephemeral_cleanup_state=CleanupState.PENDING if ephemeral else None,
        ephemeral_baseline=request.baseline,
        nodes={node.id: _manifest_node(node) for node in request.workflow.nodes},
    )


def _manifest_node(node: CompiledNode) -> ManifestNode:
    return ManifestNode(
        node_id=node.id,
        name=node.name,
        job_id=node.job_id,
        uses=node.uses,
        kind=node.kind,
        args=dict(node.args),
        executor_operation=node.operation,
        control_policy=node.policy,
        gates=node.gates,
        retry=node.retry,
        routes=node.routes,
        artifacts_by_outcome=node.artifacts_by_outcome,
    )
