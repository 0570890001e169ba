"""The words that templates, run manifests and job records share (spec 02 §9, 04 §5).

A node's kind, its outcomes and routes, its gates, preconditions and retries. The gates, routes and outcome lists have
the field order of run manifests, so they can be written there as they are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from vizier_kernel.scheduler.model import MissingProducer

T = TypeVar("T")
R = TypeVar("R")


class NodeKind(StrEnum):
    """What kind of step a node is; must fit its `uses` (spec 04 §12.1)."""

    BUILTIN = "builtin"
    AGENT = "agent"
    SHELL = "shell"
    GATE = "gate"
    CUSTOM = "custom"


class Outcome(StrEnum):
    """How a node ends, in the order in which outcomes are always listed."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"


class AfterPolicy(StrEnum):
    """What a predecessor must have done."""

    SUCCESS = "success"


class RetryMode(StrEnum):
    """When a node is repeated."""

    NEVER = "never"
    ON_FAILURE = "on_failure"
    UNTIL_GATE = "until_gate"


class GatePolicy(StrEnum):
    """What a failed gate means. Part of the hash, otherwise without effect (spec 04 §23)."""

    BLOCK = "block"
    WARN = "warn"
    RETRY = "retry"


class RouteMode(StrEnum):
    """What following a route does to the target's job."""

    PROPAGATE_CONTEXT = "propagate_context"
    RETRY_JOB = "retry_job"


class PerOutcome(msgspec.Struct, Generic[T], frozen=True):
    """Four lists, one for each outcome."""

    succeeded: tuple[T, ...] = ()
    failed: tuple[T, ...] = ()
    blocked: tuple[T, ...] = ()
    cancelled: tuple[T, ...] = ()

    def items(self) -> Iterator[tuple[Outcome, tuple[T, ...]]]:
        """Outcome and list, in the order of the outcomes."""
        return zip(Outcome, (self.succeeded, self.failed, self.blocked, self.cancelled), strict=True)

    def of(self, outcome: Outcome) -> tuple[T, ...]:
        """The list of one outcome."""
        found: tuple[T, ...] = getattr(self, outcome.value)
        return found

    def all(self) -> tuple[T, ...]:
        """All four lists in one."""
        return (*self.succeeded, *self.failed, *self.blocked, *self.cancelled)

    def map(self, change: "Callable[[Outcome, tuple[T, ...]], Iterable[R]]") -> "PerOutcome[R]":
        """Four lists made from these."""
        if not (self.succeeded or self.failed or self.blocked or self.cancelled):
            return PerOutcome()
        return PerOutcome(*(tuple(change(outcome, items)) for outcome, items in self.items()))


class Route(msgspec.Struct, frozen=True):
    """A node that is looked at when this one ends, as run manifests describe it."""

    node_id: str
    mode: RouteMode


class CleanWorktree(msgspec.Struct, frozen=True, tag_field="kind", tag="clean_worktree"):
    """The operator's checkout has no changes."""

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return "clean_worktree"


class CustomPrecondition(msgspec.Struct, frozen=True, tag_field="kind", tag="custom"):
    """A precondition named by id, with arguments."""

    id: str
    args: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return f"custom:{self.id}" + _label_of_args(self.args)


class ApprovalGate(msgspec.Struct, frozen=True, tag_field="kind", tag="approval"):
    """A person has to agree first, if it is required."""

    required: bool = False
    policy: GatePolicy = GatePolicy.BLOCK

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return f"approval:{_word(self.required)}:{self.policy.capitalize()}"

    @property
    def summary(self) -> str:
        """The text that job records show."""
        return f"approval(required={_word(self.required)})"


class ScriptGate(msgspec.Struct, frozen=True, tag_field="kind", tag="script"):
    """A command decides whether to go on."""

    script: str
    policy: GatePolicy = GatePolicy.BLOCK

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return f"script:{self.script}:{self.policy.capitalize()}"

    @property
    def summary(self) -> str:
        """The text that job records show."""
        return f"script({self.script})"


class CicdGate(msgspec.Struct, frozen=True, tag_field="kind", tag="cicd"):
    """The project's checks decide whether to go on; failures may be resolved automatically."""

    script: str
    auto_resolve: bool = False
    policy: GatePolicy = GatePolicy.BLOCK

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return f"cicd:{self.script}:{_word(self.auto_resolve)}:{self.policy.capitalize()}"

    @property
    def summary(self) -> str:
        """The text that job records show."""
        return f"cicd(script={self.script}, auto_resolve={_word(self.auto_resolve)})"


class CustomGate(msgspec.Struct, frozen=True, tag_field="kind", tag="custom"):
    """A gate named by id, with arguments."""

    id: str
    policy: GatePolicy = GatePolicy.BLOCK
    args: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return f"custom:{self.id}:{self.policy.capitalize()}" + _label_of_args(self.args)

    @property
    def summary(self) -> str:
        """The text that job records show."""
        return f"custom({self.id})"


Gate = ApprovalGate | ScriptGate | CicdGate | CustomGate


class Retry(msgspec.Struct, frozen=True):
    """Whether and how often a node is repeated."""

    mode: RetryMode = RetryMode.NEVER
    budget: int = 0


class DependencyPolicy(msgspec.Struct, frozen=True):
    """What to do about needed artifacts that no job makes."""

    missing_producer: MissingProducer = MissingProducer.BLOCK


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _label_of_args(args: Mapping[str, str]) -> str:
    return ":" + ",".join(sorted(f"{key}={value}" for key, value in args.items())) if args else ""
