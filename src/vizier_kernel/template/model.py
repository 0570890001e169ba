"""A template as values: as it was declared and, with its placeholders expanded, as it is meant (spec 04 §5).

`Template` is what one file says; its gates and retries may still hold placeholders where a boolean, a mode or a number
belongs. `ExpandedNode` is a node without placeholders. The gates, routes and outcome lists have the field order of run
manifests, so they can be written there as they are (spec 02 §9.1).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, Generic, TypeVar

import msgspec

from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler.model import Lock, MissingProducer

T = TypeVar("T")
R = TypeVar("R")

#: What is allowed where a template expects a boolean, before its placeholders are expanded.
Scalar = bool | int | float | str


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


class FailureMode(StrEnum):
    """What a failed node means for others. Part of the hash, otherwise without effect (spec 04 §23)."""

    BLOCK_DOWNSTREAM = "block_downstream"
    CONTINUE_INDEPENDENT = "continue_independent"


class ReuseMode(StrEnum):
    """How results are reused. Part of the hash, otherwise without effect (spec 04 §23)."""

    STRICT = "strict"
    COMPATIBLE = "compatible"


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
        match outcome:
            case Outcome.SUCCEEDED:
                return self.succeeded
            case Outcome.FAILED:
                return self.failed
            case Outcome.BLOCKED:
                return self.blocked
            case Outcome.CANCELLED:
                return self.cancelled

    def all(self) -> tuple[T, ...]:
        """All four lists in one."""
        return (*self.succeeded, *self.failed, *self.blocked, *self.cancelled)

    def map(self, change: "Callable[[Outcome, tuple[T, ...]], Iterable[R]]") -> "PerOutcome[R]":
        """Four lists made from these."""
        if not (self.succeeded or self.failed or self.blocked or self.cancelled):
            return PerOutcome()
        return PerOutcome(*(tuple(change(outcome, items)) for outcome, items in self.items()))


class After(msgspec.Struct, frozen=True):
    """A node that must have ended well first."""

    node_id: str
    policy: AfterPolicy = AfterPolicy.SUCCESS


class Route(msgspec.Struct, frozen=True):
    """A node that is looked at when this one ends, as run manifests describe it."""

    node_id: str
    mode: RouteMode


# Preconditions (spec 04 §5.5); the labels are those of spec 04 §17.2.


class PinnedHead(msgspec.Struct, frozen=True, tag_field="kind", tag="pinned_head"):
    """The branch has not moved. Accepted in templates, but no run may have it (spec 04 §23)."""

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return "pinned_head"


class CleanWorktree(msgspec.Struct, frozen=True, tag_field="kind", tag="clean_worktree"):
    """The operator's checkout has no changes."""

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return "clean_worktree"


class BranchExists(msgspec.Struct, frozen=True, tag_field="kind", tag="branch_exists"):
    """The branch of the node's only branch lock exists."""

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return "branch_exists"


class CustomPrecondition(msgspec.Struct, frozen=True, tag_field="kind", tag="custom"):
    """A precondition named by id, with arguments."""

    id: str
    args: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return f"custom:{self.id}" + _label_of_args(self.args)


Precondition = PinnedHead | CleanWorktree | BranchExists | CustomPrecondition


# Gates (spec 04 §5.6). The declared forms differ from the final ones only where placeholders may stand for booleans.


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


class DeclaredApprovalGate(msgspec.Struct, frozen=True):
    """An approval gate whose flag may still be a placeholder."""

    required: Scalar = False
    policy: GatePolicy = GatePolicy.BLOCK


class DeclaredCicdGate(msgspec.Struct, frozen=True):
    """A CI gate whose flag may still be a placeholder."""

    script: str
    auto_resolve: Scalar = False
    policy: GatePolicy = GatePolicy.BLOCK


DeclaredGate = DeclaredApprovalGate | ScriptGate | DeclaredCicdGate | CustomGate


class Retry(msgspec.Struct, frozen=True):
    """Whether and how often a node is repeated."""

    mode: RetryMode = RetryMode.NEVER
    budget: int = 0


class DeclaredRetry(msgspec.Struct, frozen=True):
    """A retry whose parts may still be placeholders."""

    mode: str = RetryMode.NEVER.value
    budget: float | str = 0


