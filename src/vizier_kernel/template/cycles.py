"""Finds circles in directed graphs."""

from collections.abc import Iterable, Mapping, Sequence


def find_cycle(edges: Mapping[str, Sequence[str]], starts: Iterable[str]) -> list[str] | None:
    """The first circle met when walking depth-first from `starts`, in order.

    The result begins and ends with the same name; None if there is no circle. Takes time linear in the number of edges
    and no recursion, so chains may be of any length.
    """
    done: set[str] = set()
    for start in starts:
        if start in done:
            continue
        path = [start]
        position = {start: 0}
        pending = [iter(edges.get(start, ()))]
        while pending:
            following = next(pending[-1], None)
            if following is None:
                pending.pop()
                left = path.pop()
                del position[left]
                done.add(left)
            elif following in position:
                return [*path[position[following] :], following]
            elif following not in done:
                position[following] = len(path)
                path.append(following)
                pending.append(iter(edges.get(following, ())))
    return None
