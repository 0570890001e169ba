"""The plans whose branches are not merged yet (spec 09 §4.4)."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec

from vizier_core.errors import NoPrimaryBranchError, UnknownTargetError
from vizier_core.files import entries
from vizier_core.plan import PlanRecord, readable_plans
from vizier_core.vcs.git import Git
from vizier_core.vcs.objects import read_blobs
from vizier_core.vcs.primary import primary_branch
from vizier_kernel.plan_document import DRAFT_PREFIX, PlanDocument, plan_document_path, read_plan_document

_HEADS: Final = "refs/heads/"


class PendingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan whose branch has something that the target does not have."""

    plan_id: str
    slug: str
    branch: str
    summary: str


def pending_plans(
    root: Path,
    target: str | None,
    *,
    warn: Callable[[str], None],
    tell: Callable[[str], None],
) -> list[PendingPlan]:
    """The pending plans of a project, by slug.

    Each branch has one plan: what a record says about it wins over a document in the working tree, and that over the
    document on the branch itself (WS-09-09).

    Args:
        root: the project root.
        target: the branch that plans are compared with; None for the primary branch.
        warn: receives a line about each document that names another plan than its branch does.
        tell: receives a line about each record and document that cannot be read (WS-09-11).

    Raises:
        NoPrimaryBranchError: there is no branch to compare with.
        UnknownTargetError: the named target is no local branch.
        GitError: git cannot tell.
    """
    git = Git(root)
    repository = _Branches(git, target)
    found = _Found()
    records = [f.record for f in readable_plans(root, skipped=lambda error: tell(f"plan record skipped: {error}"))]
    # Of two that name the same branch or id the first slug wins, whatever the files are called.
    for record in sorted(records, key=lambda record: record.slug or record.plan_id):
        found.add(_of_record(record, repository))
    for path, document in _documents_in_tree(root, tell):
        if document.branch in repository.pending:
            found.add(_of_document(document, document.slug, document.branch))
        else:
            tell(f"plan document skipped: {path}: branch {document.branch} is not pending")
    for branch, document in repository.documents.items():
        slug = branch.removeprefix(DRAFT_PREFIX)
        if slug in found.slugs or branch in found.branches:
            continue
        if (document.slug, document.branch) != (slug, branch):
            warn(f"the plan document on {branch} names plan `{document.slug}` and branch `{document.branch}`")
        found.add(_of_document(document, slug, branch))
    return sorted(found.plans, key=lambda plan: plan.slug)


class _Branches:
    """The draft branches that the target does not contain, found in one pass over history (WS-09-08)."""

    def __init__(self, git: Git, target: str | None) -> None:
        self._git = git
        name = target if target is not None else primary_branch(git)
        if name is None:
            raise NoPrimaryBranchError
        if not name or git.run("show-ref", "--verify", "--quiet", _HEADS + name, accept=(0, 1)).returncode:
            raise UnknownTargetError(name)
        lines = git.text(
            "for-each-ref", f"--no-merged={_HEADS}{name}", "--format=%(refname)", f"{_HEADS}{DRAFT_PREFIX}"
        )
        #: Their names, ascending.
        self.pending = {line.removeprefix(_HEADS) for line in lines.split("\n") if line}

    @cached_property
    def documents(self) -> dict[str, PlanDocument]:
        """The usable plan documents at the tips of the pending branches, by branch."""
        places = {
            branch: (_HEADS + branch, plan_document_path(branch.removeprefix(DRAFT_PREFIX)))
            for branch in sorted(self.pending)
        }
        blobs = read_blobs(self._git, list(places.values()))
        found = {}
        for branch, place in places.items():
            try:
                found[branch] = read_plan_document(blobs[place].decode("utf-8"))
            except (KeyError, ValueError):
                continue  # a branch without a usable document is nobody's plan
        return found


class _Found:
    """The plans so far; a slug, an id and a branch each count once."""

    def __init__(self) -> None:
        self.plans: list[PendingPlan] = []
        self.slugs: set[str] = set()
        self.branches: set[str] = set()
        self._ids: set[str] = set()

    def add(self, plan: PendingPlan | None) -> None:
        if plan is None or plan.slug in self.slugs or plan.plan_id in self._ids or plan.branch in self.branches:
            return
        self.plans.append(plan)
        self.slugs.add(plan.slug)
        self._ids.add(plan.plan_id)
        self.branches.add(plan.branch)


def _of_record(record: PlanRecord, repository: _Branches) -> PendingPlan | None:
    if not record.plan_id.strip():
        return None
    branch = (record.branch or "").strip() or (record.work_ref or "").strip()
    slug = (record.slug or "").strip() or branch.removeprefix(DRAFT_PREFIX)
    if branch not in repository.pending or not slug:
        return None
    summary = record.summary
    if summary is None:
        document = repository.documents.get(branch)
        summary = _summary(document, slug) if document else f"Plan {slug} summary unavailable"
    return PendingPlan(plan_id=record.plan_id, slug=slug, branch=branch, summary=summary)


def _of_document(document: PlanDocument, slug: str, branch: str) -> PendingPlan:
    return PendingPlan(plan_id=document.plan_id, slug=slug, branch=branch, summary=_summary(document, slug))


def _summary(document: PlanDocument, slug: str) -> str:
    return document.summary or f"Plan {slug} lacks an operator spec summary"


def _documents_in_tree(root: Path, tell: Callable[[str], None]) -> Iterator[tuple[Path, PlanDocument]]:
    for path in _markdown_files(root / Path(plan_document_path("")).parent):
        try:
            yield path, read_plan_document(path.read_bytes().decode("utf-8"))
        except (OSError, ValueError) as error:
            tell(f"plan document skipped: {path}: {error}")


def _markdown_files(directory: Path) -> Iterable[Path]:
    return sorted(Path(entry.path) for entry in entries(directory) if entry.name.endswith(".md"))
