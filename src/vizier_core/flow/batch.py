"""Batches: one run for each markdown file of a directory (spec 08 §6.10)."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.flow.prepare import FlowError, GivenFlow, prepare_flow
from vizier_kernel.names import plan_slug
from vizier_kernel.template import CompiledWorkflow

_SUFFIX: Final = ".md"
_PLAIN: Final = "`--spec-dir` requires regular directories and markdown files"


class BatchItem(msgspec.Struct, frozen=True):
    """One file of a batch."""

    #: From 1.
    index: int
    #: Relative to the project root.
    spec_file: str
    slug: str

    @property
    def overrides(self) -> Mapping[str, str]:
        """The parameters that differ from item to item."""
        return {"spec_file": self.spec_file, "slug": self.slug, "branch": f"draft/{self.slug}"}


class Batch(msgspec.Struct, frozen=True):
    """What was found in a directory."""

    #: Relative to the project root, `.` for the root itself.
    directory: str
    #: In the order of the bytes of their paths; at least one.
    items: tuple[BatchItem, ...]


def find_batch(given: GivenFlow, root: Path, directory: str) -> Batch:
    """The markdown files in a directory and those below it.

    Args:
        given: the flow that is to be run for each.
        root: the project root.
        directory: as typed, relative to the project root.

    Raises:
        FlowError: the flow takes no spec file, or the inputs set what each item sets; the directory is none inside the
            project, or holds a link or no markdown file; names of files make no slugs, or equal ones.
    """
    _check_inputs(given)
    base = _directory(root, directory)
    shown = base.relative_to(root.resolve()).as_posix()
    prefix = "" if shown == "." else f"{shown}/"
    invalid = f"invalid --spec-dir `{directory}`"
    found = sorted(_entries(base, prefix, invalid), key=lambda item: os.fsencode(item[0]))
    link = next((name for name, entry in found if entry.is_symlink()), None)
    if link is not None:
        raise FlowError(f"{invalid}: symlink entry `{prefix}{link}` is unsupported; {_PLAIN}")
    names = [name for name, entry in found if Path(name).suffix.lower() == _SUFFIX and entry.is_file()]
    if not names:
        raise FlowError(f"{invalid}: no markdown spec files found")
    files: dict[str, str] = {}
    for name in names:
        spec_file = prefix + name
        slug = _slug(name, spec_file, invalid)
        if slug in files:
            raise FlowError(
                f"{invalid}: `{files[slug]}` and `{spec_file}` both make the slug `{slug}`; rename one of them"
            )
        files[slug] = spec_file
    items = [BatchItem(index, spec_file, slug) for index, (slug, spec_file) in enumerate(files.items(), start=1)]
    return Batch(shown, tuple(items))


def compile_batch(given: GivenFlow, root: Path, batch: Batch, run_ids: Sequence[str | None]) -> list[CompiledWorkflow]:
    """The workflows of all items, each complete with its own spec file.

    Args:
        given: the flow and the inputs that all items share.
        root: the project root.
        batch: the items.
        run_ids: of the runs to be enqueued, by item; None if nothing will be.

    Raises:
        FlowError: an item cannot be run; the message names it.
    """
    return [_compile(given, root, item, run_id) for item, run_id in zip(batch.items, run_ids, strict=True)]


def _compile(given: GivenFlow, root: Path, item: BatchItem, run_id: str | None) -> CompiledWorkflow:
    name = f"batch item #{item.index} `{item.spec_file}`"
    try:
        prepared = prepare_flow(given, root, item.overrides)
    except FlowError as error:
        raise FlowError(f"{name} failed queue-time preparation: {error}") from None
    try:
        return prepared.compile(run_id)
    except FlowError as error:
        raise FlowError(f"{name} failed validation: {error}") from None


def _check_inputs(given: GivenFlow) -> None:
    flow, overrides = given.flow, given.overrides
    if "spec_file" not in flow.inputs.params:
        raise FlowError(
            f"workflow `{flow.source.selector}` cannot be used with `--spec-dir`: it declares no parameter `spec_file`"
        )
    for name in ("spec_file", "slug"):
        if overrides.get(name, "").strip():
            raise FlowError(
                f"`--spec-dir` cannot be combined with an explicit `{name}`, because every batch item has its own"
            )
    if overrides.get("branch", "").strip():
        raise FlowError(
            "`--spec-dir` cannot be combined with explicit `branch` or `source` overrides "
            "because batch items must use distinct branches"
        )


def _directory(root: Path, directory: str) -> Path:
    candidate = root / directory
    try:
        base = candidate.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FlowError(f"invalid --spec-dir `{directory}`: {candidate}: {reason}") from None
    if not base.is_dir():
        raise FlowError(f"invalid --spec-dir `{directory}`: {base} is not a directory")
    if not base.is_relative_to(root.resolve()):
        raise FlowError(f"invalid --spec-dir `{directory}`: {base} is outside repository root {root.resolve()}")
    return base


def _entries(base: Path, prefix: str, invalid: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Everything below a directory, with its path relative to it; links are not followed.

    Raises:
        FlowError: a directory cannot be read.
    """
    pending = [""]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(base / directory) as found:
                children = list(found)
        except OSError as error:
            raise FlowError(f"{invalid}: cannot read `{prefix}{directory}`: {error.strerror or error}") from None
        for entry in children:
            name = f"{directory}{entry.name}"
            yield name, entry
            if entry.is_dir(follow_symlinks=False):
                pending.append(f"{name}/")


def _slug(name: str, spec_file: str, invalid: str) -> str:
    stem = str(Path(name).with_suffix("")).replace("/", "-")
    try:
        return plan_slug(stem)
    except ValueError as error:
        raise FlowError(f"{invalid}: `{spec_file}` makes no slug: {error}") from None
