"""Evaluates whole files: the public operations of this package (spec 05 §2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cache

from vizier_hcl.bodies import BodyEvaluator
from vizier_hcl.diagnostics import Diagnostic, HclError, Position, Severity, SourceError
from vizier_hcl.evaluator import Evaluator
from vizier_hcl.lexer import Lexer
from vizier_hcl.limits import MAX_DIAGNOSTICS, Budget
from vizier_hcl.parser import Parser
from vizier_hcl.plain import Plain, PlainTree
from vizier_hcl.positions import Path, ValuePositions
from vizier_hcl.source import Source, read
from vizier_hcl.spelled import spelled_out
from vizier_hcl.syntax import Attribute, Body


class Document:
    """An evaluated template.

    Attributes:
        value: the plain tree; nothing else refers to it.
        warnings: what is legal but hardly meant, in source order.
    """

    __slots__ = ("_positions", "_source", "value", "warnings")

    def __init__(
        self,
        value: dict[str, Plain],
        warnings: tuple[Diagnostic, ...],
        source: Source,
        positions: Callable[[], ValuePositions],
    ) -> None:
        self.value = value
        self.warnings = warnings
        self._source = source
        self._positions = cache(positions)

    def position(self, path: Path) -> Position:
        """Line and column of the value at a path of keys and indices, such as ``("nodes", 0, "id")``.

        Where the file does not spell the value out, since it is computed or missing, it is the nearest value around it.
        """
        return self._source.position(self._positions().of_value(path))

    def key_position(self, path: Path) -> Position:
        """Line and column of the key that names the value at a path; of the value itself in a list."""
        return self._source.position(self._positions().of_key(path))

    def diagnostic(
        self, path: Path, message: str, severity: Severity = Severity.ERROR, *, at_key: bool = False
    ) -> Diagnostic:
        """A diagnostic about the meaning of a value, for the code that checks the tree."""
        positions = self._positions()
        offset = positions.of_key(path) if at_key else positions.of_value(path)
        return self._source.diagnostic(severity, offset, message)


def evaluate(source: bytes | str, *, display_path: str) -> Document:
    """Evaluates a template.

    Args:
        source: the contents of the file.
        display_path: the name of the file in error messages.

    Raises:
        HclError: the file is no valid template of the language.
    """
    text = _read(source, display_path)
    value = spelled_out(text.text)
    if value is not None:
        return Document(value, (), text, lambda: ValuePositions(_Parsed(text, display_path).body))
    return evaluate_fully(text, display_path)


def evaluate_fully(source: Source, display_path: str) -> Document:
    """Evaluates a template that may use everything the language has; see `evaluate`."""
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


def top_level_strings(source: bytes | str, names: Collection[str], *, display_path: str) -> dict[str, str]:
    """Those of the named attributes of a file that are strings; nothing else of it is evaluated.

    Raises:
        HclError: the file has a syntax error, or one of these attributes cannot be evaluated.
    """
    parsed = _Parsed(_read(source, display_path), display_path)
    wanted = tuple(item for item in parsed.body.items if isinstance(item, Attribute) and item.name in names)
    bodies = BodyEvaluator(parsed.source, Evaluator(Budget(len(parsed.source.text))))
    values = bodies.file(Body(wanted))
    if bodies.errors:
        raise parsed.refused(bodies.errors)
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _read(source: bytes | str, display_path: str) -> Source:
    text, unreadable = read(source)
    if unreadable:
        raise HclError(display_path, [text.error(unreadable)])
    return text


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
