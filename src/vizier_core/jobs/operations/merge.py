"""`git.integrate_plan_branch`: the work of a plan joins its target (spec 06 §§7.9-7.10)."""

import contextlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from vizier_core.errors import GitError, HeadMovedError, VizierError
from vizier_core.jobs.model import JobMetadata
from vizier_core.jobs.operations.names import branch_of, merge_slug, target_of, usable_checkout, workflow_slug
from vizier_core.jobs.operations.node import (
    Handler,
    NodeResult,
    RefusedResultError,
    RunningNode,
    blocked,
    failed,
    read_flag,
    succeeded,
    write_stderr,
)
from vizier_core.jobs.operations.sentinels import Sentinel
from vizier_core.timestamp import Timestamp
from vizier_core.vcs.branches import delete_at
from vizier_core.vcs.checkout import Checkout, branch_tip
from vizier_core.vcs.history import find_on_branch
from vizier_core.vcs.merge_state import merged_branch
from vizier_core.vcs.merging import (
    Conflicted,
    Merged,
    MergeRequest,
    ReadyMerge,
    commit_merge,
    finish_merge,
    is_merge_of,
    merged_tip,
    prepare_merge,
    remove_from_branch,
    switch_branch,
)
from vizier_core.vcs.turns import checkout_turn
from vizier_kernel.plan_document import plan_document_path

_NAME: Final = "git.integrate_plan_branch"
#: So often a merge is prepared again because somebody else commits to its target at the same time.
_ATTEMPTS: Final = 10


class _Merge(NamedTuple):
    """What the node's arguments ask for."""

    source: str
    #: None for whatever is checked out.
    target: str | None
    squash: bool
    delete_source: bool
    #: Names the plan document and the subject of the commit.
    slug: str
    subject: str


def integrate(running: RunningNode) -> NodeResult:
    """Merges a plan's branch, or finishes the merge that was stopped by conflicts and has been resolved since.

    Raises:
        GitError: git is missing or too old, or there is no working tree.
        InvalidIdError: there are conflicts, and the slug cannot name a file.
        OSError: the sentinel cannot be written.
    """
    merge = _requested(running)
    if merge is None:
        return failed(f"{_NAME} requires a source branch")
    checkout = usable_checkout(running)
    with checkout_turn(checkout):
        try:
            return _Integration(running, checkout, merge).run()
        except RefusedResultError as refusal:
            return failed(f"{_NAME} {refusal}")


def _requested(running: RunningNode) -> _Merge | None:
    source = branch_of(running, "branch", "source_branch", "plan_branch")
    if source is None:
        return None
    slug = merge_slug(running, source)
    return _Merge(
        source=source,
        target=target_of(running),
        squash=read_flag(running.node.args.get("squash")) is not False,
        delete_source=read_flag(running.node.args.get("delete_branch")) is True,
        slug=slug,
        subject=running.node.arg("message") or f"feat: merge plan {slug}",
    )


