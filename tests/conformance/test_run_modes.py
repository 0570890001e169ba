"""`run`: check, enqueue, approvals, --after, --repeat, --spec-dir, --follow, --ephemeral, summaries (08 sections 6.2, 6.8 to 6.14)."""

import json
import os
import re
import shutil
import signal
import time

import pytest

from driver import Repo, node

NEXT = {"schedule": "vizier jobs schedule", "show": "vizier jobs show <job-id>", "tail": "vizier jobs tail <job-id> --follow"}


@pytest.fixture
def flow(repo: Repo) -> str:
    one = node("one", "command.run", {"script": "echo hello"}, on={"succeeded": ["two"]})
    return repo.template(one, node("two", "command.run", {"script": "echo bye"}, after=["one"]))


def rows(text: str) -> dict[str, str]:
    """Label and value of each row of a label block."""
    return {k.strip(): v for k, v in (line.split(": ", 1) for line in text.splitlines() if re.match(r"[A-Z][\w ]*: ", line))}


def part(document: dict, like: dict) -> dict:
    """The keys of `like` in this document, which may hold more (D17)."""
    return {key: document.get(key, "<absent>") for key in like}


def nothing_written(repo: Repo) -> bool:
    return repo.records() == {} and not list(repo.jobs_dir.glob("runs/*"))


def cleaned(repo: Repo, *argv: str, code: int = 0) -> dict:
    """A followed ephemeral run whose cleanup was complete when it was reported. If its last process is still ending at that moment, the cleanup is
    left to a later tick: then once more."""
    fresh = not repo.exists(".vizier")
    for _ in range(5):
        done = repo.vizier("run", *argv, "--ephemeral", "--follow", "--format", "json")
        doc = done.json() if done.out else {}
        if (doc.get("ephemeral_cleanup") or {}).get("state") == "completed":
            assert done.code == code, done.text
            return dict(doc)
        time.sleep(0.3)
        if fresh:
            shutil.rmtree(repo.path / ".vizier", ignore_errors=True)
    raise AssertionError(f"never cleaned: {done.text}")


# --check (08 §6.2)


def test_check_text(repo: Repo, flow: str) -> None:
    """08 §6.2"""
    done = repo.vizier("run", flow, "--check").ok()
    assert rows(done.out) == {"Outcome": "Workflow validation passed", "Selector": "file:.vizier/flow.json", "Template": "template.flow@v1", "Nodes": "2"}
    assert nothing_written(repo)


def test_check_json(repo: Repo, flow: str) -> None:
    """08 §6.13"""
    expected = {
        "outcome": "workflow_validation_passed", "workflow_template_selector": "file:.vizier/flow.json", "workflow_template_id": "template.flow",
        "workflow_template_version": "v1", "node_count": 2,
    }  # fmt: skip
    assert part(repo.vizier("run", flow, "--check", "--format", "json").ok().json(), expected) == expected
    assert nothing_written(repo)


@pytest.mark.parametrize("bad", [
    {"uses": "cap.env.shell.nothing"}, {"kind": "builtin"}, {"args": {}}, {"after": [{"node_id": "ghost"}]}, {"on": {"succeeded": ["ghost"]}}, {"uses": "vizier.build.run"},
], ids=lambda b: next(iter(b)))  # fmt: skip
@pytest.mark.parametrize("flags", [[], ["--check"]], ids=["run", "check"])
def test_an_invalid_template_is_refused_before_any_write(repo: Repo, bad: dict, flags: list[str]) -> None:
    """08 §6.11: exit 1, empty stdout, no record, no manifest"""
    flow = repo.template({**node("one", "command.run", {"script": "true"}), **bad})
    done = repo.vizier("run", flow, *flags).fails(1)
    assert done.out == "" and done.err.strip() and nothing_written(repo)


def test_a_template_without_nodes(repo: Repo) -> None:
    """08 §9"""
    assert repo.vizier("run", repo.template()).fails(1).out == "" and nothing_written(repo)


# enqueue (08 §6.13)


def test_enqueue_json(repo: Repo, flow: str) -> None:
    """08 §6.13: the single-run shape"""
    doc = repo.vizier("run", flow, "--require-approval", "--format", "json").ok().json()
    run = doc["run_id"]
    expected = {
        "outcome": "workflow_run_enqueued", "run_id": run, "ephemeral": False, "workflow_template_selector": "file:.vizier/flow.json", "workflow_template_id": "template.flow",
        "workflow_template_version": "v1", "root_job_ids": [f"wf-{run}-one"], "next": NEXT,
    }  # fmt: skip
    assert part(doc, expected) == expected and "runs" not in doc


