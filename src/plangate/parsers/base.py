"""What a parser is: bytes in, `plangate.model.plan.Plan` out, or `PlanParseError`. One file here per format.

A parser never opens what a document names, and never returns less than it understood: an input that is not fully
understood is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct, field

from plangate.model.plan import Plan


class Limits(Struct, frozen=True, kw_only=True):
    """What a hostile input may cost at most. Every limit is a setting (``limits`` in ``plangate.yaml``).

    Attributes:
        max_plan_bytes: Size of one input, before and after decoding or unpacking.
        max_depth: Nesting of objects and lists.
        max_number_digits: Digits of one number.
        max_resources: Entries in one plan.
        max_yaml_nodes: Nodes of one YAML input after its aliases are expanded.
        max_files: Files that one run looks at, and files of one module tree.
        max_template_nodes: Values that evaluating one source (loops, instances, joined text) may make.
        show_timeout_s: Seconds that ``terraform show`` may take.
    """

    max_plan_bytes: int = 256 * 1024 * 1024
    max_depth: int = 120
    max_number_digits: int = 1000
    max_resources: int = 200_000
    max_yaml_nodes: int = 5_000_000
    max_files: int = 100_000
    max_template_nodes: int = 2_000_000
    show_timeout_s: float = 120.0


class Input(Struct, frozen=True, kw_only=True):
    """One document to parse.

    Attributes:
        name: As the user gave it; for messages only.
        data: The JSON text's bytes (for a saved plan: what ``show -json`` said).
        sha256: Hex digest of what was handed in, which for a saved plan is the binary and not ``data``.
        size: Bytes handed in.
        media_type: Of what was handed in.
    """

    name: str
    data: bytes
    sha256: str
    size: int
    media_type: str = "application/json"


class Options(Struct, frozen=True, kw_only=True):
    """What the user says about the inputs, beside the inputs.

    Attributes:
        variables: Terraform variables (``--var``), as text that the language then reads.
        variable_files: ``*.tfvars`` files (``--var-file``), later ones win.
        parameters: CloudFormation parameters (``--parameters``).
        environ: Environment variables, of which only ``TF_VAR_…`` are read.
        attributes: What resources of a template are known to be: by logical id, ``Ref`` and attributes by name. Read
            whenever something asks for one, so that more may become known while the template is in use.
        zones: Availability zones by region, for ``Fn::GetAZs``.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    variable_files: tuple[Path, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    zones: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Places(Protocol):
    """Where the values of one document stand in its text."""

    def at(self, pointer: str) -> tuple[int, int]:
        """Line and column (from 1) of the value at a JSON Pointer; ``(0, 0)`` if it is not there."""

    def below(self, pointer: str) -> Mapping[str, tuple[int, int]]:
        """Line and column of every member's key (of every item of a list, by index) of the value at a pointer."""


class Documents(Struct, frozen=True, kw_only=True):
    """One input, read: its documents as plain values, in order, and where they stand.

    Attributes:
        source: The bytes and their name.
        values: One for JSON; one for each document of a YAML stream, empty ones left out; one for each line of
            JSON Lines. Numbers that are no integers are ``Decimal``; a CloudFormation short tag is its long form
            (``{"Fn::Sub": …}``).
        places: As many as values.
        tags: YAML tags that are used beside YAML's own, e.g. ``!Ref``, each with the place where it is first.
    """

    source: Input
    values: Sequence[Any]
    places: Sequence[Places]
    tags: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class Format(Struct, frozen=True, kw_only=True):
    """One format that people plan with.

    Attributes:
        id: E.g. ``kubernetes``; `plangate.model.plan.Source.format`.
        title: For people, e.g. ``Kubernetes manifests``.
        recognizes: Whether these documents are this format, from their top-level keys alone. Cheap, and never raises.
        parse: Reads them, or refuses them with a `PlanParseError`.
        tags: YAML tags of its own, e.g. ``!Ref``; any other is refused before `parse` is called.
    """

    id: str
    title: str
    recognizes: Callable[[Sequence[Any]], bool]
    parse: Callable[[Documents, Options, Limits], Plan]
    tags: frozenset[str] = frozenset()


Parse = Callable[[Input, Limits], Plan]
