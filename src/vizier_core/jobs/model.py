"""The job record and its parts, typed (spec 02 §4).

Field order is the order on disk. A field listed in a class's `OMITTED` is left out of the file while it has that value;
every other field is always written, null or not.
"""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

import msgspec

from vizier_core.timestamp import Timestamp
from vizier_core.usage import Usage
from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import ApprovalState, JobStatus, Lock, WaitKind, WaitReason
from vizier_kernel.workflow import AfterPolicy, CleanWorktree, CustomPrecondition, DependencyPolicy

Unsigned32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Signed32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Unsigned64 = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class CleanupState(StrEnum):
    """How far the clean-up of an ephemeral run has come."""

    PENDING = "pending"
    DEFERRED = "deferred"
    COMPLETED = "completed"
    DEGRADED = "degraded"


class CancelCleanup(StrEnum):
    """What `jobs cancel` did about the job's worktree."""

    SKIPPED = "skipped"
    DONE = "done"
    FAILED = "failed"


class RetryCleanup(StrEnum):
    """What a rewind did about the job's worktree."""

    SKIPPED = "skipped"
    DONE = "done"
    DEGRADED = "degraded"


class LivenessState(StrEnum):
    """What a probe found out about a worker."""

    ALIVE = "alive"
    STALE_MISSING_PID = "stale_missing_pid"
    STALE_NOT_RUNNING = "stale_not_running"
    STALE_IDENTITY_MISMATCH = "stale_identity_mismatch"


class AfterDependency(msgspec.Struct, frozen=True):
    """A job that must end well first."""

    job_id: str
    policy: AfterPolicy = AfterPolicy.SUCCESS


class ArtifactDependency(msgspec.Struct, frozen=True):
    """An artifact that must exist first."""

    artifact: Artifact


class PinnedHead(msgspec.Struct, frozen=True):
    """The commit that a branch must still point to."""

    branch: str
    oid: str


class BranchExists(msgspec.Struct, frozen=True, tag_field="kind", tag="branch_exists"):
    """A local branch exists; without a name it is derived from the job (spec 01 §4.4)."""

    OMITTED: ClassVar = {"branch": None}
    branch: str | None = None


Precondition = CleanWorktree | BranchExists | CustomPrecondition


class JobApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A human decision that a job waits for."""

    OMITTED: ClassVar = {"requested_by": None, "decided_at": None, "decided_by": None, "reason": None}
    required: bool = False
    state: ApprovalState
    requested_at: Timestamp
    requested_by: str | None = None
    decided_at: Timestamp | None = None
    decided_by: str | None = None
    reason: str | None = None


class JobSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """What a job waits for, holds and makes."""

    OMITTED: ClassVar = {"dependency_policy": DependencyPolicy(), "approval": None}
    after: tuple[AfterDependency, ...] = ()
    dependencies: tuple[ArtifactDependency, ...] = ()
    dependency_policy: DependencyPolicy = DependencyPolicy()
    locks: tuple[Lock, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    pinned_head: PinnedHead | None = None
    preconditions: tuple[Precondition, ...] = ()
    approval: JobApproval | None = None
    wait_reason: WaitReason | None = None
    waited_on: tuple[WaitKind, ...] = ()


class WorkerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Which process runs a job, beyond doubt: a pid alone may be used again (ruling R83)."""

    #: Random text that the starter gave to the worker (decision D20).
    token: str
    #: Start time of the process in clock ticks since boot; on systems without /proc in milliseconds since the epoch.
    start_ticks: int
    #: Identifies the boot of the machine, so that pids of an earlier one are never believed.
    boot_id: str
    #: Inode of the pid namespace: containers number their processes each for themselves.
    pid_namespace: int
    host: str


class JobMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a job that the scheduler's gates do not look at (spec 02 §4.3)."""

    OMITTED: ClassVar = {
        "ephemeral_run": None,
        "ephemeral_cleanup_requested": None,
        "ephemeral_cleanup_state": None,
        "ephemeral_cleanup_detail": None,
        "ephemeral_owned_branches": None,
        "worker": None,
        "route_rewinds": None,
        "routes_pending": None,
        "waits_for_merge": None,
        "agent_usage": None,
    }
    PARTS: ClassVar = {"agent_usage": Usage}
    command_alias: str | None = None
    scope: str | None = None
    target: str | None = None
    plan: str | None = None
    branch: str | None = None
    ephemeral_run: bool | None = None
    ephemeral_cleanup_requested: bool | None = None
    ephemeral_cleanup_state: CleanupState | None = None
    ephemeral_cleanup_detail: str | None = None
    ephemeral_owned_branches: tuple[str, ...] | None = None
    workflow_run_id: str | None = None
    workflow_node_name: str | None = None
    workflow_node_attempt: Unsigned32 | None = None
    #: An :class:`Outcome`; files may name others (spec 02 §4.3).
    workflow_node_outcome: str | None = None
    workflow_payload_refs: tuple[str, ...] | None = None
    workflow_template_selector: str | None = None
    workflow_template_id: str | None = None
    workflow_template_version: str | None = None
    workflow_node_id: str | None = None
    workflow_executor_class: str | None = None
    workflow_executor_operation: str | None = None
    workflow_control_policy: str | None = None
    workflow_policy_snapshot_hash: str | None = None
    workflow_gates: tuple[str, ...] | None = None
    build_pipeline: str | None = None
    build_target: str | None = None
    build_review_mode: str | None = None
    build_skip_checks: bool | None = None
    build_keep_branch: bool | None = None
    build_dependencies: tuple[str, ...] | None = None
    patch_file: str | None = None
    patch_index: Unsigned64 | None = None
    patch_total: Unsigned64 | None = None
    revision: str | None = None
    execution_root: str | None = None
    worktree_name: str | None = None
    worktree_path: str | None = None
    worktree_owned: bool | None = None
    agent_selector: str | None = None
    agent_backend: str | None = None
    agent_label: str | None = None
    agent_command: tuple[str, ...] | None = None
    config_backend: str | None = None
    config_agent_selector: str | None = None
    config_agent_label: str | None = None
    config_agent_command: tuple[str, ...] | None = None
    background_quiet: bool | None = None
    agent_exit_code: Signed32 | None = None
    cancel_cleanup_status: CancelCleanup | None = None
    cancel_cleanup_error: str | None = None
    retry_cleanup_status: RetryCleanup | None = None
    retry_cleanup_error: str | None = None
    process_liveness_state: LivenessState | None = None
    process_liveness_checked_at: Timestamp | None = None
    process_liveness_failure_reason: str | None = None
    worker: WorkerIdentity | None = None
    #: How often routes have rewound the job since an operator last did (ruling R72).
    route_rewinds: Unsigned32 | None = None
    #: The routes of the outcome could not be followed yet, because a job they lead to was running (WS-06-39).
    routes_pending: bool | None = None
    #: The other side of a merge that has stopped in the node's working tree; its routes have to wait for its end.
    waits_for_merge: str | None = None
    #: What the agents of all attempts have cost, as far as they have told.
    agent_usage: Usage | None = None


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One job as its `job.json` describes it (spec 02 §4.1)."""

    id: str
    status: JobStatus
    command: tuple[str, ...]
    child_args: tuple[str, ...] = ()
    created_at: Timestamp
    started_at: Timestamp | None = None
    finished_at: Timestamp | None = None
    pid: Unsigned32 | None = None
    exit_code: Signed32 | None = None
    stdout_path: str
    stderr_path: str
    session_path: str | None = None
    outcome_path: str | None = None
    metadata: JobMetadata | None = None
    config_snapshot: Any = None
    schedule: JobSchedule | None = None

    @property
    def meta(self) -> JobMetadata:
        """The metadata, empty if the record has none."""
        return self.metadata or _NO_METADATA

    @property
    def scheduling(self) -> JobSchedule:
        """The schedule, empty if the record has none."""
        return self.schedule or _NO_SCHEDULE

    @property
    def age_key(self) -> tuple[int, str]:
        """Sorts oldest first, by id where two were created at the same moment."""
        return self.created_at, self.id

    def evolve(self, **changes: Any) -> "JobRecord":
        """A copy with some fields replaced."""
        return msgspec.structs.replace(self, **changes)

    def with_metadata(self, **changes: Any) -> "JobRecord":
        """A copy with some metadata fields replaced; the metadata is created if there was none."""
        return msgspec.structs.replace(self, metadata=msgspec.structs.replace(self.meta, **changes))

    def with_schedule(self, **changes: Any) -> "JobRecord":
        """A copy with some schedule fields replaced; the schedule is created if there was none."""
        return msgspec.structs.replace(self, schedule=msgspec.structs.replace(self.scheduling, **changes))


_NO_METADATA = JobMetadata()
_NO_SCHEDULE = JobSchedule()

#: Keys of `outcome.json`, in order: a copy of the record without what only the scheduler needs (spec 02 §5).
OUTCOME_FIELDS = (
    "id",
    "status",
    "command",
    "child_args",
    "exit_code",
    "created_at",
    "started_at",
    "finished_at",
    "stdout_path",
    "stderr_path",
    "session_path",
    "metadata",
    "config_snapshot",
    "schedule",
)
