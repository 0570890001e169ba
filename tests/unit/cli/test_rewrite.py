"""Dynamic flags of `run` become `--set` (spec 08 §6.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_cli.cli.args import UsageError, parse
from vizier_cli.cli.commands import ROOT
from vizier_cli.cli.rewrite import rewrite_dynamic_flags


def rewritten(text: str) -> str:
    return " ".join(rewrite_dynamic_flags(text.split()))


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        # The table of the specification
        ("run draft --spec-file a.md --follow", "run draft --set spec_file=a.md --follow"),
        ("run draft --slug=x", "run draft --set slug=x"),
        ("run draft --dry", "run draft --set dry=true"),
        ("run draft --depth -3", "run draft --set depth=true -3"),
        ("run --depth 3 draft", "run --depth 3 draft"),
        # Keys and values
        ("run f --a-b-c=1", "run f --set a_b_c=1"),
        ("run f --a=", "run f --set a="),
        ("run f --a=b=c", "run f --set a=b=c"),
        ("run f --a -", "run f --set a=-"),
        ("run f --a --b", "run f --set a=true --set b=true"),
        ("run f --a -q", "run f --set a=true -q"),
        ("run f --a x y", "run f --set a=x y"),
        ("run f --=x", "run f --=x"),
        ("run f ---x", "run f --set _x=true"),
        # Options of its own, bare and with a value
        ("run f --set a=1 --b", "run f --set a=1 --set b=true"),
        ("run f --set --b", "run f --set --b"),
        ("run f --set=a=1", "run f --set=a=1"),
        ("run f --after --x", "run f --after --x"),
        ("run f --format json --x", "run f --format json --set x=true"),
        ("run f --repeat 3", "run f --repeat 3"),
        ("run f --spec-dir d --x", "run f --spec-dir d --set x=true"),
        ("run f --load-session s --config-file=c", "run f --load-session s --config-file=c"),
        ("run f -C --x --y", "run f -C --x --set y=true"),
        ("run f -l s -Cc -l=s --y", "run f -l s -Cc -l=s --set y=true"),
        ("run f --set", "run f --set"),
        ("run f --require-approval --no-require-approval --ephemeral --follow --check", None),
        ("run f --verbose --quiet --debug --no-ansi --no-pager --no-session --help --version", None),
        ("run f -vqdnhV -v", None),
        ("run f -x", None),
        ("run f a b - c", None),
        # After two dashes nothing is touched
        ("run f -- --x --y=1", None),
        ("run f --a -- --x", "run f --set a=true -- --x"),
        # The word after `run` is copied whatever it is
        ("run --follow --x", "run --follow --set x=true"),
        ("run -- --x", "run -- --set x=true"),
        ("run", None),
        # Where `run` is found
        ("-q run f --x", "-q run f --set x=true"),
        ("-C c.toml run f --x", "-C c.toml run f --set x=true"),
        ("-Cc.toml run f --x", "-Cc.toml run f --set x=true"),
        ("run f -Cc.toml --x", "run f -Cc.toml --set x=true"),
        (
            "--config-file c.toml --load-session s -l s run f --x",
            "--config-file c.toml --load-session s -l s run f --set x=true",
        ),
        ("--config-file=c.toml run f --x", "--config-file=c.toml run f --set x=true"),
        ("-C run f --x", None),
        ("-- run f --x", None),
        ("audit run --x", None),
        ("jobs list --x", None),
        ("- run f --x", None),
        ("--x", None),
        ("", None),
    ],
)
def test_the_table(typed: str, becomes: str | None) -> None:
    assert rewritten(typed) == (typed if becomes is None else becomes)


def test_values_may_hold_anything() -> None:
    assert rewrite_dynamic_flags(["run", "f", "--a b ", " x = y "]) == ["run", "f", "--set", "a b= x = y "]
    assert rewrite_dynamic_flags(["run", "f", "--a", ""]) == ["run", "f", "--set", "a="]
    assert rewrite_dynamic_flags(["run", "f", "--\udcff=\udcfe"]) == ["run", "f", "--set", "\udcff=\udcfe"]


@pytest.mark.parametrize("word", ["--check=true", "--follow=1", "--ephemeral=no", "--help=x"])
def test_ws_08_04_a_known_switch_with_a_value_is_a_usage_error_not_a_parameter(word: str) -> None:
    words = rewrite_dynamic_flags(["run", "f", word])
    assert words == ["run", "f", word]
    with pytest.raises(UsageError, match=word.partition("=")[0]):
        parse(ROOT, words)


@pytest.mark.parametrize("typed", ["run draft --depth -3", "run --depth 3 draft", "run f --=x", "run f -x"])
def test_what_cannot_be_a_dynamic_flag_is_a_usage_error(typed: str) -> None:
    with pytest.raises(UsageError):
        parse(ROOT, rewrite_dynamic_flags(typed.split()))


words = st.sampled_from(
    [
        *("run", "jobs", "f", "x", "", "-", "--", "-q", "-vq", "-x", "-C", "-Cc", "-l", "-l=s"),
        *("--set", "--set=a=1", "--after", "--format", "--config-file", "--config-file=c", "--follow", "--check=1"),
        *("--a", "--a=1", "--a-b", "--a=b=c", "--=", "---", "-3", "a=1"),
    ]
)


@given(st.lists(words, max_size=10))
def test_rewriting_loses_and_invents_nothing_but_the_form_of_dynamic_flags(typed: list[str]) -> None:
    """Each `--set key=value` that was not typed stands for one dynamic flag, with the word after it or without."""
    result = rewrite_dynamic_flags(typed)
    source, target = iter(typed), iter(result)
    rest = list(target)
    place = 0
    for word in source:
        if place < len(rest) and rest[place] == word:
            place += 1
            continue
        assert rest[place] == "--set"
        assert word.startswith("--")
        key, _, value = rest[place + 1].partition("=")
        name, equals, inline = word[2:].partition("=")
        assert key == name.strip().replace("-", "_")
        if equals:
            assert value == inline
        elif value != "true":
            assert next(source) == value
        place += 2
    assert place == len(rest)


@given(st.lists(words, max_size=10))
def test_only_run_is_rewritten(typed: list[str]) -> None:
    if "run" not in typed:
        assert rewrite_dynamic_flags(typed) == typed


@given(st.lists(words, max_size=10))
def test_what_was_rewritten_needs_no_further_rewriting(typed: list[str]) -> None:
    once = rewrite_dynamic_flags(typed)
    assert rewrite_dynamic_flags(once) == once


@given(st.lists(words, max_size=8))
def test_rewriting_changes_no_list_it_was_given(typed: list[str]) -> None:
    before = list(typed)
    rewrite_dynamic_flags(typed)
    assert typed == before
