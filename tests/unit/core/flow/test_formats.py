"""What goes beyond the conformance tests of template files: texts that are made to hurt their parser."""

from pathlib import Path

import pytest

from vizier_core.errors import TemplateSourceError
from vizier_core.flow.formats import read_identity, read_tree


def written(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "a." * 100_000 + "a = 1",
        "[" + "a . " * 5_000 + "a]",
        '"a".' * 5_000 + "a = 1",
        "x = { " + "a." * 5_000 + "a = 1 }",
    ],
    ids=["key", "table", "quoted", "inline"],
)
def test_keys_with_very_many_parts_are_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, "a.toml", text)
    with pytest.raises(TemplateSourceError) as caught:
        read_tree(path)
    assert str(caught.value) == f"invalid TOML template {path}: nested too deeply"


@pytest.mark.parametrize("dots", ["." * 500, "a." * 500, ". " * 500])
@pytest.mark.parametrize("around", ['x = "{}"', "x = '{}'", 'x = """\n{}\n"""', "x = '''{}'''", "x = 1 # {}"])
def test_texts_and_comments_may_have_as_many_dots_as_they_like(tmp_path: Path, dots: str, around: str) -> None:
    assert "x" in read_tree(written(tmp_path, "a.toml", around.format(dots))).value


@pytest.mark.parametrize("text", [". " * 199, " \t" * 50_000, "a" * 100_000, "a " * 50_000, "-" * 100_000 + "."])
def test_what_is_no_such_key_is_left_to_the_parser(tmp_path: Path, text: str) -> None:
    """A search that tries all ways to divide the blanks would not come to an end."""
    path = written(tmp_path, "a.toml", f"{text}!")
    with pytest.raises(TemplateSourceError, match=r"invalid TOML template .*a\.toml:1:\d+: "):
        read_tree(path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_json_that_nests_very_deeply_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TemplateSourceError, match=r"invalid JSON template .*: nested too deeply"):
        read_tree(written(tmp_path, "a.json", text))


@pytest.mark.parametrize(
    ("name", "text", "identity"),
    [
        ("a.toml", 'id = "i"\nversion = "v"', ("i", "v")),
        ("a.json", '{"id": "i", "version": "v"}', ("i", "v")),
        ("a.hcl", 'id = "i"\nversion = "v"\nother = unknown', ("i", "v")),
        ("a.hcl", 'id = "i"\nversion = "v"', ("i", "v")),
        ("a.toml", 'id = "i"', None),
        ("a.json", '{"id": 1, "version": "v"}', None),
        ("a.json", "[]", None),
        ("a.hcl", 'id = 1\nversion = "v"', None),
    ],
)
def test_identity(tmp_path: Path, name: str, text: str, identity: tuple[str, str] | None) -> None:
    assert read_identity(written(tmp_path, name, text)) == identity
