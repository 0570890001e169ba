"""Which agent a job gets (spec 07 §§4.2, 5.1-5.2)."""

import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.agent.errors import InvalidLabelError
from vizier_core.agent.settings import (
    AgentIdentity,
    AgentSettings,
    Backend,
    PromptContext,
    PromptOrigin,
    PromptText,
    agent_identity,
    prompt_override,
    resolve_agent,
)
from vizier_core.config import AgentOverride, AgentRuntime, AgentTables, Documentation, PromptKind
from vizier_core.config.effective import Effective, make_settings
from vizier_core.config.layers import decode
from vizier_core.jobs.model import JobMetadata

NOBODY = AgentIdentity()
SHIP = AgentIdentity("ship", "file:x.hcl")


def tables(*texts: str) -> AgentTables:
    """What configuration files, the strongest last, say about agents."""
    return make_settings(Effective(decode(tomllib.loads(text), Path("/p/config.toml")) for text in texts)).agents


def resolved(text: str, identity: AgentIdentity = NOBODY, kind: PromptKind | None = None) -> AgentSettings:
    return resolve_agent(tables(text), identity, kind)


@pytest.mark.parametrize(
    ("metadata", "identity"),
    [
        (JobMetadata(), NOBODY),
        (JobMetadata(workflow_template_selector="file:x.hcl"), NOBODY),
        (JobMetadata(command_alias="ship", workflow_template_selector=" file:x.hcl "), SHIP),
        (JobMetadata(command_alias="ship", scope="other", workflow_template_selector="file:x.hcl"), SHIP),
        (JobMetadata(scope="Ship", workflow_template_selector="file:x.hcl"), SHIP),
        (JobMetadata(command_alias="ship"), AgentIdentity("ship", "file:configured.hcl")),
        (
            JobMetadata(command_alias="ship", workflow_template_selector=" "),
            AgentIdentity("ship", "file:configured.hcl"),
        ),
        (JobMetadata(command_alias="other"), AgentIdentity("other", None)),
        (JobMetadata(command_alias="--", workflow_template_selector="file:x.hcl"), NOBODY),
    ],
)
def test_identity(metadata, identity):
    assert agent_identity(metadata, {"ship": "file:configured.hcl"}) == identity


def test_nothing_configured():
    assert resolved("") == AgentSettings(selector="codex", label="codex", timeout=43200.0)
    assert resolve_agent(AgentTables(), SHIP) == resolved("")


@pytest.mark.parametrize(
    ("selector", "backend"), [("gemini", Backend.GEMINI), ("codex", Backend.AGENT), ("x", Backend.AGENT)]
)
def test_backend(selector, backend):
    found = resolved(f'agent = "{selector}"')
    assert (found.backend, found.label) == (backend, selector)


def test_the_limit_comes_along():
    assert resolved("jobs.agent_timeout_seconds = 5").timeout == 5.0


EVERYWHERE = """
agent = "root"
[agents.default]
agent = "base"
[agents.commands.ship]
agent = "alias"
[agents.templates."file:x.hcl"]
agent = "template"
"""


@pytest.mark.parametrize(
    ("identity", "selector"),
    [
        (SHIP, "template"),
        (AgentIdentity("ship", "file:./x.hcl"), "alias"),
        (AgentIdentity("ship", None), "alias"),
        (AgentIdentity("build", "file:x.hcl"), "template"),
        (AgentIdentity("build", "file:y.hcl"), "base"),
        (NOBODY, "base"),
        # Not even one that knows its template.
        (AgentIdentity(None, "file:x.hcl"), "base"),
    ],
)
def test_the_tables_that_apply(identity, selector):
    assert resolved(EVERYWHERE, identity).selector == selector


def test_fields_are_replaced_one_by_one():
    text = """
        [agent]
        label = "root"
        command = "/nowhere"
        progress_filter = "cat"
        [agents.default.agent]
        label = "base"
        [agents.commands.ship.agent]
        command = ["run", "--fast"]
        """
    assert resolved(text, SHIP) == AgentSettings(
        selector="codex", label="base", command=("run", "--fast"), progress_filter=("cat",), timeout=43200.0
    )
    assert resolved(text).command == ("/nowhere",)


def test_a_command_survives_a_later_selector_and_runs_under_its_name():
    found = resolved('[agent]\ncommand = "/run"\n[agents.commands.ship]\nagent = "gemini"\n', SHIP)
    assert (found.selector, found.backend, found.label, found.command) == ("gemini", "gemini", "gemini", ("/run",))


def test_no_filter_at_all_is_not_the_filter_of_the_shim():
    assert resolved("").progress_filter is None
    assert resolved("agent.progress_filter = false").progress_filter == ()
    text = "agent.progress_filter = false\n[agents.commands.ship.agent]\nprogress_filter = 'cat'\n"
    assert resolved(text, SHIP).progress_filter == ("cat",)


def test_documentation_toggles():
    text = """
        [agents.default.documentation]
        enabled = false
        include_snapshot = false
        [agents.commands.save.documentation]
        enabled = true
        """
    assert resolved(text, AgentIdentity("save")).context == PromptContext(include_snapshot=False)
    assert resolved(text, SHIP).context == PromptContext(use_prompt=False, include_snapshot=False)


