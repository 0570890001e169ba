"""What is wrong in the third file of a chain of imports is reported with that file, its line and the chain."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from support.repository import Repository


class Format(NamedTuple):
    """How the files of a chain are written in a format."""

    suffix: str
    #: A file that imports another.
    importing: Callable[[str, str], str]
    #: The third file without mistakes.
    third: str


HCL = Format(
    "hcl",
    lambda name, path: f'id = "template.{name}"\nversion = "v1"\nimports = [{{ name = "{name}", path = "{path}" }}]\n',
    """id      = "template.third"
version = "v1"

nodes = [
  {
    id   = "first"
    kind = "shell"
    uses = "cap.env.shell.command.run"
    args = { script = "true" }
  },
  {
    id   = "second"
    kind = "shell"
    uses = "cap.env.shell.command.run"
    args = { script = "true" }
  },
]
""",
)
TOML = Format(
    "toml",
    lambda name, path: f'id = "template.{name}"\nversion = "v1"\n\n[[imports]]\nname = "{name}"\npath = "{path}"\n',
    """id = "template.third"
version = "v1"

# A [comment] and a text with brackets must not mislead: "[[nodes]]".
[[nodes]]
id = "first"
kind = "shell"
uses = "cap.env.shell.command.run"
args = { script = "true" }

[[nodes]]
id = "second"
kind = "shell"
uses = "cap.env.shell.command.run"

[nodes.args]
script = "true"
""",
)
JSON = Format(
    "json",
    lambda name, path: (
        f'{{"id": "template.{name}", "version": "v1", "imports": [{{"name": "{name}", "path": "{path}"}}]}}'
    ),
    """{
  "id": "template.third",
  "version": "v1",
  "nodes": [
    {
      "id": "first",
      "kind": "shell",
      "uses": "cap.env.shell.command.run",
      "args": { "script": "true" }
    },
    {
      "id": "second",
      "kind": "shell",
      "uses": "cap.env.shell.command.run",
      "args": { "script": "true" }
    }
  ]
}
""",
)
FORMATS = {form.suffix: form for form in (HCL, TOML, JSON)}

#: Changes of the second node, what is said about them, and the line that is named, by format.
MISTAKES: dict[str, tuple[dict[str, str], str, dict[str, int]]] = {
    "syntax": (
        {"hcl": 'id   = "second', "toml": 'id = "second', "json": '"id": "second'},
        "invalid ",
        {"hcl": 12, "toml": 12, "json": 12},
    ),
    "type": (
        {"hcl": "id   = 2", "toml": "id = 2", "json": '"id": 2,'},
        "nodes[1].id: expected a string, got a number",
        {"hcl": 12, "toml": 12, "json": 12},
    ),
    "missing": (
        {"hcl": "", "toml": "", "json": ""},
        "nodes[1]: missing field `id`",
        {"hcl": 11, "toml": 11, "json": 11},
    ),
    "parameter": (
        {
            "hcl": 'id = "second"\n name = "$${nix}"',
            "toml": 'id = "second"\nname = "${nix}"',
            "json": '"id": "second", "name": "${nix}",',
        },
        "unresolved parameter `nix` in nodes[two__three__second].name",
        {"hcl": 11, "toml": 11, "json": 11},
    ),
    "reference": (
        {
            "hcl": 'id = "second"\n after = [{ node_id = "nix" }]',
            "toml": 'id = "second"\nafter = [{ node_id = "nix" }]',
            "json": '"id": "second", "after": [{ "node_id": "nix" }],',
        },
        "references unknown after node `nix`",
        {"hcl": 11, "toml": 11, "json": 11},
    ),
    "contract": (
        {
            "hcl": 'id = "second"\n needs = [{ merge_sentinel = { slug = "s" } }]',
            "toml": 'id = "second"\nneeds = [{ merge_sentinel = { slug = "s" } }]',
            "json": '"id": "second", "needs": [{ "merge_sentinel": { "slug": "s" } }],',
        },
        "without declared artifact contract `merge_sentinel`",
        {"hcl": 11, "toml": 11, "json": 11},
    ),
}
RIGHT = {"hcl": 'id   = "second"', "toml": 'id = "second"', "json": '"id": "second",'}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_mistake_in_the_third_file_is_told_with_file_line_and_chain(
    repository: Repository, suffix: str, mistake: str
) -> None:
    form = FORMATS[suffix]
    changes, problem, lines = MISTAKES[mistake]
    assert RIGHT[suffix] in form.third
    repository.write(f"first.{suffix}", form.importing("two", f"second.{suffix}"))
    repository.write(f"second.{suffix}", form.importing("three", f"third.{suffix}"))
    third = repository.write(f"third.{suffix}", form.third.replace(RIGHT[suffix], changes[suffix]))
    for command in (("audit",), ("run", "--check"), ("run",)):
        done = repository.vizier(command[0], f"first.{suffix}", *command[1:]).fails(1)
        assert done.out == ""
        assert problem in done.err
        assert f"{third}:{lines[suffix]}:" in done.err
        assert done.err.rstrip().endswith("in the template imported as `two` -> `three`")
    assert repository.records() == {}


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_warning_about_the_third_file_names_file_and_line(repository: Repository, suffix: str) -> None:
    form = FORMATS[suffix]
    unknown = {
        "hcl": 'id = "second"\n  aftr = []',
        "toml": 'id = "second"\naftr = []',
        "json": '"id": "second",\n"aftr": [],',
    }
    repository.write(f"first.{suffix}", form.importing("two", f"second.{suffix}"))
    repository.write(f"second.{suffix}", form.importing("three", f"third.{suffix}"))
    third = repository.write(f"third.{suffix}", form.third.replace(RIGHT[suffix], unknown[suffix]))
    done = repository.vizier("audit", f"first.{suffix}").ok()
    assert done.err.startswith(f"{third}:13:")
    assert "unknown key `aftr` is ignored; did you mean `after`?" in done.err


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_third_file_that_is_not_there_is_told_with_the_chain(repository: Repository, suffix: str) -> None:
    form = FORMATS[suffix]
    repository.write(f"first.{suffix}", form.importing("two", f"second.{suffix}"))
    repository.write(f"second.{suffix}", form.importing("three", f"third.{suffix}"))
    done = repository.vizier("audit", f"first.{suffix}").fails(1)
    assert f"{repository.path}/third.{suffix}" in done.err
    assert done.err.rstrip().endswith("in the template imported as `two` -> `three`")
