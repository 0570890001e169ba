"""The report line of shims (issue 7, usage)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.agent.report import PREFIX, ShimReport, parse_report
from vizier_core.usage import Usage


def report(value: object) -> ShimReport | None:
    return parse_report(PREFIX + json.dumps(value))


def test_every_figure() -> None:
    figures = {
        "input_tokens": 1200,
        "cached_input_tokens": 1000,
        "output_tokens": 80,
        "reasoning_output_tokens": 30,
        "total_tokens": 1300,
        "cost_usd": 0.0123,
    }
    assert report({"usage": figures}) == ShimReport(Usage(**figures))


def test_the_total_is_input_and_output_unless_told() -> None:
    assert report({"usage": {"input_tokens": 5, "output_tokens": 2}}) == ShimReport(
        Usage(input_tokens=5, output_tokens=2, total_tokens=7)
    )
    assert report({"usage": {"input_tokens": 5}}) == ShimReport(Usage(input_tokens=5))


@pytest.mark.parametrize("value", [-1, True, "5", None, 1.5, [], {}])
def test_figures_that_are_none_are_ignored(value: object) -> None:
    assert report({"usage": {"input_tokens": value, "output_tokens": 3.0}}) == ShimReport(Usage(output_tokens=3))


@pytest.mark.parametrize(
    "value", [{}, {"usage": 3}, {"usage": {}}, {"usage": {"more": 1}}, {"more": 1}, {"empty_reply": 1}]
)
def test_a_report_may_say_nothing(value: object) -> None:
    assert report(value) == ShimReport()


def test_an_empty_reply() -> None:
    assert report({"empty_reply": True}) == ShimReport(empty_reply=True)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "vizier-report:",
        "vizier-report: ",
        "vizier-report: nonsense",
        "vizier-report: [1]",
        "vizier-report: 3",
        'vizier-report: {"usage": {"input_tokens": Infinity}}',
        ' vizier-report: {"usage": {"input_tokens": 1}}',
        "vizier-report: " + "[" * 100_000,
        "usage: {}",
    ],
)
def test_other_lines_are_no_reports(line: str) -> None:
    assert parse_report(line) is None


@given(st.text() | st.text().map(PREFIX.__add__))
def test_any_line_is_a_report_or_not(line: str) -> None:
    assert parse_report(line) is None or line.startswith(PREFIX)
