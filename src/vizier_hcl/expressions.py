"""Parses expressions (spec 05 §6.2 to §6.6)."""

from __future__ import annotations

from typing import Final

from vizier_hcl.cursor import Cursor, Nesting, describe
from vizier_hcl.diagnostics import SourceError
from vizier_hcl.syntax import (
    AttributeSplat,
    AttributeStep,
    Binary,
    Branch,
    Call,
    Conditional,
    Expression,
    ForObject,
    ForTuple,
    FullSplat,
    Group,
    IndexStep,
    Literal,
    Loop,
    Object,
    ObjectItem,
    Prefix,
    Step,
    Traversal,
    Tuple,
    Unary,
    Variable,
)
from vizier_hcl.templates import TemplateParser
from vizier_hcl.text import nfc
from vizier_hcl.tokens import Token, TokenKind
from vizier_hcl.trampoline import Rule

#: How strongly each binary operator binds; all associate to the left.
_STRENGTH: Final = {
    TokenKind.OR: 1,
    TokenKind.AND: 2,
    TokenKind.EQUAL: 3,
    TokenKind.NOT_EQUAL: 3,
    TokenKind.LESS: 4,
    TokenKind.LESS_EQUAL: 4,
    TokenKind.GREATER: 4,
    TokenKind.GREATER_EQUAL: 4,
    TokenKind.PLUS: 5,
    TokenKind.MINUS: 5,
    TokenKind.STAR: 6,
    TokenKind.SLASH: 6,
    TokenKind.PERCENT: 6,
}

_PREFIXES: Final = frozenset({TokenKind.MINUS, TokenKind.NOT})

_TERM_STARTS: Final = frozenset(
    {
        TokenKind.NAME,
        TokenKind.NUMBER,
        TokenKind.QUOTE_OPEN,
        TokenKind.HEREDOC_OPEN,
        TokenKind.PAREN_OPEN,
        TokenKind.BRACKET_OPEN,
        TokenKind.BRACE_OPEN,
    }
)

_KEY_ENDS: Final = frozenset({TokenKind.ASSIGN, TokenKind.COLON})

#: What ends an expression, in or behind a list of them or in an attribute.
_VALUE_ENDS: Final = frozenset(
    {TokenKind.NEWLINE, TokenKind.COMMA, TokenKind.BRACE_CLOSE, TokenKind.BRACKET_CLOSE, TokenKind.END}
)

_COLLECTION_STARTS: Final = frozenset({TokenKind.BRACE_OPEN, TokenKind.BRACKET_OPEN})

_KEYWORD_VALUES: Final = {"true": True, "false": False, "null": None}


