"""Circles in a graph of names."""

from collections.abc import Mapping, Sequence


def find_cycle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """The names on one circle, in order; empty when there is none. Linear, and without recursion."""
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        path: list[str] = [start]
        on_path = {start}
        pending = [iter(edges[start])]
        while pending:
            following = next(pending[-1], None)
            if following is None:
                pending.pop()
                left = path.pop()
                on_path.discard(left)
                done.add(left)
            elif following in on_path:
                return path[path.index(following) :]
            elif following not in done and following in edges:
                path.append(following)
                on_path.add(following)
                pending.append(iter(edges[following]))
    return []
