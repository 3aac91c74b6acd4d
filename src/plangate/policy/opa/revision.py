"""A policy set as an OPA gets it: under a name that is its digest, so that no other set can be mistaken for it.

Everything moves below ``data.plangate_<digest>``: ``data.policies.a.b.deny`` becomes
``data.plangate_<digest>.policies.a.b.deny``, in package lines, imports and bodies alike. Whatever else a shared server
holds, another revision of the same policies included, has other names and cannot be merged with it. One more module
asks for all rules at once and gives the revision along with their answers.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from plangate.policy.base import PolicySet

PREFIX: Final = "plangate_"
_MAIN: Final = "plangate.main"
"""Package of our module. Nobody else may have it: of ``plangate`` policies get ``plangate.lib.<name>`` alone."""

Path: TypeAlias = tuple[str, ...]

_PACKAGE: Final = re.compile(r"^[ \t]*package[ \t]+([\w.]+)", re.MULTILINE)
_TOKEN: Final = re.compile(
    r"""(?P<skip>\#[^\n]*|"(?:\\.|[^"\\\n])*"|`[^`]*`|[0-9][\w.]*)|(?P<name>[A-Za-z_]\w*)|(?P<dot>\.)|(?P<other>\S)"""
)


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A policy set, ready to be handed over.

    Attributes:
        digest: Hex digest over everything below.
        names: What people call each module, in order.
        modules: The texts, in the same order; the last one is ours.
        data: Data documents, as they stand below the prefix.
        documents: What our module says of them when they are all there: place to value.
        rules: Ids of the rules that are asked.
    """

    digest: str
    names: tuple[str, ...]
    modules: tuple[str, ...]
    data: Mapping[str, Any]
    documents: Mapping[str, Any]
    rules: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """First name of every package and data document."""
        return PREFIX + self.digest

    @property
    def main(self) -> str:
        """Package of our own module."""
        return f"{self.prefix}.{_MAIN}"

    @cached_property
    def ids(self) -> dict[str, str]:
        """Policy id to text. Ids are numbers: names of files may hold what an address may not."""
        return {f"plangate/{self.digest}/{number:04}.rego": text for number, text in enumerate(self.modules)}

    def people_say(self, text: str) -> str:
        """A message of OPA with our names of files and packages put back."""
        text = re.sub(
            r"\S*\b(\d{4})\.rego",
            lambda match: self.names[int(match[1])] if int(match[1]) < len(self.names) else match[0],
            text,
        )
        return text.replace(f"{self.prefix}.", "")


def revision_of(policies: PolicySet) -> Revision:
    """The set under its own name.

    Args:
        policies: Checked policies, or what `plangate.policy.opa.questions` made of them.
    """
    names = (*(name for name, _ in policies.modules), "plangate/main.rego")
    texts = [text for _, text in policies.modules]
    documents = dict(_apart(policies.data, (), _package_paths(texts)))
    texts.append(_main(policies, documents))
    whole = json.dumps([names, texts, dict(policies.data)], sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(whole.encode()).hexdigest()
    texts[-1] += f'judgement := {{"revision": "{digest}", "answers": answers}}\n'
    return Revision(
        digest=digest,
        names=names,
        modules=tuple(moved(text, PREFIX + digest) for text in texts),
        data=policies.data,
        documents={json.dumps(path): value for path, value in documents.items()},
        rules=tuple(rule.id for rule in policies.rules),
    )


def _main(policies: PolicySet, documents: Iterable[Path]) -> str:
    """Our module: every rule's answer under its id, and every data document as policies see it."""
    lines = [f"package {_MAIN}", ""]
    if not policies.rules:
        lines.append("answers := {}")
    for rule in policies.rules:
        package = policies.packages[rule.id]
        sets = [f"data.{package}.deny"]
        if rule.id in policies.handles_unknowns:
            sets.append(f"data.{package}.undetermined")
        lines.append(f"answers[{json.dumps(rule.id)}] := [{', '.join(sets)}]")
    for path in documents:
        keys = "".join(f"[{json.dumps(key, ensure_ascii=False)}]" for key in path)
        lines.append(f"documents[{json.dumps(json.dumps(path))}] := data{keys}")
    return "\n".join(lines) + "\n"


def _package_paths(texts: Iterable[str]) -> frozenset[Path]:
    """Every name that is, or is part of, the name of a package."""
    found = {tuple(match[1].split(".")) for text in texts if (match := _PACKAGE.search(text)) is not None}
    return frozenset(path[:length] for path in found for length in range(len(path) + 1))


def _apart(value: Any, path: Path, packages: frozenset[Path]) -> Iterator[tuple[Path, Any]]:
    """Data documents by place, each as large as it can be without having a package in it."""
    if path in packages and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _apart(inner, (*path, key), packages)
    else:
        yield path, value


def moved(text: str, prefix: str) -> str:
    """A module's text with its package and everything it says of ``data`` below ``prefix``.

    Lines stay where they are. Only names count: not words in texts, comments, or behind a dot.
    """
    found: list[str] = []
    at, before, in_package = 0, "", True
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "name":
            name = token["name"]
            if in_package and before == "package":
                found += [text[at : token.start()], prefix, "."]
                at, in_package = token.start(), False
            elif name == "data" and before != ".":
                found += [text[at : token.end()], ".", prefix]
                at = token.end()
            before = name
        elif token.lastgroup != "skip" or not token.group().startswith("#"):
            before = token.group()
    found.append(text[at:])
    return "".join(found)
