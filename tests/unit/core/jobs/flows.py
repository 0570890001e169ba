"""Small runs for tests: a manifest made from its routes, and the records of its jobs."""

from collections.abc import Mapping
from typing import Any

from vizier_core.config import Settings
from vizier_core.jobs.context import JobsContext
from vizier_core.jobs.manifest import ManifestNode, RunManifest, manifest_text
from vizier_core.jobs.opening import open_project
from vizier_core.jobs.settings import JobSettings
from vizier_core.jobs.store import JobStore
from vizier_kernel.workflow import NodeKind, PerOutcome, Retry, Route, RouteMode

from ..records import Document, document, put
from .fakes import FakeLauncher

RUN = "run_1"
#: Routes of a node: the nodes that each outcome leads to.
Routes = Mapping[str, list[str]]


def manifest(nodes: Mapping[str, Routes]) -> RunManifest:
    """A run whose jobs have the ids of its nodes."""
    return RunManifest(
        run_id=RUN,
        template_selector="file:flow.hcl",
        template_id="template.flow",
        template_version="v1",
        policy_snapshot_hash="0" * 64,
        nodes={node_id: _node(node_id, routes) for node_id, routes in nodes.items()},
    )


def _node(node_id: str, routes: Routes) -> ManifestNode:
    modes = {"succeeded": RouteMode.PROPAGATE_CONTEXT}
    return ManifestNode(
        node_id=node_id,
        job_id=node_id,
        uses="cap.env.shell.command.run",
        kind=NodeKind.SHELL,
        args={},
        executor_operation="command.run",
        retry=Retry(),
        routes=PerOutcome(
            **{
                outcome: tuple(Route(target, modes.get(outcome, RouteMode.RETRY_JOB)) for target in targets)
                for outcome, targets in routes.items()
            }
        ),
    )


def put_manifest(store: JobStore, run: RunManifest) -> RunManifest:
    path = store.manifest_path(run.run_id)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(manifest_text(run))
    return run


def node_job(store: JobStore, node_id: str, status: str = "queued", *, second: int = 0, **more: Any) -> Document:
    """The record of the job that runs a node, written by hand."""
    metadata = {
        "workflow_run_id": RUN,
        "workflow_node_id": node_id,
        "workflow_node_attempt": 1,
        **more.pop("metadata", {}),
    }
    record = document(node_id, status, second=second, metadata=metadata, **{"schedule": {}, **more})
    if status == "running":
        record.setdefault("pid", 7)
    put(store, record)
    return record


def next_command(context: JobsContext, launcher: FakeLauncher | None = None, **settings: Any) -> JobsContext:
    """The jobs as another process finds them."""
    fresh = open_project(context.root, Settings(jobs=JobSettings(**settings)), context.warn)
    fresh.launcher = launcher or FakeLauncher()
    return fresh
