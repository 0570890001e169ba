"""What the scheduler decides: facts about jobs in, decisions out (spec 01 §3)."""

from vizier_kernel.scheduler.model import (
    Action,
    ApprovalFact,
    ApprovalState,
    Decision,
    Facts,
    JobFacts,
    JobStatus,
    Lock,
    LockMode,
    MissingProducer,
    PinnedHeadFact,
    PreconditionFact,
    Satisfaction,
    WaitKind,
    WaitReason,
)
from vizier_kernel.scheduler.spec import WAITING_ON_JOB, LockTable, evaluate, evaluate_job

__all__ = [
    "WAITING_ON_JOB",
    "Action",
    "ApprovalFact",
    "ApprovalState",
    "Decision",
    "Facts",
    "JobFacts",
    "JobStatus",
    "Lock",
    "LockMode",
    "LockTable",
    "MissingProducer",
    "PinnedHeadFact",
    "PreconditionFact",
    "Satisfaction",
    "WaitKind",
    "WaitReason",
    "evaluate",
    "evaluate_job",
]
