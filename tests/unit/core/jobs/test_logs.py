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


def texts(lines: object) -> list[str]:
    return [line.text for line in lines]  # type: ignore[attr-defined]


def test_lines_of_both_streams_stdout_first(store: JobStore, append: Append) -> None:
    append(b"err\n", "stderr")
    append(b"one\ntwo\n")
    expected = [LogLine("stdout", "one"), LogLine("stdout", "two"), LogLine("stderr", "err")]
    assert list(LogFollower(store, "a").news()) == expected
    assert list(LogFollower(store, "a", ["stderr"]).news()) == [LogLine("stderr", "err")]


def test_each_line_comes_once_and_whole(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    append(b"one\ntw")
    assert texts(follower.news()) == ["one"]
    assert texts(follower.news()) == []
    append(b"o\n\nthree\r\n")
    assert texts(follower.news()) == ["two", "", "three"]
    append(b"rest")
    assert texts(follower.news()) == []
    assert texts(follower.rest()) == ["rest"]
    assert texts(follower.rest()) == []


def test_a_log_that_does_not_exist_yet(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    assert list(follower.news()) == []
    append(b"late\n")
    assert texts(follower.news()) == ["late"]


def test_a_log_that_a_retry_has_emptied_is_read_from_its_beginning(store: JobStore, append: Append) -> None:
    follower = LogFollower(store, "a")
    append(b"first attempt\nhalf a li")
    assert texts(follower.news()) == ["first attempt"]
    os.truncate(store.log_path("a", "stdout"), 0)
    append(b"second\n")
    assert texts(follower.news()) == ["second"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.text(st.sampled_from("aü→🙂\n")), st.lists(st.integers(1, 7), min_size=1))
def test_however_it_is_written_the_text_is_the_same(store: JobStore, text: str, sizes: list[int]) -> None:
    store.job_directory("a").mkdir(exist_ok=True)
    log = store.log_path("a", "stdout")
    log.write_bytes(b"")
    by_line, by_piece = LogFollower(store, "a"), LogFollower(store, "a")
    lines: list[str] = []
    pieces = ""
    data = text.encode()
    place = 0
    while place < len(data):
        size = sizes[place % len(sizes)]
        with log.open("ab") as file:
            file.write(data[place : place + size])
        place += size
        lines += texts(by_line.news())
        pieces += "".join(by_piece.text())
    lines += texts(by_line.rest())
    assert pieces == text
    assert lines == [*text.split("\n")[:-1], *filter(None, text.split("\n")[-1:])]


def test_bytes_that_are_no_utf_8_are_replaced(store: JobStore, append: Append) -> None:
    append(b"a\xffb\n\xc3")
    follower = LogFollower(store, "a")
    assert texts([*follower.news(), *follower.rest()]) == ["a\ufffdb", "\ufffd"]


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
