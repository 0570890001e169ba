"""The message for operators who forgot an input (spec 04 §10, 08 §6.6)."""

from typing import Any

import pytest

from vizier_kernel.template import TemplateError, preflight

from . import shipped
from .trees import BUILTIN, Tree, custom, expanded, node, shell, template

FLOW = "file:flow.json"
PREPARE = node("prep", BUILTIN + "worktree.prepare", {"branch": "${branch}", "slug": "${slug}", "purpose": "p"})


def message(tree: Tree, *, alias: str | None = None, **overrides: str) -> str:
    with pytest.raises(TemplateError) as caught:
        preflight(expanded(tree, shipped.FILES, **overrides), FLOW, alias)
    return str(caught.value)


def flow(*nodes: Tree, params: str = "", **cli: Any) -> Tree:
    return template(*nodes, params=dict.fromkeys(params.split(), ""), cli=cli)


def test_shipped_draft() -> None:
    text = message(shipped.draft(), alias="draft", spec_file="LIBRARY.md")
    assert text.splitlines() == [
        "error: missing required inputs for workflow `draft`: name, branch",
        "usage: vizier run draft <file> <name> <branch>",
        "example: vizier run draft --file LIBRARY.md --name my-change",
        "example (positional): vizier run draft LIBRARY.md my-change draft/my-change",
        "hint: vizier run draft --help",
    ]


def test_named_only() -> None:
    tree = flow(PREPARE, params="slug branch", named={"source": "branch", "name": "slug"})
    assert message(tree).splitlines() == [
        f"error: missing required inputs for workflow `{FLOW}`: source, name",
        f"usage: vizier run {FLOW} [--name <name>] [--source <source>]",
        f"example: vizier run {FLOW} --name my-change --source draft/my-change",
        f"hint: vizier run {FLOW} --help",
    ]


def test_without_cli() -> None:
    assert message(flow(PREPARE, params="slug branch")).splitlines() == [
        f"error: missing required inputs for workflow `{FLOW}`: branch, slug",
        f"usage: vizier run {FLOW} [--branch <branch>] [--slug <slug>]",
        f"example: vizier run {FLOW} --branch draft/my-change --slug my-change",
        f"hint: vizier run {FLOW} --help",
    ]


def test_required_inputs_follow_the_positional_order() -> None:
    tree = flow(PREPARE, params="slug branch other", positional=["other", "slug"])
    assert message(tree).splitlines()[0].endswith(": slug, branch")


def test_one_label_is_singular() -> None:
    tree = flow(node("prep", BUILTIN + "worktree.prepare", {"slug": "${slug}"}), params="slug", positional=["slug"])
    assert message(tree).splitlines()[0] == f"error: missing required input for workflow `{FLOW}`: slug"


@pytest.mark.parametrize(
    ("args", "labels"),
    [
        ({"slug": "", "plan": " "}, "slug, plan"),
        ({}, "branch, slug, plan"),
        ({"slug": "", "branch": ""}, "branch"),
        ({"plan": "${topic}"}, "plan"),
    ],
)
def test_what_is_asked_for_without_placeholders_that_help(args: dict[str, str], labels: str) -> None:
    """Declared parameters named like the arguments, else the arguments, else all that the rule lists."""
    tree = flow(node("prep", BUILTIN + "worktree.prepare", args), params="branch topic")
    assert message(tree).splitlines()[0].endswith(f": {labels}")


def test_ws_04_15_labels_follow_the_placeholder_to_an_input_of_the_command_line() -> None:
    prepare = node("prep", BUILTIN + "worktree.prepare", {"branch": "${line}"})
    assert message(flow(prepare, params="line", named={"wish": "line"})).splitlines()[0].endswith(": wish")
    assert message(flow(prepare, params="line", positional=["line"])).splitlines()[0].endswith(": line")


def test_one_input_is_enough() -> None:
    tree = flow(PREPARE, params="slug branch")
    preflight(expanded(tree, slug="x"), FLOW)
    preflight(expanded(tree, branch="x"), FLOW)
    assert message(tree, slug=" ", branch="\t").startswith("error: missing required inputs")


def test_integrate_has_a_rule_too() -> None:
    tree = flow(
        node("merge", BUILTIN + "git.integrate_plan_branch", {"plan_branch": "${branch}"}),
        params="branch",
        positional=["branch"],
    )
    assert message(tree).splitlines()[0].endswith(": branch")


def test_ws_04_15_r35_inputs_are_missed_behind_a_success_route() -> None:
    text = message(shipped.merge(), alias="merge")
    assert text.splitlines()[:2] == [
        "error: missing required inputs for workflow `merge`: name, source",
        "usage: vizier run merge <name> <source> <target>",
    ]
    preflight(expanded(shipped.merge(), slug="s"), FLOW)


def test_inputs_are_missed_behind_a_predecessor() -> None:
    tree = flow(shell("first"), {**PREPARE, "after": [{"node_id": "first"}]}, params="slug branch")
    assert message(tree).startswith("error: missing required inputs")


def test_a_later_node_that_no_input_can_help_is_left_to_the_rules() -> None:
    later = node("prep", BUILTIN + "worktree.prepare", {"branch": " "}, after=("first",))
    preflight(expanded(flow(shell("first"), later, params="branch")), FLOW)


def test_the_message_names_no_internals() -> None:
    text = message(flow(PREPARE, params="slug branch", positional=["slug", "branch"]))
    assert "prep" not in text
    assert "worktree" not in text
    assert "entry" not in text


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"uses": "vizier.commit"}, "uses unknown label `vizier.commit`"),
        ({"uses": " "}, "must declare an explicit canonical uses id"),
        ({"needs": [custom("paper", "k")]}, "without declared artifact contract `paper`"),
        ({"on": {"failed": ["gone"]}}, "references unknown on.failed target `gone`"),
    ],
)
def test_other_faults_of_entry_nodes_are_wrapped(bad: Tree, problem: str) -> None:
    text = message({"id": "t", "version": "v1", "nodes": [shell("n") | bad]})
    assert text.startswith(f"workflow `{FLOW}` failed entry-node preflight for `n`: template t@v1 node `n` ")
    assert problem in text


def test_faults_of_other_nodes_are_left_to_validation() -> None:
    tree = {"id": "t", "version": "v1", "nodes": [shell("n"), shell("m", after=("n",)) | {"uses": "nothing"}]}
    preflight(expanded(tree), FLOW)


def test_entry_nodes_are_looked_at_in_template_order() -> None:
    broken = shell("broken") | {"uses": "nothing"}
    assert message(flow(PREPARE, broken, params="slug branch")).startswith("error: missing")
    assert "`broken`" in message(flow(broken, PREPARE, params="slug branch"))


def test_nothing_to_check_without_nodes() -> None:
    preflight(expanded({"id": "t", "version": "v"}), FLOW)
