"""The events of `gemini --output-format stream-json` (spec 07 §7.2)."""

from .stream import (
    BLUE,
    CYAN,
    GREEN,
    RED,
    Event,
    Progress,
    VendorFilter,
    collapsed,
    compact_json,
    failure_text,
    first_text,
    known,
    number,
    table,
    text_of,
)


class GeminiFilter(VendorFilter):
    """The last unbroken sequence of assistant messages is the reply."""

    label = "gemini"

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._buffer = ""

    def take_event(self, kind: str, event: Event) -> None:
        """One event."""
        if kind == "message" and event.get("role") == "assistant":
            self._take_reply(event)
            return
        self._buffer = ""
        if kind == "init":
            model, session = text_of(event.get("model")), text_of(event.get("session_id"))
            details = (f" (model={model})" if model else "") + (f" id={session}" if session else "")
            self.progress.tell(f"session start{details}", CYAN)
        elif kind == "message":
            if words := collapsed(text_of(event.get("content"))):
                self.progress.tell(f"user: {words}" if event.get("role") == "user" else f"message: {words}", CYAN)
        elif kind == "tool_use":
            name, identity = text_of(event.get("tool_name")), text_of(event.get("tool_id"))
            details = (f" {name}" if name else "") + (f" ({identity})" if identity else "")
            parameters = event.get("parameters")
            self.progress.tell(f"tool{details} — {compact_json({} if parameters is None else parameters)}", BLUE)
        elif kind == "tool_result":
            self._take_tool_result(event)
        elif kind == "result":
            self._take_result(event)
        elif kind == "error" and event.get("severity") != "warning":
            self.fail(kind, event)
        else:
            self.progress.tell(f"{kind}: {collapsed(first_text(event, 'message', 'detail') or self.line)}", CYAN)

    def _take_reply(self, event: Event) -> None:
        content = text_of(event.get("content"))
        words = collapsed(content)
        speaker = "assistant (stream)" if event.get("delta") is True else "assistant"
        self.progress.tell(f"{speaker}: {words}" if words else f"{speaker} update", GREEN)
        self._buffer += content
        if self._buffer:
            self.final = self.fallback = self._buffer

    def _take_tool_result(self, event: Event) -> None:
        output = event.get("output")
        text = output if isinstance(output, str) else "" if output is None else compact_json(output)
        identity, status, words = text_of(event.get("tool_id")), text_of(event.get("status")), collapsed(text)
        details = (f" ({identity})" if identity else "") + (f" [{status}]" if status else "")
        self.progress.tell(f"tool result{details}" + (f" — {words}" if words else ""), BLUE)
        if text and not self.final:
            self.fallback = text

    def _take_result(self, event: Event) -> None:
        status = text_of(event.get("status"))
        stats = table(event.get("stats"))
        failed = status not in {"", "success"}
        told = _stats_text(stats)
        ending = (f" {status}" if status else "") + (f" — {told}" if told else "")
        self.usage = (
            known(
                total_tokens=number(stats, "total_tokens"),
                input_tokens=number(stats, "input_tokens"),
                cached_input_tokens=number(stats, "cached"),
                output_tokens=number(stats, "output_tokens"),
            )
            or self.usage
        )
        self.progress.tell(f"run{ending}", RED if failed else GREEN)
        self.failure = (collapsed(failure_text(event)) or status) if failed else ""
        if (text := text_of(event.get("result"))) and not self.final:
            self.fallback = text


def _stats_text(stats: Event) -> str:
    names = {"tokens": "total_tokens", "input": "input_tokens", "output": "output_tokens", "tools": "tool_calls"}
    parts = [f"{shown}={value}" for shown, name in names.items() if (value := first_text(stats, name))]
    if duration := first_text(stats, "duration_ms"):
        parts.append(f"duration={duration}ms")
    return " ".join(parts)
