"""Brings a repository into shape (spec 09 §2.1)."""

import os
import stat
from pathlib import Path

from vizier_core.files import atomic_write
from vizier_core.scaffold.contract import GITIGNORE, SCAFFOLD, ScaffoldFile, missing_items, read_ignore_rules
from vizier_core.scaffold.failure import InitError, doing
from vizier_core.scaffold.gitignore import evaluate, rewritten


def initialise(root: Path) -> bool:
    """Creates what is missing and leaves everything else as it is.

    Returns:
        Whether anything was missing.

    Raises:
        InitError: something could not be read or written.
    """
    missing = missing_items(root)
    _make_directory(root / ".vizier" / "narrative")
    for file in SCAFFOLD:
        _create(root, file)
    _write_ignore_rules(root / GITIGNORE, read_ignore_rules(root))
    if missing_items(root):
        raise InitError("vizier init failed to satisfy initialization contract")
    return bool(missing)


def _create(root: Path, file: ScaffoldFile) -> None:
    path = root / file.path
    if path.is_file():
        return
    if os.path.lexists(path):
        raise InitError(f"failed to create required file {path}: path exists and is not a file")
    _make_directory(path.parent)
    with doing("write file", path):
        atomic_write(path, file.content, mode=file.mode, durable=True)


def _make_directory(path: Path) -> None:
    with doing("create directory", path):
        path.mkdir(parents=True, exist_ok=True)


def _write_ignore_rules(path: Path, text: bytes) -> None:
    if not evaluate(text):
        return
    # What takes the place of a file that may not be written would be written all the same: ask first.
    target = path.resolve()
    mode = None
    with doing("write file", path):
        if target.exists():
            with open(target, "r+b"):
                mode = stat.S_IMODE(target.stat().st_mode)
        atomic_write(target, rewritten(text), mode=mode, durable=True)
