"""The block of rules in `.gitignore` that keeps runtime files out of commits (spec 09 §2.3, 02 §20).

Works on bytes: what is no UTF-8 stays as it is, and so does the line end of every line that stays (WS-09-01).
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

#: What is ignored, as the block spells it.
RULES: Final = (
    ".vizier/tmp-worktrees/",
    ".vizier/tmp/",
    ".vizier/sessions/",
    ".vizier/jobs/",
    ".vizier/state/",
    ".vizier/implementation-plans",
)
_HEADING: Final = "# Vizier"
_MANAGED: Final = frozenset(rule.rstrip("/") for rule in RULES)
#: With its line end; a carriage return alone ends no line.
_RAW_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_COMMENT: Final = re.compile(r"\s#")
_LEADING: Final = tuple(re.compile(rf"(?:{re.escape(text)})*") for text in ("./", "/", "**/"))
_SUFFIXES: Final = ("/**/*", "/**", "/*")
_SLASHES: Final = re.compile("//+")


class _Line(NamedTuple):
    """A line and what it means."""

    #: With its line end.
    raw: bytes
    is_heading: bool
    #: The rule of the block that it is a spelling of, in normal form; None if it is none.
    rule: str | None
    #: Whether it takes something out of what the block ignores.
    is_exception: bool

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it."""
        return not self.raw.strip()


def evaluate(text: bytes) -> list[str]:
    """What is wrong with a file: rules that are missing, or else that they do not stand in one block as they should."""
    lines = _lines(text)
    present = {line.rule for line in lines}
    missing = [rule for rule in RULES if rule.rstrip("/") not in present]
    if missing:
        return missing
    return [] if _is_canonical(lines, _block(text)) else ["canonical # Vizier block"]


def rewritten(text: bytes) -> bytes:
    """The file with the block at its end, and behind it what it is not to ignore; applied again it changes nothing."""
    end = _line_end(text)
    lines = _lines(text)
    kept = [line for line in lines if not (line.is_heading or line.rule is not None or line.is_exception)]
    while kept and kept[-1].is_blank:
        kept.pop()
    above = [_ended(line.raw, end) for line in kept]
    below = [_ended(line.raw, end) for line in lines if line.is_exception]
    return b"".join([*above, end if above else b"", *_block(text), *below])


def normal_form(pattern: str) -> str:
    """A pattern without what does not change its meaning here; empty if it is none.

    Args:
        pattern: a line without the `!` of exceptions.
    """
    pattern = _COMMENT.split(pattern.strip(), maxsplit=1)[0].rstrip().replace("\\", "/")
    for leading in _LEADING:
        pattern = leading.sub("", pattern, count=1)
    suffix = next((suffix for suffix in _SUFFIXES if pattern.endswith(suffix)), "")
    return _SLASHES.sub("/", pattern.removesuffix(suffix).rstrip("/"))


def _lines(text: bytes) -> list[_Line]:
    return [_line(raw) for raw in _RAW_LINE.findall(text)]


def _line(raw: bytes) -> _Line:
    text = raw.decode("utf-8", "surrogateescape").strip()
    if not text or text.startswith("#"):
        return _Line(raw, text == _HEADING, None, is_exception=False)
    if text.startswith("!"):
        form = normal_form(text[1:])
        return _Line(raw, False, None, is_exception=any(f"{form}/".startswith(f"{root}/") for root in _MANAGED))
    form = normal_form(text)
    return _Line(raw, False, form if form in _MANAGED else None, is_exception=False)


def _is_canonical(lines: Sequence[_Line], block: Sequence[bytes]) -> bool:
    """Whether the block is there once and as it should be, nothing of it elsewhere, and no exception before it."""
    starts = [index for index, line in enumerate(lines) if line.is_heading]
    rules = [line.rule for line in lines if line.rule is not None]
    if len(starts) != 1 or len(rules) != len(RULES):
        return False
    (start,) = starts
    before = lines[:start]
    return [line.raw for line in lines[start : start + len(block)]] == list(block) and not any(
        line.is_exception for line in before
    )


def _block(text: bytes) -> list[bytes]:
    end = _line_end(text)
    return [line.encode() + end for line in (_HEADING, *RULES)]


def _line_end(text: bytes) -> bytes:
    return b"\r\n" if b"\r\n" in text else b"\n"


def _ended(raw: bytes, end: bytes) -> bytes:
    return raw if raw.endswith(b"\n") else raw + end
