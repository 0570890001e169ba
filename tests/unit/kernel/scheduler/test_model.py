"""The words of the scheduler carry the labels of records and views (spec 01 §2)."""

from enum import StrEnum

import pytest

from vizier_kernel.scheduler import ApprovalState, JobStatus, LockMode, MissingProducer, WaitKind


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (
            JobStatus,
            (
                "queued waiting_on_deps waiting_on_approval waiting_on_locks running "
                "succeeded failed cancelled blocked_by_dependency blocked_by_approval"
            ),
        ),
        (WaitKind, "dependencies pinned_head preconditions approval locks"),
        (LockMode, "shared exclusive"),
        (MissingProducer, "block wait"),
        (ApprovalState, "pending approved rejected"),
    ],
)
def test_labels(words: type[StrEnum], labels: str) -> None:
    assert {word.value for word in words} == set(labels.split())


def test_the_first_five_statuses_are_active_the_others_terminal() -> None:
    active = [status.value for status in JobStatus if status.is_active]
    assert active == ["queued", "waiting_on_deps", "waiting_on_approval", "waiting_on_locks", "running"]
    assert all(status.is_terminal is not status.is_active for status in JobStatus)


def test_blocked_statuses() -> None:
    assert {s.value for s in JobStatus if s.is_blocked} == {"blocked_by_dependency", "blocked_by_approval"}
