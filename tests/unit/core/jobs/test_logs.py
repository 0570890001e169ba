"""Reading logs while they are written (spec 03 §9)."""

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vizier_core.jobs.logs import LogFollower, LogLine, latest_log_line
from vizier_core.jobs.store import JobStore

Append = Callable[..., None]


@pytest.fixture
def append(store: JobStore) -> Append:
    store.job_directory("a").mkdir()

    def write(data: bytes, stream: str = "stdout") -> None:
        with store.log_path("a", stream).open("ab") as file:
            file.write(data)

    return write


def lines(follower: LogFollower) -> list[str]:
    """What one more look gives, without labels of stdout."""
    return "".join(follower.labelled()).replace("[stdout] ", "").split("\n")[:-1]


def rest(follower: LogFollower) -> str:
    return "".join(follower.labelled_rest())


def test_lines_of_both_streams_stdout_first(store: JobStore, append: Append) -> None:
    append(b"err\n", "stderr")
    append(b"one\ntwo\n")
    assert "".join(LogFollower(store, "a").labelled()) == "[stdout] one\n[stdout] two\n[stderr] err\n"
    assert "".join(LogFollower(store, "a", ["stderr"]).labelled()) == "[stderr] err\n"


def test_each_line_comes_once_and_whole(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    append(b"one\ntw")
    assert lines(follower) == ["one"]
    assert lines(follower) == []
    append(b"o\n\nthree\r\n")
    assert lines(follower) == ["two", "", "three"]
    append(b"rest")
    assert lines(follower) == []
    assert rest(follower) == "[stdout] rest\n"
    assert rest(follower) == ""


def test_a_log_that_does_not_exist_yet(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    assert lines(follower) == []
    append(b"late\n")
    assert lines(follower) == ["late"]


def test_a_log_that_a_retry_has_emptied_is_read_from_its_beginning(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    append(b"first attempt\nhalf a li")
    assert lines(follower) == ["first attempt"]
    os.truncate(store.log_path("a", "stdout"), 0)
    append(b"second\n")
    assert lines(follower) == ["second"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(st.sampled_from("aü→🙂\n")), st.lists(st.integers(1, 7), min_size=1))
def test_however_it_is_written_the_text_is_the_same(store: JobStore, text: str, sizes: list[int]) -> None:
    store.job_directory("a").mkdir(exist_ok=True)
    log = store.log_path("a", "stdout")
    log.write_bytes(b"")
    by_line, by_piece = LogFollower(store, "a"), LogFollower(store, "a")
    labelled = pieces = ""
    data = text.encode()
    place = 0
    while place < len(data):
        size = sizes[place % len(sizes)]
        with log.open("ab") as file:
            file.write(data[place : place + size])
        place += size
        labelled += "".join(by_line.labelled())
        pieces += "".join(by_piece.text())
    labelled += rest(by_line)
    assert pieces == text
    expected = [*text.split("\n")[:-1], *filter(None, text.split("\n")[-1:])]
    assert labelled == "".join(f"[stdout] {line}\n" for line in expected)


def test_bytes_that_are_no_utf_8_are_replaced(store: JobStore, append: Append) -> None:
    append(b"a\xffb\n\xc3")
    follower = LogFollower(store, "a")
    assert "".join(follower.labelled()) + rest(follower) == "[stdout] a\ufffdb\n[stdout] \ufffd\n"
    by_piece = LogFollower(store, "a")
    assert "".join([*by_piece.text(), *by_piece.text_rest()]) == "a\ufffdb\n\ufffd"


def test_a_line_end_may_come_in_two_pieces(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    append(b"one\r")
    assert lines(follower) == []
    append(b"\ntwo\r\r\n")
    assert lines(follower) == ["one", "two\r"]


def test_ws_03_22_a_line_without_an_end_is_not_collected(store: JobStore, append: Append) -> None:
    """It is given out in parts that read as one line; linear however long it is."""
    follower = LogFollower(store, "a")
    size = 40_000_000
    append(b"x" * size + b"\r")
    longest = total = 0
    for piece in follower.labelled():
        longest = max(longest, len(piece))
        total += len(piece)
    assert longest < 2_000_000
    append(b"\nnext\n")
    ending = "".join(follower.labelled())
    assert ending.endswith("x\n[stdout] next\n")
    assert total + len(ending) == size + len("[stdout] ") + len("\n[stdout] next\n")


def test_ws_03_22_parts_of_a_long_line_are_not_mixed_with_another_stream(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    append(b"x" * 2_000_000)
    append(b"oops\n", "stderr")
    assert "".join(follower.labelled()).endswith("x\n[stderr] oops\n")
    append(b"y\n")
    assert "".join(follower.labelled()).endswith("xy\n")
    append(b"z" * 2_000_000)
    assert "".join(follower.labelled()).startswith("[stdout] z")
    os.truncate(store.log_path("a", "stdout"), 0)
    append(b"again\n")
    assert "".join(follower.labelled()) == "\n[stdout] again\n"
    assert rest(follower) == ""


def test_nobody_waits_for_a_pipe_in_the_place_of_a_log(store: JobStore, append: Append) -> None:
    os.mkfifo(store.log_path("a", "stdout"))
    append(b"oops\n", "stderr")
    assert "".join(LogFollower(store, "a").labelled()) == "[stderr] oops\n"
    assert latest_log_line(store, "a", 2048) == LogLine("stderr", "oops")


# The newest line


def test_the_newest_line_that_is_not_blank(store: JobStore, append: Append) -> None:
    append(b"one\n  two  \n \n\n")
    assert latest_log_line(store, "a", 2048) == LogLine("stdout", "two")
    append(b"three")
    assert latest_log_line(store, "a", 2048) == LogLine("stdout", "three")


@pytest.mark.parametrize(("stdout", "stderr", "stream"), [(2, 1, "stdout"), (1, 2, "stderr"), (1, 1, "stderr")])
def test_the_log_that_changed_last_decides_and_stderr_a_tie(
    store: JobStore, append: Append, stdout: int, stderr: int, stream: str
) -> None:
    for name, seconds in (("stdout", stdout), ("stderr", stderr)):
        append(name.encode(), name)
        os.utime(store.log_path("a", name), (seconds, seconds))
    assert latest_log_line(store, "a", 2048) == LogLine(stream, stream)


def test_only_the_end_of_a_log_is_looked_at(store: JobStore, append: Append) -> None:
    append(b"x" * 5000 + b"\n" + b" " * 100)
    assert latest_log_line(store, "a", 50) is None
    append("ü".encode() * 20)
    assert latest_log_line(store, "a", 5) == LogLine("stdout", "\ufffdüü")


@pytest.mark.parametrize("text", [b"", b"\n \n"])
def test_without_any_line_there_is_none(store: JobStore, append: Append, text: bytes) -> None:
    append(text)
    assert latest_log_line(store, "a", 2048) is None
    assert latest_log_line(store, "ghost", 2048) is None
