"""What could stand in the place of the last word (spec 09 §9.3)."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_cli.cli.args import HelpRequested, UsageError, VersionRequested, parse
from vizier_cli.cli.commands import GLOBAL_OPTIONS, ROOT
from vizier_cli.cli.declarations import Completes
from vizier_cli.completion.candidates import Candidate, Wanted, candidates_for


def no_values(wanted: Wanted) -> Iterable[Candidate]:
    del wanted
    return ()


def values(*words: str) -> list[str]:
    return [candidate.value for candidate in candidates_for(ROOT, words, no_values)]


def wanted(*words: str) -> Wanted | None:
    """The value that is asked of the project."""
    asked: list[Wanted] = []

    def source(one: Wanted) -> Iterable[Candidate]:
        asked.append(one)
        return ()

    list(candidates_for(ROOT, words, source))
    return asked[0] if asked else None


def test_commands_come_in_declared_order_and_options_behind_them() -> None:
    found = values("")
    commands = [command.name for command in ROOT.commands if not command.hidden]
    assert found[: len(commands)] == commands
    assert found[len(commands) :] == [o.flag for o in GLOBAL_OPTIONS if not o.hidden] + ["--help", "--version"]


def test_commands_have_descriptions() -> None:
    assert all(c.description for c in candidates_for(ROOT, ["r"], no_values))


def test_hidden_commands_only_if_nothing_else_matches() -> None:
    assert not [name for name in values("") if name.startswith("_")]
    assert values("__c") == ["__complete"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["jobs", "ta"], ["tail"]),
        (["-q", "jobs", "ta"], ["tail"]),
        (["-C", "jobs", "jobs", "ta"], ["tail"]),
        (["--config-file=x", "jobs", "ta"], ["tail"]),
        (["-Cx", "jobs", "ta"], ["tail"]),
        (["nonsense", "ta"], []),
        (["jobs", "nonsense", "ta"], []),
        (["jobs", "list", "--format", "t"], ["table"]),
        (["jobs", "list", "--format=t"], ["--format=table"]),
        (["jobs", "list", "--form=t"], []),
        (["completions", "e"], ["elvish"]),
        (["completions", "bash", "e"], []),
        (["help", "au"], ["audit"]),
        (["jobs", "tail", "--", "--fo"], []),
        (["jobs", "tail", "--fo"], ["--follow"]),
        (["run", "flow", "--fol"], ["--follow"]),
        (["jobs", "list", "-"], ["--all", "--dismiss-failures", "--format", "--raw"]),
    ],
    ids=" ".join,
)
def test_candidates(words: list[str], expected: list[str]) -> None:
    assert [value for value in values(*words) if value not in _GLOBAL or words[-1] != "-"] == expected


_GLOBAL = {option.flag for option in GLOBAL_OPTIONS} | {"--help", "--version"}


def test_what_was_given_is_not_offered_again_unless_it_may_be_repeated() -> None:
    found = values("clean", "--yes", "--format", "json", "-v", "--")
    assert "--yes" not in found
    assert "--format" not in found
    assert "--verbose" in found
    assert "--set" in values("run", "flow", "--set", "a=b", "--se")


def test_nothing_hidden_is_offered() -> None:
    assert "--no-pager" not in values("jobs", "list", "--")
    assert "--start-token" not in values("__workflow-node", "--")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["jobs", "show", "wf"], Wanted(Completes.JOB, "wf", None, -1)),
        (["clean", "--yes", "wf"], Wanted(Completes.JOB, "wf", None, -1)),
        (["jobs", "schedule", "--job", "w"], Wanted(Completes.JOB, "w")),
        (["jobs", "schedule", "--job=w"], Wanted(Completes.JOB, "w")),
        (["run", "de"], Wanted(Completes.FLOW, "de", None, -1)),
        (["run", "--follow", "de"], Wanted(Completes.FLOW, "de", None, -1)),
        (["run", "-C", "c.toml", "de"], Wanted(Completes.FLOW, "de", None, -1, "c.toml")),
        (["-C", "c.toml", "run", "de"], Wanted(Completes.FLOW, "de", None, -1, "c.toml")),
        (["-Cc.toml", "run", "de"], Wanted(Completes.FLOW, "de", None, -1, "c.toml")),
        (["run", "flow", "x"], Wanted(Completes.INPUT, "x", "flow", 0)),
        (["run", "flow", "a", "x"], Wanted(Completes.INPUT, "x", "flow", 1)),
        (["run", "flow", "--name", "x"], Wanted(Completes.INPUT, "x", "flow", "name")),
        (["run", "flow", "--name=x"], Wanted(Completes.INPUT, "x", "flow", "name")),
        (["run", "flow", "--name", "v", "x"], Wanted(Completes.INPUT, "x", "flow", 0)),
        (["run", "flow", "--dry", "--follow", "x"], Wanted(Completes.INPUT, "x", "flow", 0)),
        (["run", "flow", "--na"], Wanted(Completes.FLAG, "--na", "flow")),
        (["run", "flow", "--set", "na"], Wanted(Completes.PARAMETER, "na", "flow")),
        (["run", "--after", "r"], Wanted(Completes.JOB_OR_RUN, "r")),
        (["audit", "flow", "--set", "na"], Wanted(Completes.PARAMETER, "na", "flow")),
        (["cd", "al"], Wanted(Completes.PLAN, "al", None, -1)),
        (["-l", "s"], Wanted(Completes.SESSION, "s")),
        (["-C", "f"], Wanted(Completes.OTHER, "f")),
        (["audit", "flow", "--na"], None),
        (["jobs", "list", "--fo"], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_asked_of_the_project(words: list[str], expected: Wanted | None) -> None:
    assert wanted(*words) == expected


WORDS = st.sampled_from(
    [
        "run",
        "jobs",
        "show",
        "list",
        "flow",
        "--set",
        "a=b",
        "--follow",
        "-v",
        "-C",
        "--format=json",
        "--",
        "",
        "-",
        "--x",
    ]
)


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_any_line_has_candidates_or_none_but_no_error(words: list[str]) -> None:
    for value, _ in candidates_for(ROOT, words, no_values):
        assert value.startswith(words[-1]) or words[-1] == ""


def refusal(words: list[str]) -> str:
    """What the parser says; empty if it accepts the words."""
    try:
        parse(ROOT, words)
    except UsageError as error:
        return str(error)
    except (HelpRequested, VersionRequested):
        pass
    return ""


@given(st.lists(WORDS, max_size=3))
def test_an_option_that_is_offered_is_accepted(words: list[str]) -> None:
    """Whatever else may be wrong with the line, the parser knows the option."""
    try:
        parse(ROOT, words)
    except (UsageError, HelpRequested, VersionRequested):
        return
    for option in values(*words, "--") if "--" not in words else []:
        assert "unexpected argument" not in refusal([*words, option]), option
