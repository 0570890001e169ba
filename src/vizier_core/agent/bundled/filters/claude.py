"""The events of `claude --output-format stream-json` (spec 07 §7.2)."""

from __future__ import annotations

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

_CACHED = ("cache_read_input_tokens", "cached_input_tokens", "cache_creation_input_tokens")


class ClaudeFilter(VendorFilter):
    """The texts of the last message are the reply; each event brings some of its parts."""

    label = "claude"

    def __init__(self, progress: Progress) -> None:
        super().__init__(progress)
        self._message_id = ""
        self._buffer = ""
        #: What each message has cost: several events of one message tell the same.
        self._costs: Event = {}

    def take_event(self, kind: str, event: Event) -> None:
        """One event."""
        if kind == "system":
            subtype, model, session = (text_of(event.get(name)) for name in ("subtype", "model", "session_id"))
            details = (f" {subtype}" if subtype else "") + (f" (model={model})" if model else "")
            self.progress.tell(f"system{details}" + (f" id={session}" if session else ""), CYAN)
        elif kind == "assistant":
            self._take_reply(event, table(event.get("message")))
        elif kind == "user":
            self._take_results(event, _parts(table(event.get("message")) or event))
        elif kind == "result":
            self._take_result(event)
        elif kind == "error":
            self.fail(kind, event)
        else:
            words = collapsed(first_text(event, "message", "detail", "subtype") or self.line)
            self.progress.tell(f"{kind}: {words}", CYAN)
            self._fall_back(words)

    def _take_reply(self, event: Event, message: Event) -> None:
        identity = text_of(message.get("id"))
        if identity and identity != self._message_id:
            self._message_id, self._buffer = identity, ""
        for part in _parts(message):
            if part.get("type") == "tool_use":
                self._take_tool(part)
        text = _text(_parts(message))
        usage = _usage(event, message)
        told = _usage_text(usage)
        if tokens := _tokens(usage):
            self._costs[identity] = tokens
            self.usage = _sum(list(self._costs.values()))
        if words := collapsed(text):
            speaker = "assistant (stream)" if message.get("delta") else "assistant"
            self.progress.tell(f"{speaker}: {words}" + (f" — {told}" if told else ""), GREEN)
            self._buffer = f"{self._buffer}\n\n{text}" if self._buffer else text
            self.final = self.fallback = self._buffer
        elif told:
            self.progress.tell(f"assistant — {told}", GREEN)

    def _take_tool(self, part: Event) -> None:
        name, identity = text_of(part.get("name")), text_of(part.get("id"))
        details = (f" {name}" if name else "") + (f" ({identity})" if identity else "")
        arguments = compact_json(part["input"]) if part.get("input") is not None else ""
        self.progress.tell(f"tool{details}" + (f" — {arguments}" if arguments else ""), BLUE)
        self._fall_back(arguments)

    def _take_results(self, event: Event, parts: list[Event]) -> None:
        results = [part for part in parts if part.get("type") == "tool_result"]
        for part in results:
            identity, text = text_of(part.get("tool_use_id")), _content(part.get("content"))
            words = collapsed(text)
            details = (f" ({identity})" if identity else "") + (f" — {words}" if words else "")
            self.progress.tell(f"tool result{details}", RED if part.get("is_error") is True else CYAN)
            self._fall_back(text)
        if not results and (words := collapsed(_text(parts))):
            self.progress.tell(f"user: {words}", CYAN)

    def _take_result(self, event: Event) -> None:
        status = first_text(event, "status", "subtype")
        failed = event.get("is_error") is True or status.startswith("error")
        usage = _usage(event, table(event.get("message")))
        told = _usage_text(usage)
        duration = first_text(event, "duration_ms")
        ending = (f" {status}" if status else "") + (f" — {told}" if told else "")
        self.progress.tell(f"run{ending}" + (f" duration={duration}ms" if duration else ""), RED if failed else GREEN)
        # These figures are those of the whole run.
        self.usage = {**self.usage, **_tokens(usage)}
        text = text_of(event.get("result"))
        self.failure = (collapsed(text) or collapsed(failure_text(event)) or status or "error") if failed else ""
        self._fall_back(text)

    def _fall_back(self, text: str) -> None:
        if text and not self.final:
            self.fallback = text


def _parts(message: Event) -> list[Event]:
    """The parts of a message; plain text is one part."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _text(parts: list[Event]) -> str:
    """The texts among the parts, with a blank line between them (WS-07-11)."""
    texts = (text_of(part.get("text")) for part in parts if part.get("type") == "text")
    return "\n\n".join(text for text in texts if text)


def _content(content: object) -> str:
    """What a tool has answered, as text."""
    if isinstance(content, list):
        return _text(_parts({"content": content}))
    return content if isinstance(content, str) else "" if content is None else compact_json(content)


def _usage(event: Event, message: Event) -> Event:
    """The figures of an event: its own, else those of its message (WS-07-11), with the cost among them."""
    usage = table(event.get("usage")) or table(message.get("usage"))
    cost = number(event, "total_cost_usd")
    return usage if cost is None else {**usage, "total_cost_usd": cost}


def _usage_text(usage: Event) -> str:
    cached = first_text(usage, *_CACHED)
    shown = {
        "total": first_text(usage, "total_tokens", "total"),
        "input": first_text(usage, "input_tokens", "prompt_tokens"),
        "cached": "" if cached == "0" else cached,
        "output": first_text(usage, "output_tokens", "completion_tokens"),
        "reasoning": first_text(usage, "reasoning_output_tokens", "reasoning_tokens"),
        "cost": first_text(usage, "total_cost_usd", "cost"),
    }
    return " ".join(f"{name}={value}" for name, value in shown.items() if value)


def _tokens(usage: Event) -> Event:
    """The figures under the names of the report; the vendor counts what went through the cache apart from the input."""
    prompt = number(usage, "input_tokens", "prompt_tokens")
    if prompt is not None:
        prompt += sum(number(usage, name) or 0 for name in ("cache_read_input_tokens", "cache_creation_input_tokens"))
    return known(
        total_tokens=number(usage, "total_tokens", "total"),
        input_tokens=prompt,
        cached_input_tokens=number(usage, "cache_read_input_tokens", "cached_input_tokens"),
        output_tokens=number(usage, "output_tokens", "completion_tokens"),
        reasoning_output_tokens=number(usage, "reasoning_output_tokens", "reasoning_tokens"),
        cost_usd=number(usage, "total_cost_usd", "cost"),
    )


def _sum(costs: list[Event]) -> Event:
    total: Event = {}
    for cost in costs:
        for name, value in cost.items():
            total[name] = total.get(name, 0) + value
    return total
