"""Weak spots of spec 04 §24 that only show from outside; the others are pinned in tests/unit/kernel/template."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from support.flows import command, template
from support.repository import Repository
from vizier_core.flow import prepare
from vizier_core.flow.formats import Tree
from vizier_core.flow.prepare import SPEC_FILE_LIMIT, give_inputs, load_flow, prepare_flow
from vizier_core.flow.resolve import FlowResolver

FLOW = template(command("n", "true"))
BROKEN = {
    ".vizier/a.toml": "= broken",
    ".vizier/b.json": "{",
    ".vizier/workflows/c.hcl": 'id = "template.test',
    ".vizier/workflows/d.toml": b"\xff",
}


def imports(*paths: str, **more: Any) -> str:
    stages = [{"name": f"s{index}", "path": path} for index, path in enumerate(paths)]
    return json.dumps({"id": "template.whole", "version": "v1", "imports": stages, **more})


def test_ws_04_01_nothing_is_left_of_a_run_that_is_refused(repository: Repository) -> None:
    pinned = {**command("last", "true", ["first"]), "preconditions": [{"kind": "pinned_head"}]}
    repository.write("pinned.json", template(command("first", "touch started"), pinned))
    repository.write("flow.json", template(command("first", "touch started")))
    for arguments in (("pinned.json",), ("flow.json", "--after", "nobody"), ("flow.json", "--after", "run:nobody")):
        repository.vizier("run", *arguments).fails(1)
    repository.wait_until_quiet()
    assert repository.records() == {}
    assert not list(repository.jobs_root.glob("runs/*"))
    assert not (repository.path / "started").exists()


def test_ws_04_07_a_broken_unrelated_file_is_named_and_skipped(repository: Repository) -> None:
    repository.write(".vizier/workflows/flow.json", FLOW)
    for name, content in BROKEN.items():
        repository.write(name, content)
    (repository.path / ".vizier" / "e.hcl").mkdir()
    os.symlink("nowhere", repository.path / ".vizier" / "f.toml")
    for arguments in (("audit", "template.test@v1"), ("run", "template.test@v1", "--check")):
        done = repository.vizier(*arguments).ok()
        for name in BROKEN:
            assert f"{repository.path}/{name}" in done.err
        assert done.err.count("skipping ") == len(BROKEN)
    # The wanted file itself is not skipped when it is named.
    repository.vizier("audit", ".vizier/a.toml").fails(1)


def test_ws_04_07_only_what_identifies_a_file_is_read_in_a_search(repository: Repository) -> None:
    repository.write(".vizier/flow.hcl", 'id = "template.other"\nversion = "v1"\nnodes = [{ id = nobody }]\n')
    repository.write(".vizier/workflows/flow.json", FLOW)
    assert repository.vizier("audit", "template.test@v1").ok().err == ""


@pytest.mark.parametrize("inside", [True, False], ids=["relative", "absolute"])
def test_ws_04_08_imports_stay_in_the_repository(repository: Repository, inside: bool) -> None:
    outside = repository.base / "outside.json"
    outside.write_text(FLOW)
    repository.write("flow.json", imports("../outside.json" if inside else str(outside)))
    done = repository.vizier("audit", "flow.json").fails(1)
    assert f"{outside} is outside repository root {repository.path}" in done.err


def test_ws_04_08_links_lead_nobody_out_of_the_repository(repository: Repository) -> None:
    outside = repository.base / "outside.json"
    outside.write_text(FLOW)
    (repository.path / ".vizier").mkdir()
    os.symlink(outside, repository.path / ".vizier" / "link.json")
    repository.write("flow.json", imports(".vizier/link.json"))
    for flow in ("flow.json", ".vizier/link.json", "template.test@v1"):
        assert "outside repository root" in repository.vizier("audit", flow).fails(1).err


@pytest.mark.parametrize(
    ("path", "phrase"),
    [
        (".vizier/workflow/part.json", "legacy workflow path `.vizier/workflow/*` is unsupported"),
        (".vizier/workflows/part.json", "legacy JSON stage workflows are unsupported"),
    ],
)
def test_ws_04_08_imports_may_not_be_what_a_flow_may_not_be(repository: Repository, path: str, phrase: str) -> None:
    repository.write(path, FLOW)
    repository.write("flow.json", imports(path))
    assert phrase in repository.vizier("audit", "flow.json").fails(1).err


def test_ws_04_09_every_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    def read_tree(path: Path) -> Tree:
        reads.append(path.name)
        return Tree(json.loads(path.read_text()), "JSON")

    monkeypatch.setattr(prepare, "read_tree", read_tree)
    (tmp_path / "flow.json").write_text(imports("part.json", "part.json", "middle.json"))
    (tmp_path / "middle.json").write_text(imports("part.json"))
    (tmp_path / "part.json").write_text(FLOW)
    flow = load_flow(FlowResolver(tmp_path, {}, None, print), "flow.json")
    given = give_inputs(flow, [], [])
    for item in ({}, {"slug": "a"}, {"slug": "b"}):
        prepare_flow(given, tmp_path, item).compile("run_1")
    assert reads == ["flow.json", "part.json", "middle.json"]


NASTY = "'; touch injected; echo '$(touch injected)`touch injected`\"\\ ${HOME} *"


def test_ws_04_11_a_quoted_heredoc_takes_any_value(repository: Repository) -> None:
    script = "cat > value.txt <<'END OF VALUE'\n${value}\nEND OF VALUE\n"
    repository.write("flow.json", template(command("n", script), params={"value": ""}))
    repository.vizier("run", "flow.json", "--set", f"value={NASTY}", "--follow").ok()
    assert repository.read("value.txt") == f"{NASTY}\n"
    assert not (repository.path / "injected").exists()


def test_ws_04_12_policies_that_do_not_apply_are_listed(repository: Repository) -> None:
    wait = {"dependencies": {"missing_producer": "wait"}}
    repository.write("part.json", template(command("n", "true"), policy=wait))
    repository.write("flow.json", imports("part.json"))
    done = repository.vizier("audit", "flow.json").ok()
    assert done.out.endswith("\n\nPolicies of stages that do not apply:\n- s0: missing_producer = wait\n")
    report = repository.vizier("audit", "flow.json", "--format", "json").ok().json()
    assert report["overruled_policies"] == [{"stage": "s0", "missing_producer": "wait"}]
    repository.write("flow.json", imports("part.json", policy=wait))
    assert "do not apply" not in repository.vizier("audit", "flow.json").ok().out
    assert repository.vizier("audit", "flow.json", "--format", "json").ok().json()["overruled_policies"] == []


def test_ws_04_12_stages_that_disagree_about_a_parameter_are_named(repository: Repository) -> None:
    repository.write("one.json", template(command("n", "true"), params={"p": "1"}))
    repository.write("two.json", template(command("n", "true"), params={"p": "2"}))
    repository.write("flow.json", imports("one.json", "two.json"))
    done = repository.vizier("audit", "flow.json").fails(1)
    assert "conflicting parameter default for `p`: stage `s1` says `2`, but it is `1` already" in done.err
    # Nobody needs to be confused by a parent that repeats what the stages say.
    repository.write("flow.json", imports("one.json", "one.json", params={"p": "1"}))
    repository.vizier("audit", "flow.json", "--set", "p=3").ok()


def test_ws_04_16_two_merges_in_one_flow_are_refused_with_both_gates(repository: Repository) -> None:
    repository.vizier("init").ok()
    repository.write("flow.json", imports(".vizier/workflows/merge.hcl", ".vizier/workflows/merge.hcl"))
    done = repository.vizier("audit", "flow.json", "--set", "slug=s").fails(1)
    assert "violate single-gate cardinality" in done.err
    assert "[s0__merge_gate_cicd, s1__merge_gate_cicd]" in done.err


def test_ws_04_17_a_precondition_about_an_unclear_branch_is_a_warning(repository: Repository) -> None:
    node = {
        "id": "n",
        "kind": "shell",
        "uses": "cap.env.shell.command.run",
        "args": {"script": "true", "branch": "a", "target": "b"},
        "preconditions": [{"kind": "branch_exists"}],
    }
    repository.write("flow.json", template(node))
    for arguments in (("audit", "flow.json"), ("run", "flow.json", "--check")):
        done = repository.vizier(*arguments).ok()
        assert "node `n` locks several branches (a, b)" in done.err


def plan(repository: Repository) -> None:
    node = {
        "id": "n",
        "uses": "cap.env.builtin.plan.persist",
        "args": {"spec_file": "${spec}", "slug": "s", "plan_body": "b"},
    }
    repository.write("flow.json", template(node, params={"spec": ""}))


def test_ws_04_19_a_spec_file_has_a_largest_size(repository: Repository) -> None:
    plan(repository)
    repository.write("fits.md", "x" * SPEC_FILE_LIMIT)
    repository.vizier("run", "flow.json", "--set", "spec=fits.md", "--check").ok()
    repository.write("big.md", "x" * (SPEC_FILE_LIMIT + 1))
    for arguments in (("audit", "flow.json"), ("run", "flow.json", "--check"), ("run", "flow.json")):
        done = repository.vizier(*arguments, "--set", "spec=big.md").fails(1)
        assert done.err.strip() == (
            "could not read spec file big.md for node `n`: larger than 4 MiB; shorten it or split the work"
        )
    # Endless ones, too.
    assert "larger than 4 MiB" in repository.vizier("audit", "flow.json", "--set", "spec=/dev/zero").fails(1).err


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("none.md", None, "No such file or directory"),
        ("latin.md", b"caf\xe9", "not valid UTF-8 at byte 3"),
        (".", None, "Is a directory"),
    ],
)
def test_ws_04_19_a_spec_file_that_cannot_be_read(
    repository: Repository, name: str, content: bytes | None, problem: str
) -> None:
    plan(repository)
    if content is not None:
        repository.write(name, content)
    done = repository.vizier("run", "flow.json", "--set", f"spec={name}", "--check").fails(1)
    assert done.err.strip() == f"could not read spec file {name} for node `n`: {problem}"


def test_ws_04_20_the_commit_flow_prints_line_breaks(repository: Repository) -> None:
    repository.vizier("init").ok()
    repository.git("add", "-A")
    repository.git("commit", "-qm", "scaffold")
    flow = repository.read(".vizier/workflows/commit.hcl")
    assert "\\\\n" not in flow
    repository.write("README.md", "changed\n")
    tree = repository.vizier("run", "commit", "--require-approval", "--format", "json").ok().json()
    manifest = json.loads(repository.read(f".vizier/jobs/runs/{tree['run_id']}.json"))
    script = manifest["nodes"]["collect_context"]["args"]["script"]
    repository.write("collect.json", template({**command("only", ""), "args": {"script": script}}))
    repository.vizier("run", "collect.json", "--follow").ok()
    lines = repository.read(".vizier/tmp/commit-context.txt").splitlines()
    assert lines[:2] == ["## Tracked Status", " M README.md"]
