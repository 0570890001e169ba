"""What agents have cost, as far as they tell (decision D17: new keys in records, outputs and results)."""

from collections.abc import Iterable
from typing import ClassVar

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and money; the field names are those of report lines and of JSON. What is not known is left out there."""

    OMITTED: ClassVar = {
        "input_tokens": None,
        "cached_input_tokens": None,
        "output_tokens": None,
        "reasoning_output_tokens": None,
        "total_tokens": None,
        "cost_usd": None,
    }
    #: Tokens read by the model, those from its cache included.
    input_tokens: int | None = None
    #: How many of them came from the cache.
    cached_input_tokens: int | None = None
    #: Tokens written by the model, those of its reasoning included.
    output_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    #: All tokens; if the agent does not say, input and output.
    total_tokens: int | None = None
    #: US dollars.
    cost_usd: float | None = None

    def tokens_text(self) -> str | None:
        """The tokens as people read them, for example `1,280 (input 1,200, output 80)`; None if none are known."""
        parts = {
            "input": self.input_tokens,
            "cached": self.cached_input_tokens,
            "output": self.output_tokens,
            "reasoning": self.reasoning_output_tokens,
        }
        details = ", ".join(f"{name} {count:,}" for name, count in parts.items() if count is not None)
        if self.total_tokens is None:
            return details or None
        return f"{self.total_tokens:,}" + (f" ({details})" if details else "")

    def cost_text(self) -> str | None:
        """The cost as people read it, for example `$0.0123`; None if it is not known."""
        return None if self.cost_usd is None else f"${self.cost_usd:,.4f}"


def total_usage(usages: Iterable[Usage | None]) -> Usage | None:
    """All of them together; a figure that only some of them tell is the sum of these. None if none tells anything."""
    told = [usage for usage in usages if usage is not None]
    if not told:
        return None
    sums = {}
    for name in Usage.__struct_fields__:
        figures = [figure for usage in told if (figure := getattr(usage, name)) is not None]
        sums[name] = sum(figures) if figures else None
    if sums["cost_usd"] is not None:
        # Sums of binary fractions: 0.1 + 0.2 shall not show as 0.30000000000000004.
        sums["cost_usd"] = round(sums["cost_usd"], 9)
    return Usage(**sums)
