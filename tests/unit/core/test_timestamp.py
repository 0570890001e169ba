"""Moments in time: accepted spellings, written forms, order (spec 02 §3.2)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.timestamp import Timestamp

BILLION = 1_000_000_000
FIRST = int(datetime(1, 1, 1, tzinfo=UTC).timestamp()) * BILLION
LAST = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * BILLION + BILLION - 1

moments = st.integers(FIRST, LAST).map(Timestamp)


@given(moments)
def test_what_is_written_is_read_back(moment: Timestamp) -> None:
    assert Timestamp.parse(moment.record_form()) == moment
    assert Timestamp.parse(moment.offset_form()) == moment


@given(moments, moments)
def test_moments_sort_as_numbers_and_their_texts_alike_to_the_second(one: Timestamp, other: Timestamp) -> None:
    texts = [Timestamp(moment // BILLION * BILLION).record_form() for moment in sorted((one, other))]
    assert texts == sorted(texts)


@given(moments)
def test_the_fraction_is_the_shortest_exact_one(moment: Timestamp) -> None:
    _, dot, fraction = moment.record_form().removesuffix("Z").partition(".")
    assert len(fraction) in {0, 3, 6, 9}
    assert bool(dot) is bool(fraction)
    assert not fraction.endswith("000")


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.sampled_from("Tt "),
    st.booleans(),
)
def test_any_offset_and_separator_is_read_as_the_standard_library_reads_them(
    local: datetime, minutes: int, separator: str, with_colon: bool
) -> None:
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{':' if with_colon else ''}{abs(minutes) % 60:02d}"
    text = f"{local:%Y-%m-%d}".rjust(10, "0") + separator + f"{local:%H:%M:%S.%f}" + offset
    expected = local.replace(tzinfo=UTC) - timedelta(minutes=minutes) - datetime(1970, 1, 1, tzinfo=UTC)
    assert Timestamp.parse(text) == expected // timedelta(microseconds=1) * 1000


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("2026-03-04T09:15:02Z", "2026-03-04T09:15:02Z"),
        ("2026-03-04t09:15:02z", "2026-03-04T09:15:02Z"),
        ("2026-03-04 09:15:02.5Z", "2026-03-04T09:15:02.500Z"),
        ("2026-03-04T10:15:02.104311+01:00", "2026-03-04T09:15:02.104311Z"),
        ("2026-03-03T23:45:02-09:30", "2026-03-04T09:15:02Z"),
        ("2026-03-04T09:15:02.123456789Z", "2026-03-04T09:15:02.123456789Z"),
        ("2026-03-04T09:15:02.000000001Z", "2026-03-04T09:15:02.000000001Z"),
        ("2026-03-04T09:15:02.1234567891Z", "2026-03-04T09:15:02.123456789Z"),
        ("2026-03-04T09:15:02.100000Z", "2026-03-04T09:15:02.100Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
    ],
)
def test_spellings(text: str, rewritten: str) -> None:
    assert Timestamp.parse(text).record_form() == rewritten


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-04",
        "2026-03-04T09:15Z",
        "2026-03-04T09:15:02",
        "2026-03-04T09:15:02.Z",
        "2026-03-04T09:15:02Z\n",
        " 2026-03-04T09:15:02Z",
        "2026-13-04T09:15:02Z",
        "2026-00-04T09:15:02Z",
        "2026-02-29T09:15:02Z",
        "2026-03-32T09:15:02Z",
        "2026-03-04T24:00:00Z",
        "2026-03-04T09:60:02Z",
        "2026-03-04T09:15:61Z",
        "0000-03-04T09:15:02Z",
        "٢٠٢٦-03-04T09:15:02Z",
        1772615702,
        None,
    ],
)
def test_what_is_no_time_is_refused_with_its_text(text: object) -> None:
    with pytest.raises(ValueError, match=r"moment|expected a time") as raised:
        Timestamp.parse(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize("offset", ["+24:00", "-00:60", "+99:99"])
def test_an_offset_that_no_zone_can_have_is_refused(offset: str) -> None:
    with pytest.raises(ValueError, match="moment"):
        Timestamp.parse(f"2026-03-04T09:15:02{offset}")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z"])
def test_a_moment_outside_of_what_can_be_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="moment"):
        Timestamp.parse(text)


def test_now_is_now_to_the_microsecond() -> None:
    before = time.time_ns() // 1000 * 1000
    now = Timestamp.now()
    assert before <= now <= time.time_ns()
    assert now % 1000 == 0


def test_forms() -> None:
    moment = Timestamp.parse("2026-03-04T09:15:02.104311Z")
    assert moment.offset_form() == "2026-03-04T09:15:02.104311+00:00"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC0", "2026-03-04T09:15:02.500+00:00"),
        ("IST-5:30", "2026-03-04T14:45:02.500+05:30"),
        ("NST3:30", "2026-03-04T05:45:02.500-03:30"),
    ],
)
def test_local_form_names_the_offset(zone: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert Timestamp.parse("2026-03-04T09:15:02.5Z").local_form() == text
    finally:
        monkeypatch.undo()
        time.tzset()
