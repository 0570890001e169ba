"""JSON documents to typed values and back, without losing what we do not know (decision D8, ruling R75).

Decoding is strict: duplicate keys, wrong types and unknown labels make a document malformed. Rewriting applies what has
changed to the document that was read, so unknown keys keep their values and their places.
"""

import json
import re
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from vizier_core.errors import MalformedFileError
from vizier_core.timestamp import Timestamp
from vizier_kernel.artifacts import Artifact

T = TypeVar("T")
Document = dict[str, Any]

#: Deeper documents are refused: what walks them later must not run out of stack.
DEPTH_LIMIT: Final = 100

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def parse_document(data: bytes, path: Path) -> Document:
    """The JSON object in a file.

    Raises:
        MalformedFileError: not UTF-8, not JSON, not an object, or a key occurs twice.
    """
    try:
        document = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise MalformedFileError(path, f"not valid UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise MalformedFileError(path, f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except ValueError as error:
        # What follows a semicolon is the parser's advice for programmers.
        raise MalformedFileError(path, str(error).partition(";")[0]) from None
    except RecursionError:
        raise MalformedFileError(path, "nested too deeply") from None
    if not isinstance(document, dict):
        raise MalformedFileError(path, "expected a JSON object")
    if data.count(b"[") + data.count(b"{") > DEPTH_LIMIT and _is_too_deep(document):
        raise MalformedFileError(path, f"nested more than {DEPTH_LIMIT} levels deep")
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


def rewritten(source: Any, old: Any, new: Any) -> Any:
    """The document that was read with the changes from one typed value to another.

    Whatever is not known to the types stays, wherever it stands. Keys that were missing although they are always
    written are added where they belong.

    Args:
        source: the document as it was read.
        old: the value it was decoded to.
        new: the value that replaces that.
    """
    if isinstance(new, msgspec.Struct) and type(new) is type(old) and isinstance(source, dict):
        return _rewritten_object(source, old, new)
    if isinstance(new, tuple) and isinstance(old, tuple) and isinstance(source, list):
        return _rewritten_list(source, old, new)
    # Times are put into record form whenever the document is written (spec 02 §3.2).
    return source if new == old and not isinstance(new, Timestamp) else to_plain(new)


def pretty(document: Any) -> bytes:
    """The text of a JSON file: two blanks of indent, raw UTF-8, no newline at the end (spec 02 §3.1)."""
    try:
        return msgspec.json.format(msgspec.json.encode(document), indent=2)
    except (UnicodeEncodeError, OverflowError):
        # A lone surrogate has no UTF-8 form, but JSON has an escape for it; and it knows integers of any size.
        text = json.dumps(document, indent=2, ensure_ascii=False)
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"duplicate key `{twice}`")
    return document


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"`{name}` is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"the number {text} is too large")
    return number


def _is_too_deep(document: Document) -> bool:
    level: list[Any] = [document]
    for _ in range(DEPTH_LIMIT):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _decode_custom(type_: type[Any], value: Any) -> Any:
    if type_ is Timestamp:
        return Timestamp.parse(value)
    if type_ is Artifact:
        return _nameable(Artifact.from_plain(value))
    raise NotImplementedError(f"no decoder for {type_}")


def _nameable(artifact: Artifact) -> Artifact:
    """An artifact that files and branches can be named after.

    Raises:
        ValueError: it holds what is no text; bytes that are no UTF-8 may be in it, as the command line may have them.
    """
    try:
        f"{artifact.first}{artifact.second}".encode("utf-8", errors="surrogateescape")
    except UnicodeEncodeError:
        raise ValueError("an artifact holds half of a character pair (a lone surrogate), which is no text") from None
    return artifact


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


def _rewritten_object(source: Document, old: msgspec.Struct, new: msgspec.Struct) -> Document:
    omitted = getattr(new, "OMITTED", {})
    result = dict(source)
    missing = {}
    for name in new.__struct_fields__:
        before, now = getattr(old, name), getattr(new, name)
        is_left_out = name in omitted and now == omitted[name]
        if name not in source:
            if not is_left_out:
                missing[name] = to_plain(now)
        elif not is_left_out or (isinstance(source[name], dict) and now == before):
            result[name] = rewritten(source[name], before, now)
        else:
            del result[name]
    return _in_order(result, missing, new.__struct_fields__)


def _in_order(document: Document, missing: Document, order: tuple[str, ...]) -> Document:
    """The document with missing keys, the known ones in their order; the others stay behind the one they stood behind.

    Records that were written by hand get the order of all records when they are rewritten.
    """
    names = set(order)
    known = [name for name in order if name in document]
    if not missing and known == [key for key in document if key in names]:
        return document
    result: Document = {}
    followers: dict[str, Document] = {}
    behind = result
    for key, value in document.items():
        if key in names:
            behind = followers[key] = {key: value}
        else:
            behind[key] = value
    for name in order:
        if name in followers:
            result.update(followers[name])
        elif name in missing:
            result[name] = missing[name]
    return result


def _rewritten_list(source: list[Any], old: tuple[Any, ...], new: tuple[Any, ...]) -> list[Any]:
    """Entries that were there before keep what only the document knows of them."""
    left = list(zip(source, old, strict=True))
    result = []
    for item in new:
        place = next((place for place, (_, before) in enumerate(left) if before == item), None)
        result.append(to_plain(item) if place is None else rewritten(*left.pop(place), item))
    return result
