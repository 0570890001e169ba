"""What has to be there for a repository to count as initialised (spec 09 §§2.2, 2.4)."""

import os
from pathlib import Path
from typing import Final, NamedTuple

from vizier_core.scaffold.failure import doing
from vizier_core.scaffold.gitignore import evaluate

#: Ignore rules are kept in this file and no other.
GITIGNORE: Final = ".gitignore"
_SEED: Final = Path(__file__).parent / "seed"


class ScaffoldFile(NamedTuple):
    """A starter file."""

    #: Relative to the project root.
    path: str
    #: Permission bits; None for what the umask gives.
    mode: int | None = None

    @property
    def content(self) -> bytes:
        """What it says at first."""
        return (_SEED / self.path.removeprefix(".vizier/")).read_bytes()


#: In the order in which they are created and reported.
SCAFFOLD: Final = (
    ScaffoldFile(".vizier/narrative/snapshot.md"),
    ScaffoldFile(".vizier/narrative/glossary.md"),
    ScaffoldFile(".vizier/config.toml"),
    ScaffoldFile(".vizier/develop.hcl"),
    ScaffoldFile(".vizier/workflows/draft.hcl"),
    ScaffoldFile(".vizier/workflows/approve.hcl"),
    ScaffoldFile(".vizier/workflows/merge.hcl"),
    ScaffoldFile(".vizier/workflows/commit.hcl"),
    ScaffoldFile(".vizier/prompts/DRAFT_PROMPTS.md"),
    ScaffoldFile(".vizier/prompts/APPROVE_PROMPTS.md"),
    ScaffoldFile(".vizier/prompts/MERGE_PROMPTS.md"),
    ScaffoldFile(".vizier/prompts/COMMIT_PROMPTS.md"),
    ScaffoldFile("ci.sh", 0o755),
)


def missing_items(root: Path) -> list[str]:
    """What keeps a project from being initialised, in the words of the report; empty if nothing does.

    Raises:
        InitError: the ignore rules cannot be read.
    """
    missing = [file.path for file in SCAFFOLD if not os.path.isfile(root / file.path)]
    return [*missing, *(f"{GITIGNORE}: {item}" for item in evaluate(read_ignore_rules(root)))]


def read_ignore_rules(root: Path) -> bytes:
    """The content of `.gitignore`; empty if there is none.

    Raises:
        InitError: it cannot be read.
    """
    path = root / GITIGNORE
    with doing("read file", path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""
