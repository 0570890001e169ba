"""Bodies and blocks become objects (spec 05 §9)."""

from __future__ import annotations

from vizier_hcl.diagnostics import SourceError, quoted
from vizier_hcl.evaluator import Evaluator
from vizier_hcl.limits import MAX_DIAGNOSTICS, BudgetError
from vizier_hcl.source import Source
from vizier_hcl.syntax import Attribute, Block, Body
from vizier_hcl.trampoline import Rule, run
from vizier_hcl.values import Value


class _Map(dict[str, Value]):
    """An object that a body has made and may still extend, unlike the values of attributes, which are never changed."""


class BodyEvaluator:
    """Evaluates the items of a file in source order; every broken one is reported once."""

    def __init__(self, source: Source, evaluator: Evaluator) -> None:
        #: What is wrong, in evaluation order; the object is only good without.
        self.errors: list[SourceError] = []
        #: Offset and text of what deserves a warning.
        self.warnings: dict[int, str] = {}
        self._source = source
        self._evaluator = evaluator

    def file(self, body: Body) -> dict[str, Value]:
        """The object that a whole file stands for; see `errors`. Its keys are not in order yet."""
        try:
            return run(self._body(body))
        except BudgetError as error:
            self.errors.append(error)
            return {}

    def _body(self, body: Body) -> Rule[_Map]:
        result = _Map()
        #: Where each name of this body was first set.
        starts: dict[str, int] = {}
        for item in body.items:
            if len(self.errors) == MAX_DIAGNOSTICS:
                break
            try:
                if isinstance(item, Attribute):
                    self._set_attribute(result, item, starts)
                else:
                    inside: _Map = yield self._body(item.body)
                    self._set_block(result, item, inside, starts)
            except BudgetError:
                raise
            except SourceError as error:
                self.errors.append(error)
        return result

    def _set_attribute(self, result: _Map, attribute: Attribute, starts: dict[str, int]) -> None:
        name = attribute.name
        if name in starts:
            raise SourceError(
                attribute.start,
                f"attribute {quoted(name)} would replace the block {self._at(starts[name])}; remove one",
            )
        starts[name] = attribute.start
        result[name] = _Map()  # Stands in for the value if it cannot be evaluated.
        result[name] = self._evaluator.value(attribute.value)

    def _set_block(self, result: _Map, block: Block, inside: _Map, starts: dict[str, int]) -> None:
        """Puts the object of a block where its type and labels say."""
        name = block.block_type
        first_start = starts.setdefault(name, block.start)
        if not block.labels:
            if name in result:
                raise SourceError(block.start, f"duplicate block {quoted(name)}, already set {self._at(first_start)}")
            result[name] = inside
            return
        *path, last = [label.text for label in block.labels]
        shown = f"label path {quoted('.'.join([*path, last]))}" if path else f"label {quoted(last)}"
        target = self._step(result, name, block)
        if target is None and not path:
            raise SourceError(block.start, f"block {quoted(name)} is already an attribute, set {self._at(first_start)}")
        for label in path:
            target = None if target is None else self._step(target, label, block)
        if target is None:
            raise SourceError(block.start, f"{shown} of block {quoted(name)} collides with a value that is no object")
        if last in target:
            raise SourceError(block.start, f"duplicate labeled block {quoted(name)} with {shown}")
        target[last] = inside

    def _step(self, target: _Map, key: str, block: Block) -> _Map | None:
        """The object at ``key``, made if absent; None for any other value."""
        value = target.setdefault(key, _Map())
        if isinstance(value, dict) and not isinstance(value, _Map):
            self.warnings[block.start] = (
                f"labeled block {quoted(block.block_type)} is merged into the value of an attribute"
            )
            value = target[key] = _Map(value)
        return value if isinstance(value, _Map) else None

    def _at(self, start: int) -> str:
        line, column = self._source.position(start)
        return f"at {line}:{column}"
