"""Parameter expansion: placeholders `${name}` become the values of parameters (spec 04 §9)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from vizier_kernel.artifacts import FIELDS, Artifact
from vizier_kernel.scheduler.model import Lock
from vizier_kernel.template.compose import Composed
from vizier_kernel.template.errors import TemplateError
from vizier_kernel.template.model import (
    BRANCH_KEYS,
    ArtifactContract,
    DeclaredApprovalGate,
    DeclaredCicdGate,
    DeclaredGate,
    ExpandedNode,
    Node,
    Policy,
    Precondition,
    Scalar,
)
from vizier_kernel.template.scalars import to_boolean, to_budget, to_retry_mode
from vizier_kernel.template.shapes import is_unicode
from vizier_kernel.workflow import ApprovalGate, CicdGate, CustomGate, CustomPrecondition, Gate, Retry, ScriptGate

_OPEN: Final = "${"


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """A template without imports and placeholders."""

    #: What it was made from.
    composed: Composed
    artifact_contracts: tuple[ArtifactContract, ...]
    nodes: tuple[ExpandedNode, ...]

    @property
    def identity(self) -> str:
        """How messages name the template."""
        return self.composed.template.identity

    @property
    def policy(self) -> Policy:
        """The rules for the whole template."""
        return self.composed.template.policy


def expand(composed: Composed, overrides: Mapping[str, str]) -> Expanded:
    """Replaces every placeholder by the value of its parameter, and reads what had to wait for that.

    Args:
        composed: the template.
        overrides: what the operator gave, by parameter name. Names that the template does not declare work too.

    Raises:
        TemplateError: a placeholder is malformed or has no value, or the result is not what its place needs; the
            message names the field. Of several errors the first in the order of spec 04 §9.2 is reported.
    """
    for name, value in overrides.items():
        if not is_unicode(value):
            raise TemplateError(f"the value of `{name}` is no valid Unicode text: {value!a}")
    template = composed.template
    texts = _Texts({**template.params, **overrides})
    contracts = tuple(
        [
            ArtifactContract(
                texts.expand(contract.id, f"artifact_contracts[{index}].id"),
                texts.expand(contract.version, f"artifact_contracts[{index}].version"),
                contract.schema,
            )
            for index, contract in enumerate(template.artifact_contracts)
        ]
    )
    scopes = _lock_scopes(composed.lock_scopes, overrides, texts)
    nodes = []
    for node, origin in zip(template.nodes, composed.origins, strict=True):
        try:
            nodes.append(_node(node, scopes.get(node.id), texts))
        except TemplateError as error:
            raise TemplateError(f"{error}\n{origin}") from None
    return Expanded(composed=composed, artifact_contracts=contracts, nodes=tuple(nodes))


def placeholders(text: str) -> list[str]:
    """The names in the placeholders of a text, in order; malformed ones are passed over."""
    names = []
    for part in text.split(_OPEN)[1:]:
        name, closed, _ = part.partition("}")
        if closed:
            names.append(name.strip())
    return names


class _Texts:
    """Expands texts with a fixed set of parameters."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self.params = params

    def expand(self, text: str, path: str) -> str:
        """The text with its placeholders replaced; what is put in is not looked at again."""
        start = text.find(_OPEN)
        if start < 0:
            return text
        done = 0
        parts: list[str] = []
        while start >= 0:
            end = text.find("}", start)
            if end < 0:
                raise TemplateError(f"unclosed parameter placeholder in {path}: `{text[start:]}`")
            parts += (text[done:start], self._value(text[start + len(_OPEN) : end].strip(), path))
            done = end + 1
            start = text.find(_OPEN, done)
        return "".join((*parts, text[done:]))

    def expand_map(self, values: Mapping[str, str], path: str) -> Mapping[str, str]:
        """The map with its values expanded, keys ascending as all files have them (spec 02 §3.1)."""
        if not any(_OPEN in text for text in values.values()):
            return dict(sorted(values.items()))
        return {key: self.expand(values[key], f"{path}.{key}") for key in sorted(values)}

    def expand_scalar(self, value: Scalar, path: str) -> Scalar:
        """The value, expanded if it is a text."""
        return self.expand(value, path) if isinstance(value, str) else value

    def _value(self, name: str, path: str) -> str:
        if not name:
            raise TemplateError(f"empty parameter placeholder in {path}: `${{}}` must name a parameter")
        if name not in self.params:
            raise TemplateError(
                f"unresolved parameter `{name}` in {path}: declare it in params or give it with --set {name}=VALUE"
            )
        return self.params[name]


