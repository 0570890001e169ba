"""The grammar of the command line (spec 08 §§3.4, 4, 9)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_cli.cli.args import Arguments, HelpRequested, UsageError, VersionRequested, parse, usage_line
from vizier_cli.cli.commands import ROOT
from vizier_cli.cli.declarations import Command, Kind, Option, Positional

#: One command with every kind of option and argument, and a group.
EVERY = Command(
    "every",
    "",
    options=(
        Option("switch", "", short="s"),
        Option("other", "", short="o", conflicts=("switch", "one")),
        Option("needy", "", requires=("one",)),
        Option("one", "", short="1", kind=Kind.VALUE, value_name="ONE"),
        Option("many", "", short="m", kind=Kind.VALUES, value_name="MANY"),
        Option("choice", "", kind=Kind.VALUE, value_name="CHOICE", choices=("Red", "green"), default="green"),
        Option("number", "", kind=Kind.VALUE, value_name="N", number=(1, 2**32 - 1)),
        Option("filled", "", kind=Kind.VALUE, value_name="DIR", non_empty=True),
    ),
    positionals=(Positional("FIRST", ""), Positional("REST", "", required=False, repeated=True)),
)
MUST = Command("must", "", options=(Option("id", "", kind=Kind.VALUE, value_name="ID", required=True),))
KIND = Command("kind", "", positionals=(Positional("COLOUR", "", choices=("red", "green")),))
PROGRAM = Command("program", "", commands=(EVERY, MUST, KIND, Command("group", "", commands=(Command("leaf", ""),))))


def every(*words: str) -> Arguments:
    return parse(PROGRAM, ["every", *words])


def refusal(*words: str, root: Command = PROGRAM) -> str:
    with pytest.raises(UsageError) as raised:
        parse(root, words)
    return str(raised.value)


# What is accepted


@pytest.mark.parametrize(
    "words",
    [
        ["--one", "x", "f"],
        ["--one=x", "f"],
        ["-1", "x", "f"],
        ["-1x", "f"],
        ["-1=x", "f"],
        ["f", "--one", "x"],
        ["f", "-s1", "x"],
        ["-s1x", "f"],
    ],
)
def test_spellings_of_a_value(words: list[str]) -> None:
    arguments = every(*words)
    assert arguments.value("one") == "x"
    assert arguments.positional("FIRST") == "f"


@pytest.mark.parametrize(("word", "value"), [("--one=", ""), ("--one=a=b", "a=b"), ("--one=-x", "-x"), ("-1=-x", "-x")])
def test_values_that_only_the_equals_form_can_give(word: str, value: str) -> None:
    assert every(word, "f").value("one") == value


def test_a_lone_dash_is_a_value_and_an_argument() -> None:
    arguments = every("--one", "-", "-")
    assert (arguments.value("one"), arguments.positional("FIRST")) == ("-", "-")


def test_after_two_dashes_everything_is_an_argument() -> None:
    arguments = every("-s", "--", "--one", "-s", "--")
    assert arguments.positional("FIRST") == "--one"
    assert arguments.positionals["REST"] == ["-s", "--"]
    assert not arguments.has("one")


def test_switches_may_be_clustered_and_stand_anywhere() -> None:
    arguments = every("f", "-svq", "g")
    assert (arguments.has("switch"), arguments.has("quiet"), arguments.count("verbose")) == (True, True, 1)
    assert arguments.positionals["REST"] == ["g"]


def test_repeatable_options_collect() -> None:
    arguments = every("f", "-vv", "-m", "a", "--many=b", "-v", "-mc")
    assert arguments.count("verbose") == 3
    assert arguments.all_values("many") == ["a", "b", "c"]
    assert arguments.all_values("one") == []


def test_defaults_and_absence() -> None:
    arguments = every("f")
    assert (arguments.value("choice"), arguments.value("one"), arguments.positional("REST")) == ("green", None, None)
    assert not arguments.has("choice")
    assert (arguments.count("verbose"), arguments.command.name) == (0, "every")


def test_global_options_may_stand_before_the_command_and_after_it() -> None:
    arguments = parse(PROGRAM, ["-q", "every", "-q", "f"])
    assert arguments.has("quiet")
    assert parse(PROGRAM, ["-Cx", "every", "f"]).value("config-file") == "x"


@pytest.mark.parametrize(("text", "value"), [("1", "1"), ("+7", "7"), ("007", "7"), ("4294967295", "4294967295")])
def test_numbers(text: str, value: str) -> None:
    assert every("f", "--number", text).value("number") == value


# What is refused, and how (§3.4)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["evry"], ["unrecognized subcommand 'evry'", "similar", "'every'"]),
        (["group", "x"], ["unrecognized subcommand 'x'"]),
        (["every", "--pager"], ["unexpected argument '--pager' found"]),
        (["every", "--pager=x"], ["unexpected argument '--pager' found"]),
        (["every", "-x"], ["unexpected argument '-x' found"]),
        (["every", "-sx"], ["unexpected argument '-x' found"]),
        (["every", "--swit", "f"], ["unexpected argument '--swit' found"]),
        (["every", "---switch", "f"], ["unexpected argument '---switch' found"]),
        (["every"], ["<FIRST>"]),
        (["must"], ["--id <ID>"]),
        (["kind"], ["<COLOUR>"]),
        (["kind", "blue"], ["'blue'", "<COLOUR>", "red, green"]),
        (["kind", "red", "green"], ["unexpected argument 'green' found"]),
        (["must", "--id", "x", "y"], ["unexpected argument 'y' found"]),
        (["every", "f", "--choice", "red"], ["'red'", "--choice <CHOICE>", "Red, green"]),
        (["every", "f", "--choice"], ["--choice <CHOICE>", "Red, green"]),
        (["every", "f", "--choice="], ["--choice <CHOICE>", "Red, green"]),
        (["every", "f", "--filled", ""], ["--filled"]),
        (["every", "f", "--filled="], ["--filled"]),
        (["every", "f", "--one"], ["--one"]),
        (["every", "f", "-1"], ["--one"]),
        (["every", "--one", "--switch", "f"], ["--one"]),
        (["every", "--one", "-s", "f"], ["--one"]),
        (["every", "f", "--switch=1"], ["--switch", "'1'"]),
        (["every", "f", "-s=1"], ["--switch", "'1'"]),
        (["every", "f", "-v=1"], ["--verbose", "'1'"]),
        (["every", "f", "--switch", "--switch"], ["--switch", "multiple times"]),
        (["every", "f", "-ss"], ["--switch", "multiple times"]),
        (["every", "f", "--one=1", "--one=2"], ["--one <ONE>", "multiple times"]),
        (["every", "f", "-q", "-q"], ["--quiet", "multiple times"]),
        (["every", "f", "--other", "--switch"], ["--other", "--switch"]),
        (["every", "f", "--switch", "--other"], ["--other", "--switch"]),
        (["every", "f", "--other", "--one=x"], ["--other", "--one <ONE>"]),
        (["every", "f", "--needy"], ["--needy", "--one <ONE>"]),
        (["-q"], ["requires a subcommand", "every, must, kind, group"]),
        (["--no-ansi"], ["requires a subcommand"]),
        (["group", "-q"], ["'group' requires a subcommand", "leaf"]),
        (["--", "every"], ["requires a subcommand"]),
        (["every", "f", "--help=yes"], ["--help", "'yes'"]),
    ],
    ids=" ".join,
)
def test_refusals_name_what_is_wrong(words: list[str], parts: list[str]) -> None:
    text = refusal(*words)
    for part in parts:
        assert part in text


@pytest.mark.parametrize("text", ["0", "", "x", "1.5", "1_0", "4294967296", "\u0661", "1" * 4000])
def test_bad_numbers_name_the_option(text: str) -> None:
    assert "--number" in refusal("every", "f", f"--number={text}")


def test_negative_numbers_are_options_unless_the_equals_form_is_used() -> None:
    assert "--number" in refusal("every", "f", "--number", "-1")
    assert "--number" in refusal("every", "f", "--number=-1")


def test_a_number_of_any_length_is_refused_as_a_number() -> None:
    assert "--number" in refusal("every", "f", f"--number={'1' * 5000}")


def test_the_shape_of_a_refusal() -> None:
    first, empty, usage, empty_too, hint = refusal("group", "leaf", "x").split("\n")
    assert first == "error: unexpected argument 'x' found"
    assert empty == empty_too == ""
    assert usage.startswith("Usage: program group leaf")
    assert "'program group leaf --help'" in hint


def test_usage_lines() -> None:
    assert usage_line([PROGRAM]) == "program [OPTIONS] <COMMAND>"
    assert usage_line([PROGRAM, EVERY]) == "program every [OPTIONS] <FIRST> [REST]..."
    assert usage_line([PROGRAM, MUST]) == "program must [OPTIONS] --id <ID>"


# Help and version end the parsing


@pytest.mark.parametrize("word", ["--help", "-h", "-vh"])
@pytest.mark.parametrize(
    ("path", "names"), [([], "program"), (["group"], "program group"), (["every"], "program every")]
)
def test_help_is_asked_for_a_command_even_if_something_is_missing(path: list[str], names: str, word: str) -> None:
    with pytest.raises(HelpRequested) as raised:
        parse(PROGRAM, [*path, word])
    assert " ".join(command.name for command in raised.value.path) == names


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["-q", "--version"], ["every", "-V", "--nonsense"]])
def test_version(words: list[str]) -> None:
    with pytest.raises(VersionRequested):
        parse(PROGRAM, words)


def test_what_comes_before_help_must_be_right() -> None:
    assert "--nonsense" in refusal("--nonsense", "--help")


def test_after_two_dashes_help_is_an_argument() -> None:
    assert every("--", "--help").positional("FIRST") == "--help"


# Groups without a command


@pytest.mark.parametrize("words", [[], ["group"]])
def test_a_group_alone_is_no_error(words: list[str]) -> None:
    assert parse(PROGRAM, words).command.commands


def test_a_group_after_a_global_option_is_a_group_alone() -> None:
    """Spec 08 §9: `vizier -q jobs` shows the landing page."""
    assert parse(PROGRAM, ["-q", "group"]).command.name == "group"


# The real commands


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["jbos"], ["unrecognized subcommand 'jbos'", "'jobs'"]),
        (["jobs", "list", "--pager"], ["unexpected argument '--pager' found"]),
        (["run"], ["<FLOW>"]),
        (["jobs", "show"], ["<JOB>"]),
        (["jobs", "list", "--format", "text"], ["'text'", "--format", "block, table, json"]),
        (["run", "f", "--format", "block"], ["'block'", "--format", "text, json"]),
        (["run", "f", "--format", "JSON"], ["'JSON'", "--format"]),
        (["run", "f", "--check", "--follow"], ["--check", "--follow"]),
        (["run", "f", "--check", "--after", "x"], ["--check", "--after"]),
        (["run", "f", "--require-approval", "--no-require-approval"], ["--require-approval", "--no-require-approval"]),
        (["jobs", "cancel", "j", "--cleanup-worktree", "--no-cleanup-worktree"], ["--cleanup-worktree"]),
        (["jobs", "tail", "j", "--stream", "out"], ["--stream", "stdout, stderr, both"]),
        (["jobs", "list", "--raw"], ["--raw", "--format"]),
        (["run", "f", "--follow", "--follow"], ["--follow"]),
        (["run", "f", "--set"], ["--set"]),
        (["run", "f", "-x"], ["unexpected argument '-x' found"]),
        (["jobs", "-q"], ["requires a subcommand", "list", "show"]),
        (["-q"], ["requires a subcommand"]),
        (["-C"], ["--config-file"]),
        (["jobs", "status", "a", "b"], ["unexpected argument 'b' found"]),
        (["run", "--depth", "3", "draft"], ["unexpected argument '--depth' found"]),
    ],
    ids=" ".join,
)
def test_refusals_of_the_real_commands(words: list[str], parts: list[str]) -> None:
    text = refusal(*words, root=ROOT)
    assert text.startswith("error: ")
    for part in parts:
        assert part in text


def test_hidden_commands_are_not_named() -> None:
    assert "__workflow-node" not in refusal("-q", root=ROOT)
    assert "__workflow-node" not in refusal("__workflow-nod", root=ROOT)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "f", "--set", "a=1", "--set", "a=2"], {"set": ["a=1", "a=2"]}),
        (["run", "f", "--set", "a="], {"set": ["a="]}),
        (["run", "f", "--after", "J", "--after", "run:R"], {"after": ["J", "run:R"]}),
        (["run", "f", "--", "--x"], {"INPUT": ["--x"]}),
        (["run", "f", "a", "--format", "json", "b"], {"format": "json", "INPUT": ["a", "b"]}),
        (["jobs", "tail", "j", "--follow"], {"JOB": "j", "stream": "both"}),
        (["-C", "c.toml", "jobs", "show", "j"], {"config-file": "c.toml", "JOB": "j"}),
    ],
    ids=str,
)
def test_what_the_real_commands_get(words: list[str], expected: dict[str, Any]) -> None:
    arguments = parse(ROOT, words)
    for name, value in expected.items():
        if name.isupper():
            assert (arguments.positionals[name] if isinstance(value, list) else arguments.positional(name)) == value
        else:
            assert (arguments.all_values(name) if isinstance(value, list) else arguments.value(name)) == value


def every_command(command: Command) -> list[Command]:
    return [command, *(found for child in command.commands for found in every_command(child))]


@pytest.mark.parametrize("command", every_command(ROOT), ids=lambda command: command.name)
def test_declarations_fit_together(command: Command) -> None:
    names = {option.name for option in command.options}
    for option in command.options:
        assert {*option.requires} <= names
        assert bool(option.value_name) is (option.kind in {Kind.VALUE, Kind.VALUES})
        assert not option.choices or option.default in {"", *option.choices}
        assert option.help
    shorts = [option.short for option in command.options if option.short]
    assert len(shorts) == len(set(shorts))
    assert bool(command.action) is not bool(command.commands)


@given(
    st.lists(st.sampled_from(["run", "jobs", "list", "f", "-v", "-q", "--", "--set", "a=1", "-x", "--help", "-C", "="]))
)
def test_any_words_are_understood_or_refused(words: list[str]) -> None:
    try:
        arguments = parse(ROOT, words)
    except (UsageError, HelpRequested):
        return
    given_words = [word for values in arguments.positionals.values() for word in values]
    assert set(given_words) <= set(words)
