"""How values are understood (spec 07 §2.3, §2.7)."""

import json

import pytest

from vizier_core.config import ViewFormat
from vizier_core.config.effective import Effective

NOTHING = object()


@pytest.fixture
def value_of(read):
    """The value that a key gets from a TOML value; NOTHING if it stays as if absent."""

    def value(path: str, text: str, written: str | None = None):
        found = read(f"{written or path} = {text}\n").values
        return found.get((path, ()), NOTHING)

    return value


FLAG = "workflow.global_workflows.enabled"


@pytest.mark.parametrize("text", ["true", '"true"', '" TRUE "'])
def test_flag_on(value_of, text):
    assert value_of(FLAG, text) is True


@pytest.mark.parametrize("text", ["false", '"False"', '"\\tfalse\\n"'])
def test_flag_off(value_of, text):
    assert value_of(FLAG, text) is False


@pytest.mark.parametrize("text", ["1", "0", "1.0", '"yes"', '"1"', '""', "[true]", "{ value = true }", "1979-05-27"])
def test_no_flag(value_of, text):
    assert value_of(FLAG, text) is NOTHING


def test_a_strict_flag_takes_no_text(value_of):
    assert value_of("merge.squash", "false") is False
    assert value_of("merge.squash", '"false"') is NOTHING


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("30", 30), ('"30"', 30), ('" +30 "', 30), ('"007"', 7), (str(2**32 - 1), 2**32 - 1)],
)
def test_unsigned(value_of, text, number):
    assert value_of("jobs.max_route_attempts", text) == number


@pytest.mark.parametrize(
    "text",
    ["-1", "30.0", "true", '"3_0"', '"-3"', '"++3"', '"3x"', '"³"', '"٣"', '""', "[3]", str(2**32), f'"{"9" * 5000}"'],
)
def test_not_unsigned(value_of, text):
    assert value_of("jobs.max_route_attempts", text) is NOTHING


def test_a_size_is_wider(value_of):
    assert value_of("display.lists.list.summary_max_len", str(2**32)) == 2**32
    assert value_of("display.lists.list.summary_max_len", f'"{2**64}"') is NOTHING


def test_a_mainline_is_positive(value_of):
    assert value_of("merge.squash_mainline", "1") == 1
    assert value_of("merge.squash_mainline", "0") is NOTHING


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), ("0.25", 0.25), ('"5"', 5.0)])
def test_seconds(value_of, text, seconds):
    assert value_of("jobs.lock_timeout_seconds", text) == seconds
    assert value_of("jobs.agent_timeout_seconds", text) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "1e30", "true", '"soon"', f'"{"9" * 20}"'])
def test_no_seconds(value_of, text):
    assert value_of("jobs.lock_timeout_seconds", text) is NOTHING


@pytest.mark.parametrize(("text", "value"), [('" a b "', "a b"), ('"  "', NOTHING), ("3", NOTHING), ("[]", NOTHING)])
def test_text(value_of, text, value):
    assert value_of("release.gate.script", text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("[]", ()), ('["A", " b ", "", 3, ["c"]]', ("A", "b")), ("[3]", ()), ('"A"', NOTHING), ("{}", NOTHING)],
)
def test_a_list_of_fields_may_be_empty(value_of, text, value):
    assert value_of("display.lists.jobs.fields", text) == value


@pytest.mark.parametrize(
    ("written", "text", "value"),
    [
        ("review.checks", '["make"]', ("make",)),
        ("review.checks.commands", '["make", " "]', ("make",)),
        ("review.checks", "[]", NOTHING),
        ("review.checks.commands", "[3]", NOTHING),
    ],
)
def test_check_commands(value_of, written, text, value):
    assert value_of("review.checks", text, written) == value


@pytest.mark.parametrize("word", ["json", " JSON ", "Json"])
def test_a_choice_is_trimmed_in_any_case(value_of, word):
    assert value_of("display.lists.jobs.format", json.dumps(word)) is ViewFormat.JSON


