"""What becomes of printed bytes (spec 07 §6.3)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.agent.streams import (
    LINE_KEPT,
    LINES_KEPT,
    CapturedLines,
    LineSplitter,
    NewlineNormaliser,
    Transcript,
)
from vizier_core.command import KEPT

BYTES = st.lists(st.sampled_from([b"\r", b"\n", b"a", b" b ", b"\xc3\xa9", b"\xe2\x82", b"\xff", b"\0"])).map(b"".join)


@st.composite
def pieces(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Bytes, and the same bytes cut into pieces."""
    data = draw(BYTES)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)))))
    return data, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def normalised(parts: list[bytes]) -> bytes:
    normaliser = NewlineNormaliser()
    return b"".join([*map(normaliser.feed, parts), normaliser.end()])


def split(parts: list[bytes]) -> list[str]:
    splitter = LineSplitter()
    return [*(line for part in parts for line in splitter.feed(part)), *splitter.end()]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"one", b"one\n"),
        (b"one\n", b"one\n"),
        (b"\n", b"\n"),
        (b"a\r\nb\r\r\nc\rd", b"a\nb\r\nc\rd\n"),
        (b"a\n\n  b \n\n", b"a\n\n  b \n\n"),
        (b"end\r", b"end\r\n"),
        (b"\r", b"\r\n"),
    ],
)
def test_newlines(data: bytes, expected: bytes) -> None:
    assert normalised([data]) == expected


@given(pieces())
def test_newlines_do_not_depend_on_the_pieces(case: tuple[bytes, list[bytes]]) -> None:
    data, parts = case
    assert normalised(parts) == normalised([data])


@given(BYTES)
def test_normalised_text_stays_as_it_is_and_ends_its_last_line(data: bytes) -> None:
    once = normalised([data])
    assert once == b"" or once.endswith(b"\n")
    lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    assert once.rstrip(b"\r\n") == b"\n".join(lines).rstrip(b"\r\n")


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"  one  \n\n \t\ntwo\n three", ["one", "two", "three"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"", []),
        (b" \n", []),
    ],
)
def test_lines(data: bytes, lines: list[str]) -> None:
    assert split([data]) == lines


def test_ws_07_15_invalid_utf8_is_replaced() -> None:
    assert split([b"b\xffd\ncaf\xc3\xa9 caf\xe9\n"]) == ["b\ufffdd", "café caf\ufffd"]


@given(pieces())
def test_lines_do_not_depend_on_the_pieces(case: tuple[bytes, list[bytes]]) -> None:
    data, parts = case
    assert (
        split(parts)
        == split([data])
        == [line.strip() for line in data.decode(errors="replace").split("\n") if line.strip()]
    )


def test_ws_07_17_an_endless_line_is_cut_off_and_says_so() -> None:
    assert split([b"x" * 1000] * 1000 + [b"\nnext\n"]) == [
        "x" * LINE_KEPT + f" [... {1_000_000 - LINE_KEPT} more bytes]",
        "next",
    ]


def captured(lines: list[str]) -> list[str]:
    capture = CapturedLines()
    for line in lines:
        capture.append(line)
    return capture.lines()


def test_few_lines_are_all_kept() -> None:
    lines = [str(number) for number in range(30_000)]
    assert captured(lines) == lines


def test_ws_07_17_of_too_many_lines_the_first_and_the_last_are_kept() -> None:
    lines = [f"line {number:09}" for number in range(500_000)]
    kept = captured(lines)
    note = next(i for i, line in enumerate(kept) if line.startswith("[vizier: "))
    head, tail = kept[:note], kept[note + 1 :]
    dropped = lines[len(head) : len(lines) - len(tail)]
    assert lines == head + dropped + tail
    assert kept[note] == f"[vizier: {len(dropped)} lines of {15 * len(dropped)} characters are left out here]"
    assert LINES_KEPT - 100 < sum(len(line) + 1 for line in head + tail) <= LINES_KEPT
    assert abs(len(head) - len(tail)) <= 1


@given(st.lists(st.integers(0, LINES_KEPT // 4).map(lambda n: "x" * n), max_size=20))
def test_ws_07_17_what_is_kept_is_bounded(lines: list[str]) -> None:
    kept = captured(lines)
    noted = [line for line in kept if line.startswith("[vizier: ")]
    assert sum(len(line) + 1 for line in kept) <= LINES_KEPT + 100
    assert len(noted) <= 1
    assert noted or kept == lines
    assert kept[-1:] == lines[-1:]


@pytest.fixture
def transcript(tmp_path: Path) -> Iterator[Transcript]:
    transcript = Transcript(tmp_path)
    yield transcript
    transcript.close()
    assert list(tmp_path.iterdir()) == []


def whole(transcript: Transcript) -> str:
    copied: list[str] = []
    transcript.copy_to(copied.append)
    return "".join(copied)


def test_a_short_transcript_is_all_there(transcript: Transcript) -> None:
    assert transcript.empty
    for piece in (b"caf\xc3", b"\xa9\n", b"b\xffd"):
        transcript.feed(piece)
    assert not transcript.empty
    assert (transcript.output().text, transcript.output().truncated_from) == ("café\nb\ufffdd", None)
    assert whole(transcript) == "café\nb\ufffdd"


def test_ws_07_17_of_a_long_transcript_head_and_tail_are_kept_and_all_can_be_copied(transcript: Transcript) -> None:
    text = "".join(f"{number:07}\n" for number in range(2 * KEPT // 8))
    for start in range(0, len(text), 100_003):
        transcript.feed(text[start : start + 100_003].encode())
    output = transcript.output()
    assert output.text == text[: KEPT // 2] + text[-KEPT // 2 :]
    assert output.truncated_from == len(text)
    assert whole(transcript) == text


@pytest.mark.parametrize("shift", range(4))
def test_the_cut_does_not_split_a_character(transcript: Transcript, shift: int) -> None:
    text = "x" * shift + "\U0001f600" * (KEPT // 3) + "end"
    data = text.encode()
    for start in range(0, len(data), 65_537):
        transcript.feed(data[start : start + 65_537])
    output = transcript.output()
    assert "\ufffd" not in output.text
    assert output.text.startswith("x" * shift + "\U0001f600")
    assert output.text.endswith("\U0001f600end")
    assert output.truncated_from == len(text)
    assert whole(transcript) == text


@given(pieces())
def test_a_transcript_does_not_depend_on_the_pieces(case: tuple[bytes, list[bytes]]) -> None:
    data, parts = case
    transcript = Transcript(Path(tempfile.gettempdir()))
    for part in parts:
        transcript.feed(part)
    assert transcript.output().text == whole(transcript) == data.decode(errors="replace")
