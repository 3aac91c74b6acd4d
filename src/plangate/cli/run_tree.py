"""How a run goes, as a tree on a terminal: what waits for what, what is being made, what is done."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from plangate.executor.base import ExecutionEvent
    from plangate.model.aws_plan import AwsPlan

_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "waiting": ("·", "dim"),
    "running": ("▸", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
}
_FEW_LINES: Final = 6
"""Lines of a terminal that are left to others."""


class RunTree:
    """Shows the changes of a plan below what they need; call it with every event.

    Args:
        plan: What is run.
        console: A rich console on a terminal.
    """

    def __init__(self, plan: "AwsPlan", console: Any) -> None:
        from rich.live import Live

        self._name = plan.stack
        self._state = {change.key: "waiting" for change in plan.changes if change.action != "no-op"}
        self._actions = {change.key: change.action for change in plan.changes}
        self._below = _below({c.key: c.depends_on for c in plan.changes if c.key in self._state})
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, get_renderable=self._tree, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: "ExecutionEvent") -> None:
        """Take an event in."""
        if event.address not in self._state:
            return
        if event.type.endswith("_errored"):
            self._state[event.address] = "failed"
        elif event.type.endswith("_complete"):
            self._state[event.address] = "done"
        else:
            self._state[event.address] = "running"

    def lines(self) -> Sequence[tuple[int, str, str]]:
        """Depth, name and state of each change, below one that it needs; without room, of what runs or failed."""
        every = list(self._walk("", 0))
        room = max(self._console.height - _FEW_LINES, _FEW_LINES)
        if len(every) <= room:
            return every
        return [line for line in every if line[2] in {"running", "failed"}][:room]

    def _walk(self, parent: str, depth: int) -> Iterator[tuple[int, str, str]]:
        for name in self._below.get(parent, ()):
            yield depth, name, self._state[name]
            yield from self._walk(name, depth + 1)

    def _tree(self) -> Any:
        from rich.text import Text

        done = sum(state == "done" for state in self._state.values())
        text = Text(f"{self._name}: {done} of {len(self._state)} changes made\n")
        for depth, name, state in self.lines():
            mark, style = _MARKS[state]
            text.append(f"{'  ' * depth}  {mark} {name} {self._actions[name]}\n", style=style)
        return text


def _below(needs: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Each name under the one of its needs that stands deepest; those without needs under the empty name."""
    depths: dict[str, int] = {}

    def depth(name: str, through: frozenset[str]) -> int:
        if name not in depths:
            wanted = [each for each in needs[name] if each in needs and each not in through]
            depths[name] = 1 + max((depth(each, through | {name}) for each in wanted), default=-1)
        return depths[name]

    below: dict[str, list[str]] = defaultdict(list)
    for name in sorted(needs):
        depth(name, frozenset())
    for name in sorted(needs):
        wanted = sorted(each for each in needs[name] if each in needs and depths[each] < depths[name])
        below[max(wanted, key=depths.__getitem__) if wanted else ""].append(name)
    return below
