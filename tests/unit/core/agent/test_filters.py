"""The bundled filters, event by event (spec 07 §7.2)."""

import ast
import io
import json
import pkgutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizier_core.agent.bundled import filters
from vizier_core.agent.bundled.filters import stream
from vizier_core.agent.bundled.filters.claude import ClaudeFilter
from vizier_core.agent.bundled.filters.codex import CodexFilter
from vizier_core.agent.bundled.filters.gemini import GeminiFilter
from vizier_core.agent.report import PREFIX, parse_report
from vizier_core.usage import Usage

FILTERS: dict[str, type[stream.VendorFilter]] = {"codex": CodexFilter, "claude": ClaudeFilter, "gemini": GeminiFilter}
Event = dict[str, Any]


class Filtered(NamedTuple):
    """What a filter made of a stream."""

    reply: str
    progress: list[str]
    code: int
    report: Event

    @property
    def usage(self) -> Usage | None:
        report = parse_report(PREFIX + json.dumps(self.report))
        return report.usage if report else None


def filter_bytes(label: str, data: bytes, *, coloured: bool = False) -> Filtered:
    stdout, stderr = io.BytesIO(), io.BytesIO()
    vendor = FILTERS[label](stream.Progress(stderr, coloured=coloured, reports=True))
    code = stream.run(vendor, io.BytesIO(data), stdout)
    lines = stderr.getvalue().decode().split("\n")
    assert lines.pop() == ""
    report = json.loads(lines.pop().removeprefix(PREFIX)) if lines and lines[-1].startswith(PREFIX) else {}
    return Filtered(stdout.getvalue().decode(), lines, code, report)


def filtered(label: str, *events: Event | str, coloured: bool = False) -> Filtered:
    lines = (event if isinstance(event, str) else json.dumps(event, ensure_ascii=False) for event in events)
    return filter_bytes(label, "".join(f"{line}\n" for line in lines).encode(), coloured=coloured)


def item(kind: str, event: str = "item.completed", **fields: Any) -> Event:
    return {"type": event, "item": {"type": kind, **fields}}


def say(text: str, **more: Any) -> Event:
    return {"type": "message", "role": "assistant", "content": text, **more}


def message(*parts: Event, **fields: Any) -> Event:
    return {"type": "assistant", "message": {"content": list(parts), **fields}}


def text(words: str) -> Event:
    return {"type": "text", "text": words}


REPLY: dict[str, Event] = {
    "codex": item("agent_message", text="Reply."),
    "claude": message(text("Reply.")),
    "gemini": say("Reply."),
}

CODEX = [
    ({"type": "thread.started", "thread_id": "t-1"}, "thread started (id=t-1)", 36),
    ({"type": "thread.started"}, "thread started", 36),
    ({"type": "turn.started"}, "turn started", 35),
    ({"type": "turn.completed"}, "turn completed", 32),
    ({"type": "turn.completed", "usage": {}}, "turn completed", 32),
    (
        {"type": "turn.completed", "usage": {"input_tokens": 20, "cached_input_tokens": 5, "output_tokens": 10}},
        "turn completed — input=20 (cached=5) output=10",
        32,
    ),
    (
        {"type": "turn.completed", "usage": {"total": 9, "prompt_tokens": 4, "cached_input_tokens": 0}},
        "turn completed — total=9 input=4",
        32,
    ),
    (
        {"type": "turn.completed", "usage": {"total_tokens": 9, "completion_tokens": 4, "reasoning_output_tokens": 1}},
        "turn completed — total=9 output=4 reasoning=1",
        32,
    ),
    (item("command_execution", "item.started", command="make  test\n -j2"), "running: make test -j2", 34),
    (item("command_execution", "item.started"), "running command", 34),
    (item("command_execution", exit_code=0, status="completed"), "command finished (exit 0)", 34),
    (item("command_execution", exit_code=None, status="failed"), "command finished [failed]", 34),
    (item("command_execution"), "command finished", 34),
    (item("command_execution", "item.updated", status="in_progress"), "command_execution: in_progress", 90),
    (item("reasoning", text="Look  at\nthe code"), "thinking: Look at the code", 33),
    (item("reasoning", "item.updated", text="Look", progress=40), "thinking (40%): Look", 33),
    ({**item("reasoning", text="Look"), "progress": 7.5}, "thinking (7.5%): Look", 33),
    (item("reasoning"), "thinking...", 33),
    (item("file_change", status="completed"), "file_change: completed", 90),
    (item("web_search", text="words\nand words", status="x"), "web_search: words and words", 90),
    (item("todo_list"), "todo_list update", 90),
    (item("error", message="not fatal"), "error: not fatal", 90),
    ({"type": "notice", "message": "a\n b"}, "a b", 36),
    ({"type": "notice", "phase": "plan", "detail": "more"}, "plan: more", 36),
    ({"type": "notice", "label": "file", "path": "/x"}, "file: /x", 36),
    ({"type": "notice", "phase": "plan"}, "event: notice", 36),
    ({"type": "item.completed"}, "event: item.completed", 36),
]

