"""Run manifests: one compiled workflow, as its workers obey it (spec 02 §9)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from vizier_core.errors import InvalidIdError, MalformedFileError, ManifestError
from vizier_core.files import is_single_component, read_small
from vizier_core.jobs.codec import from_document, parse_document, pretty, to_plain
from vizier_core.jobs.model import CleanupState
from vizier_core.jobs.store import JobStore
from vizier_kernel.artifacts import Artifact
from vizier_kernel.workflow import (
    ApprovalGate,
    CicdGate,
    CustomGate,
    NodeKind,
    PerOutcome,
    Retry,
    Route,
    ScriptGate,
)

Gate = ApprovalGate | ScriptGate | CicdGate | CustomGate


class EphemeralBaseline(msgspec.Struct, frozen=True):
    """What was there before an ephemeral run, so that its clean-up leaves it alone (spec 02 §16)."""

    vizier_root_existed: bool = False
    preexisting_paths: tuple[str, ...] = ()


class ManifestNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a run, fully expanded."""

    OMITTED: ClassVar = {"name": None, "executor_operation": None, "control_policy": None}
    node_id: str
    name: str | None = None
    job_id: str
    uses: str
    kind: NodeKind
    args: dict[str, str]
    executor_operation: str | None = None
    control_policy: str | None = None
    gates: tuple[Gate, ...] = ()
    retry: Retry
    routes: PerOutcome[Route]
    artifacts_by_outcome: PerOutcome[Artifact] = PerOutcome()

    def arg(self, *keys: str) -> str | None:
        """The first of these arguments that is not blank, trimmed."""
        return next((text for key in keys if (text := self.args.get(key, "").strip())), None)

    @property
    def label(self) -> str:
        """The operation or policy that log lines name."""
        return self.executor_operation or self.control_policy or "unknown"


class RunManifest(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    OMITTED: ClassVar = {
        "ephemeral_cleanup_state": None,
        "ephemeral_cleanup_detail": None,
        "ephemeral_baseline": None,
    }
    run_id: str
    template_selector: str
    template_id: str
    template_version: str
    policy_snapshot_hash: str
    ephemeral: bool = False
    ephemeral_cleanup_requested: bool = False
    ephemeral_cleanup_state: CleanupState | None = None
    ephemeral_cleanup_detail: str | None = None
    ephemeral_baseline: EphemeralBaseline | None = None
    nodes: dict[str, ManifestNode]

    @property
    def job_ids(self) -> list[str]:
        """The jobs of the run."""
        return [node.job_id for node in self.nodes.values()]


def read_manifest(store: JobStore, run_id: str) -> RunManifest:
    """The manifest of a run.

    Raises:
        InvalidIdError: the run id cannot name a file (ruling R11).
        ManifestError: there is no manifest.
        MalformedFileError: it cannot be read.
    """
    if not is_single_component(run_id):
        raise InvalidIdError("run id", run_id)
    path = store.manifest_path(run_id)
    try:
        status = os.stat(path)
        known = _PARSED.get(path)
        if known is not None and known[0] == _stamp(status):
            return known[1]
        data, status = read_small(path)
    except FileNotFoundError:
        raise ManifestError(f"manifest not found: {path}") from None
    except OSError as error:
        raise MalformedFileError(path, error.strerror or str(error)) from None
    manifest = from_document(parse_document(data, path), RunManifest, path)
    _PARSED.clear()
    _PARSED[path] = (_stamp(status), manifest)
    return manifest


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


#: The manifest that was read last: every node of a run asks for the same one, and a forked worker inherits it.
_PARSED: Final[dict[Path, tuple[tuple[int, int, int], RunManifest]]] = {}


def manifest_text(manifest: RunManifest) -> bytes:
    """The file content of a manifest; nodes and arguments ascend."""
    plain = to_plain(manifest)
    plain["nodes"] = {node_id: _ascending_args(plain["nodes"][node_id]) for node_id in sorted(plain["nodes"])}
    return pretty(plain)


def _ascending_args(node: Mapping[str, Any]) -> dict[str, Any]:
    return {**node, "args": {key: node["args"][key] for key in sorted(node["args"])}}
