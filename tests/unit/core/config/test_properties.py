"""Whatever a file says, it is understood or refused with one line (spec 07 §2.3, §2.6)."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vizier_core.config import PromptKind, Settings
from vizier_core.config.effective import Effective, make_settings
from vizier_core.config.keys import KEYS
from vizier_core.config.layers import Layer, decode
from vizier_core.errors import ConfigError

HERE = Path("/nowhere/config.toml")

#: Everything that may stand in a configuration, and what comes near.
NAMES = st.sampled_from(
    sorted(
        {part for key in KEYS for part in key.path.split(".")}
        | {spelling for key in KEYS for spelling in key.also}
        | {
            "model",
            "provider",
            "backend",
            "flags",
            "path",
            "text",
            "templates",
            "jobs-show",
            "Default",
            "--",
            " ",
            "a b",
        }
    )
) | st.text(max_size=4)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=8),
    st.sampled_from(["true", "json", "auto", "approve", "a.v1", "5", "x.hcl"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(NAMES, values, max_size=4),
    max_leaves=20,
)


@st.composite
def near_valid_trees(draw: st.DrawFn) -> dict[str, object]:
    """Trees that set known keys to whatever."""
    tree: dict[str, object] = {}
    for path in draw(st.lists(st.sampled_from([key.path for key in KEYS]), max_size=5)):
        table = tree
        *tables, last = [draw(NAMES) if part.startswith("<") else part for part in path.split(".")]
        for name in tables:
            below = table.get(name)
            if not isinstance(below, dict):
                below = table[name] = {}
            table = below
        table[last] = draw(VALUES)
    return tree


TREES = st.dictionaries(NAMES, VALUES, max_size=5) | near_valid_trees()


def outcome(tree: object) -> Layer | str:
    """What a tree is read as, or the message that it is refused with."""
    try:
        return decode(tree, HERE)
    except ConfigError as error:
        return str(error)


@given(TREES)
def test_any_tree_is_understood_or_refused_with_one_line(tree):
    found = outcome(tree)
    if isinstance(found, str):
        assert "/nowhere/config.toml" in found
        assert found.isprintable()
    else:
        assert isinstance(make_settings(Effective([found])), Settings)
        assert all(line.isprintable() for line in found.warnings)


@given(TREES)
def test_every_setting_belongs_to_the_list_of_keys(tree):
    found = outcome(tree)
    chosen_parts = {key.path: key.chosen_parts for key in KEYS}
    settings = [] if isinstance(found, str) else list(found.values)
    assert all(len(names) == chosen_parts[path] for path, names in settings)


@given(TREES)
def test_reading_is_a_function_of_the_tree(tree):
    assert outcome(tree) == outcome(tree)


@given(TREES, TREES)
def test_a_later_layer_that_says_nothing_changes_nothing(tree, other):
    layers = [found for found in map(outcome, (tree, other)) if isinstance(found, Layer)]
    silent = decode({}, HERE)
    assert make_settings(Effective([*layers, silent])) == make_settings(Effective([silent, *layers]))


@given(st.sampled_from(list(PromptKind)), st.text(max_size=30))
def test_a_prompt_as_text_is_kept_verbatim(kind, text):
    layer = decode({"agents": {"default": {"prompts": {kind.value: text}}}}, HERE)
    assert [prompt.text for prompt in layer.values.values()] == ([text] if text.strip() else [])


@given(st.integers(min_value=50, max_value=5000))
def test_depth_is_no_crash(depth):
    tree: object = 1
    for _ in range(depth):
        tree = {"agents": tree}
    assert "legacy [agents.agents]" in outcome(tree)
    deep: object = "x"
    for _ in range(depth):
        deep = [deep]
    for key in ("agent", "colour", "display", "git"):
        assert decode({key: deep}, HERE).values == {}