@pytest.mark.parametrize(
    ("path", "word", "value"),
    [
        ("build.default_pipeline", "approve_review", "approve-review"),
        ("build.failure_mode", "Continue-Independent", "continue_independent"),
        ("build.default_review_mode", "review-file", "review_file"),
        ("build.default_merge_target", " PRIMARY ", "primary"),
        ("build.default_merge_target", " Feature/X ", "Feature/X"),
        ("commits.meta.style", "trailer", "trailers"),
        ("jobs.launcher", "EXEC", "exec"),
    ],
)
def test_spellings_of_choices(value_of, path, word, value):
    assert value_of(path, json.dumps(word)) == value


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("commits.meta.style", "unknown commits.meta.style value `odd`; ignoring"),
        ("commits.meta.session_log_path", "unknown commits.meta.session_log_path value `odd`; ignoring"),
        ("commits.merge.plan_mode", "unknown commits.merge.plan_mode value `odd`; ignoring"),
        ("display.lists.list.format", "unknown display.lists.list.format value `odd`; ignoring"),
        ("display.lists.jobs.format", "unknown display.lists.jobs.format value `odd`; ignoring"),
        ("display.lists.jobs-show.format", "unknown display.lists.jobs_show.format value `odd`; ignoring"),
        (
            "build.default-pipeline",
            "unknown build.default_pipeline value `odd`; expected approve|approve-review|approve-review-merge",
        ),
        ("build.stage_barrier", "unknown build.stage_barrier value `odd`; expected strict|explicit"),
        (
            "build.failure_mode",
            "unknown build.failure_mode value `odd`; expected block_downstream|continue_independent",
        ),
        (
            "build.default_review_mode",
            "unknown build.default_review_mode value `odd`; expected apply_fixes|review_only|review_file",
        ),
        (
            "build.profiles.fast.pipeline",
            "unknown build.profiles.<name>.pipeline value `odd`; expected approve|approve-review|approve-review-merge",
        ),
    ],
)
def test_unknown_words_are_told(read, path, line):
    layer = read(f'{path} = " odd "\n')
    assert layer.values == {}
    assert layer.warnings == (line,)


def test_unknown_entries_are_told_and_the_others_kept(read):
    layer = read('commits.meta.include = ["author_note", "mood"]\ncommits.implementation.fields = ["summary", "Sun"]\n')
    assert set(layer.warnings) == {
        "unknown commits.meta.include field `mood`; ignoring",
        "unknown commits.implementation.fields entry `Sun`; ignoring",
    }
    assert layer.values == {
        ("commits.meta.include", ()): ("author_note",),
        ("commits.implementation.fields", ()): ("Summary",),
    }


def test_steering_characters_do_not_reach_the_terminal(read):
    (line,) = read('display.lists.jobs.format = "a\\u001b[2Jb\\nc"\n').warnings
    assert line.isprintable()


def test_the_first_spelling_present_counts_even_if_it_is_unusable(value_of, read):
    text = '[workflow.global_workflows]\nenable = false\nenabled = "maybe"\n'
    assert read(text).values == {}
    assert value_of(FLAG, "false", "workflow.global-workflows.enable") is False
    layer = read("merge.cicd_gate = {}\n[merge.cicd-gate]\nretries = 5\n")
    assert layer.values == {}, "of tables, too"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("display.lists.list.summary_max_len", "display.lists.list.summary-max-len"),
        ("display.lists.list.summary_max_len", "display.lists.list.summary_max_len"),
        ("jobs.cancel.cleanup_worktree", "jobs.cancel.cleanup-worktree"),
        ("approve.stop_condition.retries", "approve.stop_condition.max-attempts"),
        ("merge.cicd_gate.retries", "merge.cicd-gate.max_attempts"),
        ("merge.cicd_gate.auto_resolve", "merge.cicd_gate.auto-fix"),
        ("merge.conflicts.auto_resolve", "merge.conflict.auto-resolve"),
        ("build.default_skip_checks", "build.default-skip-checks"),
        ("workflow.no_commit_default", "workflow.no-commit-default"),
        ("commits.merge.include_operator_note", "commits.merge.include-operator-note"),
        ("agents.default.documentation.enabled", "agents.default.documentation.use-documentation-prompt"),
        ("agents.default.documentation.include_snapshot", "agents.default.documentation.snapshot"),
        ("agents.default.documentation.include_narrative_docs", "agents.default.documentation.include_narrative"),
    ],
)
def test_spellings(read, path, written):
    number = path.endswith(("len", "retries"))
    layer = read(f"{written} = {'7' if number else 'true'}\n")
    assert layer.values == {(path, ()): 7 if number else True}
    assert layer.warnings == ()


def test_a_directory_is_relative_to_the_file(settings_of):
    text = 'workflow.global_workflows.dir = "{}"\n'
    assert str(settings_of(text.format("../flows")).workflow_directory) == "/project/.vizier/../flows"
    assert str(settings_of(text.format("/srv/flows")).workflow_directory) == "/srv/flows"


def test_a_blank_directory_is_the_default(settings_of, monkeypatch):
    monkeypatch.setenv("VIZIER_CONFIG_DIR", "/base")
    assert str(settings_of('workflow.global_workflows.dir = "  "\n').workflow_directory) == "/base/vizier/workflows"


def test_no_directory_if_global_workflows_are_off_or_there_is_no_base(settings_of, monkeypatch):
    assert settings_of("workflow.global_workflows.enable = false\n").workflow_directory is None
    monkeypatch.delenv("HOME")
    assert settings_of().workflow_directory is None


def test_null_is_silence(read):
    from vizier_core.config.layers import decode

    tree = {
        "display": None,
        "jobs": {"launcher": None},
        "agents": {"default": None},
        "agent": None,
        "git": {"sign": None},
    }
    layer = decode(tree, read("").files[0])
    assert (layer.values, layer.warnings) == ({}, ())
    assert Effective([layer]).value("jobs.launcher") == "auto"
