"""No agent outlives its time, and nothing that it leaves behind holds the run up (WS-07-16, issue 7 item 3)."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vizier_core.agent.errors import AgentTimeoutError, FilterStuckError
from vizier_core.process import is_alive

from ..probes import run_probe
from .runs import Run

#: A machine under load may take so many seconds; nothing here waits as long as the 300 seconds that the agents sleep.
PATIENCE = 30


#: Programs that note their pid and then are there for a while, whatever one tells the second.
SLEEPER = "touch pids/$$; exec sleep 300"
STUBBORN = "trap '' TERM INT HUP; touch pids/$$; sleep 300; sleep 300"


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    """A directory in which each process of an agent puts a file named after its pid; none may be alive at the end."""
    directory = tmp_path / "pids"
    directory.mkdir()
    for name, body in (("sleeper", SLEEPER), ("stubborn", STUBBORN)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    yield directory
    for pid in living(directory):
        os.kill(pid, signal.SIGKILL)


def living(directory: Path) -> list[int]:
    return [int(path.name) for path in directory.iterdir() if is_alive(int(path.name))]


class Clock:
    """The time as the runner sees it: 1000 seconds later from the moment on in which it hears `ready`."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def append(self, line: str) -> None:
        self.lines.append(line)

    def monotonic(self) -> float:
        return time.monotonic() + 1000 * ("ready" in self.lines)


def timed_out(run: Run, body: str, filter_body: str | None = None, *, noted: int = 1, grace: float = 0.2) -> list[str]:
    """Runs an agent, and lets its time be over as soon as so many of its processes are noted; its progress."""
    clock = Clock()
    run.progress = clock
    watch = f"(while [ $(ls pids | wc -l) -lt {noted} ]; do sleep 0.01; done; echo ready >&2) & "
    began = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vizier_core.agent.run.time", clock)
        with pytest.raises(AgentTimeoutError) as caught:
            run.script(watch + body, filter_body, timeout=500, grace=grace)
    assert str(caught.value) == "agent command exceeded timeout after 500s"
    assert caught.value.seconds == 500
    assert time.monotonic() - began < PATIENCE
    return clock.lines


#: What an agent starts, and how many processes of it are noted.
SLEEPERS = {
    "one": ("./sleeper", 1),
    "stubborn": ("./stubborn", 1),
    "background": ("./sleeper & ./sleeper & touch pids/$$; wait", 3),
    "stubborn background": ("trap '' TERM; ./stubborn & ./sleeper & ./stubborn", 3),
    "orphans": ("(./sleeper & ./stubborn &); exec ./sleeper", 3),
    "own group": ("timeout 300 ./stubborn", 1),
    "own session": ("setsid ./stubborn & ./sleeper", 2),
    "stopped": ("touch pids/$$; kill -STOP $$", 1),
    "output closed": ("./sleeper > /dev/null 2>&1 < /dev/null", 1),
    "talkative": ("touch pids/$$; while :; do echo x; echo y >&2; done", 1),
    "replacing itself": ("trap './sleeper & touch pids/$!; exit' TERM; touch pids/$$; while :; do sleep 0.01; done", 1),
}


@pytest.mark.parametrize("sleepers", SLEEPERS)
def test_ws_07_16_everything_that_an_agent_started_ends_with_its_time(run: Run, pids: Path, sleepers: str) -> None:
    body, count = SLEEPERS[sleepers]
    timed_out(run, body, noted=count)
    assert len(list(pids.iterdir())) == count + (sleepers == "replacing itself")
    assert living(pids) == []


def test_ws_07_16_the_filter_ends_with_the_agent(run: Run, pids: Path) -> None:
    timed_out(run, "./sleeper", "./stubborn", noted=2)
    assert len(list(pids.iterdir())) == 2
    assert living(pids) == []


def test_ws_07_16_a_filter_that_does_not_read_cannot_make_the_run_endless(run: Run, pids: Path) -> None:
    timed_out(run, "touch pids/$$; head -c 50000000 /dev/zero", "./sleeper", noted=2)
    assert living(pids) == []


def test_ws_07_16_the_time_runs_while_the_prompt_is_written(run: Run, pids: Path) -> None:
    began = time.monotonic()
    with pytest.raises(AgentTimeoutError, match=r"after 0\.2s"):
        run.script("./sleeper", prompt="x" * 10_000_000, timeout=0.2)
    assert time.monotonic() - began < PATIENCE
    assert living(pids) == []


def test_an_agent_may_tidy_up_before_it_ends(run: Run, pids: Path, tmp_path: Path) -> None:
    body = "trap 'sleep 0.1; touch tidy; exit' TERM; touch pids/$$; while :; do sleep 0.01; done"
    timed_out(run, body, grace=PATIENCE)
    assert (tmp_path / "tidy").exists()


def test_a_stopped_agent_may_tidy_up_too(run: Run, pids: Path, tmp_path: Path) -> None:
    timed_out(run, "trap 'touch tidy; exit' TERM; touch pids/$$; kill -STOP $$; sleep 300", grace=PATIENCE)
    assert (tmp_path / "tidy").exists()


def test_progress_before_the_end_is_told(run: Run, pids: Path) -> None:
    assert timed_out(run, "echo working >&2; exec ./sleeper") == ["working", "ready"]


def test_whole_seconds_are_shown_without_a_fraction() -> None:
    assert str(AgentTimeoutError(43200.0)) == "agent command exceeded timeout after 43200s"
    assert str(AgentTimeoutError(1, [7, 8])).endswith("after 1s; processes 7, 8 could not be ended")


