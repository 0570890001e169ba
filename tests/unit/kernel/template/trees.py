"""Plain trees of templates for tests, and the way from a tree to its compiled form."""

from typing import Any

import pytest

from vizier_kernel.template import (
    CompiledNode,
    CompiledWorkflow,
    Composed,
    Expanded,
    LoadedTemplate,
    TemplateError,
    compile_workflow,
    compose,
    decode_template,
    expand,
)

Tree = dict[str, Any]

OUTCOMES = ("succeeded", "failed", "blocked", "cancelled")

SHELL = "cap.env.shell.command.run"
BUILTIN = "cap.env.builtin."


def node(
    node_id: str, uses: str = SHELL, args: dict[str, str] | None = None, *, after: tuple[str, ...] = (), **more: Any
) -> Tree:
    """A node of the kind that fits its `uses`."""
    kinds = {"cap.agent": "agent", "cap.env.shell": "shell", "control": "gate"}
    kind = next((kind for prefix, kind in kinds.items() if uses.startswith(prefix)), "builtin")
    return {
        "id": node_id,
        "kind": kind,
        "uses": uses,
        "args": args or {},
        "after": [{"node_id": a} for a in after],
        **more,
    }


def shell(node_id: str, script: str = "true", **more: Any) -> Tree:
    """A node that runs a command and follows all rules."""
    return node(node_id, SHELL, {"script": script}, **more)


def custom(type_id: str, key: str) -> Tree:
    return {"custom": {"type_id": type_id, "key": key}}


def plan(kind: str, slug: str, branch: str) -> Tree:
    return {kind: {"slug": slug, "branch": branch}}


def template(*nodes: Tree, **top: Any) -> Tree:
    """A template with these nodes and a contract for every artifact they name."""
    named = [
        a for n in nodes for a in (*n.get("needs", ()), *(a for made in n.get("produces", {}).values() for a in made))
    ]
    contracts = dict.fromkeys(body["type_id"] if kind == "custom" else kind for a in named for kind, body in a.items())
    contracts.pop("operation_output", None)
    return {
        "id": "template.t",
        "version": "v1",
        "artifact_contracts": [{"id": c} for c in contracts],
        "nodes": list(nodes),
        **top,
    }


def load(tree: object, origin: str = "/repo/flow.json") -> LoadedTemplate:
    return decode_template(tree, origin=origin)


def composed(tree: object, files: dict[str, Tree] | None = None) -> Composed:
    """Composes a tree; `files` are the files next to it, by path as written in imports."""

    def find(path: str, _importing: str) -> LoadedTemplate:
        if files is None or path not in files:
            raise TemplateError(f"no file {path}")
        return load(files[path], f"/repo/{path}")

    return compose(load(tree), find)


def expanded(tree: object, files: dict[str, Tree] | None = None, /, **overrides: str) -> Expanded:
    return expand(composed(tree, files), overrides)


def compiled(tree: object, files: dict[str, Tree] | None = None, /, **overrides: str) -> CompiledWorkflow:
    return compile_workflow(expanded(tree, files, **overrides), run_id="run_1")


def only(tree: object, node_id: str = "n", /, **overrides: str) -> CompiledNode:
    """One node of a compiled tree."""
    return next(n for n in compiled(tree, **overrides).nodes if n.id == node_id)


def refusal(*nodes: Tree, **top: Any) -> str:
    """Why a template with these nodes is refused."""
    with pytest.raises(TemplateError) as caught:
        compiled(template(*nodes, **top))
    return str(caught.value)
