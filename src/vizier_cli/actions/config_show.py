"""`vizier config show`: every setting in force and the file that it comes from (issue 5)."""

import json

from vizier_cli.cli.app import App
from vizier_cli.cli.output import json_text, table
from vizier_core.config.explain import EffectiveValue, explain_settings


def run(app: App) -> int:
    """Prints the settings, in the order of the list of keys."""
    values = explain_settings(app.root, app.config_file)
    if app.arguments.value("format") == "json":
        print(json_text({"settings": [_document(value) for value in values]}))
    else:
        print(table([("Key", "Source", "Value"), *map(_row, values)]))
    return 0


def _document(value: EffectiveValue) -> dict[str, object]:
    return {"key": value.key, "value": value.value, "source": _source(value), "effect": not value.legacy}


def _row(value: EffectiveValue) -> tuple[str, str, str]:
    note = " (without effect)" if value.legacy else ""
    text = json.dumps(value.value, ensure_ascii=False)
    # Some characters that JSON leaves alone steer a terminal.
    return value.key, f"{_source(value)}{note}", text if text.isprintable() else json.dumps(value.value)


def _source(value: EffectiveValue) -> str:
    return str(value.source) if value.source else "default"
