"""The shipped templates as trees, built from the tables of spec 04 §20."""

from itertools import pairwise

from .trees import BUILTIN, Tree, custom, node, plan

WAIT = {"dependencies": {"missing_producer": "wait"}}
COMMIT_MESSAGE = "chore: workflow stage commit"
BOTH = [plan("plan_branch", "${slug}", "${branch}"), plan("plan_doc", "${slug}", "${branch}")]


def chained(*nodes: Tree) -> list[Tree]:
    """Nodes that follow each other by `after` and by `on.succeeded`."""
    for here, following in pairwise(nodes):
        here.setdefault("on", {})["succeeded"] = [following["id"]]
        following["after"] = [{"node_id": here["id"]}]
    return list(nodes)


def contracts(*ids: str) -> list[Tree]:
    return [{"id": contract, "version": "v1"} for contract in ids]


def draft() -> Tree:
    text = custom("plan_text", "draft_plan:${slug}")
    persist_args = {
        "branch": "${branch}",
        "name_override": "${slug}",
        "spec_file": "${spec_file}",
        "spec_source": "${spec_source}",
        "spec_text": "${spec_text}",
    }
    return {
        "id": "template.stage.draft",
        "version": "v2",
        "params": {
            "branch": "",
            "commit_message": COMMIT_MESSAGE,
            "slug": "",
            "spec_file": "",
            "spec_source": "inline",
            "spec_text": "",
        },
        "policy": WAIT,
        "artifact_contracts": contracts("prompt_text", "plan_text", "plan_branch", "plan_doc"),
        "cli": {"positional": ["spec_file", "slug", "branch"], "named": {"file": "spec_file", "name": "slug"}},
        "nodes": chained(
            node(
                "worktree_prepare",
                BUILTIN + "worktree.prepare",
                {"branch": "${branch}", "slug": "${slug}", "purpose": "stage-draft"},
            ),
            node(
                "resolve_prompt",
                BUILTIN + "prompt.resolve",
                {"prompt_file": ".vizier/prompts/DRAFT_PROMPTS.md"},
                produces={"succeeded": [custom("prompt_text", "draft_main")]},
            ),
            node(
                "invoke_agent",
                "cap.agent.invoke",
                needs=[custom("prompt_text", "draft_main")],
                produces={"succeeded": [text]},
            ),
            node("persist_plan", BUILTIN + "plan.persist", persist_args, needs=[text], produces={"succeeded": BOTH}),
            node("stage_files", BUILTIN + "git.stage", {"files_json": '["."]'}, produces={"succeeded": BOTH}),
            node(
                "stage_commit", BUILTIN + "git.commit", {"message": "${commit_message}"}, produces={"succeeded": BOTH}
            ),
            node("stop_gate", "control.gate.stop_condition"),
            node("worktree_cleanup", BUILTIN + "worktree.cleanup"),
            node("terminal", "control.terminal"),
        ),
    }


def approve() -> Tree:
    gate = {"kind": "script", "script": "${stop_condition_script}", "policy": "retry"}
    nodes = chained(
        node(
            "worktree_prepare",
            BUILTIN + "worktree.prepare",
            {"branch": "${branch}", "slug": "${slug}", "purpose": "stage-approve"},
            needs=BOTH,
        ),
        node(
            "resolve_prompt",
            BUILTIN + "prompt.resolve",
            {"prompt_file": ".vizier/prompts/APPROVE_PROMPTS.md"},
            produces={"succeeded": [custom("prompt_text", "approve_main")]},
        ),
        node("invoke_agent", "cap.agent.invoke", needs=[custom("prompt_text", "approve_main")]),
        node("stage_files", BUILTIN + "git.stage", {"files_json": '["."]'}),
        node("stage_commit", BUILTIN + "git.commit", {"message": "${commit_message}"}),
        node(
            "stop_gate",
            "control.gate.stop_condition",
            gates=[gate],
            retry={"mode": "until_gate", "budget": "${stop_condition_retries}"},
            on={"failed": ["stage_commit"]},
        ),
        node("worktree_cleanup", BUILTIN + "worktree.cleanup"),
        node("terminal", "control.terminal", produces={"succeeded": [custom("stage_token", "approve:${slug}")]}),
    )
    return {
        "id": "template.stage.approve",
        "version": "v2",
        "params": {
            "branch": "",
            "commit_message": COMMIT_MESSAGE,
            "slug": "",
            "stop_condition_retries": "3",
            "stop_condition_script": "",
        },
        "policy": WAIT,
        "artifact_contracts": contracts("prompt_text", "plan_branch", "plan_doc", "stage_token"),
        "cli": {"positional": ["slug", "branch"], "named": {"name": "slug"}},
        "nodes": nodes,
    }


