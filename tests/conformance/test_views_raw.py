"""Raw monitoring envelopes: `--format json --raw` of `jobs list`, `jobs show` and `jobs schedule` (03 section 17, 02 section 21.1)."""

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import driver
import pytest
from jsonschema import Draft202012Validator

from driver import Repo, custom, node

SCHEMAS = Path(driver.__file__).resolve().parents[1] / "schemas"
RECORD = [
    "job_id", "status", "command", "created_at", "started_at", "finished_at", "pid", "exit_code", "stdout_path", "stderr_path", "session_path",
    "outcome_path", "wait", "waited_on", "schedule", "workflow", "context",
]
WORKFLOW = [
    "run_id", "node_id", "node_name", "executor_class", "executor_operation", "control_policy", "template_selector", "template_id", "template_version",
]
CONTEXT = ["command_alias", "plan", "target", "branch", "execution_root"]
SCHEDULE = ["after", "dependencies", "artifacts", "locks", "approval", "pinned_head"]
OPTIONAL = ["ephemeral_run", "cleanup_state", "cleanup_detail"]
ROW = ["order", "job_id", "slug", "name", "command", "status", "wait", "created_at"]


def opened(schema: Any) -> Any:
    """The schema, but objects may hold more keys (00 D17)."""
    if isinstance(schema, dict):
        return {key: opened(value) for key, value in schema.items() if not (key == "additionalProperties" and value is False)}
    return [opened(item) for item in schema] if isinstance(schema, list) else schema


def known(value: Any, keys: Any) -> Any:
    """A document without what a later version may have added (00 D17)."""
    return {key: item for key, item in value.items() if key in keys} if isinstance(value, dict) else value


def utc(value: Any) -> Any:
    """The document with `Z` times written with `+00:00`: one form everywhere conforms as well (02 §24 no. 24)."""
    if isinstance(value, dict):
        return {key: utc(item) for key, item in value.items()}
    if isinstance(value, list):
        return [utc(item) for item in value]
    return re.sub(r"^(\d{4}-\d\d-\d\dT[\d:.]+)Z$", r"\1+00:00", value) if isinstance(value, str) else value


def trimmed(record: dict) -> dict:
    record = utc(known(record, RECORD))
    parts = {"schedule": SCHEDULE, "workflow": WORKFLOW + OPTIONAL, "context": CONTEXT}
    return {**record, **{part: known(record[part], keys) for part, keys in parts.items()}}


def valid(doc: Any, schema: str) -> Any:
    Draft202012Validator(opened(json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))).validate(doc)
    return doc


def raw_list(repo: Repo, *args: str) -> dict:
    doc = known(valid(repo.vizier("jobs", "list", "--format", "json", "--raw", *args).ok().json(), "raw-jobs-list"), ["version", "generated_at", "jobs"])
    return {**doc, "jobs": [trimmed(job) for job in doc["jobs"]]}


def raw_show(repo: Repo, job: str = "job-a") -> dict:
    doc = known(valid(repo.vizier("jobs", "show", job, "--format", "json", "--raw").ok().json(), "raw-job-show"), ["version", "generated_at", "job"])
    return {**doc, "job": trimmed(doc["job"])}


def raw_schedule(repo: Repo, *args: str) -> dict:
    doc = valid(repo.vizier("jobs", "schedule", "--format", "json", "--raw", *args).ok().json(), "raw-jobs-schedule")
    doc = known(doc, ["version", "generated_at", "ordering", "jobs", "edges"])
    return {**doc, "jobs": [known(row, ROW) for row in doc["jobs"]]}


def record(repo: Repo, **fields: Any) -> dict:
    repo.hand_made("job-a", **fields)
    return raw_show(repo)["job"]


# envelopes


def test_empty_list(repo: Repo) -> None:
    """03 §11 step 3, §17"""
    doc = raw_list(repo)
    assert list(doc) == ["version", "generated_at", "jobs"] and (doc["version"], doc["jobs"]) == (1, [])


def test_empty_schedule(repo: Repo) -> None:
    """03 §15"""
    doc = raw_schedule(repo)
    assert list(doc) == ["version", "generated_at", "ordering", "jobs", "edges"]
    assert (doc["version"], doc["ordering"], doc["jobs"], doc["edges"]) == (1, "created_at_then_job_id", [], [])


def test_show_envelope(repo: Repo) -> None:
    """03 §17"""
    repo.hand_made("job-a")
    assert list(raw_show(repo)) == ["version", "generated_at", "job"]