CLAUDE = [
    ({"type": "system"}, "system", 36),
    (
        {"type": "system", "subtype": "init", "model": "m-1", "session_id": "s9"},
        "system init (model=m-1) id=s9",
        36,
    ),
    (
        message({"type": "tool_use", "name": "read", "id": "7", "input": {"path": "x y"}}),
        'tool read (7) — {"path":"x y"}',
        34,
    ),
    (message({"type": "tool_use"}), "tool", 34),
    (message(text("one\n two")), "assistant: one two", 32),
    (message(text("one"), delta=True), "assistant (stream): one", 32),
    ({**message(text("one")), "usage": {"input_tokens": 3}}, "assistant: one — input=3", 32),
    ({**message(), "usage": {"output_tokens": 4}}, "assistant — output=4", 32),
    ({"type": "user", "message": {"content": "a\n b"}}, "user: a b", 36),
    ({"type": "user", "message": {"content": [text("a"), text("b")]}}, "user: a b", 36),
    (
        {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "7", "content": "1\n2"}]}},
        "tool result (7) — 1 2",
        36,
    ),
    (
        {"type": "user", "message": {"content": [{"type": "tool_result", "content": [text("bad")], "is_error": True}]}},
        "tool result — bad",
        31,
    ),
    ({"type": "user", "message": {"content": [{"type": "tool_result"}]}}, "tool result", 36),
    ({"type": "result"}, "run", 32),
    ({"type": "result", "subtype": "success", "duration_ms": 41}, "run success duration=41ms", 32),
    (
        {"type": "result", "status": "done", "subtype": "x", "usage": {"total": 8}, "total_cost_usd": 0.25},
        "run done — total=8 cost=0.25",
        32,
    ),
    (
        {
            "type": "result",
            "usage": {
                "input_tokens": 1,
                "cache_read_input_tokens": 2,
                "output_tokens": 3,
                "reasoning_output_tokens": 4,
            },
        },
        "run — input=1 cached=2 output=3 reasoning=4",
        32,
    ),
    ({"type": "result", "usage": {"cache_creation_input_tokens": 5, "cost": 1}}, "run — cached=5 cost=1", 32),
    ({"type": "result", "usage": {"cached_input_tokens": 0}}, "run", 32),
    ({"type": "notice", "message": "a\n b"}, "notice: a b", 36),
    ({"type": "notice", "detail": "more"}, "notice: more", 36),
    ({"type": "notice", "subtype": "some"}, "notice: some", 36),
    ({"type": "notice", "n": 1}, 'notice: {"type": "notice", "n": 1}', 36),
]