def test_enqueue_text(repo: Repo, flow: str) -> None:
    """08 §6.13: rows in order"""
    out = repo.vizier("run", flow, "--require-approval").ok().out
    found = rows(out)
    root = found["Root jobs"]
    assert list(found) == ["Outcome", "Run", "Template", "Selector", "Root jobs", "Ephemeral", "Next"]
    assert (found["Outcome"], found["Template"], found["Selector"], found["Ephemeral"]) == ("Workflow run enqueued", "template.flow@v1", "file:.vizier/flow.json", "no")
    assert root == f"wf-{found['Run']}-one"
    assert out.splitlines()[-3:] == [out.splitlines()[-3][: -len(f"vizier jobs schedule --job {root}")] + f"vizier jobs schedule --job {root}", f"vizier jobs show {root}", f"vizier jobs tail {root} --follow"]


def test_the_first_tick_runs_before_the_summary(repo: Repo, flow: str) -> None:
    """08 §6.8 step 9"""
    repo.enqueue(flow)
    assert repo.status(repo.job("one")) in ("running", "succeeded")
    assert repo.wait_done() == {repo.job("one"): "succeeded", repo.job("two"): "succeeded"}


# approvals (08 §6.8 step 8)


def test_require_approval_gates_the_roots_only(repo: Repo, flow: str) -> None:
    """08 §6.8 step 8"""
    repo.enqueue(flow, "--require-approval", env={"VIZIER_APPROVAL_ACTOR": "carol"})
    one, two = repo.record(repo.job("one")), repo.record(repo.job("two"))
    assert one["status"] == "waiting_on_approval" and two["status"] == "waiting_on_deps"
    approval = one["schedule"]["approval"]
    assert (approval["required"], approval["state"], approval["requested_by"]) == (True, "pending", "carol") and approval["requested_at"]
    assert not two["schedule"].get("approval")


@pytest.mark.parametrize(("env", "actor"), [
    ({"VIZIER_APPROVAL_ACTOR": "a", "GIT_AUTHOR_NAME": "b", "USER": "d"}, "a"), ({"VIZIER_APPROVAL_ACTOR": " ", "GIT_AUTHOR_NAME": "b", "GIT_COMMITTER_NAME": "c"}, "b"), ({"USER": "d", "USERNAME": "e"}, "d"), ({}, "unknown"),
])  # fmt: skip
def test_the_requesting_actor(repo: Repo, flow: str, env: dict[str, str], actor: str) -> None:
    """08 §6.8 step 8, §8"""
    repo.enqueue(flow, "--require-approval", env=env)
    assert repo.record(repo.job("one"))["schedule"]["approval"]["requested_by"] == actor


def test_no_require_approval_removes_the_gate_of_a_root(repo: Repo) -> None:
    """08 §6.8 step 8"""
    gated = [{"kind": "approval", "required": True}]
    flow = repo.template(node("one", "command.run", {"script": "true"}, gates=gated), node("two", "command.run", {"script": "true"}, after=["one"], gates=gated))
    repo.enqueue(flow, "--no-require-approval")
    repo.wait_status(repo.job("one"), "succeeded")
    repo.wait_status(repo.job("two"), "waiting_on_approval")


# --after (08 §6.9)


def held(repo: Repo, flow: str, *argv: str) -> str:
    return repo.enqueue(flow, "--require-approval", *argv)


def test_after_a_job(repo: Repo, flow: str) -> None:
    """08 §6.9, §6.8 step 9"""
    held(repo, flow)
    first = repo.job("one")
    run = repo.enqueue(flow, "--after", first)
    root = repo.record(f"wf-{run}-one")
    assert root["status"] == "waiting_on_deps" and root["schedule"]["after"] == [{"job_id": first, "policy": "success"}]
    assert [d["job_id"] for d in repo.record(f"wf-{run}-two")["schedule"]["after"]] == [f"wf-{run}-one"]