def test_generated_at_is_now(repo: Repo) -> None:
    """03 §2.5, §17: RFC 3339, UTC"""
    before = datetime.now(timezone.utc)
    text = utc(raw_list(repo)["generated_at"])
    assert text.endswith("+00:00")
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(text[:26].removesuffix("+00:00") + "+00:00") <= datetime.now(timezone.utc)


def test_list_filters_and_orders_as_the_plain_list(repo: Repo) -> None:
    """03 §17: newest first, after the filters of §11; no header"""
    repo.hand_made("job-a", "succeeded", created_at="2026-03-01T09:00:00Z")
    repo.hand_made("job-b", "failed", created_at="2026-03-01T09:00:01Z")
    repo.hand_made("job-c", "cancelled", created_at="2026-03-01T09:00:02Z")
    for args, found in [([], "cb"), (["--dismiss-failures"], "c"), (["--all"], "cba"), (["--all", "--dismiss-failures"], "cba")]:
        assert [job["job_id"] for job in raw_list(repo, *args)["jobs"]] == [f"job-{letter}" for letter in found]


def test_nothing_visible(repo: Repo) -> None:
    """03 §11 step 7"""
    repo.hand_made("job-a", "succeeded")
    assert raw_list(repo)["jobs"] == []


def test_display_configuration_is_ignored(repo: Repo) -> None:
    """03 §17, §10.1: no unknown-field warning either"""
    repo.write(".vizier/config.toml", '[display.lists.jobs]\nfields = ["Nonsense"]\n[display.lists.jobs_show]\nfields = []\n')
    repo.hand_made("job-a")
    assert list(raw_list(repo)["jobs"][0]) == RECORD
    assert list(raw_show(repo)["job"]) == RECORD
    assert repo.vizier("jobs", "list", "--format", "json", "--raw").err == ""


def test_configured_show_succeeded_counts(repo: Repo) -> None:
    """03 §11 steps 2 and 7"""
    repo.write(".vizier/config.toml", "[display.lists.jobs]\nshow_succeeded = true\n")
    repo.hand_made("job-a", "succeeded")
    assert len(raw_list(repo)["jobs"]) == 1


def test_list_and_show_agree(repo: Repo) -> None:
    """03 §17"""
    repo.hand_made("job-a", "failed", exit_code=3, metadata={"plan": "p"}, schedule={})
    assert raw_list(repo)["jobs"] == [raw_show(repo)["job"]]


def test_unknown_job(repo: Repo) -> None:
    """03 §18: no envelope"""
    done = repo.vizier("jobs", "show", "job-x", "--format", "json", "--raw").fails(1)
    assert done.out == "" and "no background job job-x" in done.err


# the record


def test_bare_record(repo: Repo) -> None:
    """03 §17: nulls are written, `workflow` and `context` always objects"""
    job = record(repo)
    assert list(job) == RECORD
    assert job == {
        "job_id": "job-a", "status": "queued", "command": ["vizier", "run", "flow"], "created_at": "2026-03-01T09:00:00+00:00", "started_at": None,
        "finished_at": None, "pid": None, "exit_code": None, "stdout_path": ".vizier/jobs/job-a/stdout.log",
        "stderr_path": ".vizier/jobs/job-a/stderr.log", "session_path": None, "outcome_path": None, "wait": None, "waited_on": [], "schedule": None,
        "workflow": dict.fromkeys(WORKFLOW), "context": dict.fromkeys(CONTEXT),
    }
    assert list(job["workflow"]) == WORKFLOW and list(job["context"]) == CONTEXT


