"""Running a program for a node (ruling R86, R70)."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vizier_core import command
from vizier_core.command import Finished, Output, run_program

Run = Callable[..., Finished]


class Log:
    """Collects what a program prints while it runs."""

    def __init__(self) -> None:
        self.stdout = ""
        self.stderr = ""

    def out(self, text: str) -> None:
        self.stdout += text

    def err(self, text: str) -> None:
        self.stderr += text


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def run(tmp_path: Path, log: Log) -> Run:
    def run_shell(script: str, cwd: Path = tmp_path) -> Finished:
        return run_program(["sh", "-c", script], cwd, tmp_path, stdout=log.out, stderr=log.err)

    return run_shell


@pytest.fixture(autouse=True)
def no_descriptor_is_left_open() -> Iterator[None]:
    before = os.listdir("/proc/self/fd")
    yield
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_output_exit_code_and_directory(run: Run, log: Log, tmp_path: Path) -> None:
    finished = run("pwd; echo oops >&2; exit 3")
    assert finished == Finished(3, Output(f"{tmp_path}\n"), Output("oops\n"))
    assert (log.stdout, log.stderr) == (f"{tmp_path}\n", "oops\n")


def test_a_program_that_prints_nothing(run: Run) -> None:
    assert run("true") == Finished(0, Output(""), Output(""))


def test_output_is_passed_on_while_the_program_runs(run: Run, log: Log, tmp_path: Path) -> None:
    """The program waits until its first line has come through."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    keep = os.open(gate, os.O_RDWR)

    def out(text: str) -> None:
        log.out(text)
        os.write(keep, b"\n")

    try:
        run_program(
            ["sh", "-c", f"echo first; read line <{gate}; echo second"], tmp_path, tmp_path, stdout=out, stderr=log.err
        )
    finally:
        os.close(keep)
    assert log.stdout == "first\nsecond\n"