class ExpressionParser:
    """The rules for expressions, all of which start at the cursor and leave it after what they have parsed.

    Every rule raises `SourceError` at the first token that does not fit.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._templates = TemplateParser(cursor, self.expression, self.loop)

    def starts_here(self) -> bool:
        """Whether the next token can begin an expression."""
        kind = self._cursor.peek().kind
        return kind in _TERM_STARTS or kind in _PREFIXES

    def expression(self) -> Rule[Expression]:
        """Any expression: a conditional, or an operation where no ``?`` follows."""
        cursor = self._cursor
        term: Expression | None = None
        if cursor.peek().kind in _COLLECTION_STARTS:
            # Most of them stand alone, which spares them the rules for what they could be a part of.
            term = yield self._composite_term()
            if cursor.peek().kind in _VALUE_ENDS:
                return term
        branches: list[Branch] = []
        while True:
            operation = yield from self._operation(term)
            term = None
            question = cursor.peek()
            if question.kind is not TokenKind.QUESTION:
                break
            outer = cursor.enter(question, ignore_newlines=cursor.nesting.ignores_newlines)
            cursor.advance()
            if not self.starts_here():
                cursor.expected("an expression between `?` and `:`", at=question.end)
            value = yield self.expression()
            cursor.leave(outer)
            if cursor.peek().kind is not TokenKind.COLON:
                cursor.expected("`:` and a second branch in the conditional")
            cursor.advance()
            if not self.starts_here():
                cursor.expected("an expression after `:` in the conditional")
            branches.append(Branch(operation, value))
        return Conditional(branches[0].condition.start, tuple(branches), operation) if branches else operation

    # Operators

    def _operation(self, term: Expression | None) -> Rule[Expression]:
        """Operands with binary operators between them; keeps two stacks instead of one rule per strength.

        The first term may have been parsed already.
        """
        cursor = self._cursor
        operands: list[Expression] = []
        operators: list[TokenKind] = []
        while True:
            operands.append((yield from self._operand(term)))
            term = None
            token = cursor.peek()
            strength = _STRENGTH.get(token.kind, 0)
            while operators and _STRENGTH[operators[-1]] >= strength:
                right = operands.pop()
                left = operands.pop()
                operands.append(Binary(left.start, operators.pop(), left, right))
            if not strength:
                return operands[0]
            operators.append(token.kind)
            self._take_operator()

    def _operand(self, term: Expression | None) -> Rule[Expression]:
        """A term with the prefix operators before it and the traversal steps after it."""
        prefixes: list[Prefix] = []
        if term is None:
            while (token := self._cursor.peek()).kind in _PREFIXES:
                prefixes.append(Prefix(token.start, token.kind))
                self._take_operator()
            term = self._simple_term() or (yield self._composite_term())
        steps = yield from self._steps()
        operand = Traversal(term.start, term, tuple(steps)) if steps else term
        return Unary(prefixes[0].start, tuple(prefixes), operand) if prefixes else operand

    def _take_operator(self) -> None:
        operator = self._cursor.advance()
        if not self.starts_here():
            found = describe(self._cursor.peek())
            raise SourceError(operator.start, f"missing operand after operator `{operator.text}`, found {found}")

    # Terms

    def _simple_term(self) -> Expression | None:
        """A term without other expressions in it, if the next one is."""
        token = self._cursor.peek()
        if token.kind is TokenKind.QUOTE_OPEN:
            return self._plain_string()
        if token.kind is TokenKind.NUMBER:
            self._cursor.advance()
            return Literal(token.start, float(token.text))
        if token.kind is TokenKind.NAME and self._cursor.following().kind is not TokenKind.PAREN_OPEN:
            self._cursor.advance()
            if token.text in _KEYWORD_VALUES:
                return Literal(token.start, _KEYWORD_VALUES[token.text])
            return Variable(token.start, token.text)
        return None

    def _plain_string(self) -> Expression | None:
        """A string of literal text only, if one begins here."""
        cursor = self._cursor
        opening, *rest = cursor.tokens[cursor.index : cursor.index + 3]
        text = ""
        if rest[0].kind is TokenKind.TEXT:
            text = rest.pop(0).text
        if rest[0].kind is not TokenKind.QUOTE_CLOSE:
            return None
        cursor.index += 3 if text else 2
        return Literal(opening.start, nfc(text))

    def plain_value(self) -> Expression | None:
        """An expression that is a single value, if one stands here and nothing follows that would belong to it.

        Most expressions are, and this spares them the rules for everything that they are not.
        """
        cursor = self._cursor
        start = cursor.index
        value = self._simple_term()
        if value is not None and cursor.peek().kind not in _VALUE_ENDS:
            cursor.index = start
            return None
        return value

    def _composite_term(self) -> Rule[Expression]:
        """A term that holds other expressions, or nothing that could be one."""
        token = self._cursor.peek()
        if token.kind in (TokenKind.QUOTE_OPEN, TokenKind.HEREDOC_OPEN):
            return self._templates.template()
        if token.kind is TokenKind.PAREN_OPEN:
            return self._group()
        if token.kind is TokenKind.BRACKET_OPEN:
            return self._tuple_or_for()
        if token.kind is TokenKind.BRACE_OPEN:
            return self._object_or_for()
        if token.kind is TokenKind.NAME:
            return self._call()
        is_sequence = token.kind in (TokenKind.INTERPOLATION_OPEN, TokenKind.DIRECTIVE_OPEN)
        hint = " (template sequences need quotes around them)" if is_sequence else ""
        return self._cursor.expected(f"an expression term{hint}")

    def _group(self) -> Rule[Expression]:
        cursor = self._cursor
        opening = cursor.peek()
        outer = cursor.enter(opening, ignore_newlines=True)
        cursor.advance()
        inner = yield self.expression()
        if cursor.peek().kind is not TokenKind.PAREN_CLOSE:
            cursor.expected(f"`)` to close the parenthesis opened at {cursor.place(opening)}")
        cursor.advance()
        cursor.leave(outer)
        return Group(opening.start, inner)

    def _call(self) -> Rule[Expression]:
        cursor = self._cursor
        name = cursor.advance()
        opening = cursor.current()
        outer = cursor.enter(opening, ignore_newlines=True)
        cursor.advance()
        arguments: list[Expression] = []
        expands = False
        while cursor.peek().kind is not TokenKind.PAREN_CLOSE:
            if cursor.peek().kind is TokenKind.END:
                cursor.expected(f"`)` to close the call opened at {cursor.place(opening)}")
            if not self.starts_here():
                raise SourceError(cursor.peek().start, f"missing operand in function call of `{name.text}`")
            arguments.append((yield self.expression()))
            expands = self._take_ellipsis()
            if cursor.peek().kind is TokenKind.COMMA:
                cursor.advance()
            elif cursor.peek().kind not in (TokenKind.PAREN_CLOSE, TokenKind.END):
                found = describe(cursor.peek())
                message = f"invalid function call syntax: expected `,` or `)` after an argument, found {found}"
                raise SourceError(cursor.peek().start, message)
        cursor.advance()
        cursor.leave(outer)
        return Call(name.start, name.text, tuple(arguments), expands)

    def _take_ellipsis(self) -> bool:
        """Takes the ``...`` that expands the final argument of a call, if it stands here."""
        ellipsis = self._cursor.peek()
        if ellipsis.kind is not TokenKind.ELLIPSIS:
            return False
        self._cursor.advance()
        if self._cursor.peek().kind not in (TokenKind.PAREN_CLOSE, TokenKind.END):
            raise SourceError(ellipsis.start, "ellipsis `...` is only allowed after the final argument of a call")
        return True

    # Tuples and objects

    def _tuple_or_for(self) -> Rule[Expression]:
        cursor = self._cursor
        opening = cursor.peek()
        outer = cursor.enter(opening, ignore_newlines=False)
        cursor.advance()
        is_for = _is_word(cursor.skip_newlines(), "for")
        return self._for_tuple(opening, outer) if is_for else self._tuple(opening, outer)

    def _object_or_for(self) -> Rule[Expression]:
        cursor = self._cursor
        opening = cursor.peek()
        outer = cursor.enter(opening, ignore_newlines=False)
        cursor.advance()
        is_for = _is_word(cursor.skip_newlines(), "for")
        return self._for_object(opening, outer) if is_for else self._object(opening, outer)

    def _tuple(self, opening: Token, outer: Nesting) -> Rule[Expression]:
        cursor = self._cursor
        close = f"`]` to close the tuple opened at {cursor.place(opening)}"
        elements: list[Expression] = []
        while cursor.current().kind is not TokenKind.BRACKET_CLOSE:
            if not self.starts_here():
                cursor.expected(f"a tuple element or {close}")
            elements.append(self.plain_value() or (yield self.expression()))
            self._separator(TokenKind.BRACKET_CLOSE, "tuple element", close)
        cursor.advance()
        cursor.leave(outer)
        return Tuple(opening.start, tuple(elements))

    def _object(self, opening: Token, outer: Nesting) -> Rule[Expression]:
        cursor = self._cursor
        close = f"`}}` to close the object opened at {cursor.place(opening)}"
        items: list[ObjectItem] = []
        while cursor.current().kind is not TokenKind.BRACE_CLOSE:
            if not self.starts_here():
                cursor.expected(f"an object key or {close}")
            key = self._plain_key() or (yield self._key(opening))
            sign = cursor.advance()
            if not self.starts_here():
                cursor.expected(f"an object value after `{sign.text}` on the same line")
            items.append(ObjectItem(key, self.plain_value() or (yield self.expression())))
            self._separator(TokenKind.BRACE_CLOSE, "object value", close)
        cursor.advance()
        cursor.leave(outer)
        return Object(opening.start, tuple(items))

    def _plain_key(self) -> Expression | None:
        """The key of an item if it is a name."""
        cursor = self._cursor
        token = cursor.current()
        if token.kind is not TokenKind.NAME or cursor.following().kind not in _KEY_ENDS:
            return None
        cursor.advance()
        return Literal(token.start, token.text)

    def _key(self, opening: Token) -> Rule[Expression]:
        cursor = self._cursor
        key: Expression = yield self.expression()
        if cursor.skip_newlines().kind not in _KEY_ENDS:
            cursor.expected(f"`=` or `:` after a key of the object opened at {cursor.place(opening)}")
        return key

    def _separator(self, closing: TokenKind, what: str, close: str) -> None:
        """Takes what separates two elements: a comma, line breaks, or a comma and line breaks."""
        cursor = self._cursor
        if cursor.current().kind is TokenKind.COMMA:
            cursor.advance()
        elif cursor.current().kind not in (TokenKind.NEWLINE, closing):
            cursor.expected(f"a separator (`,` or a newline) after the {what}, or {close}")
        cursor.skip_newlines()

    # for

    def _for_tuple(self, opening: Token, outer: Nesting) -> Rule[Expression]:
        cursor = self._cursor
        cursor.ignore_newlines()
        loop = yield self._for_header()
        value = yield self._for_part("a value")
        condition = yield self._for_filter()
        if cursor.peek().kind is not TokenKind.BRACKET_CLOSE:
            cursor.expected(f"`if` or `]` to close the `for` expression opened at {cursor.place(opening)}")
        cursor.advance()
        cursor.leave(outer)
        return ForTuple(opening.start, loop, value, condition)

    def _for_object(self, opening: Token, outer: Nesting) -> Rule[Expression]:
        cursor = self._cursor
        cursor.ignore_newlines()
        loop = yield self._for_header()
        key = yield self._for_part("a key")
        if cursor.peek().kind is not TokenKind.ARROW:
            cursor.expected("`=>` in `for` expression")
        cursor.advance()
        value = yield self._for_part("a value")
        grouping = cursor.peek().kind is TokenKind.ELLIPSIS
        if grouping:
            cursor.advance()
        condition = yield self._for_filter()
        if cursor.peek().kind is not TokenKind.BRACE_CLOSE:
            cursor.expected(f"`...`, `if` or `}}` to close the `for` expression opened at {cursor.place(opening)}")
        cursor.advance()
        cursor.leave(outer)
        return ForObject(opening.start, loop, key, value, condition, grouping=grouping)

    def _for_header(self) -> Rule[Loop]:
        self._cursor.advance()  # The word itself.
        loop: Loop = yield self.loop("`for` expression")
        if self._cursor.peek().kind is not TokenKind.COLON:
            self._cursor.expected("`:` in `for` expression")
        self._cursor.advance()
        return loop

    def _for_part(self, what: str) -> Rule[Expression]:
        if not self.starts_here():
            self._cursor.expected(f"{what} in `for` expression")
        return self.expression()

    def _for_filter(self) -> Rule[Expression | None]:
        if not _is_word(self._cursor.peek(), "if"):
            return None
        self._cursor.advance()
        condition: Expression = yield self._for_part("a condition after `if`")
        return condition

    def loop(self, where: str) -> Rule[Loop]:
        """The part from the first iterator variable to the collection, of an expression or a directive."""
        cursor = self._cursor
        names = [self._iterator("iterator variable after `for`", where)]
        if cursor.peek().kind is TokenKind.COMMA:
            cursor.advance()
            names.append(self._iterator("a second iterator variable after `,`", where))
        if not _is_word(cursor.peek(), "in"):
            cursor.expected(f"`in` in {where}")
        cursor.advance()
        if not self.starts_here():
            cursor.expected(f"a collection after `in` in {where}")
        collection = yield self.expression()
        return Loop(names[0] if len(names) > 1 else None, names[-1], collection)

    def _iterator(self, what: str, where: str) -> str:
        if self._cursor.peek().kind is not TokenKind.NAME:
            self._cursor.expected(f"{what} in {where}")
        return self._cursor.advance().text

    # Traversals

    def _steps(self) -> Rule[list[Step]]:
        """What follows a term: ``.name``, ``.0``, ``.*``, ``[expression]``, ``[*]``."""
        cursor = self._cursor
        steps: list[Step] = []
        while True:
            token = cursor.peek()
            if token.kind is TokenKind.DOT:
                steps.extend(self._dot_steps())
            elif token.kind is TokenKind.BRACKET_OPEN:
                steps.append((yield self._index_step()))
            elif token.kind is TokenKind.PAREN_OPEN:
                raise SourceError(
                    token.start, "invalid function call syntax: only a function name can stand before `(`"
                )
            else:
                return steps

    def _dot_steps(self) -> list[Step]:
        cursor = self._cursor
        dot = cursor.advance()
        token = cursor.current()  # Not `peek`: a line break is no blank here.
        if token.kind is TokenKind.NAME:
            cursor.advance()
            return [AttributeStep(dot.start, token.text)]
        if token.kind is TokenKind.STAR:
            cursor.advance()
            return [AttributeSplat(dot.start)]
        digits = token.text.split(".") if token.kind is TokenKind.NUMBER else [""]
        if not all(part.isdecimal() for part in digits):
            raise SourceError(
                dot.start,
                f"invalid traversal syntax: expected a name, a whole number or `*` after `.`, found {describe(token)}",
            )
        cursor.advance()
        # The lexer takes `0.1` in `x.0.1` for one number; its own dot begins the second step.
        starts = (dot.start, token.start + len(digits[0]))
        return [IndexStep(start, Literal(start, float(part))) for start, part in zip(starts, digits, strict=False)]

    def _index_step(self) -> Rule[Step]:
        cursor = self._cursor
        opening = cursor.peek()
        outer = cursor.enter(opening, ignore_newlines=True)
        cursor.advance()
        step: Step
        if cursor.peek().kind is TokenKind.STAR:
            cursor.advance()
            step = FullSplat(opening.start)
        else:
            if not self.starts_here():
                cursor.expected("an index expression or `*` after `[`")
            step = IndexStep(opening.start, (yield self.expression()))
        if cursor.peek().kind is not TokenKind.BRACKET_CLOSE:
            cursor.expected("`]` to close index expression")
        cursor.advance()
        cursor.leave(outer)
        return step


def _is_word(token: Token, word: str) -> bool:
    return token.kind is TokenKind.NAME and token.text == word
