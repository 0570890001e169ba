"""The managed block of ignore rules (spec 09 §2.3)."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizier_core.scaffold.gitignore import RULES, evaluate, normal_form, rewritten

BLOCK = "".join(f"{line}\n" for line in ("# Vizier", *RULES)).encode()
CANONICAL = ["canonical # Vizier block"]

#: Lines that mean something here, and lines that do not.
PIECES = (
    *(rule.encode() for rule in RULES),
    *(b"# Vizier", b" # Vizier ", b"# Vizier jobs", b"!.vizier/jobs/keep.json", b"/.vizier/jobs/**", b"!/.vizier/tmp/"),
    *(b"", b"  ", b"*.log", b"!keep.txt", b"caf\xe9/", b"a\rb", b".vizier/", b"!/.vizier-state/jobs/x"),
)
lines = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from([b"\n", b"\r\n"])), max_size=12)


@pytest.mark.parametrize(
    ("pattern", "form"),
    [
        ("./.vizier/tmp-worktrees/**", ".vizier/tmp-worktrees"),
        ("/.vizier/jobs/*", ".vizier/jobs"),
        ("**/.vizier/sessions/", ".vizier/sessions"),
        (".vizier//jobs//", ".vizier/jobs"),
        (".vizier/state/**/*", ".vizier/state"),
        (r"  .vizier\tmp  # scratch", ".vizier/tmp"),
        (".vizier/tmp\t#", ".vizier/tmp"),
        (".vizier/a#b", ".vizier/a#b"),
        ("././/**/**/x", "x"),
        ("/./x", "./x"),
        ("/", ""),
        ("**/", ""),
    ],
)
def test_normal_form(pattern: str, form: str) -> None:
    assert normal_form(pattern) == form


def test_missing_rules_are_told_before_the_shape_of_the_block() -> None:
    assert evaluate(b"") == list(RULES)
    assert evaluate(b"# Vizier\n.vizier/jobs\n") == [rule for rule in RULES if rule != ".vizier/jobs/"]
    assert evaluate(b"".join(rule.encode() + b"\n" for rule in RULES)) == CANONICAL


@pytest.mark.parametrize(
    "text",
    [
        BLOCK.removesuffix(b"\n"),
        BLOCK + b"# Vizier\n",
        BLOCK + b"/.vizier/jobs\n",
        b"!.vizier/jobs/keep.json\n" + BLOCK,
        BLOCK.replace(b"\n", b"\r\n", 1),
        b"# Vizier\n*.log\n" + BLOCK.removeprefix(b"# Vizier\n"),
    ],
)
def test_a_block_that_is_not_as_it_should_be(text: bytes) -> None:
    assert evaluate(text) == CANONICAL
    assert evaluate(rewritten(text)) == []


@pytest.mark.parametrize(
    "text", [BLOCK, b"a\n" + BLOCK + b"!.vizier/jobs/x\nb", BLOCK.replace(b"\n", b"\r\n"), b"caf\xe9\n" + BLOCK]
)
def test_a_block_that_is(text: bytes) -> None:
    assert evaluate(text) == []


def test_ws_09_01_what_is_no_utf8_and_mixed_line_ends_survive() -> None:
    assert rewritten(b"caf\xe9/\none\r\ntwo") == b"caf\xe9/\none\r\ntwo\r\n\r\n" + BLOCK.replace(b"\n", b"\r\n")


@given(lines)
def test_a_rewritten_file_is_right_and_stays_as_it_is(pieces: list[tuple[bytes, bytes]]) -> None:
    text = b"".join(map(b"".join, pieces))
    after = rewritten(text)
    assert evaluate(after) == []
    assert rewritten(after) == after


@given(lines)
def test_lines_of_others_stay_in_their_order(pieces: list[tuple[bytes, bytes]]) -> None:
    others = {b"*.log", b"!keep.txt", b"caf\xe9/", b"a\rb", b".vizier/", b"!/.vizier-state/jobs/x", b"# Vizier jobs"}
    after = rewritten(b"".join(map(b"".join, pieces)))
    found = [line for line in re.findall(rb"[^\n]*\n", after) if line.rstrip(b"\r\n") in others]
    assert found == [line + end for line, end in pieces if line in others]


@given(lines)
def test_the_block_comes_last_where_there_are_no_exceptions(pieces: list[tuple[bytes, bytes]]) -> None:
    text = b"".join(line + end for line, end in pieces if not line.startswith(b"!"))
    assert rewritten(text).endswith(BLOCK.replace(b"\n", b"\r\n") if b"\r\n" in text else BLOCK)


def test_git_agrees(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    (tmp_path / ".gitignore").write_bytes(rewritten(b"*.log\n"))
    paths = [f"{rule.rstrip('/')}/x" for rule in RULES]
    asked = subprocess.run(["git", "check-ignore", *paths], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == paths
