"""A JSON Schema of the template format, for editors that complete and check TOML and JSON templates.

Made from the tables in `decode.py`, so it says what the decoder does. Like the decoder it accepts unknown keys. Rules
that join several places, such as those about routes, are beyond it; `vizier audit` knows them.
"""

from collections.abc import Mapping
from typing import Any, Final

from vizier_kernel.template.decode import (
    AFTER,
    ARTIFACT,
    CLI,
    CONTRACT,
    GATE,
    IMPORT,
    LINK,
    LOCK,
    NODE,
    POLICY,
    PRECONDITION,
    TEMPLATE,
)
from vizier_kernel.template.shapes import (
    Choice,
    Field,
    LenientBoolean,
    LenientNumber,
    ListOf,
    MapOf,
    Nullable,
    OneOf,
    Record,
    Shape,
    Tagged,
    Text,
)

#: What editors understand best.
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"

_DEFINITIONS: Final[Mapping[str, Shape[object]]] = {
    "policy": POLICY,
    "artifact_contract": CONTRACT,
    "node": NODE,
    "after": AFTER,
    "artifact": ARTIFACT,
    "lock": LOCK,
    "precondition": PRECONDITION,
    "gate": GATE,
    "import": IMPORT,
    "link": LINK,
    "cli": CLI,
}


def template_schema() -> dict[str, Any]:
    """The schema of a template, as a JSON value."""
    return {
        "$schema": _DIALECT,
        "title": "Vizier workflow template",
        **_schema(TEMPLATE),
        "definitions": {name: _schema(shape) for name, shape in _DEFINITIONS.items()},
    }


def _reference(shape: Shape[object]) -> dict[str, Any]:
    """A reference to the definition of the shape if it has one, otherwise its schema."""
    for name, defined in _DEFINITIONS.items():
        if shape is defined:
            return {"$ref": f"#/definitions/{name}"}
    return _schema(shape)


def _schema(shape: Shape[object]) -> dict[str, Any]:
    match shape:
        case Record():
            return _record(shape)
        case Tagged():
            variants = [_record(variant, shape.tag, label) for label, variant in shape.variants.items()]
            return {"type": "object", "required": [shape.tag], "oneOf": variants}
        case OneOf():
            return {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {key: _record(variant) for key, variant in shape.variants.items()},
            }
        case ListOf():
            return {"type": "array", "items": _reference(shape.item)}
        case MapOf():
            return {"type": "object", "additionalProperties": _reference(shape.item)}
        case Nullable():
            return {"anyOf": [_reference(shape.shape), {"type": "null"}]}
        case _:
            return _scalar(shape)


def _scalar(shape: Shape[object]) -> dict[str, Any]:
    match shape:
        case Choice():
            return {"enum": [label.value for label in shape.labels]}
        case LenientBoolean():
            return {"type": ["boolean", "number", "string"]}
        case LenientNumber():
            return {"type": ["number", "string"]}
        case Text():
            return {"type": "string"}
        case _:
            return {}


def _record(record: Record[Any], tag: str = "", label: str = "") -> dict[str, Any]:
    """The schema of a map with known keys, one of which may be a tag with a fixed value."""
    properties = {key: _field(field) for key, field in record.fields.items()}
    required = [key for key, field in record.fields.items() if field.required]
    if tag:
        properties = {tag: {"const": label}, **properties}
        required = [tag, *required]
    properties |= {key: {} for key in sorted(record.foreign)}
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _field(field: Field) -> dict[str, Any]:
    schema = _reference(field.shape)
    if "$ref" in schema and field.about:
        # What stands beside a reference does not count.
        schema = {"allOf": [schema]}
    if field.about:
        schema["description"] = field.about
    if field.examples:
        schema["examples"] = list(field.examples)
    return schema
