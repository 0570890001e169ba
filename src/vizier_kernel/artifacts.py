"""Artifacts: the typed tokens that jobs need and produce (spec 01 §2.4, 04 §6).

On disk an artifact is an object with exactly one key, its kind: ``{"plan_doc": {"slug": "a", "branch": "draft/a"}}``.
Inside the program it is an :class:`Artifact`, which is hashable and sorts by kind, then by its values.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class ArtifactKind(IntEnum):
    """The seven kinds; the number is the rank that sorts artifacts in records."""

    PLAN_BRANCH = 0
    PLAN_DOC = 1
    PLAN_COMMITS = 2
    TARGET_BRANCH = 3
    MERGE_SENTINEL = 4
    COMMAND_PATCH = 5
    CUSTOM = 6

    @property
    def tag(self) -> str:
        """The key that names this kind in JSON."""
        return self.name.lower()


#: The fields of each kind, in the order in which they are written and compared.
FIELDS: Final[Mapping[ArtifactKind, tuple[str, ...]]] = {
    ArtifactKind.PLAN_BRANCH: ("slug", "branch"),
    ArtifactKind.PLAN_DOC: ("slug", "branch"),
    ArtifactKind.PLAN_COMMITS: ("slug", "branch"),
    ArtifactKind.TARGET_BRANCH: ("name",),
    ArtifactKind.MERGE_SENTINEL: ("slug",),
    ArtifactKind.COMMAND_PATCH: ("job_id",),
    ArtifactKind.CUSTOM: ("type_id", "key"),
}

#: The kinds that live on a plan branch.
PLAN_KINDS: Final = frozenset({ArtifactKind.PLAN_BRANCH, ArtifactKind.PLAN_DOC, ArtifactKind.PLAN_COMMITS})

#: Type id of the artifact that every workflow node publishes on every outcome (spec 04 §18.6).
OPERATION_OUTPUT: Final = "operation_output"
#: Type id of the artifact that hands a prompt to an agent (spec 06 §7.1).
PROMPT_TEXT: Final = "prompt_text"

_KIND_BY_TAG: Final = {kind.tag: kind for kind in ArtifactKind}


class Artifact(tuple[ArtifactKind, str, str]):
    """One artifact: its kind and one or two values, named by :data:`FIELDS`.

    A tuple, so that comparing, sorting and hashing (the scheduler does little else) cost nothing.
    """

    __slots__ = ()

    def __new__(cls, kind: ArtifactKind, first: str, second: str = "") -> "Artifact":
        """The artifact of this kind; ``second`` stays empty where the kind has one field only."""
        return tuple.__new__(cls, (kind, first, second))

    @property
    def kind(self) -> ArtifactKind:
        """What sort of artifact this is."""
        return self[0]

    @property
    def first(self) -> str:
        """The value of the kind's first field."""
        return self[1]

    @property
    def second(self) -> str:
        """The value of the kind's second field, empty if there is none."""
        return self[2]

    @classmethod
    def custom(cls, type_id: str, key: str) -> "Artifact":
        """The custom artifact ``custom:<type_id>:<key>``."""
        return cls(ArtifactKind.CUSTOM, type_id, key)

    @classmethod
    def operation_output(cls, node_id: str) -> "Artifact":
        """What the workflow node ``node_id`` publishes whatever its outcome."""
        return cls(ArtifactKind.CUSTOM, OPERATION_OUTPUT, node_id)

    @classmethod
    def from_plain(cls, value: object) -> "Artifact":
        """Decodes the one-key object of records, manifests and templates.

        Raises:
            ValueError: the value is no such object; the message says what is wrong with it.
        """
        if not isinstance(value, Mapping):
            raise ValueError(f'expected an artifact object such as {{"custom": {{...}}}}, got {_type_name(value)}')
        if len(value) != 1:
            raise ValueError(f"an artifact has exactly one kind, got {', '.join(map(str, value)) or 'none'}")
        ((tag, body),) = value.items()
        kind = _KIND_BY_TAG.get(tag)
        if kind is None:
            raise ValueError(f"unknown artifact kind `{tag}`, expected one of {', '.join(_KIND_BY_TAG)}")
        if not isinstance(body, Mapping):
            raise ValueError(f"artifact `{tag}` must hold an object, got {_type_name(body)}")
        values = []
        for field in FIELDS[kind]:
            if field not in body:
                raise ValueError(f"artifact `{tag}`: missing field `{field}`")
            if not isinstance(body[field], str):
                raise ValueError(f"artifact `{tag}`: `{field}` must be a string, got {_type_name(body[field])}")
            values.append(body[field])
        return cls(kind, *values)

    def to_plain(self) -> dict[str, dict[str, str]]:
        """The one-key object written to disk."""
        return {self.kind.tag: self.fields()}

    def fields(self) -> dict[str, str]:
        """The values by field name."""
        return dict(zip(FIELDS[self.kind], (self.first, self.second), strict=False))

    @property
    def label(self) -> str:
        """The text that names this artifact in messages, views, audits and hashes."""
        if self.kind in PLAN_KINDS:
            return f"{self.kind.tag}:{self.first} ({self.second})"
        if self.kind is ArtifactKind.CUSTOM:
            return f"custom:{self.first}:{self.second}"
        return f"{self.kind.tag}:{self.first}"

    @property
    def contract_id(self) -> str:
        """The id of the artifact contract that must declare it: the type of a custom artifact, else the kind."""
        return self.first if self.kind is ArtifactKind.CUSTOM else self.kind.tag


def _type_name(value: object) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
