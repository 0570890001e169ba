"""The parser's place in the list of tokens, and the context that decides what a line break means there."""

from typing import NamedTuple, NoReturn

from vizier_hcl.diagnostics import SourceError, quoted
from vizier_hcl.limits import MAX_DEPTH
from vizier_hcl.source import Source
from vizier_hcl.tokens import Token, TokenKind


class Nesting(NamedTuple):
    """How many constructs are open, and whether the innermost one ignores line breaks (spec 05 §6.3)."""

    depth: int
    ignores_newlines: bool


class Cursor:
    """Reads tokens one by one; the last one, `TokenKind.END`, is never passed."""

    __slots__ = ("_source", "index", "nesting", "tokens")

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.nesting = Nesting(0, ignores_newlines=False)
        self._source = source

    def current(self) -> Token:
        """The next token, be it a line break."""
        return self.tokens[self.index]

    def following(self) -> Token:
        """The token after the next one."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    def peek(self) -> Token:
        """The next token that counts: line breaks are skipped where the context ignores them."""
        return self.skip_newlines() if self.nesting.ignores_newlines else self.tokens[self.index]

    def skip_newlines(self) -> Token:
        """The next token that is not a line break."""
        while (token := self.tokens[self.index]).kind is TokenKind.NEWLINE:
            self.index += 1
        return token

    def advance(self) -> Token:
        """Takes the next token."""
        token = self.tokens[self.index]
        if token.kind is not TokenKind.END:
            self.index += 1
        return token

    def enter(self, opening: Token, *, ignore_newlines: bool) -> Nesting:
        """Begins a construct at ``opening``; returns the nesting to go back to with `leave`.

        Raises:
            SourceError: nested too deeply, anchored at ``opening``.
        """
        outer = self.nesting
        if outer.depth == MAX_DEPTH:
            raise SourceError(opening.start, f"nested more than {MAX_DEPTH} levels deep")
        self.nesting = Nesting(outer.depth + 1, ignore_newlines)
        return outer

    def leave(self, outer: Nesting) -> None:
        """Ends constructs: everything is again as it was before the `enter` that returned ``outer``."""
        self.nesting = outer

    def ignore_newlines(self) -> None:
        """Makes line breaks mean nothing in the rest of the innermost construct."""
        self.nesting = Nesting(self.nesting.depth, ignores_newlines=True)

    def place(self, token: Token) -> str:
        """Where a token stands, for messages about another place."""
        line, column = self._source.position(token.start)
        return f"{line}:{column}"

    def expected(self, what: str, *, at: int | None = None) -> NoReturn:
        """Complains about the next token.

        Args:
            what: what could stand here.
            at: the offset of the error when it is not the next token's.

        Raises:
            SourceError: always.
        """
        token = self.peek()
        raise SourceError(token.start if at is None else at, f"expected {what}, found {describe(token)}")


def describe(token: Token) -> str:
    """A token as a message names it."""
    if token.text and token.kind is not TokenKind.TEXT:
        return quoted(token.text)
    return token.kind.value
