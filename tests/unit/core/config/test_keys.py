"""The list of keys: everything in it is read, has the effect that it promises, and is shown again."""

from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.config import Settings
from vizier_core.config.effective import Effective, make_settings
from vizier_core.config.explain import explain_settings
from vizier_core.config.keys import KEYS, Key, Status
from vizier_core.config.layers import decode

WORDS = st.text(min_size=1, max_size=12).filter(lambda text: text.strip())
TEXTS = WORDS.map(str.strip)

#: A value that is no default for each kind of key, by what is expected.
SAMPLES = {
    "true or false": None,
    "true or false, without quotes": None,
    "a text": "some text",
    "a name": "name",
    "a number of seconds greater than 0": 2.5,
    "a whole number, 0 or greater": 7,
    "a whole number from 0 to 4294967295": 7,
    "a whole number greater than 0": 7,
    "a list of field names": ["Job", "Größe"],
    "a list of commands, or a table with the list `commands`": ["make test"],
    "a directory": "/srv/flows",
    "the name of an agent": "mine",
    "a template file or id@version": "file:.vizier/x.hcl",
    "a program, or a list of a program and its arguments": ["run", "--fast"],
    "a program, a list of a program and its arguments, or false": False,
    "auto, wrapped or wrapped-json": "wrapped",
    "auto or exec": "exec",
    "block, table or json": "json",
    "primary, build or the name of a branch": "release/1",
    "approve, approve-review or approve-review-merge": "approve-review",
    "apply_fixes, review_only or review_file": "review_only",
    "strict or explicit": "explicit",
    "block_downstream or continue_independent": "continue_independent",
    "header, trailers, both or none": "both",
    "relative, absolute or none": "none",
    "full, summary or none": "summary",
    "a list of session_id, session_log, author_note, narrative_summary": ["author_note"],
    "a list of Target branch, Plan branch, Summary": ["Summary"],
    "a text, or a table with `path` or `text`": {"text": "Do it.", "agent": "mine"},
}


def sample(key: Key) -> object:
    """A value for a key that differs from its default."""
    value = SAMPLES[key.kind.expected]
    return not key.default if value is None else value


def tree_of(key: Key, value: object, chosen: str = "chosen") -> dict:
    """A tree that sets nothing but one key."""
    tree = value
    for part in reversed(key.path.split(".")):
        tree = {chosen if part.startswith("<") else part: tree}
    return tree


@pytest.mark.parametrize("key", KEYS, ids=[key.path for key in KEYS])
def test_every_key_has_one_row_and_is_understood(key):
    assert [other.path for other in KEYS].count(key.path) == 1
    layer = decode(tree_of(key, sample(key)), Path("/config.toml"))
    ((path, _),) = layer.values
    assert (path, layer.warnings) == (key.path, ())


@pytest.mark.parametrize("key", KEYS, ids=[key.path for key in KEYS])
def test_exactly_the_live_keys_change_the_settings(key):
    settings = make_settings(Effective([decode(tree_of(key, sample(key)), Path("/config.toml"))]))
    # Whatever stands in an override table makes it appear, and every prompt is at hand for who asks for it.
    if not key.path.startswith("agents."):
        assert (settings != Settings()) == (key.status is Status.LIVE)


@pytest.mark.parametrize("key", KEYS, ids=[key.path for key in KEYS])
def test_every_key_comes_back_with_its_source(root, configure, key):
    path = configure(tomli_w.dumps(tree_of(key, sample(key))))
    (value,) = [value for value in explain_settings(root) if value.source]
    assert (value.value, value.source, value.legacy) == (sample(key), path, key.status is Status.LEGACY)
    assert value.key == ".".join("chosen" if part.startswith("<") else part for part in key.path.split("."))


@given(selector=TEXTS, label=TEXTS, other=TEXTS)
def test_names_that_need_quotes_come_back(tmp_path_factory, selector, label, other):
    root = tmp_path_factory.getbasetemp() / "quotes"
    (root / ".vizier").mkdir(parents=True, exist_ok=True)
    tree = {"agents": {"templates": {selector: {"agent": {"command": [label, other]}}}}}
    (root / ".vizier" / "config.toml").write_text(tomli_w.dumps(tree), newline="")
    (value,) = [value for value in explain_settings(root) if value.source]
    assert value.value == [label, other]
    # What is printed can be written into a file as it stands.
    (root / ".vizier" / "config.toml").write_text(f"{value.key} = ['again']\n", newline="")
    (again,) = [value for value in explain_settings(root) if value.source]
    assert (again.key, again.value) == (value.key, ["again"])


@pytest.mark.parametrize(
    "prompt",
    [
        {"text": "x"},
        {"agent": "mine"},
        {"agent": {"label": "mine", "command": ["x"], "progress_filter": False}},
        {"text": "x", "agent": {"progress_filter": ["cat"]}},
    ],
)
def test_a_prompt_comes_back_as_a_file_would_say_it(root, configure, prompt):
    configure(tomli_w.dumps({"agents": {"default": {"prompts": {"review": prompt}}}}))
    (value,) = [value for value in explain_settings(root) if value.source]
    assert value.value == prompt


def test_a_prompt_from_a_file_comes_back_with_its_path(root, configure):
    path = configure("agents.default.prompts.review.path = 'p.md'").with_name("p.md")
    path.write_text("x")
    (value,) = [value for value in explain_settings(root) if value.source]
    assert value.value == {"path": str(path), "text": "x"}


def test_defaults_are_shown_where_no_file_speaks(root):
    values = explain_settings(root)
    assert {value.source for value in values} == {None}
    assert not any(value.legacy for value in values)
    shown = {value.key: value.value for value in values}
    assert shown["agent"] == "codex"
    assert shown["jobs.lock_timeout_seconds"] == 10.0
    assert shown["display.lists.list.header_fields"] == ["Outcome", "Target"]
    assert not [key for key in shown if "<" in key]


def test_each_value_names_the_file_that_decided(root, tmp_path, monkeypatch, configure):
    monkeypatch.setenv("VIZIER_CONFIG_DIR", str(tmp_path))
    everywhere = tmp_path / "vizier" / "config.toml"
    everywhere.parent.mkdir()
    everywhere.write_text('git.sign = true\n[display.lists.jobs.labels]\njob = "A"\nstatus = "B"\n')
    here = configure('[display.lists.jobs.labels]\nstatus = "C"\n[jobs]\nlauncher = "exec"\n')
    found = {value.key: (value.value, value.source) for value in explain_settings(root)}
    assert found["git.sign"] == (True, everywhere)
    assert found["display.lists.jobs.labels.job"] == ("A", everywhere)
    assert found["display.lists.jobs.labels.status"] == ("C", here)
    assert found["jobs.launcher"] == ("exec", here)
    assert found["git.hooks"] == (False, None)


def test_what_belongs_to_one_name_stands_together(root, configure):
    configure(
        """
        [agents.commands.b]
        agent = "x"
        documentation.snapshot = true
        [agents.commands.a]
        agent = "y"
        documentation.snapshot = true
        """
    )
    keys = [value.key for value in explain_settings(root) if value.source]
    assert keys == [
        "agents.commands.a.agent",
        "agents.commands.a.documentation.include_snapshot",
        "agents.commands.b.agent",
        "agents.commands.b.documentation.include_snapshot",
    ]


def test_an_explicit_file_is_the_only_source(root, tmp_path, configure):
    configure("git.sign = true\n")
    only = tmp_path / "only.toml"
    only.write_text("git.hooks = true\n")
    assert [(v.key, v.source) for v in explain_settings(root, only) if v.source] == [("git.hooks", only)]