def merge() -> Tree:
    integrate_args = {key: f"${{{key}}}" for key in ("branch", "delete_branch", "slug", "squash", "target_branch")}
    return {
        "id": "template.stage.merge",
        "version": "v2",
        "params": {
            "branch": "",
            "cicd_auto_resolve": "false",
            "cicd_auto_resolve_script": "",
            "cicd_script": "",
            "conflict_auto_resolve": "true",
            "delete_branch": "true",
            "merge_message": "",
            "slug": "",
            "squash": "true",
            "target_branch": "",
        },
        "policy": WAIT,
        "artifact_contracts": contracts("stage_token"),
        "cli": {
            "positional": ["slug", "branch", "target_branch"],
            "named": {"name": "slug", "source": "branch", "target": "target_branch"},
        },
        "nodes": [
            node(
                "merge_integrate",
                BUILTIN + "git.integrate_plan_branch",
                {**integrate_args, "message": "${merge_message}"},
                needs=[custom("stage_token", "approve:${slug}")],
                on={"succeeded": ["merge_gate_cicd"], "blocked": ["merge_conflict_resolution"]},
            ),
            node(
                "merge_conflict_resolution",
                "control.gate.conflict_resolution",
                {
                    "auto_resolve": "${conflict_auto_resolve}",
                    "slug": "${slug}",
                    "prompt_file": ".vizier/prompts/MERGE_PROMPTS.md",
                },
                on={"succeeded": ["merge_integrate"]},
            ),
            node(
                "merge_gate_cicd",
                "control.gate.cicd",
                {"auto_resolve": "${cicd_auto_resolve}", "auto_resolve_script": "${cicd_auto_resolve_script}"},
                gates=[{"kind": "cicd", "script": "${cicd_script}", "auto_resolve": False, "policy": "retry"}],
                on={"succeeded": ["terminal"]},
            ),
            node("terminal", "control.terminal"),
        ],
    }


def develop() -> Tree:
    return {
        "id": "template.develop",
        "version": "v1",
        "imports": [
            {"name": f"develop_{stage}", "path": f"workflows/{stage}.hcl"} for stage in ("draft", "approve", "merge")
        ],
        "links": [
            {"from": "develop_draft", "to": "develop_approve"},
            {"from": "develop_approve", "to": "develop_merge"},
        ],
        "cli": {
            "positional": ["spec_file", "slug", "branch", "target_branch"],
            "named": {"file": "spec_file", "name": "slug", "source": "branch", "target": "target_branch"},
        },
    }


def commit() -> Tree:
    context = {"script": "git status --short"}
    return {
        "id": "template.tools.commit",
        "version": "v1",
        "policy": WAIT,
        "artifact_contracts": contracts("prompt_text", "commit_message"),
        "nodes": chained(
            node("collect_context", args=context),
            node(
                "resolve_prompt",
                BUILTIN + "prompt.resolve",
                {"prompt_file": ".vizier/prompts/COMMIT_PROMPTS.md"},
                produces={"succeeded": [custom("prompt_text", "commit_prompt")]},
            ),
            node(
                "invoke_agent",
                "cap.agent.invoke",
                needs=[custom("prompt_text", "commit_prompt")],
                produces={"succeeded": [custom("commit_message", "tracked_changes")]},
            ),
            node("stage_tracked", args={"script": "git add -u"}),
            node(
                "commit_tracked",
                BUILTIN + "git.commit",
                {"message": "read_payload(commit_message)"},
                needs=[custom("commit_message", "tracked_changes")],
            ),
            node("terminal", "control.terminal"),
        ),
    }


FILES = {f"workflows/{name}.hcl": tree() for name, tree in (("draft", draft), ("approve", approve), ("merge", merge))}