def test_systems_without_descriptors_of_processes(run: Run, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as macOS, where Python has `waitid` since 3.13 only."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.delattr(os, "waitid")
    assert run("sleep 0.05; echo done; exit 3").exit_code == 3
    assert log.stdout == "done\n"


@pytest.fixture
def input_of_ours() -> Iterator[None]:
    """This process has something on its standard input."""
    ours = os.dup(0)
    reading, writing = os.pipe()
    os.write(writing, b"not for the program")
    os.dup2(reading, 0)
    for pipe in (reading, writing):
        os.close(pipe)
    yield
    os.dup2(ours, 0)
    os.close(ours)


@pytest.mark.usefixtures("input_of_ours")
def test_r86_the_input_is_empty(run: Run) -> None:
    assert run("cat; echo end").stdout.text == "end\n"


def test_r85_a_program_has_a_process_group_of_its_own_in_the_same_session(run: Run) -> None:
    pid, group, session = run("echo $$; cut -d' ' -f5,6 /proc/$$/stat").stdout.text.split()
    assert pid == group
    assert int(session) == os.getsid(0)


def test_r86_ignored_signals_are_restored(run: Run) -> None:
    """Python ignores SIGPIPE; a program that inherited that would write on for ever after `| head`."""
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    mask = int(run("grep SigIgn /proc/self/status").stdout.text.split()[1], 16)
    assert not mask & 1 << signal.SIGPIPE - 1


def test_nothing_else_is_inherited(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "f").open("w") as file:
        os.set_inheritable(file.fileno(), False)
        assert run("ls /proc/self/fd").stdout.text.split() == ["0", "1", "2", "3"]


@pytest.mark.parametrize("number", ["KILL", "TERM", "SEGV"])
def test_a_program_that_a_signal_ended_has_failed(run: Run, number: str) -> None:
    assert run(f"echo last words; kill -{number} $$") == Finished(1, Output("last words\n"), Output(""))


def test_a_program_that_does_not_exist(tmp_path: Path, log: Log) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        run_program(["no-such-program"], tmp_path, tmp_path, stdout=log.out, stderr=log.err)


def test_a_directory_that_does_not_exist_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        run("true", cwd=tmp_path / "gone")


# Text


def test_bytes_that_are_no_utf_8_are_replaced(run: Run, log: Log) -> None:
    text = run(r"printf 'a\377b\303'").stdout.text
    assert text == log.stdout == "a\ufffdb\ufffd"


@pytest.mark.parametrize("chunk", [1, 2, 3, 5])
def test_characters_that_are_cut_by_a_read_are_put_together(
    run: Run, log: Log, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(command, "_CHUNK", chunk)
    assert run("printf 'aü→🙂'").stdout.text == log.stdout == "aü→🙂"


def test_lines() -> None:
    assert Output("a  \n\n \nb\r\n c").lines() == ["a", "b", " c"]


# Much output


@pytest.mark.parametrize("size", [0, 1, 499, 500, 501, 999, 1000, 1001, 1500, 20_000])
def test_r70_head_and_tail_of_a_large_output_are_kept_and_the_log_is_complete(
    run: Run, log: Log, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(command, "KEPT", 1000)
    monkeypatch.setattr(command, "_CHUNK", 7)
    output = run(f"i=0; while [ $i -lt {size} ]; do printf %d $((i % 10)); i=$((i + 1)); done").stdout
    everything = "0123456789" * (size // 10) + "0123456789"[: size % 10]
    assert log.stdout == everything
    assert len(output.text) <= 1000 + 2 * 7
    if output.truncated_from is None:
        assert output.text == everything
    else:
        assert output.truncated_from == size > len(output.text) >= 1000
        assert everything.startswith(output.text[:500])
        assert everything.endswith(output.text[507:])


def test_r70_memory_is_bounded_by_what_is_kept(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_HELD", 1 << 20)
    seen = []
    finished = run_program(
        ["sh", "-c", "head -c 30000000 /dev/zero"],
        tmp_path,
        tmp_path,
        stdout=lambda text: seen.append(len(text)),
        stderr=print,
    )
    assert sum(seen) == finished.stdout.truncated_from == 30_000_000
    assert command.KEPT <= len(finished.stdout.text) <= command.KEPT + 2 * max(seen)


# Grandchildren


def kill_group_of(log: Log) -> None:
    """The scripts print their process group first."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int(log.stdout.split()[0]), signal.SIGKILL)


def test_r86_a_background_process_that_keeps_the_output_open_holds_up_nobody(run: Run, log: Log) -> None:
    try:
        finished = run("echo $$; sleep 100 & echo done")
        assert finished.exit_code == 0
        assert finished.stdout.text.endswith("done\n")
    finally:
        kill_group_of(log)


def test_r86_a_background_process_that_goes_on_printing_holds_up_nobody(log: Log, tmp_path: Path) -> None:
    """It prints a line for each piece that is copied, a hundred times, while the program itself has ended long ago."""
    ask, answer = tmp_path / "ask", tmp_path / "answer"
    pipes = []
    for path in (ask, answer):
        os.mkfifo(path)
        pipes.append(os.open(path, os.O_RDWR))
    pieces = 0

    def out(text: str) -> None:
        nonlocal pieces
        log.out(text)
        pieces += 1
        if pieces < 100:
            os.write(pipes[0], b"go on\n")
            os.read(pipes[1], 1)

    script = f"echo $$; while read line; do echo more; printf . >&3; done <{ask} 3>{answer} & exit"
    try:
        run_program(["sh", "-c", script], tmp_path, tmp_path, stdout=out, stderr=log.err)
    finally:
        kill_group_of(log)
        for pipe in pipes:
            os.close(pipe)
    assert pieces < 20


# Systems without pidfd


def test_where_a_process_cannot_be_polled(run: Run, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: Any) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", unsupported)
    assert run("echo one; exit 4") == Finished(4, Output("one\n"), Output(""))
    assert log.stdout == "one\n"
