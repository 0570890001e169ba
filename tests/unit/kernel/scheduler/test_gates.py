"""The gates: what each says, and which one decides (spec 01 §§3.2-3.6)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.artifacts import Artifact
from vizier_kernel.scheduler import (
    Action,
    ApprovalFact,
    ApprovalState,
    Decision,
    Facts,
    JobFacts,
    JobStatus,
    Lock,
    MissingProducer,
    PinnedHeadFact,
    PreconditionFact,
    Satisfaction,
    WaitKind,
    WaitReason,
    evaluate_job,
)

from .worlds import EXCLUSIVE, ONE_OF_EACH_KIND, SHARED, decide, job, verdict, world

S = JobStatus
K = WaitKind

ACTIVE = (S.QUEUED, S.WAITING_ON_DEPS, S.WAITING_ON_APPROVAL, S.WAITING_ON_LOCKS, S.RUNNING)
BROKEN = (S.FAILED, S.CANCELLED, S.BLOCKED_BY_DEPENDENCY, S.BLOCKED_BY_APPROVAL)
TOKEN = Artifact.custom("stage_token", "t")
MISMATCH = PinnedHeadFact("main", matches=False)
DIRTY = PreconditionFact(Satisfaction.WAITING, "dirty")
UNSUPPORTED = PreconditionFact(Satisfaction.BLOCKED, "unsupported")
CLEAN = PreconditionFact(Satisfaction.SATISFIED)
PENDING = ApprovalFact(ApprovalState.PENDING)
LOCK = Lock("k", EXCLUSIVE)


def decision(candidate: JobFacts, **facts: Any) -> Decision:
    return decide(world(candidate, **facts))[candidate.job_id]


def outcome(candidate: JobFacts, **facts: Any) -> tuple[JobStatus, WaitKind | None, str | None]:
    return verdict(decision(candidate, **facts))


def waits(detail: str, kind: WaitKind = K.DEPENDENCIES) -> tuple[JobStatus, WaitKind, str]:
    return S.WAITING_ON_DEPS, kind, detail


def blocks(detail: str, kind: WaitKind = K.DEPENDENCIES) -> tuple[JobStatus, WaitKind, str]:
    return S.BLOCKED_BY_DEPENDENCY, kind, detail


STARTS = (S.RUNNING, None, None)


# Gate 1: predecessors


@pytest.mark.parametrize("status", ACTIVE)
def test_an_active_predecessor_is_waited_for(status: JobStatus) -> None:
    assert outcome(job(after=("a",)), others={"a": status}) == waits("waiting on job a")


@pytest.mark.parametrize("status", BROKEN)
def test_a_predecessor_that_ended_otherwise_blocks(status: JobStatus) -> None:
    expected = blocks(f"dependency failed for job a ({status.value})")
    assert outcome(job(after=("a",)), others={"a": status}) == expected


def test_a_predecessor_that_succeeded_is_passed() -> None:
    assert outcome(job(after=("a",)), others={"a": S.SUCCEEDED}) == STARTS


def test_every_status_is_either_waited_for_passed_or_blocking() -> None:
    assert {*ACTIVE, *BROKEN, S.SUCCEEDED} == set(JobStatus)


def test_a_predecessor_without_a_record_blocks() -> None:
    assert outcome(job(after=("a",))) == blocks("missing job dependency a")


def test_a_predecessor_whose_record_cannot_be_read_blocks_and_is_not_called_missing() -> None:
    expected = blocks("scheduler data error for job dependency a: bad")
    assert outcome(job(after=("a",)), unreadable={"a": "bad"}) == expected


def test_predecessors_are_looked_at_in_the_order_of_their_ids_not_in_stored_order() -> None:
    statuses = {"a": S.RUNNING, "b": S.RUNNING}
    assert outcome(job(after=("b", "a", "b")), others=statuses) == waits("waiting on job a")


def test_ws_01_21_a_waiting_predecessor_hides_that_a_later_one_has_failed() -> None:
    statuses = {"a": S.RUNNING, "b": S.FAILED}
    assert outcome(job(after=("b", "a")), others=statuses) == waits("waiting on job a")


def test_a_job_that_waits_for_itself_waits_for_ever() -> None:
    assert outcome(job("a", after=("a",))) == waits("waiting on job a")


# Gate 2: artifacts


@pytest.fixture(params=list(ONE_OF_EACH_KIND))
def label(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=list(MissingProducer))
def policy(request: pytest.FixtureRequest) -> MissingProducer:
    return request.param


def missing(label: str, producers: dict[str, JobStatus], policy: MissingProducer) -> Any:
    artifact = ONE_OF_EACH_KIND[label]
    candidate = job(dependencies=(artifact,), missing_producer=policy)
    made = {artifact: tuple(producers)} if producers else {}
    return outcome(candidate, others=producers, producers=made)


@pytest.mark.parametrize("status", ACTIVE)
def test_an_artifact_that_is_being_made_is_waited_for(label: str, status: JobStatus, policy: MissingProducer) -> None:
    assert missing(label, {"maker": status}, policy) == waits(f"waiting on {label}")


def test_an_artifact_that_its_successful_producer_did_not_make_is_missing(label: str, policy: MissingProducer) -> None:
    assert missing(label, {"maker": S.SUCCEEDED}, policy) == blocks(f"missing {label}")


@pytest.mark.parametrize("status", BROKEN)
def test_an_artifact_whose_producer_broke_blocks(label: str, status: JobStatus, policy: MissingProducer) -> None:
    assert missing(label, {"maker": status}, policy) == blocks(f"dependency failed for {label}")


def test_an_artifact_that_nobody_makes(label: str) -> None:
    assert missing(label, {}, MissingProducer.BLOCK) == blocks(f"missing {label}")
    assert missing(label, {}, MissingProducer.WAIT) == waits(f"awaiting producer for {label}")


def test_an_artifact_that_exists_is_enough_whatever_became_of_its_producers(label: str) -> None:
    artifact = ONE_OF_EACH_KIND[label]
    for status in JobStatus:
        facts = {"others": {"maker": status}, "producers": {artifact: ("maker",)}, "existing": frozenset({artifact})}
        assert outcome(job(dependencies=(artifact,)), **facts) == STARTS


@pytest.mark.parametrize(
    ("producers", "expected"),
    [
        ((S.SUCCEEDED, S.RUNNING), waits(f"waiting on {TOKEN.label}")),
        ((S.FAILED, S.QUEUED), waits(f"waiting on {TOKEN.label}")),
        ((S.FAILED, S.SUCCEEDED), blocks(f"missing {TOKEN.label}")),
        ((S.FAILED, S.CANCELLED), blocks(f"dependency failed for {TOKEN.label}")),
    ],
)
def test_active_producers_count_more_than_successful_ones_and_those_more_than_others(
    producers: tuple[JobStatus, ...], expected: object
) -> None:
    makers = {f"maker-{number}": status for number, status in enumerate(producers)}
    for order in (tuple(makers), tuple(reversed(makers))):
        assert outcome(job(dependencies=(TOKEN,)), others=makers, producers={TOKEN: order}) == expected


def test_artifacts_are_looked_at_in_stored_order() -> None:
    first, second = Artifact.custom("z", "z"), Artifact.custom("a", "a")
    assert outcome(job(dependencies=(first, second))) == blocks("missing custom:z:z")


def test_a_job_that_needs_what_only_it_makes_waits_for_itself() -> None:
    candidate = job("a", dependencies=(TOKEN,), missing_producer=MissingProducer.BLOCK)
    assert outcome(candidate, producers={TOKEN: ("a",)}) == waits(f"waiting on {TOKEN.label}")


# Gates 3 to 8


def test_a_pinned_head_that_moved_is_waited_for() -> None:
    assert outcome(job(pinned_head=MISMATCH)) == waits("pinned head mismatch on main", K.PINNED_HEAD)
    assert outcome(job(pinned_head=PinnedHeadFact("main", matches=True))) == STARTS


def test_preconditions() -> None:
    assert outcome(job(preconditions=(CLEAN, DIRTY, UNSUPPORTED))) == waits("dirty", K.PRECONDITIONS)
    assert outcome(job(preconditions=(UNSUPPORTED, DIRTY))) == blocks("unsupported", K.PRECONDITIONS)
    assert outcome(job(preconditions=(CLEAN, CLEAN))) == STARTS


def test_approval() -> None:
    def approved_as(state: ApprovalState, reason: str | None = None) -> object:
        return outcome(job(approval=ApprovalFact(state, reason)))

    assert approved_as(ApprovalState.PENDING) == (S.WAITING_ON_APPROVAL, K.APPROVAL, "awaiting human approval")
    assert approved_as(ApprovalState.APPROVED) == STARTS
    assert approved_as(ApprovalState.REJECTED) == (S.BLOCKED_BY_APPROVAL, K.APPROVAL, "approval rejected")
    assert approved_as(ApprovalState.REJECTED, "not today") == (S.BLOCKED_BY_APPROVAL, K.APPROVAL, "not today")
    assert approved_as(ApprovalState.REJECTED, "") == (S.BLOCKED_BY_APPROVAL, K.APPROVAL, "")


def test_locks() -> None:
    assert outcome(job(locks=(LOCK,)), held=[LOCK]) == (S.WAITING_ON_LOCKS, K.LOCKS, "waiting on locks")
    assert outcome(job(locks=(LOCK,)), held=[Lock("other", EXCLUSIVE)]) == STARTS


def test_a_job_without_child_args_fails_and_has_not_waited_for_anything() -> None:
    failed = decision(job(has_child_args=False, waited_on=(K.LOCKS,)))
    assert failed.action is Action.FAIL_MISSING_CHILD_ARGS
    assert verdict(failed) == (S.FAILED, K.DEPENDENCIES, "missing child args")
    assert failed.waited_on == (K.LOCKS,)


def test_a_start_has_no_reason_and_keeps_what_was_waited_on() -> None:
    expected = Decision("job", Action.START, S.RUNNING, None, (K.APPROVAL, K.LOCKS))
    assert decision(job(waited_on=(K.APPROVAL, K.LOCKS))) == expected


def test_a_second_kind_of_waiting_is_added_to_the_first() -> None:
    stopped = decision(job(waited_on=(K.DEPENDENCIES,), locks=(LOCK,)), held=[LOCK])
    assert stopped.waited_on == (K.DEPENDENCIES, K.LOCKS)


# Which gate decides: the pairs of spec 01 §3.6, then every combination


@pytest.mark.parametrize(
    ("candidate", "kind"),
    [
        (job(after=("running",), dependencies=(TOKEN,)), K.DEPENDENCIES),
        (job(dependencies=(TOKEN,), pinned_head=MISMATCH), K.DEPENDENCIES),
        (job(pinned_head=MISMATCH, locks=(LOCK,)), K.PINNED_HEAD),
        (job(pinned_head=MISMATCH, approval=PENDING), K.PINNED_HEAD),
        (job(preconditions=(DIRTY,), approval=PENDING, locks=(LOCK,)), K.PRECONDITIONS),
        (job(approval=PENDING, locks=(LOCK,)), K.APPROVAL),
        (job(locks=(LOCK,), has_child_args=False), K.LOCKS),
    ],
)
def test_the_earlier_gate_decides(candidate: JobFacts, kind: WaitKind) -> None:
    facts = {
        "others": {"running": S.RUNNING, "f": S.FAILED, "s": S.SUCCEEDED},
        "producers": {TOKEN: ("f", "s")},
        "held": [Lock("k", SHARED)],
    }
    reason = decision(candidate, **facts).reason
    assert reason is not None
    assert reason.kind is kind


def test_a_waiting_predecessor_decides_before_an_artifact_that_is_lost() -> None:
    candidate = job(after=("running",), dependencies=(TOKEN,))
    statuses = {"running": S.RUNNING, "f": S.FAILED, "s": S.SUCCEEDED}
    assert outcome(candidate, others=statuses, producers={TOKEN: ("f", "s")}) == waits("waiting on job running")


#: For each gate in order: facts under which it does not pass, with what it then says.
CLOSED: list[list[tuple[dict[str, Any], tuple[JobStatus, WaitKind, str]]]] = [
    [
        ({"after": ("ghost",)}, blocks("missing job dependency ghost")),
        ({"after": ("garbled",)}, blocks("scheduler data error for job dependency garbled: bad")),
        ({"after": ("running",)}, waits("waiting on job running")),
        ({"after": ("failed",)}, blocks("dependency failed for job failed (failed)")),
    ],
    [
        ({"dependencies": (Artifact.custom("by", "running"),)}, waits("waiting on custom:by:running")),
        ({"dependencies": (Artifact.custom("by", "failed"),)}, blocks("dependency failed for custom:by:failed")),
        ({"dependencies": (Artifact.custom("by", "nobody"),)}, blocks("missing custom:by:nobody")),
    ],
    [({"pinned_head": MISMATCH}, waits("pinned head mismatch on main", K.PINNED_HEAD))],
    [
        ({"preconditions": (DIRTY,)}, waits("dirty", K.PRECONDITIONS)),
        ({"preconditions": (UNSUPPORTED,)}, blocks("unsupported", K.PRECONDITIONS)),
    ],
    [
        ({"approval": PENDING}, (S.WAITING_ON_APPROVAL, K.APPROVAL, "awaiting human approval")),
        (
            {"approval": ApprovalFact(ApprovalState.REJECTED)},
            (S.BLOCKED_BY_APPROVAL, K.APPROVAL, "approval rejected"),
        ),
    ],
    [({"locks": (LOCK,)}, (S.WAITING_ON_LOCKS, K.LOCKS, "waiting on locks"))],
    [({"has_child_args": False}, (S.FAILED, K.DEPENDENCIES, "missing child args"))],
]
#: The same for gates that pass although there is something to check.
OPEN: list[list[dict[str, Any]]] = [
    [{}, {"after": ("succeeded",)}],
    [{}, {"dependencies": (Artifact.custom("by", "existing"),)}],
    [{}, {"pinned_head": PinnedHeadFact("main", matches=True)}],
    [{}, {"preconditions": (CLEAN,)}],
    [{}, {"approval": ApprovalFact(ApprovalState.APPROVED)}],
    [{}, {"locks": (Lock("free", EXCLUSIVE),)}],
    [{}],
]


@given(st.data())
def test_the_first_gate_that_does_not_pass_decides_whatever_else_holds(data: st.DataObject) -> None:
    candidate: dict[str, Any] = {}
    expected: tuple[JobStatus, WaitKind | None, str | None] | None = None
    for gate, (closed, opened) in enumerate(zip(CLOSED, OPEN, strict=True), 1):
        if data.draw(st.booleans(), label=f"gate {gate} passes"):
            candidate |= data.draw(st.sampled_from(opened))
            continue
        facts, said = data.draw(st.sampled_from(closed))
        candidate |= facts
        expected = expected or said
    others = {"running": S.RUNNING, "failed": S.FAILED, "succeeded": S.SUCCEEDED}
    producers = {Artifact.custom("by", name): (name,) for name in ("running", "failed")}
    facts = {
        "others": others,
        "unreadable": {"garbled": "bad"},
        "producers": producers,
        "existing": frozenset({Artifact.custom("by", "existing")}),
        "held": [LOCK],
    }
    assert outcome(job(**candidate), **facts) == (expected or STARTS)


# Which jobs are decided at all


@pytest.mark.parametrize("status", [s for s in JobStatus if s.is_terminal or s is S.RUNNING])
def test_terminal_and_running_jobs_are_not_decided(status: JobStatus) -> None:
    assert decide(world(job(status=status, after=("ghost",)))) == {}


@pytest.mark.parametrize("status", [s for s in ACTIVE if s is not S.RUNNING])
def test_every_other_job_is(status: JobStatus) -> None:
    assert outcome(job(status=status)) == STARTS


def test_a_job_alone_does_not_take_its_locks_from_anybody() -> None:
    candidate = job(locks=(LOCK,))
    facts = world(candidate)
    assert [evaluate_job(candidate, facts).action for _ in range(2)] == [Action.START, Action.START]
    assert facts == world(candidate)


def test_no_jobs_no_decisions() -> None:
    assert decide(Facts(jobs=(), statuses={})) == {}


def test_a_decision_says_all_that_has_to_be_written() -> None:
    reason = WaitReason(K.DEPENDENCIES, "missing job dependency ghost")
    expected = Decision("job", Action.UPDATE_STATUS, S.BLOCKED_BY_DEPENDENCY, reason, (K.DEPENDENCIES,))
    assert decision(job(after=("ghost",))) == expected
