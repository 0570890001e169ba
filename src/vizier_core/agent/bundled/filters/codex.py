"""The events of `codex exec --json` (spec 07 §7.2)."""

from .stream import (
    BLUE,
    CYAN,
    GREEN,
    GREY,
    MAGENTA,
    YELLOW,
    Event,
    VendorFilter,
    collapsed,
    first_text,
    known,
    number,
    table,
    text_of,
)


class CodexFilter(VendorFilter):
    """The last message of the agent is the reply."""

    label = "codex"

    def take_event(self, kind: str, event: Event) -> None:
        """One event."""
        item = event.get("item")
        if kind.startswith("item.") and isinstance(item, dict):
            self._take_item(kind, event, item)
        elif kind == "thread.started":
            thread = text_of(event.get("thread_id"))
            self.progress.tell(f"thread started (id={thread})" if thread else "thread started", CYAN)
        elif kind == "turn.started":
            self.progress.tell("turn started", MAGENTA)
        elif kind == "turn.completed":
            self._take_end_of_turn(table(event.get("usage")))
        elif kind in {"error", "turn.failed"}:
            self.fail(kind, event)
        else:
            summary = collapsed(first_text(event, "message", "detail", "path"))
            phase = first_text(event, "phase", "label")
            self.progress.tell((f"{phase}: {summary}" if phase else summary) if summary else f"event: {kind}", CYAN)

    def _take_item(self, kind: str, event: Event, item: Event) -> None:
        sort = text_of(item.get("type"))
        text = text_of(item.get("text"))
        if sort == "agent_message":
            self.progress.tell("agent reply received", GREEN)
            if text:
                self.final = self.fallback = text
        elif sort == "reasoning":
            self._take_thought(collapsed(text), first_text(item, "progress") or first_text(event, "progress"))
        elif sort == "command_execution" and kind == "item.started":
            command = collapsed(text_of(item.get("command")))
            self.progress.tell(f"running: {command}" if command else "running command", BLUE)
        elif sort == "command_execution" and kind == "item.completed":
            code, status = text_of(item.get("exit_code")), text_of(item.get("status"))
            ending = f" (exit {code})" if code else f" [{status}]" if status else ""
            self.progress.tell(f"command finished{ending}", BLUE)
        else:
            summary = collapsed(first_text(item, "text", "status", "message"))
            self.progress.tell(f"{sort}: {summary}" if summary else f"{sort or 'item'} update", GREY)
            self.fallback = summary or self.fallback

    def _take_thought(self, thought: str, percentage: str) -> None:
        if not thought:
            self.progress.tell("thinking...", YELLOW)
            return
        self.progress.tell(f"thinking ({percentage}%): {thought}" if percentage else f"thinking: {thought}", YELLOW)
        self.fallback = thought

    def _take_end_of_turn(self, usage: Event) -> None:
        # The figures are those of the whole thread, so the last ones count.
        self.usage = (
            known(
                total_tokens=number(usage, "total_tokens", "total"),
                input_tokens=number(usage, "input_tokens", "prompt_tokens"),
                cached_input_tokens=number(usage, "cached_input_tokens"),
                output_tokens=number(usage, "output_tokens", "completion_tokens"),
                reasoning_output_tokens=number(usage, "reasoning_output_tokens"),
            )
            or self.usage
        )
        self.failure = ""
        told = _usage_text(usage)
        self.progress.tell(f"turn completed — {told}" if told else "turn completed", GREEN)


def _usage_text(usage: Event) -> str:
    total = first_text(usage, "total_tokens", "total")
    prompt = first_text(usage, "input_tokens", "prompt_tokens")
    cached = first_text(usage, "cached_input_tokens")
    output = first_text(usage, "output_tokens", "completion_tokens")
    reasoning = first_text(usage, "reasoning_output_tokens")
    parts = (
        f"total={total}" if total else "",
        f"input={prompt}" + (f" (cached={cached})" if cached not in {"", "0"} else "") if prompt else "",
        f"output={output}" if output else "",
        f"reasoning={reasoning}" if reasoning else "",
    )
    return " ".join(part for part in parts if part)
