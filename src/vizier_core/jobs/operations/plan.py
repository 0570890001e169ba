"""`plan.persist`: a plan becomes a document, a record and a branch (spec 06 §7.5)."""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from vizier_core.errors import GitError, OperationRefusedError, VizierError
from vizier_core.files import atomic_write
from vizier_core.jobs.critical import enter_patiently
from vizier_core.jobs.model import JobMetadata
from vizier_core.jobs.operations.node import Handler, NodeResult, RefusedResultError, RunningNode, failed, succeeded
from vizier_core.jobs.operations.payloads import needed_artifacts
from vizier_core.jobs.published import latest_payload, payload_text
from vizier_core.plan import WORKFLOW_JOB, PlanRecord, plan_state_path, save_plan
from vizier_core.timestamp import Timestamp
from vizier_core.vcs.branches import ensure_branch
from vizier_kernel.artifacts import Artifact, ArtifactKind
from vizier_kernel.names import plan_slug, slug_from_spec
from vizier_kernel.plan_document import default_branch, plan_document_path, write_plan_document

#: Characters of the specification's first line that become the summary.
_SUMMARY: Final = 160
#: Permission bits of a document, before the umask; it will be committed.
_DOCUMENT_MODE: Final = 0o644


class _Specification(NamedTuple):
    """What the operator wants."""

    source: str
    text: str


class _PlanText(NamedTuple):
    """What an agent has planned, and where that is stored."""

    text: str
    ref: str


def persist_plan(running: RunningNode) -> NodeResult:
    """Stores a plan under its slug; nothing is committed.

    Raises:
        VizierError: a plan payload is missing, a file cannot be read, or an id cannot name a file.
        OSError: the record cannot be written.
    """
    try:
        specification = _specification(running)
        slug = _slug(running, specification.text)
        plan_id = running.node.arg("plan_id") or _own_id(running)
        plan_state_path(running.store.root, plan_id)
        branch = running.node.arg("branch") or (running.record.meta.branch or "").strip() or default_branch(slug)
        created = _ensure(running, branch)
        planned = _planned(running)
        body = running.node.arg("plan_body", "plan_text", "content")
        if body is None:
            body = planned.text if planned else specification.text
        document = write_plan_document(
            plan_id=plan_id, slug=slug, branch=branch, specification=specification.text, plan=body
        )
        path = _write(running, slug, document)
    except RefusedResultError as refusal:
        return failed(f"plan.persist {refusal}")
    record = _save(running, plan_id, slug, branch, specification)
    return succeeded(
        "plan persisted",
        artifacts=(
            Artifact(ArtifactKind.PLAN_BRANCH, slug, branch),
            Artifact(ArtifactKind.PLAN_DOC, slug, branch),
        ),
        payload_refs=(running.relative(path), running.relative(record), *([planned.ref] if planned else [])),
        metadata=JobMetadata(plan=slug, branch=branch, ephemeral_owned_branches=(branch,) if created else None),
    )


def _specification(running: RunningNode) -> _Specification:
    source = running.node.args.get("spec_source", "inline").strip().lower()
    text, file = running.node.arg("spec_text"), running.node.arg("spec_file")
    if source == "file":
        if file is None:
            raise RefusedResultError("has spec_source=file but no spec_file")
        return _Specification(source, _read(running, file))
    if source not in {"inline", "stdin"}:
        raise RefusedResultError(f"has unsupported spec_source `{source}`")
    if text is None and file is None:
        raise RefusedResultError("requires spec_text or spec_file")
    return _Specification(source, text if text is not None else _read(running, file or ""))


def _read(running: RunningNode, file: str) -> str:
    """A specification file; an error names it (WS-06-36)."""
    path = running.execution_root / file
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"not valid UTF-8 at byte {error.start}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise OperationRefusedError(f"plan.persist could not read spec_file {path}: {reason}")


def _slug(running: RunningNode, specification: str) -> str:
    plan = (running.record.meta.plan or "").strip()
    requested = running.node.arg("name_override", "slug") or plan or slug_from_spec(specification)
    try:
        slug = plan_slug(requested)
    except ValueError as error:
        raise RefusedResultError(f"invalid slug `{requested}`: {error}") from None
    declared = {a.first.strip() for a in running.node.artifacts_by_outcome.succeeded if a.kind is ArtifactKind.PLAN_DOC}
    if requested in declared and slug not in declared:
        # Everything that follows looks for the document under the name as it was given (WS-06-35).
        raise RefusedResultError(f"invalid slug `{requested}`: use `{slug}`, the name that the plan would get")
    return slug


def _own_id(running: RunningNode) -> str:
    """An id that only this job has, the same in each attempt, so that a repeated one updates its own record."""
    return f"pln_{hashlib.sha256(running.record.id.encode()).hexdigest()[:32]}"


def _ensure(running: RunningNode, branch: str) -> bool:
    try:
        return ensure_branch(running.git, branch, running.creator)
    except GitError as error:
        raise RefusedResultError(f"could not ensure branch `{branch}`: {error}") from None


def _planned(running: RunningNode) -> _PlanText | None:
    """The plan that an agent has written for this run (WS-06-32)."""
    needed = needed_artifacts(running, "plan_text")
    if not needed:
        return None
    label = needed[0].label
    found = latest_payload(running.store, needed[0], running.manifest.job_ids)
    if found is None:
        raise OperationRefusedError(f"plan.persist could not find plan payload for {label}")
    text = payload_text(found[0])
    if text is None:
        raise RefusedResultError(f"plan payload missing text field for {label}")
    return _PlanText(text, running.relative(found[1]))


def _write(running: RunningNode, slug: str, document: str) -> Path:
    place = plan_document_path(slug)
    path = running.execution_root / place
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = document.encode("utf-8", errors="surrogateescape")
        atomic_write(path, content, mode=_DOCUMENT_MODE, durable=False)
    except OSError as error:
        raise RefusedResultError(f"failed to write {place}: {error.strerror or error}") from None
    return path


def _save(running: RunningNode, plan_id: str, slug: str, branch: str, specification: _Specification) -> Path:
    now = Timestamp.now().offset_form()
    lines = (stripped for line in specification.text.splitlines() if (stripped := line.strip()))
    summary = next(lines, None)
    record = PlanRecord(
        plan_id=plan_id,
        slug=slug,
        branch=branch,
        source=specification.source,
        intent=running.node.arg("intent"),
        target_branch=running.node.arg("target_branch") or (running.record.meta.target or "").strip() or None,
        work_ref=f"{WORKFLOW_JOB}{running.record.id}",
        status="proposed",
        summary=summary and summary[:_SUMMARY],
        created_at=now,
        updated_at=now,
        job_ids={"persist": running.record.id},
    )
    enter_patiently(running.context)
    try:
        return save_plan(running.store.root, record, running.store.file_mode)
    except VizierError as error:
        raise OperationRefusedError(f"plan.persist could not save the plan record: {error}") from None
    finally:
        running.store.lock.release()


HANDLERS: Final[dict[str, Handler]] = {"plan.persist": persist_plan}