GEMINI = [
    ({"type": "init", "model": "g-2", "session_id": "s9"}, "session start (model=g-2) id=s9", 36),
    ({"type": "init"}, "session start", 36),
    (say("Hi\n there"), "assistant: Hi there", 32),
    (say("Hi", delta=True), "assistant (stream): Hi", 32),
    (say(""), "assistant update", 32),
    (say("", delta=True), "assistant (stream) update", 32),
    ({"type": "message", "role": "user", "content": "a\n b"}, "user: a b", 36),
    ({"type": "message", "role": "tool", "content": "a\n b"}, "message: a b", 36),
    (
        {"type": "tool_use", "tool_name": "read", "tool_id": "7", "parameters": {"path": "x"}},
        'tool read (7) — {"path":"x"}',
        34,
    ),
    ({"type": "tool_use"}, "tool — {}", 34),
    (
        {"type": "tool_result", "tool_id": "7", "status": "success", "output": "1\n2"},
        "tool result (7) [success] — 1 2",
        34,
    ),
    ({"type": "tool_result"}, "tool result", 34),
    ({"type": "result", "status": "success"}, "run success", 32),
    (
        {
            "type": "result",
            "stats": {"total_tokens": 9, "input_tokens": 4, "output_tokens": 5, "tool_calls": 0, "duration_ms": 40},
        },
        "run — tokens=9 input=4 output=5 tools=0 duration=40ms",
        32,
    ),
    ({"type": "notice", "message": "a\n b"}, "notice: a b", 36),
    ({"type": "notice", "detail": "more"}, "notice: more", 36),
    ({"type": "notice", "n": 1}, 'notice: {"type": "notice", "n": 1}', 36),
    ({"type": "error", "severity": "warning", "message": "loop"}, "error: loop", 36),
]

ROWS = [
    *(("codex", *row) for row in CODEX),
    *(("claude", *row) for row in CLAUDE),
    *(("gemini", *row) for row in GEMINI),
]


@pytest.mark.parametrize(("label", "event", "line", "colour"), ROWS)
def test_progress_of_each_event(label: str, event: Event, line: str, colour: int) -> None:
    assert filtered(label, event).progress == [line]
    assert filtered(label, event, coloured=True).progress == [f"\x1b[{colour}m{line}\x1b[0m"]


def test_codex_announces_its_reply() -> None:
    assert filtered("codex", REPLY["codex"]).progress == ["agent reply received"]
    assert filtered("codex", REPLY["codex"], coloured=True).progress == ["\x1b[32magent reply received\x1b[0m"]


@pytest.mark.parametrize("event", [{"type": "message", "role": "user", "content": " "}, {"type": "message"}])
def test_gemini_is_silent_about_empty_messages(event: Event) -> None:
    assert filtered("gemini", event).progress == []


# replies


@pytest.mark.parametrize("label", FILTERS)
def test_the_reply_is_verbatim_with_a_newline(label: str) -> None:
    words = 'One:\n\n  - ä "q" \\n\n'
    reply = {"codex": item("agent_message", text=words), "claude": message(text(words)), "gemini": say(words)}
    assert filtered(label, reply[label]).reply == words + "\n"


def test_codex_takes_the_last_message() -> None:
    found = filtered(
        "codex", item("agent_message", text="First."), item("agent_message", text="Second."), item("agent_message")
    )
    assert (found.reply, found.progress) == ("Second.\n", ["agent reply received"] * 3)


@pytest.mark.parametrize(
    ("events", "reply"),
    [
        ([item("reasoning", text="Only\n  thought")], "Only thought\n"),
        ([item("reasoning", text="Thought"), item("reasoning")], "Thought\n"),
        ([item("file_change", status="completed")], "completed\n"),
        ([item("reasoning", text="Thought"), item("todo_list")], "Thought\n"),
        ([item("reasoning", text="Thought"), REPLY["codex"], item("reasoning", text="More")], "Reply.\n"),
        ([item("command_execution", exit_code=0)], ""),
    ],
)
def test_codex_falls_back(events: list[Event], reply: str) -> None:
    assert filtered("codex", *events).reply == reply


