"""Where in the source a value of the evaluated tree comes from (spec 05 §17).

Values carry no positions. The rare question, an error about the meaning of a value, is answered by following the
value's path through the syntax tree for as long as the tree spells the value out.
"""

from collections.abc import Iterator
from typing import NamedTuple

from vizier_hcl.document import Path
from vizier_hcl.syntax import Attribute, Block, Body, Expression, ForObject, ForTuple, Group, Literal, Object, Tuple
from vizier_hcl.values import primitive_text


class _Origin(NamedTuple):
    """A piece of syntax that a value comes from, with the offsets to show for its key and for itself."""

    key_start: int
    start: int
    node: Expression | Body | Block
    labels_passed: int = 0  # Of a block: each label is a level of its own.


class ValuePositions:
    """Finds the origins of values in one file."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def of_value(self, path: Path) -> int:
        """The offset of the value at a path; of the nearest value around it where it is computed or absent."""
        return self._origin(path).start

    def of_key(self, path: Path) -> int:
        """The offset of the key that names the value at a path; of the value itself where it has none."""
        return self._origin(path).key_start

    def _origin(self, path: Path) -> _Origin:
        origins = [_Origin(0, 0, self._body)]
        for key in path:
            inner = [found for origin in origins for found in _inside(origin, key)]
            if not inner:
                break
            origins = inner
        return origins[0]


def _inside(origin: _Origin, key: str | int) -> Iterator[_Origin]:
    """What of a piece of syntax the value at ``key`` comes from; several blocks may share in it."""
    node = origin.node
    match node:
        case Block() if origin.labels_passed < len(node.labels):
            label = node.labels[origin.labels_passed]
            if label.text == key:
                yield _Origin(label.start, label.start, node, origin.labels_passed + 1)
        case Block():
            yield from _in_body(node.body, key)
        case Body():
            yield from _in_body(node, key)
        case _:
            yield from _in_expression(node, key)


def _in_body(body: Body, key: str | int) -> Iterator[_Origin]:
    for item in body.items:
        if isinstance(item, Attribute) and item.name == key:
            yield _Origin(item.start, item.value.start, item.value)
        elif isinstance(item, Block) and item.block_type == key:
            yield _Origin(item.start, item.start, item)


def _in_expression(node: Expression, key: str | int) -> Iterator[_Origin]:
    while isinstance(node, Group):
        node = node.inner
    match node:
        case Tuple() if isinstance(key, int) and 0 <= key < len(node.elements):
            element = node.elements[key]
            yield _Origin(element.start, element.start, element)
        case Object():
            for item in reversed(node.items):  # The last one wins.
                if _spells(item.key, key):
                    yield _Origin(item.key.start, item.value.start, item.value)
                    return
        case ForTuple():
            yield _Origin(node.value.start, node.value.start, node.value)
        case ForObject():
            # With grouping there is a tuple in between, whose every element comes from the same expression.
            inner = ForTuple(node.value.start, node.loop, node.value, None) if node.grouping else node.value
            yield _Origin(node.key.start, node.value.start, inner)


def _spells(expression: Expression, key: str | int) -> bool:
    """Whether the key of an object item is written out as ``key``."""
    while isinstance(expression, Group):
        expression = expression.inner
    return isinstance(expression, Literal) and primitive_text(expression.value) == key
