"""`run --follow` on a terminal: a table of nodes that stays up to date, and leaves the terminal as it was."""

import re
import signal
from collections.abc import Mapping

import pytest

from support.flows import command, template
from support.repository import VIZIER, Repository
from support.terminal import Terminal

CURSOR_SHOWN, CURSOR_HIDDEN = "\x1b[?25h", "\x1b[?25l"
#: Sequences that colour text or make it bold.
STYLED = re.compile(r"\x1b\[[0-9;]+m")
PLAIN_LINE = re.compile(r"^\[run:run_[0-9a-f]{32}\] wf-run_[0-9a-f]{32}-quick => succeeded$", re.MULTILINE)


def follow(
    repository: Repository, *words: str, columns: int = 120, rows: int = 40, env: Mapping[str, str] | None = None
) -> Terminal:
    variables = {**repository.env, "TERM": "xterm-256color", **(env or {})}
    return Terminal([*VIZIER, "run", "flow.json", "--follow", *words], repository.path, variables, columns, rows)


@pytest.fixture
def quick(repository: Repository) -> Repository:
    repository.write("flow.json", template(command("quick", "echo the answer")))
    return repository


@pytest.fixture
def slow(repository: Repository) -> Repository:
    """Runs until the file `go` is there."""
    script = "echo started; while ! test -e go; do sleep 0.05; done"
    repository.write("flow.json", template(command("first", script), command("second", "true", after=["first"])))
    return repository


def test_nodes_states_times_and_last_lines(slow: Repository) -> None:
    with follow(slow) as terminal:
        terminal.wait_for(r"Node +State +Time +Last line")
        terminal.wait_for(r"first +running +\d+s +started")
        terminal.wait_for(r"second +waiting_on_deps +waiting on job first")
        slow.write("go", "")
        terminal.wait_for(r"first +succeeded +\d+s")
        terminal.wait_for(r"second +succeeded")
        assert terminal.finish() == 0
        assert re.search(r"Outcome +: Workflow run succeeded", terminal.text)
        assert not PLAIN_LINE.search(terminal.text)


def test_results_for_programs_are_shown_as_sentences(repository: Repository) -> None:
    repository.write("flow.json", template({"id": "end", "kind": "gate", "uses": "control.terminal"}))
    with follow(repository) as terminal:
        assert terminal.finish() == 0
        assert re.search(r"end +succeeded +\d+s +terminal sink reached", terminal.text), terminal.text


def test_attempts_are_counted(repository: Repository) -> None:
    nodes = [command("work", "test -e go"), command("wait", "while ! test -e go; do sleep 0.05; done")]
    repository.write("flow.json", template(*nodes))
    with follow(repository) as terminal:
        terminal.wait_for(r"work +failed")
        repository.vizier("jobs", "retry", repository.job("work")).ok()
        terminal.wait_for(r"work +\w+ \(attempt 2\)")
        repository.write("go", "")
        terminal.finish()


def test_a_failure_says_why(repository: Repository) -> None:
    repository.write("flow.json", template(command("bad", "echo no such luck; exit 3")))
    with follow(repository) as terminal:
        assert terminal.finish() == 1
        assert re.search(r"bad +failed +\d+s +command.run failed \(exit 3\)", terminal.text), terminal.text


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_follower_restores_the_terminal(slow: Repository, signal_number: int, code: int) -> None:
    with follow(slow) as terminal:
        terminal.wait_for(r"first +running")
        assert terminal.raw.count(CURSOR_HIDDEN) > terminal.raw.count(CURSOR_SHOWN)
        if signal_number == signal.SIGINT:
            terminal.type("\x03")
        else:
            terminal.send(signal_number)
        assert terminal.finish() == code
        assert terminal.raw.count(CURSOR_HIDDEN) == terminal.raw.count(CURSOR_SHOWN)
        assert "Traceback" not in terminal.text
    # Nothing of the run itself is lost (WS-08-08).
    slow.write("go", "")
    slow.wait_status("first", "succeeded")


