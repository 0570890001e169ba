"""Texts that prompts start from (spec 06 §8, 07 §§4.2-4.4)."""

from pathlib import Path

import pytest

from vizier_core.agent.errors import CompanionPromptError, PlaceholderFileError
from vizier_core.agent.prompts import companion_text, placeholder_files, prompt_text
from vizier_core.agent.settings import PromptOrigin, PromptText
from vizier_core.config.agents import PromptKind

FILES = {
    PromptKind.DOCUMENTATION: "DOCUMENTATION_PROMPT.md",
    PromptKind.COMMIT: "COMMIT_PROMPT.md",
    PromptKind.IMPLEMENTATION_PLAN: "IMPLEMENTATION_PLAN_PROMPT.md",
    PromptKind.REVIEW: "REVIEW_PROMPT.md",
    PromptKind.MERGE_CONFLICT: "MERGE_CONFLICT_PROMPT.md",
}
KIND = PromptKind.MERGE_CONFLICT


def put(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("kind", PromptKind)
def test_each_kind_has_a_file(tmp_path: Path, kind: PromptKind) -> None:
    path = put(tmp_path / ".vizier" / FILES[kind], f"text for {kind}")
    found = prompt_text(kind, None, tmp_path, tmp_path)
    assert found == PromptText(f"text for {kind}", PromptOrigin.REPO_FILE, path)


def test_the_configuration_beats_the_file(tmp_path: Path) -> None:
    put(tmp_path / ".vizier" / FILES[KIND], "from the file")
    configured = PromptText(" as it is\n", PromptOrigin.CONFIG)
    assert prompt_text(KIND, configured, tmp_path, tmp_path) == configured


@pytest.mark.parametrize("content", ["", "\n Keep {{this}}\r\n", "ünï"])
def test_the_file_is_verbatim_even_when_empty(tmp_path: Path, content: str) -> None:
    put(tmp_path / ".vizier" / FILES[KIND], content)
    assert prompt_text(KIND, None, tmp_path, tmp_path).text == content


def test_ws_07_19_the_file_of_the_execution_root_comes_first(tmp_path: Path) -> None:
    worktree = tmp_path / ".vizier/tmp-worktrees/x"
    put(tmp_path / ".vizier" / FILES[KIND], "project")
    put(worktree / ".vizier/other.md", "")
    assert prompt_text(KIND, None, worktree, tmp_path).text == "project"
    put(worktree / ".vizier" / FILES[KIND], "worktree")
    assert prompt_text(KIND, None, worktree, tmp_path).text == "worktree"


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".vizier" / FILES[KIND]).mkdir(parents=True)
    assert prompt_text(KIND, None, tmp_path, tmp_path).origin is PromptOrigin.DEFAULT


REQUIRED = {
    PromptKind.DOCUMENTATION: ["narrative/snapshot.md", "narrative/glossary.md", "Merge", "commit message"],
    PromptKind.COMMIT: ["`type: summary`", "50", "blank line", "72", "why"],
    PromptKind.IMPLEMENTATION_PLAN: [
        *("Overview", "Execution Plan", "Risks & Unknowns", "Testing & Verification", "Notes", "front matter"),
    ],
    PromptKind.REVIEW: ["Plan Alignment", "Tests & Build", "Snapshot Impacts", "Action Items", "hypothesis"],
    PromptKind.MERGE_CONFLICT: [
        *("draft branch", "target branch", "<mergeContext>", "both sides", "directly", "inside this repository"),
        *("<<<<<<<", "=======", ">>>>>>>", "history", "Never commit, stage", "summary"),
    ],
}


@pytest.mark.parametrize("kind", PromptKind)
def test_built_in_texts_say_what_they_must(tmp_path: Path, kind: PromptKind) -> None:
    text = prompt_text(kind, None, tmp_path, tmp_path).text
    assert [phrase for phrase in REQUIRED[kind] if phrase not in " ".join(text.split())] == []
    wrapped = text.startswith("<mainInstruction>\n") and text.endswith("\n</mainInstruction>")
    assert wrapped == (kind in {PromptKind.DOCUMENTATION, PromptKind.IMPLEMENTATION_PLAN, PromptKind.MERGE_CONFLICT})


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        (None, None, None),
        (" First \n", "extra.md", "First"),
        ("  ", " extra.md ", "Be {{careful}}"),
        (None, "extra.md", "Be {{careful}}"),
        (None, "  ", None),
        (None, "blank.md", None),
    ],
)
def test_companion(tmp_path: Path, text: str | None, file: str | None, expected: str | None) -> None:
    put(tmp_path / "extra.md", "\nBe {{careful}}\n\n")
    put(tmp_path / "blank.md", " \n")
    assert companion_text(text, file, tmp_path) == expected


@pytest.mark.parametrize(("name", "reason"), [("gone.md", "No such file"), ("bad.md", "not valid UTF-8 at byte 2")])
def test_a_companion_that_cannot_be_read_is_named(tmp_path: Path, name: str, reason: str) -> None:
    put(tmp_path / "bad.md", b"ab\xff")
    with pytest.raises(CompanionPromptError) as caught:
        companion_text(None, name, tmp_path)
    assert str(tmp_path / name) in str(caught.value)
    assert reason in str(caught.value)


def test_placeholder_files_are_verbatim(tmp_path: Path) -> None:
    read = placeholder_files(tmp_path / "root", ephemeral=False, notice=pytest.fail)
    put(tmp_path / "root/a.md", "one\r\n\n")
    outside = put(tmp_path / "b.md", "two")
    assert (read("a.md"), read(str(outside)), read("../b.md")) == ("one\r\n\n", "two", "two")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none/at/all.md", "No such file"), ("bad.md", "not valid UTF-8 at byte 0"), (".", "directory"), ("a\0b", "null")],
)
@pytest.mark.parametrize("ephemeral", [False, True])
def test_placeholder_files_that_cannot_be_read_are_named(
    tmp_path: Path, name: str, reason: str, ephemeral: bool
) -> None:
    put(tmp_path / "bad.md", b"\xff")
    read = placeholder_files(tmp_path, ephemeral=ephemeral, notice=pytest.fail)
    with pytest.raises(PlaceholderFileError, match="could not read placeholder file") as caught:
        read(name)
    assert str(tmp_path / name) in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", [".vizier/narrative/snapshot.md", "./.vizier/narrative/threads/x.md"])
def test_a_missing_narrative_document_is_na_in_an_ephemeral_run_only(tmp_path: Path, name: str) -> None:
    notices: list[str] = []
    assert placeholder_files(tmp_path, ephemeral=True, notice=notices.append)(name) == "N/A"
    assert "\n".join(notices) == (
        f"[workflow-node] info prompt.resolve missing narrative placeholder `{name}`; "
        "substituting N/A for ephemeral run"
    )
    with pytest.raises(PlaceholderFileError):
        placeholder_files(tmp_path, ephemeral=False, notice=pytest.fail)(name)


def test_a_narrative_document_that_is_there_is_read_in_an_ephemeral_run(tmp_path: Path) -> None:
    put(tmp_path / ".vizier/narrative/snapshot.md", "now")
    read = placeholder_files(tmp_path, ephemeral=True, notice=pytest.fail)
    assert read(".vizier/narrative/snapshot.md") == "now"