def _lock_scopes(
    scopes: Mapping[str, Mapping[str, str]], overrides: Mapping[str, str], texts: _Texts
) -> dict[str, Mapping[str, str]]:
    """The branch parameters of every node's own file, with what the operator gave instead.

    Other parameters of the file are left alone: they do not matter for locks, and a value such as `echo ${HOME}` must
    not fail here (weak spot 4 of spec 04 §24).
    """
    expanded: dict[str, Mapping[str, str]] = {}
    known: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    for node_id in sorted(scopes):
        params = scopes[node_id]
        scope = tuple([(key, overrides.get(key, params[key])) for key in sorted(BRANCH_KEYS) if key in params])
        if scope not in known:
            path = f"nodes[{node_id}].lock_scope_context"
            known[scope] = {key: texts.expand(value, f"{path}.{key}") for key, value in scope}
        expanded[node_id] = known[scope]
    return expanded


def _node(node: Node, lock_scope: Mapping[str, str] | None, texts: _Texts) -> ExpandedNode:
    at = f"nodes[{node.id}]"
    if lock_scope is None:
        lock_scope = {key: texts.params[key] for key in BRANCH_KEYS if key in texts.params}
    return ExpandedNode(
        id=node.id,
        name=None if node.name is None else texts.expand(node.name, f"{at}.name"),
        kind=node.kind,
        uses=node.uses,
        args=texts.expand_map(node.args, f"{at}.args"),
        after=node.after,
        needs=_artifacts(node.needs, f"{at}.needs", texts),
        produces=node.produces.map(lambda outcome, artifacts: _artifacts(artifacts, f"{at}.produces.{outcome}", texts)),
        locks=tuple(
            [Lock(texts.expand(lock.key, f"{at}.locks[{i}].key"), lock.mode) for i, lock in enumerate(node.locks)]
        ),
        preconditions=tuple(
            [_precondition(item, f"{at}.preconditions[{i}]", texts) for i, item in enumerate(node.preconditions)]
        ),
        gates=tuple([_gate(gate, f"{at}.gates[{i}]", texts) for i, gate in enumerate(node.gates)]),
        retry=Retry(
            to_retry_mode(texts.expand(node.retry.mode, f"{at}.retry.mode"), f"{at}.retry.mode"),
            to_budget(texts.expand_scalar(node.retry.budget, f"{at}.retry.budget"), f"{at}.retry.budget"),
        ),
        on=node.on,
        lock_scope=lock_scope,
    )


def _artifacts(artifacts: tuple[Artifact, ...], path: str, texts: _Texts) -> tuple[Artifact, ...]:
    return tuple([_artifact(artifact, f"{path}[{i}]", texts) for i, artifact in enumerate(artifacts)])


def _artifact(artifact: Artifact, path: str, texts: _Texts) -> Artifact:
    if _OPEN not in artifact.first and _OPEN not in artifact.second:
        return artifact
    names = FIELDS[artifact.kind]
    values = zip(names, (artifact.first, artifact.second), strict=False)
    return Artifact(
        artifact.kind, *(texts.expand(value, f"{path}.{artifact.kind.tag}.{name}") for name, value in values)
    )


def _precondition(precondition: Precondition, path: str, texts: _Texts) -> Precondition:
    if not isinstance(precondition, CustomPrecondition):
        return precondition
    return CustomPrecondition(precondition.id, texts.expand_map(precondition.args, f"{path}.custom.args"))


def _gate(gate: DeclaredGate, path: str, texts: _Texts) -> Gate:
    if isinstance(gate, DeclaredApprovalGate):
        place = f"{path}.approval.required"
        return ApprovalGate(to_boolean(texts.expand_scalar(gate.required, place), place), gate.policy)
    if isinstance(gate, ScriptGate):
        return ScriptGate(texts.expand(gate.script, f"{path}.script"), gate.policy)
    if isinstance(gate, DeclaredCicdGate):
        script = texts.expand(gate.script, f"{path}.cicd.script")
        place = f"{path}.cicd.auto_resolve"
        return CicdGate(script, to_boolean(texts.expand_scalar(gate.auto_resolve, place), place), gate.policy)
    gate_id = texts.expand(gate.id, f"{path}.custom.id")
    return CustomGate(gate_id, gate.policy, texts.expand_map(gate.args, f"{path}.custom.args"))