class _Integration:
    """One attempt at one merge, step by step."""

    def __init__(self, running: RunningNode, checkout: Checkout, merge: _Merge) -> None:
        self._running = running
        self._checkout = checkout
        self._merge = merge
        self._lines: list[str] = []

    def run(self) -> NodeResult:
        merge, checkout = self._merge, self._checkout
        waits = self._switch_to_target()
        if waits is not None:
            return waits
        if branch_tip(checkout.git, merge.source) is None:
            done = merged_tip(checkout, merge.source, self._running.creator)
            if done is not None:
                # Killed after the source was deleted, before anybody could know.
                return self._succeeded("merged source branch")
        if merge.source == checkout.branch:
            return self._succeeded("merged source branch")
        request = self._request(self._plan_document())
        if is_merge_of(checkout, merge.source) and not checkout.conflicts():
            return self._finish(request)
        return self._begin(request)

    def _switch_to_target(self) -> NodeResult | None:
        """Checks the target out; a result if that has to wait."""
        target = self._merge.target
        if target is None or target == self._checkout.branch:
            return None
        try:
            self._tell(switch_branch(self._checkout, target))
        except VizierError as error:
            problem = f"failed checkout `{target}`: {error}"
            waits = self._wait_for_other_merge(problem)
            if waits is None:
                raise RefusedResultError(problem) from None
            return waits
        return None

    def _plan_document(self) -> str | None:
        """The plan for the commit message; from here on the source does not have it any more."""
        merge, checkout = self._merge, self._checkout
        path = plan_document_path(merge.slug)
        try:
            found = find_on_branch(checkout.git, merge.source, path, onto="HEAD")
        except VizierError as error:
            raise RefusedResultError(f"could not load plan document: {error}") from None
        if found is not None and found.at_tip:
            message = f"chore: remove implementation plan doc {merge.slug}"
            try:
                self._tell(remove_from_branch(checkout, merge.source, path, message, self._running.creator))
            except VizierError as error:
                raise RefusedResultError(f"failed removing plan doc from source branch: {error}") from None
        return found.text.strip() if found else None

    def _request(self, document: str | None) -> MergeRequest:
        merge = self._merge
        return MergeRequest(
            branch=merge.source,
            squash=merge.squash,
            message=f"{merge.subject}\n\n{document}" if document else merge.subject,
            creator=self._running.creator,
        )

    def _finish(self, request: MergeRequest) -> NodeResult:
        try:
            done = finish_merge(self._checkout, request)
        except VizierError as error:
            kind = "finalize squash merge" if request.squash else "finalize merge"
            raise RefusedResultError(f"{kind} failed: {error}") from None
        return self._end(done, "finalized resolved merge")

    def _begin(self, request: MergeRequest) -> NodeResult:
        for _ in range(_ATTEMPTS - 1):
            # Somebody may commit in between; what was prepared is out of date then, and nothing has been changed.
            with contextlib.suppress(HeadMovedError):
                return self._attempt(request)
        try:
            return self._attempt(request)
        except HeadMovedError as error:
            raise RefusedResultError(f"failed: {error}") from None

    def _attempt(self, request: MergeRequest) -> NodeResult:
        """Merges into what is there now; HeadMovedError if that changes meanwhile."""
        try:
            prepared = prepare_merge(self._checkout, request)
        except HeadMovedError:
            raise
        except VizierError as error:
            waits = self._wait_for_other_merge(f"failed: {error}")
            if waits is None:
                raise RefusedResultError(f"failed: {error}") from None
            return waits
        if isinstance(prepared, Conflicted):
            return self._stop(prepared)
        done = self._commit(prepared, request) if isinstance(prepared, ReadyMerge) else prepared
        return self._end(done, "merged source branch")

    def _commit(self, ready: ReadyMerge, request: MergeRequest) -> Merged:
        try:
            return commit_merge(self._checkout, ready, request)
        except HeadMovedError:
            raise
        except VizierError as error:
            kind = "squash commit" if request.squash else "merge commit"
            raise RefusedResultError(f"{kind} failed: {error}") from None

    def _stop(self, done: Conflicted) -> NodeResult:
        """Leaves the merge to the conflict gate."""
        running = self._running
        sentinel = Sentinel(running.store.root, workflow_slug(running))
        content = {
            "created_at": Timestamp.now().offset_form(),
            "job_id": running.record.id,
            "node_id": running.node.node_id,
            "slug": sentinel.slug,
            "source_branch": self._merge.source,
            "target_branch": self._merge.target,
        }
        sentinel.write(content, running.store.file_mode)
        self._tell(done.lines)
        return blocked(
            f"{_NAME} detected merge conflicts",
            artifacts=(sentinel.artifact,),
            payload_refs=(running.relative(sentinel.path),),
            stderr_lines=tuple(self._lines),
        )

    def _wait_for_other_merge(self, problem: str) -> NodeResult | None:
        """Blocks while another merge of vizier's waits in this working tree; None if it is nothing of the kind."""
        merge_head = self._checkout.merge_head
        if merge_head is None:
            return None
        branch = merged_branch(self._checkout.git_directory, merge_head)
        if branch is None or branch == self._merge.source:
            return None
        self._tell([f"waiting until the merge of {branch}, which has stopped here, is finished or aborted"])
        return blocked(
            f"{_NAME} {problem}; the merge of {branch} comes first",
            metadata=JobMetadata(waits_for_merge=merge_head),
            stderr_lines=tuple(self._lines),
        )

    def _end(self, done: Merged, what: str) -> NodeResult:
        merge, checkout = self._merge, self._checkout
        self._tell(done.lines)
        with contextlib.suppress(OSError, VizierError):
            Sentinel(self._running.store.root, workflow_slug(self._running)).remove()
        if merge.delete_source and checkout.branch != merge.source:
            try:
                delete_at(checkout.git, merge.source, done.tip, f"branch: merged by {self._running.creator}")
                self._tell([f"deleted branch {merge.source} (was {done.tip})"])
            except GitError as error:
                self._tell([f"kept branch {merge.source}: {error}"])
        return self._succeeded(what)

    def _succeeded(self, what: str) -> NodeResult:
        return succeeded(f"{_NAME} {what}", stderr_lines=tuple(self._lines))

    def _tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._lines.append(line)
            write_stderr(f"{line}\n")


HANDLERS: Final[dict[str, Handler]] = {_NAME: integrate}
