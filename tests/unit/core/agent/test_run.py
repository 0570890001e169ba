"""Running an agent (spec 07 §§6.1-6.4, 6.6)."""

import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vizier_core.agent.errors import (
    AgentError,
    AgentNotFoundError,
    AgentNotStartedError,
    FilterNotStartedError,
    NoAgentCommandError,
)
from vizier_core.agent.streams import LINE_KEPT
from vizier_core.command import KEPT
from vizier_core.process import thread_count
from vizier_core.usage import Usage

from ..probes import run_probe
from .runs import Run

# stdin, environment, directory


@pytest.mark.parametrize(
    "prompt",
    [
        "hello",
        "",
        "two\nlines\n",
        "no newline: Grüße 漢字 \U0001f600",
        "  blanks\t\n\n",
        "a\r\nb\0c",
        "<x>&'\"$HOME `id` \\n",
    ],
)
def test_stdin_is_exactly_the_prompt(run: Run, tmp_path: Path, prompt: str) -> None:
    run.script("cat > seen", prompt=prompt)
    assert (tmp_path / "seen").read_bytes() == prompt.encode()


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_any_text_is_a_prompt(tmp_path: Path, prompt: str) -> None:
    Run(tmp_path).script("cat > seen", prompt=prompt)
    assert (tmp_path / "seen").read_bytes() == prompt.encode("utf-8", "replace")


def test_bytes_of_file_names_come_out_as_they_were(run: Run, tmp_path: Path) -> None:
    run.script("cat > seen", prompt=os.fsdecode(b"- caf\xe9"))
    assert (tmp_path / "seen").read_bytes() == b"- caf\xe9"


def test_half_a_surrogate_pair_becomes_a_question_mark(run: Run, tmp_path: Path) -> None:
    run.script("cat > seen", prompt="a\ud800é")
    assert (tmp_path / "seen").read_bytes() == "a?é".encode()


def test_a_prompt_of_several_megabytes(run: Run) -> None:
    assert run.script("wc -c", prompt="x" * 5_000_000).reply.strip() == "5000000"


@pytest.mark.parametrize("body", ["echo fine", "exec < /dev/null; echo fine", "head -c 10 > /dev/null; echo fine"])
def test_an_agent_need_not_read_its_prompt(run: Run, body: str) -> None:
    assert run.script(body, prompt="x" * 3_000_000).reply == "fine\n"


def test_output_is_taken_while_the_prompt_is_written(run: Run) -> None:
    run.script("seq 30000; seq 30000 >&2; wc -c", prompt="y" * 2_000_000)
    assert run.reply.split() == [*map(str, range(1, 30001)), "2000000"]
    assert run.answer.stderr_lines == tuple(map(str, range(1, 30001)))


def test_no_arguments_are_added_and_the_directory_is_given(run: Run, tmp_path: Path) -> None:
    work = tmp_path / "a b"
    work.mkdir()
    script = tmp_path / "agent.sh"
    script.write_text('#!/bin/sh\necho $#; printf "<%s>" "$@"; echo; pwd -P\n')
    script.chmod(0o755)
    assert run.agent(script, cwd=work).reply.splitlines() == ["0", "<>", str(work)]
    run.reply = ""
    assert run.agent("../agent.sh", "a b", "$HOME;*", cwd=work).reply.splitlines()[:2] == ["2", "<a b><$HOME;*>"]


def test_the_environment_is_inherited(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "k e y")
    monkeypatch.setenv("VIZIER_DISABLE_STDBUF", "1")
    run.agent("env", "-0")
    seen = dict(entry.split("=", 1) for entry in run.reply.rstrip("\0\n").split("\0"))
    # The line editor of whoever runs the tests sets two variables behind Python's back.
    assert {
        name: value for name, value in seen.items() if name in os.environ or name not in {"COLUMNS", "LINES"}
    } == dict(os.environ)


def test_nothing_is_inherited_but_the_three_streams(run: Run, tmp_path: Path) -> None:
    inheritable = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(inheritable, True)
    try:
        run.agent(sys.executable, "-c", "import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])")
    finally:
        os.close(inheritable)
    assert run.reply == "[0, 1, 2]\n"


