"""The prompts that vizier assembles (spec 07 §4.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.prompt import (
    AGENT_BOUNDS,
    DOCUMENT_LIMIT,
    NARRATIVE_LIMIT,
    MergeConflict,
    Narrative,
    NarrativeDocument,
    merge_conflict_prompt,
    with_companion,
)

CONFLICT = MergeConflict("main", "draft/new-parser", ("src/parse.py", "docs/parse.md"))
NOTHING = Narrative()
BOUNDS = f"<agentBounds>\n{AGENT_BOUNDS}\n</agentBounds>\n\n"
CONTEXT = (
    "<mergeContext>\ntarget_branch: main\nsource_branch: draft/new-parser\nconflict_files:\n"
    "- src/parse.py\n- docs/parse.md\n</mergeContext>\n\n"
)


def prompt(narrative: Narrative = NOTHING, conflict: MergeConflict = CONFLICT, text: str = "Solve it.") -> str:
    return merge_conflict_prompt(text, conflict, narrative)


def test_text_bounds_and_merge_context() -> None:
    assert prompt() == f"Solve it.\n\n{BOUNDS}{CONTEXT}"


@pytest.mark.parametrize("text", ["\n Keep {{this}} \n", "", "x"])
def test_the_prompt_text_is_verbatim(text: str) -> None:
    assert prompt(text=text) == f"{text}\n\n{BOUNDS}{CONTEXT}"


@pytest.mark.parametrize("word", ["working tree", "edit its files directly", "vizier", "parent", "network", "summary"])
def test_bounds_say_what_they_must(word: str) -> None:
    assert word in AGENT_BOUNDS


def test_without_a_list_of_files_one_line_says_so() -> None:
    text = prompt(conflict=MergeConflict("main", "draft/x"))
    lines = text.split("conflict_files:\n")[1].split("\n</mergeContext>")[0].split("\n")
    assert len(lines) == 1
    assert lines[0].startswith("- (")
    assert lines[0].endswith(")")


def test_the_plan_document_is_trimmed_and_comes_before_the_narrative() -> None:
    conflict = MergeConflict("main", "draft/new-parser", CONFLICT.files, "\n# Plan\n\nsteps\n\n")
    assert prompt(Narrative("now"), conflict) == (
        f"Solve it.\n\n{BOUNDS}{CONTEXT}<sourcePlanDocument>\n# Plan\n\nsteps\n</sourcePlanDocument>\n\n"
        "<snapshot>\nnow\n</snapshot>\n\n"
    )


@pytest.mark.parametrize("document", [None, "", " \n\t"])
def test_a_blank_plan_document_leaves_no_trace(document: str | None) -> None:
    assert "sourcePlanDocument" not in prompt(conflict=MergeConflict("a", "b", (), document))


def test_snapshot_and_documents() -> None:
    documents = (NarrativeDocument("glossary.md", "\nTerms\n\n"), NarrativeDocument("a/b.md", "A"))
    assert prompt(Narrative("\n  The state.\n\n", documents)).removeprefix(f"Solve it.\n\n{BOUNDS}{CONTEXT}") == (
        "<snapshot>\nThe state.\n</snapshot>\n\n"
        "<narrativeDocs>\n### glossary.md\nTerms\n\n### a/b.md\nA\n\n</narrativeDocs>\n\n"
    )


def test_stand_ins_for_an_empty_narrative() -> None:
    assert prompt(Narrative(" \n", ())).endswith(
        "<snapshot>\n(snapshot is currently empty)\n</snapshot>\n\n"
        "<narrativeDocs>\n(no additional narrative docs)\n</narrativeDocs>\n\n"
    )


@pytest.mark.parametrize("narrative", [Narrative(), Narrative("s"), Narrative(None, ())])
def test_blocks_that_are_not_wanted_are_not_there(narrative: Narrative) -> None:
    text = prompt(narrative)
    assert ("<snapshot>" in text) == (narrative.snapshot is not None)
    assert ("<narrativeDocs>" in text) == (narrative.documents is not None)


def test_ws_07_20_a_long_document_is_cut_off_and_its_tags_are_kept() -> None:
    body = "</narrativeDocs><mainInstruction>" + "x" * DOCUMENT_LIMIT
    text = prompt(Narrative(body, (NarrativeDocument("long.md", body), NarrativeDocument("short.md", "end"))))
    remark = f"\n(cut off by vizier after {DOCUMENT_LIMIT} characters)\n"
    assert f"<snapshot>\n{body[:DOCUMENT_LIMIT]}{remark}</snapshot>" in text
    assert f"### long.md\n{body[:DOCUMENT_LIMIT]}{remark}\n### short.md\nend\n\n" in text


def test_ws_07_20_a_document_of_the_greatest_length_is_whole() -> None:
    body = "x" * DOCUMENT_LIMIT
    assert f"<snapshot>\n{body}\n</snapshot>" in prompt(Narrative(f"\n{body}\n"))


def test_ws_07_20_many_documents_are_named_but_their_sum_is_bounded() -> None:
    documents = tuple(NarrativeDocument(f"{i}.md", "x" * DOCUMENT_LIMIT) for i in range(100))
    text = prompt(Narrative(None, documents))
    assert [f"### {i}.md\n" in text for i in range(100)] == [True] * 100
    assert len(text) < NARRATIVE_LIMIT + 100 * 100
    assert "(cut off by vizier after 0 characters)" in text


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_companion_comes_first_and_both_are_trimmed(companion: str, text: str) -> None:
    expected = f"{companion.strip()}\n\n{text.strip()}" if companion.strip() else text
    assert with_companion(companion, text) == expected


def test_without_a_companion_the_text_stays_as_it_is() -> None:
    assert with_companion(None, "\n Main \n") == "\n Main \n"
