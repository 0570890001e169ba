"""Evaluates expressions (spec 05 §8)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from math import fmod, isinf, nan
from typing import Any, Final, TypeAlias

from vizier_hcl.diagnostics import SourceError, quoted
from vizier_hcl.functions import FUNCTIONS
from vizier_hcl.limits import MAX_DIAGNOSTICS, Budget
from vizier_hcl.renderer import TemplateRenderer
from vizier_hcl.syntax import (
    AttributeSplat,
    AttributeStep,
    Binary,
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
    Prefix,
    Step,
    Template,
    Traversal,
    Tuple,
    Unary,
    Variable,
)
from vizier_hcl.tokens import TokenKind
from vizier_hcl.trampoline import Rule, run
from vizier_hcl.values import Value, equal, number_text, ordered, primitive_text, type_name

#: The variables in sight, all of them bound by loops.
Scope: TypeAlias = dict[str, Value]

#: Divisors this small count as zero.
_EPSILON: Final = 2.220446049250313e-16


class Evaluator:
    """Evaluates the expressions of one file.

    Every rule raises `SourceError` for the first thing that cannot be evaluated, and `BudgetError` for too much work.
    """

    def __init__(self, budget: Budget) -> None:
        #: Offset and text of what deserves a warning.
        self.warnings: dict[int, str] = {}
        self._budget = budget
        self._renderer = TemplateRenderer(budget, self._value, self._iterations)

    def value(self, expression: Expression) -> Value:
        """The value of an expression in a file, where no variables exist."""
        return run(self._value(expression, {}))

    def _value(self, expression: Expression, scope: Scope) -> Rule[Value]:
        self._budget.spend_values(1, expression.start)
        match expression:
            case Literal():
                return expression.value
            case Variable():
                if expression.name not in scope:
                    hint = "a parameter is written `$${name}`"
                    raise SourceError(
                        expression.start, f"unknown variable {quoted(expression.name)} in evaluation; {hint}"
                    )
                return scope[expression.name]
        result: Value = yield _RULES[type(expression)](self, expression, scope)
        return result

    def _group(self, group: Group, scope: Scope) -> Rule[Value]:
        return self._value(group.inner, scope)

    def _template(self, template: Template, scope: Scope) -> Rule[Value]:
        return self._renderer.text(template, scope)

    # Collections

    def _tuple(self, node: Tuple, scope: Scope) -> Rule[Value]:
        elements: list[Value] = yield self._all(node.elements, scope)
        return tuple(elements)

    def _all(self, expressions: tuple[Expression, ...], scope: Scope) -> Rule[list[Value]]:
        values = []
        for expression in expressions:
            if isinstance(expression, Literal):
                values.append(self._literal(expression))
            else:
                values.append((yield self._value(expression, scope)))
        return values

    def _object(self, node: Object, scope: Scope) -> Rule[Value]:
        result: dict[str, Value] = {}
        for item in node.items:
            name = self._literal(item.key) if isinstance(item.key, Literal) else (yield self._value(item.key, scope))
            key = self._key(name, item.key.start, "object key")
            if key in result:
                self._warn(item.key.start, f"object key {quoted(key)} is repeated; the last value wins")
            if isinstance(item.value, Literal):
                result[key] = self._literal(item.value)
            else:
                result[key] = yield self._value(item.value, scope)
        return ordered(result)

    def _literal(self, literal: Literal) -> Value:
        """The value of a literal; spares the most common expressions a rule of their own."""
        self._budget.spend_values(1, literal.start)
        return literal.value

    def _key(self, value: Value, offset: int, what: str) -> str:
        """A value as an object key."""
        key = primitive_text(value)
        if key is None:
            raise SourceError(offset, f"{what} must evaluate to string-like value, got {type_name(value)}")
        self._budget.spend_text(len(key), offset)
        return key

    def _warn(self, offset: int, message: str) -> None:
        if len(self.warnings) < MAX_DIAGNOSTICS:
            self.warnings[offset] = message

    # for

    def _iterations(self, loop: Loop, scope: Scope, what: str) -> Rule[Iterator[Scope]]:
        """The scopes of a loop's iterations; they are one dict, changed from one to the next."""
        collection: Value = yield self._value(loop.collection, scope)
        if not isinstance(collection, tuple | dict):
            raise SourceError(
                loop.collection.start,
                f"{what} collection must evaluate to tuple or object, got {type_name(collection)}",
            )
        return self._bind(loop, collection, dict(scope))

    def _bind(self, loop: Loop, collection: tuple[Value, ...] | dict[str, Value], scope: Scope) -> Iterator[Scope]:
        items = collection.items() if isinstance(collection, dict) else enumerate(collection)
        for key, value in items:
            self._budget.spend_values(1, loop.collection.start)
            if loop.key_name is not None:
                scope[loop.key_name] = key if isinstance(key, str) else float(key)
            scope[loop.value_name] = value
            yield scope

    def _is_kept(self, condition: Expression | None, scope: Scope) -> Rule[bool]:
        if condition is None:
            return True
        kept: Value = yield self._value(condition, scope)
        if not isinstance(kept, bool):
            raise SourceError(
                condition.start, f"`for` expression `if` filter must evaluate to bool, got {type_name(kept)}"
            )
        return kept

    def _for_tuple(self, node: ForTuple, scope: Scope) -> Rule[Value]:
        elements = []
        for inner in (yield self._iterations(node.loop, scope, "`for` expression")):
            if (yield self._is_kept(node.condition, inner)):
                elements.append((yield self._value(node.value, inner)))  # noqa: PERF401  # a comprehension cannot yield
        return tuple(elements)

    def _for_object(self, node: ForObject, scope: Scope) -> Rule[Value]:
        groups: dict[str, list[Value]] = {}
        for inner in (yield self._iterations(node.loop, scope, "`for` expression")):
            if not (yield self._is_kept(node.condition, inner)):
                continue
            key = self._key((yield self._value(node.key, inner)), node.key.start, "object `for` key expression")
            if key in groups and not node.grouping:
                raise SourceError(
                    node.key.start, f"duplicate key {quoted(key)} in object `for` expression without grouping"
                )
            groups.setdefault(key, []).append((yield self._value(node.value, inner)))
        if node.grouping:
            return ordered({key: tuple(values) for key, values in groups.items()})
        return ordered({key: values[0] for key, values in groups.items()})

    # Operators

    def _conditional(self, node: Conditional, scope: Scope) -> Rule[Value]:
        for branch in node.branches:
            holds = yield self._value(branch.condition, scope)
            if not isinstance(holds, bool):
                raise SourceError(
                    branch.condition.start,
                    f"condition of conditional `?` must evaluate to bool, got {type_name(holds)}",
                )
            if holds:
                result: Value = yield self._value(branch.value, scope)
                return result
        result = yield self._value(node.otherwise, scope)
        return result

    def _unary(self, node: Unary, scope: Scope) -> Rule[Value]:
        value: Value = yield self._value(node.operand, scope)
        for prefix in reversed(node.operators):
            value = _prefixed(prefix, value)
        return value

    def _binary(self, node: Binary, scope: Scope) -> Rule[Value]:
        """Walks down the left side of a chain first, so that ``1 + 1 + …`` needs one rule, however long it is."""
        chain = [node]
        while isinstance(left := chain[-1].left, Binary):
            self._budget.spend_values(1, left.start)
            chain.append(left)
        value: Value = yield self._value(left, scope)
        for operation in reversed(chain):
            value = yield self._applied(operation, value, scope)
        return value

    def _applied(self, node: Binary, left: Value, scope: Scope) -> Rule[Value]:
        if node.operator in (TokenKind.AND, TokenKind.OR):
            result: Value = yield self._logical(node, left, scope)
            return result
        right: Value = yield self._value(node.right, scope)
        if node.operator in (TokenKind.EQUAL, TokenKind.NOT_EQUAL):
            return equal(left, right, self._budget, node.start) is (node.operator is TokenKind.EQUAL)
        return _calculated(node, left, right)

    def _logical(self, node: Binary, left: Value, scope: Scope) -> Rule[Value]:
        if not isinstance(left, bool):
            raise SourceError(
                node.start, f"operator `{node.operator}` expects bool operands, got {type_name(left)} on the left"
            )
        if left is (node.operator is TokenKind.OR):
            return left
        right: Value = yield self._value(node.right, scope)
        if not isinstance(right, bool):
            raise SourceError(
                node.start, f"operator `{node.operator}` expects bool operands, got {type_name(right)} on the right"
            )
        return right

    # Calls

    def _call(self, node: Call, scope: Scope) -> Rule[Value]:
        function = FUNCTIONS.get(node.name)
        if function is None:
            raise SourceError(node.start, f"unknown function {quoted(node.name)}; there are {', '.join(FUNCTIONS)}")
        arguments: list[Value] = yield self._all(node.arguments, scope)
        if node.expands:
            last = arguments.pop()
            if not isinstance(last, tuple):
                raise SourceError(
                    node.arguments[-1].start, f"argument expansion `...` requires tuple, got {type_name(last)}"
                )
            arguments.extend(last)
        if len(arguments) != 1:
            raise SourceError(node.start, f"function `{node.name}` expects exactly 1 argument, got {len(arguments)}")
        try:
            result = function(arguments[0])
        except TypeError as error:
            raise SourceError(node.start, str(error)) from None
        if isinstance(result, tuple):
            self._budget.spend_values(len(result), node.start)
        return result

    # Traversals

    def _traversal(self, node: Traversal, scope: Scope) -> Rule[Value]:
        base: Value = yield self._value(node.base, scope)
        result: Value = yield self._walk(base, node.steps, scope)
        return result

    def _walk(self, value: Value, steps: tuple[Step, ...], scope: Scope, first: int = 0) -> Rule[Value]:
        """Takes the steps from number ``first`` on."""
        index = first
        while index < len(steps):
            step = steps[index]
            index += 1
            match step:
                case AttributeStep():
                    value = _attribute(value, step)
                case IndexStep():
                    value = self._element(value, (yield self._value(step.key, scope)), step)
                case FullSplat():
                    elements = []
                    for element in self._spread(value, step):
                        elements.append((yield self._walk(element, steps, scope, index)))  # noqa: PERF401  # a comprehension cannot yield
                    return tuple(elements)
                case AttributeSplat():
                    names = []
                    while index < len(steps) and isinstance(name := steps[index], AttributeStep):
                        names.append(name)
                        index += 1
                    value = self._named(value, step, names)
        return value

    def _element(self, value: Value, key: Value, step: IndexStep) -> Value:
        if isinstance(value, dict):
            name = self._key(key, step.start, "object index")
            if name not in value:
                raise SourceError(step.start, f"object does not contain key {quoted(name)}")
            return value[name]
        if not isinstance(value, tuple):
            raise SourceError(step.start, f"index traversal requires tuple or object target, got {type_name(value)}")
        if not isinstance(key, float):
            raise SourceError(step.start, f"tuple index must be a number, got {type_name(key)}")
        if not key.is_integer():
            raise SourceError(step.start, f"tuple index must be a whole number, got {number_text(key)}")
        if not 0 <= key < len(value):
            raise SourceError(
                step.start, f"tuple index {number_text(key)} is out of range, the tuple has {len(value)} elements"
            )
        return value[int(key)]

    def _spread(self, value: Value, step: FullSplat) -> tuple[Value, ...]:
        """The elements that ``[*]`` goes through; anything single is its own only element, null is none."""
        if isinstance(value, tuple | dict):
            return self._elements(value, step.start)
        return () if value is None else (value,)

    def _named(self, value: Value, step: AttributeSplat, names: list[AttributeStep]) -> Value:
        if not isinstance(value, tuple | dict):
            raise SourceError(step.start, f"splat traversal requires tuple or object target, got {type_name(value)}")
        elements = list(self._elements(value, step.start))
        for index, element in enumerate(elements):
            inner = element
            for name in names:
                self._budget.spend_values(1, name.start)
                inner = _attribute(inner, name)
            elements[index] = inner
        return tuple(elements)

    def _elements(self, value: tuple[Value, ...] | dict[str, Value], offset: int) -> tuple[Value, ...]:
        self._budget.spend_values(len(value), offset)
        return tuple(value.values()) if isinstance(value, dict) else value


