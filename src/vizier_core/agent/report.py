"""What a shim tells the runner besides the reply: one line on stderr, which any shim may print.

The protocol leaves stdout to the reply and stderr to people (spec 07 §7). A shim that knows what its run has cost, or
that there is no reply, prints a line of this form on stderr, last; the runner takes it out of the progress::

    vizier-report: {"usage": {"input_tokens": 1200, "output_tokens": 80, "cost_usd": 0.0123}, "empty_reply": true}

Both keys are optional, and so is every figure in `usage`; others are ignored. The last line counts, that of the filter
before that of the agent. A line that is not of this form is progress like any other.
"""

from typing import Any, Final

import msgspec

from vizier_core.usage import Usage

PREFIX: Final = "vizier-report: "
#: No run reads or writes more tokens; beyond that JSON readers lose digits.
_MOST: Final = 2**53


class ShimReport(msgspec.Struct, frozen=True):
    """One report line."""

    usage: Usage | None = None
    #: There is no reply, and what the agent has printed is none either (WS-07-13).
    empty_reply: bool = False


def parse_report(line: str) -> ShimReport | None:
    """The report in a line of stderr; None if it is none."""
    if not line.startswith(PREFIX):
        return None
    try:
        fields = msgspec.json.decode(line.removeprefix(PREFIX))
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return ShimReport(_usage(fields.get("usage")), fields.get("empty_reply") is True)


def _usage(figures: Any) -> Usage | None:
    if not isinstance(figures, dict):
        return None
    usage = Usage(
        input_tokens=_count(figures.get("input_tokens")),
        cached_input_tokens=_count(figures.get("cached_input_tokens")),
        output_tokens=_count(figures.get("output_tokens")),
        reasoning_output_tokens=_count(figures.get("reasoning_output_tokens")),
        total_tokens=_count(figures.get("total_tokens")),
        cost_usd=_amount(figures.get("cost_usd")),
    )
    if usage == Usage():
        return None
    if usage.total_tokens is None and usage.input_tokens is not None and usage.output_tokens is not None:
        usage = msgspec.structs.replace(usage, total_tokens=usage.input_tokens + usage.output_tokens)
    return usage


def _amount(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        return None
    return float(value)


def _count(value: Any) -> int | None:
    amount = _amount(value)
    return int(amount) if amount is not None and amount <= _MOST and amount == int(amount) else None
