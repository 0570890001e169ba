"""The schemas of `tests/schemas` as oracles."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "schemas"


@cache
def validator(name: str) -> Draft202012Validator:
    """The schema of one file, with objects opened: unknown keys are kept, and new ones are allowed (R4, D17)."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(_opened(schema))


def _opened(schema: Any) -> Any:
    """Without objects that are closed; of which what was one of several may be more than one of them."""
    if isinstance(schema, dict):
        names = {"oneOf": "anyOf"}
        kept = {names.get(key, key): value for key, value in schema.items() if key != "additionalProperties" or value}
        return {key: _opened(value) for key, value in kept.items()}
    return [_opened(item) for item in schema] if isinstance(schema, list) else schema


def problems(name: str, document: Any) -> list[str]:
    """What is wrong with a document, with the place."""
    return [f"{error.json_path}: {error.message[:300]}" for error in validator(name).iter_errors(document)]