def test_full_record(repo: Repo) -> None:
    """03 §17"""
    job = record(
        repo, status="waiting_on_approval", created_at="2026-03-01T09:00:02Z", command=["vizier", "run", "pager-flow"],
        metadata={
            "plan": "pager", "branch": "draft/pager", "execution_root": ".", "workflow_run_id": "run_7c1e", "workflow_node_id": "apply",
            "workflow_node_name": "Apply plan", "workflow_executor_class": "agent", "workflow_executor_operation": "agent.invoke",
            "workflow_template_selector": "file:.vizier/workflows/pager.hcl", "workflow_template_id": "template.pager",
            "workflow_template_version": "v1", "workflow_node_attempt": 2, "workflow_gates": ["custom(x)"], "worktree_owned": True,
        },
        schedule={
            "after": [{"job_id": "job-0", "policy": "success"}], "dependencies": [{"artifact": {"plan_doc": {"slug": "pager", "branch": "draft/pager"}}}],
            "artifacts": [custom("operation_output", "apply")], "locks": [{"key": "Branch:draft/pager", "mode": "exclusive"}],
            "approval": {"required": True, "state": "pending", "requested_at": "2026-03-01T09:00:02Z", "requested_by": "op-1"},
            "wait_reason": {"kind": "approval", "detail": " Awaiting Human approval "}, "waited_on": ["dependencies", "approval"],
            "preconditions": [{"kind": "clean_worktree"}], "dependency_policy": {"missing_producer": "wait"},
        },
    )
    assert job == {
        "job_id": "job-a", "status": "waiting_on_approval", "command": ["vizier", "run", "pager-flow"], "created_at": "2026-03-01T09:00:02+00:00",
        "started_at": None, "finished_at": None, "pid": None, "exit_code": None, "stdout_path": ".vizier/jobs/job-a/stdout.log",
        "stderr_path": ".vizier/jobs/job-a/stderr.log", "session_path": None, "outcome_path": None,
        "wait": {"kind": "approval", "detail": "Awaiting Human approval"}, "waited_on": ["dependencies", "approval"],
        "schedule": {
            "after": [{"job_id": "job-0", "policy": "success"}],
            "dependencies": [{"artifact": {"plan_doc": {"slug": "pager", "branch": "draft/pager"}}}],
            "artifacts": [{"custom": {"type_id": "operation_output", "key": "apply"}}],
            "locks": [{"key": "Branch:draft/pager", "mode": "exclusive"}],
            "approval": {"required": True, "state": "pending", "requested_at": "2026-03-01T09:00:02+00:00", "requested_by": "op-1"},
            "pinned_head": None,
        },
        "workflow": {
            "run_id": "run_7c1e", "node_id": "apply", "node_name": "Apply plan", "executor_class": "agent", "executor_operation": "agent.invoke",
            "control_policy": None, "template_selector": "file:.vizier/workflows/pager.hcl", "template_id": "template.pager", "template_version": "v1",
        },
        "context": {"command_alias": None, "plan": "pager", "target": None, "branch": "draft/pager", "execution_root": "."},
    }
    assert list(job["schedule"]) == ["after", "dependencies", "artifacts", "locks", "approval", "pinned_head"]


def test_finished_record(repo: Repo) -> None:
    """03 §17, §2.5"""
    job = record(
        repo, status="failed", started_at="2026-03-01T09:00:05Z", finished_at="2026-03-01T09:04:11.1Z", pid=41877, exit_code=-9, session_path="s.json",
        outcome_path=".vizier/jobs/job-a/outcome.json",
    )
    keys = ["started_at", "finished_at", "pid", "exit_code", "session_path", "outcome_path"]
    assert [job[key] for key in keys] == [
        "2026-03-01T09:00:05+00:00", "2026-03-01T09:04:11.100+00:00", 41877, -9, "s.json", ".vizier/jobs/job-a/outcome.json",
    ]


@pytest.mark.parametrize("kind", ["dependencies", "approval", "locks", "pinned_head", "preconditions"])
@pytest.mark.parametrize("detail", [None, "  "])
def test_wait_without_detail(repo: Repo, kind: str, detail: str | None) -> None:
    """03 §17: the kind label, underscore kept"""
    job = record(repo, schedule={"wait_reason": {"kind": kind, "detail": detail}, "waited_on": [kind]})
    assert job["wait"] == {"kind": kind, "detail": kind} and job["waited_on"] == [kind]


def test_decided_approval(repo: Repo) -> None:
    """03 §17"""
    approval = {
        "required": False, "state": "rejected", "requested_at": "2026-03-01T09:00:02.5Z", "requested_by": "op-1", "decided_at": "2026-03-01T09:01:00Z",
        "decided_by": "op-2", "reason": "No.",
    }
    job = record(repo, schedule={"approval": approval})
    assert list(job["schedule"]["approval"]) == list(approval)
    assert job["schedule"]["approval"] == {**approval, "requested_at": "2026-03-01T09:00:02.500+00:00", "decided_at": "2026-03-01T09:01:00+00:00"}


def test_approval_omits_what_is_unset(repo: Repo) -> None:
    """03 §17"""
    approval = {"required": True, "state": "pending", "requested_at": "2026-03-01T09:00:02Z"}
    nulls = dict.fromkeys(["requested_by", "decided_at", "decided_by", "reason"])
    assert record(repo, schedule={"approval": {**approval, **nulls}})["schedule"]["approval"] == utc(approval)


