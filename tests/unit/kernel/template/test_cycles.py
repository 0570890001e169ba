"""Circles in graphs."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vizier_kernel.template.cycles import find_cycle

NAMES = st.sampled_from("abcdef")


def test_no_recursion() -> None:
    chain = {str(i): [str(i + 1)] for i in range(50_000)}
    assert find_cycle(chain, ["0"]) is None
    assert len(find_cycle({**chain, "50000": ["0"]}, ["0"]) or ()) == 50_002


def test_a_diamond_is_no_circle() -> None:
    assert find_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, "abcd") is None


@given(st.dictionaries(NAMES, st.lists(NAMES, max_size=3)))
def test_what_is_found_is_a_circle_and_what_is_not_found_can_be_sorted(edges: dict[str, list[str]]) -> None:
    circle = find_cycle(edges, sorted(edges))
    if circle is not None:
        assert circle[0] == circle[-1]
        assert len(set(circle)) == len(circle) - 1
        assert all(there in edges[here] for here, there in pairwise(circle))
        return
    left = {name: set(targets) for name, targets in edges.items()}
    while left:
        free = [name for name, targets in left.items() if not targets & set(left)]
        assert free
        for name in free:
            del left[name]
