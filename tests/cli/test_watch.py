"""`jobs schedule --watch` on terminals of all sizes (weak spots of spec 03)."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from support.flows import command, template
from support.repository import VIZIER, Repository
from support.terminal import Terminal


@contextmanager
def watching(repository: Repository, columns: int, rows: int, waiting: int = 20) -> Iterator[Terminal]:
    """Watches a run with one job that prints something nasty and runs, and others that wait for it."""
    waiters = [command(f"w{place:02d}", "true", after=["talk"]) for place in range(waiting)]
    script = r"printf 'tick\r\033[2Jtock\n'; until [ -e end ]; do sleep 0.05; done"
    repository.write("flow.json", template(command("talk", script), *waiters))
    repository.vizier("run", "./flow.json").ok()
    repository.wait_status("talk", "running")
    argv = [*VIZIER, "jobs", "schedule", "--watch", "--interval-ms", "100", "--top", "99"]
    with Terminal(argv, repository.path, {**repository.env, "TERM": "xterm"}, columns, rows) as terminal:
        yield terminal
        terminal.type("\x03")
        assert terminal.finish() == 130
        assert terminal.raw.endswith("\x1b[?1049l")
    repository.write("end", "")
    repository.wait_until_quiet()


def test_ws_03_30_a_low_terminal_shows_the_running_job_all_the_same(repository: Repository) -> None:
    with watching(repository, columns=100, rows=12) as terminal:
        terminal.wait_for(r"tock")
        frame = terminal.text.split("Schedule Watch")[1]
        assert "Running job: " in frame
        assert re.search(r"\.\.\. \d+ more lines", frame)
        assert frame.count("\n") < 12


def test_ws_03_30_a_resized_terminal_gets_a_frame_that_fits(repository: Repository) -> None:
    with watching(repository, columns=100, rows=12) as terminal:
        terminal.wait_for(r"tock")
        terminal.raw = ""
        terminal.resize(60, 60)
        terminal.send(signal.SIGWINCH)
        terminal.wait_for(r"w19 [^\x00]*Running job: [^\x00]*Schedule Watch")
        frame = terminal.text[terminal.text.index("w00") :].split("Schedule Watch")[0]
        assert "more lines" not in frame
        assert all(len(line) <= 60 for line in frame.splitlines())


def test_ws_03_29_what_a_job_prints_does_not_steer_the_terminal(repository: Repository) -> None:
    with watching(repository, columns=200, rows=50, waiting=1) as terminal:
        terminal.wait_for(r"Latest line: \[stdout\] tick \ufffd\[2Jtock")
        assert "\x1b[2J" not in terminal.raw
