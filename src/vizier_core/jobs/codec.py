"""JSON documents to typed values and back, without losing what we do not know (decision D8, ruling R75).

Decoding is strict: duplicate keys, wrong types and unknown labels make a document malformed. Encoding lays the new
values over the document that was read, so unknown keys keep their values and their places.
"""

import json
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from vizier_core.errors import MalformedFileError
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact

T = TypeVar("T")
Document = dict[str, Any]


def parse_document(data: bytes, path: Path) -> Document:
    """The JSON object in a file.

    Raises:
        MalformedFileError: not UTF-8, not JSON, not an object, or a key occurs twice.
    """
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise MalformedFileError(path, f"not valid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedFileError(path, f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise MalformedFileError(path, str(error) or "nested too deeply") from None
    if not isinstance(document, dict):
        raise MalformedFileError(path, "expected a JSON object")
    return document


def from_document(document: Document, type_: type[T], path: Path) -> T:
    """The typed value of a parsed document.

    Raises:
        MalformedFileError: a key is missing, has the wrong type or an unknown label; the message names the key.
    """
    try:
        return msgspec.convert(document, type_, dec_hook=_decode_custom)
    except msgspec.ValidationError as error:
        raise MalformedFileError(path, str(error).replace(" - at `$.", " at `").replace(" - at `$`", "")) from None


def to_plain(value: Any) -> Any:
    """A typed value as JSON-ready data; fields at the value that their class omits are left out."""
    if isinstance(value, msgspec.Struct):
        return _plain_struct(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Timestamp):
        return value.record_form()
    if isinstance(value, Artifact):
        return value.to_plain()
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def overlay(source: Any, new: Any, known: type[msgspec.Struct] | None = None) -> Any:
    """`new` with what only `source` knows added: unknown keys of objects, at any depth, where they stood.

    Args:
        source: the document as it was read.
        new: plain data of the value that replaces it.
        known: the type of `new`; its `OMITTED` says which keys are absent on purpose, its `PARTS` the types inside.
    """
    if isinstance(source, dict) and isinstance(new, dict):
        return _overlay_object(source, new, known)
    if isinstance(source, list) and isinstance(new, list):
        return [next((old for old in source if _covers(old, item)), item) for item in new]
    return new


def pretty(document: Any) -> bytes:
    """The text of a JSON file: two blanks of indent, raw UTF-8, no newline at the end (spec 02 §3.1)."""
    # A lone surrogate (an undecodable byte of an argument) has no UTF-8 form; a question mark keeps the file valid.
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", errors="replace")


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"duplicate key `{twice}`")
    return document


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"`{name}` is not JSON")


def _decode_custom(type_: type[Any], value: Any) -> Any:
    if type_ is Timestamp:
        return Timestamp.parse(value)
    if type_ is Artifact:
        return Artifact.from_plain(value)
    raise NotImplementedError(f"no decoder for {type_}")


def _plain_struct(value: msgspec.Struct) -> Document:
    config = value.__struct_config__
    plain: Document = {config.tag_field: config.tag} if config.tag_field else {}
    omitted = getattr(value, "OMITTED", {})
    for name in value.__struct_fields__:
        item = getattr(value, name)
        if item is None:
            if name not in omitted:
                plain[name] = None
        elif name not in omitted or item != omitted[name]:
            plain[name] = to_plain(item)
    return plain


def _overlay_object(source: Document, new: Document, known: type[msgspec.Struct] | None) -> Document:
    omitted = getattr(known, "OMITTED", {})
    parts = getattr(known, "PARTS", {})
    merged: Document = {}
    for key, old in source.items():
        if key in new:
            merged[key] = overlay(old, new[key], parts.get(key))
        elif key not in omitted:
            merged[key] = old
    if len(merged.keys() & new.keys()) == len(new):
        return merged
    order = list(merged)
    place = 0
    for key, value in new.items():
        if key in merged:
            place = order.index(key) + 1
        else:
            order.insert(place, key)
            merged[key] = value
            place += 1
    return {key: merged[key] for key in order}


def _covers(old: Any, new: Any) -> bool:
    """Whether a list entry of the old document says the same as a new one, and perhaps more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in old and _covers(old[key], value) for key, value in new.items())
    return type(old) is type(new) and bool(old == new)