def test_an_exception_of_the_caller_ends_the_agent(run: Run, pids: Path) -> None:
    class Closed(list[str]):
        def append(self, line: str) -> None:
            raise KeyboardInterrupt

    run.progress = Closed()
    with pytest.raises(KeyboardInterrupt):
        run.script("echo hello >&2; ./sleeper & ./sleeper")
    assert living(pids) == []


@pytest.mark.parametrize("filter_body", [None, "cat"])
def test_ws_07_16_a_background_process_that_holds_the_output_does_not_hold_the_run(
    run: Run, pids: Path, filter_body: str | None
) -> None:
    began = time.monotonic()
    run.script('./sleeper & while [ -z "$(ls pids)" ]; do :; done; echo done; echo why >&2', filter_body)
    assert time.monotonic() - began < PATIENCE
    assert (run.reply, run.answer.stderr_lines) == ("done\n", ("why",))
    (pid,) = living(pids)
    told = f"the agent has ended, but has left processes behind, which hold its output open: {pid} (sleep 300)"
    assert run.warnings == [told]


def test_ws_07_16_not_even_one_that_goes_on_talking(run: Run, pids: Path) -> None:
    began = time.monotonic()
    run.script('(while :; do echo x; done) & touch pids/$!; while [ -z "$(ls pids)" ]; do :; done; echo done')
    assert time.monotonic() - began < PATIENCE
    assert "done\n" in run.reply


def test_ws_07_16_a_filter_may_leave_one_behind_too(run: Run, pids: Path) -> None:
    run.script("echo raw", "cat; ./sleeper & echo text")
    assert run.reply == "raw\ntext\n"
    assert len(run.warnings) == 1


def test_output_that_comes_soon_after_the_end_is_not_lost(run: Run) -> None:
    """As with `exec > >(tee log)`: the last words come from a process that ends after the agent."""
    assert run.script("(sleep 0.05; echo late) & echo early").reply == "early\nlate\n"
    assert run.warnings == []


def test_a_filter_that_never_ends_is_told(run: Run, pids: Path) -> None:
    with pytest.raises(FilterStuckError, match=r"progress filter sh did not end within 0.3s after the agent"):
        run.script("echo raw", "cat; ./sleeper", filter_patience=0.3)
    assert living(pids) == []


def test_a_filter_that_is_still_busy_is_waited_for(run: Run) -> None:
    """Its patience counts from its last sign of life."""
    body = "cat > /dev/null; for i in $(seq 22); do sleep 0.1; echo $i >&2; done; echo text"
    assert run.script("echo raw", body, filter_patience=2).reply == "text\n"


def test_ws_07_16_a_session_leader_finds_what_has_left_the_group_and_lost_its_parent(
    tmp_path: Path, pids: Path
) -> None:
    """Ruling R85: orphans in groups of their own are found by the session."""
    wait = 'while [ -z "$(ls pids)" ]; do sleep 0.01; done'
    script = f"(timeout 300 ./stubborn &)\ntrap '' TERM\n{wait}\necho ready >&2\nsleep 300\nsleep 300\n"
    (tmp_path / "agent.sh").write_text(script)
    found = run_probe(Path(__file__).parent / "session_probe.py", tmp_path)
    assert found == {"error": "agent command exceeded timeout after 500s", "left": []}
    assert len(list(pids.iterdir())) == 1
    assert living(pids) == []


def test_r85_what_an_agent_leaves_running_is_named(run: Run, pids: Path) -> None:
    run.script(
        "for i in 1 2 3 4 5 6 7; do ./sleeper > /dev/null 2>&1 & done; "
        "while [ $(ls pids | wc -l) -lt 7 ]; do :; done; echo done"
    )
    (told,) = run.warnings
    assert told.startswith("the agent has ended, but has left processes behind: ")
    assert told.count("(sleep 300)") == 5
    assert told.endswith(" and 2 more")
    assert all(int(word) in living(pids) for word in told.split() if word.isdigit() and word != "2")


#: A daemon: forked twice, in a session of its own, deaf to TERM, its parents gone.
DAEMON = "(setsid sh -c \"trap '' TERM; touch pids/\\$\\$; sleep 300; sleep 300\" > /dev/null 2>&1 &)"


def test_ws_07_16_a_session_leader_adopts_what_has_left_its_session(tmp_path: Path, pids: Path) -> None:
    """Ruling R85: a daemon in a session of its own, whose parents are gone, ends with the agent's time."""
    wait = 'while [ -z "$(ls pids)" ]; do sleep 0.01; done'
    (tmp_path / "agent.sh").write_text(f"{DAEMON}\ntrap '' TERM\n{wait}\necho ready >&2\nsleep 300\nsleep 300\n")
    found = run_probe(Path(__file__).parent / "session_probe.py", tmp_path)
    assert found == {"error": "agent command exceeded timeout after 500s", "left": []}
    assert len(list(pids.iterdir())) == 1
    assert living(pids) == []


def test_r87_adopted_orphans_are_buried(tmp_path: Path, pids: Path) -> None:
    """They would stay as zombies for as long as the agent runs, which may be hours."""
    body = "for i in $(seq 50); do (setsid true &); done; sleep 0.3; cat /proc/$PPID/task/$PPID/children > zombies\n"
    (tmp_path / "agent.sh").write_text(body + "echo ready >&2\nexec sleep 300\n")
    run_probe(Path(__file__).parent / "session_probe.py", tmp_path)
    assert len((tmp_path / "zombies").read_text().split()) <= 2
