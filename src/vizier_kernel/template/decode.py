"""The template format, and how a file's content becomes a `Template` (spec 04 §§4-6).

TOML, JSON and HCL give the same plain tree of maps, lists, strings, numbers, booleans and nulls. The tables below are
the whole format: every key, what it accepts and whether it must be there.
"""

from typing import Final

from vizier_kernel.artifacts import FIELDS, Artifact, ArtifactKind
from vizier_kernel.scheduler.model import Lock, LockMode, MissingProducer
from vizier_kernel.template.model import (
    After,
    ArtifactContract,
    BranchExists,
    Cli,
    DeclaredApprovalGate,
    DeclaredCicdGate,
    DeclaredGate,
    DeclaredRetry,
    FailureMode,
    Import,
    Link,
    LoadedTemplate,
    Node,
    PinnedHead,
    Policy,
    Positions,
    Precondition,
    ResumePolicy,
    ReuseMode,
    Template,
    TemplateWarning,
)
from vizier_kernel.template.shapes import (
    TEXT,
    Choice,
    Field,
    FreeForm,
    LenientBoolean,
    LenientNumber,
    ListOf,
    MapOf,
    Nullable,
    OneOf,
    Record,
    Run,
    Shape,
    T,
    Tagged,
)
from vizier_kernel.workflow import (
    AfterPolicy,
    CleanWorktree,
    CustomGate,
    CustomPrecondition,
    DependencyPolicy,
    GatePolicy,
    NodeKind,
    Outcome,
    PerOutcome,
    ScriptGate,
)


def decode_template(tree: object, *, origin: str, positions: Positions | None = None) -> LoadedTemplate:
    """Decodes what was read from one file.

    Args:
        tree: the plain tree.
        origin: canonical path of the file; identifies it in warnings and when imports are followed.
        positions: gives line and column of a key path, for messages about formats that know them.

    Raises:
        TemplateError: the tree is no template; the message starts with the key path, and the caller puts the format
            and the path of the file in front of it.
    """
    run = Run(origin, positions)
    template = TEMPLATE.decode(tree, (), run)
    if template.links and not template.imports:
        run.warnings.append(TemplateWarning("`links` without `imports` do nothing", origin))
    return LoadedTemplate(template, origin, tuple(run.warnings), positions)


def _per_outcome(item: Shape[T]) -> Record[PerOutcome[T]]:
    return Record(PerOutcome, dict.fromkeys(Outcome, Field(ListOf(item))))


def _artifact(kind: ArtifactKind) -> Record[Artifact]:
    def make(**values: str) -> Artifact:
        return Artifact(kind, *(values[name] for name in FIELDS[kind]))

    return Record(make, dict.fromkeys(FIELDS[kind], _NEEDED_TEXT))


_OPTIONAL_TEXT: Final = Field(TEXT)
_NEEDED_TEXT: Final = Field(TEXT, required=True)
_TEXTS: Final = ListOf(TEXT)
_TEXT_MAP: Final = MapOf(TEXT)
_FLAG: Final = Field(LenientBoolean())
_GATE_POLICY: Final = Field(Choice(GatePolicy))

ARTIFACT: Final = OneOf({kind.tag: _artifact(kind) for kind in ArtifactKind})

AFTER: Final = Record(After, {"node_id": _NEEDED_TEXT, "policy": Field(Choice(AfterPolicy))})

LOCK: Final = Record(Lock, {"key": _NEEDED_TEXT, "mode": Field(Choice(LockMode), required=True)})

PRECONDITION: Final = Tagged[Precondition](
    "kind",
    {
        "pinned_head": Record(PinnedHead, {}),
        "clean_worktree": Record(CleanWorktree, {}),
        "branch_exists": Record(BranchExists, {}),
        "custom": Record(CustomPrecondition, {"id": _NEEDED_TEXT, "args": Field(_TEXT_MAP)}),
    },
)

GATE: Final = Tagged[DeclaredGate](
    "kind",
    {
        "approval": Record(DeclaredApprovalGate, {"required": _FLAG, "policy": _GATE_POLICY}),
        "script": Record(ScriptGate, {"script": _NEEDED_TEXT, "policy": _GATE_POLICY}),
        "cicd": Record(DeclaredCicdGate, {"script": _NEEDED_TEXT, "auto_resolve": _FLAG, "policy": _GATE_POLICY}),
        "custom": Record(CustomGate, {"id": _NEEDED_TEXT, "args": Field(_TEXT_MAP), "policy": _GATE_POLICY}),
    },
)

NODE: Final = Record(
    Node,
    {
        "id": _NEEDED_TEXT,
        "name": Field(Nullable(TEXT)),
        "kind": Field(Choice(NodeKind)),
        "uses": _NEEDED_TEXT,
        "args": Field(_TEXT_MAP),
        "after": Field(ListOf(AFTER)),
        "needs": Field(ListOf(ARTIFACT)),
        "produces": Field(_per_outcome(ARTIFACT)),
        "locks": Field(ListOf(LOCK)),
        "preconditions": Field(ListOf(PRECONDITION)),
        "gates": Field(ListOf(GATE)),
        "retry": Field(Record(DeclaredRetry, {"mode": _OPTIONAL_TEXT, "budget": Field(LenientNumber())})),
        "on": Field(_per_outcome(TEXT)),
    },
)

POLICY: Final = Record(
    Policy,
    {
        "failure_mode": Field(Choice(FailureMode)),
        "resume": Field(Record(ResumePolicy, {"key": _OPTIONAL_TEXT, "reuse_mode": Field(Choice(ReuseMode))})),
        "dependencies": Field(Record(DependencyPolicy, {"missing_producer": Field(Choice(MissingProducer))})),
    },
)

TEMPLATE: Final = Record(
    Template,
    {
        "id": _NEEDED_TEXT,
        "version": _NEEDED_TEXT,
        "params": Field(_TEXT_MAP),
        "policy": Field(POLICY),
        "artifact_contracts": Field(
            ListOf(
                Record(
                    ArtifactContract,
                    {"id": _NEEDED_TEXT, "version": _OPTIONAL_TEXT, "schema": Field(FreeForm())},
                )
            )
        ),
        "nodes": Field(ListOf(NODE)),
        "imports": Field(ListOf(Record(Import, {"name": _NEEDED_TEXT, "path": _NEEDED_TEXT}))),
        "links": Field(
            ListOf(
                Record(
                    Link,
                    {
                        "from": Field(TEXT, required=True, into="source"),
                        "to": Field(TEXT, required=True, into="target"),
                    },
                )
            )
        ),
        "cli": Field(Record(Cli, {"positional": Field(_TEXTS), "named": Field(_TEXT_MAP)})),
    },
)
