"""Flows for tests, as JSON templates."""

import json
from collections.abc import Sequence
from typing import Any

Node = dict[str, Any]


def command(node_id: str, script: str, after: Sequence[str] = (), **more: Any) -> Node:
    """A node that runs a shell script."""
    return {
        "id": node_id,
        "kind": "shell",
        "uses": "cap.env.shell.command.run",
        "args": {"script": script},
        # A shared lock of its own: without one, nodes would wait for each other.
        "locks": [{"key": "tests", "mode": "shared"}],
        "after": [{"node_id": name} for name in after],
        **more,
    }


def template(*nodes: Node, **more: Any) -> str:
    """The text of a template."""
    return json.dumps({"id": "template.test", "version": "v1", "nodes": list(nodes), **more}, indent=1)


def builtin(node_id: str, operation: str, args: dict[str, str], after: Sequence[str] = (), **more: Any) -> Node:
    """A node that runs an operation of the program's own."""
    return {
        "id": node_id,
        "kind": "builtin",
        "uses": f"cap.env.builtin.{operation}",
        "args": args,
        "after": [{"node_id": name} for name in after],
        **more,
    }