class NodeBase(msgspec.Struct, frozen=True, kw_only=True):
    """What declared and expanded nodes have in common (spec 04 §5.4)."""

    id: str
    name: str | None = None
    kind: NodeKind = NodeKind.BUILTIN
    #: Kept as written; blanks around it do not count when it is looked up.
    uses: str
    args: Mapping[str, str] = {}
    after: tuple[After, ...] = ()
    needs: tuple[Artifact, ...] = ()
    produces: PerOutcome[Artifact] = PerOutcome()
    locks: tuple[Lock, ...] = ()
    preconditions: tuple[Precondition, ...] = ()
    #: Nodes to look at next, by outcome.
    on: PerOutcome[str] = PerOutcome()

    def arg(self, *keys: str) -> str | None:
        """The first of these arguments that is not blank, trimmed."""
        return next((text for key in keys if (text := self.args.get(key, "").strip())), None)


class Node(NodeBase, frozen=True, kw_only=True):
    """A node as declared."""

    gates: tuple[DeclaredGate, ...] = ()
    retry: DeclaredRetry = DeclaredRetry()


class ExpandedNode(NodeBase, frozen=True, kw_only=True):
    """A node without placeholders."""

    gates: tuple[Gate, ...] = ()
    retry: Retry = Retry()
    #: Parameters of the node's own file that name branches, for lock inference (spec 04 §7.5, §16).
    lock_scope: Mapping[str, str] = {}

    def script_gates(self) -> list[ScriptGate]:
        """Its script gates in declared order."""
        return [gate for gate in self.gates if isinstance(gate, ScriptGate)]

    def cicd_gates(self) -> list[CicdGate]:
        """Its CI gates in declared order."""
        return [gate for gate in self.gates if isinstance(gate, CicdGate)]

    def custom_gates(self, gate_id: str) -> list[CustomGate]:
        """Its custom gates with this id in declared order."""
        return [gate for gate in self.gates if isinstance(gate, CustomGate) and gate.id == gate_id]


class ArtifactContract(msgspec.Struct, frozen=True):
    """Allows artifacts of one type, and may restrict their values (spec 04 §14)."""

    id: str
    version: str = ""
    #: A JSON value, None if there is no schema.
    schema: object = None


class ResumePolicy(msgspec.Struct, frozen=True):
    """How runs are resumed. Part of the hash, otherwise without effect (spec 04 §23)."""

    key: str = ""
    reuse_mode: ReuseMode = ReuseMode.STRICT


class DependencyPolicy(msgspec.Struct, frozen=True):
    """What to do about needed artifacts that no job makes."""

    missing_producer: MissingProducer = MissingProducer.BLOCK


class Policy(msgspec.Struct, frozen=True):
    """Rules for the whole template (spec 04 §5.2)."""

    failure_mode: FailureMode = FailureMode.BLOCK_DOWNSTREAM
    resume: ResumePolicy = ResumePolicy(key="default")
    dependencies: DependencyPolicy = DependencyPolicy()


class Import(msgspec.Struct, frozen=True):
    """Another template to take in as a stage."""

    name: str
    path: str


class Link(msgspec.Struct, frozen=True):
    """One stage comes before another."""

    source: str
    target: str


class Cli(msgspec.Struct, frozen=True):
    """How the command line maps to parameters (spec 04 §8)."""

    positional: tuple[str, ...] = ()
    named: Mapping[str, str] = {}


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One template file, or several merged into one."""

    id: str
    version: str
    params: Mapping[str, str] = {}
    policy: Policy = Policy()
    artifact_contracts: tuple[ArtifactContract, ...] = ()
    nodes: tuple[Node, ...] = ()
    imports: tuple[Import, ...] = ()
    links: tuple[Link, ...] = ()
    cli: Cli = Cli()

    @property
    def identity(self) -> str:
        """How messages name it."""
        return f"{self.id}@{self.version}"


class TemplateWarning(msgspec.Struct, frozen=True):
    """Something that is probably a mistake but is accepted (decision D15)."""

    message: str
    #: The file it was found in, as its loader named it; empty for the command line.
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}" if self.origin else self.message


class LoadedTemplate(msgspec.Struct, frozen=True):
    """What one file says, with its canonical path and the warnings about it."""

    template: Template
    origin: str
    warnings: tuple[TemplateWarning, ...] = ()


#: Parameters and arguments that name branches, in the order of lock inference (spec 04 §16).
BRANCH_KEYS: Final = ("branch", "source_branch", "plan_branch", "target", "target_branch")


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _label_of_args(args: Mapping[str, str]) -> str:
    return ":" + ",".join(sorted(f"{key}={value}" for key, value in args.items())) if args else ""