def test_after_a_run_means_its_sinks(repo: Repo) -> None:
    """08 §6.9, §1: all nodes without a success route, in node-id order, duplicates dropped"""
    true = {"script": "true"}
    flow = repo.template(node("m", "command.run", true, on={"succeeded": ["z", "b"]}), *(node(n, "command.run", true) for n in ("z", "b", "alone")))
    run = held(repo, flow)
    later = held(repo, flow, "--after", f"wf-{run}-z", "--after", f"run:{run}", "--after", f"wf-{run}-z")
    ids = [d["job_id"] for d in repo.record(f"wf-{later}-m")["schedule"]["after"]]
    assert ids == [f"wf-{run}-z", f"wf-{run}-alone", f"wf-{run}-b"]
    assert repo.record(f"wf-{later}-alone")["schedule"]["after"] == repo.record(f"wf-{later}-m")["schedule"]["after"]


def test_a_finished_job_is_kept_in_the_list(repo: Repo, flow: str) -> None:
    """08 §6.9"""
    repo.follow(flow).ok()
    first = repo.job("two")
    run = repo.enqueue(flow, "--after", first)
    repo.wait_status(f"wf-{run}-one", "succeeded")
    assert [d["job_id"] for d in repo.record(f"wf-{run}-one")["schedule"]["after"]] == [first]


AFTER_ERRORS = [
    ("nobody", ["unknown --after job id: nobody"]),
    ("run:run_missing", ["run:run_missing", "manifest not found"]),
    ("run_deadbeef", ["use `run:run_deadbeef`"]),
]


@pytest.mark.parametrize(("ref", "needles"), AFTER_ERRORS)
def test_bad_references(repo: Repo, flow: str, ref: str, needles: list[str]) -> None:
    """08 §6.9"""
    assert repo.vizier("run", flow, "--after", ref).fails(1).has(*needles).out == ""


@pytest.mark.parametrize("ref", ["nobody", "run:run_missing", "run_deadbeef", " "])
@pytest.mark.better("D5")
def test_bad_references_leave_nothing_behind(repo: Repo, flow: str, ref: str) -> None:
    """D5, 08 §10.1"""
    repo.vizier("run", flow, "--after", ref).fails(1)
    assert nothing_written(repo) and not [p for p in repo.jobs_dir.glob("*") if p.is_dir() and p.name.startswith("wf-")]


# --repeat (08 §6.10)


def test_repeat_chains_the_runs(repo: Repo, flow: str) -> None:
    """08 §6.10, §6.13"""
    doc = repo.vizier("run", flow, "--repeat", "3", "--require-approval", "--format", "json").ok().json()
    runs = [r["run_id"] for r in doc["runs"]]
    expected = {
        "outcome": "workflow_runs_enqueued", "repeat": 3, "ephemeral": False, "workflow_template_selector": "file:.vizier/flow.json", "next": NEXT,
    }  # fmt: skip
    assert part(doc, expected) == expected
    items = [
        {"index": i, "run_id": run, "workflow_template_id": "template.flow", "workflow_template_version": "v1", "root_job_ids": [f"wf-{run}-one"], "spec_file": None, "slug": None}
        for i, run in enumerate(runs, 1)
    ]
    assert [part(found, item) for found, item in zip(doc["runs"], items, strict=True)] == items
    after = [[d["job_id"] for d in repo.record(f"wf-{run}-one")["schedule"]["after"]] for run in runs]
    assert after == [[], [f"wf-{runs[0]}-two"], [f"wf-{runs[1]}-two"]]
    assert [repo.record(f"wf-{run}-one")["schedule"]["approval"]["state"] for run in runs] == ["pending"] * 3


def test_repeat_one_is_no_repeat(repo: Repo, flow: str) -> None:
    """08 §6.10"""
    doc = repo.vizier("run", flow, "--repeat", "1", "--require-approval", "--format", "json").ok().json()
    assert doc["outcome"] == "workflow_run_enqueued" and "runs" not in doc


def test_repeat_text(repo: Repo, flow: str) -> None:
    """08 §6.13"""
    found = rows(repo.vizier("run", flow, "--repeat", "2", "--require-approval").ok().out)
    assert (found["Outcome"], found["Repeat"], found["Template"], found["Ephemeral"]) == ("Workflow runs enqueued", "2", "template.flow@v1", "no")
    assert len(found["Runs"].split(", ")) == 2 and list(found)[:6] == ["Outcome", "Repeat", "Runs", "Template", "Selector", "Ephemeral"]


