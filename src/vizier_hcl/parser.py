"""Tokens to a syntax tree: files and blocks (spec 05 §6.1)."""

from __future__ import annotations

from typing import Final

from vizier_hcl.cursor import Cursor
from vizier_hcl.diagnostics import SourceError, quoted
from vizier_hcl.expressions import ExpressionParser
from vizier_hcl.limits import MAX_DIAGNOSTICS
from vizier_hcl.source import Source
from vizier_hcl.syntax import Attribute, Block, Body, Label
from vizier_hcl.tokens import CLOSING, OPENING, Token, TokenKind
from vizier_hcl.trampoline import Rule, run

_RECOVERY_OPENING: Final = OPENING | {TokenKind.QUOTE_OPEN, TokenKind.HEREDOC_OPEN}
_RECOVERY_CLOSING: Final = CLOSING | {TokenKind.QUOTE_CLOSE, TokenKind.HEREDOC_CLOSE}


class Parser:
    """Parses one file. After an error it goes on with the next item, so that every broken item is reported once."""

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        #: What is wrong with the file, in source order; the tree is only good without.
        self.errors: list[SourceError] = []
        self._cursor = Cursor(source, tokens)
        self._expressions = ExpressionParser(self._cursor)
        self._gave_up = False  # Whether the rest of the file cannot be told apart into items any more.

    def file(self) -> Body:
        """The tree of the whole file; see `errors`."""
        return run(self._body(None))

    def _body(self, opening: Token | None) -> Rule[Body]:
        """The items up to the end of the file, or to the closing brace of the block that ``opening`` began."""
        cursor = self._cursor
        items: list[Attribute | Block] = []
        names: set[str] = set()
        while not self._body_ends_at(cursor.skip_newlines(), opening):
            start, nesting = cursor.index, cursor.nesting
            try:
                items.append((yield self._item(names)))
            except SourceError as error:
                self._note(error)
                cursor.leave(nesting)
                self._skip_item(start, in_block=opening is not None)
        return Body(tuple(items))

    def _body_ends_at(self, token: Token, opening: Token | None) -> bool:
        return token.kind is TokenKind.END or (opening is not None and token.kind is TokenKind.BRACE_CLOSE)

    def _item(self, names: set[str]) -> Rule[Attribute | Block]:
        name = self._cursor.current()
        if name.kind is not TokenKind.NAME:
            self._cursor.expected("an attribute or block identifier")
        self._cursor.advance()
        item: Attribute | Block
        if self._cursor.current().kind is TokenKind.ASSIGN:
            if name.text in names:
                self._note(SourceError(name.start, f"duplicate attribute {quoted(name.text)}"))
            names.add(name.text)
            item = yield self._attribute(name)
            self._end_of_item("attribute")
        else:
            item = yield self._block(name)
            self._end_of_item("block")
        return item

    def _attribute(self, name: Token, *, in_single_line_block: bool = False) -> Rule[Attribute]:
        """The rest of an attribute, from its ``=`` to the end of its value."""
        cursor = self._cursor
        cursor.advance()
        kind = cursor.current().kind
        if kind in (TokenKind.NEWLINE, TokenKind.END) or (in_single_line_block and kind is TokenKind.BRACE_CLOSE):
            cursor.expected(f"an expression after `=` of attribute {quoted(name.text)}", at=name.end)
        value = self._expressions.plain_value() or (yield self._expressions.expression())
        return Attribute(name.start, name.text, value)

    def _end_of_item(self, what: str) -> None:
        """Takes the line break after an item; the end of the file is as good."""
        token = self._cursor.current()
        if token.kind is TokenKind.COMMA and what == "attribute":
            raise SourceError(token.start, "unexpected `,`: each attribute must be on its own line")
        if token.kind not in (TokenKind.NEWLINE, TokenKind.END):
            self._cursor.expected(f"a newline after the {what}")
        self._cursor.advance()

    # Blocks

    def _block(self, block_type: Token) -> Rule[Block]:
        """The rest of a block after its type."""
        cursor = self._cursor
        labels = self._labels()
        opening = cursor.current()
        if opening.kind is not TokenKind.BRACE_OPEN:
            hint = "; an attribute is written `name = value`" if opening.kind is TokenKind.COLON else ""
            cursor.expected(f"`=` of an attribute, or a label or `{{` of a block{hint}")
        outer = cursor.enter(opening, ignore_newlines=False)
        cursor.advance()
        body: Body
        if cursor.current().kind is TokenKind.NEWLINE:
            body = yield self._body(opening)
            if cursor.current().kind is not TokenKind.BRACE_CLOSE:
                raise SourceError(opening.start, f"expected `}}` to close block {quoted(block_type.text)}")
        else:
            body = yield self._single_line_body(opening)
        cursor.advance()
        cursor.leave(outer)
        return Block(block_type.start, block_type.text, labels, body)

    def _labels(self) -> tuple[Label, ...]:
        cursor = self._cursor
        labels: list[Label] = []
        while (token := cursor.current()).kind in (TokenKind.NAME, TokenKind.QUOTE_OPEN):
            cursor.advance()
            text = token.text
            if token.kind is TokenKind.QUOTE_OPEN:
                if cursor.current().kind is TokenKind.TEXT:
                    text = cursor.advance().text
                if cursor.current().kind is not TokenKind.QUOTE_CLOSE:
                    raise SourceError(token.start, "a block label must be literal text, without template sequences")
                cursor.advance()
            labels.append(Label(token.start, text))
        return tuple(labels)

    def _single_line_body(self, opening: Token) -> Rule[Body]:
        """Up to one attribute before the closing brace on the same line, which stays to be taken."""
        cursor = self._cursor
        name = cursor.current()
        if name.kind is TokenKind.BRACE_CLOSE:
            return Body(())
        if name.kind is TokenKind.END:
            raise SourceError(opening.start, "expected `}` to close block")
        if name.kind is not TokenKind.NAME:
            cursor.expected("an attribute or `}` in a single-line block")
        cursor.advance()
        if cursor.current().kind is not TokenKind.ASSIGN:
            raise SourceError(
                name.start, "a single-line block can only hold one attribute; put the braces on lines of their own"
            )
        attribute: Attribute = yield self._attribute(name, in_single_line_block=True)
        if cursor.current().kind is not TokenKind.BRACE_CLOSE:
            cursor.expected("`}` on the same line after the attribute of a single-line block")
        return Body((attribute,))

    # Errors

    def _note(self, error: SourceError) -> None:
        if not self._gave_up:
            self.errors.append(error)
            self._gave_up = len(self.errors) == MAX_DIAGNOSTICS

    def _skip_item(self, start: int, *, in_block: bool) -> None:
        """Moves to the next item, from somewhere in the broken one that began at token ``start``.

        An item ends with the first line break outside its brackets and strings; lines that cannot begin an item belong
        to it as well. When that leads to the end of the file, a bracket is missing: whatever would be found then is a
        consequence.
        """
        cursor = self._cursor
        failed_at = cursor.index
        depth = 0
        cursor.index = len(cursor.tokens) - 1 if self._gave_up else start
        while (kind := cursor.current().kind) is not TokenKind.END:
            if kind in _RECOVERY_OPENING:
                depth += 1
            elif in_block and depth == 0 and kind is TokenKind.BRACE_CLOSE and cursor.index >= failed_at:
                return
            elif kind in _RECOVERY_CLOSING:
                depth = max(0, depth - 1)
            elif (
                kind is TokenKind.NEWLINE
                and depth == 0
                and cursor.index >= failed_at
                and self._item_can_follow(in_block)
            ):
                return
            cursor.advance()
        self._gave_up = True

    def _item_can_follow(self, in_block: bool) -> bool:
        kind = self._cursor.following().kind
        return kind in (TokenKind.NAME, TokenKind.NEWLINE, TokenKind.END) or (
            in_block and kind is TokenKind.BRACE_CLOSE
        )
