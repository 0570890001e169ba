"""Artifact contracts: which artifacts a template may name, and schemas for their values (spec 04 §14)."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from vizier_kernel.artifacts import OPERATION_OUTPUT, Artifact, ArtifactKind
from vizier_kernel.template.model import ArtifactContract

_TYPES: Final = ("object", "array", "string", "number", "integer", "boolean", "null")
_NOT_LITERAL: Final = frozenset(".*+?[]{}()|\\^$")


class SchemaError(ValueError):
    """A schema is not in the supported subset; the message says where and why."""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """A checked schema. What it is applied to is the object of an artifact's fields, or one of its values, a text."""

    accepts: bool = True
    type: str | None = None
    #: The only values allowed, None for any.
    values: tuple[object, ...] | None = None
    const: tuple[object] | None = None
    #: The only texts allowed, None for any.
    texts: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()
    properties: "Mapping[str, Schema]" = {}
    closed: bool = False

    def violation(self, value: str | Mapping[str, str], path: str = "$") -> str | None:
        """What is wrong with a value, None if nothing is."""
        text = repr(value) if isinstance(value, str) else "the object"
        if not self.accepts:
            return f"{path}: nothing is allowed here"
        if self.type is not None and self.type != ("string" if isinstance(value, str) else "object"):
            return f"{path}: {text} is not of type {self.type}"
        if self.const is not None and value != self.const[0]:
            return f"{path}: {text} is not the constant that the schema demands"
        if self.values is not None and value not in self.values:
            return f"{path}: {text} is not one of the values that the schema lists"
        if self.texts is not None and isinstance(value, str) and value not in self.texts:
            return f"{path}: {text} is not one of {', '.join(map(repr, self.texts))}"
        return self._violation_of_object(value, path)

    def _violation_of_object(self, value: str | Mapping[str, str], path: str) -> str | None:
        if isinstance(value, str):
            named = (*self.required, *self.properties)
            return f"{path}: {value!r} is not an object with {', '.join(named)}" if named else None
        for key in self.required:
            if key not in value:
                return f"{path}: `{key}` is missing"
        for key, schema in self.properties.items():
            violation = schema.violation(value[key], f"{path}.{key}") if key in value else None
            if violation is not None:
                return violation
        if self.closed:
            surplus = next((key for key in value if key not in self.properties), None)
            if surplus is not None:
                return f"{path}: `{surplus}` is not allowed"
        return None


class ContractBook:
    """The contracts of one template, with their schemas checked once."""

    def __init__(self, contracts: Iterable[ArtifactContract]) -> None:
        """Takes the contracts in declared order; of several with one id the last counts.

        Raises:
            SchemaError: a schema is not supported; the message names the contract.
        """
        self._schemas: dict[str, Schema | None] = {}
        for contract in contracts:
            try:
                schema = None if contract.schema is None else read_schema(contract.schema)
            except SchemaError as error:
                raise SchemaError(f"artifact contract `{contract.id}` has invalid schema: {error}") from None
            self._schemas[contract.id] = schema

    def violation(self, artifact: Artifact, node_ids: Mapping[str, object]) -> str | None:
        """The end of a sentence about what is wrong with an artifact, None if nothing is."""
        contract_id = artifact.contract_id
        if artifact.kind is ArtifactKind.CUSTOM and contract_id == OPERATION_OUTPUT:
            key = artifact.second.strip()
            if not key:
                return f"artifact `{artifact.label}` with empty key: it must be the id of a node"
            return None if key in node_ids else f"artifact `{artifact.label}`, but no template node has that id"
        if contract_id not in self._schemas:
            return f"artifact `{artifact.label}` without declared artifact contract `{contract_id}`"
        schema = self._schemas[contract_id]
        problem = None if schema is None else schema.violation(artifact.fields())
        if problem is None:
            return None
        return f"artifact `{artifact.label}` that violates schema for contract `{contract_id}`: {problem}"


def read_schema(schema: object, path: str = "$") -> Schema:
    """Checks a schema and prepares it. Keywords outside of the subset are ignored.

    Raises:
        SchemaError: it is not in the subset; of several faults the first in the order of spec 04 §14.3 is named.
    """
    if isinstance(schema, bool):
        return Schema(accepts=schema)
    if not isinstance(schema, Mapping):
        raise SchemaError(f"{path}: a schema is a boolean or an object")
    schema_type = schema.get("type")
    if "type" in schema and schema_type not in _TYPES:
        raise SchemaError(f"{path}.type: expected one of {', '.join(_TYPES)}")
    if not isinstance(schema.get("enum", []), list):
        raise SchemaError(f"{path}.enum: expected a list")
    texts = _pattern(schema["pattern"], path) if "pattern" in schema else None
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(key, str) for key in required):
        raise SchemaError(f"{path}.required: expected a list of strings")
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise SchemaError(f"{path}.properties: expected an object")
    checked: dict[str, Schema] = {}
    for key in sorted(properties):
        checked[key] = read_schema(properties[key], f"{path}.properties.{key}")
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise SchemaError(f"{path}.additionalProperties: expected a boolean")
    return Schema(
        type=schema_type,
        const=(schema["const"],) if "const" in schema else None,
        values=tuple(schema["enum"]) if "enum" in schema else None,
        texts=texts,
        required=tuple(required),
        properties=checked,
        closed=schema.get("additionalProperties") is False,
    )


def _pattern(pattern: object, path: str) -> tuple[str, ...]:
    """The texts that a pattern allows: `^literal$` or `^(one|two)$` (ruling R32: `^$` is the empty text)."""
    problem = SchemaError(f"{path}.pattern: expected `^literal$` or `^(one|two)$` without other special characters")
    if not isinstance(pattern, str) or len(pattern) < 2 or not (pattern.startswith("^") and pattern.endswith("$")):
        raise problem
    literal = pattern[1:-1]
    grouped = len(literal) >= 2 and literal.startswith("(") and literal.endswith(")")
    texts = tuple(literal[1:-1].split("|")) if grouped else (literal,)
    if any(_NOT_LITERAL.intersection(text) for text in texts) or (grouped and "" in texts):
        raise problem
    return texts