# output without a filter


@pytest.mark.parametrize(
    ("printed", "reply"),
    [
        ("one", "one\n"),
        ("one\\n", "one\n"),
        ("a\\n\\n  b \\n\\n", "a\n\n  b \n\n"),
        ("", ""),
        ("\\n", "\n"),
        ("a\\r\\nb", "a\nb\n"),
    ],
)
def test_the_reply_is_what_the_agent_printed(run: Run, printed: str, reply: str) -> None:
    run.script(f"cat > /dev/null; printf '{printed}'")
    assert run.reply == run.answer.text.text == reply
    assert run.answer.text.truncated_from is None


def test_stderr_is_captured_and_shown_trimmed(run: Run) -> None:
    run.script("printf '  one  \\n\\n \\t\\ntwo\\n three' >&2; echo done")
    assert run.answer.stderr_lines == ("one", "two", "three")
    assert run.progress == ["one", "two", "three"]
    assert run.warnings == []


def test_ws_07_15_output_that_is_no_utf8_is_replaced(run: Run) -> None:
    run.script("printf 'caf\\351\\n'; printf 'b\\377d\\n' >&2")
    assert run.reply == run.answer.text.text == "caf\ufffd\n"
    assert run.answer.stderr_lines == ("b\ufffdd",)


def test_binary_junk_is_an_answer(run: Run) -> None:
    run.agent(
        sys.executable, "-c", "import os; os.write(1, bytes(range(256)) * 100); os.write(2, bytes(range(256)) * 100)"
    )
    assert run.reply.startswith("\0\x01\x02")
    assert run.reply == run.answer.text.text


def test_exit_0_with_nothing_said_is_an_empty_answer(run: Run) -> None:
    run.script("exit 0")
    assert (run.reply, run.answer.text.text, run.answer.stderr_lines) == ("", "", ())


def test_progress_is_told_while_the_agent_works(run: Run, tmp_path: Path) -> None:
    """The agent ends only when it has seen that its first line has arrived."""

    class Answering(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            (tmp_path / "go").touch()

    run.progress = Answering()
    run.script("echo first >&2; while [ ! -e go ]; do sleep 0.01; done; echo last >&2", timeout=20)
    assert run.progress == ["first", "last"]


@pytest.mark.parametrize("code", [1, 3, 77, 255])
def test_an_agent_that_fails(run: Run, code: int) -> None:
    run.script(f"echo half an answer; echo why >&2; exit {code}")
    assert run.failure.exit_code == code
    assert run.failure.stderr_lines == ("why",)
    assert run.failure.text.text == "half an answer\n"
    assert run.reply == ""


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (40, "signal 40")])
def test_an_agent_that_a_signal_ends(run: Run, number: int, name: str) -> None:
    assert run.script(f"kill -{number} $$").failure.exit_code == -1
    assert run.warnings == [f"the agent was ended by {name}, neither by itself nor by vizier"]


def test_duration_is_measured_in_milliseconds(run: Run) -> None:
    assert 100 <= run.script("sleep 0.1").answer.duration_ms < 30_000


# programs that cannot be started


def test_no_command(run: Run) -> None:
    with pytest.raises(NoAgentCommandError, match="agent command was not provided"):
        run.agent()


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "./none"])
def test_ws_07_18_a_program_that_is_not_there(run: Run, program: str) -> None:
    """With a wrapper on PATH too: the wrapper does not get the chance to explain it."""
    with pytest.raises(AgentNotFoundError) as caught:
        run.agent(program, "x")
    assert str(caught.value) == f"agent command not found at {program}"


@pytest.mark.parametrize("name", ["./file", "./directory"])
def test_ws_07_18_a_program_that_is_not_executable(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "directory").mkdir()
    with pytest.raises(AgentNotStartedError, match="failed spawning agent command: ") as caught:
        run.agent(name)
    assert "permission denied" in str(caught.value).lower()
    assert name in str(caught.value)


