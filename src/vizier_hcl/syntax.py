"""The syntax tree of a template: immutable, and without any judgement about values (spec 05 §6, §7).

``start`` is always the offset where errors about a node are anchored, the first character of the piece unless said
otherwise.
"""

from typing import NamedTuple, TypeAlias

from vizier_hcl.tokens import TokenKind

# Expressions


class Literal(NamedTuple):
    """A number, a keyword, or a string without sequences (already normalised)."""

    start: int
    value: bool | float | str | None


class Variable(NamedTuple):
    """A name bound by a surrounding ``for``."""

    start: int
    name: str


class Call(NamedTuple):
    """``name(arguments)``; with ``expands`` the last argument is a tuple of arguments (``...``)."""

    start: int
    name: str
    arguments: tuple["Expression", ...]
    expands: bool


class Group(NamedTuple):
    """``(inner)`` or ``"${inner}"``: the value of the inner expression, whatever its type."""

    start: int
    inner: "Expression"


class Tuple(NamedTuple):
    """``[a, b]``."""

    start: int
    elements: tuple["Expression", ...]


class ObjectItem(NamedTuple):
    """``key = value``; a bare key is a literal."""

    key: "Expression"
    value: "Expression"


class Object(NamedTuple):
    """``{k = v}``; a repeated key is no syntax error."""

    start: int
    items: tuple[ObjectItem, ...]


class Loop(NamedTuple):
    """What ``for key, value in collection`` binds and walks; shared by expressions and directives."""

    key_name: str | None
    value_name: str
    collection: "Expression"


class ForTuple(NamedTuple):
    """``[for v in coll: value if condition]``."""

    start: int
    loop: Loop
    value: "Expression"
    condition: "Expression | None"


class ForObject(NamedTuple):
    """``{for v in coll: key => value if condition}``; with ``grouping`` (``value...``) values collect in tuples."""

    start: int
    loop: Loop
    key: "Expression"
    value: "Expression"
    grouping: bool
    condition: "Expression | None"


class Prefix(NamedTuple):
    """One ``-`` or ``!``."""

    start: int
    operator: TokenKind


class Unary(NamedTuple):
    """A run of prefix operators, outermost first, before an operand."""

    start: int
    operators: tuple[Prefix, ...]
    operand: "Expression"


class Binary(NamedTuple):
    """``left operator right``; a long chain leans to the left."""

    start: int
    operator: TokenKind
    left: "Expression"
    right: "Expression"


class Branch(NamedTuple):
    """``condition ? value :``."""

    condition: "Expression"
    value: "Expression"


class Conditional(NamedTuple):
    """``p ? a : q ? b : c``: the value of the first branch whose condition holds, else ``otherwise``."""

    start: int
    branches: tuple[Branch, ...]
    otherwise: "Expression"


class AttributeStep(NamedTuple):
    """``.name``; starts at the dot."""

    start: int
    name: str


class IndexStep(NamedTuple):
    """``[key]`` or ``.0``; starts at the bracket or dot."""

    start: int
    key: "Expression"


class AttributeSplat(NamedTuple):
    """``.*``: the names that follow directly apply to each element, the rest to the tuple of the results."""

    start: int


class FullSplat(NamedTuple):
    """``[*]``: all further steps apply to each element."""

    start: int


Step: TypeAlias = AttributeStep | IndexStep | AttributeSplat | FullSplat


class Traversal(NamedTuple):
    """A base and the steps from it, left to right."""

    start: int
    base: "Expression"
    steps: tuple[Step, ...]


# Templates


class Text(NamedTuple):
    """Literal text of a template, strip markers and indentation already dealt with.

    ``after_line_break`` is its form for the case that the interpolation before it ends in a line break: only then does
    a ``<<-`` heredoc remove indentation at its very start.
    """

    text: str
    after_line_break: str


class Interpolation(NamedTuple):
    """``${expression}``; starts at the dollar sign."""

    start: int
    expression: "Expression"


class IfDirective(NamedTuple):
    """``%{ if condition }`` and what it encloses; starts at the percent sign. ``closed``: it has its ``%{ endif }``."""

    start: int
    condition: "Expression"
    then: tuple["Segment", ...]
    otherwise: tuple["Segment", ...]
    closed: bool


class ForDirective(NamedTuple):
    """``%{ for … in … }`` and what it encloses; starts at the percent sign. ``closed``: it has its ``%{ endfor }``."""

    start: int
    loop: Loop
    body: tuple["Segment", ...]
    closed: bool


class StrayDirective(NamedTuple):
    """An ``else``, ``endif`` or ``endfor`` that belongs to nothing; an error only if it is reached."""

    start: int
    keyword: str


Segment: TypeAlias = Text | Interpolation | IfDirective | ForDirective | StrayDirective


class Template(NamedTuple):
    """A quoted string with sequences, or a heredoc with sequences: always gives a string."""

    start: int
    segments: tuple[Segment, ...]


Expression: TypeAlias = (
    Literal
    | Variable
    | Call
    | Group
    | Tuple
    | Object
    | ForTuple
    | ForObject
    | Unary
    | Binary
    | Conditional
    | Traversal
    | Template
)

# Bodies


class Attribute(NamedTuple):
    """``name = value``; starts at the name."""

    start: int
    name: str
    value: Expression


class Label(NamedTuple):
    """A label of a block, bare or quoted."""

    start: int
    text: str


class Block(NamedTuple):
    """``type labels { body }``; starts at the type."""

    start: int
    type: str
    labels: tuple[Label, ...]
    body: "Body"


class Body(NamedTuple):
    """A file, or the inside of a block."""

    items: tuple[Attribute | Block, ...]
