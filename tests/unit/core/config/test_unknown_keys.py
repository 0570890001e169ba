"""Typos speak (decision D15): one warning per unknown key, none for what is known."""

import pytest

PREFIX = "/project/.vizier/config.toml: unknown key "


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("colour = true", ["`colour`; ignoring"]),
        ("[telemetry]\nurl = 'x'\nother = 'y'", ["`telemetry`; ignoring"]),
        ("[display.lists.jobs]\nformt = 'json'", ["`display.lists.jobs.formt`; ignoring; did you mean `format`?"]),
        ("[display.list.jobs]\nformat = 'json'", ["`display.list`; ignoring; did you mean `lists`?"]),
        ("[job]\nlauncher = 'exec'", ["`job`; ignoring; did you mean `jobs`?"]),
        ("jobs.cancel.cleanup = true", ["`jobs.cancel.cleanup`; ignoring"]),
        ("[git]\nhook = true\nsing = true", ["`git.hook`; ignoring; did", "`git.sing`; ignoring; did"]),
        ("merge.conflict.auto = true", ["`merge.conflicts.auto`; ignoring"]),
        ("build.profiles.fast.speed = 3", ["`build.profiles.fast.speed`; ignoring"]),
        ("model = 3", ["`model`; ignoring"]),
        ("[provider]\nurl = 'x'", ["`provider`; ignoring"]),
        ("[agents.default]\nselector = 'mock'", ["`agents.default.selector`; ignoring"]),
        ("[agents.commands.'a b']\nspeed = 3", ['`agents.commands."a b".speed`; ignoring']),
        (
            "[agents.default.documentation]\nsnapshots = true",
            ["`agents.default.documentation.snapshots`; ignoring; did"],
        ),
        ("[agents.default.prompts.review]\nbody = 'x'", ["`agents.default.prompts.review.body`; ignoring"]),
        ('"two\\nlines \\"x\\"" = 1', ['`"two\\u000alines \\"x\\""`; ignoring']),
    ],
)
def test_unknown_keys_are_told(read, text, lines):
    layer = read(text)
    assert layer.values == {}
    assert len(layer.warnings) == len(lines)
    for found, line in zip(sorted(layer.warnings), lines, strict=True):
        assert found.startswith(PREFIX + line)


@pytest.mark.parametrize(
    "text",
    [
        "[display.lists.jobs.labels]\nWhatever = 'x'",
        "[commands]\nanything = 'file:x.hcl'",
        "[agents.commands.anything]\nagent = 'x'",
        "[agents.templates.'any@v1'.documentation]\nenable = false",
        "[agents.default.prompts.merge-conflict]\ntemplate = 'x'\nagent = 'y'",
        "[build.profiles.any]\nkeep-branch = true",
        "[git]\nhooks = true\nsign = true",
        "[jobs]\nlock-timeout-seconds = 3\nmax_route_attempts = 3\nagent_timeout_seconds = 3\nlauncher = 'exec'",
    ],
)
def test_known_keys_are_not_told(read, text):
    layer = read(text)
    assert layer.values
    assert layer.warnings == ()
