"""Runs rules that need each other's results without using Python's own stack.

The parser and the evaluator are sets of mutually recursive rules. Written as functions that call each other, a deeply
nested template would exhaust the interpreter's stack, the sooner the deeper the caller already is. So every rule is a
generator that *yields* the rule it needs instead of calling it, and is sent the result::

    def parenthesised(self) -> Rule[Expression]:
        inner = yield self.expression()
        return Group(inner)

`run` keeps the waiting rules in a list. Nesting then costs memory, never stack, and is limited by
`vizier_hcl.limits.MAX_DEPTH` alone.
"""

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")

#: A rule: yields the rules it needs, is sent their results, returns its own.
Rule = Generator[Any, Any, Result]


def run(rule: Rule[Result]) -> Result:
    """The result of a rule. What a rule raises is raised in the rule that waits for it, in the end here."""
    waiting: list[Rule[Any]] = []
    current: Rule[Any] = rule
    result: Any = None
    failure: Exception | None = None
    while True:
        try:
            needed = current.throw(failure) if failure else current.send(result)
        except StopIteration as finished:
            result, failure = finished.value, None
            if not waiting:
                return result  # type: ignore[no-any-return]  # the rule that ends last is the first one
            current = waiting.pop()
        except Exception as error:
            if not waiting:
                raise
            failure, current = error, waiting.pop()
        else:
            waiting.append(current)
            current, result, failure = needed, None, None
