"""The bundled shims with recorded agents: replies, progress, usage, failures (spec 07 §7)."""

import contextlib
import os
import pty
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vizier_core.agent.shims import BUNDLED
from vizier_core.usage import Usage

from .runs import Run

LABELS = ("codex", "claude", "gemini")
REPOSITORY = Path(__file__).parents[4]
RECORDED = REPOSITORY / "tests" / "agents" / "recorded"


@pytest.fixture(autouse=True)
def recorded_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{RECORDED / 'bin'}:{os.environ['PATH']}")


@pytest.fixture(params=LABELS)
def label(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(run: Run, label: str, scenario: str = "success", prompt: str = "Do it") -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECORDED_SCENARIO", scenario)
        patch.setenv("VIZIER_SHIM_PREVIEW", "0")
        return run.agent(BUNDLED / label / "agent.sh", progress_filter=(BUNDLED / label / "filter.sh",), prompt=prompt)


REPLIES = {
    "codex": "Fixed the parser.\n\n- quotes are kept\n- tests pass\n",
    "claude": "Fixed the parser.\n\n- quotes are kept\n\nAll tests pass.\n",
    "gemini": "Fixed the parser.\n\n- quotes are kept\n",
}
PROGRESS = {
    "codex": [
        "thread started (id=0199-77)",
        "turn started",
        "thinking: **Reading the parser** It splits at commas.",
        "running: bash -lc 'make test'",
        "command finished (exit 0)",
        "file_change: completed",
        "agent reply received",
        "turn completed — input=24763 (cached=24448) output=122 reasoning=64",
    ],
    "claude": [
        "system init (model=claude-x) id=5f2c",
        "assistant: Reading the parser. — input=4 output=7",
        'tool Read (toolu_1) — {"file_path":"src/parse.py"}',
        "assistant — input=4 output=7",
        "tool result (toolu_1) — 1 def parse(): 2 pass",
        "assistant: Fixed the parser. - quotes are kept All tests pass. — input=6 cached=100 output=20",
        "run success — input=10 cached=100 output=27 cost=0.0421 duration=5120ms",
    ],
    "gemini": [
        "session start (model=gemini-x) id=9c1",
        "user: Fix the parser",
        "assistant (stream): Reading.",
        'tool read_file (read-1) — {"path":"src/parse.py"}',
        "tool result (read-1) [success] — def parse(): pass",
        "assistant (stream): Fixed the par",
        "assistant (stream): ser. - quotes are kept",
        "run success — tokens=1530 input=1500 output=30 tools=1 duration=2210ms",
    ],
}
USAGE = {
    "codex": Usage(
        input_tokens=24763,
        cached_input_tokens=24448,
        output_tokens=122,
        reasoning_output_tokens=64,
        total_tokens=24885,
    ),
    "claude": Usage(input_tokens=210, cached_input_tokens=100, output_tokens=27, total_tokens=237, cost_usd=0.0421),
    "gemini": Usage(input_tokens=1500, cached_input_tokens=1200, output_tokens=30, total_tokens=1530),
}


@pytest.mark.parametrize("piece", ["", "1", "7"], ids=["whole", "bytes", "pieces"])
def test_success(run: Run, label: str, monkeypatch: pytest.MonkeyPatch, piece: str) -> None:
    monkeypatch.setenv("RECORDED_PIECES", piece)
    ask(run, label)
    assert run.reply == run.answer.text.text == REPLIES[label]
    assert list(run.answer.stderr_lines) == PROGRESS[label]
    assert run.answer.usage == USAGE[label]
    assert run.progress == [*PROGRESS[label], *(line.strip() for line in REPLIES[label].split("\n") if line)]
    assert run.warnings == []


@pytest.mark.parametrize(
    ("label", "reason", "said"),
    [
        ("codex", "You have hit your usage limit.", "I will look at it.\n"),
        ("claude", "Invalid API key", ""),
        ("gemini", "Reached max session turns", ""),
    ],
    indirect=["label"],
)
def test_ws_07_13_failure(run: Run, label: str, reason: str, said: str) -> None:
    ask(run, label, "failure")
    assert run.failure.exit_code == 1
    assert f"{label} failed: {reason}" in run.failure.stderr_lines
    assert run.failure.text.text == said
    assert run.reply == ""


@pytest.mark.parametrize("label", ["gemini"], indirect=True)
def test_usage_of_a_failed_run_is_known(run: Run, label: str) -> None:
    assert ask(run, label, "failure").failure.usage == Usage(input_tokens=8, output_tokens=2, total_tokens=10)


JUNK = {
    "codex": ["WARNING: proceeding, even though we could not update PATH", '{"type":"item.completed","item":{'],
    "claude": ["(node:71) Warning: a deprecated thing", "not json {", "b\ufffdd", "rate_limit_event: far away"],
    "gemini": ["Loaded cached credentials.", "[WARN] {", "b\ufffdd", "checkpoint: new in this version", "noise"],
}


def test_ws_07_10_junk_in_the_stream_is_progress(run: Run, label: str) -> None:
    ask(run, label, "junk")
    assert run.reply == "Done anyway.\n"
    assert [line for line in JUNK[label] if line not in run.answer.stderr_lines] == []


def test_ws_07_10_a_stream_that_breaks_off_after_the_reply(run: Run, label: str) -> None:
    assert ask(run, label, "unfinished").reply == "Said before the lights went out.\n"


def test_ws_07_13_a_run_without_words_has_an_empty_reply(run: Run, label: str) -> None:
    ask(run, label, "silent")
    assert (run.reply, run.answer.text.text, run.warnings) == ("", "", [])


# agent.sh


def agent(run: Run, label: str, prompt: str = "Do it") -> Run:
    return run.agent(BUNDLED / label / "agent.sh", prompt=prompt)


ARGUMENTS = {
    "codex": ["exec", "--json", "-"],
    "claude": ["--output-format", "stream-json"],
    "gemini": ["--output-format", "stream-json"],
}


def test_what_the_program_gets(run: Run, label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDED_INTO", str(tmp_path))
    prompt = "First line é\n\n  second $HOME `id` \\n line"
    agent(run, label, prompt)
    assert (tmp_path / "arguments").read_text().splitlines() == ARGUMENTS[label]
    assert (tmp_path / "prompt").read_bytes() == prompt.encode()
    assert run.reply == (RECORDED / f"streams/{label}/success.stdout").read_text()


@pytest.mark.parametrize("prompt", ["text \n\n\n", "", "\n", "-n", "\n\nlater"])
def test_trailing_newlines_of_the_prompt_are_stripped(
    run: Run, label: str, monkeypatch: pytest.MonkeyPatch, prompt: str
) -> None:
    monkeypatch.setenv("RECORDED_INTO", str(run.directory))
    agent(run, label, prompt)
    assert (run.directory / "prompt").read_text() == prompt.rstrip("\n")


def test_ws_07_12_further_arguments(run: Run, label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDED_INTO", str(tmp_path))
    monkeypatch.setenv(f"VIZIER_{label.upper()}_ARGS", " --fast  -m x/* ")
    agent(run, label)
    found = (tmp_path / "arguments").read_text().splitlines()
    assert [word for word in found if word in ARGUMENTS[label]] == ARGUMENTS[label]
    assert [word for word in found if word not in ARGUMENTS[label]] == ["--fast", "-m", "x/*"]
    assert found[-1] == ("-" if label == "codex" else "x/*")


def test_a_long_prompt(run: Run, label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the environment has a variable of the name that the script uses."""
    monkeypatch.setenv("RECORDED_INTO", str(tmp_path))
    monkeypatch.setenv("prompt", "x")
    monkeypatch.setenv("first", "x")
    agent(run, label, "y" * 3_000_000)
    assert (tmp_path / "prompt").stat().st_size == 3_000_000
    assert run.answer


@pytest.mark.parametrize(
    ("prompt", "line"),
    [
        ("Fix the parser\nsecret second line", "prompt (first line preview): Fix the parser"),
        ("only \\n line", "prompt (first line preview): only \\n line"),
        ("", "prompt: <empty>"),
    ],
)
@pytest.mark.parametrize("label", ["codex", "gemini"], indirect=True)
def test_preview(run: Run, label: str, prompt: str, line: str) -> None:
    agent(run, label, prompt)
    assert [said for said in run.answer.stderr_lines if "shim]" in said] == [f"[{label} shim] {line}"]


@pytest.mark.parametrize("value", ["0", "false", "no"])
def test_ws_07_27_the_preview_can_be_switched_off(
    run: Run, label: str, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("VIZIER_SHIM_PREVIEW", value)
    assert agent(run, label, "secret").answer.stderr_lines == ()


def test_claude_has_no_preview(run: Run) -> None:
    assert agent(run, "claude", "secret").answer.stderr_lines == ()


def test_the_exit_status_of_the_program_counts(run: Run, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDED_SCENARIO", "failure")
    code = int((RECORDED / f"streams/{label}/failure.exit").read_text())
    assert agent(run, label).failure.exit_code == code


def test_a_program_that_is_not_installed_is_named(run: Run, label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    failure = agent(run, label).failure
    assert failure.exit_code == 127
    assert any(f"{label} is not on PATH" in line and "agent.command" in line for line in failure.stderr_lines)


# filter.sh


EVENT = b'{"type":"error","severity":"error","message":"boom"}\n'


@pytest.mark.parametrize(
    "variables", [{}, {"NO_COLOR": "1"}, {"VIZIER_NO_ANSI": "1"}, {"NO_COLOR": "", "VIZIER_NO_ANSI": ""}]
)
def test_colours_on_a_terminal_only(label: str, variables: dict[str, str]) -> None:
    """And there the line for the runner is of no use."""
    terminal, stderr = pty.openpty()
    event = b'{"type":"assistant","message":{"content":"x","usage":{"input_tokens":1}}}\n' + EVENT
    subprocess.run(
        [BUNDLED / label / "filter.sh"], input=event, stderr=stderr, check=False, env={**os.environ, **variables}
    )
    os.close(stderr)
    told = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while data := os.read(terminal, 100_000):
            told += data
    os.close(terminal)
    assert b"error: boom" in told
    assert (b"\x1b[31m" in told) == (not any(variables.values()))
    assert b"vizier-report" not in told


def test_no_colours_in_a_pipe(label: str) -> None:
    done = subprocess.run([BUNDLED / label / "filter.sh"], input=EVENT, capture_output=True, check=False)
    assert (done.returncode, b"\x1b" in done.stderr) == (1, False)


@pytest.mark.parametrize("label", ["claude"], indirect=True)
@pytest.mark.parametrize(
    "how", ["link to the script", "link to the directory", "relative", "by the shell", "copy", "odd name"]
)
def test_the_filter_is_found_however_it_is_started(label: str, tmp_path: Path, how: str) -> None:
    script = BUNDLED / label / "filter.sh"
    command: list[str | Path] = [script]
    cwd = tmp_path
    if how == "link to the script":
        (tmp_path / "filter.sh").symlink_to(script)
        command = [tmp_path / "filter.sh"]
    elif how == "link to the directory":
        (tmp_path / "mine").symlink_to(script.parent)
        command = ["mine/filter.sh"]
    elif how == "relative":
        cwd, command = script.parent, ["./filter.sh"]
    elif how == "by the shell":
        cwd, command = script.parent, ["sh", "filter.sh"]
    else:
        target = tmp_path / ("-a b'c" if how == "odd name" else "agents")
        shutil.copytree(BUNDLED, target)
        command = [target / label / "filter.sh"]
    event = b'{"type":"result","result":"fine"}'
    done = subprocess.run(command, input=event, capture_output=True, cwd=cwd, check=False)
    assert (done.returncode, done.stdout) == (0, b"fine\n"), done.stderr


def fake_python(path: Path) -> Path:
    """An interpreter that only says that it was chosen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('#!/bin/sh\necho "$0"\n')
    path.chmod(0o755)
    return path


def chosen(script: Path, path: str) -> str:
    """The interpreter that a filter takes when its parent process is none."""
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" < /dev/null; exit $?', script],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": path},
    )
    return os.path.normpath(done.stdout.strip()) if done.returncode == 0 else done.stderr


def test_ws_07_10_the_interpreter_that_runs_vizier_is_taken(tmp_path: Path) -> None:
    """Not what PATH has, which may be missing, too old, or a stub that depends on the directory."""
    fake_python(tmp_path / "python3")
    done = subprocess.run(
        [BUNDLED / "claude" / "filter.sh"],
        input=b'{"type":"result","result":"fine"}',
        capture_output=True,
        check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert done.stdout == b"fine\n"


def test_ws_07_10_else_that_of_the_environment_then_that_of_the_installer_then_that_on_path(tmp_path: Path) -> None:
    package = tmp_path / "env/lib/python3.11/site-packages/vizier_core/agent/bundled"
    installed = tmp_path / "share/vizier/agents"
    for directory in (package, installed):
        shutil.copytree(BUNDLED, directory)
    on_path = fake_python(tmp_path / "bin/python3")
    path = f"{tmp_path}/bin:/usr/bin:/bin"
    assert chosen(package / "codex/filter.sh", path) == str(on_path)
    own = fake_python(tmp_path / "env/bin/python3")
    assert chosen(package / "codex/filter.sh", path) == str(own)
    assert chosen(installed / "codex/filter.sh", path) == str(on_path)
    own = fake_python(tmp_path / "share/vizier/lib/bin/python3")
    assert chosen(installed / "codex/filter.sh", path) == str(own)


def test_without_any_interpreter_the_filter_says_what_it_needs(tmp_path: Path) -> None:
    # Deep enough for no candidate to be found by chance.
    agents = tmp_path / "1/2/3/4/5/6/7/agents"
    shutil.copytree(BUNDLED, agents)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "readlink"):
        (tools / name).symlink_to(shutil.which(name) or "")
    assert "[codex-filter] python3 is required" in chosen(agents / "codex/filter.sh", str(tools))


def test_ws_07_12_a_wheel_keeps_the_scripts_executable(tmp_path: Path) -> None:
    """An installer gives back the permission that the archive records."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copytree(REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        modes = {
            entry.filename.partition("bundled/")[2]: stat.S_IMODE(entry.external_attr >> 16)
            for entry in archive.infolist()
            if "/agent/bundled/" in entry.filename and entry.filename.endswith(".sh")
        }
    wanted = {f"{label}/{name}.sh" for label in LABELS for name in ("agent", "filter")} | {"filters/start.sh"}
    assert modes == dict.fromkeys(wanted, 0o755)