def script_file(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("disabled", ["1", "0"])
def test_a_script_whose_interpreter_is_missing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disabled: str
) -> None:
    monkeypatch.setenv("VIZIER_DISABLE_STDBUF", disabled)
    script = script_file(tmp_path / "agent.sh", "#!/no/such/shell\n")
    try:
        told = " ".join(run.agent(script).failure.stderr_lines)
    except AgentNotFoundError as error:
        told = str(error)
        assert "interpreter" in told
    assert str(script) in told


def test_a_program_of_no_known_format(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIZIER_DISABLE_STDBUF", "1")
    with pytest.raises(AgentNotStartedError, match=r"(?i)exec format error"):
        run.agent(script_file(tmp_path / "agent", "\0\1\2"))


def test_arguments_that_no_program_can_get(run: Run) -> None:
    with pytest.raises(AgentNotStartedError, match="null byte"):
        run.agent("echo", "a\0b")


def test_a_directory_that_is_not_there(run: Run, tmp_path: Path) -> None:
    with pytest.raises(AgentNotStartedError, match=f"no directory {tmp_path}/gone"):
        run.agent("true", cwd=tmp_path / "gone")


@pytest.mark.parametrize(("name", "reason"), [("/no/filter", "no such program"), ("./file", "Permission denied")])
def test_a_filter_that_cannot_be_started_keeps_the_agent_from_running(
    run: Run, tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FilterNotStartedError, match=f"failed to spawn progress filter {name}: {reason}"):
        run.agent("touch", "ran", progress_filter=(name,))
    assert not (tmp_path / "ran").exists()


def test_ws_07_16_a_filter_that_fails_to_start_ends_the_agent(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIZIER_DISABLE_STDBUF", "1")
    broken = script_file(tmp_path / "filter", "#!/no/such/shell\n")
    with pytest.raises(FilterNotStartedError, match=str(broken)):
        run.agent("sleep", "300", progress_filter=(broken,))


# filters


def test_the_reply_is_what_the_filter_printed(run: Run) -> None:
    run.script("echo '{\"raw\": 1}'", "cat > /dev/null; printf 'A\\n\\n  B '")
    assert run.reply == run.answer.text.text == "A\n\n  B \n"


def test_the_filter_gets_the_lines_of_the_agent(run: Run, tmp_path: Path) -> None:
    run.script("printf 'one\\r\\n\\n  two\\377'", "cat > seen; echo ok")
    assert (tmp_path / "seen").read_bytes() == b"one\n\n  two\xff\n"


def test_the_filter_gets_them_while_the_agent_works(run: Run) -> None:
    agent = "echo event; while [ ! -e go ]; do sleep 0.01; done; echo end"
    run.script(agent, 'read -r line; touch go; cat > /dev/null; echo "$line"', timeout=20)
    assert run.reply == "event\n"


def test_lines_of_the_filter_are_progress_and_come_after_those_of_the_agent(run: Run) -> None:
    run.script("echo raw; echo agent >&2", "cat > /dev/null; echo filter >&2; printf '  text  \\n\\n'")
    assert sorted(run.progress) == ["agent", "filter", "text"]
    assert run.answer.stderr_lines == ("agent", "filter")
    assert run.reply == "  text  \n\n"


def test_a_failing_filter_comes_first(run: Run) -> None:
    run.script("echo raw; echo a >&2; exit 3", "cat > /dev/null; echo f >&2; echo ' text '; exit 9")
    assert (run.failure.exit_code, run.failure.stderr_lines) == (9, ("a", "f", "text"))
    assert run.failure.text.text == " text \n"
    assert run.reply == ""


def test_a_filter_that_a_signal_ends(run: Run) -> None:
    assert run.script("true", "kill -9 $$").failure.exit_code == -1
    assert "the progress filter was ended by SIGKILL, neither by itself nor by vizier" in run.warnings


def test_a_filter_that_fails_alone_is_named(run: Run) -> None:
    run.script("true", "cat; exit 9")
    assert run.warnings == ["the agent exited 0, but its progress filter exited 9"]


def test_a_failing_agent_with_a_filter(run: Run) -> None:
    run.script("echo raw; echo a >&2; exit 4", "cat > /dev/null; echo f >&2; echo text")
    assert (run.failure.exit_code, run.failure.stderr_lines) == (4, ("a", "f"))
    assert run.failure.text.text == "text\n"


@pytest.mark.parametrize("ending", ["exit 6", "kill -9 $$"])
def test_ws_07_14_a_filter_that_ends_early(run: Run, tmp_path: Path, ending: str) -> None:
    """The agent is listened to until it ends, and the filter's status is told."""
    run.script("seq 200000; touch done", f"exec < /dev/null; echo gone >&2; {ending}")
    assert run.failure.exit_code == (6 if ending == "exit 6" else -1)
    assert "gone" in run.failure.stderr_lines
    assert (tmp_path / "done").exists()


def test_ws_07_14_a_filter_that_stops_reading_but_answers(run: Run) -> None:
    assert run.script("seq 200000", 'read -r line; exec < /dev/null; echo "first: $line"').reply == "first: 1\n"


def test_a_slow_filter_holds_the_agent_up_instead_of_filling_memory(run: Run, tmp_path: Path) -> None:
    filter_body = "while [ ! -e full ]; do sleep 0.01; done; wc -c"
    agent = "head -c 500000 /dev/zero; touch full; head -c 20000000 /dev/zero"
    assert int(run.script(agent, filter_body).reply) == 20_500_001


def test_ws_07_13_raw_output_stands_in_for_a_silent_filter_and_says_so(run: Run) -> None:
    run.script("echo plain words", "cat > /dev/null")
    assert run.reply == run.answer.text.text == "plain words\n"
    assert len(run.warnings) == 1
    assert "filter printed no reply" in run.warnings[0]


def test_ws_07_13_a_filter_can_say_that_there_is_no_reply(run: Run) -> None:
    run.script('echo \'{"type": "event"}\'', "cat > /dev/null; echo 'vizier-report: {\"empty_reply\": true}' >&2")
    assert (run.reply, run.answer.text.text, run.warnings) == ("", "", [])


def test_nothing_at_all_needs_no_remark(run: Run) -> None:
    run.script("true", "cat")
    assert (run.reply, run.warnings) == ("", [])


# usage


def test_usage_is_taken_out_of_the_progress(run: Run) -> None:
    report = 'vizier-report: {"usage": {"input_tokens": 5, "output_tokens": 2, "cost_usd": 0.5}}'
    run.script(f"echo before >&2; echo '{report}' >&2; echo after >&2; echo ok")
    assert run.answer.usage == Usage(input_tokens=5, output_tokens=2, total_tokens=7, cost_usd=0.5)
    assert run.answer.stderr_lines == ("before", "after") == tuple(run.progress)


def test_usage_of_the_filter_counts_before_that_of_the_agent(run: Run) -> None:
    def report(tokens: int) -> str:
        return f'echo \'vizier-report: {{"usage": {{"total_tokens": {tokens}}}}}\' >&2'

    run.script(report(1), f"cat; {report(2)}; {report(3)}; exit 4")
    assert run.failure.usage == Usage(total_tokens=3)
    run.script(report(1), "cat")
    assert run.answer.usage == Usage(total_tokens=1)


# wrappers


def test_notes_about_missing_wrappers_are_captured_last(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "cat"):
        (tmp_path / "bin" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    notes = [f"{name} not found; attempting next buffering wrapper" for name in ("stdbuf", "unbuffer")]
    assert run.script("echo a >&2", "cat").answer.stderr_lines == (
        *("a", *notes),
        *(f"{note} for progress filter" for note in notes),
    )
    assert run.warnings == [*notes, *(f"{note} for progress filter" for note in notes)]


# the mock


@pytest.mark.parametrize("value", ["1", "true", "YES", " yes "])
def test_the_mock_starts_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("VIZIER_MOCK_AGENT", value)
    run.script("touch ran")
    assert run.reply == run.answer.text.text == "mock agent response"
    assert (run.answer.stderr_lines, run.answer.duration_ms, run.answer.usage) == (("mock stderr",), 10, None)
    assert run.progress == ["mock stderr"], "whatever is captured appears in the log, too (spec 06 §7.2 step 5)"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", ["0", "false", "", "no", "2", "on"])
def test_the_mock_is_off(run: Run, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("VIZIER_MOCK_AGENT", value)
    monkeypatch.setenv("VIZIER_FORCE_AGENT_ERROR", "1")
    assert run.script("cat").reply == "hello\n"
    assert run.warnings == []


def test_the_mock_can_fail(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIZIER_MOCK_AGENT", "1")
    monkeypatch.setenv("VIZIER_FORCE_AGENT_ERROR", "true")
    run.script("cat")
    assert (run.failure.exit_code, run.failure.stderr_lines) == (42, ("forced mock agent failure",))
    assert run.progress == ["forced mock agent failure"]
    assert run.reply == ""


def test_ws_07_28_an_active_mock_says_so_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIZIER_MOCK_AGENT", "1")
    run.script("cat")
    assert len(run.warnings) == 1
    assert "VIZIER_MOCK_AGENT" in run.warnings[0]


# resources


def test_no_threads_and_no_descriptors_are_left(run: Run) -> None:
    run.script("cat", "cat")
    before = (threading.active_count(), thread_count(), len(os.listdir("/proc/self/fd")))
    run.script("cat; sleep 0.1", "cat")
    run.script("exit 3", "exit 4")
    errors = []
    for body, more in (("no-such-program", {}), ("sleep 300", {"timeout": 0.05})):
        with pytest.raises(AgentError) as caught:
            run.agent(*body.split(), progress_filter=("cat",), **more)
        errors.append(caught)  # keeps what the error refers to from being collected
    assert (threading.active_count(), thread_count(), len(os.listdir("/proc/self/fd"))) == before


def test_ws_07_17_a_long_reply_is_passed_on_whole_but_kept_in_part(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIZIER_DISABLE_STDBUF", "1")
    run.script("seq -w 3000000")
    assert len(run.reply) == 8 * 3_000_000
    assert run.answer.text.truncated_from == len(run.reply)
    assert run.answer.text.text == run.reply[: KEPT // 2] + run.reply[-KEPT // 2 :]
    assert list(tmp_path.iterdir()) == []


HUGE = 200_000_000
ZEROES = f"head -c {HUGE} /dev/zero"


@pytest.mark.parametrize(
    ("body", "filter_body", "figures"),
    [
        (ZEROES, (), {"reply": HUGE + 1, "progress": 0, "kept": KEPT, "lines": 0}),
        (f"{ZEROES} >&2", (), {"reply": 0, "progress": 1, "kept": 0, "lines": 1}),
        (ZEROES, ("cat",), {"reply": HUGE + 1, "progress": 1, "kept": KEPT, "lines": 0}),
        (ZEROES, ("wc -c",), {"reply": 10, "progress": 9, "kept": 10, "lines": 0}),
        (ZEROES, ("exec < /dev/null; echo done",), {"reply": 5, "progress": 4, "kept": 5, "lines": 0}),
    ],
    ids=["stdout", "stderr", "through a filter", "into a filter", "past a filter"],
)
def test_ws_07_17_however_much_is_said_memory_does_not_grow(
    tmp_path: Path, body: str, filter_body: tuple[str], figures: dict[str, int]
) -> None:
    found = run_probe(
        Path(__file__).parent / "memory_probe.py", tmp_path, body, *filter_body, VIZIER_DISABLE_STDBUF="1"
    )
    assert found.pop("memory") < 80_000_000
    # A line without end is shown as its beginning and how much more there was.
    for name in ("progress", "lines"):
        assert found[name] == figures[name] or (figures[name] == 1 and LINE_KEPT < found[name] < LINE_KEPT + 100)
    assert {**found, **{name: figures[name] for name in ("progress", "lines")}} == figures


def test_a_disk_without_room_for_the_reply_is_an_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"I/O error: .*gone"):
        run.__class__(tmp_path / "gone").script("head -c 10000000 /dev/zero; sleep 300", cwd=tmp_path)