@pytest.mark.parametrize(
    ("events", "reply"),
    [
        ([message(text("A"), id="1"), message(text("B"), id="1")], "A\n\nB\n"),
        ([message(text("A"), id="1"), message(text("B"), id="2")], "B\n"),
        ([message(text("A"), id="1"), message({"type": "tool_use"}, id="2")], "A\n"),
        ([message(text("A")), message(text("B"))], "A\n\nB\n"),
        ([message(text("A"), {"type": "tool_use", "input": {"x": 1}}, text("B"), id="1")], "A\n\nB\n"),
        ([message(text("A")), {"type": "result", "result": "R"}], "A\n"),
        ([{"type": "result", "result": "R\nS"}], "R\nS\n"),
        ([message({"type": "tool_use", "input": {"x": 1}})], '{"x":1}\n'),
        ([{"type": "user", "message": {"content": [{"type": "tool_result", "content": "out"}]}}], "out\n"),
        ([{"type": "user", "message": {"content": [{"type": "tool_result", "content": {"a": 1}}]}}], '{"a":1}\n'),
        ([{"type": "notice", "message": "N"}], "N\n"),
        ([{"type": "notice"}], '{"type": "notice"}\n'),
        ([message({"type": "tool_use", "input": {}}), message(text("A"))], "A\n"),
        ([{"type": "user", "message": {"content": "question"}}], ""),
        ([message(text(""))], ""),
        ([{"type": "assistant", "message": {"content": "plain"}}], "plain\n"),
    ],
)
def test_claude_replies(events: list[Event], reply: str) -> None:
    assert filtered("claude", *events).reply == reply


def test_ws_07_11_parts_are_joined_with_a_blank_line() -> None:
    found = filtered("claude", message(text("One."), text("Two.\nThree."), id="m"))
    assert found.reply == "One.\n\nTwo.\nThree.\n"
    assert found.progress == ["assistant: One. Two. Three."]


def test_ws_07_11_usage_of_the_message_is_found() -> None:
    found = filtered("claude", message(text("Hi"), usage={"input_tokens": 3, "output_tokens": 4}))
    assert found.progress == ["assistant: Hi — input=3 output=4"]
    assert found.usage == Usage(input_tokens=3, output_tokens=4, total_tokens=7)


@pytest.mark.parametrize(
    ("events", "reply"),
    [
        ([say("Hel", delta=True), say("lo\n\nend", delta=True)], "Hello\n\nend\n"),
        ([say("old"), {"type": "tool_use"}, say("new")], "new\n"),
        ([say("old"), {"type": "message", "role": "user", "content": "x"}, say("new")], "new\n"),
        ([say("old"), "junk", say("er")], "older\n"),
        ([say("old"), {"type": "tool_use"}, say("")], "old\n"),
        ([{"type": "tool_result", "output": "out\nput"}], "out\nput\n"),
        ([{"type": "tool_result", "output": {"a": 1}}], '{"a":1}\n'),
        ([{"type": "tool_result", "output": "out"}, say("A")], "A\n"),
        ([{"type": "result", "result": "R"}], "R\n"),
        ([say("A"), {"type": "result", "result": "R"}], "A\n"),
        ([{"type": "notice", "message": "N"}], ""),
    ],
)
def test_gemini_replies(events: list[Event | str], reply: str) -> None:
    assert filtered("gemini", *events).reply == reply


# what is no event


@pytest.mark.parametrize("label", FILTERS)
def test_ws_07_10_bad_lines_are_progress_and_end_nothing(label: str) -> None:
    junk = [
        "{ broken",
        "   ",
        "",
        "[1, 2]",
        '{"no": "type"}',
        '{"type": " "}',
        '{"type": 3}',
        "\t words \t  here",
        "NaN",
    ]
    found = filtered(label, *junk, "[" * 50_000, REPLY[label])
    assert found.reply == "Reply.\n"
    assert found.code == 0
    said = ["{ broken", "[1, 2]", '{"no": "type"}', '{"type": " "}', '{"type": 3}', "words here", "NaN", "[" * 50_000]
    assert found.progress[:-1] == said


@pytest.mark.parametrize("label", FILTERS)
def test_ws_07_10_an_unterminated_last_line_counts(label: str) -> None:
    assert filter_bytes(label, json.dumps(REPLY[label]).encode()).reply == "Reply.\n"


