"""Checks every file that the program leaves below `.vizier` against its schema, after every test that uses this.

A conftest takes it over with `from support.left_behind import valid_files`. Files that a test has written itself, as an
audit hook sees, are its own business; what scripts of its nodes or other programs write there it has to announce with
the mark `damages`.
"""

import json
import os
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import pytest

from support.schemas import problems

#: Which schema is about which file below `.vizier`; the first that matches.
_SCHEMAS: Final = (
    ("jobs/runs/*.json", "run-manifest"),
    ("jobs/artifacts/custom/*/*/*.json", "artifact-marker"),
    (f"jobs/artifacts/data/{b'operation_output'.hex()}/*/*.json", "operation-output"),
    ("jobs/artifacts/data/*/*/*.json", "artifact-payload"),
    ("jobs/*/job.json", "job"),
    ("jobs/*/outcome.json", "outcome"),
    ("state/plans/*.json", "plan-record"),
    ("tmp/merge-conflicts/*.json", "merge-sentinel"),
    ("sessions/*/session.json", "session"),
)
#: Files whose keys ascend at every depth.
_ASCENDING: Final = frozenset({"artifact-marker", "artifact-payload", "operation-output", "merge-sentinel"})

#: Files and directories below some `.vizier` that this process has made or changed.
_by_hand: set[str] = set()


@pytest.fixture(autouse=True)
def valid_files(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test after which an invalid file is found, once all its processes have been ended."""
    if "tmp_path" not in request.fixturenames or request.node.get_closest_marker("damages"):
        yield
        return
    base = request.getfixturevalue("tmp_path")
    yield
    found = list(invalid_files(base))
    _by_hand.clear()
    assert not found, "\n".join(found)


def invalid_files(base: Path) -> Iterator[str]:
    """What is wrong with the files that the program has left in repositories below a directory."""
    for directory, names, _ in os.walk(base):
        if ".git" in names:
            names.remove(".git")
        if ".vizier" in names:
            names.remove(".vizier")
            yield from _invalid_below(Path(directory, ".vizier"))


def _invalid_below(root: Path) -> Iterator[str]:
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            schema = _schema_of(path.relative_to(root))
            if schema and not path.is_symlink() and not _is_by_hand(path):
                yield from (f"{path}: {problem}" for problem in _invalid(path, schema))


def _schema_of(path: Path) -> str | None:
    for pattern, schema in _SCHEMAS:
        parts = pattern.split("/")
        if len(parts) == len(path.parts) and all(map(fnmatchcase, path.parts, parts)):
            return schema
    return None


def _invalid(path: Path, schema: str) -> list[str]:
    try:
        text = path.read_bytes().decode()
        document = json.loads(text)
    except (OSError, ValueError) as error:
        return [str(error)]
    expected = _ascending(document) if schema in _ASCENDING else document
    if text != json.dumps(expected, indent=2, ensure_ascii=False):
        return [f"not laid out as spec 02 §3.1 says:\n{text}"]
    return problems(schema, document)


def _ascending(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ascending(value[key]) for key in sorted(value)}
    return [_ascending(item) for item in value] if isinstance(value, list) else value


def _is_by_hand(path: Path) -> bool:
    return str(path) in _by_hand or any(str(parent) in _by_hand for parent in path.parents)


def _notice(event: str, args: tuple[Any, ...]) -> None:
    """Notes what this process does to files below `.vizier`."""
    if event == "open":
        path, mode, flags = args
        changes = not set("wax+").isdisjoint(mode) if isinstance(mode, str) else flags & (os.O_WRONLY | os.O_RDWR)
        changed = path if changes else None
    elif event in {"os.rename", "os.link", "os.symlink"}:
        changed = args[1]
    elif event == "os.truncate":
        changed = args[0]
    else:
        return
    if isinstance(changed, str | bytes | os.PathLike):
        name = os.fsdecode(changed)
        if "/.vizier/" in name:
            _by_hand.add(name)


sys.addaudithook(_notice)
