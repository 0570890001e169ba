"""A template as values: as it was declared and, with its placeholders expanded, as it is meant (spec 04 §5).

`Template` is what one file says; its gates and retries may still hold placeholders where a boolean, a mode or a number
belongs. `ExpandedNode` is a node without placeholders. What templates share with manifests and records is in
`vizier_kernel.workflow`.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler.model import Lock
from vizier_kernel.workflow import (
    AfterPolicy,
    CicdGate,
    CleanWorktree,
    CustomGate,
    CustomPrecondition,
    DependencyPolicy,
    Gate,
    GatePolicy,
    NodeKind,
    PerOutcome,
    Retry,
    RetryMode,
    ScriptGate,
)

#: What is allowed where a template expects a boolean, before its placeholders are expanded.
Scalar = bool | int | float | str


class FailureMode(StrEnum):
    """What a failed node means for others. Part of the hash, otherwise without effect (spec 04 §23)."""

    BLOCK_DOWNSTREAM = "block_downstream"
    CONTINUE_INDEPENDENT = "continue_independent"


class ReuseMode(StrEnum):
    """How results are reused. Part of the hash, otherwise without effect (spec 04 §23)."""

    STRICT = "strict"
    COMPATIBLE = "compatible"


class After(msgspec.Struct, frozen=True):
    """A node that must have ended well first."""

    node_id: str
    policy: AfterPolicy = AfterPolicy.SUCCESS


class PinnedHead(msgspec.Struct, frozen=True, tag_field="kind", tag="pinned_head"):
    """The branch has not moved. Accepted in templates, but no run may have it (spec 04 §23)."""

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return "pinned_head"


class BranchExists(msgspec.Struct, frozen=True, tag_field="kind", tag="branch_exists"):
    """The branch of the node's only branch lock exists."""

    @property
    def label(self) -> str:
        """The text that stands for it in hashes."""
        return "branch_exists"


#: The kinds of preconditions (spec 04 §5.5); their labels are those of spec 04 §17.2.
Precondition = PinnedHead | CleanWorktree | BranchExists | CustomPrecondition


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
    #: The file it was found in, with line and column where they are known; empty for the command line.
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}" if self.origin else self.message


#: Where a value is in the tree of a file: keys of maps and indexes of lists.
KeyPath = tuple[str | int, ...]

#: Where a value is in the text: line and column, both from 1.
Position = tuple[int, int]

#: Finds the position of a value; a mapping's `get` will do.
Positions = Callable[[KeyPath], Position | None]


class LoadedTemplate(msgspec.Struct, frozen=True):
    """What one file says, with its canonical path and the warnings about it."""

    template: Template
    origin: str
    warnings: tuple[TemplateWarning, ...] = ()
    #: Knows where things are in the text; None if nobody does.
    positions: Positions | None = None

    def place(self, path: KeyPath) -> str:
        """Where a value is, as messages say it: the file, with line and column if they are known."""
        return place_text(self.origin, self.positions, path)


class NodeOrigin(msgspec.Struct, frozen=True):
    """Where a node was written."""

    loaded: LoadedTemplate
    #: Which of the nodes of the file it is, from 0.
    index: int
    #: Names of the imports that lead to the file.
    chain: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"at {self.loaded.place(('nodes', self.index))}{imported_as(self.chain)}"


def place_text(origin: str, positions: Positions | None, path: KeyPath) -> str:
    """A file, with line and column of a value in it, or of the nearest one around it that has a position."""
    if positions is not None:
        for length in range(len(path), -1, -1):
            position = positions(path[:length])
            if position is not None:
                return f"{origin}:{position[0]}:{position[1]}"
    return origin


def imported_as(chain: Sequence[str]) -> str:
    """A line for messages that names the imports which lead to a file; empty for the root file."""
    names = " -> ".join(f"`{name}`" for name in chain)
    return f"\nin the template imported as {names}" if chain else ""


#: Parameters and arguments that name branches, in the order of lock inference (spec 04 §16).
BRANCH_KEYS: Final = ("branch", "source_branch", "plan_branch", "target", "target_branch")
