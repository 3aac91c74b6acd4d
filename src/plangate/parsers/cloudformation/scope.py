"""What the names in a template stand for: parameters, pseudo parameters, mappings, resources.

Source:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from msgspec import Struct, field

from plangate.model.values import UNKNOWN
from plangate.parsers.cloudformation.texts import is_dynamic, text_of
from plangate.parsers.cloudformation.trace import Budget

PSEUDO: Final = frozenset({
    "AWS::AccountId", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName",
    "AWS::URLSuffix",
})  # fmt: skip
"""Parameters that CloudFormation gives by itself; ``AWS::NoValue`` is no value and stands apart."""

_PARTITIONS: Final = (
    ("cn-", "aws-cn", "amazonaws.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    ("us-iso-", "aws-iso", "c2s.ic.gov"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    ("eusc-", "aws-eusc", "amazonaws.eu"),
)
"""Partition and domain of the regions that begin so; all others are in ``aws``.
https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json
"""

Refuse = Callable[[str, str], NoReturn]
"""JSON Pointer in the document, problem."""


class Scope(Struct, frozen=True, kw_only=True):
    """What names stand for.

    Attributes:
        parameters: Value by name, `UNKNOWN` where nobody gave one; pseudo parameters among them.
        secret: Names of parameters that must not be shown (``NoEcho``).
        mappings: The template's ``Mappings``.
        resources: Logical ids of all resources that may be there.
        attributes: What is known of them, see `plangate.parsers.base.Options`.
        zones: Availability zones by region.
    """

    parameters: Mapping[str, Any]
    secret: frozenset[str] = frozenset()
    mappings: Mapping[str, Any] = field(default_factory=dict)
    resources: frozenset[str] = frozenset()
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    zones: Mapping[str, Sequence[str]] = field(default_factory=dict)


def pseudo_parameters(given: Mapping[str, str]) -> dict[str, Any]:
    """Pseudo parameters as far as the user gave them; partition and domain follow from the region."""
    found: dict[str, Any] = {name: given.get(name, UNKNOWN) for name in PSEUDO}
    region = given.get("AWS::Region")
    if region:
        _, partition, suffix = next(
            (entry for entry in _PARTITIONS if region.startswith(entry[0])), ("", "aws", "amazonaws.com")
        )
        found["AWS::Partition"] = given.get("AWS::Partition", partition)
        found["AWS::URLSuffix"] = given.get("AWS::URLSuffix", suffix)
    topics = given.get("AWS::NotificationARNs")
    if topics is not None:
        found["AWS::NotificationARNs"] = _listed(topics)
    return found


def declared_parameters(
    section: Mapping[str, Any], given: Mapping[str, str], budget: Budget, refuse: Refuse
) -> tuple[dict[str, Any], frozenset[str]]:
    """Values of the ``Parameters`` section and the names of those that are secret.

    A value that the user gives must be one that the template allows. A default that is not allowed is `UNKNOWN`:
    the stack cannot be made with it. ``AllowedPattern`` is not looked at: matching it can take any time.
    """
    values: dict[str, Any] = {}
    secret: set[str] = set()
    for name, declaration in section.items():
        at = f"/Parameters/{name}"
        if not isinstance(declaration, Mapping):
            refuse(at, "expected an object that declares a parameter")
        for text in (given.get(name), declaration.get("Default")):
            budget.spend(nodes=text.count(",") if isinstance(text, str) else 0)
        if str(declaration.get("NoEcho", "")).lower() == "true":
            secret.add(name)
        if name in given:
            problem = _problem(declaration, given[name])
            if problem:
                refuse(at, f"the value that is given for parameter {name[:100]} {problem}")
            values[name] = _value(declaration, given[name])
        else:
            values[name] = _default(declaration)
    return values, frozenset(secret)


def _default(declaration: Mapping[str, Any]) -> Any:
    default = declaration.get("Default")
    if isinstance(default, list):
        # Some tools write a list of defaults as a list.
        texts = [text_of(item) for item in default]
        text = None if None in texts else ",".join(str(item) for item in texts)
    else:
        text = text_of(default)
    if text is None or is_dynamic(text) or _problem(declaration, text):
        return UNKNOWN
    return _value(declaration, text)


def _value(declaration: Mapping[str, Any], text: str) -> Any:
    kind = declaration.get("Type")
    if not isinstance(kind, str) or kind.startswith("AWS::SSM::Parameter::Value<"):
        # The text is the name of a parameter in Systems Manager, whose value it is not.
        return UNKNOWN
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        # Whether a list without text is empty, or holds an empty text, is written nowhere.
        return _listed(text) if text else UNKNOWN
    return text


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")] if text else []


def _problem(declaration: Mapping[str, Any], text: str) -> str:
    """What is wrong with a value; empty when nothing is."""
    kind = declaration.get("Type")
    several = kind == "CommaDelimitedList" or (isinstance(kind, str) and kind.startswith("List<"))
    items = _listed(text) if several else [text]
    allowed = declaration.get("AllowedValues")
    if isinstance(allowed, list):
        accepted = {text_of(item) for item in allowed}
        if not all(item in accepted for item in items):
            return "is not among its allowed values"
    if kind in ("Number", "List<Number>"):
        return _number_problem(declaration, items)
    shortest, longest = _number(declaration.get("MinLength")), _number(declaration.get("MaxLength"))
    if not several and shortest is not None and len(text) < shortest:
        return f"is shorter than {shortest} characters"
    if not several and longest is not None and len(text) > longest:
        return f"is longer than {longest} characters"
    return ""


def _number_problem(declaration: Mapping[str, Any], items: list[str]) -> str:
    least, most = _number(declaration.get("MinValue")), _number(declaration.get("MaxValue"))
    for item in items:
        number = _number(item)
        if number is None:
            return "is not a number"
        if (least is not None and number < least) or (most is not None and number > most):
            return "is out of its range"
    return ""


def _number(value: Any) -> Decimal | None:
    text = text_of(value)
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
