"""Where values come from, for errors about their meaning (spec 05 §17)."""

import pytest

from vizier_hcl import Path, Severity, evaluate

SOURCE = """\
id = "x"
params {
  p = "1"
}
cli "named" {
  subject = "topic"
}
cli "other" "deep" {
  y = 1
}
nodes = [
  { id = "a", args = { "script" = "true", n = 1 } }
  { id = "b", (1 + 1) = 2, 3 = 4, true = 5 }
]
loop = [for n in ["a"]: { id = n, kind = 5 }]
map = {for n in ["a"]: n => { k = 1 }}
groups = {for n in ["a"]: n => { k = 1 }...}
twice = { k = 1, k = 2 }
wrapped = ("${{ ("k") = [7] }}")
chosen = true ? { k = 1 } : { k = 2 }
merged = { x = 1 }
merged "y" {
  z = 1
}
"""

VALUES: dict[Path, tuple[int, int]] = {
    (): (1, 1),
    ("id",): (1, 6),
    ("params",): (2, 1),
    ("params", "p"): (3, 7),
    ("cli",): (5, 1),
    ("cli", "named"): (5, 5),
    ("cli", "named", "subject"): (6, 13),
    ("cli", "other", "deep"): (8, 13),
    ("cli", "other", "deep", "y"): (9, 7),
    ("nodes",): (11, 9),
    ("nodes", 0): (12, 3),
    ("nodes", 0, "args"): (12, 22),
    ("nodes", 0, "args", "script"): (12, 35),
    ("nodes", 1, "3"): (13, 32),
    ("nodes", 1, "true"): (13, 42),
    ("loop", 0, "kind"): (15, 42),
    ("map", "a", "k"): (16, 35),
    ("groups", "a", 0, "k"): (17, 38),
    ("twice", "k"): (18, 22),
    ("wrapped", "k", 0): (19, 26),
    ("merged", "x"): (21, 16),
    ("merged", "y", "z"): (23, 7),
}

#: Computed or absent: the nearest value around.
NEAREST: dict[Path, tuple[int, int]] = {
    ("nope",): (1, 1),
    ("params", "nope"): (2, 1),
    ("nodes", 7): (11, 9),
    ("nodes", 0, "nope", "deeper"): (12, 3),
    ("nodes", 1, "2"): (13, 3),
    ("chosen", "k"): (20, 10),
    ("id", "x"): (1, 6),
    ("nodes", "x"): (11, 9),
}

KEYS: dict[Path, tuple[int, int]] = {
    ("id",): (1, 1),
    ("params", "p"): (3, 3),
    ("nodes", 0, "args"): (12, 15),
    ("nodes", 0, "args", "script"): (12, 24),
    ("twice", "k"): (18, 18),
    ("map", "a"): (16, 24),
    ("nodes", 0): (12, 3),
}


@pytest.mark.parametrize(("path", "place"), (VALUES | NEAREST).items(), ids=map(str, VALUES | NEAREST))
def test_position_of_a_value(path: Path, place: tuple[int, int]) -> None:
    assert evaluate(SOURCE, display_path="t.hcl").position(path) == place


@pytest.mark.parametrize(("path", "place"), KEYS.items(), ids=map(str, KEYS))
def test_position_of_a_key(path: Path, place: tuple[int, int]) -> None:
    assert evaluate(SOURCE, display_path="t.hcl").key_position(path) == place


def test_a_diagnostic_about_a_value() -> None:
    document = evaluate(SOURCE, display_path="t.hcl")
    error = document.diagnostic(("params", "p"), "expected a number")
    assert error.render("t.hcl").splitlines() == ["t.hcl:3:7: expected a number", '      p = "1"', "          ^"]
    warning = document.diagnostic(("params", "p"), "unknown key", Severity.WARNING, at_key=True)
    assert warning.headline("t.hcl") == "t.hcl:3:3: warning: unknown key"
