"""Text as CloudFormation sees it: how scalars read as text, what ``Fn::Sub`` names, what text stands for a secret."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

_HOLE: Final = re.compile(r"\$\{([^${}]*+)\}")
_DYNAMIC: Final = "{{resolve:"
_MOST_DIGITS: Final = 1000
_MANAGED: Final = ":iam::aws:policy/"
_POLICY_NAME: Final = re.compile(r"[A-Za-z0-9/+=,.@_-]+")
_NOT_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]")


def text_of(value: Any) -> str | None:
    """A scalar as text, the way functions join and compare it; ``None`` for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    # A number of many zeros is text of as many characters.
    small = isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < _MOST_DIGITS
    return format(value, "f") if small else None


def is_dynamic(text: str) -> bool:
    """Whether the text holds a dynamic reference, which CloudFormation looks up while it deploys.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    """
    return _DYNAMIC in text


def pieces(template: str) -> Iterator[tuple[str, str]]:
    """The text of an ``Fn::Sub`` as ``(literal, name)`` pairs in order; the last name is empty.

    ``${!Name}`` is the text ``${Name}``.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html
    """
    literal: list[str] = []
    end = 0
    for match in _HOLE.finditer(template):
        literal.append(template[end : match.start()])
        end = match.end()
        name = match.group(1)
        if name.startswith("!"):
            literal.append("${" + name[1:] + "}")
            continue
        yield "".join(literal), name.strip()
        literal = []
    yield "".join(literal) + template[end:], ""


def managed_policy(before: str, after: str) -> str | None:
    """The ARN of a policy that AWS manages, from what stands around a partition that is not known.

    Such policies have the same names and say the same in every partition, so that it makes no difference which one
    it is: the ARN is the one of ``aws``. ``None`` for any other text.

    Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
    """
    fits = before == "arn:" and after.startswith(_MANAGED) and _POLICY_NAME.fullmatch(after, len(_MANAGED))
    return f"arn:aws{after}" if fits else None


def holes(text: str, name: str) -> int:
    """How often a loop's name stands in a text."""
    return text.count("${" + name + "}") + text.count("&{" + name + "}") if "{" in text else 0


def replaced(text: str, name: str, value: str) -> str:
    """Text with a loop's ``${name}`` and ``&{name}`` replaced; the latter leaves only letters and digits.

    Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
    """
    if "{" not in text:
        return text
    plain = _NOT_ALPHANUMERIC.sub("", value)
    return text.replace("${" + name + "}", value).replace("&{" + name + "}", plain)
