"""Nothing that a file says may crash the program, hang it or fill its memory (spec 05 §12, ruling R42)."""

import contextlib
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from vizier_hcl import Diagnostic, HclError, Plain, evaluate
from vizier_hcl.diagnostics import SourceError
from vizier_hcl.lexer import Lexer
from vizier_hcl.limits import MAX_DIAGNOSTICS, MAX_TEXT, MAX_VALUES, Budget, BudgetError

#: What Python allows by default; the tests of depth leave the package only a little of it.
FRAMES_LEFT = 60

NESTED: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "1" + ")" * n,
    "tuples": lambda n: "[" * n + "]" * n,
    "objects": lambda n: "{a = " * n + "1" + "}" * n,
    "object keys": lambda n: '{("k") = 1, (' * (n // 2) + '"k"' + ") = 1}.k" * (n // 2),
    "prefixes": lambda n: "-" * n + "1",
    "conditions": lambda n: "(" * n + "true" + " ? true : false)" * n,
    "first branches": lambda n: "true ? " * n + "1" + " : 0" * n,
    "second branches": lambda n: "false ? 0 : " * n + "1",
    "sole interpolations": lambda n: '"${' * n + "1" + '}"' * n,
    "templates": lambda n: '"x${' * n + "1" + '}"' * n,
    "heredocs": lambda n: (
        "".join(f"<<E{i}\n${{" for i in range(n)) + "1" + "".join(f"}}\nE{i}\n" for i in reversed(range(n)))
    ),
    "if directives": lambda n: '"' + "%{ if true }" * n + "x" + "%{ endif }" * n + '"',
    "for directives": lambda n: '"' + "%{ for v in [1] }" * n + "x" + "%{ endfor }" * n + '"',
    "loops over tuples": lambda n: "[for v in [1]: " * n + "v" + "]" * n,
    "loops over objects": lambda n: "{for v in [1]: v => " * n + "v" + "}" * n,
    "loops in collections": lambda n: "[for v in " * n + "[]" + ": v]" * n,
    "loops in filters": lambda n: "length([for v in [1]: v if 1 == " * (n // 2) + "1" + "])" * (n // 2),
    "calls": lambda n: "length([" * (n // 2) + "])" * (n // 2),
    "indices": lambda n: "[0][" * n + "0" + "]" * n,
    "index chains": lambda n: "[" * n + "7" + "]" * n + "[0]" * n,
    "attribute chains": lambda n: "{a = " * n + "1" + "}" * n + ".a" * n,
    "splats": lambda n: "1" + "[*]" * n,
}

#: Constructs that grow a file without nesting it, to any length.
FLAT: dict[str, Callable[[int], str]] = {
    "operators": lambda n: "1" + " + 1" * n,
    "operators of falling strength": lambda n: "1 * 1 + 1 < 9 == true && true || " * n + "true",
    "prefixes": lambda n: "-" * n + "1",
    "second branches": lambda n: "false ? 0 : " * n + "1",
    "elements": lambda n: "[" + "1, " * n + "]",
    "sequences": lambda n: '"' + "${1}" * n + '"',
    "directives": lambda n: '"' + "%{ if true }x%{ endif }" * n + '"',
    "splats of names": lambda n: "[]" + ".*" * n,
}


def with_few_frames_left(action: Callable[[], Plain]) -> Plain:
    """Calls from so deep in Python's stack that hardly any frames are left."""
    depth = 0
    frame: FrameType | None = sys._getframe()
    while frame:
        depth, frame = depth + 1, frame.f_back

    def descend(levels: int) -> Plain:
        return descend(levels - 1) if levels else action()

    return descend(sys.getrecursionlimit() - depth - FRAMES_LEFT)


def value(expression: str) -> Plain:
    return evaluate(f"a = {expression}\n", display_path="t.hcl").value["a"]


@pytest.mark.parametrize("construct", NESTED)
def test_moderate_nesting_evaluates_however_deep_the_caller_is(construct: str) -> None:
    expression = NESTED[construct](190)
    with_few_frames_left(lambda: value(expression))


@pytest.mark.parametrize("construct", sorted(NESTED.keys() - FLAT.keys()))
@pytest.mark.parametrize("depth", [250, 5000])
def test_great_nesting_is_an_ordinary_error(construct: str, depth: int) -> None:
    expression = NESTED[construct](depth)
    with pytest.raises(HclError, match=r"nested more than 200 levels deep"):
        with_few_frames_left(lambda: value(expression))


@pytest.mark.parametrize("construct", FLAT)
def test_flat_constructs_have_any_length(construct: str) -> None:
    expression = FLAT[construct](5000)
    with_few_frames_left(lambda: value(expression))


def test_the_offending_bracket_is_the_place() -> None:
    with pytest.raises(HclError) as refused:
        value("[" * 300 + "]" * 300)
    assert refused.value.diagnostics[0].position == (1, 5 + 200)


def test_blocks_nest_like_everything_else() -> None:
    inside: Plain = evaluate("b {\n" * 190 + "}\n" * 190, display_path="t.hcl").value
    for _ in range(190):
        assert isinstance(inside, dict)
        inside = inside["b"]
    assert inside == {}
    with pytest.raises(HclError, match="nested more than 200 levels deep"):
        evaluate("b {\n" * 30_000 + "}\n" * 30_000, display_path="t.hcl")


def test_values_cannot_be_deeper_than_their_source() -> None:
    """Otherwise whoever walks the tree with plain recursion would crash."""
    loops = "[for v in " * 5 + "[0]" + (": " + "[" * 150 + "v" + "]" * 150 + "]") * 5
    with pytest.raises(HclError, match="value is nested more than 200 levels deep"):
        value(loops)
    with pytest.raises(HclError, match="value is nested more than 200 levels deep"):
        evaluate(f"b {'k ' * 300}{{}}\n", display_path="t.hcl")


#: Eleven hundred elements: what takes each of them as often exceeds the budget, anything else does not.
ITEMS = f"[{'1, ' * 1100}]"
OBJECTS = f"[{'{n = 1}, ' * 1100}]"


@pytest.mark.parametrize(
    "expression",
    [
        f"[for l in [{ITEMS}]: length([for a in l: [for b in l: 1]])]",
        f"[for l in [{ITEMS}]: length([for a in l: [for b in l: 1 if false]])]",
        f'[for l in [{ITEMS}]: "%{{ for a in l }}%{{ for b in l }}%{{ endfor }}%{{ endfor }}"]',
        f"[for l in [{ITEMS}]: length([for a in l: l == l])]",
        f"[for l in [{ITEMS}]: length([for a in l: l[*]])]",
        f"[for l in [{ITEMS}]: length([for a in l: l.*])]",
        f"[for l in [{OBJECTS}]: length([for a in l: l.*.n])]",
        f"[for o in [{{for i, v in {ITEMS}: i => v}}]: length([for a in o: values(o)])]",
        f"[for o in [{{for i, v in {ITEMS}: i => v}}]: length([for a in o: keys(o)])]",
        f"[for l in [{ITEMS}]: [for a in l: l]]",
        f"[for o in [{{for i, v in {ITEMS}: i => v}}]: [for a in o: o]]",
        # Each level holds the one below it twice: cheap to evaluate, enormous to write out.
        "[for a in " * 60 + "[0]" + ": [a, a]]" * 60,
    ],
)
def test_work_is_bounded(expression: str) -> None:
    with pytest.raises(HclError, match="evaluation produces more than 1,000,000 values") as refused:
        value(expression)
    assert len(refused.value.diagnostics) == 1


@pytest.mark.parametrize(
    "expression",
    [
        f'"%{{ for a in {ITEMS} }}%{{ for b in {ITEMS} }}{"x" * 100}%{{ endfor }}%{{ endfor }}"',
        f'[for s in ["{"x" * 100_000}"]: [for a in {ITEMS}: "${{s}}${{a}}"]]',
        f'[for s in ["{"x" * 100_000}"]: [for a in {ITEMS}: s]]',
        f'[for s in ["{"x" * 100_000}"]: length([for a in {ITEMS}: {{(s) = a}}])]',
        f'length([for a in {ITEMS}: 1 if "{"x" * 100_000}" == "{"x" * 100_000}"])',
    ],
)
def test_text_is_bounded(expression: str) -> None:
    with pytest.raises(HclError, match="evaluation produces more than 16,777,216 characters"):
        value(expression)


def test_the_budget_ends_the_whole_evaluation() -> None:
    loop = f"[for a in {ITEMS}: length([for b in {ITEMS}: length([for c in {ITEMS}: 1])])]"
    with pytest.raises(HclError) as refused:
        evaluate(f"a = {loop}\nb {{\n  x = {loop}\n}}\n", display_path="t.hcl")
    assert [error.line for error in refused.value.diagnostics] == [1]


def test_what_a_file_spells_out_is_free() -> None:
    budget = Budget(source_length=500)
    budget.spend_values(MAX_VALUES + 500, 0)
    budget.spend_text(MAX_TEXT + 500, 0)
    with pytest.raises(BudgetError):
        budget.spend_values(1, 0)
    with pytest.raises(BudgetError):
        budget.spend_text(1, 0)


def test_enormous_files_are_refused_unread() -> None:
    with pytest.raises(HclError, match=r"t\.hcl:1:1: file is too large"):
        evaluate(b'"${' * 4_000_000, display_path="t.hcl")


def test_warnings_are_not_hoarded() -> None:
    lexer = Lexer('"' + "\\q" * 1000 + '"')
    lexer.tokens()
    assert len(lexer.warnings) == MAX_DIAGNOSTICS


# Linear time


def calls_for(source: str) -> int:
    """How many calls it takes to evaluate or refuse a file."""
    count = 0

    def note(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        evaluate(source, display_path="t.hcl")
    except HclError:
        pass
    finally:
        sys.setprofile(None)
    return count


REPEATED: dict[str, Callable[[int], str]] = {
    "open strings": lambda n: '"' * n,
    "open sequences": lambda n: '"${' * n,
    "open sequences in lines": lambda n: 'a = "${(\n' * n,
    "open sequences in a heredoc": lambda n: "a = <<E\n" + "${" * n + "\nE\n",
    "sequences": lambda n: 'a = "' + "${1}" * n + '"\n',
    "comments in sequences": lambda n: 'a = "' + "${1 # c}" * n + '"\n',
    "open comments in a sequence": lambda n: 'a = "${' + "/* " * n,
    "comments": lambda n: "# x\n/* y */\n" * n,
    "open heredocs in a sequence": lambda n: 'a = "${' + "".join(f"<<E{i}\n" for i in range(n)),
    "heredocs": lambda n: "".join(f"a{i} = <<-E\n  x\n  E\n" for i in range(n)),
    "brackets": lambda n: "a = " + "[" * n,
    "blocks": lambda n: "b {\n" * n,
    "labeled blocks": lambda n: "".join(f'b "l{i}" {{\n}}\n' for i in range(n)),
    "labeled blocks in an attribute": lambda n: "b = {}\n" + "".join(f'b "l{i}" {{\n}}\n' for i in range(n)),
    "labels": lambda n: "b " + "l " * n + "{}\n",
    "attributes": lambda n: "".join(f"a{i} = {i}\n" for i in range(n)),
    "broken attributes": lambda n: "".join(f"a{i} = = {i}\n" for i in range(n)),
    "broken attributes in blocks": lambda n: "b {\n" * 100 + "".join(f"a{i} = = 1\n" for i in range(n)),
    "broken values": lambda n: "".join(f"a{i} = nope\n" for i in range(n)),
    "infinite values": lambda n: "".join(f"a{i} = 1e999\n" for i in range(n)),
    "keys": lambda n: "a = {" + "".join(f"k{i} = 1, " for i in range(n)) + "}\n",
    "operators": lambda n: "a = 1" + " + 1" * n + "\n",
    "indices": lambda n: "a = [1]" + "[0]" * n + "\n",
    "splats": lambda n: "a = 1" + "[*]" * n + "\n",
    "unknown escapes": lambda n: 'a = "' + "\\q" * n + '"\n',
    "stray directives": lambda n: 'a = "' + "%{ endif }" * n + '"\n',
    "combining marks": lambda n: 'a = "a' + "\u0301\u0316" * n + '"\n',
}


@pytest.mark.parametrize("kind", REPEATED)
def test_work_grows_with_the_size_of_the_file(kind: str) -> None:
    """Four times the text takes about four times the calls, not sixteen times."""
    small, large = (calls_for(REPEATED[kind](size)) for size in (1000, 4000))
    assert large < 5 * small + 1000
    assert large < 100 * len(REPEATED[kind](4000))


class ScannedText(str):
    """Counts the characters that searches through it look at."""

    scanned = 0

    def find(self, *arguments: object) -> int:
        """As of a string: the end of the search is known only when it fails."""
        found = super().find(*arguments)  # type: ignore[arg-type]  # the arguments are those of a string
        start, end = int(str(arguments[1])), int(str(arguments[2]))
        self.scanned += (end if found < 0 else found) - start
        return found


@pytest.mark.parametrize("kind", ["open comments in a sequence", "comments", "comments in sequences"])
def test_searches_do_not_read_the_text_again_and_again(kind: str) -> None:
    text = ScannedText(REPEATED[kind](2000))
    with contextlib.suppress(SourceError):
        Lexer(text).tokens()
    assert text.scanned <= 2 * len(text)


@pytest.mark.parametrize(
    ("source", "errors"),
    [
        ('a = "' + "${#}" * 50_000 + '"\n', 1),
        ('a = "' + "${1 # {} }" * 50_000 + '"\n', 0),
        ('a = "${' + "<<E\n" * 50_000, 1),
        ('a = "a' + "\u0301\u0316" * 200_000 + '"\n', 0),
        ('a = "a' + "\u0f73" * 200_000 + '"\n', 0),
    ],
    ids=["comments", "comments with brackets", "heredocs", "combining marks", "marks that decompose"],
)
def test_one_long_line_is_no_trap(source: str, errors: int) -> None:
    """What is read by C code shows in no count of calls: read from the start each time, these would take minutes."""
    found: tuple[Diagnostic, ...] = ()
    try:
        evaluate(source, display_path="t.hcl")
    except HclError as error:
        found = error.diagnostics
    assert len(found) == errors
