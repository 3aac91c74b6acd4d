"""What a folder of conftest policies is, once it has been read and checked, and what it says of one file."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from plangate.decision.outcome import Enforcement, OnUnknown, RuleSpec, Severity
from plangate.policy.conftest.reads import RawReads

DEFAULT_NAMESPACE: Final = "main"
FAILURE: Final = re.compile(r"(?:deny|violation)(?:_[a-zA-Z0-9]+)*")
WARNING: Final = re.compile(r"warn(?:_[a-zA-Z0-9]+)*")
_PREFIX: Final = re.compile(r"(?:violation|deny|warn)(?:_|$)")
EXCEPTION: Final = "exception"


def is_judged(name: str) -> bool:
    """Conftest judges rules of this name."""
    return FAILURE.fullmatch(name) is not None or WARNING.fullmatch(name) is not None


class ConftestRule(Struct, frozen=True, kw_only=True):
    """All definitions of one name that conftest judges, in one namespace.

    Attributes:
        spec: With the id ``conftest.<namespace>.<name>``.
        namespace: The package, without ``data``.
        name: E.g. ``deny_run_as_root``.
        definitions: How many there are: conftest counts each as a test.
        is_set: It is a set, and so always there; otherwise it is one value, which may be a list of findings.
        reads: What it can read of the file.
    """

    spec: RuleSpec
    namespace: str
    name: str
    definitions: int
    is_set: bool
    reads: RawReads

    @property
    def is_warning(self) -> bool:
        """It warns, and never denies."""
        return WARNING.fullmatch(self.name) is not None

    @property
    def query(self) -> str:
        """As conftest writes it into its results."""
        return f"data.{self.namespace}.{self.name}"

    @property
    def exception_key(self) -> str:
        """What an exception has to hold to lift it: the name without its first word, which may be nothing."""
        return _PREFIX.sub("", self.name, count=1)

    @property
    def exception_query(self) -> str:
        """As conftest writes it into its results."""
        return f'data.{self.namespace}.{EXCEPTION}[_][_] == "{self.exception_key}"'


class ConftestPolicies(Struct, frozen=True, kw_only=True):
    """Conftest policies that were read and checked.

    Attributes:
        namespaces: What is judged and reported, in this order.
        rules: In the order of the namespaces, then as they are written.
        exceptions: Of each namespace that has exceptions, what they can read.
        modules: ``(file name, text)`` of every module that is evaluated, sorted by name.
        data: Documents below ``data``.
        asks_file: The policies read ``data.conftest.file``.
        rego_v0: They are written in Rego v0.
        sha256: Hex digest over modules, data and everything else that decides what is judged.
        sources: Names of the folders.
    """

    namespaces: tuple[str, ...]
    rules: tuple[ConftestRule, ...]
    exceptions: Mapping[str, RawReads]
    modules: tuple[tuple[str, str], ...]
    data: Mapping[str, Any]
    asks_file: bool
    rego_v0: bool
    sha256: str
    sources: tuple[str, ...]

    def specs(self) -> dict[str, RuleSpec]:
        """Every rule by id, with one more for the exceptions of each namespace that has some."""
        found = {rule.spec.id: rule.spec for rule in self.rules}
        return found | {spec.id: spec for spec in map(exception_spec, self.exceptions)}


def rule_spec(namespace: str, name: str, file: str) -> RuleSpec:
    """What the decision needs to know of a rule. What it fails, nobody may approve unless the settings say so."""
    warns = WARNING.fullmatch(name) is not None
    return RuleSpec(
        id=f"conftest.{namespace}.{name}",
        title=f"data.{namespace}.{name} finds nothing",
        description=f"A rule of the conftest policies, in {file}.",
        severity=Severity.LOW if warns else Severity.HIGH,
        enforcement=Enforcement.ADVISORY if warns else Enforcement.MANDATORY,
        on_unknown=OnUnknown.DENY,
        source=file,
    )


def exception_spec(namespace: str) -> RuleSpec:
    """The rule that says out loud which rules the policies' own exceptions lifted."""
    return RuleSpec(
        id=f"conftest.{namespace}.{EXCEPTION}",
        title=f"data.{namespace}.{EXCEPTION} lifts no rule",
        description="The conftest policies make exceptions of their own; each one that counted is told.",
        severity=Severity.LOW,
        enforcement=Enforcement.ADVISORY,
        on_unknown=OnUnknown.DENY,
        source=f"data.{namespace}.{EXCEPTION}",
    )


class RuleSaid(Struct, frozen=True, kw_only=True):
    """What one rule found in one file, all its inputs together.

    Attributes:
        rule: The rule.
        results: Its findings in conftest's form: ``msg``, ``loc``, ``metadata``.
        defined: It has a value; one that has none is no success of its own to conftest.
        excepted: How often an exception lifted it.
        lifted: What it found where an exception lifted it.
        error: Why it could not be judged; then nothing else counts.
    """

    rule: ConftestRule
    results: Sequence[Mapping[str, Any]] = ()
    defined: bool = True
    excepted: int = 0
    lifted: Sequence[Mapping[str, Any]] = ()
    error: str = ""