PROMPTS = """
[agents.default.prompts.merge_conflict]
text = "default"
agent = "base"
[agents.commands.ship]
agent = "alias"
[agents.commands.ship.prompts.merge_conflict]
agent = { label = "lab" }
[agents.templates."file:x.hcl".prompts]
merge_conflict = "template"
"""


def test_the_agent_of_a_prompt_beats_every_table_without_one():
    assert resolved(PROMPTS, SHIP).selector == "alias"
    found = resolved(PROMPTS, SHIP, PromptKind.MERGE_CONFLICT)
    assert (found.selector, found.label) == ("base", "lab")
    assert resolved(PROMPTS, NOBODY, PromptKind.MERGE_CONFLICT).label == "base"
    assert resolved(PROMPTS, SHIP, PromptKind.REVIEW).selector == "alias"


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (SHIP, "template"),
        (AgentIdentity("ship"), "default"),
        (NOBODY, "default"),
        (AgentIdentity(None, "file:x.hcl"), "default"),
    ],
)
def test_the_text_of_a_prompt_comes_from_the_strongest_table_that_has_one(identity, text):
    found = prompt_override(tables(PROMPTS), identity, PromptKind.MERGE_CONFLICT)
    assert found == PromptText(text, PromptOrigin.CONFIG)


def test_no_text_is_configured():
    assert prompt_override(tables(PROMPTS), SHIP, PromptKind.REVIEW) is None
    agent_only = "[agents.default.prompts.review]\nagent = 'x'\n"
    assert prompt_override(tables(agent_only), SHIP, PromptKind.REVIEW) is None


def test_the_file_of_a_prompt_is_known(tmp_path):
    (tmp_path / "p.md").write_text("")
    tree = {"agents": {"default": {"prompts": {"review": {"path": "p.md"}}}}}
    agents = make_settings(Effective([decode(tree, tmp_path / "config.toml")])).agents
    found = prompt_override(agents, NOBODY, PromptKind.REVIEW)
    assert found == PromptText("", PromptOrigin.CONFIG, tmp_path / "p.md")


@pytest.mark.parametrize("label", ["../x", "a/b", "..", ".", "a\x1bb", "/etc"])
@pytest.mark.parametrize("command", [None, ("run",)])
def test_ws_07_09_a_label_is_a_single_name(label, command):
    """Also beside a command: the label still names the filter."""
    by_label = AgentOverride(runtime=AgentRuntime(label=label, command=command))
    by_selector = AgentOverride(selector=label, runtime=AgentRuntime(command=command))
    for override in (by_label, by_selector):
        with pytest.raises(InvalidLabelError, match="invalid agent label"):
            resolve_agent(AgentTables(default=override), NOBODY)


def test_ws_07_05_what_a_later_selector_keeps_is_told():
    text = """
        [agents.default.agent]
        label = "team"
        command = ["/opt/run", "--fast"]
        [agents.commands.ship]
        agent = "gemini"
        """
    assert resolved(text, SHIP).warnings == (
        "agent `gemini` of [agents.commands.ship] keeps the label `team` of [agents.default]",
        "agent `gemini` of [agents.commands.ship] runs the command of [agents.default]: /opt/run",
    )
    assert resolved(text).warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        'agent = "mine"\n[agents.default.agent]\nlabel = "special"\n',
        '[agents.default.agent]\nlabel = "gemini"\n[agents.commands.ship]\nagent = "gemini"\n',
        '[agents.default]\nagent = "gemini"\n[agents.commands.ship.agent]\ncommand = "run"\n',
    ],
)
def test_ws_07_05_nothing_is_told_where_nothing_surprises(text):
    assert resolved(text, SHIP).warnings == ()


NAMES = st.none() | st.sampled_from(["a", "b", "gemini"])
RUNTIMES = st.builds(
    AgentRuntime,
    label=NAMES,
    command=st.none() | st.tuples(st.just("run")),
    progress_filter=st.sampled_from([None, (), ("cat",)]),
)
TOGGLES = st.sampled_from([None, True, False])
OVERRIDES = st.builds(
    AgentOverride,
    selector=NAMES,
    runtime=RUNTIMES,
    documentation=st.builds(
        Documentation, use_prompt=TOGGLES, include_snapshot=TOGGLES, include_narrative_docs=TOGGLES
    ),
)


@given(root=OVERRIDES, default=OVERRIDES, alias=OVERRIDES, template=OVERRIDES)
def test_each_field_is_that_of_the_strongest_table_that_has_it(root, default, alias, template):
    agents = AgentTables(root=root, default=default, commands={"ship": alias}, templates={"file:x.hcl": template})
    found = resolve_agent(agents, SHIP)
    chain = [template, alias, default, root]

    def strongest(values, default=None):
        return next((value for value in values if value is not None), default)

    assert found.selector == strongest([table.selector for table in chain], "codex")
    assert found.label == strongest([table.runtime.label for table in chain], found.selector)
    assert found.command == strongest([table.runtime.command for table in chain])
    assert found.progress_filter == strongest([table.runtime.progress_filter for table in chain])
    toggles = [msgspec.structs.asdict(table.documentation) for table in chain]
    for name, value in msgspec.structs.asdict(found.context).items():
        assert value == strongest([table[name] for table in toggles], True)
