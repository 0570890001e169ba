"""The rows and texts of `jobs schedule` (spec 03 §15)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from vizier_cli.cli.jobs_raw import wait_document
from vizier_cli.cli.jobs_view import locks_text
from vizier_cli.cli.output import printable, table
from vizier_core.jobs import Edge, JobRecord, Schedule
from vizier_kernel.artifacts import PLAN_KINDS, ArtifactKind

EMPTY = "Outcome: No scheduled jobs"
ORDERING = "created_at_then_job_id"
#: A tree with fewer lines is drawn in full: whoever reads it needs no references.
_MANY_LINES: Final = 5000


class Row(NamedTuple):
    """One line of the schedule."""

    order: int
    record: JobRecord

    @property
    def slug(self) -> str | None:
        """The plan that the job is about."""
        plan = (self.record.meta.plan or "").strip()
        if plan:
            return plan
        kinds = {*PLAN_KINDS, ArtifactKind.MERGE_SENTINEL}
        slugs = (a.first.strip() for a in sorted(self.record.scheduling.artifacts) if a.kind in kinds)
        return next((slug for slug in slugs if slug), None)

    @property
    def name(self) -> str:
        """What to call the job: its node, its alias, or what was typed."""
        meta = self.record.meta
        name = (meta.workflow_node_name or "").strip() or humanized(meta.workflow_node_id or "")
        if name:
            return name
        alias, plan, target = ((text or "").strip() for text in (meta.command_alias, meta.plan, meta.target))
        if alias and target:
            return "/".join(part for part in (alias, plan, target) if part)
        return alias or command_preview(self.record.command)

    @property
    def wait(self) -> str | None:
        """Why the job waits, as the summary shows it."""
        reason = self.record.scheduling.wait_reason
        if reason is None:
            return None
        return (reason.detail or "").strip() or reason.kind.value.replace("_", "")

    def document(self, *, raw: bool) -> dict[str, Any]:
        """The row as JSON; raw rows have a typed reason to wait."""
        record = self.record
        return {
            "order": self.order,
            "job_id": record.id,
            "slug": self.slug,
            "name": self.name,
            "command": list(record.command),
            "status": record.status.value,
            "wait": wait_document(record) if raw else self.wait,
            "created_at": record.created_at.offset_form(),
        }


def rows_of(schedule: Schedule) -> list[Row]:
    """The rows of a schedule, numbered from 1."""
    return [Row(order, record) for order, record in enumerate(schedule.records(), start=1)]


def humanized(node_id: str) -> str:
    """A node id as people read it: `stage_merge__run-tests` is `stage merge / run tests`."""
    parts = (" ".join(part.replace("-", "_").replace("_", " ").split()) for part in node_id.split("__"))
    return " / ".join(part for part in parts if part)


def command_preview(command: Sequence[str]) -> str:
    """The first words of a command line."""
    return " ".join(command[:3]) + (" ..." if len(command) > 3 else "") if command else "<command unavailable>"


def summary_table(rows: Sequence[Row]) -> str:
    """The rows as a table with a header."""
    header = ("#", "Slug", "Name", "Status", "Wait", "Job")
    cells = ((str(r.order), r.slug or "", r.name, r.record.status.value, r.wait or "", r.record.id) for r in rows)
    return table([header, *([printable(cell) for cell in line] for line in cells)])


def invocations(rows: Sequence[Row]) -> str:
    """The distinct command lines behind the rows; empty if there is none."""
    commands = dict.fromkeys(" ".join(row.record.command) for row in rows)
    listed = [f"- {printable(command)}" for command in commands if command.strip()]
    if not listed:
        return ""
    return "\n".join(["Invocation" if len(listed) == 1 else "Invocations", *listed])


def dag_text(schedule: Schedule, rows: Sequence[Row], depth: int) -> str:
    """Every row with the tree of what it waits for."""
    existing = schedule.existing(schedule.edges(depth))
    tree = _Tree(schedule, existing)
    blocks = ["\n".join([_job_line(row), *tree.lines(row.record.id, depth)]) for row in rows]
    return "Schedule (DAG, verbose)\n" + "\n\n".join(blocks)


def edge_documents(schedule: Schedule, depth: int) -> list[dict[str, Any]]:
    """The edges as JSON, the same in plain and raw form."""
    edges = schedule.edges(depth)
    existing = schedule.existing(edges)
    return [_edge_document(edge, existing) for edge in edges]


class _Tree:
    """Draws what jobs wait for."""

    def __init__(self, schedule: Schedule, existing: "set[Any]") -> None:
        self._graph = schedule.graph
        self._existing = existing
        self._number_of_lines = 0
        #: How deep the branches below a job were drawn at most.
        self._drawn: dict[str, int] = {}

    def lines(self, job_id: str, depth: int) -> Iterator[str]:
        """The tree below a job; of many lines, those that were drawn already are not drawn again (WS-03-32)."""
        if depth < 1:
            return
        self._is_drawn(job_id, depth)
        on_path = {job_id}
        branches = [(job_id, "", self._edges_of(job_id))]
        while branches:
            owner, prefix, edges = branches[-1]
            left = depth - len(branches)
            edge, is_last = next(edges, (None, False))
            if edge is None:
                branches.pop()
                on_path.discard(owner)
                continue
            target = edge.target if left > 0 and edge.target not in on_path else None
            remark = ""
            if target is not None and self._is_drawn(target, left):
                remark = " (see above)" if any(self._graph.direct_edges(target)) else ""
                target = None
            self._number_of_lines += 1
            yield printable(f"{prefix}{'`-- ' if is_last else '|-- '}{self._entry(edge)}{remark}")
            if target is not None:
                on_path.add(target)
                branches.append((target, prefix + ("    " if is_last else "|   "), self._edges_of(target)))

    def _edges_of(self, job_id: str) -> Iterator[tuple[Edge, bool]]:
        """What a job waits for, and whether it is the last of it."""
        edges = list(self._graph.direct_edges(job_id))
        return ((edge, place == len(edges)) for place, edge in enumerate(edges, start=1))

    def _is_drawn(self, job_id: str, depth: int) -> bool:
        """Whether drawing what is below a job would only repeat what stands above, in a text that is long already."""
        if self._number_of_lines >= _MANY_LINES and self._drawn.get(job_id, 0) >= depth:
            return True
        self._drawn[job_id] = max(depth, self._drawn.get(job_id, 0))
        return False

    def _entry(self, edge: Edge) -> str:
        if edge.target is None:
            label = edge.artifact.label if edge.artifact else ""
            return f"{label} -> [{'present' if edge.artifact in self._existing else 'missing'}]"
        head = self._graph.heads.get(edge.target)
        status = "missing" if head is None else head.status.value
        cause = "after:success" if edge.artifact is None else edge.artifact.label
        return f"{cause} -> {edge.target} {status}"


def _job_line(row: Row) -> str:
    record = row.record
    scheduling = record.scheduling
    parts = [record.id, record.status.value]
    if row.name != command_preview(record.command):
        parts.append(f"[{row.name}]")
    if scheduling.wait_reason is not None:
        detail = scheduling.wait_reason.detail
        parts.append(f"[wait: {'waiting' if detail is None else detail}]")
    if scheduling.locks:
        parts.append(f"[locks: {locks_text(record)}]")
    if scheduling.pinned_head is not None:
        parts.append(f"[pinned: {scheduling.pinned_head.branch}@{scheduling.pinned_head.oid}]")
    return printable(" ".join(parts))


def _edge_document(edge: Edge, existing: "set[Any]") -> dict[str, Any]:
    if edge.artifact is None:
        return {"from": edge.source, "to": edge.target, "after": {"policy": "success"}}
    label = edge.artifact.label
    if edge.target is not None:
        return {"from": edge.source, "to": edge.target, "artifact": label}
    state = "present" if edge.artifact in existing else "missing"
    return {"from": edge.source, "to": f"artifact:{label}", "artifact": label, "state": state}