def test_ctrl_c_says_that_the_run_goes_on(slow: Repository) -> None:
    with follow(slow) as terminal:
        terminal.wait_for(r"first +running")
        terminal.type("\x03")
        terminal.finish()
        assert re.search(r"run run_\w+ goes on without being followed", terminal.text)
    slow.write("go", "")
    slow.wait_status("first", "succeeded")


def test_states_are_coloured(quick: Repository) -> None:
    with follow(quick) as terminal:
        terminal.finish()
        assert "\x1b[32msucceeded" in terminal.raw


def test_no_color_means_no_style_at_all(quick: Repository) -> None:
    with follow(quick, env={"NO_COLOR": "1"}) as terminal:
        assert terminal.finish() == 0
        assert re.search(r"quick +succeeded", terminal.text)
        assert not STYLED.search(terminal.raw.replace("\x1b[0m", ""))


@pytest.mark.parametrize(
    ("words", "env"), [(["--no-ansi"], {}), ([], {"TERM": "dumb"}), ([], {"TERM": "dumb", "FORCE_COLOR": "1"})]
)
def test_plain_lines_where_lines_cannot_be_written_anew(
    quick: Repository, words: list[str], env: dict[str, str]
) -> None:
    with follow(quick, *words, env=env) as terminal:
        assert terminal.finish() == 0
        assert PLAIN_LINE.search(terminal.text), terminal.text
        assert "\x1b" not in terminal.raw


def test_plain_lines_in_a_pipe(quick: Repository) -> None:
    done = quick.vizier("run", "flow.json", "--follow", env={"TERM": "xterm", "FORCE_COLOR": "1"}).ok()
    assert PLAIN_LINE.search(done.out)
    assert "\x1b" not in done.out + done.err


def test_one_document_in_json_mode(quick: Repository) -> None:
    with follow(quick, "--format", "json") as terminal:
        assert terminal.finish() == 0
        assert terminal.raw.startswith("{")
        assert "\x1b" not in terminal.raw


@pytest.mark.parametrize("columns", [20, 400])
def test_no_line_is_wider_than_the_terminal(repository: Repository, columns: int) -> None:
    name = "a_node_with_a_long_name_" * 3
    repository.write("flow.json", template(command(name, "printf '%0500d\\n' 7")))
    with follow(repository, columns=columns) as terminal:
        assert terminal.finish() == 0
        table = terminal.text.partition("Outcome")[0]
        lines = re.split(r"\n|(?=Run run_)", table)
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("a_nod") for line in lines)


def test_more_nodes_than_lines(repository: Repository) -> None:
    nodes = [command(f"n{number}", "while ! test -e go; do sleep 0.05; done") for number in range(12)]
    nodes.append(command("last", "true", after=["n0"]))
    repository.write("flow.json", template(*nodes))
    with follow(repository, rows=8) as terminal:
        terminal.wait_for(r"(?:n\d+ +running[^\n]*\n){4}and 9 more: 8 running, 1 waiting_on_deps")
        repository.write("go", "")
        assert terminal.finish() == 0


def test_output_that_would_steer_the_terminal(repository: Repository) -> None:
    repository.write(
        "flow.json", template(command("rude", r"printf 'a\033[2Jb\n'; while ! test -e go; do sleep 0.05; done"))
    )
    with follow(repository) as terminal:
        terminal.wait_for(r"rude +running +\d+s +a\N{REPLACEMENT CHARACTER}\[2Jb")
        assert "\x1b[2J" not in terminal.raw
        repository.write("go", "")
        assert terminal.finish() == 0


def test_every_run_of_a_series_has_its_table(quick: Repository) -> None:
    with follow(quick, "--repeat", "2") as terminal:
        assert terminal.finish() == 0
        assert len(set(re.findall(r"Run (run_[0-9a-f]{32})\n", terminal.text))) == 2
