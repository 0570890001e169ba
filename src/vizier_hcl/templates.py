"""Parses quoted strings and heredocs (spec 05 §7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

from vizier_hcl.cursor import Cursor, Nesting, describe
from vizier_hcl.diagnostics import SourceError, quoted
from vizier_hcl.syntax import (
    Expression,
    ForDirective,
    Group,
    IfDirective,
    Interpolation,
    Literal,
    Loop,
    Segment,
    StrayDirective,
    Template,
    Text,
)
from vizier_hcl.text import nfc
from vizier_hcl.tokens import STRIP_MARKER, Token, TokenKind
from vizier_hcl.trampoline import Rule
from vizier_hcl.whitespace import WHITE_SPACE, dedent, indentation


class _Keyword(StrEnum):
    """The words that a directive can begin with."""

    IF = "if"
    ELSE = "else"
    ENDIF = "endif"
    FOR = "for"
    ENDFOR = "endfor"


_OPENERS: Final = frozenset({_Keyword.IF, _Keyword.FOR})
_WORDS: Final = frozenset(_Keyword)
_CLOSERS: Final = {_Keyword.ENDIF: _Keyword.IF, _Keyword.ENDFOR: _Keyword.FOR}


class _Directive:
    """A directive before it is matched with its partners; holds a condition, a loop or nothing."""

    __slots__ = ("head", "keyword", "start")

    def __init__(self, start: int, keyword: _Keyword, head: Expression | Loop | None) -> None:
        self.start: Final = start
        self.keyword: Final = keyword
        self.head: Final = head


class _Sequence:
    """A sequence in the order of the source, with its strip markers."""

    __slots__ = ("content", "strips_after", "strips_before")

    def __init__(self, content: Interpolation | _Directive, *, strips_before: bool, strips_after: bool) -> None:
        self.content: Final = content
        self.strips_before: Final = strips_before
        self.strips_after: Final = strips_after


_Piece: TypeAlias = str | _Sequence


class TemplateParser:
    """The rules for what stands between quotes or heredoc markers.

    Args:
        cursor: the tokens.
        expression: the rule for an expression.
        loop: the rule for the head of a loop; its argument names the construct in messages.
    """

    def __init__(
        self, cursor: Cursor, expression: Callable[[], Rule[Expression]], loop: Callable[[str], Rule[Loop]]
    ) -> None:
        self._cursor = cursor
        self._expression = expression
        self._loop = loop

    def template(self) -> Rule[Expression]:
        """A whole string or heredoc: a literal if it has no sequence."""
        cursor = self._cursor
        opening = cursor.advance()
        pieces: list[_Piece] = []
        outer: list[Nesting] = []  # To go back to: at the end of the template, then at the end of each open directive.
        while (token := cursor.advance()).kind not in (TokenKind.QUOTE_CLOSE, TokenKind.HEREDOC_CLOSE):
            if token.kind is TokenKind.TEXT:
                pieces.append(token.text)
                continue
            if not outer:
                outer.append(cursor.enter(opening, ignore_newlines=True))
            sequence: _Sequence = yield self._sequence(token)
            pieces.append(sequence)
            if isinstance(sequence.content, _Directive):
                if sequence.content.keyword in _OPENERS:
                    outer.append(cursor.enter(token, ignore_newlines=True))
                elif sequence.content.keyword in _CLOSERS and len(outer) > 1:
                    cursor.leave(outer.pop())
        if outer:
            cursor.leave(outer[0])
        return _assembled(opening, pieces)

    def _sequence(self, opening: Token) -> Rule[_Sequence]:
        content: Interpolation | _Directive
        if opening.kind is TokenKind.INTERPOLATION_OPEN:
            content = yield self._interpolation(opening)
        else:
            content = yield self._directive(opening)
        closing = self._cursor.advance()
        return _Sequence(
            content,
            strips_before=opening.text.endswith(STRIP_MARKER),
            strips_after=closing.text.startswith(STRIP_MARKER),
        )

    def _interpolation(self, opening: Token) -> Rule[Interpolation]:
        if self._cursor.peek().kind is TokenKind.SEQUENCE_CLOSE:
            raise SourceError(
                opening.start, "expected expression in template interpolation; write `$${` for a literal `${`"
            )
        expression = yield self._expression()
        self._expect_close("the expression in template interpolation")
        return Interpolation(opening.start, expression)

    def _directive(self, opening: Token) -> Rule[_Directive]:
        keyword = self._keyword(opening)
        head: Expression | Loop | None = None
        if keyword is _Keyword.IF:
            if self._cursor.peek().kind is TokenKind.SEQUENCE_CLOSE:
                raise SourceError(opening.start, "expected condition expression in template `if` directive")
            head = yield self._expression()
        elif keyword is _Keyword.FOR:
            head = yield self._loop("template `for` directive")
        self._expect_close(f"template `{keyword}` directive")
        return _Directive(opening.start, keyword, head)

    def _keyword(self, opening: Token) -> _Keyword:
        token = self._cursor.peek()
        words = ", ".join(f"`{keyword}`" for keyword in _Keyword)
        if token.kind is TokenKind.SEQUENCE_CLOSE:
            raise SourceError(
                opening.start, f"expected a directive keyword ({words}); write `%%{{` for a literal `%{{`"
            )
        if token.kind is not TokenKind.NAME or token.text not in _WORDS:
            what = quoted(token.text) if token.kind is TokenKind.NAME else describe(token)
            raise SourceError(
                token.start,
                f"unknown template directive keyword {what}, expected {words}; write `%%{{` for a literal `%{{`",
            )
        self._cursor.advance()
        return _Keyword(token.text)

    def _expect_close(self, after: str) -> None:
        token = self._cursor.peek()
        if token.kind is not TokenKind.SEQUENCE_CLOSE:
            raise SourceError(token.start, f"unexpected tokens after {after}: {describe(token)}")


def _assembled(opening: Token, pieces: Sequence[_Piece]) -> Expression:
    """The expression that the pieces of a template stand for."""
    if len(pieces) == 1 and isinstance(piece := pieces[0], _Sequence) and isinstance(piece.content, Interpolation):
        return Group(opening.start, piece.content.expression)
    parts = [piece if isinstance(piece, str) else None for piece in pieces]
    width = indentation(parts) if opening.text == "<<-" else 0
    if None not in parts:
        text = "".join(filter(None, parts))
        return Literal(opening.start, nfc(dedent(text, width, at_line_start=True)))
    nest = _Nest()
    for index, piece in enumerate(pieces):
        if isinstance(piece, _Sequence):
            nest.add(piece.content)
        else:
            text = _stripped(pieces, index, piece)
            at_line_start = dedent(text, width, at_line_start=True)
            nest.add(Text(at_line_start if index == 0 else dedent(text, width, at_line_start=False), at_line_start))
    return Template(opening.start, nest.finished())


def _stripped(pieces: Sequence[_Piece], index: int, text: str) -> str:
    """A literal without the white space that the sequences beside it remove."""
    before = pieces[index - 1] if index else None
    after = pieces[index + 1] if index + 1 < len(pieces) else None
    if isinstance(before, _Sequence) and before.strips_after:
        text = text.lstrip(WHITE_SPACE)
    if isinstance(after, _Sequence) and after.strips_before:
        text = text.rstrip(WHITE_SPACE)
    return text


class _Open:
    """A directive that is waiting for its closer, with what it encloses so far."""

    def __init__(self, directive: _Directive) -> None:
        self.directive = directive
        self.then: list[Segment] = []
        self.otherwise: list[Segment] | None = None  # What follows `else`.

    def closed(self, *, closed: bool) -> Segment:
        start, head = self.directive.start, self.directive.head
        if isinstance(head, Loop):
            return ForDirective(start, head, tuple(self.then), closed)
        assert head is not None  # An opener has a condition or a loop.
        return IfDirective(start, head, tuple(self.then), tuple(self.otherwise or ()), closed)


class _Nest:
    """Matches directives with their closers; what does not match stays in the tree, to be reported if it is reached."""

    def __init__(self) -> None:
        self._outermost: list[Segment] = []
        self._open: list[_Open] = []

    def add(self, piece: Text | Interpolation | _Directive) -> None:
        """Takes the next piece of the template."""
        if not isinstance(piece, _Directive):
            self._segments().append(piece)
        elif piece.keyword in _OPENERS:
            self._open.append(_Open(piece))
        elif piece.keyword in _CLOSERS and self._is_open(_CLOSERS[piece.keyword]):
            while self._open[-1].directive.keyword is not _CLOSERS[piece.keyword]:
                self._close(closed=False)
            self._close(closed=True)
        elif piece.keyword is _Keyword.ELSE and self._accepts_else():
            self._open[-1].otherwise = []
        else:
            self._segments().append(StrayDirective(piece.start, piece.keyword))

    def finished(self) -> tuple[Segment, ...]:
        """All segments; what is still open stays unclosed."""
        while self._open:
            self._close(closed=False)
        return tuple(self._outermost)

    def _segments(self) -> list[Segment]:
        if not self._open:
            return self._outermost
        innermost = self._open[-1]
        return innermost.then if innermost.otherwise is None else innermost.otherwise

    def _is_open(self, keyword: _Keyword) -> bool:
        return any(opened.directive.keyword is keyword for opened in self._open)

    def _accepts_else(self) -> bool:
        return bool(self._open) and self._open[-1].directive.keyword is _Keyword.IF and self._open[-1].otherwise is None

    def _close(self, *, closed: bool) -> None:
        segment = self._open.pop().closed(closed=closed)
        self._segments().append(segment)
