"""The steps and words around them that a preview and an event stream have alike, as one plan.

Rules this module keeps:
1. A document that counts more operations than it lists is refused: a stripped plan must not pass for a small one.
2. Resources that stay as they are and are left out make the plan one that could not be fully read.
3. A program or a diagnostic that failed makes the plan an errored one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from msgspec import Struct, field

from plangate.errors import PlanParseError
from plangate.model.plan import Action, Check, OutputChange, Plan, Provisioner, Resource, Source
from plangate.parsers.base import Documents, Limits
from plangate.parsers.pulumi_resources import STACK, Resources
from plangate.parsers.pulumi_steps import OPERATIONS, Step, entries
from plangate.parsers.pulumi_values import PropertyReader

_SHOWN: Final = ("create", "update", "delete", "replace", "import", "read", "discard")
"""Operations that every document lists; the other steps of a replacement are left out unless asked for."""
_PROGRAMS: Final[Mapping[str, str]] = {
    "command:local:Command": "local-exec",
    "command:remote:Command": "remote-exec",
    "command:remote:CopyFile": "file",
    "command:remote:CopyToRemote": "file",
}
_DYNAMIC: Final = ":dynamic"
"""A resource whose provider is code of the program: https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/"""


class Summary(Struct, kw_only=True):
    """What a document says of itself.

    Attributes:
        counts: Operations by word; ``None`` when the document ends without them.
        complete: Everything that was begun has an end.
        errored: The program, a provider or the engine failed.
        checks: Policy packs that found something.
        config: Configuration of the stack.
        done: The change was made already.
    """

    counts: Mapping[str, int] | None = None
    complete: bool = True
    errored: bool = False
    checks: list[Check] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    done: bool = False


class PulumiReader:
    """Reads parts of one input, and refuses what is not as it should be.

    Args:
        documents: The input.
        limits: Bounds of what it may hold.
    """

    def __init__(self, documents: Documents, limits: Limits) -> None:
        self._documents = documents
        self._limits = limits

    def refuse(self, at: str, problem: str, *, hint: str = "") -> NoReturn:
        """Refuse the input for what stands at ``<number of the document>#<JSON Pointer>``."""
        number, _, place = at.partition("#")
        line, column = self._documents.places[int(number)].at(place)
        while not line and place:
            place = place.rpartition("/")[0]
            line, column = self._documents.places[int(number)].at(place)
        raise PlanParseError(
            self._documents.source.name, problem, at=f"line {line} column {column}", hint=hint
        )

    def object_of(self, value: Any, at: str, what: str) -> dict[str, Any]:
        """The value, if it is an object; an empty one for nothing."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.refuse(at, f"{what} that is not an object")
        return value

    def step(self, item: Any, at: str, *, old: str, new: str, keys: str) -> Step:
        """One step.

        Args:
            item: As the document has it.
            at: Where it stands.
            old: Its member with the state before.
            new: Its member with the state after.
            keys: Its member with what forces a replacement.
        """
        if not isinstance(item, dict):
            self.refuse(at, "a step that is not an object")
        op, urn = item.get("op"), item.get("urn")
        if not isinstance(op, str) or op not in OPERATIONS:
            self.refuse(f"{at}/op", f"unknown operation {op!r:.40} (known: {', '.join(sorted(OPERATIONS))})")
        if not isinstance(urn, str) or not urn:
            self.refuse(f"{at}/urn", "a step without the URN of its resource")
        states = []
        for side in (old, new):
            state = item.get(side)
            if state is not None and not isinstance(state, dict):
                self.refuse(f"{at}/{side}", "a state that is not an object")
            states.append(state)
        listed = item.get(keys)
        return Step(
            op=op,
            urn=urn,
            old=states[0],
            new=states[1],
            keys=tuple(key for key in listed if isinstance(key, str)) if isinstance(listed, list) else (),
            at=at,
        )

    def counts(self, value: Any, at: str) -> dict[str, int]:
        """Operations by word."""
        found = self.object_of(value, at, "a summary")
        for word, count in found.items():
            if isinstance(count, bool) or not isinstance(count, int):
                self.refuse(at, f"a count of {word[:40]} that is no whole number")
        return found

    def plan(self, form: str, steps: Sequence[Step], summary: Summary) -> Plan:
        """The plan of all steps.

        Args:
            form: The format's id.
            steps: In the order of the document.
            summary: What the document says of itself.
        """
        if len(steps) > self._limits.max_resources:
            self.refuse("0#", f"{len(steps)} steps (limit: {self._limits.max_resources})")
        opaque = self._check_counts(steps, summary)
        made = Resources(
            reader=PropertyReader(self._limits), refuse=self._refuse_plainly, config=summary.config
        )
        resources = made.of(entries(steps, self._refuse_plainly))
        self._check_addresses(resources)
        source = self._documents.source
        return Plan(
            source=Source(
                name=source.name,
                format=form,
                format_version="",
                tool="pulumi",
                sha256=source.sha256,
                size=source.size,
                media_type=source.media_type,
            ),
            complete=summary.complete and summary.counts is not None,
            errored=summary.errored,
            applyable=False if summary.done else None,
            resources=resources,
            outputs=tuple(_outputs(resources)),
            checks=tuple(summary.checks),
            provisioners=tuple(_programs(resources)),
            providers=tuple(sorted({resource.provider for resource in resources})),
            opaque=opaque,
            secrets=frozenset(made.secrets),
        )

    def _refuse_plainly(self, at: str, problem: str) -> NoReturn:
        self.refuse(at, problem)

    def _check_counts(self, steps: Sequence[Step], summary: Summary) -> tuple[str, ...]:
        listed = Counter(step.op for step in steps)
        counts = summary.counts or {}
        for word in _SHOWN:
            # A refresh counts as what it found.
            if counts.get(word, 0) > listed[word] + listed["refresh"]:
                self.refuse("0#", f"it counts {counts[word]} of {word} and lists {listed[word]}")
        left_out = counts.get("same", 0) - listed["same"] - listed["refresh"]
        if left_out <= 0:
            return ()
        sentence = (
            f"{left_out} unchanged resources are not in this document, and what changes may concern them "
            "(make it with --show-sames)"
        )
        return (sentence,)

    def _check_addresses(self, resources: Iterable[Resource]) -> None:
        seen: set[tuple[str, str]] = set()
        for resource in resources:
            key = resource.address, resource.deposed
            if key in seen:
                self.refuse("0#", f"{resource.address[:200]} comes twice")
            seen.add(key)


def read_config(value: Any) -> dict[str, str]:
    """Configuration as text; what is not text is left out."""
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _programs(resources: Iterable[Resource]) -> Iterable[Provisioner]:
    """Resources that run a program of the author's, on whatever machine applies the change."""
    for resource in resources:
        kind = _PROGRAMS.get(resource.type)
        if kind is None and _DYNAMIC in resource.type and resource.type.startswith("pulumi-"):
            kind = f"action:{resource.type}"
        if kind is not None:
            runs = resource.action is not Action.NO_OP and resource.mode == "managed"
            yield Provisioner(address=resource.address, type=kind, runs=runs)


def _outputs(resources: Iterable[Resource]) -> Iterable[OutputChange]:
    """Outputs of the stack."""
    stack = next((r for r in resources if r.type == STACK), None)
    if stack is None:
        return
    before, after = stack.before or {}, stack.planned if stack.after is not None else {}
    for name in sorted({*before, *after} - {"id"}):
        place = "/" + name.replace("~", "~0").replace("/", "~1")
        old, new = before.get(name), after.get(name)
        action = Action.NO_OP
        if name not in before:
            action = Action.CREATE
        elif name not in after:
            action = Action.DELETE
        elif old is not new and old != new:
            action = Action.UPDATE
        hidden = any(at == place or at.startswith(f"{place}/") for at in stack.sensitive)
        yield OutputChange(name=name, action=action, before=old, after=new, sensitive=hidden)
