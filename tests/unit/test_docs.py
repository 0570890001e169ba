"""What the developers' documentation names has to be there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
#: Where the paths in the pages start.
BASES = (ROOT, *(ROOT / "src").iterdir(), ROOT / "src")

_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_CODE_PATH = re.compile(r"`([\w.]+(?:/[\w.]+)*(?:/|\.py|\.sh|\.md|\.toml))`")
#: Files of users' projects, of which the pages speak as well.
_OF_USERS = (".vizier", ".gitignore", "config.toml")


def named_paths(page: Path) -> Iterator[str]:
    """Paths in backticks that have more than one part."""
    for path in _CODE_PATH.findall(page.read_text(encoding="utf-8")):
        if "/" in path and not path.startswith(_OF_USERS):
            yield path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "dev").rglob("*.md")), ids=lambda page: str(page.relative_to(ROOT))
)
def test_files_named_by_developers_pages_exist(page: Path) -> None:
    missing = [path for path in named_paths(page) if not any((base / path).exists() for base in BASES)]
    assert missing == []
