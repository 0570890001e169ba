"""`gate.conflict_resolution`: lets a run go on once nothing of its merge is in conflict any more (spec 06 §9.2)."""

from typing import Any, Final

from vizier_core.agent.mock import mock_is_on
from vizier_core.command import Output
from vizier_core.errors import OperationRefusedError, VizierError
from vizier_core.jobs.operations.conflict_agent import resolve_conflict
from vizier_core.jobs.operations.names import merge_slug, target_of, usable_checkout, workflow_slug
from vizier_core.jobs.operations.node import (
    Handler,
    NodeResult,
    RunningNode,
    blocked,
    failed,
    read_flag,
    succeeded,
    write_stderr,
)
from vizier_core.jobs.operations.sentinels import Sentinel, sentinel_of_branch
from vizier_core.usage import Usage
from vizier_core.vcs.checkout import Checkout, branch_tip
from vizier_core.vcs.history import find_on_branch
from vizier_core.vcs.markers import with_markers
from vizier_core.vcs.merging import is_merge_of
from vizier_core.vcs.staging import stage_exactly
from vizier_kernel.plan_document import default_branch, plan_document_path
from vizier_kernel.prompt import MergeConflict
from vizier_kernel.workflow import CustomGate

_GATE_ID: Final = "conflict_resolution"


def resolve_conflicts(running: RunningNode) -> NodeResult:
    """Resolves the conflicts of the merge that a sentinel tells of, if that is wanted and possible; never commits.

    Raises:
        GitError: git cannot tell about conflicts; that never means that there are none (WS-06-15).
        OperationRefusedError: what was resolved cannot be staged.
        OSError: the sentinel cannot be removed.
    """
    sentinel = _sentinel(running)
    if sentinel is None:
        return succeeded("conflict-resolution gate skipped (no merge sentinel)")
    gate = _Gate(running, sentinel)
    other = gate.other_merge()
    return gate.block(other) if other else gate.run()


def _sentinel(running: RunningNode) -> Sentinel | None:
    """The sentinel of the node's merge, by its own name or by the branch that is merged (WS-06-17)."""
    root = running.store.root
    slugs = [workflow_slug(running)]
    source = running.node.arg("branch", "source_branch", "plan_branch")
    if source is not None:
        slugs.append(merge_slug(running, source))
    found = next((sentinel for slug in slugs if (sentinel := Sentinel(root, slug)).exists), None)
    return found or (sentinel_of_branch(root, source) if source is not None else None)


class _Gate:
    """One attempt at the gate."""

    def __init__(self, running: RunningNode, sentinel: Sentinel) -> None:
        self._running = running
        self._sentinel = sentinel
        self._checkout: Checkout = usable_checkout(running)
        self._lines: list[str] = []
        self._stdout: Output | None = None
        self._usage: Usage | None = None

    def run(self) -> NodeResult:
        conflicts = self._checkout.conflicts()
        finalized = False
        if conflicts and _resolves_itself(self._running):
            script = self._running.node.arg("command", "script")
            if script is not None:
                code = self._run_script(script)
                if code != 0:
                    return failed(f"conflict auto-resolve script failed (exit {code})", code, **self._output())
                finalized = True
            else:
                finalized = self._ask_agent(conflicts)
            if finalized:
                self._stage(conflicts, trusting=script is None and mock_is_on())
                conflicts = self._checkout.conflicts()
        if conflicts:
            self._tell(
                f"edit and stage the files in conflict in {self._checkout.root}, "
                f"then `vizier jobs retry {self._running.record.id}`"
            )
            self._lines.append(f"remaining unmerged paths: {', '.join(conflicts)}")
            return self.block("unmerged index entries remain")
        self._sentinel.remove()
        middle = "index finalized, and" if finalized else "and"
        joint = "," if finalized else ""
        return succeeded(f"merge conflicts resolved{joint} {middle} sentinel cleared", **self._output())

    def other_merge(self) -> str | None:
        """Why the merge in progress is not the one that the sentinel tells of; None if it may be (WS-06-15)."""
        source = self._sentinel.branch("source_branch")
        checkout = self._checkout
        if source is None or checkout.merge_head is None or branch_tip(checkout.git, source) is None:
            return None
        return None if is_merge_of(checkout, source) else f"the merge in progress is not that of {source}"

    def block(self, why: str) -> NodeResult:
        slug = self._sentinel.slug
        return blocked(
            f"merge conflict resolution incomplete for slug `{slug}`: {why}",
            artifacts=(self._sentinel.artifact,),
            payload_refs=(self._running.relative(self._sentinel.path),),
            **self._output(),
        )

    def _output(self) -> dict[str, Any]:
        return {"stdout": self._stdout, "stderr_lines": tuple(self._lines), "usage": self._usage}

    def _run_script(self, script: str) -> int:
        done = self._running.run_shell(script)
        self._stdout = done.stdout
        self._lines += done.stderr.lines()
        return done.exit_code

    def _ask_agent(self, conflicts: list[str]) -> bool:
        """Whether an agent says that it has resolved them."""
        answer = resolve_conflict(self._running, self._conflict(conflicts))
        self._usage = answer.usage
        if answer.problem is not None:
            self._tell(answer.problem)
        return answer.problem is None

    def _conflict(self, conflicts: list[str]) -> MergeConflict:
        running, sentinel, checkout = self._running, self._sentinel, self._checkout
        source = (
            sentinel.branch("source_branch")
            or running.node.arg("branch", "source_branch")
            or (running.record.meta.branch or "").strip()
            or default_branch(sentinel.slug)
        )
        target = sentinel.branch("target_branch") or target_of(running) or checkout.branch or "main"
        document = None
        try:
            path = plan_document_path(merge_slug(running, source))
            found = find_on_branch(checkout.git, source, path, onto="HEAD")
            document = found.text if found else None
        except VizierError as error:
            self._tell(f"merge-conflict source plan context unavailable: {error}")
        return MergeConflict(target_branch=target, source_branch=source, files=tuple(conflicts), plan_document=document)

    def _stage(self, conflicts: list[str], *, trusting: bool) -> None:
        """Stages exactly the files that were in conflict, but none with markers left in it (WS-06-14)."""
        git = self._checkout.git
        marked = [] if trusting else with_markers(git, conflicts)
        if marked:
            self._tell(f"conflict markers are left in {', '.join(marked)}")
        try:
            stage_exactly(git, [path for path in conflicts if path not in marked])
        except VizierError as error:
            raise OperationRefusedError(
                f"unable to finalize merge conflict index for slug `{self._sentinel.slug}`: {error}"
            ) from None

    def _tell(self, line: str) -> None:
        self._lines.append(line)
        write_stderr(f"{line}\n")


def _resolves_itself(running: RunningNode) -> bool:
    asked = read_flag(running.node.args.get("auto_resolve"))
    if asked is not None:
        return asked
    gates = (gate for gate in running.node.gates if isinstance(gate, CustomGate) and gate.id == _GATE_ID)
    flags = (read_flag(gate.args.get("auto_resolve")) for gate in gates)
    return next((flag for flag in flags if flag is not None), False)


HANDLERS: Final[dict[str, Handler]] = {"gate.conflict_resolution": resolve_conflicts}
