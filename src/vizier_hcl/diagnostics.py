"""What is wrong with a template, and where: the errors and warnings a person reads (spec 05 §11)."""

from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

#: Names quoted in messages are cut to this length: a message is one line.
_QUOTE_LIMIT: Final = 60


class Severity(Enum):
    """An error refuses the file; a warning only speaks."""

    ERROR = "error"
    WARNING = "warning"


class Position(NamedTuple):
    """A place in a file; both numbers start at 1, columns count code points."""

    line: int
    column: int


class Diagnostic(NamedTuple):
    """One error or warning.

    Attributes:
        severity: which of the two.
        position: where the offending piece starts.
        message: what is wrong with it, in one line.
        excerpt: the source line or, of a long one, the part around the position.
        caret: how many characters of the excerpt stand before the position.
    """

    severity: Severity
    position: Position
    message: str
    excerpt: str
    caret: int

    @property
    def line(self) -> int:
        """The line of the offending piece, from 1."""
        return self.position.line

    @property
    def column(self) -> int:
        """The column where the offending piece starts, from 1, in code points."""
        return self.position.column

    def headline(self, display_path: str) -> str:
        """The line of the contract: ``<path>:<line>:<column>: <message>``; warnings say that they are."""
        label = "warning: " if self.severity is Severity.WARNING else ""
        return f"{display_path}:{self.line}:{self.column}: {label}{self.message}"

    def render(self, display_path: str) -> str:
        """The headline, then the source line with a caret under the place, both indented."""
        marked = f"\n    {self.excerpt}\n    {' ' * self.caret}^" if self.excerpt else ""
        return self.headline(display_path) + marked


class HclError(Exception):
    """A template that cannot be used; ``str()`` is the whole block of spec 05 §11, heading included.

    Attributes:
        display_path: the name of the file in messages.
        diagnostics: at least one error, in the order of spec 05 §11.
    """

    def __init__(self, display_path: str, diagnostics: Iterable[Diagnostic]) -> None:
        self.display_path = display_path
        self.diagnostics = tuple(diagnostics)
        super().__init__(display_path, self.diagnostics)

    def __str__(self) -> str:
        return f"invalid HCL template {self.display_path}:\n{render(self.diagnostics, self.display_path)}"


class SourceError(Exception):
    """Raised inside this package where something is wrong at an offset of the source; never leaves the package."""

    def __init__(self, offset: int, message: str) -> None:
        self.offset = offset
        self.message = message
        super().__init__(offset, message)


def render(diagnostics: Iterable[Diagnostic], display_path: str) -> str:
    """The block of spec 05 §11 without its heading."""
    return "\n".join(diagnostic.render(display_path) for diagnostic in diagnostics)


def quoted(text: str) -> str:
    """Text from a template as part of a message: cut, free of control characters, between backticks."""
    cut = text if len(text) <= _QUOTE_LIMIT else text[:_QUOTE_LIMIT] + "…"
    return f"`{''.join(map(_visible, cut))}`"


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
