"""What `vizier config show` prints."""

import json

import pytest

from vizier_cli.actions import config_show
from vizier_cli.cli.app import App
from vizier_cli.cli.args import Arguments
from vizier_cli.cli.declarations import Command


@pytest.fixture
def show(root, monkeypatch, capsys):
    """The output of the command in a format."""

    def printed(form: str, config_file: str | None = None) -> str:
        arguments = Arguments([Command("show", "")])
        arguments.values["format"] = form
        if config_file:
            arguments.values["config-file"] = config_file
        monkeypatch.chdir(root)
        assert config_show.run(App(arguments, ["vizier", "config", "show"])) == 0
        return capsys.readouterr().out

    return printed


def test_json(show, configure):
    path = configure('git.sign = true\nmerge.squash = false\n[commands]\n"a b" = "file:x.hcl"\n')
    settings = {row["key"]: row for row in json.loads(show("json"))["settings"]}
    assert settings["git.sign"] == {"key": "git.sign", "value": True, "source": str(path), "effect": True}
    assert settings["git.hooks"] == {"key": "git.hooks", "value": False, "source": "default", "effect": True}
    assert settings["merge.squash"] == {"key": "merge.squash", "value": False, "source": str(path), "effect": False}
    assert settings["commands.a_b"]["value"] == "file:x.hcl"


def test_text(show, configure):
    path = configure('git.sign = true\nmerge.squash = false\nrelease.gate.script = "Größe \\u009b31m"\n')
    header, *rows = show("text").splitlines()
    assert header.split() == ["Key", "Source", "Value"]
    cells = dict(row.split(maxsplit=1) for row in rows)
    assert cells["git.sign"].split() == [str(path), "true"]
    assert cells["git.hooks"].split() == ["default", "false"]
    assert cells["merge.squash"].split() == [str(path), "(without", "effect)", "false"]
    assert cells["release.gate.script"].endswith(' "Gr\\u00f6\\u00dfe \\u009b31m"'), "no steering characters"
    assert cells["display.lists.list.header_fields"].endswith(' ["Outcome", "Target"]')


def test_a_named_file_is_the_only_source(show, root, configure):
    configure("git.sign = true\n")
    (root / "only.toml").write_text("git.hooks = true\n")
    sources = {row["key"]: row["source"] for row in json.loads(show("json", "only.toml"))["settings"]}
    assert sources["git.hooks"] == str(root / "only.toml")
    assert sources["git.sign"] == "default"
