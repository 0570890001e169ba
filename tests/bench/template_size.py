"""Large flows: `run --check` and `audit` of a flow composed of 20 files, against `vizier --version`, in turns."""

import argparse
import json
import math
import statistics
import subprocess
from collections.abc import Callable

from common import VIZIER, Scratch, header, row, scratch, timed

FILES = 20


def hcl(value: object, indent: str = "") -> str:
    """A value as HCL, laid out as in the shipped templates: what fits in a line is in one."""
    if not isinstance(value, dict | list):
        return json.dumps(value).replace("${", "$${")
    deeper = f"{indent}  "
    parts = [hcl(item, deeper) for item in (value.values() if isinstance(value, dict) else value)]
    if isinstance(value, dict):
        parts = [f"{key} = {part}" for key, part in zip(value, parts, strict=True)]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if sum(map(len, parts)) < 90 and not any("\n" in part for part in parts):
        return f"{opening} {', '.join(parts)} {closing}" if isinstance(value, dict) else f"[{', '.join(parts)}]"
    ending = "" if isinstance(value, dict) else ","
    return "\n".join([opening, *(f"{deeper}{part}{ending}" for part in parts), f"{indent}{closing}"])


def toml(value: dict[str, object]) -> str:
    """A template as TOML, a table for each node."""

    def inline(item: object) -> str:
        if isinstance(item, dict):
            return "{ " + ", ".join(f"{key} = {inline(part)}" for key, part in item.items()) + " }"
        if isinstance(item, list):
            return "[" + ", ".join(map(inline, item)) + "]"
        return json.dumps(item)

    nodes = value["nodes"]
    assert isinstance(nodes, list)
    lines = [f"{key} = {inline(item)}" for key, item in value.items() if key != "nodes"]
    for node in nodes:
        lines += ["", "[[nodes]]", *(f"{key} = {inline(item)}" for key, item in node.items())]
    return "\n".join(lines) + "\n"


FORMATS: dict[str, Callable[[dict[str, object]], str]] = {
    "hcl": lambda tree: "".join(f"{key} = {hcl(item)}\n" for key, item in tree.items()),
    "toml": toml,
    "json": lambda tree: json.dumps(tree, indent=2),
}


def node(stage: int, number: int, of: int) -> dict[str, object]:
    """A step as real flows have them: a script with a placeholder, an artifact from the step before, a route."""
    return {
        "id": f"n{number}",
        "name": f"Step {number} of ${{topic}}",
        "kind": "shell",
        "uses": "cap.env.shell.command.run",
        "args": {"script": f"make step-{number} TOPIC=${{topic}}", "branch": "${branch}"},
        "needs": [{"custom": {"type_id": "step", "key": f"{stage}-{number - 1}"}}] if number else [],
        "produces": {"succeeded": [{"custom": {"type_id": "step", "key": f"{stage}-{number}"}}]},
        "on": {"succeeded": [f"n{number + 1}"] if number + 1 < of else []},
    }


def write(repository: Scratch, form: str, nodes: int) -> str:
    """The files of a flow with so many nodes; the name of the root."""
    render = FORMATS[form]
    each = nodes // FILES
    for stage in range(FILES):
        tree: dict[str, object] = {
            "id": f"template.stage{stage}",
            "version": "v1",
            "params": {"topic": "tides", "branch": "draft/tides"},
            "artifact_contracts": [{"id": "step", "version": "v1", "schema": {"type": "object", "required": ["key"]}}],
            "nodes": [node(stage, number, each) for number in range(each)],
        }
        (repository.path / f"stage{stage}.{form}").write_text(render(tree))
    root: dict[str, object] = {
        "id": "template.large",
        "version": "v1",
        "imports": [{"name": f"s{stage}", "path": f"stage{stage}.{form}"} for stage in range(FILES)],
        "links": [{"from": f"s{stage}", "to": f"s{stage + 1}"} for stage in range(FILES - 1)],
        "nodes": [],
    }
    (repository.path / f"large.{form}").write_text(render(root))
    return f"large.{form}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--turns", type=int, default=15)
    options = parser.parse_args()
    with scratch() as repository:

        def start(*words: str) -> float:
            return timed(
                lambda: subprocess.run(
                    [*VIZIER, *words], cwd=repository.path, env=repository.env, check=True, capture_output=True
                )
            )

        print(header("--version"))
        for form in options.formats:
            medians: dict[str, list[float]] = {}
            for nodes in options.nodes:
                flow = write(repository, form, nodes)
                commands = {"run --check": ("run", flow, "--check"), "audit": ("audit", flow)}
                times: dict[str, list[float]] = {name: [] for name in commands}
                idle = []
                for _ in range(options.turns):
                    idle.append(start("--version"))
                    for name, words in commands.items():
                        times[name].append(start(*words))
                for name, values in times.items():
                    print(row(f"{form}, {nodes} nodes, {name}", values, idle))
                    medians.setdefault(name, []).append(statistics.median(values) - statistics.median(idle))
            for name, costs in medians.items():
                # What a node costs, beyond the start of the program, relative to the smallest flow; n log n allows
                # for the quotient of the logarithms.
                first = costs[0] / options.nodes[0]
                growth = [
                    f"{n}: x {cost / n / first:.2f} (n log n: x {math.log(n) / math.log(options.nodes[0]):.2f})"
                    for n, cost in zip(options.nodes, costs, strict=True)
                ]
                print(f"  {form}, {name}, time per node: {', '.join(growth)}")


if __name__ == "__main__":
    main()