@pytest.mark.parametrize("label", FILTERS)
@given(st.lists(st.binary(max_size=20) | st.sampled_from([b'{"type":', b'"x"}', b"\n", b"{}", b"\xff"])).map(b"".join))
def test_ws_07_10_no_bytes_stop_a_filter(label: str, data: bytes) -> None:
    assert filter_bytes(label, data + b"\n" + json.dumps(REPLY[label]).encode()).reply == "Reply.\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "type",
                        "item",
                        "text",
                        "message",
                        "content",
                        "usage",
                        "input_tokens",
                        "status",
                        "error",
                        "result",
                    ),
                    *("id", "input", "stats", "is_error", "progress", "role", "output", "severity", "subtype"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        *("thread.started", "turn.completed", "turn.failed", "item.completed", "item.started", "error", "system"),
        *("assistant", "user", "result", "init", "message", "tool_use", "tool_result", "else"),
    ]
)
FIELDS = st.dictionaries(
    st.sampled_from(["item", "usage", "message", "content", "result", "status", "error", "stats", "role", "output"]),
    VALUES | st.dictionaries(st.sampled_from(["type", "text", "content", "usage", "id"]), VALUES),
)


@pytest.mark.parametrize("label", FILTERS)
@settings(max_examples=40)
@given(st.lists(st.builds(lambda kind, fields: {**fields, "type": kind}, KINDS, FIELDS), max_size=6))
def test_events_of_any_shape_are_taken(label: str, events: list[Event]) -> None:
    assert filtered(label, *(json.dumps(event) for event in events)).code in {0, 1}


def test_a_message_is_one_line_whatever_it_holds() -> None:
    started = {"type": "thread.started", "thread_id": "a\nb\r\nc"}
    assert filtered("codex", started).progress == ["thread started (id=a b c)"]
    tool = {"type": "tool_use", "parameters": {"text": "two  blanks\nand a line"}}
    assert filtered("gemini", tool).progress == ['tool — {"text":"two  blanks\\nand a line"}']


@pytest.mark.parametrize("label", FILTERS)
def test_half_a_surrogate_pair_is_no_problem(label: str) -> None:
    line = json.dumps(REPLY[label]).replace("Reply.", "a\\ud800b")
    assert filtered(label, line).reply == "a?b\n"


def test_ws_07_17_a_line_beyond_all_bounds_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LINE_LIMIT", 100)
    long = json.dumps(item("agent_message", text="x" * 1000))
    found = filtered("codex", long, REPLY["codex"], "y" * 99)
    assert found.reply == "Reply.\n"
    notice = "[codex-filter] passed over a line of more than 100 bytes"
    assert found.progress == [notice, "agent reply received", "y" * 99]


# failures


FAILED = [
    ("codex", [{"type": "error", "message": "no\nquota"}], ["error: no quota"], "no quota"),
    ("codex", [{"type": "turn.failed", "error": {"message": "no quota"}}], ["turn.failed: no quota"], "no quota"),
    ("codex", [{"type": "turn.failed"}], ["turn.failed"], "turn.failed"),
    ("claude", [{"type": "error", "error": {"type": "overloaded"}}], ["error: overloaded"], "overloaded"),
    (
        "claude",
        [{"type": "result", "subtype": "success", "is_error": True, "result": "Not\nlogged in"}],
        ["run success"],
        "Not logged in",
    ),
    ("claude", [{"type": "result", "subtype": "error_max_turns"}], ["run error_max_turns"], "error_max_turns"),
    ("gemini", [{"type": "error", "severity": "error", "message": "no quota"}], ["error: no quota"], "no quota"),
    (
        "gemini",
        [{"type": "result", "status": "error", "error": {"type": "x", "message": "no quota"}}],
        ["run error"],
        "no quota",
    ),
    ("gemini", [{"type": "result", "status": "cancelled"}], ["run cancelled"], "cancelled"),
]


@pytest.mark.parametrize(("label", "events", "progress", "reason"), FAILED)
def test_ws_07_13_a_failure_that_the_vendor_reports_is_one(
    label: str, events: list[Event], progress: list[str], reason: str
) -> None:
    found = filtered(label, *events)
    assert found.code == 1
    assert found.progress == [*progress, f"{label} failed: {reason}"]
    assert found.reply == ""
    assert filtered(label, *events, coloured=True).progress[0] == f"\x1b[31m{progress[0]}\x1b[0m"


