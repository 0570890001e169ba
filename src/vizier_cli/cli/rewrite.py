"""Dynamic flags: unknown long options after the flow of `run` become `--set key=value` (spec 08 §6.3)."""

from collections.abc import Sequence
from typing import Final

#: Options whose value is the next word.
_WITH_VALUE: Final = frozenset(
    {"--set", "--after", "--spec-dir", "--repeat", "--format", "--load-session", "--config-file"}
)
_SWITCHES: Final = frozenset(
    {
        "--require-approval",
        "--no-require-approval",
        "--ephemeral",
        "--follow",
        "--check",
        "--verbose",
        "--quiet",
        "--debug",
        "--no-ansi",
        "--no-pager",
        "--no-session",
        "--help",
        "--version",
    }
)
_SHORT_SWITCHES: Final = frozenset("vqdnhV")


def rewrite_dynamic_flags(words: Sequence[str]) -> list[str]:
    """The words after the program's name with dynamic flags rewritten; unchanged if the command is not `run`."""
    start = _after_run(words)
    if start is None or start >= len(words):
        return list(words)
    # The word right after `run` is copied whatever it is: dynamic flags follow the flow.
    rewritten = list(words[: start + 1])
    place = start + 1
    while place < len(words):
        word = words[place]
        place += 1
        if word == "--":
            return [*rewritten, word, *words[place:]]
        name, equals, value = word.partition("=")
        if name in _WITH_VALUE or _takes_value(word):
            rewritten.append(word)
            if not equals and word in {*_WITH_VALUE, "-l", "-C"} and place < len(words):
                rewritten.append(words[place])
                place += 1
        elif name in _SWITCHES or not word.startswith("--") or not name[2:].strip():
            # A known switch with `=value` stays as it is and is refused (WS-08-04).
            rewritten.append(word)
        else:
            if not equals:
                value = "true"
                if place < len(words) and not _is_option(words[place]):
                    value = words[place]
                    place += 1
            key = name[2:].strip().replace("-", "_")
            rewritten += ["--set", f"{key}={value}"]
    return rewritten


def _after_run(words: Sequence[str]) -> int | None:
    """The place after the word `run`, if that is the command."""
    place = 0
    while place < len(words):
        word = words[place]
        if word == "--":
            return None
        if word in {"-l", "-C", "--load-session", "--config-file"}:
            place += 2
        elif word.startswith("-") and word != "-":
            place += 1
        else:
            return place + 1 if word == "run" else None
    return None


def _takes_value(word: str) -> bool:
    return word.startswith(("-l", "-C")) and not word.startswith("--")


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-")
