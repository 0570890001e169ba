"""The words of the scheduler: statuses, locks, wait reasons, facts and decisions (spec 01 §§2-3).

The enumerations carry the labels that records and views use. Facts are what the core found out about the jobs that
may have to move; decisions are what it has to do about them.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum

import msgspec

from vizier_kernel.artifacts import Artifact


class JobStatus(StrEnum):
    """Where a job is in its life (spec 01 §2.1)."""

    QUEUED = "queued"
    WAITING_ON_DEPS = "waiting_on_deps"
    WAITING_ON_APPROVAL = "waiting_on_approval"
    WAITING_ON_LOCKS = "waiting_on_locks"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BLOCKED_BY_DEPENDENCY = "blocked_by_dependency"
    BLOCKED_BY_APPROVAL = "blocked_by_approval"

    @property
    def is_active(self) -> bool:
        """The job can still change without a retry."""
        return self in _ACTIVE

    @property
    def is_terminal(self) -> bool:
        """The job has ended; only a retry moves it again."""
        return self not in _ACTIVE

    @property
    def is_waiting(self) -> bool:
        """The job has not been started yet, and may be."""
        return self in _ACTIVE and self is not JobStatus.RUNNING

    @property
    def is_blocked(self) -> bool:
        """The job ended without ever being startable."""
        return self in {JobStatus.BLOCKED_BY_DEPENDENCY, JobStatus.BLOCKED_BY_APPROVAL}


_ACTIVE = frozenset(
    {
        JobStatus.QUEUED,
        JobStatus.WAITING_ON_DEPS,
        JobStatus.WAITING_ON_APPROVAL,
        JobStatus.WAITING_ON_LOCKS,
        JobStatus.RUNNING,
    }
)


class WaitKind(StrEnum):
    """The gate that stopped a job (spec 01 §2.10)."""

    DEPENDENCIES = "dependencies"
    PINNED_HEAD = "pinned_head"
    PRECONDITIONS = "preconditions"
    APPROVAL = "approval"
    LOCKS = "locks"


class LockMode(StrEnum):
    """Whether others may hold the key at the same time."""

    SHARED = "shared"
    EXCLUSIVE = "exclusive"


class MissingProducer(StrEnum):
    """What to do about a needed artifact that no job makes."""

    BLOCK = "block"
    WAIT = "wait"


class ApprovalState(StrEnum):
    """What the operator said."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Satisfaction(Enum):
    """What a probe found out about a precondition."""

    SATISFIED = "satisfied"
    WAITING = "waiting"
    BLOCKED = "blocked"


class Action(Enum):
    """What the core does with a decision."""

    UPDATE_STATUS = "update_status"
    START = "start"
    FAIL_MISSING_CHILD_ARGS = "fail_missing_child_args"


class Lock(msgspec.Struct, frozen=True):
    """A resource that a job holds while it runs; keys are opaque text such as ``branch:main``."""

    key: str
    mode: LockMode


class WaitReason(msgspec.Struct, frozen=True):
    """Why a job did not start, as shown to the operator."""

    kind: WaitKind
    detail: str | None = None


class PinnedHeadFact(msgspec.Struct, frozen=True):
    """Whether the branch that a job is pinned to still points where it should."""

    branch: str
    matches: bool


class PreconditionFact(msgspec.Struct, frozen=True):
    """What a probe said about one precondition; the detail explains anything but satisfied."""

    satisfaction: Satisfaction
    detail: str = ""


class ApprovalFact(msgspec.Struct, frozen=True):
    """The state of an approval that is required."""

    state: ApprovalState
    reason: str | None = None


class JobFacts(msgspec.Struct, frozen=True):
    """What is known about one job that may have to move."""

    job_id: str
    status: JobStatus
    #: Predecessors that must have succeeded, in any order.
    after: tuple[str, ...] = ()
    #: Artifacts that must exist, in stored order.
    dependencies: tuple[Artifact, ...] = ()
    missing_producer: MissingProducer = MissingProducer.BLOCK
    pinned_head: PinnedHeadFact | None = None
    preconditions: tuple[PreconditionFact, ...] = ()
    approval: ApprovalFact | None = None
    locks: tuple[Lock, ...] = ()
    waited_on: tuple[WaitKind, ...] = ()
    has_child_args: bool = True


class Facts(msgspec.Struct, frozen=True):
    """Everything one evaluation looks at; it is never changed by it."""

    #: The jobs to decide about, oldest first. Terminal and running ones are passed over.
    jobs: tuple[JobFacts, ...]
    #: Status of every job that some `after` or producer list names (others may be present too).
    statuses: Mapping[str, JobStatus]
    #: Predecessors whose record exists but cannot be read, with the reason.
    unreadable: Mapping[str, str] = {}
    #: The jobs that list an artifact among their products, whatever became of them.
    producers: Mapping[Artifact, tuple[str, ...]] = {}
    #: The needed artifacts that exist.
    existing: frozenset[Artifact] = frozenset()
    #: Locks of the running jobs.
    held: tuple[Lock, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """What becomes of one job."""

    job_id: str
    action: Action
    status: JobStatus
    reason: WaitReason | None
    waited_on: tuple[WaitKind, ...]
