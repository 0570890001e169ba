"""Finds what somebody probably meant."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, None if none is alike."""
    import difflib  # noqa: PLC0415 - takes 5 ms to import and is needed only when something is wrong

    matches = difflib.get_close_matches(word, list(known), n=1)
    return matches[0] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Text to append to a message about an unknown word; empty if nothing is alike."""
    match = nearest(word, known)
    return f"; did you mean `{match}`?" if match else ""
