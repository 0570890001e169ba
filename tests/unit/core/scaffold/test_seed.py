"""The starter files: the project uses them itself, and they keep to what the tables of spec 09 §3 fix."""

from pathlib import Path

import pytest

from vizier_core.scaffold.contract import SCAFFOLD, ScaffoldFile

CHECKOUT = Path(__file__).parents[4]
SHARED = [file for file in SCAFFOLD if file.path.endswith((".hcl", "_PROMPTS.md"))]


@pytest.mark.parametrize("file", SHARED, ids=lambda file: file.path)
def test_the_projects_own_copy_is_the_one_that_init_writes(file: ScaffoldFile) -> None:
    assert (CHECKOUT / file.path).read_bytes() == file.content


def test_prompts_resolve_to_names_that_their_flows_have() -> None:
    """Every placeholder of the prompts; what they stand for is tested with whole runs."""
    texts = {file.path.rpartition("/")[2]: file.content.decode() for file in SCAFFOLD if file.path.endswith(".md")}
    assert texts["APPROVE_PROMPTS.md"].count("{{") == texts["MERGE_PROMPTS.md"].count("{{") == 0
    assert texts["COMMIT_PROMPTS.md"].count("{{") == 1
    assert texts["DRAFT_PROMPTS.md"].count("{{") == 5
