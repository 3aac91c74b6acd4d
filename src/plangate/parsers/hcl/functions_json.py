"""``jsonencode`` and ``jsondecode``.

Source: https://developer.hashicorp.com/terraform/language/functions/jsonencode
"""

import json
from decimal import Decimal
from typing import Any, Final, NoReturn

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl.functions_base import TEXT, Function, Parameter, checked
from plangate.parsers.hcl.values import Value, is_known, items_of, number, number_text, text

# What could end a script element in HTML is escaped, and so are the line ends of JavaScript.
ESCAPES: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def encode_json(value: Value) -> str:
    """The value in JSON as Terraform writes it: keys in order, no white space, numbers without exponents."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(ESCAPES)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int | Decimal):
        return number_text(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_json(k)}:{encode_json(v)}" for k, v in sorted(value.items())) + "}"
    return "[" + ",".join(map(encode_json, items_of(value))) + "]"


def _jsonencode(value: Value) -> Value:
    return checked(encode_json(value))


def _jsondecode(source: str) -> Value:
    try:
        found = json.loads(
            source,
            object_hook=lambda members: {text(name): value for name, value in members.items()},
            parse_float=lambda digits: number(Decimal(digits)),
            parse_int=_integer,
            parse_constant=_refuse,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg}") from error
    is_known(found)
    return _shaped(found)


def _integer(digits: str) -> Value:
    # Terraform keeps a negative zero, which no number here can be.
    return UNKNOWN if digits == "-0" else number(Decimal(digits))


def _shaped(value: Any) -> Value:
    if isinstance(value, str):
        # Half of a surrogate pair stands for a character that cannot be read.
        return text(
            value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if isinstance(value, list):
        return tuple(map(_shaped, value))
    if isinstance(value, dict):
        return {_shaped(name): _shaped(inner) for name, inner in value.items()}
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


FUNCTIONS: Final = (
    Function(name="jsondecode", run=_jsondecode, parameters=(TEXT,)),
    Function(name="jsonencode", run=_jsonencode, parameters=(Parameter(null=True),)),
)
