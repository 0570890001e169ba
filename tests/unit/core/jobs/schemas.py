"""The schemas of `tests/schemas` as oracles: checks of what the program wrote, strategies for what it has to accept."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from support.schemas import problems, validator

__all__ = ["anything", "documents", "problems", "texts", "timestamps"]

Schema = dict[str, Any]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
timestamps = st.builds(
    "{}T{:02d}:{:02d}:{:02d}{}{}".format,
    st.dates().map(str),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
    st.sampled_from(["", ".5", ".123456", ".123456789"]),
    st.sampled_from(["Z", "z", "+00:00"]),
)


def documents(name: str) -> st.SearchStrategy[Any]:
    """Everything that a schema accepts, as far as these schemas go."""
    schema = validator(name).schema
    assert isinstance(schema, dict)
    return _of(schema, schema["$defs"])


def _of(schema: Schema, definitions: dict[str, Schema]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return timestamps if name == "timestamp" else st.deferred(lambda: _of(definitions[name], definitions))
    for choices in (schema.get("anyOf"), schema.get("oneOf")):
        if choices:
            return st.one_of([_of(choice, definitions) for choice in choices])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    types = schema.get("type")
    if types is None:
        return anything
    return st.one_of([_TYPES[one](schema, definitions) for one in ([types] if isinstance(types, str) else types)])


def _object(schema: Schema, definitions: dict[str, Schema]) -> st.SearchStrategy[Any]:
    properties = {key: _of(value, definitions) for key, value in schema.get("properties", {}).items()}
    if not properties:
        values = schema.get("additionalProperties")
        return st.dictionaries(texts, _of(values, definitions) if values else anything, max_size=2)
    required = set(schema.get("required", ()))
    optional = {key: value for key, value in properties.items() if key not in required}
    return st.fixed_dictionaries({key: properties[key] for key in required}, optional=optional)


def _array(schema: Schema, definitions: dict[str, Schema]) -> st.SearchStrategy[Any]:
    return st.lists(_of(schema.get("items", {}), definitions), max_size=2)


def _integer(schema: Schema, _: dict[str, Schema]) -> st.SearchStrategy[Any]:
    return st.integers(schema.get("minimum", -(2**31)), schema.get("maximum", 2**31 - 1))


_TYPES: dict[str, Callable[[Schema, dict[str, Schema]], st.SearchStrategy[Any]]] = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "string": lambda schema, definitions: timestamps if "pattern" in schema else texts,
    "boolean": lambda schema, definitions: st.booleans(),
    "null": lambda schema, definitions: st.none(),
}