def test_repeat_follow(repo: Repo) -> None:
    """08 §6.10, §6.12"""
    flow = repo.template(node("one", "command.run", {"script": "echo x >> count"}))
    doc = repo.vizier("run", flow, "--repeat", "2", "--follow", "--format", "json").ok().json()
    assert (doc["outcome"], doc["terminal_state"], doc["exit_code"], doc["repeat"]) == ("workflow_runs_terminal", "succeeded", 0, 2)
    assert [(r["index"], r["terminal_state"], r["exit_code"]) for r in doc["runs"]] == [(1, "succeeded", 0), (2, "succeeded", 0)]
    assert repo.read("count") == "x\nx\n"


# --spec-dir (08 §6.10)

BATCH = {"spec_file": "", "slug": "", "branch": ""}


@pytest.fixture
def batch(repo: Repo) -> str:
    repo.write("specs/b.md", "b")
    repo.write("specs/A.MD", "a")
    repo.write("specs/api/log in.md", "l")
    repo.write("specs/notes.txt", "no")
    return repo.template(node("one", "command.run", {"script": "echo ${spec_file}:${slug}:${branch}"}), params=BATCH)


def test_batch_items(repo: Repo, batch: str) -> None:
    """08 §6.10: order, slugs, overrides, chain"""
    doc = repo.vizier("run", batch, "--spec-dir", "specs", "--require-approval", "--format", "json").ok().json()
    assert (doc["outcome"], doc["batch_dir"], doc["spec_count"]) == ("workflow_runs_enqueued", "specs", 3) and "repeat" not in doc
    assert [(r["index"], r["spec_file"], r["slug"]) for r in doc["runs"]] == [(1, "specs/A.MD", "a"), (2, "specs/api/log in.md", "api-log-in"), (3, "specs/b.md", "b")]
    scripts = [repo.manifest(r["run_id"])["nodes"]["one"]["args"]["script"] for r in doc["runs"]]
    assert scripts == ["echo specs/A.MD:a:draft/a", "echo specs/api/log in.md:api-log-in:draft/api-log-in", "echo specs/b.md:b:draft/b"]
    roots = [r["root_job_ids"][0] for r in doc["runs"]]
    assert [[d["job_id"] for d in repo.record(root)["schedule"]["after"]] for root in roots] == [[], [roots[0]], [roots[1]]]


@pytest.mark.parametrize(("name", "slug"), [("Read Me.md", "read-me"), ("v1.2/notes.md", "v1-2-notes"), ("a/b/c/d.md", "a-b-c-d"), ("__init__.md", "init"), ("x" * 33 + ".md", "x" * 32), ("10%.md", "10")])
def test_slugs_of_items(repo: Repo, name: str, slug: str) -> None:
    """08 §6.10"""
    repo.write(f"in/{name}", "x")
    flow = repo.template(node("one", "command.run", {"script": "true"}), params=BATCH)
    doc = repo.vizier("run", flow, "--spec-dir", "in", "--check", "--format", "json").ok().json()
    assert [(i["index"], i["spec_file"], i["slug"]) for i in doc["items"]] == [(1, f"in/{name}", slug)]


@pytest.mark.parametrize("name", [".draft.md", "!!!.md"])
def test_items_without_a_slug(repo: Repo, batch: str, name: str) -> None:
    """08 §6.10: nothing is enqueued"""
    repo.write(f"specs/{name}", "x")
    assert repo.vizier("run", batch, "--spec-dir", "specs").fails(1).out == "" and nothing_written(repo)


@pytest.mark.parametrize("typed", ["specs/api/..", "specs/", "./specs"])
def test_batch_dir_is_shown_relative_to_the_root(repo: Repo, batch: str, typed: str) -> None:
    """08 §6.10"""
    assert repo.vizier("run", batch, "--spec-dir", typed, "--check", "--format", "json").ok().json()["batch_dir"] == "specs"


def test_batch_text(repo: Repo, batch: str) -> None:
    """08 §6.13"""
    out = repo.vizier("run", batch, "--spec-dir", "specs/api", "--require-approval").ok().out
    found = rows(out)
    run = found["Runs"]
    assert (found["Outcome"], found["Batch dir"], found["Specs"]) == ("Workflow runs enqueued", "specs/api", "1")
    assert found["Items"] == f"#1 specs/api/log in.md slug=log-in run={run} roots=wf-{run}-one"


