"""Writes templates to text (spec 05 §7.2, §7.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from vizier_hcl.diagnostics import SourceError
from vizier_hcl.limits import Budget
from vizier_hcl.syntax import Expression, ForDirective, IfDirective, Interpolation, Loop, Segment, Template, Text
from vizier_hcl.text import nfc
from vizier_hcl.trampoline import Rule
from vizier_hcl.values import Value, primitive_text, type_name

_Scope: TypeAlias = dict[str, Value]


class TemplateRenderer:
    """The rules that turn segments into text.

    Args:
        budget: what may still be produced.
        value: the rule for the value of an expression.
        iterations: the rule for the scopes of a loop's iterations; its last argument names the loop in messages.
    """

    def __init__(
        self,
        budget: Budget,
        value: Callable[[Expression, _Scope], Rule[Value]],
        iterations: Callable[[Loop, _Scope, str], Rule[Iterator[_Scope]]],
    ) -> None:
        self._budget = budget
        self._value = value
        self._iterations = iterations

    def text(self, template: Template, scope: _Scope) -> Rule[Value]:
        """The text of a template, normalised."""
        written: list[str] = []
        yield self._write(template.segments, template.start, scope, written)
        return nfc("".join(written))

    def _write(self, segments: tuple[Segment, ...], start: int, scope: _Scope, written: list[str]) -> Rule[None]:
        """Appends the text of segments; ``start`` is where the template or directive around them begins."""
        ended_line = False  # Whether the segment before was an interpolation that ended in a line break.
        for segment in segments:
            piece = ""
            match segment:
                case Text():
                    piece = segment.after_line_break if ended_line else segment.text
                    ended_line = False
                case Interpolation():
                    piece = self._interpolated((yield self._value(segment.expression, scope)), segment)
                    ended_line = piece.endswith("\n")
                case IfDirective():
                    yield self._write_branch(segment, scope, written)
                    ended_line = False
                case ForDirective():
                    yield self._write_loop(segment, scope, written)
                    ended_line = False
                case _:
                    raise SourceError(segment.start, f"unexpected template `{segment.keyword}` directive")
            self._budget.spend_text(len(piece), start)
            written.append(piece)

    def _interpolated(self, value: Value, segment: Interpolation) -> str:
        text = primitive_text(value)
        if text is None:
            raise SourceError(
                segment.start, f"only primitive values can be interpolated into text, got {type_name(value)}"
            )
        return text

    def _write_branch(self, directive: IfDirective, scope: _Scope, written: list[str]) -> Rule[None]:
        if not directive.closed:
            raise SourceError(directive.start, "template `if` directive is missing `%{ endif }`")
        holds: Value = yield self._value(directive.condition, scope)
        if not isinstance(holds, bool):
            raise SourceError(
                directive.condition.start, f"template `if` condition must evaluate to bool, got {type_name(holds)}"
            )
        yield self._write(directive.then if holds else directive.otherwise, directive.start, scope, written)

    def _write_loop(self, directive: ForDirective, scope: _Scope, written: list[str]) -> Rule[None]:
        if not directive.closed:
            raise SourceError(directive.start, "template `for` directive is missing `%{ endfor }`")
        for inner in (yield self._iterations(directive.loop, scope, "template `for` directive")):
            yield self._write(directive.body, directive.start, inner, written)
