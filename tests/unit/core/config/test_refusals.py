"""What a file is refused for (spec 07 §2.6): one error that names the file and the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.errors import ConfigError
from vizier_kernel.names import canonical_selector

MODEL = "model overrides are no longer supported"
REASONING = "reasoning-effort overrides are no longer supported"
FALLBACK = "fallback_backend entries are unsupported"
BACKEND = "backend entries are unsupported"
RUNTIME = "agent runtime supports only label, command, progress_filter, output, and enable_script_wrapper"

#: Everything that was once set at the root, in override tables and in prompt tables.
FORMER = [
    ("model", MODEL),
    ("provider", MODEL),
    ("provider.model", MODEL),
    ("provider.name", MODEL),
    *[
        (f"{table}{name}", REASONING)
        for table in ("", "provider.", "flags.")
        for name in ("reasoning_effort", "reasoning-effort", "thinking_level", "thinking-level")
    ],
    ("fallback_backend", FALLBACK),
    ("fallback-backend", FALLBACK),
    ("backend", BACKEND),
    ("provider.backend", BACKEND),
]
TABLES = [
    "",
    "agents.default.",
    "agents.commands.ship.",
    'agents.templates."file:x.hcl".',
    "agents.default.prompts.review.",
    "agents.commands.ship.prompts.merge_conflict.",
]


@pytest.fixture
def refusal(read):
    """The one line that a text is refused with."""

    def message(text: str) -> str:
        with pytest.raises(ConfigError) as error:
            read(text)
        (line,) = str(error.value).splitlines()
        assert line.startswith("/project/.vizier/config.toml: ")
        return line

    return message


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("key", "phrase"), FORMER)
def test_former_keys(refusal, table, key, phrase):
    line = refusal(f'{table}{key} = "some text"\n')
    assert phrase in line
    assert f"`{table}{key}`" in line


@pytest.mark.parametrize("value", ["3", "true", '""', '"  "', "[]", "{}", "1979-05-27"])
@pytest.mark.parametrize("table", TABLES)
def test_former_keys_without_a_text_pass(read, table, value):
    for key in ("model", "reasoning_effort", "fallback_backend", "backend"):
        assert read(f"{table}{key} = {value}\n").values == {}


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("[agent]\ncmd = 'x'", [RUNTIME, "`agent.cmd`"]),
        ("[agents.default.agent]\nLabel = 'x'", [RUNTIME, "`agents.default.agent.Label`"]),
        ("[agent]\nprogress-filter = 'x'", [RUNTIME]),
        ("[agents.default.prompts.review.agent]\ncmd = 'x'", [RUNTIME, "`agents.default.prompts.review.agent.cmd`"]),
        (
            "[agents.commands.ship.agent]\ncommand = ['']",
            ["`agent.command` must be a non-empty string or array", "`agents.commands.ship.agent.command`"],
        ),
        ("agent.progress_filter = []", ["`agent.progress_filter` must be a non-empty string or array"]),
        ("agent.output = 3", ["`agent.output` must be a string"]),
        ("agent.output = 'passthrough'", ["unknown agent.output value", "passthrough"]),
        ("agents = 'x'", ["[agents] must be a table"]),
        ("agents = []", ["[agents] must be a table"]),
        ("agents.commands = 3", ["[agents.commands] must be a table"]),
        ("agents.templates = [1]", ["[agents.templates] must be a table"]),
        (
            "agents.refine = {}",
            ["legacy [agents.refine] sections are unsupported", "[agents.commands", "[agents.templates"],
        ),
        ("agents.Merge.agent = 'codex'", ["legacy [agents.Merge] sections are unsupported"]),
        ("agents.commands.'--'.agent = 'x'", ["invalid [agents.commands.--] section"]),
        ("agents.templates.' '.agent = 'x'", ["invalid [agents.templates."]),
        (
            "agents.templates.'template.save.v1'.agent = 'x'",
            ["legacy dotted selector", "template.save.v1", "is unsupported", "template.save@v1", "[agents.templates]"],
        ),
        ("agents.default.prompts.plan_refine = 3", ["unknown prompt kind", "`plan_refine`", "agents.default.prompts"]),
        ("commands = 3", ["[commands] must be a table"]),
        ("commands.draft = 3", ["[commands.draft] must be a non-empty string"]),
        ("commands.draft = ['a']", ["[commands.draft] must be a non-empty string"]),
        ("commands.draft = '  '", ["invalid [commands.draft] selector"]),
        ("commands.'--' = 'file:x.hcl'", ["invalid [commands.--] alias"]),
        (
            "commands.save = ' template.save.v1 '",
            ["legacy dotted selector", "template.save.v1", "is unsupported", "template.save@v1", "[commands.save]"],
        ),
        ("workflow.templates = 3", ["legacy [workflow.templates] is unsupported", "[commands]"]),
        ("workflow.templates = {}", ["legacy [workflow.templates] is unsupported", "[commands]"]),
    ],
)
def test_phrases(refusal, text, phrases):
    line = refusal(text)
    for phrase in phrases:
        assert phrase in line


@pytest.mark.parametrize("value", ['""', '"  "', "[]", '["", " "]', "[3]", "3", "true", "{}", "1.5"])
@pytest.mark.parametrize("key", ["command", "progress_filter"])
def test_unusable_programs(refusal, key, value):
    assert f"`agent.{key}` must be a non-empty string or array" in refusal(f"agent.{key} = {value}")


@pytest.mark.parametrize("value", ["", "  ", "auto", "wrapped", "wrapped-json"])
def test_accepted_output_modes(read, value):
    assert read(f'agent.output = "{value}"\nagent.enable_script_wrapper = true').warnings == ()


@pytest.mark.parametrize("name", ["Default", "COMMANDS", "Templates"])
def test_the_tables_of_agents_are_written_in_any_case(read, name):
    assert read(f"[agents.{name}]").warnings == ()


@pytest.mark.parametrize("key", ["agents.commands.' '", "agents.templates.' '", "agents.templates.'a.v1'"])
def test_invalid_names_of_tables_with_nothing_in_them_pass(read, key):
    assert read(f"[{key}]").values == {}


def test_the_first_error_is_reported(refusal):
    steps = [
        ('model = "m"', MODEL),
        ('flags.reasoning_effort = "high"', REASONING),
        ('fallback_backend = "b"', FALLBACK),
        ("agent = { bad = 1 }", RUNTIME),
        ('provider.backend = "b"', BACKEND),
        ("workflow.templates = {}", "legacy [workflow.templates]"),
        ("commands = 3", "[commands] must be a table"),
        ("agents = 3", "[agents] must be a table"),
    ]
    for first, (_, phrase) in enumerate(steps):
        assert phrase in refusal("\n".join(line for line, _ in reversed(steps[first:])))


def test_the_first_error_of_an_override_table(refusal):
    steps = [
        ('fallback_backend = "b"', FALLBACK),
        ('model = "m"', MODEL),
        ('thinking_level = "high"', REASONING),
        ("agent = { bad = 1 }", RUNTIME),
        ('backend = "b"', BACKEND),
        ("prompts = { plan_refine = 1 }", "unknown prompt kind"),
    ]
    for first, (_, phrase) in enumerate(steps):
        assert phrase in refusal("[agents.default]\n" + "\n".join(line for line, _ in reversed(steps[first:])))


@pytest.mark.parametrize(
    ("selector", "canonical"),
    [
        ("template.save.v1", "template.save@v1"),
        (" a.b.v12 ", "a.b@v12"),
        ("a.v1.v2", "a.v1@v2"),
        ("x .v3", "x@v3"),
        ("template.save@v1", None),
        ("file:.vizier/x.hcl", None),
        ("x.v", None),
        ("x.vfinal", None),
        ("x.v1a", None),
        ("x.v\u0661", None),
        (".v1", None),
        (" .v1", None),
        ("x.V1", None),
        ("x.v1.hcl", None),
    ],
)
def test_dotted_selectors(selector, canonical):
    assert canonical_selector(selector) == canonical


@given(st.text(max_size=20), st.integers(min_value=0))
def test_a_canonical_selector_is_not_dotted(name, version):
    canonical = canonical_selector(f"{name}.v{version}")
    assert (canonical is None) == (not name.strip())
    if canonical is not None:
        assert canonical_selector(canonical) is None
