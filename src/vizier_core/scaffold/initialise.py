"""Brings a repository into shape (spec 09 §2.1)."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from vizier_core.files import atomic_write
from vizier_core.scaffold.contract import GITIGNORE, SCAFFOLD, ScaffoldFile, missing_items, read_ignore_rules
from vizier_core.scaffold.failure import InitError, doing
from vizier_core.scaffold.gitignore import evaluate, rewritten


def initialise(root: Path, progress: Callable[[str], None] = lambda line: None) -> bool:
    """Creates what is missing and leaves everything else as it is.

    Args:
        root: the project root.
        progress: told what is created; nobody is if omitted.

    Returns:
        Whether anything was missing.

    Raises:
        InitError: something could not be read or written.
    """
    missing = missing_items(root)
    _make_directory(root / ".vizier" / "narrative")
    for file in SCAFFOLD:
        if _create(root, file):
            progress(f"created {file.path}")
    if _write_ignore_rules(root / GITIGNORE, read_ignore_rules(root)):
        progress(f"updated {GITIGNORE}")
    if missing_items(root):
        raise InitError("vizier init failed to satisfy initialization contract")
    return bool(missing)


def _create(root: Path, file: ScaffoldFile) -> bool:
    """Writes a file unless it is there; whether it was not."""
    path = root / file.path
    if path.is_file():
        return False
    if os.path.lexists(path):
        raise InitError(f"failed to create required file {path}: path exists and is not a file")
    _make_directory(path.parent)
    with doing("write file", path):
        atomic_write(path, file.content, mode=file.mode, durable=True)
    return True


def _make_directory(path: Path) -> None:
    with doing("create directory", path):
        path.mkdir(parents=True, exist_ok=True)


def _write_ignore_rules(path: Path, text: bytes) -> bool:
    """Brings the rules into shape; whether they were not."""
    if not evaluate(text):
        return False
    # What takes the place of a file that may not be written would be written all the same: ask first.
    target = path.resolve()
    mode = None
    with doing("write file", path):
        if target.exists():
            with open(target, "r+b"):
                mode = stat.S_IMODE(target.stat().st_mode)
        atomic_write(target, rewritten(text), mode=mode, durable=True)
    return True