#: The rule for each kind of expression that has parts.
_RULES: Final[Mapping[type, Callable[[Evaluator, Any, Scope], Rule[Value]]]] = {
    Group: Evaluator._group,
    Template: Evaluator._template,
    Tuple: Evaluator._tuple,
    Object: Evaluator._object,
    ForTuple: Evaluator._for_tuple,
    ForObject: Evaluator._for_object,
    Conditional: Evaluator._conditional,
    Unary: Evaluator._unary,
    Binary: Evaluator._binary,
    Call: Evaluator._call,
    Traversal: Evaluator._traversal,
}


def _remainder(left: float, right: float) -> float:
    return nan if isinf(left) else fmod(left, right)


_NUMERIC: Final[Mapping[TokenKind, Callable[[float, float], Value]]] = {
    TokenKind.PLUS: operator.add,
    TokenKind.MINUS: operator.sub,
    TokenKind.STAR: operator.mul,
    TokenKind.SLASH: operator.truediv,
    TokenKind.PERCENT: _remainder,
    TokenKind.LESS: operator.lt,
    TokenKind.LESS_EQUAL: operator.le,
    TokenKind.GREATER: operator.gt,
    TokenKind.GREATER_EQUAL: operator.ge,
}


def _calculated(node: Binary, left: Value, right: Value) -> Value:
    """The result of an operator between numbers."""
    if not (isinstance(left, float) and isinstance(right, float)):
        types = f"{type_name(left)} and {type_name(right)}"
        raise SourceError(node.start, f"operator `{node.operator}` expects number operands, got {types}")
    if node.operator in (TokenKind.SLASH, TokenKind.PERCENT) and abs(right) <= _EPSILON:
        what = "division" if node.operator is TokenKind.SLASH else "modulo"
        raise SourceError(node.start, f"operator `{node.operator}`: {what} by zero")
    return _NUMERIC[node.operator](left, right)


def _prefixed(prefix: Prefix, value: Value) -> Value:
    if prefix.operator is TokenKind.MINUS:
        if isinstance(value, float):
            return -value
        raise SourceError(prefix.start, f"operator `-` expects number operand, got {type_name(value)}")
    if isinstance(value, bool):
        return not value
    raise SourceError(prefix.start, f"operator `!` expects bool operand, got {type_name(value)}")


def _attribute(value: Value, step: AttributeStep) -> Value:
    if not isinstance(value, dict):
        raise SourceError(step.start, f"attribute traversal requires object target, got {type_name(value)}")
    if step.name not in value:
        raise SourceError(step.start, f"object does not contain key {quoted(step.name)}")
    return value[step.name]
