"""The syntax tree of a template: immutable, and without any judgement about values (spec 05 §6, §7).

``start`` is always the offset where errors about a node are anchored, the first character of the piece unless said
otherwise. The classes are written out because the fast ones of the standard library cost a command more time to import
than a template takes to parse.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from vizier_hcl.tokens import TokenKind

# Expressions


class Literal:
    """A number, a keyword, or a string without sequences (already normalised)."""

    __slots__ = ("start", "value")

    def __init__(self, start: int, value: bool | float | str | None) -> None:
        self.start: Final = start
        self.value: Final = value


class Variable:
    """A name bound by a surrounding ``for``."""

    __slots__ = ("name", "start")

    def __init__(self, start: int, name: str) -> None:
        self.start: Final = start
        self.name: Final = name


class Call:
    """``name(arguments)``; with ``expands`` the last argument is a tuple of arguments (``...``)."""

    __slots__ = ("arguments", "expands", "name", "start")

    def __init__(self, start: int, name: str, arguments: tuple[Expression, ...], expands: bool) -> None:
        self.start: Final = start
        self.name: Final = name
        self.arguments: Final = arguments
        self.expands: Final = expands


class Group:
    """``(inner)`` or ``"${inner}"``: the value of the inner expression, whatever its type."""

    __slots__ = ("inner", "start")

    def __init__(self, start: int, inner: Expression) -> None:
        self.start: Final = start
        self.inner: Final = inner


class Tuple:
    """``[a, b]``."""

    __slots__ = ("elements", "start")

    def __init__(self, start: int, elements: tuple[Expression, ...]) -> None:
        self.start: Final = start
        self.elements: Final = elements


class ObjectItem:
    """``key = value``; a bare key is a literal."""

    __slots__ = ("key", "value")

    def __init__(self, key: Expression, value: Expression) -> None:
        self.key: Final = key
        self.value: Final = value


class Object:
    """``{k = v}``; a repeated key is no syntax error."""

    __slots__ = ("items", "start")

    def __init__(self, start: int, items: tuple[ObjectItem, ...]) -> None:
        self.start: Final = start
        self.items: Final = items


class Loop:
    """What ``for key, value in collection`` binds and walks; shared by expressions and directives."""

    __slots__ = ("collection", "key_name", "value_name")

    def __init__(self, key_name: str | None, value_name: str, collection: Expression) -> None:
        self.key_name: Final = key_name
        self.value_name: Final = value_name
        self.collection: Final = collection


class ForTuple:
    """``[for v in coll: value if condition]``."""

    __slots__ = ("condition", "loop", "start", "value")

    def __init__(self, start: int, loop: Loop, value: Expression, condition: Expression | None) -> None:
        self.start: Final = start
        self.loop: Final = loop
        self.value: Final = value
        self.condition: Final = condition


class ForObject:
    """``{for v in coll: key => value if condition}``; with ``grouping`` (``value...``) values collect in tuples."""

    __slots__ = ("condition", "grouping", "key", "loop", "start", "value")

    def __init__(
        self,
        start: int,
        loop: Loop,
        key: Expression,
        value: Expression,
        condition: Expression | None,
        *,
        grouping: bool,
    ) -> None:
        self.start: Final = start
        self.loop: Final = loop
        self.key: Final = key
        self.value: Final = value
        self.grouping: Final = grouping
        self.condition: Final = condition


class Prefix:
    """One ``-`` or ``!``."""

    __slots__ = ("operator", "start")

    def __init__(self, start: int, operator: TokenKind) -> None:
        self.start: Final = start
        self.operator: Final = operator


class Unary:
    """A run of prefix operators, outermost first, before an operand."""

    __slots__ = ("operand", "operators", "start")

    def __init__(self, start: int, operators: tuple[Prefix, ...], operand: Expression) -> None:
        self.start: Final = start
        self.operators: Final = operators
        self.operand: Final = operand


class Binary:
    """``left operator right``; a long chain leans to the left."""

    __slots__ = ("left", "operator", "right", "start")

    def __init__(self, start: int, operator: TokenKind, left: Expression, right: Expression) -> None:
        self.start: Final = start
        self.operator: Final = operator
        self.left: Final = left
        self.right: Final = right


class Branch:
    """``condition ? value :``."""

    __slots__ = ("condition", "value")

    def __init__(self, condition: Expression, value: Expression) -> None:
        self.condition: Final = condition
        self.value: Final = value


class Conditional:
    """``p ? a : q ? b : c``: the value of the first branch whose condition holds, else ``otherwise``."""

    __slots__ = ("branches", "otherwise", "start")

    def __init__(self, start: int, branches: tuple[Branch, ...], otherwise: Expression) -> None:
        self.start: Final = start
        self.branches: Final = branches
        self.otherwise: Final = otherwise


class AttributeStep:
    """``.name``; starts at the dot."""

    __slots__ = ("name", "start")

    def __init__(self, start: int, name: str) -> None:
        self.start: Final = start
        self.name: Final = name


class IndexStep:
    """``[key]`` or ``.0``; starts at the bracket or dot."""

    __slots__ = ("key", "start")

    def __init__(self, start: int, key: Expression) -> None:
        self.start: Final = start
        self.key: Final = key


class AttributeSplat:
    """``.*``: the names that follow directly apply to each element, the rest to the tuple of the results."""

    __slots__ = ("start",)

    def __init__(self, start: int) -> None:
        self.start: Final = start


class FullSplat:
    """``[*]``: all further steps apply to each element."""

    __slots__ = ("start",)

    def __init__(self, start: int) -> None:
        self.start: Final = start


Step: TypeAlias = AttributeStep | IndexStep | AttributeSplat | FullSplat


class Traversal:
    """A base and the steps from it, left to right."""

    __slots__ = ("base", "start", "steps")

    def __init__(self, start: int, base: Expression, steps: tuple[Step, ...]) -> None:
        self.start: Final = start
        self.base: Final = base
        self.steps: Final = steps


# Templates


class Text:
    """Literal text of a template, strip markers and indentation already dealt with.

    ``after_line_break`` is its form for the case that the interpolation before it ends in a line break: only then does
    a ``<<-`` heredoc remove indentation at its very start.
    """

    __slots__ = ("after_line_break", "text")

    def __init__(self, text: str, after_line_break: str) -> None:
        self.text: Final = text
        self.after_line_break: Final = after_line_break


class Interpolation:
    """``${expression}``; starts at the dollar sign."""

    __slots__ = ("expression", "start")

    def __init__(self, start: int, expression: Expression) -> None:
        self.start: Final = start
        self.expression: Final = expression


class IfDirective:
    """``%{ if condition }`` and what it encloses; starts at the percent sign. ``closed``: it has its ``%{ endif }``."""

    __slots__ = ("closed", "condition", "otherwise", "start", "then")

    def __init__(
        self,
        start: int,
        condition: Expression,
        then: tuple[Segment, ...],
        otherwise: tuple[Segment, ...],
        closed: bool,
    ) -> None:
        self.start: Final = start
        self.condition: Final = condition
        self.then: Final = then
        self.otherwise: Final = otherwise
        self.closed: Final = closed


class ForDirective:
    """``%{ for … in … }`` and what it encloses; starts at the percent sign. ``closed``: it has its ``%{ endfor }``."""

    __slots__ = ("body", "closed", "loop", "start")

    def __init__(self, start: int, loop: Loop, body: tuple[Segment, ...], closed: bool) -> None:
        self.start: Final = start
        self.loop: Final = loop
        self.body: Final = body
        self.closed: Final = closed


class StrayDirective:
    """An ``else``, ``endif`` or ``endfor`` that belongs to nothing; an error only if it is reached."""

    __slots__ = ("keyword", "start")

    def __init__(self, start: int, keyword: str) -> None:
        self.start: Final = start
        self.keyword: Final = keyword


Segment: TypeAlias = Text | Interpolation | IfDirective | ForDirective | StrayDirective


class Template:
    """A quoted string with sequences, or a heredoc with sequences: always gives a string."""

    __slots__ = ("segments", "start")

    def __init__(self, start: int, segments: tuple[Segment, ...]) -> None:
        self.start: Final = start
        self.segments: Final = segments


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


class Attribute:
    """``name = value``; starts at the name."""

    __slots__ = ("name", "start", "value")

    def __init__(self, start: int, name: str, value: Expression) -> None:
        self.start: Final = start
        self.name: Final = name
        self.value: Final = value


class Label:
    """A label of a block, bare or quoted."""

    __slots__ = ("start", "text")

    def __init__(self, start: int, text: str) -> None:
        self.start: Final = start
        self.text: Final = text


class Block:
    """``type labels { body }``; starts at the type."""

    __slots__ = ("block_type", "body", "labels", "start")

    def __init__(self, start: int, block_type: str, labels: tuple[Label, ...], body: Body) -> None:
        self.start: Final = start
        self.block_type: Final = block_type
        self.labels: Final = labels
        self.body: Final = body


class Body:
    """A file, or the inside of a block."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Attribute | Block, ...]) -> None:
        self.items: Final = items
