"""What the filters have in common: reading lines, telling progress, keeping the reply (spec 07 §7.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

Event = dict[str, Any]

#: Longer lines, in bytes, are passed over: one of a gigabyte must not exhaust memory (WS-07-17).
LINE_LIMIT = 64 * 1024 * 1024
#: Starts the line that tells the runner what cannot be said on stdout (`vizier_core.agent.report`).
REPORT_PREFIX = "vizier-report: "

RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, GREY = 31, 32, 33, 34, 35, 36, 90
PLAIN = 0


class Progress:
    """Tells progress, one line at a time, at once.

    Args:
        stream: where to.
        coloured: whether whoever reads it sees colours.
        reports: whether whoever reads it wants the report line.
    """

    def __init__(self, stream: BinaryIO, *, coloured: bool, reports: bool) -> None:
        self._stream = stream
        self._coloured = coloured
        self._reports = reports

    def tell(self, text: str, colour: int = PLAIN) -> None:
        """Writes a line, whatever the text holds; `colour` is an SGR number."""
        text = " ".join(text.splitlines())
        line = f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and colour else text
        self._stream.write(encoded(line) + b"\n")
        self._stream.flush()

    def report(self, fields: Event) -> None:
        """Writes the report line, if there is something to report."""
        if fields and self._reports:
            self.tell(REPORT_PREFIX + compact_json(fields))


class VendorFilter:
    """Understands the events of one vendor; subclasses say how.

    Attributes:
        final: the reply so far.
        fallback: the reply if there is no better one.
        failure: what the vendor says has gone wrong, unless it has said since that all went well.
        usage: what the run has cost, under the names of `vizier_core.agent.report.Usage`.
        line: the line of the stream that is being looked at.
    """

    label: ClassVar[str]

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.final = ""
        self.fallback = ""
        self.failure = ""
        self.usage: Event = {}
        self.line = ""
        self._events = 0

    def take_line(self, line: bytes) -> None:
        """One line of the stream, an event or not; what is no event is progress as it stands (WS-07-10)."""
        self.line = line.decode("utf-8", "replace")
        event = _parse(self.line)
        if event is not None:
            self._events += 1
            self.take_event(event["type"], event)
        elif words := collapsed(self.line):
            self.progress.tell(words)

    def take_event(self, kind: str, event: Event) -> None:
        """One event of the vendor."""
        raise NotImplementedError

    def fail(self, kind: str, event: Event) -> None:
        """An event that means that the run has failed, unless success follows (WS-07-13)."""
        self.failure = collapsed(failure_text(event)) or kind
        self.progress.tell(f"{kind}: {self.failure}" if self.failure != kind else kind, RED)

    def finish(self, stdout: BinaryIO) -> int:
        """The reply at the end of the stream; the exit status of the filter."""
        text = self.final or ("" if self.failure else self.fallback)
        if text:
            stdout.write(encoded(text) + b"\n")
            stdout.flush()
        if self.failure:
            self.progress.tell(f"{self.label} failed: {self.failure}", RED)
        report: Event = {"usage": self.usage} if self.usage else {}
        if self._events and not text:
            report["empty_reply"] = True
        self.progress.report(report)
        return 1 if self.failure else 0


def run(vendor: VendorFilter, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Reads the stream to its end, an unterminated last line included, and answers; the exit status."""
    for line in _lines(stdin):
        if len(line) > LINE_LIMIT:
            vendor.progress.tell(f"[{vendor.label}-filter] passed over a line of more than {LINE_LIMIT} bytes")
        else:
            vendor.take_line(line)
    return vendor.finish(stdout)


def _lines(stdin: BinaryIO) -> Iterator[bytes]:
    """The lines; of one that is too long only the beginning."""
    while line := stdin.readline(LINE_LIMIT + 1):
        yield line
        while len(line) > LINE_LIMIT and not line.endswith(b"\n"):
            line = stdin.readline(LINE_LIMIT + 1)


def _parse(text: str) -> Event | None:
    """The event in a line, None if it is none: no JSON, no object, or without a type."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or not event["type"].strip():
        return None
    return event


def collapsed(text: str) -> str:
    """Text on one line: every run of whitespace a single blank, none at the ends."""
    return " ".join(text.split())


def compact_json(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encoded(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which JSON can hold, becomes a question mark."""
    return text.encode("utf-8", "replace")


def table(value: Any) -> Event:
    """An object; anything else counts as an empty one."""
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str:
    """What a field shows as: a string itself, a number in digits, anything else nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def first_text(fields: Event, *names: str) -> str:
    """The first of several fields that shows as something."""
    return next((text for name in names if (text := text_of(fields.get(name))).strip()), "")


def number(fields: Event, *names: str) -> Any:
    """The first of several fields that is a number; None if none is."""
    values = (fields.get(name) for name in names)
    return next((v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)), None)


def known(**fields: Any) -> Event:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def failure_text(event: Event) -> str:
    """What an event says has gone wrong."""
    error = event.get("error")
    return first_text(event, "message", "detail") or first_text(table(error), "message", "type") or text_of(error)