def test_a_bad_item_is_named_and_nothing_is_enqueued(repo: Repo) -> None:
    """08 §6.10: all items are prepared before the first enqueue"""
    repo.write("specs/a.md", "x")
    repo.write("specs/b.md", "x")
    flow = repo.template(node("one", "plan.persist", {"name_override": "${slug}", "branch": "${branch}", "spec_file": "${slug}.txt"}), params=BATCH)
    repo.write("a.txt", "x")
    repo.vizier("run", flow, "--spec-dir", "specs").fails(1).has("#2", "specs/b.md", "b.txt")
    assert nothing_written(repo)


def test_batch_check(repo: Repo, batch: str) -> None:
    """08 §6.2, §6.13"""
    doc = repo.vizier("run", batch, "--spec-dir", "specs", "--check", "--format", "json").ok().json()
    assert [(i["index"], i["spec_file"], i["slug"]) for i in doc["items"]] == [(1, "specs/A.MD", "a"), (2, "specs/api/log in.md", "api-log-in"), (3, "specs/b.md", "b")]
    assert (doc["outcome"], doc["batch_dir"], doc["spec_count"], doc["node_count"]) == ("workflow_validation_passed", "specs", 3, 1)
    repo.vizier("run", batch, "--spec-dir", "specs", "--check").ok().has("Batch dir", "#2 specs/api/log in.md => api-log-in")
    assert nothing_written(repo)


@pytest.mark.parametrize(("argv", "needles"), [
    (["--set", "spec_file=x"], ["spec_file"]), (["--slug", "x"], ["slug"]),
    (["--branch", "x"], ["`--spec-dir` cannot be combined with explicit `branch` or `source` overrides because batch items must use distinct branches"]),
], ids=lambda v: v[0])  # fmt: skip
def test_batch_override_guards(repo: Repo, batch: str, argv: list[str], needles: list[str]) -> None:
    """08 §6.10 guards"""
    assert repo.vizier("run", batch, "--spec-dir", "specs", *argv).fails(1).has(*needles).out == ""
    assert nothing_written(repo)


def test_batch_needs_a_spec_file_param(repo: Repo, flow: str) -> None:
    """08 §6.10 guards"""
    repo.write("specs/a.md", "a")
    repo.vizier("run", flow, "--spec-dir", "specs").fails(1).has("spec_file")
    assert nothing_written(repo)


@pytest.mark.parametrize("folder", ["absent", "specs/b.md", ".."])
def test_batch_directory_must_be_one_inside_the_root(repo: Repo, batch: str, folder: str) -> None:
    """08 §6.10"""
    assert repo.vizier("run", batch, "--spec-dir", folder).fails(1).has(folder).out == ""
    assert nothing_written(repo)


def test_batch_without_items(repo: Repo, batch: str) -> None:
    """08 §6.10, §9: `.md` itself has no extension"""
    repo.write("empty/.md", "x")
    repo.write("empty/readme.txt", "x")
    repo.vizier("run", batch, "--spec-dir", "empty").fails(1).has("no markdown spec files found")


def test_batch_refuses_symlinks(repo: Repo, batch: str) -> None:
    """08 §6.10"""
    (repo.path / "specs/link.md").symlink_to("b.md")
    done = repo.vizier("run", batch, "--spec-dir", "specs").fails(1)
    done.has("invalid --spec-dir `specs`: symlink entry `specs/link.md` is unsupported", "`--spec-dir` requires regular directories and markdown files")
    assert nothing_written(repo)


def test_batch_refuses_equal_slugs(repo: Repo, batch: str) -> None:
    """08 §6.10"""
    repo.write("specs/api-log-in.md", "x")
    repo.vizier("run", batch, "--spec-dir", "specs").fails(1).has("api-log-in", "specs/api/log in.md", "specs/api-log-in.md")
    assert nothing_written(repo)


def test_a_failing_item_ends_the_follow(repo: Repo) -> None:
    """08 §9: three items, the second fails"""
    for name in "abc":
        repo.write(f"specs/{name}.md", name)
    flow = repo.template(node("one", "command.run", {"script": "test ${slug} != b"}), params=BATCH)
    doc = repo.vizier("run", flow, "--spec-dir", "specs", "--follow", "--format", "json").fails(1).json()
    assert (doc["terminal_state"], doc["exit_code"], doc["spec_count"], len(doc["runs"])) == ("failed", 1, 3, 2)
    assert [(r["slug"], r["terminal_state"]) for r in doc["runs"]] == [("a", "succeeded"), ("b", "failed")]
    manifests = {json.loads(p.read_text())["run_id"] for p in repo.jobs_dir.glob("runs/*.json")}
    (last,) = manifests - {r["run_id"] for r in doc["runs"]}
    assert repo.status(f"wf-{last}-one") in ("waiting_on_deps", "blocked_by_dependency")


