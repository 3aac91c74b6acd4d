"""Terraform's functions by name.

A name that is neither here nor the evaluator's own (`EVALUATORS`) is a function that is not known: of a newer
Terraform, of OpenTofu, or of a provider. Its result is `UNKNOWN`.
"""

from collections.abc import Mapping
from typing import Final

from plangate.model.values import UNKNOWN
from plangate.parsers.hcl import (
    functions_collections,
    functions_dates,
    functions_encoding,
    functions_format,
    functions_json,
    functions_network,
    functions_numbers,
    functions_regex,
    functions_sets,
    functions_strings,
    functions_yaml,
)
from plangate.parsers.hcl.functions_base import Function, FunctionError, Parameter, TooLargeError

__all__ = ["EVALUATORS", "FUNCTIONS", "Function", "FunctionError", "TooLargeError"]

EVALUATORS: Final = frozenset(
    {
        # They look at how their arguments are written, fail or are marked, not at values alone.
        "can", "ephemeralasnull", "issensitive", "sensitive", "try", "type",
        # They read files, or say where they are.
        "abspath", "file", "filebase64", "filebase64sha256", "filebase64sha512", "fileexists", "filemd5", "fileset",
        "filesha1", "filesha256", "filesha512", "templatefile", "templatestring",
    }
)  # fmt: skip
"""Not in `FUNCTIONS`: the evaluator answers these itself."""

_UNKNOWABLE: Final = (
    # The clock and chance: another answer each time.
    "bcrypt", "plantimestamp", "timestamp", "uuid",
    # Compression is not the same bytes everywhere; a home folder and a private key are not part of the source.
    "base64gzip", "pathexpand", "rsadecrypt",
)  # fmt: skip


def _unknowable(*_arguments: object) -> object:
    return UNKNOWN


FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function
    for function in (
        *functions_collections.FUNCTIONS,
        *functions_dates.FUNCTIONS,
        *functions_encoding.FUNCTIONS,
        *functions_format.FUNCTIONS,
        *functions_json.FUNCTIONS,
        *functions_network.FUNCTIONS,
        *functions_numbers.FUNCTIONS,
        *functions_regex.FUNCTIONS,
        *functions_sets.FUNCTIONS,
        *functions_strings.FUNCTIONS,
        *functions_yaml.FUNCTIONS,
        *(
            Function(name=name, run=_unknowable, rest=Parameter(null=True, parts=True, whole=True), least=0)
            for name in _UNKNOWABLE
        ),
    )
}
"""Every pure function; each is called with evaluated positional arguments."""
