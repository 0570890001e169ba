"""Plan documents (spec 02 §13, 09 §4.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.plan_document import (
    PlanDocument,
    default_branch,
    plan_document_path,
    read_plan_document,
    write_plan_document,
)

FRONT = "---\nplan_id: pln_1\nplan: speed\nbranch: draft/speed\n---\n"
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30)
NAMES = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="-_./"), min_size=1, max_size=20)


def summary(body: str) -> str | None:
    return read_plan_document(f"{FRONT}\n{body}").summary


def test_the_layout() -> None:
    text = write_plan_document(
        plan_id="pln_1", slug="speed", branch="draft/speed", specification="Fast\nand small\r\n\n", plan="\n- one\n\n"
    )
    assert text == f"{FRONT}\n## Operator Spec\nFast\nand small\n\n## Implementation Plan\n- one\n"


def test_an_empty_plan_says_so() -> None:
    text = write_plan_document(plan_id="p", slug="s", branch="b", specification="", plan=" \n")
    assert text.endswith("## Operator Spec\n\n\n## Implementation Plan\n(plan generation returned empty content)\n")


@given(
    plan_id=NAMES,
    slug=NAMES,
    branch=NAMES,
    specification=st.lists(LINES).map("\n".join),
    plan=st.lists(LINES).map("\n".join),
)
def test_what_was_written_is_read(plan_id: str, slug: str, branch: str, specification: str, plan: str) -> None:
    text = write_plan_document(plan_id=plan_id, slug=slug, branch=branch, specification=specification, plan=plan)
    read = read_plan_document(text)
    assert (read.plan_id, read.slug, read.branch) == (plan_id, slug, branch)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends(end: str) -> None:
    text = f"{FRONT}\n## Operator Spec\nFast\n".replace("\n", end)
    assert read_plan_document(text) == PlanDocument(plan_id="pln_1", slug="speed", branch="draft/speed", summary="Fast")


def test_keys_are_trimmed_and_the_later_one_wins() -> None:
    text = "---\n plan :  a \nnonsense\nother: x\nplan: b\nbranch:  topic/b \n---\n"
    assert read_plan_document(text) == PlanDocument(plan_id="pln_legacy_b", slug="b", branch="topic/b", summary=None)


def test_the_slug_may_come_from_the_branch() -> None:
    assert read_plan_document("---\nbranch: draft/x\n---\n").slug == "x"
    assert read_plan_document("---\nbranch: draft/draft/x\n---\n").slug == "draft/x"  # one prefix only (WS-09-09)


def test_the_branch_may_come_from_the_slug() -> None:
    assert read_plan_document("---\nplan: x\n---\n").branch == default_branch("x") == "draft/x"


@pytest.mark.parametrize(("slug", "plan_id"), [("My Plan!", "pln_legacy_my-plan"), ("???", "pln_legacy")])
def test_documents_without_an_id(slug: str, plan_id: str) -> None:
    assert read_plan_document(f"---\nplan: {slug}\n---\n").plan_id == plan_id


@pytest.mark.parametrize(
    "text", ["", "---", "---\n", "plan: a\n", "---\nplan: a\n", "---\nplan: a\n---", "--- \nplan: a\n---\n"]
)
def test_no_front_matter(text: str) -> None:
    with pytest.raises(ValueError, match="plan file missing front-matter header"):
        read_plan_document(text)


@pytest.mark.parametrize("keys", ["", "title: x\n", "branch: topic/x\n", "plan:\n", "plan:\nbranch: draft/\n"])
def test_ws_02_20_nothing_says_which_plan_it_is(keys: str) -> None:
    """An empty block is no crash."""
    with pytest.raises(ValueError, match="plan file missing `plan` in front-matter"):
        read_plan_document(f"---\n{keys}---\n")


def test_ws_02_20_mixed_line_ends_are_read_line_by_line() -> None:
    """A fence further down with another line end does not become the end of the front matter."""
    assert read_plan_document("---\r\nplan: a\r\n---\r\nbranch: b\n---\n").branch == "draft/a"


@pytest.mark.parametrize("value", ["draft/x\nplan_id: forged", "a\x1b[2J", "a\u2028b"])
def test_ws_02_20_values_cannot_break_out_of_their_line(value: str) -> None:
    with pytest.raises(ValueError, match="branch must be a single line"):
        write_plan_document(plan_id="p", slug="s", branch=value, specification="", plan="")


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("## Operator Spec\nFirst\nsecond\n", "First"),
        ("## Operator Spec\n\n\n   padded  \n", "padded"),
        ("## Operator Spec: inline\nnext\n", ": inline"),
        ("## Operator Spec\n\n## Implementation Plan\nSteps\n", None),
        ("## Operator Spec\n\n## Other\nSteps\n", None),
        ("Nothing\n", None),
        ("", None),
    ],
)
def test_summaries(body: str, line: str | None) -> None:
    assert summary(body) == line


def test_ws_09_10_only_a_whole_heading_starts_the_specification() -> None:
    assert summary("See ## Operator Spec below\n## Operator Specification\nno\n## Operator Spec\nyes\n") == "yes"


def test_ws_09_10_headings_of_the_specification_are_part_of_it() -> None:
    assert summary("## Operator Spec\n## Goal\nFast\n\n## Implementation Plan\nSteps\n") == "## Goal"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a" * 160, "a" * 160),
        ("a" * 161, "a" * 159 + "…"),
        ("é" * 80, "é" * 80),
        ("é" * 81, "é" * 81),
        ("é" * 160, "é" * 159 + "…"),
    ],
)
def test_long_summaries_are_cut(line: str, shown: str) -> None:
    assert summary(f"## Operator Spec\n{line}\n") == shown


def test_where_it_is() -> None:
    assert plan_document_path("speed") == ".vizier/implementation-plans/speed.md"