def test_batch_after(repo: Repo, batch: str) -> None:
    """08 §6.10: chained exactly like repeat, behind what the user named"""
    first = repo.enqueue(repo.template(node("first", "command.run", {"script": "true"}), path="first.json"), "--require-approval")
    doc = repo.vizier("run", batch, "--spec-dir", "specs", "--after", f"run:{first}", "--format", "json").ok().json()
    roots = [r["root_job_ids"][0] for r in doc["runs"]]
    after = [[d["job_id"] for d in repo.record(root)["schedule"]["after"]] for root in roots]
    assert after == [[f"wf-{first}-first"], [f"wf-{first}-first", roots[0]], [f"wf-{first}-first", roots[1]]]


# --follow (08 §6.12)


def test_follow_json(repo: Repo, flow: str) -> None:
    """08 §6.12, §6.13: exactly one document"""
    doc = repo.vizier("run", flow, "--follow", "--format", "json").ok().json()
    run = doc["run_id"]
    one, two = f"wf-{run}-one", f"wf-{run}-two"
    expected = {
        "outcome": "workflow_run_terminal", "terminal_state": "succeeded", "exit_code": 0, "run_id": run, "ephemeral": False, "workflow_template_selector": "file:.vizier/flow.json",
        "workflow_template_id": "template.flow", "workflow_template_version": "v1", "root_job_ids": [one], "succeeded": [one, two], "failed": [], "blocked": [], "cancelled": [],
        "ephemeral_cleanup": None,
    }  # fmt: skip
    assert part(doc, expected) == expected and "runs" not in doc


def test_follow_text(repo: Repo, flow: str) -> None:
    """08 §6.12, §6.13"""
    out = repo.vizier("run", flow, "--follow").ok().out
    run = re.search(r"^Run +: (run_\w+)$", out, re.MULTILINE)
    assert run
    one, two = f"wf-{run[1]}-one", f"wf-{run[1]}-two"
    assert out.index(f"[run:{run[1]}] {one} => succeeded\n") < out.index(f"[run:{run[1]}] {two} => succeeded\n") < out.index("Outcome")
    found = rows(out[out.index("Outcome") :])
    assert list(found) == ["Outcome", "Run", "Template", "Selector", "Root jobs", "Ephemeral", "Exit", "Succeeded"]
    assert (found["Outcome"], found["Exit"], found["Succeeded"]) == ("Workflow run succeeded", "0", f"{one}, {two}")


def test_follow_shows_log_lines(repo: Repo) -> None:
    """08 §6.12"""
    flow = repo.template(node("one", "command.run", {"script": "sleep 0.7"}))
    out = repo.vizier("run", flow, "--follow").ok().out
    assert re.search(rf"^\[{repo.job('one')}/stderr\] \[workflow-node\] progress node=one ", out, re.MULTILINE)


def test_follow_of_a_failed_run(repo: Repo) -> None:
    """08 §6.12: failed beats blocked"""
    flow = repo.template(node("one", "command.run", {"script": "exit 3"}), node("two", "command.run", {"script": "true"}, after=["one"]))
    doc = repo.follow(flow).fails(1).json()
    assert (doc["terminal_state"], doc["exit_code"], doc["failed"], doc["blocked"]) == ("failed", 1, [repo.job("one")], [repo.job("two")])


def test_follow_of_a_blocked_run(repo: Repo) -> None:
    """08 §6.12"""
    flow = repo.template(node("one", "command.run", {"script": "true"}, needs=[{"plan_doc": {"slug": "x", "branch": "draft/x"}}]))
    doc = repo.follow(flow).fails(10).json()
    assert (doc["terminal_state"], doc["exit_code"], doc["blocked"]) == ("blocked", 10, [repo.job("one")])
    done = repo.vizier("run", flow, "--follow").fails(10).has("Workflow run blocked")
    assert "blocked" in done.err


