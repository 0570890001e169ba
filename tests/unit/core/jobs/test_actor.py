"""Who decides about approvals (spec 01 §2.7)."""

import pytest

from vizier_core.jobs.actor import approval_actor

VARIABLES = ["VIZIER_APPROVAL_ACTOR", "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "USER", "USERNAME"]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_nobody() -> None:
    assert approval_actor() == "unknown"


@pytest.mark.parametrize("number", range(len(VARIABLES)))
def test_the_first_variable_that_is_not_blank_decides(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    for place, name in enumerate(VARIABLES):
        monkeypatch.setenv(name, " \t" if place < number else f" {name} ")
    assert approval_actor() == VARIABLES[number]