@pytest.mark.parametrize(("label", "events", "progress", "reason"), FAILED)
def test_ws_07_13_what_was_said_before_a_failure_is_kept(
    label: str, events: list[Event], progress: list[str], reason: str
) -> None:
    found = filtered(label, REPLY[label], *events)
    assert (found.code, found.reply) == (1, "Reply.\n")


SUCCESS: dict[str, Event] = {
    "codex": {"type": "turn.completed"},
    "claude": {"type": "result", "subtype": "success"},
    "gemini": {"type": "result", "status": "success"},
}


@pytest.mark.parametrize(("label", "events", "progress", "reason"), FAILED)
def test_ws_07_13_a_vendor_that_recovers_has_not_failed(
    label: str, events: list[Event], progress: list[str], reason: str
) -> None:
    found = filtered(label, *events, REPLY[label], SUCCESS[label])
    assert (found.code, found.reply) == (0, "Reply.\n")


@pytest.mark.parametrize("label", FILTERS)
def test_ws_07_13_a_stream_without_a_reply_says_that_there_is_none(label: str) -> None:
    assert filtered(label, SUCCESS[label]).report == {"empty_reply": True}
    assert filtered(label, SUCCESS[label], REPLY[label]).report == {}
    assert filtered(label, "not a stream of events").report == {}


# usage


@pytest.mark.parametrize(
    ("label", "events", "usage"),
    [
        (
            "codex",
            [
                {"type": "turn.completed", "usage": {"input_tokens": 10, "output_tokens": 2}},
                {
                    "type": "turn.completed",
                    "usage": {
                        "input_tokens": 20,
                        "cached_input_tokens": 5,
                        "output_tokens": 3,
                        "reasoning_output_tokens": 1,
                    },
                },
                {"type": "turn.completed"},
            ],
            Usage(input_tokens=20, cached_input_tokens=5, output_tokens=3, reasoning_output_tokens=1, total_tokens=23),
        ),
        (
            "claude",
            [
                message(text("A"), id="1", usage={"input_tokens": 1, "output_tokens": 2}),
                message(text("B"), id="1", usage={"input_tokens": 1, "output_tokens": 3}),
                message(text("C"), id="2", usage={"input_tokens": 4, "cache_read_input_tokens": 6, "output_tokens": 5}),
            ],
            Usage(input_tokens=11, cached_input_tokens=6, output_tokens=8, total_tokens=19),
        ),
        (
            "claude",
            [
                message(text("A"), id="1", usage={"input_tokens": 1, "output_tokens": 2}),
                {
                    "type": "result",
                    "total_cost_usd": 0.5,
                    "usage": {
                        "input_tokens": 2,
                        "cache_creation_input_tokens": 30,
                        "cache_read_input_tokens": 400,
                        "output_tokens": 5,
                    },
                },
            ],
            Usage(input_tokens=432, cached_input_tokens=400, output_tokens=5, total_tokens=437, cost_usd=0.5),
        ),
        (
            "gemini",
            [
                {
                    "type": "result",
                    "status": "success",
                    "stats": {"total_tokens": 12, "input_tokens": 4, "output_tokens": 5, "cached": 2, "tool_calls": 1},
                }
            ],
            Usage(input_tokens=4, cached_input_tokens=2, output_tokens=5, total_tokens=12),
        ),
    ],
)
def test_usage_is_reported(label: str, events: list[Event], usage: Usage) -> None:
    assert filtered(label, *events).usage == usage


def test_usage_is_reported_of_a_failed_run_too() -> None:
    failed = {"type": "result", "status": "error", "stats": {"total_tokens": 3}}
    assert filtered("gemini", failed).usage == Usage(total_tokens=3)


# the code itself


@pytest.mark.parametrize("module", [*pkgutil.iter_modules(filters.__path__)], ids=lambda module: str(module.name))
def test_the_filters_need_python_3_9_and_nothing_else(module: pkgutil.ModuleInfo) -> None:
    path = Path(filters.__path__[0]) / f"{module.name}.py"
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    absolute = {
        name
        for node in imports
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module])
        if not getattr(node, "level", 0)
    }
    assert absolute <= {"__future__", "collections.abc", "json", "os", "sys", "typing"}
