"""The template format, and how a file's content becomes a `Template` (spec 04 §§4-6).

TOML, JSON and HCL give the same plain tree of maps, lists, strings, numbers, booleans and nulls. The tables below are
the whole format: every key, what it accepts and whether it must be there.
"""

from typing import Final

from vizier_kernel.artifacts import FIELDS, Artifact, ArtifactKind
from vizier_kernel.scheduler.model import Lock, LockMode, MissingProducer
from vizier_kernel.template.capabilities import CAPABILITIES
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
    RetryMode,
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


def _per_outcome(item: Shape[T], about: str) -> Record[PerOutcome[T]]:
    fields = {outcome.value: Field(ListOf(item), about=about.format(outcome.value)) for outcome in Outcome}
    return Record(PerOutcome, fields)


def _artifact(kind: ArtifactKind) -> Record[Artifact]:
    def make(**values: str) -> Artifact:
        return Artifact(kind, *(values[name] for name in FIELDS[kind]))

    return Record(make, dict.fromkeys(FIELDS[kind], Field(TEXT, required=True, about="May hold placeholders.")))


_TEXT_MAP: Final = MapOf(TEXT)
_GATE_POLICY: Final = Field(Choice(GatePolicy), about="Part of the hash, otherwise without effect.")
_SCRIPT: Final = Field(TEXT, required=True, about="Shell script; placeholders are replaced as they are, unquoted.")

ARTIFACT: Final = OneOf({kind.tag: _artifact(kind) for kind in ArtifactKind})

AFTER: Final = Record(
    After,
    {
        "node_id": Field(TEXT, required=True, about="The node to wait for."),
        "policy": Field(Choice(AfterPolicy), about="What it must have done."),
    },
)

LOCK: Final = Record(
    Lock,
    {
        "key": Field(TEXT, required=True, about="What is locked; jobs with the same key wait for each other."),
        "mode": Field(Choice(LockMode), required=True, about="Whether others may hold it at the same time."),
    },
)

PRECONDITION: Final = Tagged[Precondition](
    "kind",
    {
        "pinned_head": Record(PinnedHead, {}),
        "clean_worktree": Record(CleanWorktree, {}),
        "branch_exists": Record(BranchExists, {}),
        "custom": Record(
            CustomPrecondition,
            {
                "id": Field(TEXT, required=True, about="Which one.", examples=("clean_worktree", "branch_exists")),
                "args": Field(_TEXT_MAP, about="Texts for it, such as `branch`."),
            },
        ),
    },
)

GATE: Final = Tagged[DeclaredGate](
    "kind",
    {
        "approval": Record(
            DeclaredApprovalGate,
            {
                "required": Field(LenientBoolean(), about="Whether the job waits until a person agrees."),
                "policy": _GATE_POLICY,
            },
        ),
        "script": Record(ScriptGate, {"script": _SCRIPT, "policy": _GATE_POLICY}),
        "cicd": Record(
            DeclaredCicdGate,
            {
                "script": _SCRIPT,
                "auto_resolve": Field(LenientBoolean(), about="Whether a failure leads back to the gate."),
                "policy": _GATE_POLICY,
            },
        ),
        "custom": Record(
            CustomGate,
            {
                "id": Field(TEXT, required=True, about="Which one.", examples=("conflict_resolution",)),
                "args": Field(_TEXT_MAP, about="Texts for it, such as `auto_resolve`."),
                "policy": _GATE_POLICY,
            },
        ),
    },
)

RETRY: Final = Record(
    DeclaredRetry,
    {
        "mode": Field(
            TEXT,
            about="When the node is repeated; may hold placeholders.",
            examples=tuple(mode.value for mode in RetryMode),
        ),
        "budget": Field(LenientNumber(), about="How often at most; may be a text with placeholders."),
    },
)

NODE: Final = Record(
    Node,
    {
        "id": Field(TEXT, required=True, about="Unique in the template."),
        "name": Field(Nullable(TEXT), about="What people call it."),
        "kind": Field(Choice(NodeKind), about="What sort of step it is; must fit `uses`."),
        "uses": Field(TEXT, required=True, about="What it does.", examples=tuple(CAPABILITIES)),
        "args": Field(_TEXT_MAP, about="Texts for it; all values are strings."),
        "after": Field(ListOf(AFTER), about="Nodes that must have succeeded first."),
        "needs": Field(ListOf(ARTIFACT), about="Artifacts that must exist first."),
        "produces": Field(_per_outcome(ARTIFACT, "If it is {}."), about="Artifacts that exist afterwards, by outcome."),
        "locks": Field(ListOf(LOCK), about="What it locks, instead of the branches that it works on."),
        "preconditions": Field(ListOf(PRECONDITION), about="What must be true when it starts."),
        "gates": Field(ListOf(GATE), about="What a person or a script has to decide."),
        "retry": Field(RETRY, about="Whether a gate sends it back."),
        "on": Field(_per_outcome(TEXT, "If it is {}."), about="Ids of the nodes to go on with, by outcome."),
    },
)

RESUME: Final = Record(
    ResumePolicy,
    {
        "key": Field(TEXT, about="Part of the hash, otherwise without effect."),
        "reuse_mode": Field(Choice(ReuseMode), about="Part of the hash, otherwise without effect."),
    },
)

POLICY: Final = Record(
    Policy,
    {
        "failure_mode": Field(Choice(FailureMode), about="Part of the hash, otherwise without effect."),
        "resume": Field(RESUME, about="Part of the hash, otherwise without effect."),
        "dependencies": Field(
            Record(
                DependencyPolicy,
                {
                    "missing_producer": Field(
                        Choice(MissingProducer), about="What becomes of a node whose needs nothing produces."
                    )
                },
            ),
            about="About artifacts that nodes need.",
        ),
    },
)

CONTRACT: Final = Record(
    ArtifactContract,
    {
        "id": Field(TEXT, required=True, about="A type of artifacts that nodes may need and produce."),
        "version": Field(TEXT, about="Part of the hash, otherwise without effect."),
        "schema": Field(FreeForm(), about="What their fields must be like: a small part of JSON Schema."),
    },
)

IMPORT: Final = Record(
    Import,
    {
        "name": Field(TEXT, required=True, about="Goes in front of the ids of its nodes."),
        "path": Field(TEXT, required=True, about="Relative to the directory of this file."),
    },
)

LINK: Final = Record(
    Link,
    {
        "from": Field(TEXT, required=True, into="source", about="Name of the import that comes first."),
        "to": Field(TEXT, required=True, into="target", about="Name of the import that waits for it."),
    },
)

CLI: Final = Record(
    Cli,
    {
        "positional": Field(ListOf(TEXT), about="Parameters that are given by position."),
        "named": Field(_TEXT_MAP, about="Flags, and the parameters that they set."),
    },
)

TEMPLATE: Final = Record(
    Template,
    {
        "id": Field(TEXT, required=True, about="Names the template, together with the version."),
        "version": Field(TEXT, required=True, about="Names the template, together with the id."),
        "params": Field(_TEXT_MAP, about="Parameters and their defaults."),
        "policy": Field(POLICY, about="Rules for the whole template."),
        "artifact_contracts": Field(ListOf(CONTRACT), about="Types of artifacts that nodes may need and produce."),
        "nodes": Field(ListOf(NODE), about="The steps."),
        "imports": Field(ListOf(IMPORT), about="Other templates that are stages of this one."),
        "links": Field(ListOf(LINK), about="Which stages wait for which."),
        "cli": Field(CLI, about="How the command line sets parameters."),
    },
    # By which editors find the JSON Schema of the format.
    foreign=frozenset({"$schema"}),
)
