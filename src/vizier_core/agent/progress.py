"""How an agent's progress looks in the log of its node (spec 07 §6.5)."""

from typing import Final

#: Aliases that are named beside the agent.
_NAMED_ALIASES: Final = frozenset({"save", "draft", "approve", "review", "merge"})


def progress_line(label: str, alias: str | None, line: str) -> str:
    """One line that the agent or its filter has printed, as it is logged, without a newline.

    Args:
        label: the agent's.
        alias: command alias of the job, if it has one.
        line: what was printed.
    """
    who = f"{label}:{alias}" if alias in _NAMED_ALIASES else label
    return f"[{who}] agent — {line}"
