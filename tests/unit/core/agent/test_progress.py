"""How progress is logged (spec 07 §6.5)."""

import pytest

from vizier_core.agent.progress import progress_line


@pytest.mark.parametrize("alias", ["save", "draft", "approve", "review", "merge"])
def test_some_aliases_are_named(alias: str) -> None:
    assert progress_line("codex", alias, "step") == f"[codex:{alias}] agent \u2014 step"


@pytest.mark.parametrize("alias", [None, "", "build", "develop", "Draft"])
def test_others_are_not(alias: str | None) -> None:
    assert progress_line("codex", alias, "step") == "[codex] agent \u2014 step"
