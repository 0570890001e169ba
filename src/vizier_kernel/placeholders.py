r"""Placeholders in prompts: `{{name}}`, `{{node.argument}}`, `{{file:path}}` (spec 06 §8).

A backslash in front of the opening braces makes them text (WS-06-33): `\{{` stands for `{{`. Two backslashes there
stand for one and a placeholder. Elsewhere a backslash is a backslash.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from vizier_kernel.suggest import did_you_mean

_OPENING: Final = "{{"
_CLOSING: Final = "}}"
_FILE: Final = "file:"
_SEPARATOR: Final = "__"
_NARRATIVE: Final = re.compile(r"(?:\./)*\.vizier/narrative/")
#: Of what stands between braces, so many characters are quoted in a message; longer keys are no typing mistakes.
_QUOTED: Final = 120


class PlaceholderError(Exception):
    """A placeholder that stands for nothing; the message says which, where, and why."""


def render(text: str, variables: Mapping[str, str], read_file: Callable[[str], str]) -> str:
    """A prompt with its placeholders replaced; what is put in is not looked at again.

    Args:
        text: the prompt.
        variables: what each name stands for, from :func:`prompt_variables`.
        read_file: the content of a file that a placeholder names; what it raises goes to the caller.

    Raises:
        PlaceholderError: a placeholder is not closed, empty or unknown, or names no file.
    """
    parts = []
    position = 0
    while (opening := text.find(_OPENING, position)) >= 0:
        before = text[position:opening]
        stem = before.rstrip("\\")
        backslashes = len(before) - len(stem)
        parts.append(stem + "\\" * (backslashes // 2))
        position = opening + len(_OPENING)
        if backslashes % 2:
            parts.append(_OPENING)
            continue
        closing = text.find(_CLOSING, position)
        if closing < 0:
            raise _error("unclosed placeholder", text, opening)
        key = text[position:closing].strip()
        if not key:
            raise _error("empty placeholder", text, opening)
        if key.startswith(_FILE):
            path = key.removeprefix(_FILE).strip()
            if not path:
                raise _error("placeholder {{file:}} without a path, it requires a non-empty path", text, opening)
            parts.append(read_file(path))
        elif key in variables:
            parts.append(variables[key])
        else:
            hint = did_you_mean(key, variables) if len(key) <= _QUOTED else ""
            raise _error(f"unresolved placeholder {{{{{_excerpt(key)}}}}}", text, opening, hint)
        position = closing + len(_CLOSING)
    parts.append(text[position:])
    return "".join(parts)


def prompt_variables(
    node_id: str, arguments: Mapping[str, str], nodes: Mapping[str, Mapping[str, str]], execution_root: str
) -> dict[str, str]:
    """What the names in a node's prompt stand for (spec 06 §§8.2, 8.3); where two things claim a name, the first wins.

    First come the node's own arguments and `execution_root`, then `<node>.<argument>` for nodes of its own namespace
    (ruling R64), then for all others, in the order of their ids, by full id and by suffix.

    Args:
        node_id: the node whose prompt it is.
        arguments: its own arguments.
        nodes: the arguments of every node of the run by id, itself included; empty if there is no run.
        execution_root: where the node works, absolute.
    """
    variables = dict(arguments)
    variables.setdefault("execution_root", execution_root)
    ordered = [(other, sorted(nodes[other].items())) for other in sorted(nodes)]
    prefix = _namespace_prefix(node_id)
    for other, items in ordered:
        if prefix and other.startswith(prefix) and len(other) > len(prefix):
            for name, value in items:
                variables.setdefault(f"{other.removeprefix(prefix)}.{name}", value)
    suffixes = _unique_suffixes(nodes)
    for other, items in ordered:
        for name, value in items:
            variables.setdefault(f"{other}.{name}", value)
            if other in suffixes:
                variables.setdefault(f"{suffixes[other]}.{name}", value)
    return variables


def may_be_missing(path: str) -> bool:
    """Whether an ephemeral run does without this file where it is missing: narrative documents (spec 06 §8.4)."""
    return _NARRATIVE.match(path) is not None


def _error(problem: str, text: str, offset: int, hint: str = "") -> PlaceholderError:
    line = text.count("\n", 0, offset) + 1
    return PlaceholderError(f"{problem} in line {line} of the prompt; write `\\{{{{` for braces that are text{hint}")


def _namespace_prefix(node_id: str) -> str:
    """The namespace of a composed node with its separator; empty if it has none."""
    namespace, separator, _ = node_id.rpartition(_SEPARATOR)
    return namespace + separator


def _unique_suffixes(node_ids: Mapping[str, object]) -> dict[str, str]:
    """The suffix of each composed node that shares it with no other."""
    suffixes = {node_id: node_id.rpartition(_SEPARATOR)[2] for node_id in node_ids if _SEPARATOR in node_id}
    counts: dict[str, int] = {}
    for suffix in suffixes.values():
        counts[suffix] = counts.get(suffix, 0) + 1
    return {node_id: suffix for node_id, suffix in suffixes.items() if suffix and counts[suffix] == 1}


def _excerpt(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."
