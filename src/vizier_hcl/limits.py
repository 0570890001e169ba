"""What a template may cost: source size, nesting, produced values, produced text (spec 05 §12)."""

from typing import Final

from vizier_hcl.diagnostics import SourceError

#: Longer files are refused unread, in characters. A template is a few kilobytes; this bounds memory and time for junk.
MAX_SOURCE: Final = 4 * 1024 * 1024

#: Constructs that may be open inside each other, and levels a value may have. Nothing here recurses, so the number
#: protects those who walk the result with plain recursion: at three frames a level they stay below Python's limit.
MAX_DEPTH: Final = 200

#: Values that evaluation may produce beyond those that the file spells out.
MAX_VALUES: Final = 1_000_000

#: Characters that templates, keys and the result may hold beyond those that the file spells out.
MAX_TEXT: Final = 16 * 1024 * 1024

#: Parsing and evaluation stop after this many errors; warnings beyond it are dropped. More help nobody.
MAX_DIAGNOSTICS: Final = 20


class BudgetError(SourceError):
    """The template does too much work; unlike other errors it ends the whole evaluation."""


class Budget:
    """Counts down what one evaluation may still produce.

    What the source spells out is free (hence its length is added), so only repetition can exhaust the budget.
    """

    __slots__ = ("_characters", "_values")

    def __init__(self, source_length: int) -> None:
        self._values = MAX_VALUES + source_length
        self._characters = MAX_TEXT + source_length

    def spend_values(self, count: int, offset: int) -> None:
        """Accounts for produced or compared values.

        Raises:
            BudgetError: anchored at ``offset``: too many.
        """
        self._values -= count
        if self._values < 0:
            raise BudgetError(offset, f"evaluation produces more than {MAX_VALUES:,} values; simplify the loops here")

    def spend_text(self, count: int, offset: int) -> None:
        """Accounts for produced or compared characters.

        Raises:
            BudgetError: anchored at ``offset``: too many.
        """
        self._characters -= count
        if self._characters < 0:
            raise BudgetError(offset, f"evaluation produces more than {MAX_TEXT:,} characters of text")
