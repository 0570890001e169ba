"""The tokens of a template (spec 05 §3.1).

A quoted string or heredoc is not one token but a run of them, from its opening to its closing delimiter, with the
tokens of each ``${…}`` and ``%{…}`` in between. The lexer has resolved where each ends; the parser only follows.
"""

from enum import StrEnum
from typing import Final, NamedTuple


class TokenKind(StrEnum):
    """The kinds of token; a fixed token has its text as value, the others a description for messages."""

    NAME = "a name"
    NUMBER = "a number"
    NEWLINE = "the end of the line"
    END = "the end of the file"

    QUOTE_OPEN = "a string"
    QUOTE_CLOSE = "the end of a string"
    HEREDOC_OPEN = "a heredoc"
    HEREDOC_CLOSE = "the end of a heredoc"
    #: Literal text between delimiters and sequences; its token holds the text with escapes resolved.
    TEXT = "text"
    INTERPOLATION_OPEN = "${"
    DIRECTIVE_OPEN = "%{"
    #: The brace that ends a sequence, as opposed to one that ends an object or block.
    SEQUENCE_CLOSE = "the end of a template sequence"

    PLUS = "+"
    MINUS = "-"
    STAR = "*"
    SLASH = "/"
    PERCENT = "%"
    AND = "&&"
    OR = "||"
    NOT = "!"
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    QUESTION = "?"
    COLON = ":"
    ASSIGN = "="
    ARROW = "=>"
    DOT = "."
    ELLIPSIS = "..."
    COMMA = ","
    BRACE_OPEN = "{"
    BRACE_CLOSE = "}"
    BRACKET_OPEN = "["
    BRACKET_CLOSE = "]"
    PAREN_OPEN = "("
    PAREN_CLOSE = ")"


#: Brackets that nest, as the recovery after a syntax error and the end of a sequence count them.
OPENING: Final = frozenset({TokenKind.BRACE_OPEN, TokenKind.BRACKET_OPEN, TokenKind.PAREN_OPEN})
CLOSING: Final = frozenset({TokenKind.BRACE_CLOSE, TokenKind.BRACKET_CLOSE, TokenKind.PAREN_CLOSE})

#: Marks a sequence delimiter that strips the blanks beside it: ``${~`` and ``~}``.
STRIP_MARKER: Final = "~"


class Token(NamedTuple):
    """A token: its kind, the offsets of its first and after its last character, and its text."""

    kind: TokenKind
    start: int
    end: int
    text: str
