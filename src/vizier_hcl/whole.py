"""Files that may use the whole language, in all stages."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from vizier_hcl.bodies import BodyEvaluator
from vizier_hcl.diagnostics import Diagnostic, HclError, Severity, SourceError
from vizier_hcl.document import Document
from vizier_hcl.evaluator import Evaluator
from vizier_hcl.lexer import Lexer
from vizier_hcl.limits import MAX_DIAGNOSTICS, Budget
from vizier_hcl.parser import Parser
from vizier_hcl.plain import PlainTree
from vizier_hcl.positions import ValuePositions
from vizier_hcl.source import Source
from vizier_hcl.syntax import Attribute, Body


def evaluate_fully(source: Source, display_path: str) -> Document:
    """Evaluates a template; see `vizier_hcl.evaluate`."""
    parsed = _Parsed(source, display_path)
    budget = Budget(len(parsed.source.text))
    evaluator = Evaluator(budget)
    bodies = BodyEvaluator(parsed.source, evaluator)
    values = bodies.file(parsed.body)
    if bodies.errors:
        raise parsed.refused(bodies.errors)
    positions = ValuePositions(parsed.body)
    tree = PlainTree(positions, budget)
    value = tree.of(values)
    if tree.errors:
        raise parsed.refused(tree.errors)
    warnings = parsed.warnings([*parsed.lexical_warnings, *evaluator.warnings.items(), *bodies.warnings.items()])
    return Document(value, warnings, source, lambda: positions)


def evaluated_strings(source: Source, names: Collection[str], display_path: str) -> dict[str, str]:
    """Those of the named attributes that are strings; see `vizier_hcl.top_level_strings`."""
    parsed = _Parsed(source, display_path)
    wanted = tuple(item for item in parsed.body.items if isinstance(item, Attribute) and item.name in names)
    bodies = BodyEvaluator(source, Evaluator(Budget(len(source.text))))
    values = bodies.file(Body(wanted))
    if bodies.errors:
        raise parsed.refused(bodies.errors)
    return {name: value for name, value in values.items() if isinstance(value, str)}


def positions_of(source: Source, display_path: str) -> ValuePositions:
    """Where the values of a file without errors stand."""
    return ValuePositions(_Parsed(source, display_path).body)


class _Parsed:
    """A file without syntax errors."""

    def __init__(self, source: Source, display_path: str) -> None:
        self._display_path = display_path
        self.source = source
        lexer = Lexer(self.source.text)
        try:
            tokens = lexer.tokens()
        except SourceError as error:
            raise self.refused([error]) from None
        parser = Parser(self.source, tokens)
        self.body = parser.file()
        if parser.errors:
            raise self.refused(parser.errors)
        self.lexical_warnings = lexer.warnings

    def refused(self, errors: Iterable[SourceError]) -> HclError:
        """What to raise when something stands against the file."""
        return HclError(self._display_path, [self.source.error(error) for error in errors])

    def warnings(self, found: Iterable[tuple[int, str]]) -> tuple[Diagnostic, ...]:
        """The diagnostics for offsets and texts, in source order."""
        first = sorted(found)[:MAX_DIAGNOSTICS]
        return tuple(self.source.diagnostic(Severity.WARNING, offset, message) for offset, message in first)