def test_follow_text_of_a_blocked_run(repo: Repo) -> None:
    """08 §6.13: only the rows that apply"""
    flow = repo.template(node("one", "command.run", {"script": "exit 2"}), node("two", "command.run", {"script": "true"}, after=["one"]), node("ok", "command.run", {"script": "true"}))
    out = repo.vizier("run", flow, "--follow").fails(1).out
    found = rows(out[out.index("Outcome") :])
    assert list(found)[-4:] == ["Exit", "Succeeded", "Blocked", "Failed"] and (found["Succeeded"], found["Blocked"], found["Failed"]) == (repo.job("ok"), repo.job("two"), repo.job("one"))


def test_follow_ends_when_the_approval_is_refused(repo: Repo, flow: str) -> None:
    """08 §6.12: blocked, exit 10"""
    proc = repo.start("run", flow, "--follow", "--require-approval")
    repo.wait(lambda: "waiting_on_approval" in [r["status"] for r in repo.records().values()], "the approval gate")
    repo.vizier("jobs", "reject", repo.job("one"), "--reason", "no").ok()
    out, _ = proc.communicate(timeout=30)
    assert proc.returncode == 10 and "=> blocked_by_approval" in out and "Workflow run blocked" in out


def test_follow_waits_for_an_approval(repo: Repo, flow: str) -> None:
    """08 §6.12: no timeout, someone decides"""
    proc = repo.start("run", flow, "--follow", "--require-approval", "--format", "json")
    repo.wait(lambda: "waiting_on_approval" in [r["status"] for r in repo.records().values()], "the approval gate")
    assert proc.poll() is None
    repo.vizier("jobs", "approve", repo.job("one")).ok()
    out, _ = proc.communicate(timeout=30)
    assert proc.returncode == 0 and json.loads(out)["terminal_state"] == "succeeded"


@pytest.mark.better("WS-08-07")
def test_follow_waits_for_a_retry_route(repo: Repo) -> None:
    """08 §10.7: a failure that a route is about to retry is not the end"""
    flow = repo.template(
        node("work", "command.run", {"script": "echo x >>tries"}, on={"succeeded": ["gate"]}),
        # Not a stop gate: only commit nodes may lead to one (04 §13.4).
        node("gate", "command.run", {"script": "test $(wc -l <tries) -ge 3"}, after=["work"], on={"failed": ["work"]}),
    )  # fmt: skip
    doc = repo.follow(flow).ok().json()
    assert doc["terminal_state"] == "succeeded" and repo.read("tries") == "x\n" * 3


@pytest.mark.better("WS-08-08")
def test_interrupting_the_follower_does_not_interrupt_the_nodes(repo: Repo) -> None:
    """08 §10.8, D9: children are detached from the caller's process group"""
    flow = repo.template(node("one", "command.run", {"script": "touch started; sleep 1; touch ended"}))
    proc = repo.start("run", flow, "--follow")
    repo.wait(lambda: repo.exists("started"), "the node to start")
    os.killpg(proc.pid, signal.SIGINT)
    proc.communicate(timeout=30)
    repo.wait(lambda: repo.exists("ended"), "the node to end by itself", timeout=10)
    repo.wait_status(repo.job("one"), "succeeded")


# --ephemeral (08 §6.12, §6.14)


def test_a_followed_ephemeral_run_leaves_no_vizier_directory(repo: Repo) -> None:
    """08 §6.14"""
    flow = repo.template(node("one", "command.run", {"script": "echo x"}), path="flow.json")
    doc = cleaned(repo, flow)
    assert doc["ephemeral"] is True and doc["terminal_state"] == "succeeded"
    assert doc["ephemeral_cleanup"]["state"] == "completed" and doc["ephemeral_cleanup"]["run_id"] == doc["run_id"]
    assert not repo.exists(".vizier")


def test_ephemeral_without_follow_only_marks(repo: Repo, flow: str) -> None:
    """08 §6.14, §6.8"""
    doc = repo.vizier("run", flow, "--ephemeral", "--require-approval", "--format", "json").ok().json()
    assert doc["ephemeral"] is True and repo.record(repo.job("one"))["metadata"]["ephemeral_run"] is True


# after run returns (08 §6.14)


def test_work_goes_on_after_run_returns(repo: Repo) -> None:
    """08 §6.14"""
    flow = repo.template(node("one", "command.run", {"script": "sleep 0.5; touch done"}))
    repo.enqueue(flow)
    repo.wait(lambda: repo.exists("done"), "the node to end")
    assert repo.wait_done() == {repo.job("one"): "succeeded"}
