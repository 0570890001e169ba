"""From files to trees (spec 07 §2.2)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.config.parse import read_tree
from vizier_core.errors import ConfigError

TOML = 'display.format = "json"\n'
JSON = '{"display": {"format": "json"}}'
TREE = {"display": {"format": "json"}}


def written(directory: Path, name: str, data: str | bytes) -> Path:
    path = directory / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [("c.toml", TOML), ("c.TOML", TOML), ("c.json", JSON), ("c.JsoN", JSON), ("c.toml", f"\ufeff{TOML}")]
    + [(name, text) for name in ("c.conf", "config", ".rc", "c.yaml") for text in (TOML, JSON)],
)
def test_formats(tmp_path, name, text):
    assert read_tree(written(tmp_path, name, text)) == TREE


@pytest.mark.parametrize(("name", "text"), [("c.toml", JSON), ("c.json", TOML)])
def test_a_suffix_that_tells_is_believed(tmp_path, name, text):
    with pytest.raises(ConfigError, match=rf"invalid (TOML|JSON) in .*{name}"):
        read_tree(written(tmp_path, name, text))


@pytest.mark.parametrize("text", ["{}", "[]", "null", "3", '"text"', " [1, 2] \n"])
def test_json_that_is_no_object_says_nothing(tmp_path, text):
    assert read_tree(written(tmp_path, "c.json", text)) == {}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment"])
def test_empty_toml_says_nothing(tmp_path, text):
    assert read_tree(written(tmp_path, "c.toml", text)) == {}


@pytest.mark.parametrize(
    "text",
    ["", "  \n", '{"a": 1,}', "{'a': 1}", '{"a": NaN}', '{"a": Infinity}', '{"a": 01}', "{} {}", '{"a": "\\ud800"}'],
)
def test_json_is_strict(tmp_path, text):
    with pytest.raises(ConfigError, match=r"invalid JSON in .*c\.json"):
        read_tree(written(tmp_path, "c.json", text))


def test_json_errors_tell_line_and_column(tmp_path):
    path = written(tmp_path, "c.json", '{\n  "a": nope\n}')
    with pytest.raises(ConfigError) as error:
        read_tree(path)
    assert str(error.value).startswith(f"invalid JSON in {path}:2:8: ")


def test_toml_errors_tell_the_line(tmp_path):
    path = written(tmp_path, "c.toml", "a = 1\nb = = 2\n")
    with pytest.raises(ConfigError) as error:
        read_tree(path)
    assert str(path) in str(error.value)
    assert "line 2" in str(error.value)


def test_a_file_that_is_neither_tells_both_errors(tmp_path):
    with pytest.raises(ConfigError, match=r"^invalid JSON in .*; invalid TOML in "):
        read_tree(written(tmp_path, "c.conf", "neither: [of both"))


@pytest.mark.parametrize("name", ["c.json", "c.toml", "c.conf"])
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "a = " + "[" * 100_000, "a = " + "{b=" * 100_000])
def test_depth_is_one_clear_error(tmp_path, name, text):
    with pytest.raises(ConfigError, match=name):
        read_tree(written(tmp_path, name, text))


def test_numbers_of_any_length_are_no_crash(tmp_path):
    with pytest.raises(ConfigError, match=r"c\.toml"):
        read_tree(written(tmp_path, "c.toml", "a = " + "9" * 5000))


@pytest.mark.parametrize("name", ["c.json", "c.toml", "c.conf"])
def test_bytes_that_are_no_text(tmp_path, name):
    with pytest.raises(ConfigError, match=rf"{name}: not valid UTF-8 at byte 6"):
        read_tree(written(tmp_path, name, b'a = "b\xff"'))


def test_a_directory_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read configuration file .*: Is a directory"):
        read_tree(tmp_path)


@given(data=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@pytest.mark.parametrize("name", ["c.json", "c.toml", "c.conf"])
def test_any_bytes_are_a_tree_or_an_error_that_names_the_file(tmp_path_factory, name, data):
    path = written(tmp_path_factory.getbasetemp(), name, data)
    try:
        outcome: object = read_tree(path)
    except ConfigError as error:
        outcome = str(error)
    assert isinstance(outcome, dict) or str(path) in str(outcome)
