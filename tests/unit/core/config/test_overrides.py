"""Which agent does what, as typed tables (spec 07 §3)."""

from pathlib import Path

import pytest

from vizier_core.config import AgentOverride, AgentRuntime, Documentation, PromptKind, PromptOverride
from vizier_core.config.layers import decode
from vizier_core.errors import ConfigError


@pytest.mark.parametrize(("value", "selector"), [('"  CODEX  "', "codex"), ('"Mine"', "mine")])
def test_selector(settings_of, value, selector):
    assert settings_of(f"agent = {value}").agents.root.selector == selector


@pytest.mark.parametrize("value", ['["codex"]', "3", "true", '"   "', '""'])
def test_an_unusable_selector_is_none_and_nothing_is_said(read, value):
    """Spec 07 §11; black-box tests want silence."""
    for table in ("", "agents.default."):
        assert read(f"{table}agent = {value}")[:2] == ({}, ())


def test_runtime(settings_of):
    agents = settings_of(
        """
        [agents.default.agent]
        label = " Team "
        command = ["/opt/run", " --fast ", "", 3]
        progress_filter = " /opt/my filter "
        output = "wrapped"
        enable_script_wrapper = true
        """
    ).agents
    assert agents.default == AgentOverride(
        runtime=AgentRuntime(label="team", command=("/opt/run", "--fast"), progress_filter=("/opt/my filter",))
    )


def test_a_command_as_text_is_one_program(settings_of):
    assert settings_of('agent.command = "codex exec"').agents.root.runtime.command == ("codex exec",)


@pytest.mark.parametrize("label", ['""', "3", '"  "', "[]"])
def test_unusable_labels_are_ignored(settings_of, label):
    assert settings_of(f"agent.label = {label}").agents.root.runtime == AgentRuntime()


def test_ws_07_06_a_filter_can_be_switched_off(settings_of):
    assert settings_of("agent.progress_filter = false").agents.root.runtime.progress_filter == ()
    layers = ('agent.progress_filter = "cat"', "agent.progress_filter = false")
    assert settings_of(*layers).agents.root.runtime.progress_filter == ()
    assert settings_of(*reversed(layers)).agents.root.runtime.progress_filter == ("cat",)


def test_text_and_table_form_of_the_agent_are_independent(settings_of):
    agents = settings_of('[agent]\ncommand = "x"\nlabel = "l"\n', 'agent = "picked"\n', '[agent]\nlabel = "m"\n').agents
    assert agents.root == AgentOverride(selector="picked", runtime=AgentRuntime(label="m", command=("x",)))


def test_tables_by_alias_and_selector(settings_of):
    agents = settings_of(
        """
        [agents.commands."Build-All"]
        agent = "a"
        [agents.commands.empty]
        [agents.commands.odd]
        agent = 3
        [agents.templates." file:x.hcl "]
        agent = "b"
        """
    ).agents
    assert {alias: table.selector for alias, table in agents.commands.items()} == {"build_all": "a"}
    assert {selector: table.selector for selector, table in agents.templates.items()} == {"file:x.hcl": "b"}


def test_layers_merge_tables_field_by_field(settings_of):
    weak = """
        [agents.commands.ship]
        agent = "weak"
        documentation.include_snapshot = false
        documentation.enabled = false
        [agents.commands.ship.prompts.review]
        text = "weak"
        agent = "reviewer"
        [agents.commands.ship.prompts]
        commit = "kept"
        """
    strong = """
        [agents.Commands.SHIP]
        agent = { label = "strong" }
        documentation.enabled = "true"
        [agents.commands.ship]
        prompts.review = "strong"
        """
    assert settings_of(weak, strong).agents.commands["ship"] == AgentOverride(
        selector="weak",
        runtime=AgentRuntime(label="strong"),
        documentation=Documentation(use_prompt=True, include_snapshot=False),
        prompts={PromptKind.COMMIT: PromptOverride(text="kept"), PromptKind.REVIEW: PromptOverride(text="strong")},
    )


@pytest.mark.parametrize("name", ["merge_conflict", "Merge-Conflict", " MERGE_CONFLICT "])
def test_kinds_of_prompts_are_normalised(settings_of, name):
    prompts = settings_of(f'[agents.default.prompts]\n"{name}" = " verbatim \\n"').agents.default.prompts
    assert prompts == {PromptKind.MERGE_CONFLICT: PromptOverride(text=" verbatim \n")}


@pytest.mark.parametrize(
    ("table", "prompt"),
    [
        ('{ text = " a " }', PromptOverride(text="a")),
        ('{ text = " ", prompt = 3, template = "t", inline = "i" }', PromptOverride(text="t")),
        ('{ inline = "i", agent = "Some" }', PromptOverride(text="i", selector="some")),
        ('{ agent = { label = "l" } }', PromptOverride(runtime=AgentRuntime(label="l"))),
        ('{ path = " ", text = "a" }', PromptOverride(text="a")),
        ('{ path = " ", file = "never.md", text = "a" }', PromptOverride(text="a")),
        ("{ path = 3 }", None),
        ('{ agent = { output = "auto" } }', None),
        ("{}", None),
        ('"  "', None),
        ("3", None),
    ],
)
def test_prompts(settings_of, table, prompt):
    found = settings_of(f"[agents.default.prompts]\nreview = {table}").agents.default.prompts
    assert found == ({} if prompt is None else {PromptKind.REVIEW: prompt})


@pytest.mark.parametrize("key", ["path", "file"])
def test_a_prompt_file_is_read_verbatim_beside_the_configuration(tmp_path, key):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "p.md").write_bytes(b"\n Gr\xc3\xb6\xc3\x9fe\r\n\n")
    tree = {"agents": {"default": {"prompts": {"review": {key: " prompts/p.md ", "text": "no"}}}}}
    layer = decode(tree, tmp_path / "config.toml")
    assert layer.values == {
        ("agents.default.prompts.review", ()): PromptOverride(text="\n Größe\r\n\n", path=tmp_path / "prompts" / "p.md")
    }
    assert layer.files == (tmp_path / "config.toml", tmp_path / "prompts" / "p.md")


def test_an_empty_prompt_file_is_an_empty_prompt(tmp_path):
    (tmp_path / "p.md").write_text("")
    tree = {"agents": {"default": {"prompts": {"review": {"path": "p.md"}}}}}
    (prompt,) = decode(tree, tmp_path / "config.toml").values.values()
    assert prompt.text == ""


@pytest.mark.parametrize("content", [None, b"\xff", "directory"])
def test_ws_07_02_a_prompt_file_that_cannot_be_read_is_named_with_its_key(tmp_path: Path, content):
    path = tmp_path / "p.md"
    if content == "directory":
        path.mkdir()
    elif content:
        path.write_bytes(content)
    tree = {"agents": {"commands": {"ship": {"prompts": {"review": {"path": "p.md"}}}}}}
    with pytest.raises(ConfigError) as error:
        decode(tree, tmp_path / "c.toml")
    for part in (str(path), str(tmp_path / "c.toml"), "agents.commands.ship.prompts.review"):
        assert part in str(error.value)


@pytest.mark.parametrize("name", ["a\0b", "a\x1b[2Jb", "x" * 300])
def test_a_prompt_file_of_an_odd_name_is_one_printable_error(tmp_path, name):
    tree = {"agents": {"default": {"prompts": {"review": {"path": name}}}}}
    with pytest.raises(ConfigError, match=r"agents\.default\.prompts\.review") as error:
        decode(tree, tmp_path / "c.toml")
    assert str(error.value).isprintable()