@pytest.mark.parametrize(
    "artifact",
    [
        {"plan_branch": {"slug": "s", "branch": "b"}}, {"plan_commits": {"slug": "s", "branch": "b"}}, {"target_branch": {"name": "n"}},
        {"merge_sentinel": {"slug": "s"}}, {"command_patch": {"job_id": "j"}},
    ],
)
def test_artifacts_are_tagged(repo: Repo, artifact: dict) -> None:
    """03 §17, 02 §4.4"""
    schedule = record(repo, schedule={"artifacts": [artifact], "dependencies": [{"artifact": artifact}]})["schedule"]
    assert schedule["artifacts"] == [artifact] and schedule["dependencies"] == [{"artifact": artifact}]


def test_pinned_head(repo: Repo) -> None:
    """03 §17"""
    pinned = {"branch": "Main", "oid": "0aF"}
    assert record(repo, schedule={"pinned_head": pinned})["schedule"]["pinned_head"] == pinned


def test_ephemeral_keys(repo: Repo) -> None:
    """03 §17: present only when set"""
    flow = record(repo, metadata={"ephemeral_run": True, "ephemeral_cleanup_state": "degraded", "ephemeral_cleanup_detail": "x"})["workflow"]
    assert list(flow) == [*WORKFLOW, "ephemeral_run", "cleanup_state", "cleanup_detail"]
    assert (flow["ephemeral_run"], flow["cleanup_state"], flow["cleanup_detail"]) == (True, "degraded", "x")


# schedule rows


def test_schedule_rows_and_edges(repo: Repo) -> None:
    """03 §17: the plain rows but for `wait`; the same edges"""
    repo.hand_made("job-a", "running", metadata={"workflow_node_id": "a__b"})
    repo.hand_made("job-b", "waiting_on_deps", created_at="2026-03-01T09:00:01Z", metadata={"plan": "p"}, schedule={
        "after": [{"job_id": "job-a", "policy": "success"}], "dependencies": [{"artifact": {"target_branch": {"name": "master"}}}],
        "wait_reason": {"kind": "dependencies", "detail": "Waiting on job job-a"},
    })
    plain = repo.vizier("jobs", "schedule", "--format", "json").ok().json()
    plain["jobs"] = [known(row, ROW) for row in plain["jobs"]]
    raw = raw_schedule(repo)
    assert raw["edges"] == plain["edges"] and len(raw["edges"]) == 2
    assert [row.pop("wait") for row in raw["jobs"]] == [None, {"kind": "dependencies", "detail": "Waiting on job job-a"}]
    assert [row.pop("wait") for row in plain["jobs"]] == [None, "Waiting on job job-a"]
    assert raw["jobs"] == plain["jobs"]
    assert list(raw["jobs"][0]) == ["order", "job_id", "slug", "name", "command", "status", "created_at"]


def test_schedule_of_one_job(repo: Repo) -> None:
    """03 §14 roots apply"""
    repo.hand_made("job-a", "succeeded")
    repo.hand_made("job-b")
    assert [row["job_id"] for row in raw_schedule(repo, "--job", "job-a")["jobs"]] == ["job-a"]
    assert raw_schedule(repo, "--job", "job-x")["jobs"] == []


def test_plain_schedule_matches_its_schema(repo: Repo) -> None:
    """02 §22"""
    repo.hand_made("job-a", "waiting_on_deps", schedule={
        "after": [{"job_id": "z", "policy": "success"}], "dependencies": [{"artifact": custom("t", "k")}], "wait_reason": {"kind": "locks"},
    })
    valid(repo.vizier("jobs", "schedule", "--format", "json").ok().json(), "schedule-snapshot")


# a real run


def test_a_finished_run(repo: Repo) -> None:
    """03 §17 over what `run` writes"""
    flow = repo.template(node("say", "command.run", {"script": "exit 3"}, name="Say it"))
    repo.follow(flow).fails(1)
    job = repo.job("say")
    repo.wait_status(job, "failed")
    record = raw_show(repo, job)["job"]
    assert raw_list(repo)["jobs"] == [record]
    assert (record["status"], record["exit_code"], record["outcome_path"]) == ("failed", 3, f".vizier/jobs/{job}/outcome.json")
    assert record["workflow"]["node_id"] == "say" and record["workflow"]["template_id"] == "template.flow"
    assert record["workflow"]["executor_operation"] == "command.run" and record["workflow"]["run_id"] == repo.record(job)["metadata"]["workflow_run_id"]
    assert record["schedule"]["artifacts"] == [custom("operation_output", "say")]
    assert record["created_at"] <= record["started_at"] <= record["finished_at"]
