"""Pages about policies: what there is to say of each rule, and the folder that the pages are written to.

All of it comes from METADATA, from what the load-time check found out, and from the plans in ``fixtures``. How it
looks is said by `plangate.authoring.docs_markdown` and `plangate.authoring.docs_html`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from plangate.authoring.docs_examples import Example, Examples, examples
from plangate.decision.outcome import OnUnknown, RuleSpec
from plangate.errors import UsageError
from plangate.policy.base import PolicySet, PolicySource, RuleScope
from plangate.policy.files import FIXTURES
from plangate.policy.load import load
from plangate.policy.metadata import package_block, parse_block
from plangate.policy.reads import ANY

INDEX: Final = "index"
"""Name of the first page, without its suffix."""

MARKS: Final[Mapping[str, str]] = {
    ".md": "<!-- generator: plangate policy docs -->",
    ".html": '<meta name="generator" content="plangate policy docs">',
}
"""What a page of ours has in it, by suffix. Nothing else is ever written over or removed."""

SCOPES: Final[Mapping[RuleScope, str]] = {
    RuleScope.RESOURCES: "every managed resource that exists after the change",
    RuleScope.CHANGES: "every managed entry of the plan, also what is deleted or forgotten",
    RuleScope.PLAN: "the plan as a whole",
}
"""What gets an outcome."""

ON_UNKNOWN: Final[Mapping[OnUnknown, str]] = {
    OnUnknown.DENY: "An unknown counts as a failure.",
    OnUnknown.OBLIGE: "An unknown becomes an obligation: the executor checks the real resource afterwards.",
}


class Link(Struct, frozen=True, kw_only=True):
    """A reference; its text is the address itself unless METADATA describes it."""

    url: str
    text: str


class RulePage(Struct, frozen=True, kw_only=True):
    """What a page says about one rule.

    Attributes:
        spec: From METADATA. All its texts are an author's, and hostile.
        name: Of the page's file, without a suffix.
        domain: The folder word of the package ``policies.<domain>.<slug>``.
        package: All of it; empty for a built-in rule, which has none.
        judges: What gets an outcome.
        why: Why it matters.
        settings: JSON Schema by name.
        unknowns: Sentences on what becomes of unknown values.
        reads: Paths of a resource that the rule can read, as people write them.
        links: References.
        examples: From the rule's fixtures.
    """

    spec: RuleSpec
    name: str
    domain: str
    package: str
    judges: str
    why: str
    settings: Mapping[str, Mapping[str, Any]]
    unknowns: tuple[str, ...]
    reads: tuple[str, ...]
    links: tuple[Link, ...]
    examples: Examples

    def judged(self, code: Callable[[str], str]) -> str:
        """What gets an outcome, in words; ``code`` makes kinds and types safe to show."""
        parts = [self.judges]
        if self.spec.kinds:
            parts.append(f"of kind {', '.join(map(code, self.spec.kinds))}")
        if self.spec.types:
            parts.append(f"{'or ' if self.spec.kinds else ''}of type {', '.join(map(code, self.spec.types))}")
        return ", ".join(parts)

    def read(self, code: Callable[[str], str]) -> str:
        """What the rule reads of resources, in words, or an empty string."""
        named = ", ".join(code(path) for path in self.reads if path != ANY)
        if ANY in self.reads:
            return f"It may read everything of a resource{f', and names {named}' if named else ''}."
        return f"It reads {named}." if named else ""

    @property
    def shown(self) -> tuple[tuple[str, str, Example | None], ...]:
        """The two examples, each with its heading and the prefix of the cases that it is taken from."""
        return ("Fails", "fail_", self.examples.bad), ("Passes", "pass_", self.examples.good)


def rule_pages(
    sources: Sequence[PolicySource], *, data: Sequence[Path] = (), fixtures: Sequence[Path] = ()
) -> tuple[RulePage, ...]:
    """A page for each rule of these folders, sorted by domain and id.

    Args:
        sources: Folders of policies or bundles.
        data: Documents that the policies need besides.
        fixtures: Folders with the plans of each rule in ``<slug>/``, besides those in the folders of policies.

    Raises:
        PolicyLoadError: What the gate would refuse, or a fixture that cannot be read.
    """
    policies = load(sources, data=data)
    folders = (*fixtures, *(source.root / FIXTURES for source in sources))
    texts = dict(policies.modules)
    pages = [_page(policies, spec, texts[spec.source], folders) for spec in policies.rules]
    return tuple(sorted(pages, key=lambda page: (page.domain, page.spec.id)))


def _page(policies: PolicySet, spec: RuleSpec, text: str, folders: Sequence[Path]) -> RulePage:
    package = policies.packages[spec.id]
    slug = package.rpartition(".")[2]
    reads, scope = policies.reads[spec.id], policies.scopes[spec.id]
    handled = "The rule says itself what is not determined." if spec.id in policies.handles_unknowns else ""
    silent = (
        "If it finds nothing and something that it reads is known only after apply, the outcome is unknown."
    )
    return RulePage(
        spec=spec,
        # An id never ends in a dash, so no rule has this name.
        name=f"{INDEX}_" if slug == INDEX else spec.id.replace("-", "_"),
        domain=package.split(".")[1],
        package=package,
        judges=SCOPES[scope],
        why=spec.description,
        settings=policies.settings.get(spec.id, {}),
        unknowns=(handled or silent, ON_UNKNOWN[spec.on_unknown]),
        reads=reads.describe(),
        links=_links(text),
        examples=examples(folders, slug, reads, whole_plan=scope is RuleScope.PLAN),
    )


def _links(text: str) -> tuple[Link, ...]:
    """The references in a loaded rule's METADATA: nothing but comments stands above its package."""
    lines = text.split("\n")
    package = next(
        number for number, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("#")
    )
    block = package_block(text, package)
    entries = parse_block(*block).get("related_resources", []) if block else []
    pairs = [entry if isinstance(entry, dict) else {"ref": entry} for entry in entries]
    return tuple(Link(url=pair["ref"], text=pair.get("description") or pair["ref"]) for pair in pairs)


def by_framework(pages: Sequence[RulePage]) -> tuple[tuple[str, str, tuple[RulePage, ...]], ...]:
    """Framework, control and the rules for it, sorted."""
    found: dict[tuple[str, str], list[RulePage]] = {}
    for page in pages:
        for framework, controls in page.spec.frameworks:
            for control in dict.fromkeys(controls):
                found.setdefault((framework, control), []).append(page)
    return tuple((*key, tuple(rules)) for key, rules in sorted(found.items()))


def write(folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Write pages into a folder, over those of an earlier run, and remove those that are no longer made.

    Args:
        folder: Made if need be.
        files: Text by name; all have the same suffix.

    Raises:
        UsageError: A file of that name is not such a page, or the folder cannot be written; nothing of anybody else's
            was changed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        suffix = Path(next(iter(files))).suffix
        old = {path for path in folder.glob(f"*{suffix}") if _is_ours(path)}
        for path in (folder / name for name in files):
            if path not in old and (path.exists() or path.is_symlink()):
                hint = "nothing was written; choose another folder with --out"
                raise UsageError(f"{path} is there and was not made by this command", hint=hint)
        for path in old - {folder / name for name in files}:
            path.unlink()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"{folder}: cannot be written: {problem.strerror or problem}") from problem
    return tuple(folder / name for name in files)


def _is_ours(path: Path) -> bool:
    return (
        path.is_file()
        and not path.is_symlink()
        and MARKS[path.suffix] in path.read_text(encoding="utf-8", errors="replace")
    )
