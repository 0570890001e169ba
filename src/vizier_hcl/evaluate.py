"""Evaluates whole files: the public operations of this package (spec 05 §2)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from vizier_hcl.diagnostics import HclError
from vizier_hcl.document import Document
from vizier_hcl.source import Source, read
from vizier_hcl.spelled import spelled_out

if TYPE_CHECKING:
    from vizier_hcl.positions import ValuePositions


def evaluate(source: bytes | str, *, display_path: str) -> Document:
    """Evaluates a template.

    Args:
        source: the contents of the file.
        display_path: the name of the file in error messages.

    Raises:
        HclError: the file is no valid template of the language.
    """
    text = _read(source, display_path)
    value = spelled_out(text.text)
    if value is None:
        from vizier_hcl.whole import evaluate_fully  # noqa: PLC0415 - most files do not need it

        return evaluate_fully(text, display_path)

    def positions() -> ValuePositions:
        from vizier_hcl.whole import positions_of  # noqa: PLC0415 - only if something is to be said

        return positions_of(text, display_path)

    return Document(value, (), text, positions)


def top_level_strings(source: bytes | str, names: Collection[str], *, display_path: str) -> dict[str, str]:
    """Those of the named attributes of a file that are strings; nothing else of it is evaluated.

    Raises:
        HclError: the file has a syntax error, or one of these attributes cannot be evaluated.
    """
    text = _read(source, display_path)
    value = spelled_out(text.text)
    if value is None:
        from vizier_hcl.whole import evaluated_strings  # noqa: PLC0415 - most files do not need it

        return evaluated_strings(text, names, display_path)
    return {name: item for name, item in value.items() if name in names and isinstance(item, str)}


def _read(source: bytes | str, display_path: str) -> Source:
    text, unreadable = read(source)
    if unreadable:
        raise HclError(display_path, [text.error(unreadable)])
    return text
