"""Hand-made job records and manifests: states that are hard to reach by running something (02 sections 4, 9 and 10).

`make` writes a record, `tick` lets the scheduler decide once (01 section 5.3: an approval ticks) and tells what it started and
changed, `verdict` reads the outcome.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema

from driver import Repo, custom

#: The run of all records written by `make`; its nodes sleep, so that a started job stays running and nothing ticks behind a test's back.
RUN = "run_handmade"
SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
#: An artifact nobody ever makes.
NEVER = custom("never", "made")
WAIT = {"dependency_policy": {"missing_producer": "wait"}}
TICKER = "zz-ticker"
WAITING = ("queued", "waiting_on_deps", "waiting_on_approval", "waiting_on_locks")
BROKEN = ("failed", "cancelled", "blocked_by_dependency", "blocked_by_approval")

Artifact = dict[str, Any]


class Tick(NamedTuple):
    started: list[str]
    updated: list[str]


def at(second: int) -> str:
    """A time of day in the past, in record form."""
    return f"2026-01-05T{8 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def now() -> str:
    """This moment, in record form."""
    moment = datetime.now(timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond | 1:06d}Z"


def put(repo: Repo, job_id: str, record: Mapping[str, Any] | str | bytes) -> Path:
    """Writes `job.json` as given: a mapping as JSON, text or bytes unchanged."""
    data = json.dumps(record, indent=2, ensure_ascii=False) if isinstance(record, Mapping) else record
    return _replace(repo, f".vizier/jobs/{job_id}/job.json", data)


def _replace(repo: Repo, path: str, data: str | bytes) -> Path:
    """Writes a file so that a process that reads it meanwhile finds the old text or the new one."""
    target = repo.path / path
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = repo.path.parent / "tmp" / "aside"
    aside.write_bytes(data if isinstance(data, bytes) else data.encode())
    os.replace(aside, target)
    return target


def make(
    repo: Repo,
    job_id: str,
    status: str = "queued",
    *,
    second: int = 0,
    after: Iterable[str] = (),
    needs: Iterable[Artifact] = (),
    makes: Iterable[Artifact] = (),
    locks: Mapping[str, str] | None = None,
    schedule: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    bare: bool = False,
    **top: Any,
) -> str:
    """A record with the given schedule, returns its id. `top` replaces or adds top-level keys.

    Its worker, once started, sleeps until the test ends; with `bare` it has no metadata, so that a worker fails at once.
    """
    if not bare and not (metadata or {}).get("workflow_run_id"):
        metadata = node_metadata(RUN, job_id, **(metadata or {}))
        path = repo.jobs_dir / "runs" / f"{RUN}.json"
        known = json.loads(path.read_text())["nodes"] if path.exists() else {}
        if job_id not in known:
            manifest(repo, RUN, {**known, job_id: {"script": "exec sleep 100"}})
    record = {
        "id": job_id,
        "status": status,
        "command": ["vizier", "run", "handmade"],
        "child_args": ["__workflow-node", "--job-id", job_id],
        "created_at": at(second),
        "stdout_path": f".vizier/jobs/{job_id}/stdout.log",
        "stderr_path": f".vizier/jobs/{job_id}/stderr.log",
        "schedule": {
            "after": [{"job_id": name, "policy": "success"} for name in after],
            "dependencies": [{"artifact": need} for need in needs],
            "locks": [{"key": key, "mode": mode} for key, mode in (locks or {}).items()],
            "artifacts": list(makes),
            **(schedule or {}),
        },
        **({"metadata": dict(metadata)} if metadata is not None else {}),
        **top,
    }
    put(repo, job_id, record)
    return job_id


def park(repo: Repo, job_id: str, status: str = "waiting_on_deps", **more: Any) -> str:
    """An active job that stays active: it awaits what nobody makes."""
    schedule = {**WAIT, **more.pop("schedule", {})}
    return make(repo, job_id, status, needs=[NEVER, *more.pop("needs", [])], schedule=schedule, **more)


def approval(state: str = "pending", **more: Any) -> dict[str, Any]:
    return {"required": True, "state": state, "requested_at": at(0), **more}


def tick(repo: Repo) -> Tick:
    """One full scheduler tick, caused by approving a job that still waits for something else afterwards."""
    make(repo, TICKER, "waiting_on_approval", second=9000, bare=True, needs=[NEVER], schedule={**WAIT, "approval": approval()})
    done = repo.vizier("jobs", "approve", TICKER, "--format", "json").ok().json()
    shutil.rmtree(repo.jobs_dir / TICKER)
    return Tick([job for job in done["started"] if job != TICKER], [job for job in done["updated"] if job != TICKER])


def verdict(repo: Repo, job_id: str) -> tuple[str, str | None, str | None]:
    """(status, wait kind, wait detail)"""
    record = repo.record(job_id)
    reason = (record.get("schedule") or {}).get("wait_reason") or {}
    return record["status"], reason.get("kind"), reason.get("detail")


def waited_on(repo: Repo, job_id: str) -> list[str]:
    found: list[str] = repo.record(job_id)["schedule"]["waited_on"]
    return found


def was_started(repo: Repo, job_id: str) -> bool:
    return repo.record(job_id).get("started_at") is not None


def slot(tree: str, type_id: str, key: str) -> str:
    """The project-relative directory of a custom artifact below `custom` (markers) or `data` (payloads)."""
    return f".vizier/jobs/artifacts/{tree}/{type_id.encode().hex()}/{key.encode().hex()}"


def publish(
    repo: Repo, type_id: str, key: str, job_id: str = "someone", payload: Mapping[str, Any] | None = None, written: int = 1_767_600_000,
) -> None:
    """A marker, and a payload if given, as another job would have left them; `written` (epoch seconds) is noted inside and in the file times."""
    stamp = datetime.fromtimestamp(written, timezone.utc).isoformat()
    head = {"job_id": job_id, "key": key, "type_id": type_id, "written_at": stamp}
    made = [repo.write(f"{slot('custom', type_id, key)}/{job_id}.json", json.dumps(head, indent=2))]
    if payload is not None:
        head = {"key": key, "type_id": type_id, "written_at": stamp, **payload}
        made.append(repo.write(f"{slot('data', type_id, key)}/{job_id}.json", json.dumps(head, indent=2)))
    for path in made:
        os.utime(path, (written, written))


@contextmanager
def process(repo: Repo, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A live process that does nothing, with these words in its command line; ended and reaped on leaving."""
    proc = subprocess.Popen(["sh", "-c", "read _", "stand-in", *words], cwd=repo.path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        yield proc
    finally:
        proc.kill()
        proc.wait()
        assert proc.stdin is not None
        proc.stdin.close()


@contextmanager
def running(repo: Repo, job_id: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A record in status `running` with a live process that passes for its worker."""
    with process(repo, "__workflow-node", "--job-id", job_id) as proc:
        make(repo, job_id, "running", **{"pid": proc.pid, "started_at": now(), **more})
        yield proc


def dead_pid() -> int:
    """The id of a process that has ended and was reaped."""
    proc = subprocess.Popen(["true"])
    proc.wait()
    assert not os.path.exists(f"/proc/{proc.pid}")
    return proc.pid


def node_metadata(run_id: str, node_id: str, **more: Any) -> dict[str, Any]:
    return {
        "workflow_run_id": run_id, "workflow_node_id": node_id, "workflow_node_attempt": 1, "workflow_template_selector": "file:handmade.json",
        "workflow_template_id": "template.handmade", "workflow_template_version": "v1", **more,
    }


def manifest(repo: Repo, run_id: str, nodes: Mapping[str, Mapping[str, Any]], **top: Any) -> None:
    """A run manifest. Each node: `script`, `routes` (outcome -> node ids), `produces` (outcome -> artifacts), or manifest keys."""
    full = {}
    for node_id, given in nodes.items():
        more = dict(given)
        if "node_id" in more:
            full[node_id] = more
            continue
        routes = more.pop("routes", {})
        produces = more.pop("produces", {})
        own = custom("operation_output", node_id)
        full[node_id] = {
            "node_id": node_id,
            "job_id": more.pop("job_id", node_id),
            "uses": "cap.env.shell.command.run",
            "kind": "shell",
            "args": {"script": more.pop("script", "true")},
            "executor_operation": "command.run",
            "gates": [],
            "retry": {"mode": "never", "budget": 0},
            "routes": {
                outcome: [{"node_id": t, "mode": "propagate_context" if outcome == "succeeded" else "retry_job"} for t in routes.get(outcome, [])]
                for outcome in ("succeeded", "failed", "blocked", "cancelled")
            },
            "artifacts_by_outcome": {
                outcome: [*produces.get(outcome, []), own] for outcome in ("succeeded", "failed", "blocked", "cancelled")
            },
            **more,
        }
    doc = {
        "run_id": run_id, "template_selector": "file:handmade.json", "template_id": "template.handmade", "template_version": "v1",
        "policy_snapshot_hash": "0" * 64, "ephemeral": False, "ephemeral_cleanup_requested": False, **top, "nodes": full,
    }
    _replace(repo, f".vizier/jobs/runs/{run_id}.json", json.dumps(doc, indent=2))


def make_node(repo: Repo, run_id: str, node_id: str, status: str = "queued", *, metadata: Mapping[str, Any] | None = None, **more: Any) -> str:
    """The record of a workflow node; its job id is the node id."""
    makes = [*more.pop("makes", []), custom("operation_output", node_id)]
    return make(repo, node_id, status, makes=makes, metadata=node_metadata(run_id, node_id, **(metadata or {})), **more)


def files(repo: Repo, under: str = ".vizier/jobs") -> dict[str, bytes]:
    """Every file below a folder with its bytes, to show that nothing was written."""
    base = repo.path / under
    return {str(p.relative_to(base)): p.read_bytes() for p in sorted(base.rglob("*")) if p.is_file()}


def _open(schema: Any) -> Any:
    """A schema without its bans on further keys: additions are allowed (decision D17)."""
    if isinstance(schema, dict):
        return {("anyOf" if k == "oneOf" else k): _open(v) for k, v in schema.items() if not (k == "additionalProperties" and v is False)}
    if isinstance(schema, list):
        return [_open(item) for item in schema]
    return schema


def valid(name: str, document: Any) -> None:
    """Fails unless the document satisfies `schemas/<name>.schema.json`; unknown further keys are fine."""
    schema = _open(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in jsonschema.Draft202012Validator(schema).iter_errors(document)]
    assert not errors, f"{name}: {errors}"


def order_of(document: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """The document's keys in file order, further keys left out."""
    wanted = set(known)
    return [key for key in document if key in wanted]


def pretty(text: str | bytes) -> Any:
    """Parses a file of 02 section 3.1: two blanks of indent, raw UTF-8, no newline at the end."""
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    document = json.loads(text)
    assert text == json.dumps(document, indent=2, ensure_ascii=False)
    return document


def ascending(document: Any) -> bool:
    """Keys ascend at every depth."""
    if isinstance(document, dict):
        return list(document) == sorted(document) and all(ascending(v) for v in document.values())
    return all(ascending(v) for v in document) if isinstance(document, list) else True
