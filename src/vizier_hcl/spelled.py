"""Files that spell out every value, as most templates do: read in one pass, without a syntax tree.

This knows a part of the language only: attributes, whose values are strings without sequences, whole numbers, keywords,
tuples and objects; and comments to the end of the line. At whatever else a file has, or has wrong, it gives up, and the
stages of `evaluate` take over, which know the whole language and every message. So a file costs a third of the time.
"""

from __future__ import annotations

import re
from typing import Final

from vizier_hcl.document import Plain
from vizier_hcl.text import nfc

_TOKENS: Final = re.compile(
    r"""[ \t]*+(?:(?:\#|//)[^\r\n]*+)?
    ( \r?\n
    | [A-Za-z_][A-Za-z0-9_-]*+(?![^\x00-\x7F])
    | "(?:[^"\\$%\r\n]++|\$\$\{|%%\{|[$%](?!\{)|\\[nrt"\\])*+"
    | [0-9]{1,15}+(?![0-9A-Za-z_.])
    | [\s\S]
    | \Z
    )""",
    re.VERBOSE,
)
_NEWLINES: Final = frozenset({"\n", "\r\n"})
_END: Final = ""
_KEYWORDS: Final[dict[str, Plain]] = {"true": True, "false": False, "null": None}
_ESCAPED: Final = re.compile(r"\\(.)|([$%])[$%]\{")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
#: Deeper files are left to those that need no stack.
_MAX_DEPTH: Final = 40


class _GiveUp(Exception):  # noqa: N818 - nothing is wrong yet
    """The file has something that is not known here."""


def spelled_out(text: str) -> dict[str, Plain] | None:
    """The plain tree of a file that spells out every value; None if it does not, or if something is to be said."""
    try:
        return _Reader(text).file()
    except (_GiveUp, RecursionError):
        # The caller may be deep in a recursion already; the other stages hardly use the stack.
        return None


class _Reader:
    """Reads one file, token by token; the last one is empty."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = _TOKENS.findall(text)
        self._at = 0

    def file(self) -> dict[str, Plain]:
        """The attributes, in the order of their names."""
        attributes: dict[str, Plain] = {}
        while True:
            name = self._skip_newlines()
            if name == _END:
                return dict(sorted(attributes.items()))
            if not _is_name(name) or name in attributes or self._tokens[self._at + 1] != "=":
                raise _GiveUp
            self._at += 2
            attributes[name] = self._value(0)
            if self._tokens[self._at] not in _NEWLINES and self._tokens[self._at] != _END:
                raise _GiveUp

    def _skip_newlines(self) -> str:
        """The next token that is no line break."""
        while (token := self._tokens[self._at]) in _NEWLINES:
            self._at += 1
        return token

    def _value(self, depth: int) -> Plain:
        token = self._tokens[self._at]
        self._at += 1
        if token[:1] == '"':
            return _string(token)
        if depth == _MAX_DEPTH:
            raise _GiveUp
        if token == "{":
            return self._object(depth + 1)
        if token == "[":
            return self._tuple(depth + 1)
        if token in _KEYWORDS:
            return _KEYWORDS[token]
        if token.isascii() and token.isdigit():
            return int(token)
        raise _GiveUp

    def _tuple(self, depth: int) -> list[Plain]:
        elements: list[Plain] = []
        while self._skip_newlines() != "]":
            elements.append(self._value(depth))
            self._separator("]")
        self._at += 1
        return elements

    def _object(self, depth: int) -> dict[str, Plain]:
        items: dict[str, Plain] = {}
        tokens = self._tokens
        while (key := self._skip_newlines()) != "}":
            if key[:1] == '"':
                key = _string(key)
            elif not _is_name(key) or key == "for":
                raise _GiveUp
            if key in items or tokens[self._at + 1] not in ("=", ":"):
                raise _GiveUp
            self._at += 2
            items[key] = self._value(depth)
            self._separator("}")
        self._at += 1
        return dict(sorted(items.items()))

    def _separator(self, closing: str) -> None:
        """Takes the comma after an element; line breaks and the end are as good."""
        token = self._tokens[self._at]
        if token == ",":
            self._at += 1
        elif token not in _NEWLINES and token != closing:
            raise _GiveUp


def _is_name(token: str) -> bool:
    return token.isascii() and (token[:1].isalpha() or token[:1] == "_")


def _string(token: str) -> str:
    if len(token) == 1:
        raise _GiveUp
    text = token[1:-1]
    if "\\" in text or "{" in text:
        text = _ESCAPED.sub(_unescaped, text)
    return nfc(text)


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES[found[1]] if found[1] else f"{found[2]}{{"
